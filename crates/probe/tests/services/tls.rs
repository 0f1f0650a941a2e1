use netwark_model::tools::tls::{Phase, StartTls, TlsOptions, TlsReport, TrustProblemKind as Kind};
use netwark_model::tools::verdict::Severity;
use netwark_probe::tls::{self, Trust};
use rcgen::ExtendedKeyUsagePurpose;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::dialer;
use crate::pki::{self, Identity, Pki, authority_for, between, params};
use crate::serve::{acceptor, serve, serve_tls};

const BOTH: &[&rustls::SupportedProtocolVersion] = &[&TLS13, &TLS12];

async fn ask(host: &str, port: u16, trust: &Trust, options: &TlsOptions) -> TlsReport {
    let target = format!("{host}:{port}");
    let outcome = tls::run(&dialer(), trust, &target, options, |_| ()).await.unwrap();
    assert!(outcome.raw[0].starts_with("TLS "), "{:?}", outcome.raw);
    outcome.reports.into_iter().next().unwrap()
}

fn quick() -> TlsOptions {
    TlsOptions { skip_versions: true, timeout_ms: 60_000, ..TlsOptions::default() }
}

async fn shown(identity: &Identity, trust: &Trust, host: &str) -> TlsReport {
    let server = serve_tls(acceptor(identity, BOTH, &["h2"], Vec::new())).await;
    ask(host, server.port, trust, &quick()).await
}

#[tokio::test]
async fn a_good_certificate_is_trusted_and_told() {
    let pki = Pki::new();
    let report = shown(&pki.whole(&params(&["www.test", "127.0.0.1"])), &pki.trust(), "www.test").await;
    let session = report.session.unwrap();
    assert_eq!((session.trusted, &session.problems), (true, &vec![]), "{session:?}");
    assert_eq!(session.protocol.as_deref(), Some("TLS 1.3"));
    assert_eq!(session.alpn.as_deref(), Some("h2"));
    assert!(session.cipher.unwrap().starts_with("TLS13_"));
    assert!(session.key_exchange.unwrap().starts_with("X25519"));
    assert_eq!(session.chain.len(), 2);
    let leaf = &session.chain[0];
    assert_eq!(leaf.names, ["www.test", "127.0.0.1"]);
    assert_eq!((leaf.key.as_str(), leaf.authority), ("EC P-256", false));
    assert_eq!(leaf.issuer, session.chain[1].subject);
    assert_eq!(leaf.fingerprint.len(), 64);
    assert!(leaf.days_left > 1000);
    assert!(report.connect_ms.is_some() && report.handshake_ms.is_some());
    assert_eq!(report.verdict.severity, Severity::Ok);
    assert!(report.verdict.summary.contains("speaks TLS 1.3 and its certificate is trusted for www.test"));
}

#[tokio::test]
async fn every_reason_not_to_trust_is_told() {
    let pki = Pki::new();
    let trust = pki.trust();
    let nobody = Trust::in_roots(rustls::RootCertStore::empty());
    let www = ["www.test"];
    let mut client = params(&www);
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    for (identity, trust, kinds, text) in [
        (pki.whole(&between(&www, 2020, 2021)), &trust, vec![Kind::Expired], "the certificate ended "),
        (pki.whole(&between(&www, 2090, 2091)), &trust, vec![Kind::NotYetValid], "begins in "),
        (
            pki.whole(&params(&["a.test", "b.test", "c.test", "d.test"])),
            &trust,
            vec![Kind::WrongName],
            "the certificate is for a.test, b.test, c.test and 1 more, not for www.test",
        ),
        (pki::self_signed(&params(&www)), &trust, vec![Kind::SelfSigned], "signed by itself"),
        (pki::self_signed(&authority_for(&www)), &trust, vec![Kind::SelfSigned], "signed by itself"),
        (
            pki.whole(&authority_for(&www)),
            &trust,
            vec![Kind::WrongPurpose],
            "the certificate is that of an authority",
        ),
        (
            pki.lonely(&params(&www)),
            &trust,
            vec![Kind::MissingIntermediate],
            "signed by 'CN=Test Middle', whose certificate was not sent",
        ),
        (
            Pki::below("Other Root").with_root(&params(&www)),
            &trust,
            vec![Kind::UnknownRoot],
            "ends in the root 'CN=Other Root', which this worker does not trust",
        ),
        (pki.whole(&client), &trust, vec![Kind::WrongPurpose], "not for servers"),
        (pki.whole(&params(&www)), &nobody, vec![Kind::UnknownRoot], "no trusted roots at all"),
        (
            pki::self_signed(&between(&["other.test"], 2020, 2021)),
            &trust,
            vec![Kind::WrongName, Kind::Expired, Kind::SelfSigned],
            "not for www.test",
        ),
    ] {
        let report = shown(&identity, trust, "www.test").await;
        let session = report.session.unwrap();
        assert!(!session.trusted);
        let found: Vec<_> = session.problems.iter().map(|problem| problem.kind).collect();
        assert_eq!(found, kinds, "{:?}", session.problems);
        assert!(session.problems[0].text.contains(text), "{:?}", session.problems);
        assert_eq!(report.verdict.severity, Severity::Alert);
        assert!(report.verdict.summary.contains("not trusted"), "{}", report.verdict.summary);
        assert!(report.failure.is_none(), "a certificate that is not trusted was measured");
    }
}

