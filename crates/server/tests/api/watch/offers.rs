//! Networks that workers stand in and nobody watches.

use axum::http::StatusCode;
use netwark_model::messages::{Hello, News};
use netwark_model::watch::report::LinkFacts;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{list, send};
use crate::support::{TestApp, TestWorker};

/// A worker of a site that stands on one link with these addresses.
async fn stands(test: &TestApp, name: &str, site: &str, addresses: &[&str]) -> TestWorker {
    let worker = TestWorker::new(test, name).await;
    let link = LinkFacts {
        interface: "eth0".into(),
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        ..LinkFacts::default()
    };
    let hello = Hello { site: site.into(), links: vec![link], ..TestWorker::hello(name, false) };
    worker.report(News::Hello(Box::new(hello))).await.unwrap();
    worker
}

/// What is offered: worker, name and prefixes.
async fn offered(test: &TestApp) -> Vec<String> {
    let told = |offer: &Value| {
        let prefixes: Vec<&str> =
            offer["prefixes"].as_array().unwrap().iter().map(|prefix| prefix.as_str().unwrap()).collect();
        let mark = if offer["dismissed"] == true { "not " } else { "" };
        let text = |name: &str| offer[name].as_str().unwrap();
        format!("{mark}{} {}: {}", text("from"), text("name"), prefixes.join(" "))
    };
    list(test, "/networks/offers").await.iter().map(told).collect()
}

#[tokio::test]
async fn links_that_nobody_watches_are_offered_once() {
    let test = TestApp::new().await;
    let own = ["192.168.1.7/24", "169.254.3.4/16", "fe80::7/64", "fd00::7/64", "10.0.0.1/32"];
    let _paris = stands(&test, "paris-1", "paris", &own).await;
    let _beside = stands(&test, "paris-2", "paris", &["192.168.1.8/24"]).await;
    let _lyon = stands(&test, "lyon 1", "", &["192.168.1.9/24"]).await;
    let _tunnel = stands(&test, "nice-1", "nice", &["203.0.113.1/31"]).await;
    let paris = "worker:paris-1 paris: 192.168.1.0/24 fd00::/64";
    let lyon = "worker:\"lyon 1\" lyon 1: 192.168.1.0/24";
    assert_eq!(offered(&test).await, [lyon, paris]);

    // The prefix is private, so it is another network at the other place.
    let body = json!({ "name": "Office", "prefixes": ["192.168.0.0/16"], "from": "worker:paris-1" });
    let made = test.post("/networks", body.to_string()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!(offered(&test).await, [lyon]);
}

#[tokio::test]
async fn an_offer_can_be_dismissed_and_comes_back() {
    let test = TestApp::new().await;
    let _paris = stands(&test, "paris-1", "paris", &["192.0.2.7/24"]).await;
    let offer = list(&test, "/networks/offers").await.remove(0);
    let mut body = json!({ "worker_id": offer["worker_id"], "prefixes": offer["prefixes"] });
    let path = "/networks/offers/dismiss";
    assert_eq!(send(&test, "POST", path, &body).await.status, StatusCode::NO_CONTENT);
    assert_eq!(offered(&test).await, ["not worker:paris-1 paris: 192.0.2.0/24"]);
    body["dismissed"] = false.into();
    assert_eq!(send(&test, "POST", path, &body).await.status, StatusCode::NO_CONTENT);
    assert_eq!(offered(&test).await, ["worker:paris-1 paris: 192.0.2.0/24"]);

    for (body, field) in [
        (json!({ "worker_id": Uuid::nil(), "prefixes": ["192.0.2.0/24"] }), "worker_id"),
        (json!({ "worker_id": offer["worker_id"], "prefixes": [] }), "prefixes"),
    ] {
        let refused = send(&test, "POST", path, &body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
        assert_eq!(refused.json()["errors"][0]["name"], field);
    }
}
