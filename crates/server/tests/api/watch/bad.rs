//! What cannot be, and how it is told.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::send;
use crate::support::TestApp;

#[tokio::test]
async fn bad_input_names_its_field() {
    let test = TestApp::new().await;
    let nobody = Uuid::nil();
    let cases = [
        ("POST", "/networks".to_owned(), json!({}), "name prefixes"),
        ("POST", "/networks".to_owned(), json!({ "name": "x", "prefixes": ["192.0.2.0/33"] }), "prefixes[0]"),
        ("POST", "/networks".to_owned(), json!({ "name": "x", "prefixes": ["10.0.0.0/8"] }), "prefixes"),
        (
            "POST",
            "/networks".to_owned(),
            json!({ "name": "x", "prefixes": ["192.0.2.0/24"], "vlan": 0 }),
            "vlan",
        ),
        (
            "POST",
            "/networks".to_owned(),
            json!({ "name": "x", "prefixes": ["192.0.2.0/24"], "speed": 1 }),
            "speed",
        ),
        (
            "POST",
            "/networks".to_owned(),
            json!({ "name": "x", "prefixes": ["192.0.2.0/24"], "from": "site:" }),
            "from",
        ),
        (
            "GET",
            "/devices?access=bad&presence=maybe&sort=size&colour=red".to_owned(),
            Value::Null,
            "access presence sort colour",
        ),
        (
            "POST",
            "/networks".to_owned(),
            json!({ "name": "x", "prefixes": ["192.0.2.0/24"], "exclude": ["192.0.2.0/23"] }),
            "exclude",
        ),
        (
            "POST",
            "/networks".to_owned(),
            json!({ "name": "x", "prefixes": ["192.0.2.0/24"], "vlan": 7, "learn_until": "soon" }),
            "vlan learn_until",
        ),
        ("POST", format!("/devices/{nobody}/access"), json!({}), "action"),
        ("POST", format!("/devices/{nobody}/split"), json!({ "interfaces": ["x"] }), "interfaces[0]"),
        ("GET", "/devices?network=x".to_owned(), Value::Null, "network"),
        ("GET", "/access-list?action=perhaps".to_owned(), Value::Null, "action"),
        ("POST", "/access-list".to_owned(), json!({}), "action mac"),
        ("POST", "/access-list".to_owned(), json!({ "action": "allow", "mac": "00:00" }), "mac"),
        (
            "POST",
            "/access-list".to_owned(),
            json!({ "action": "allow", "mac": "00:00:5e", "networks": [nobody] }),
            "networks",
        ),
        ("GET", "/events?kind=x&acknowledged=perhaps".to_owned(), Value::Null, "acknowledged"),
        ("GET", "/events?q=a%00b".to_owned(), Value::Null, "q"),
        ("GET", "/devices?owner=%00".to_owned(), Value::Null, "owner"),
        (
            "GET",
            "/events?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z".to_owned(),
            Value::Null,
            "until",
        ),
        ("POST", "/events/acknowledge".to_owned(), json!({ "ids": [] }), "ids"),
        ("GET", "/stats/events?from=2026-13-01".to_owned(), Value::Null, "from"),
        ("GET", "/stats/events?from=2020-01-01&to=2026-01-01".to_owned(), Value::Null, "from"),
        ("GET", "/stats/events?from=2026-01-02&to=2026-01-01".to_owned(), Value::Null, "from"),
        ("POST", format!("/devices/{nobody}/merge"), json!({ "devices": [] }), "devices"),
        ("POST", format!("/devices/{nobody}/merge"), json!({ "devices": [nobody] }), "devices"),
        ("PATCH", format!("/devices/{nobody}"), json!({ "name": "", "tags": ["a\"b"] }), "name tags[0]"),
        ("DELETE", "/networks/x".to_owned(), Value::Null, "id"),
        ("DELETE", format!("/networks/{nobody}?keep_history=perhaps"), Value::Null, "keep_history"),
    ];
    for (method, path, body, fields) in cases {
        let answer = send(&test, method, &path, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method} {path}: {}", answer.text);
        let problem = answer.json();
        let named: Vec<&str> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["name"].as_str().unwrap())
            .collect();
        for field in fields.split(' ') {
            assert!(named.contains(&field), "{method} {path}: {field} is not in {named:?}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let test = TestApp::new().await;
    let nobody = Uuid::nil();
    for (method, path) in [
        ("GET", format!("/networks/{nobody}")),
        ("PATCH", format!("/networks/{nobody}")),
        ("DELETE", format!("/networks/{nobody}")),
        ("POST", format!("/networks/{nobody}/start")),
        ("POST", format!("/networks/{nobody}/stop")),
        ("POST", format!("/networks/{nobody}/sweeps")),
        ("GET", format!("/networks/{nobody}/sweeps")),
        ("GET", format!("/networks/{nobody}/addresses")),
        ("GET", format!("/devices/{nobody}")),
        ("GET", format!("/devices/{nobody}/history")),
        ("GET", format!("/devices/{nobody}/presence")),
        ("DELETE", format!("/devices/{nobody}")),
        ("DELETE", format!("/devices/{nobody}/proposals/{nobody}")),
        ("DELETE", format!("/access-list/{nobody}")),
    ] {
        let body = if method == "PATCH" { json!({}) } else { Value::Null };
        let answer = send(&test, method, &path, &body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}: {}", answer.text);
    }
    let made = json!({ "name": "Office", "prefixes": ["192.0.2.0/24"], "start": false });
    assert_eq!(send(&test, "POST", "/networks", &made).await.status, StatusCode::CREATED);
    let again = json!({ "name": "OFFICE", "prefixes": ["192.0.2.0/24"] });
    let again = send(&test, "POST", "/networks", &again).await;
    assert_eq!((again.status, &again.json()["errors"][0]["name"]), (StatusCode::CONFLICT, &json!("name")));
}

#[tokio::test]
async fn who_changes_what_was_changed_at_the_same_moment_is_told() {
    let test = TestApp::new().await;
    let network = json!({ "name": "Office", "prefixes": ["192.0.2.0/24"], "start": false });
    let network = send(&test, "POST", "/networks", &network).await.json();
    let entry = json!({ "action": "allow", "mac": "00:00:5e:00:53:01" });
    let entry = send(&test, "POST", "/access-list", &entry).await.json();
    for (path, field) in [
        (format!("/networks/{}", network["id"].as_str().unwrap()), "name"),
        (format!("/access-list/{}", entry["id"].as_str().unwrap()), "note"),
    ] {
        let mut refused = None;
        // Whether two meet is a matter of chance, so they try until they do.
        for _ in 0..100 {
            let change = async |value: &str| send(&test, "PATCH", &path, &json!({ field: value })).await;
            let (a, b, c, d) = tokio::join!(change("a"), change("b"), change("c"), change("d"));
            let answers = [a, b, c, d];
            assert!(answers.iter().any(|answer| answer.status == StatusCode::OK), "{path}");
            refused = answers.into_iter().find(|answer| answer.status != StatusCode::OK);
            if refused.is_some() {
                break;
            }
        }
        let refused = refused.unwrap();
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
        let problem = refused.json();
        assert!(problem["detail"].as_str().unwrap().contains("changed it meanwhile"), "{problem}");
        assert!(problem["errors"].as_array().is_none_or(Vec::is_empty), "no field is to blame: {problem}");
    }
}
