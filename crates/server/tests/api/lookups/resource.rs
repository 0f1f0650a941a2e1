//! Everything known about anything.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use netwark_model::auth::Role;
use netwark_server::auth;
use serde_json::{Value, json};

use crate::support::TestApp;

async fn viewer(app: &TestApp) -> String {
    auth::add_token(&app.app.store, "viewer", Role::Viewer).await.unwrap().1.reveal().to_owned()
}

#[tokio::test]
async fn one_document_has_all_parts() {
    let app = TestApp::new().await;
    let answer = app.get("/lookup?q=AS64500").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let known = answer.json();
    assert_eq!((&known["kind"], &known["resource"]), (&json!("as"), &json!("AS64500")));
    assert_eq!(known["parts"]["system"]["status"], "ok");
    assert_eq!(known["parts"]["system"]["data"]["special"]["rfc"], "RFC 5398");

    let known = app.get("/lookup?q=10.0.0.0%2F8").await.json();
    assert_eq!(known["parts"]["special"]["data"]["name"], "Private-Use");
    let known = app.get("/lookup?q=http%3A%2F%2FB%C3%BCcher.local%2Fx").await.json();
    assert_eq!(
        (&known["resource"], &known["display"]),
        (&json!("xn--bcher-kva.local"), &json!("bücher.local"))
    );
    assert_eq!(known["parts"]["addresses"]["status"], "not_available");
}

#[tokio::test]
async fn parts_are_chosen() {
    let app = TestApp::new().await;
    let known = app.get("/lookup?q=192.0.2.1&parts=special").await.json();
    assert_eq!(known["expected"], json!(["special"]));
    let parts = known["parts"].as_object().unwrap();
    assert_eq!(parts.keys().collect::<Vec<_>>(), ["special"]);
    let wrong = app.get("/lookup?q=192.0.2.1&parts=special,shoes").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let error = &wrong.json()["errors"][0];
    assert_eq!(error["name"], "parts");
    assert!(error["description"].as_str().unwrap().ends_with("got 'shoes'"), "{error}");
}

#[tokio::test]
async fn numbers_of_any_size_are_told_in_both_forms() {
    let app = TestApp::new().await;
    let known = app.get("/lookup?q=%3A%3A%2F0&parts=ip_calc").await;
    assert!(
        known.text.contains("\"usable_ips_text\":\"340282366920938463463374607431768211455\""),
        "{}",
        known.text
    );
    let request = Request::get("/api/v1/lookup?q=192.0.2.1-192.0.2.6&parts=ip_calc")
        .header("accept", "text/event-stream")
        .body(Body::empty())
        .unwrap();
    let events = app.events(request, |_| false).await;
    assert_eq!(events[1].2["ip_calc"]["data"]["range"]["addresses"], "6");
    let request = Request::get("/api/v1/lookup?q=2001:db8::%2F16&parts=ip_calc")
        .header("accept", "text/event-stream")
        .body(Body::empty())
        .unwrap();
    let events = app.events(request, |_| false).await;
    assert_eq!(events[1].2["ip_calc"]["status"], "ok");
}

#[tokio::test]
async fn a_viewer_is_told_what_the_server_knows_by_itself() {
    let app = TestApp::new().await;
    let token = viewer(&app).await;
    let known = app.ask(&token, "GET", "/lookup?q=192.0.2.1", &Value::Null).await.json();
    assert_eq!(known["parts"]["special"]["status"], "ok");
    assert_eq!(known["parts"]["ptr"]["status"], "not_allowed");
    let reason = known["parts"]["ptr"]["reason"].as_str().unwrap();
    assert!(reason.contains("lookups.viewers_may_ask"), "{reason}");
}

#[tokio::test]
async fn what_is_nothing_is_one_clear_problem() {
    let app = TestApp::new().await;
    for query in ["", "?q=", "?q=%20", "?q=192.0.2.999", "?q=a%00b", &format!("?q={}", "a".repeat(3000))] {
        let answer = app.get(&format!("/lookup{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        let problem = answer.json();
        assert_eq!(problem["errors"].as_array().map(Vec::len), Some(1), "{problem}");
        assert_eq!(problem["errors"][0]["name"], "q", "{problem}");
    }
}

#[tokio::test]
async fn parts_come_as_events() {
    let app = TestApp::new().await;
    let request = Request::get("/api/v1/lookup?q=192.0.2.1&parts=special")
        .header("accept", "text/event-stream")
        .body(Body::empty())
        .unwrap();
    let events = app.events(request, |_| false).await;
    let names: Vec<&str> = events.iter().map(|(event, ..)| event.as_str()).collect();
    assert_eq!(names, ["subject", "part", "end"]);
    assert_eq!(events[0].2["kind"], "address");
    assert_eq!(events[1].2["special"]["data"]["block"], "192.0.2.0/24");
}