#[tokio::test]
async fn an_address_and_another_name_are_checked_too() {
    let pki = Pki::new();
    let identity = pki.whole(&params(&["www.test", "127.0.0.1"]));
    let report = shown(&identity, &pki.trust(), "127.0.0.1").await;
    assert!(report.session.unwrap().trusted);
    let server = serve_tls(acceptor(&identity, BOTH, &[], Vec::new())).await;
    let options = TlsOptions { server_name: Some("www.test".into()), ..quick() };
    let report = ask("other.test", server.port, &pki.trust(), &options).await;
    assert_eq!((report.server_name.as_str(), report.session.unwrap().trusted), ("www.test", true));
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_a_warning() {
    let pki = Pki::new();
    let server = serve_tls(acceptor(&pki.whole(&params(&["www.test"])), BOTH, &[], Vec::new())).await;
    let options = TlsOptions { warn_days: u16::MAX, ..quick() };
    let verdict = ask("www.test", server.port, &pki.trust(), &options).await.verdict;
    // rcgen's certificates outlive any number of days that can be asked for.
    assert_eq!(verdict.severity, Severity::Ok);
    let soon = pki.whole(&between(&["www.test"], 2020, 2130));
    let server = serve_tls(acceptor(&soon, BOTH, &[], Vec::new())).await;
    let verdict = ask("www.test", server.port, &pki.trust(), &options).await.verdict;
    assert_eq!(verdict.severity, Severity::Warning);
    assert!(verdict.summary.contains("the certificate ends in "), "{}", verdict.summary);
}

#[tokio::test]
async fn versions_are_asked_for_one_by_one() {
    let pki = Pki::new();
    let identity = pki.whole(&params(&["www.test"]));
    let every = TlsOptions { skip_versions: false, ..quick() };
    for (versions, agreed, offered) in [
        (BOTH, "TLS 1.3", [true, true, false, false]),
        (&[&TLS12] as &[_], "TLS 1.2", [false, true, false, false]),
        (&[&TLS13] as &[_], "TLS 1.3", [true, false, false, false]),
    ] {
        let server = serve_tls(acceptor(&identity, versions, &[], Vec::new())).await;
        let report = ask("www.test", server.port, &pki.trust(), &every).await;
        assert_eq!(report.session.unwrap().protocol.as_deref(), Some(agreed));
        let found: Vec<_> = report.versions.iter().map(|version| version.offered).collect();
        assert_eq!(found, offered.map(Some), "{:?}", report.versions);
    }
}

#[tokio::test]
async fn a_stapled_answer_is_read() {
    let pki = Pki::new();
    let identity = pki.whole(&params(&["www.test"]));
    let server = serve_tls(acceptor(&identity, BOTH, &[], b"nonsense".to_vec())).await;
    let report = ask("www.test", server.port, &pki.trust(), &quick()).await;
    let staple = report.session.unwrap().ocsp.unwrap();
    assert_eq!(staple.status, "cannot be read");
}

#[tokio::test]
async fn what_is_no_tls_says_so() {
    let trust = Pki::new().trust();
    let server = serve(|mut stream| async move {
        let _ = stream.write_all(b"SSH-2.0-something\r\n").await;
        let _ = stream.read_u8().await;
    })
    .await;
    let report = ask("www.test", server.port, &trust, &quick()).await;
    let failure = report.failure.unwrap();
    assert_eq!((failure.phase, failure.message.as_str()), (Phase::Tls, "what answers does not speak TLS"));
    let port = server.port;
    drop(server);
    let closed = serve(|stream| async move { drop(stream) }).await;
    let failure = ask("www.test", closed.port, &trust, &quick()).await.failure.unwrap();
    assert_eq!(failure.phase, Phase::Tls);
    assert!(failure.message.contains("during the handshake"), "{failure:?}");
    let report = ask("www.test", port, &trust, &quick()).await;
    let failure = report.failure.unwrap();
    assert_eq!(failure.phase, Phase::Connect);
    assert!(failure.message.contains("nothing listens"), "{failure:?}");
    assert!(report.verdict.summary.contains("takes no connection: refused"), "{}", report.verdict.summary);
}

#[tokio::test]
async fn a_handshake_is_asked_for_in_the_way_of_the_protocol() {
    let pki = Pki::new();
    let acceptor = acceptor(&pki.whole(&params(&["www.test"])), BOTH, &[], Vec::new());
    let server = serve(move |mut stream| {
        let acceptor = acceptor.clone();
        async move {
            stream.write_all(b"220 mail ESMTP\r\n").await.unwrap();
            let mut line = [0; 256];
            let read = stream.read(&mut line).await.unwrap();
            assert!(line[..read].starts_with(b"EHLO "));
            stream.write_all(b"250-mail\r\n250 STARTTLS\r\n").await.unwrap();
            let read = stream.read(&mut line).await.unwrap();
            assert_eq!(&line[..read], b"STARTTLS\r\n");
            stream.write_all(b"220 go\r\n").await.unwrap();
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.read_u8().await;
            }
        }
    })
    .await;
    let options = TlsOptions { starttls: StartTls::Smtp, ..quick() };
    let report = ask("www.test", server.port, &pki.trust(), &options).await;
    assert!(report.session.unwrap().trusted);
    let options = TlsOptions { starttls: StartTls::Imap, ..quick() };
    let failure = ask("www.test", server.port, &pki.trust(), &options).await.failure.unwrap();
    assert_eq!(failure.phase, Phase::Starttls);
    assert!(failure.message.contains("'220 mail ESMTP'"), "{failure:?}");
}

#[tokio::test]
async fn what_the_list_forbids_is_no_measurement() {
    let error = tls::run(&dialer(), &Trust::system(), "www.test:1", &quick(), |_| ()).await.unwrap_err();
    assert!(error.to_string().contains("port 1 is closed"), "{error}");
}
