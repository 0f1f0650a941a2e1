//! RDAP, and what happens when it does not work.

use serde_json::json;

use super::*;
use crate::whois::tests::servers::Server;

fn domain(more: &serde_json::Value) -> String {
    let mut object = json!({"objectClassName": "domain", "ldhName": "example.tld", "handle": "1",
        "events": [{"eventAction": "registration", "eventDate": "2001-02-03T04:05:06Z"}]});
    for (name, value) in more.as_object().unwrap() {
        object[name] = value.clone();
    }
    object.to_string()
}

fn rows(rdap: &Server, whois: &Server) -> String {
    format!("rdap http://{} tld 193.0.0.0/8 AS3333\nwhois {} tld 193.0.0.0/8 AS3333", rdap.place, whois.place)
}

#[tokio::test]
async fn rdap_is_asked_first() {
    let rdap = Server::rdap(|_| (200, String::new(), domain(&json!({"status": ["active"]})))).await;
    let port43 = Server::whois(|_| text(DOMAIN)).await;
    let whois = client(&rows(&rdap, &port43), &[rdap.place, port43.place], quick());
    let answer = ask(&whois, "example.tld").await;
    assert_eq!((answer.outcome, outcomes(&answer)), (Outcome::Found, vec![StepOutcome::Found]));
    assert_eq!(answer.steps[0].query, format!("http://{}/domain/example.tld", rdap.place));
    assert_eq!(answer.steps[0].raw, domain(&json!({"status": ["active"]})));
    assert_eq!(answer.record.as_ref().unwrap().created.as_deref(), Some("2001-02-03T04:05:06Z"));
    assert!(port43.asked().is_empty());
}

#[tokio::test]
async fn the_registrar_may_know_more() {
    let registrar = Server::rdap(|_| {
        let card = json!(["vcard", [["fn", {}, "text", "Example Ltd"], ["kind", {}, "text", "org"]]]);
        (200, String::new(), domain(&json!({"entities": [{"roles": ["registrant"], "vcardArray": card}]})))
    })
    .await;
    let at = registrar.place;
    let rdap = Server::rdap(move |_| {
        let link = json!([{"rel": "related", "type": "application/rdap+json", "href": format!("http://{at}/domain/x")}]);
        (200, String::new(), domain(&json!({"links": link})))
    })
    .await;
    let port43 = Server::whois(|_| text(DOMAIN)).await;
    let whois = client(&rows(&rdap, &port43), &[rdap.place, registrar.place], quick());
    let answer = ask(&whois, "example.tld").await;
    assert_eq!(outcomes(&answer), [StepOutcome::Found, StepOutcome::Found]);
    assert_eq!(answer.record.as_ref().unwrap().organisation.as_deref(), Some("Example Ltd"));
}

#[tokio::test]
async fn a_redirect_is_followed_where_one_may_go() {
    let there = Server::rdap(|_| {
        let network = json!({"objectClassName": "ip network", "startAddress": "193.0.0.0", "endAddress": "193.0.7.255",
            "name": "THERE"});
        (200, String::new(), network.to_string())
    })
    .await;
    let at = there.place;
    let rdap =
        Server::rdap(move |path| (302, format!("location: http://{at}{path}\r\n"), String::new())).await;
    let port43 = Server::whois(|_| text("inetnum: 193.0.0.0 - 193.0.0.255\nnetname: OVER-43\n")).await;

    let whois = client(&rows(&rdap, &port43), &[rdap.place, there.place, port43.place], quick());
    let answer = ask(&whois, "193.0.6.139").await;
    assert_eq!(answer.record.as_ref().unwrap().network_name.as_deref(), Some("THERE"));
    assert_eq!(there.asked(), ["/ip/193.0.6.139"]);

    let whois = client(&rows(&rdap, &port43), &[rdap.place, port43.place], quick());
    let answer = ask(&whois, "193.0.6.139").await;
    assert_eq!(outcomes(&answer), [StepOutcome::Failed, StepOutcome::Found]);
    assert!(answer.steps[0].why.as_ref().unwrap().contains("public addresses only"), "{answer:?}");
    assert_eq!(answer.record.as_ref().unwrap().network_name.as_deref(), Some("OVER-43"));
    assert_eq!(there.asked().len(), 1);
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let rdap = Server::rdap(|path| (302, format!("location: {path}\r\n"), String::new())).await;
    let port43 = Server::whois(|_| text(DOMAIN)).await;
    let whois = client(&rows(&rdap, &port43), &[rdap.place, port43.place], quick());
    let answer = ask(&whois, "example.tld").await;
    assert_eq!(outcomes(&answer), [StepOutcome::Failed, StepOutcome::Found]);
    assert!(answer.steps[0].why.as_ref().unwrap().contains("redirects too often"), "{answer:?}");
}

#[tokio::test]
async fn without_rdap_there_is_port_43() {
    for (status, body, expected) in [
        (429, String::new(), StepOutcome::RateLimited),
        (403, String::new(), StepOutcome::Refused),
        (503, String::new(), StepOutcome::Failed),
        (200, "<html>".to_owned(), StepOutcome::Unclear),
        (200, "{}".to_owned(), StepOutcome::Unclear),
        (200, format!("{{\"x\":\"{}\"}}", "x".repeat(300_000)), StepOutcome::Failed),
    ] {
        let rdap = Server::rdap(move |_| (status, String::new(), body.clone())).await;
        let port43 = Server::whois(|_| text(DOMAIN)).await;
        let whois = client(&rows(&rdap, &port43), &[rdap.place, port43.place], quick());
        let answer = ask(&whois, "example.tld").await;
        assert_eq!(outcomes(&answer), [expected, StepOutcome::Found], "{status}");
        assert!(answer.steps[0].why.is_some(), "{status}");
        assert!(answer.steps[0].raw.len() <= 256 * 1024);
    }
}

#[tokio::test]
async fn not_found_is_an_answer() {
    let rdap = Server::rdap(|_| (404, String::new(), r#"{"errorCode":404}"#.into())).await;
    let port43 = Server::whois(|_| text(DOMAIN)).await;
    let whois = client(&rows(&rdap, &port43), &[rdap.place, port43.place], quick());
    let answer = ask(&whois, "AS3333").await;
    assert_eq!((answer.outcome, outcomes(&answer)), (Outcome::NoMatch, vec![StepOutcome::NoMatch]));
    assert!(port43.asked().is_empty());
}

#[tokio::test]
async fn the_registry_of_the_nation_is_asked_besides() {
    let rdap = Server::rdap(|_| {
        let network = json!({"objectClassName": "ip network", "startAddress": "193.0.0.0", "endAddress": "193.0.7.255",
            "name": "REGIONAL", "port43": "whois.apnic.net",
            "remarks": [{"description": ["JPNIC Allocation Block"]}]});
        (200, String::new(), network.to_string())
    })
    .await;
    let whois = client(&format!("rdap http://{} 193.0.0.0/8", rdap.place), &[rdap.place], quick());
    let answer = ask(&whois, "193.0.6.139").await;
    assert_eq!(
        (answer.steps[1].server.as_str(), answer.steps[1].query.as_str()),
        ("whois.nic.ad.jp", "193.0.6.139/e")
    );
    // It cannot be asked here; what is known already stands.
    assert_eq!(answer.record.as_ref().unwrap().network_name.as_deref(), Some("REGIONAL"));
}
