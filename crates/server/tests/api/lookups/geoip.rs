//! Where addresses are, over the API and in results.

use std::fs;
use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use netwark_lookup::geoip::{GeoIpSettings, Hold};
use netwark_model::messages::News;
use netwark_server::ServerSettings;
use netwark_server::lookups::LookupSettings;
use serde_json::{Value, json};

use crate::support::{TestApp, TestWorker};

/// A file of the sample data.
fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../lookup/tests/data/geoip").join(name)
}

/// A server whose files lie in a directory, which is empty yet.
async fn server() -> (TestApp, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().to_owned();
    let geoip =
        GeoIpSettings { directory: Some(place.clone()), hold: Hold::Copy(place), ..GeoIpSettings::default() };
    let lookups = LookupSettings { geoip, ..LookupSettings::default() };
    (TestApp::with(ServerSettings { lookups, ..ServerSettings::default() }).await, directory)
}

fn put(directory: &tempfile::TempDir, app: &TestApp) {
    for name in ["city.mmdb", "asn.mmdb"] {
        fs::copy(sample(name), directory.path().join(name)).unwrap();
    }
    app.app.lookups.geoip.refresh();
}

#[tokio::test]
async fn without_a_file_the_answer_says_so() {
    let (app, directory) = server().await;
    let answer = app.get("/geoip/192.0.2.1").await;
    assert_eq!(answer.status, StatusCode::OK);
    let known = answer.json();
    assert_eq!(
        (&known["place"], &known["place_state"], &known["as_state"]),
        (&Value::Null, &json!("no_file"), &json!("no_file"))
    );
    assert_eq!(known["special"]["name"], "Documentation (TEST-NET-1)");
    assert_eq!(app.get("/geoip/files").await.json(), json!([]));

    fs::write(directory.path().join("city.mmdb"), "not found").unwrap();
    app.app.lookups.geoip.refresh();
    let files = app.get("/geoip/files").await.json();
    assert_eq!(files[0]["source"], Value::Null);
    assert!(files[0]["problem"].as_str().unwrap().contains("MaxMind"), "{files}");
}

#[tokio::test]
async fn an_address_is_located() {
    let (app, directory) = server().await;
    put(&directory, &app);
    let answer = app.get("/geoip/192.0.2.1").await.json();
    let expected = json!({
        "ip": "192.0.2.1",
        "special": { "block": "192.0.2.0/24", "name": "Documentation (TEST-NET-1)", "rfc": "RFC 5737", "globally_reachable": false },
        "place": {
            "network": "192.0.2.0/25",
            "city": "Lyon",
            "regions": ["Rhône"],
            "country": { "code": "FR", "name": "France" },
            "registered_country": null,
            "continent": { "code": "EU", "name": "Europe" },
            "postal_code": "69000",
            "coordinates": { "latitude": 45.7485, "longitude": 4.8467 },
            "accuracy_km": 20,
            "time_zone": "Europe/Paris",
        },
        "place_state": "found",
        "asn": 64501,
        "as_name": "Lyon Transit",
        "as_state": "found",
        "sources": [
            { "name": "DBIP-City-Lite", "built": "2026-03-01T00:00:00Z",
              "attribution": { "text": "IP Geolocation by DB-IP", "url": "https://db-ip.com", "licence": "CC BY 4.0" } },
            { "name": "DBIP-ASN-Lite", "built": "2026-03-01T00:00:00Z",
              "attribution": { "text": "IP Geolocation by DB-IP", "url": "https://db-ip.com", "licence": "CC BY 4.0" } },
        ],
    });
    assert_eq!(answer, expected);
    assert_eq!(app.get("/geoip?q=%20192.0.2.1").await.json(), answer);
    assert_eq!(app.get("/geoip?q=2001:db8:1::1").await.json()["place"]["city"], "Osaka");
    assert_eq!(app.get("/geoip/9.9.9.9").await.json()["place_state"], "unlisted");
    let list =
        app.post("/geoip/list", json!({ "addresses": ["192.0.2.1", "[2001:db8::1]"] }).to_string()).await;
    assert_eq!(list.json()[0], answer);
    assert_eq!(list.json()[1]["place"]["city"], "Bremen");
    assert_eq!(app.get("/geoip/files").await.json()[0]["systems"], true);
}

