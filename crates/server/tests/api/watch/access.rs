//! The access list.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use super::{PHONE, PRINTER, Site, list, send};
use crate::support::TestApp;

#[tokio::test]
async fn entries_never_contradict_each_other() {
    let test = TestApp::new().await;
    let add = async |body: Value| send(&test, "POST", "/access-list", &body).await;
    let made = add(json!({ "action": "allow", "mac": "00-00-5E-00-53-01", "note": "Anna" })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let entry = made.json();
    assert_eq!(
        (&entry["mac"], &entry["vendor"]),
        (&json!("00:00:5e:00:53:01"), &json!("ICANN, IANA Department"))
    );
    for action in ["allow", "deny"] {
        let again = add(json!({ "action": action, "mac": "0000.5e00.5301" })).await;
        assert_eq!(again.status, StatusCode::CONFLICT);
        let told = again.json();
        assert_eq!(told["errors"][0]["name"], "mac");
        let detail = told["detail"].as_str().unwrap();
        assert!(
            detail.starts_with("00:00:5e:00:53:01 is allowed already, on all networks ('Anna', by token"),
            "{detail}"
        );
        assert!(detail.ends_with(entry["id"].as_str().unwrap()), "{detail}");
    }
    assert_eq!(add(json!({ "action": "deny", "mac": "00:00:5e" })).await.status, StatusCode::CREATED);
    let path = format!("/access-list/{}", entry["id"].as_str().unwrap());
    let changed =
        send(&test, "PATCH", &path, &json!({ "action": "deny", "expires_at": "2030-01-01T00:00:00Z" })).await;
    assert_eq!((&changed.json()["action"], &changed.json()["note"]), (&json!("deny"), &json!("Anna")));
    assert_eq!(list(&test, "/access-list?action=deny&q=00:00:5e:00").await.len(), 1);
    let over = send(&test, "PATCH", &path, &json!({ "expires_at": "2026-01-01T00:00:00Z" })).await;
    assert_eq!(over.status, StatusCode::OK, "{}", over.text);
    let again = add(json!({ "action": "allow", "mac": "00:00:5e:00:53:01" })).await.json();
    let detail = again["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("00:00:5e:00:53:01 was denied until 2026-01-01T00:00:00Z, on all"),
        "{detail}"
    );
    let day = add(json!({ "action": "allow", "mac": "00:00:5f:00:53:09", "expires_at": "2030-01-31" })).await;
    assert_eq!(day.json()["expires_at"], "2030-02-01T00:00:00Z", "it holds to the end of the day");
    for (field, value) in [
        ("expires_at", "2026-01-01T00:00:00Z"),
        ("expires_at", "2026-01-01"),
        ("expires_at", "tomorrow"),
        ("expires_at", "9999-12-31"),
        ("mac", "01:00:5e:00:00:fb"),
    ] {
        let mut body = json!({ "action": "allow", "mac": "00:00:5f:00:53:02" });
        body[field] = value.into();
        let refused = add(body).await;
        assert_eq!(
            (refused.status, &refused.json()["errors"][0]["name"]),
            (StatusCode::BAD_REQUEST, &json!(field))
        );
    }
    assert_eq!(list(&test, "/access-list?q=anna").await.len(), 1);
    assert_eq!(send(&test, "DELETE", &path, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(test.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_device_is_known_or_denied_by_one_click() {
    let test = TestApp::new().await;
    let (mut site, _) = Site::new(&test, "office").await;
    site.sweep(3, &[PRINTER, PHONE]).await;
    let device = list(&test, "/devices?q=192.0.2.1").await.remove(0);
    let path = format!("/devices/{}/access", device["id"].as_str().unwrap());
    for (action, access) in [(json!("allow"), "known"), (json!("deny"), "denied"), (Value::Null, "unknown")] {
        let set = send(&test, "POST", &path, &json!({ "action": action })).await;
        assert_eq!((set.status, &set.json()["access"]), (StatusCode::OK, &json!(access)), "{}", set.text);
    }
    assert!(list(&test, "/access-list").await.is_empty());
}

#[tokio::test]
async fn the_list_leaves_and_comes_as_a_file() {
    let test = TestApp::new().await;
    Site::new(&test, "office").await;
    let import = async |query: &str, csv: &str| {
        let request =
            Request::post(format!("/api/v1/access-list/import{query}")).header("content-type", "text/csv");
        test.answer(request.body(Body::from(csv.to_owned())).unwrap()).await
    };
    for (body, status) in [
        (b"action,mac\nallow,\xff".to_vec(), StatusCode::BAD_REQUEST),
        (vec![b'x'; 5 << 20], StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let request = Request::post("/api/v1/access-list/import").header("content-type", "text/csv");
        let refused = test.answer(request.body(Body::from(body)).unwrap()).await;
        assert_eq!((refused.status, &refused.json()["status"]), (status, &json!(status.as_u16())));
    }
    let file = "mac,action,networks,note\n00:00:5e:00:53:01,allow,,\"Anna, laptop\"\n00:00:5e:00:53:02,deny,Office,\n\
                nonsense,allow,,\n00:00:5e:00:53:03,allow,Nowhere,\n00:00:5e:00:53:01,deny,,\n";
    let checked = import("?dry_run=true", file).await.json();
    assert_eq!((&checked["added"], &checked["refused_count"]), (&json!(2), &json!(3)));
    assert!(list(&test, "/access-list").await.is_empty());
    let imported = import("", file).await.json();
    assert_eq!(
        (&imported["added"], &imported["known"], &imported["refused_count"]),
        (&json!(2), &json!(0), &json!(3))
    );
    let lines: Vec<i64> =
        imported["refused"].as_array().unwrap().iter().map(|line| line["line"].as_i64().unwrap()).collect();
    assert_eq!(lines, [4, 5, 6]);
    assert_eq!(checked, imported, "checking tells what importing would");
    let exported = test.get("/access-list.csv").await;
    assert_eq!(
        exported.text,
        "action,mac,note,networks,expires_at\r\nallow,00:00:5e:00:53:01,\"Anna, laptop\",,\r\n\
         deny,00:00:5e:00:53:02,,office,\r\n"
    );
    let again = import("", &exported.text).await.json();
    assert_eq!((&again["added"], &again["known"]), (&json!(0), &json!(2)), "what left comes back as it was");
    assert_eq!(import("", "note\nx").await.status, StatusCode::BAD_REQUEST);
    let large = "x".repeat(5 << 20);
    assert_eq!(import("", &large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}
