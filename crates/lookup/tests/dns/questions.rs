//! Questions by every transport, and answers as `dig` has them.

use std::process::Command;

use netwark_lookup::dns::ask::AskError;
use netwark_model::tools::dns::{DnsOptions, Transport};
use netwark_model::tools::verdict::FindingKind;

use crate::lab::{ALL, Lab};

fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn answers_are_those_of_dig() {
    let lab = Lab::start().await;
    for (name, kind) in [
        ("www", "A"),
        ("www", "AAAA"),
        ("www", "HTTPS"),
        ("@", "MX"),
        ("@", "TXT"),
        ("@", "CAA"),
        ("@", "LOC"),
        ("@", "SOA"),
        ("@", "NS"),
        ("@", "DNSKEY"),
        ("@", "DS"),
        ("alias", "A"),
        ("x.moved", "A"),
        ("_sip._tcp", "SRV"),
        ("host", "SSHFP"),
        ("_443._tcp", "TLSA"),
        ("naptr", "NAPTR"),
        ("box", "HINFO"),
        ("people", "RP"),
        ("link", "URI"),
        ("card", "EUI48"),
        ("lists", "APL"),
        ("private", "TYPE65280"),
        ("www", "NSEC"),
        ("missing", "A"),
        ("big", "TXT"),
    ] {
        let name = if name == "@" { "signed.test".into() } else { format!("{name}.signed.test") };
        let outcome = lab.ask(&name, kind, DnsOptions::default()).await;
        let mut ours: Vec<_> =
            outcome.raw.iter().filter(|line| !line.starts_with(';')).map(|line| words(line)).collect();
        let dig = Command::new("dig")
            .args([
                &format!("@{ALL}"),
                "-p",
                &lab.port.to_string(),
                "+noall",
                "+answer",
                "+authority",
                "+additional",
            ])
            .args(["+nosplit", &name, kind])
            .output()
            .expect("dig must be there: install bind9-dnsutils");
        let text = String::from_utf8(dig.stdout).unwrap();
        let mut theirs: Vec<_> = text.lines().filter(|line| !line.starts_with(';')).map(words).collect();
        ours.retain(|line| !line.is_empty());
        theirs.retain(|line| !line.is_empty());
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{name} {kind}");
        assert!(outcome.raw.iter().any(|line| line.starts_with(";; flags: qr aa rd;")), "{:#?}", outcome.raw);
    }
}

#[tokio::test]
async fn each_transport_carries_a_question() {
    let lab = Lab::start().await;
    let ask = async |name: &str, options: DnsOptions| lab.ask(name, "A", options).await;
    let at = |nameserver: String| DnsOptions { nameserver: Some(nameserver), ..DnsOptions::default() };
    for (options, transport) in [
        (DnsOptions::default(), "udp"),
        (DnsOptions { transport: Transport::Tcp, ..DnsOptions::default() }, "tcp"),
        (at(format!("tcp://{}", lab.place())), "tcp"),
        (at(format!("tls://{ALL}:{}", lab.tls_port)), "tls"),
        (DnsOptions { transport: Transport::Tls, ..at(format!("{ALL}:{}", lab.tls_port)) }, "tls"),
        (at(format!("https://{ALL}:{}/dns-query", lab.https_port)), "https"),
    ] {
        let outcome = ask("www.signed.test", options).await;
        let reply = outcome.reply.unwrap_or_else(|| panic!("{transport}: {:?}", outcome.attempts));
        assert_eq!((reply.transport.as_str(), outcome.essence), (transport, vec!["A 192.0.2.1".to_owned()]));
        assert_eq!(reply.connect_ms.is_some(), transport != "udp");
        assert_eq!(outcome.verdict.findings[0].kind, FindingKind::Healthy);
    }
    // What does not fit into a datagram comes by TCP, unless UDP was asked for.
    let big = async |options| lab.ask("big.signed.test", "TXT", options).await;
    let outcome = big(DnsOptions::default()).await;
    assert_eq!(outcome.answers.len(), 6);
    let sent: Vec<_> = outcome.attempts.iter().map(|a| (a.transport.as_str(), a.result.as_str())).collect();
    assert_eq!(sent, [("udp", "NOERROR, cut to fit"), ("tcp", "NOERROR")]);
    let outcome = big(DnsOptions { transport: Transport::Udp, ..DnsOptions::default() }).await;
    assert!(outcome.reply.unwrap().flags.contains(&"tc".to_owned()));

    // The server names itself, the other flags arrive, and a certificate of another name is refused.
    let outcome = ask("www.signed.test", DnsOptions { nsid: true, ..DnsOptions::default() }).await;
    assert_eq!(outcome.reply.unwrap().nsid.as_deref(), Some("lab-one"));
    let outcome = ask("www.signed.test", DnsOptions { no_recursion: true, ..DnsOptions::default() }).await;
    assert!(!outcome.reply.unwrap().flags.contains(&"rd".to_owned()));
    let outcome = ask("www.signed.test", DnsOptions { edns_size: 0, ..DnsOptions::default() }).await;
    assert!(!outcome.raw.iter().any(|line| line.contains("EDNS")));
    let outcome = ask("www.signed.test", at(format!("tls://localhost:{}", lab.tls_port))).await;
    assert_eq!(outcome.verdict.findings[0].kind, FindingKind::NoAnswer, "{:?}", outcome.attempts);

    // A silent server and one that is not there are told apart.
    let silent = std::net::UdpSocket::bind((ALL, 0)).unwrap();
    let patience = DnsOptions { timeout_ms: 50, tries: 2, ..at(silent.local_addr().unwrap().to_string()) };
    let outcome = ask("www.signed.test", patience).await;
    let results: Vec<_> = outcome.attempts.iter().map(|attempt| attempt.result.as_str()).collect();
    assert_eq!(results, ["no answer within 50 ms"; 2]);
    let outcome = ask("www.signed.test", at(format!("{ALL}:1"))).await;
    assert!(outcome.verdict.summary.contains("refused: nothing listens there"), "{:?}", outcome.verdict);
    // The next server is asked when one is silent, and when one will not answer.
    let other = lab.asker_with(&[silent.local_addr().unwrap(), lab.place()]);
    let outcome =
        other.ask("www.signed.test", &DnsOptions { timeout_ms: 50, ..DnsOptions::default() }).await.unwrap();
    assert_eq!((outcome.attempts.len(), outcome.status.as_deref()), (3, Some("NOERROR")));
    let outcome = ask("example.org", DnsOptions::default()).await;
    assert_eq!(outcome.question.kind, "A");
}

#[tokio::test]
async fn nonsense_is_not_asked() {
    let lab = Lab::start().await;
    for (target, kind, server, field, why) in [
        ("signed.test", "ANY", None, "options.type", "RFC 8482"),
        ("a..b", "A", None, "target", "empty part"),
        ("signed.test", "A", Some("http://x"), "options.nameserver", "tls://NAME"),
    ] {
        let options = DnsOptions {
            kind: Some(kind.into()),
            nameserver: server.map(str::to_owned),
            ..DnsOptions::default()
        };
        let AskError::Wrong(error) = lab.asker().ask(target, &options).await.unwrap_err() else { panic!() };
        assert_eq!(error.name, field);
        assert!(error.description.contains(why), "{error}");
    }
    let outcome = lab.asker().ask("192.0.2.1", &DnsOptions::default()).await.unwrap();
    assert_eq!(
        (outcome.question.name.as_str(), outcome.question.kind.as_str()),
        ("1.2.0.192.in-addr.arpa.", "PTR")
    );
}