#[tokio::test]
async fn nonsense_is_refused_with_one_clear_problem() {
    let (app, _directory) = server().await;
    let cases = [
        ("/geoip/example.org", "ip", "DNS look-up"),
        ("/geoip/192.0.2.0%2F24", "ip", "one address of the network"),
        ("/geoip/%FF", "ip", "UTF-8"),
        ("/geoip?q=example.org", "q", "must be an IPv4 or IPv6 address"),
        ("/geoip", "q", "is missing"),
        ("/geoip/192.0.2.1?lang=fr", "lang", "is no parameter"),
    ];
    for (path, field, expected) in cases {
        let answer = app.get(path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}: {}", answer.text);
        let errors = answer.json()["errors"].clone();
        assert_eq!(errors[0]["name"], field, "{errors}");
        assert!(errors[0]["description"].as_str().unwrap().contains(expected), "{errors}");
    }
    let wrong = app.post("/geoip/list", json!({ "addresses": ["192.0.2.1", "x", "y"] }).to_string()).await;
    let names: Vec<_> =
        wrong.json()["errors"].as_array().unwrap().iter().map(|e| e["name"].clone()).collect();
    assert_eq!(names, ["addresses[1]", "addresses[2]"]);
    for addresses in [vec![], vec!["::1"; 1001]] {
        let wrong = app.post("/geoip/list", json!({ "addresses": addresses }).to_string()).await;
        assert!(wrong.text.contains("from 1 to 1000 entries"), "{}", wrong.text);
    }
}

/// What a worker measures on a way of two hops.
fn trace() -> Value {
    let responder = |address: &str| {
        json!({
            "address": address, "name": null, "asn": null, "received": 1, "answer": { "kind": "time_exceeded" },
            "rtt": { "last": 1.0, "best": 1.0, "average": 1.0, "worst": 1.0, "stddev": 0.0, "jitter": 0.0 },
            "labels": [], "flows": [0],
        })
    };
    let hub = |count: u32, host: &str| {
        json!({ "count": count, "host": host, "ASN": "AS???", "Loss%": 0.0, "Snt": 1, "Last": 1.0, "Avg": 1.0,
                "Best": 1.0, "Wrst": 1.0, "StDev": 0.0 })
    };
    let hop = |ttl: u8, address: &str| json!({ "ttl": ttl, "sent": 1, "received": 1, "loss": 0.0, "rtt": null, "responders": [responder(address)] });
    json!({
        "report": {
            "mtr": { "src": "paris", "dst": "192.0.2.200", "tos": 0, "tests": 1, "psize": "64", "bitpattern": "0x00" },
            "hubs": [hub(1, "10.0.0.1"), hub(2, "192.0.2.200")],
        },
        "raw": ["Start: x", "HOST: paris                       Loss%", "  1.|-- 10.0.0.1", "  2.|-- 192.0.2.200"],
        "trace": {
            "address": "192.0.2.200", "chosen": null, "protocol": "icmp", "cycles": 1, "reached": true, "end": "target",
            "hops": [hop(1, "10.0.0.1"), hop(2, "192.0.2.200")], "paths": [],
            "verdict": { "severity": "ok", "summary": "fine", "findings": [] },
        },
    })
}

#[tokio::test]
async fn results_get_systems_and_places_and_keep_what_they_had() {
    let (app, directory) = server().await;
    let mut worker = TestWorker::new(&app, "paris").await;
    let id = app.operation(json!({ "type": "mtr", "target": "192.0.2.200" })).await;
    let order = worker.take().await;
    worker.done(&order, trace()).await;
    let second =
        |detail: &Value| detail["results"][0]["payload"]["trace"]["hops"][1]["responders"][0].clone();
    let old = app.get(&format!("/operations/{id}")).await.json();
    assert_eq!(second(&old)["asn"], Value::Null);

    // A result that was stored before there was a file is completed when it is shown.
    put(&directory, &app);
    let old = app.get(&format!("/operations/{id}")).await.json();
    assert_eq!(second(&old)["asn"], 64501);
    assert_eq!(
        second(&old)["place"],
        json!({ "words": "Osaka, Japan", "country": "JP", "coordinates": { "latitude": 34.6937, "longitude": 135.5022 } })
    );
    let csv = app.get(&format!("/operations/{id}/results.csv")).await.text;
    assert!(
        csv.contains(",192.0.2.200,AS64501,") && csv.contains(",Lyon Transit,\"Osaka, Japan\","),
        "{csv}"
    );
    let text = app.get(&format!("/operations/{id}/results.txt")).await.text;
    assert!(text.contains("  1. AS???        10.0.0.1\n  2. AS64501      192.0.2.200\n"), "{text}");

    // One that came while there was a file keeps what was known then.
    let id = app.operation(json!({ "type": "mtr", "target": "192.0.2.200" })).await;
    let order = worker.take().await;
    let (operation_id, result_id) = (order.operation_id, order.result_id);
    worker.started(&order).await;
    worker.report(News::Progress { operation_id, result_id, payload: trace() }).await.unwrap();
    let under_way = app.get(&format!("/operations/{id}")).await.json();
    assert_eq!(second(&under_way)["as_name"], "Lyon Transit");
    worker.done(&order, trace()).await;
    for name in ["city.mmdb", "asn.mmdb"] {
        fs::remove_file(directory.path().join(name)).unwrap();
    }
    app.app.lookups.geoip.refresh();
    let kept = app.get(&format!("/operations/{id}")).await.json();
    assert_eq!(second(&kept)["asn"], 64501);
    assert_eq!(kept["results"][0]["payload"]["report"]["hubs"][1]["ASN"], "AS64501");
}
