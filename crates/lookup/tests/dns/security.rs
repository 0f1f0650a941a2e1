//! Verdicts about signatures, each on a real zone, and the link they name.

use std::net::SocketAddr;
use std::sync::Arc;

use netwark_lookup::dns::dnssec::Anchors;
use netwark_model::tools::dns::{DnsOptions, DnssecReport, LinkKind, Security};

use tokio::net::UdpSocket;

use crate::lab::Lab;

const WITH_VERDICT: DnsOptions = DnsOptions {
    kind: None,
    nameserver: None,
    transport: netwark_model::tools::dns::Transport::Auto,
    dnssec: true,
    trace: false,
    no_recursion: false,
    checking_disabled: false,
    nsid: false,
    edns_size: 1232,
    timeout_ms: 3000,
    tries: 2,
};

fn options(trace: bool) -> DnsOptions {
    DnsOptions { trace, ..WITH_VERDICT }
}

#[tokio::test]
async fn verdicts() {
    use Security::{Bogus, Indeterminate, Insecure, Secure};
    let lab = Lab::start().await;
    let cases: &[(&str, &str, Security, Option<&str>, &str)] = &[
        // Positive answers, by each algorithm.
        ("www.signed.test", "A", Secure, None, "signed by signed.test."),
        ("www.nsec3.test", "A", Secure, None, "signed by nsec3.test."),
        ("www.optout.test", "A", Secure, None, "signed by optout.test."),
        ("www.big-key.test", "A", Secure, None, "signed by big-key.test."),
        ("signed.test", "MX", Secure, None, "MX records of signed.test."),
        ("signed.test", "SOA", Secure, None, ""),
        ("signed.test", "DNSKEY", Secure, None, ""),
        ("signed.test", "DS", Secure, None, "signed by test."),
        ("test", "NS", Secure, None, "signed by test."),
        (".", "SOA", Secure, None, "signed by ."),
        ("private.signed.test", "TYPE65280", Secure, None, ""),
        ("people.signed.test", "RP", Secure, None, ""),
        ("big.signed.test", "TXT", Secure, None, ""),
        // Aliases and wildcards.
        ("alias.signed.test", "A", Secure, None, ""),
        ("WWW.Signed.TEST", "AAAA", Secure, None, ""),
        ("any.thing.wild.signed.test", "A", Secure, None, ""),
        ("x.moved.signed.test", "A", Secure, None, ""),
        ("a.wild.nsec3.test", "A", Secure, None, ""),
        // What is not there.
        ("missing.signed.test", "A", Secure, None, "proves that there is no missing.signed.test."),
        ("www.signed.test", "TXT", Secure, None, "proves that www.signed.test. has no TXT"),
        ("in.side.signed.test", "A", Secure, None, ""),
        ("a.wild.signed.test", "TXT", Secure, None, ""),
        ("dangling.signed.test", "A", Secure, None, ""),
        ("missing.nsec3.test", "A", Secure, None, ""),
        ("www.nsec3.test", "AAAA", Secure, None, ""),
        ("a.wild.nsec3.test", "AAAA", Secure, None, ""),
        ("missing.test", "A", Secure, None, ""),
        // Zones that hand on no trust.
        (
            "www.unsigned.test",
            "A",
            Insecure,
            Some("unsigned.test."),
            "test. proves that unsigned.test. is not signed",
        ),
        ("missing.unsigned.test", "A", Insecure, Some("unsigned.test."), ""),
        ("outside.signed.test", "A", Insecure, Some("unsigned.test."), ""),
        (
            "www.plain.optout.test",
            "A",
            Insecure,
            Some("plain.optout.test."),
            "leaves names without signatures",
        ),
        ("www.newer.test", "A", Insecure, Some("newer.test."), "only by ED448, which is not supported here"),
        ("unsigned.test", "DS", Secure, None, "proves that unsigned.test. has no DS"),
        // What should hold and does not.
        ("www.expired.test", "A", Bogus, Some("expired.test."), "it expired on 2020-02-01"),
        ("www.wrong-ds.test", "A", Bogus, Some("wrong-ds.test."), "no key of wrong-ds.test. fits"),
        ("www.changed.test", "A", Bogus, Some("www.changed.test."), "was not made by key"),
        ("www.stripped.test", "A", Bogus, Some("www.stripped.test."), "have no signature"),
        ("missing.stripped.test", "A", Bogus, Some("missing.stripped.test."), "nothing signed proves"),
        ("changed.test", "SOA", Secure, None, ""),
        // What cannot be found out.
        (
            "www.silent.test",
            "A",
            Indeterminate,
            Some("silent.test."),
            "the keys of silent.test. cannot be had",
        ),
        ("signed.test", "RRSIG", Indeterminate, Some("signed.test."), "ask for what they cover"),
    ];
    let mut wrong = Vec::new();
    for (name, kind, security, failing, text) in cases {
        for trace in [false, true] {
            let report = lab.ask(name, kind, options(trace)).await.dnssec;
            let Some(report) = report else {
                wrong.push(format!("{name} {kind} (trace {trace}): no answer"));
                continue;
            };
            let fits = report.verdict == *security
                && (failing.is_none() || report.failing.as_deref() == *failing)
                && report.reason.contains(text);
            if !fits {
                wrong.push(format!(
                    "{name} {kind} (trace {trace}): {:?} {:?} {}",
                    report.verdict, report.failing, report.reason
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    links(&lab).await;
    anchors(&lab).await;
}

/// The chain is told link by link.
async fn links(lab: &Lab) {
    let report = lab.ask("www.signed.test", "A", WITH_VERDICT).await.dnssec.unwrap();
    let told: Vec<_> = report.links.iter().map(|link| (link.kind, link.name.as_str(), link.state)).collect();
    let secure = Security::Secure;
    assert_eq!(
        told,
        [
            (LinkKind::Anchor, ".", secure),
            (LinkKind::Delegation, "test.", secure),
            (LinkKind::Delegation, "signed.test.", secure),
            (LinkKind::Answer, "www.signed.test.", secure),
        ]
    );
    let delegation = &report.links[2];
    assert_eq!(delegation.ds.len(), 1);
    assert!(delegation.ds[0].fits && delegation.ds[0].digest == "SHA-256");
    assert!(delegation.keys[0].signs_keys && delegation.keys[0].algorithm == "ECDSAP256SHA256");

    let report = lab.ask("www.wrong-ds.test", "A", WITH_VERDICT).await.dnssec.unwrap();
    let last = report.links.last().unwrap();
    assert_eq!((last.name.as_str(), last.state), ("wrong-ds.test.", Security::Bogus));
    assert!(!last.ds[0].fits);
    let report = lab.ask("www.expired.test", "A", WITH_VERDICT).await.dnssec.unwrap();
    assert!(report.links.last().unwrap().ds[0].fits, "what is wrong is the signature");
}

/// Without the right anchor nothing can be said, or all is wrong.
async fn anchors(lab: &Lab) {
    let with = async |anchors: Anchors| -> DnssecReport {
        let asker = lab.asker_trusting(&[lab.place()], anchors);
        asker.ask("www.signed.test", &WITH_VERDICT).await.unwrap().dnssec.unwrap()
    };
    let elsewhere = Anchors::from_text("example. DS 1 13 2 AB").unwrap();
    let report = with(elsewhere).await;
    assert_eq!(report.verdict, Security::Indeterminate, "{report:?}");
    assert!(report.reason.contains("no anchor of trust stands above"));
    let report = with(Anchors::of_iana()).await;
    assert_eq!((report.verdict, report.failing.as_deref()), (Security::Bogus, Some(".")));
    assert!(report.reason.contains("fits the anchor of trust"), "{report:?}");
}

/// Passes questions on to a server, of those for digests the first one only together with a second.
async fn relay(server: SocketAddr) -> SocketAddr {
    let outside = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let place = outside.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        let mut held = None;
        let mut are_two = false;
        while let Ok((length, from)) = outside.recv_from(&mut buffer).await {
            let asked = buffer[..length].to_vec();
            let end = 12 + asked[12..].iter().position(|byte| *byte == 0).unwrap();
            let is_digest = asked[end + 1..end + 3] == [0, 43];
            if is_digest && !are_two {
                let Some(first) = held.replace((asked, from)) else { continue };
                are_two = true;
                pass(&outside, server, first).await;
                pass(&outside, server, held.take().unwrap()).await;
            } else {
                pass(&outside, server, (asked, from)).await;
            }
        }
    });
    place
}

async fn pass(outside: &Arc<UdpSocket>, server: SocketAddr, (asked, from): (Vec<u8>, SocketAddr)) {
    let inside = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    inside.send_to(&asked, server).await.unwrap();
    let outside = Arc::clone(outside);
    tokio::spawn(async move {
        let mut answer = [0; 4096];
        let length = inside.recv(&mut answer).await.unwrap();
        outside.send_to(&answer[..length], from).await.unwrap();
    });
}

#[tokio::test]
async fn the_links_are_not_asked_for_in_turn() {
    let lab = Lab::start().await;
    let relay = relay(lab.place()).await;
    // The digests of both zones are asked for together, or the relay would hold back the first of them for ever.
    // Asked again it would be let through, so it is not.
    let options = DnsOptions { kind: Some("A".into()), tries: 1, timeout_ms: 20_000, ..WITH_VERDICT };
    let outcome = lab.asker_with(&[relay]).ask("www.signed.test", &options).await.unwrap();
    let report = outcome.dnssec.unwrap();
    assert_eq!(report.verdict, Security::Secure, "{}", report.reason);
    assert_eq!(report.links.len(), 4, "{:?}", report.links);
}
