//! Servers that are slow, endless, or have had enough.

use super::*;
use crate::whois::tests::servers::Server;

#[tokio::test]
async fn what_comes_before_the_time_is_over_is_kept() {
    let registry = Server::whois(|_| Reply::Unfinished(DOMAIN.as_bytes().to_vec())).await;
    let limits = Limits { step: Duration::from_millis(300), ..quick() };
    let whois = client(&format!("whois {} tld", registry.place), &[registry.place], limits);
    let answer = ask(&whois, "example.tld").await;
    assert_eq!(answer.outcome, Outcome::Found);
    assert_eq!(answer.steps[0].why.as_deref(), Some("it was still sending after 300 ms"));
}

#[tokio::test]
async fn silence_is_a_failure() {
    let registry = Server::whois(|_| Reply::Unfinished(Vec::new())).await;
    let limits = Limits { step: Duration::from_millis(200), ..quick() };
    let whois = client(&format!("whois {} tld", registry.place), &[registry.place], limits);
    let answer = ask(&whois, "example.tld").await;
    assert_eq!((answer.outcome, outcomes(&answer)), (Outcome::Failed, vec![StepOutcome::Failed]));
    assert!(answer.summary.starts_with("No registry could be asked. 127.0.0.1:"), "{}", answer.summary);
}

#[tokio::test]
async fn the_time_for_all_of_it_is_bounded() {
    let second = Server::whois(|_| text(DOMAIN)).await;
    let at = second.place;
    let first = Server::whois(move |_| {
        Reply::Unfinished(format!("{DOMAIN}Registrar WHOIS Server: {at}\r\n").into_bytes())
    })
    .await;
    let limits = Limits { step: Duration::from_secs(5), total: Duration::from_millis(300), ..quick() };
    let whois = client(&format!("whois {} tld", first.place), &[first.place, second.place], limits);
    let answer = ask(&whois, "example.tld").await;
    assert_eq!(outcomes(&answer), [StepOutcome::Found, StepOutcome::Failed]);
    assert!(answer.steps[1].why.as_ref().unwrap().contains("for all servers together"));
    assert!(second.asked().is_empty());
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let registry = Server::whois(|_| Reply::Endless).await;
    let limits = Limits { bytes: 10_000, ..quick() };
    let whois = client(&format!("whois {} tld", registry.place), &[registry.place], limits);
    let answer = ask(&whois, "example.tld").await;
    assert_eq!(answer.outcome, Outcome::Unclear);
    assert!(answer.steps[0].truncated);
    assert_eq!(answer.steps[0].raw.len(), 10_000);
}

#[tokio::test]
async fn latin_1_and_control_characters() {
    let registry = Server::whois(|_| {
        Reply::Text(b"Domain Name: example.tld\nRegistrar: B\xfcro\x1b[31m\x00\n".to_vec())
    })
    .await;
    let whois = client(&format!("whois {} tld", registry.place), &[registry.place], quick());
    let answer = ask(&whois, "example.tld").await;
    assert_eq!(answer.steps[0].raw, "Domain Name: example.tld\nRegistrar: Büro[31m\n");
}

#[tokio::test]
async fn who_has_had_enough_is_left_alone() {
    let registry =
        Server::whois(|_| text("WHOIS LIMIT EXCEEDED - SEE WWW.PIR.ORG/WHOIS FOR DETAILS\n")).await;
    let whois = client(&format!("whois {} tld", registry.place), &[registry.place], quick());
    for asked in ["example.tld", "another.tld"] {
        let answer = ask(&whois, asked).await;
        assert_eq!(
            (answer.outcome, outcomes(&answer)),
            (Outcome::RateLimited, vec![StepOutcome::RateLimited])
        );
        assert!(answer.summary.contains("has been asked too often"), "{}", answer.summary);
    }
    assert_eq!(registry.asked(), ["example.tld"]);
}

#[tokio::test]
async fn nobody_listens() {
    let place: std::net::SocketAddr = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let whois = client(&format!("whois {place} tld"), &[place], quick());
    let answer = ask(&whois, "example.tld").await;
    assert_eq!(answer.outcome, Outcome::Failed);
    assert!(answer.steps[0].why.as_ref().unwrap().contains("cannot be reached"), "{answer:?}");
}

proptest::proptest! {
    #[test]
    fn no_answer_panics(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
        let text = crate::whois::charset::plain(&crate::whois::charset::decode("whois.nic.jp", &bytes));
        let _ = parse(&text);
        let _ = crate::whois::parse::referral::of(&text);
    }

    #[test]
    fn no_answer_that_looks_like_one_panics(
        lines in proptest::collection::vec(
            "( {0,4})(\\[?)(domain|inetnum|netrange|nic-hdl|contact|nsset|Registrar|Registrant|Name Servers|status|created|changed|org|source|nserver|é|% Abuse contact for x is ')(\\]?)(:|\\.\\.:| / |\t|  )( ?)([a-zé0-9./:@ -]{0,24})",
            0..30,
        ),
    ) {
        let text = lines.join("\n");
        let _ = parse(&text);
        let _ = crate::whois::parse::referral::of(&text);
    }
}
