//! Everything known about anything. The name servers and registries are on loopback.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use netwark_lookup::geoip::GeoIpSettings;
use netwark_lookup::whois::Registries;
use netwark_model::auth::Role;
use netwark_server::lookups::LookupSettings;
use netwark_server::{ServerSettings, auth};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::TestApp;

/// A resolver that knows `www.example`, whose CAA records it refuses to tell, and denies all other names.
fn resolver() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let place = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let asked = &buffer[..length];
            let end = 12 + asked[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
            let question = &asked[12..end];
            let [.., high, low, _, _] = *question else { continue };
            let record = |data: &[u8]| {
                [&[0xc0, 12, high, low, 0, 1, 0, 0, 0, 60, 0, data.len() as u8][..], data].concat()
            };
            let known = question.starts_with(b"\x03www\x07example\0");
            let (code, records): (u8, Vec<Vec<u8>>) = match u16::from_be_bytes([high, low]) {
                _ if !known => (3, vec![]),
                1 => (0, vec![record(&[192, 0, 2, 1])]),
                15 => (0, vec![record(b"\0\x14\xc0\x0c"), record(b"\0\x05\xc0\x10")]),
                28 | 5 | 2 | 16 | 6 => (0, vec![]),
                _ => (2, vec![]),
            };
            let head = [asked[0], asked[1], 0x81, 0x80 | code, 0, 1, 0, records.len() as u8, 0, 0, 0, 0];
            socket.send_to(&[&head[..], question, &records.concat()].concat(), from).unwrap();
        }
    });
    place
}

/// A registry over port 43 that knows a domain and an AS number.
async fn registry() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut line = [0; 512];
            let read = stream.read(&mut line).await.unwrap_or(0);
            let answer = match String::from_utf8_lossy(&line[..read]).trim() {
                "www.example" => "Domain Name: www.example\r\nRegistrar: Example Registrar\r\n",
                "AS3333" => "aut-num: AS3333\r\nas-name: EXAMPLE-AS\r\norg-name: Example Networks\r\n",
                _ => "No match\r\n",
            };
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    place
}

/// A server with such a resolver and registry, and files of places.
async fn surrounded() -> TestApp {
    let registry = registry().await;
    let mut registries = Registries::empty("192.0.2.43");
    registries.add(&format!("whois {registry} example AS3333 AS64501\n")).unwrap();
    let sample = |name| Path::new(env!("CARGO_MANIFEST_DIR")).join("../lookup/tests/data/geoip").join(name);
    let geoip = GeoIpSettings {
        city: vec![sample("city.mmdb")],
        asn: vec![sample("asn.mmdb")],
        ..GeoIpSettings::default()
    };
    let lookups = LookupSettings {
        resolvers: vec![resolver()],
        allowed: vec![registry],
        registries,
        geoip,
        ..LookupSettings::default()
    };
    let app = TestApp::with(ServerSettings { lookups, ..ServerSettings::default() }).await;
    app.app.lookups.geoip.refresh();
    app
}

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

#[tokio::test]
async fn records_and_registries_are_parts_of_a_name() {
    let app = surrounded().await;
    let answer = app.get("/lookup?q=https%3A%2F%2Fwww.example%2Fx").await;
    let known = answer.json();
    assert_eq!(known["expected"], json!(["addresses", "dns", "whois"]));
    let dns = &known["parts"]["dns"];
    assert_eq!(dns["status"], "ok", "{dns}");
    let told: Vec<(&str, &str)> = dns["data"]["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| (record["type"].as_str().unwrap(), record["data"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("A", "192.0.2.1"), ("MX", "5 example."), ("MX", "20 www.example.")]);
    assert_eq!(dns["data"]["absent"], json!(["AAAA", "CNAME", "NS", "TXT", "SOA"]));
    assert_eq!(dns["data"]["failed"][0]["type"], "CAA");
    let whois = &known["parts"]["whois"];
    assert_eq!(
        (&whois["status"], &whois["data"]["record"]["registrar"]),
        (&json!("ok"), &json!("Example Registrar"))
    );
    assert!(whois["data"]["steps"][0]["raw"].as_str().unwrap().contains("Registrar:"), "{whois}");
    let address = &known["parts"]["addresses"]["data"][0];
    assert_eq!((&address["address"], &address["geoip"]["asn"]), (&json!("192.0.2.1"), &json!(64501)));
    assert_eq!(address["geoip"]["place"]["city"], "Lyon");
    assert_eq!(address["geoip"]["sources"][0]["attribution"]["url"], "https://db-ip.com");
}

#[tokio::test]
async fn what_registries_and_name_servers_deny_is_told_in_their_words() {
    let app = surrounded().await;
    let known = app.get("/lookup?q=nowhere.example&parts=dns,whois").await.json();
    assert_eq!(known["parts"]["dns"]["status"], "nothing");
    let reason = known["parts"]["dns"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("there is no nowhere.example."), "{reason}");
    let whois = &known["parts"]["whois"];
    assert_eq!(
        (&whois["status"], &whois["data"]["steps"][0]["raw"]),
        (&json!("nothing"), &json!("No match\n"))
    );
    let special = app.get("/lookup?q=10.1.2.3&parts=whois").await.json();
    assert!(special["parts"]["whois"]["reason"].as_str().unwrap().contains("RFC 1918"), "{special}");
    let inside = app.get("/lookup?q=printer.lan").await.json();
    assert_eq!(inside["parts"]["dns"]["status"], "not_available");
    assert_eq!(inside["parts"]["whois"]["status"], "nothing");
}

#[tokio::test]
async fn a_system_is_named_by_a_file_or_by_the_registry() {
    let app = surrounded().await;
    for (number, name, file) in [(64501, "Lyon Transit", true), (3333, "EXAMPLE-AS", false)] {
        let known = app.get(&format!("/lookup?q=AS{number}")).await.json();
        let system = &known["parts"]["system"]["data"];
        assert_eq!(system["name"], name, "{known}");
        assert_eq!(system["source"].is_object(), file, "{known}");
    }
    let alone = app.get("/lookup?q=AS3333&parts=system").await.json();
    assert_eq!(alone["parts"]["system"]["data"]["name"], json!(null));
}

#[tokio::test]
async fn a_viewer_asks_neither_name_servers_nor_registries() {
    let app = surrounded().await;
    let token = viewer(&app).await;
    let known = app.ask(&token, "GET", "/lookup?q=www.example", &Value::Null).await.json();
    for part in ["addresses", "dns", "whois"] {
        assert_eq!(known["parts"][part]["status"], "not_allowed", "{known}");
        assert_eq!(known["parts"][part]["data"], json!(null));
    }
}

#[tokio::test]
async fn who_floods_is_refused_and_nobody_else() {
    // A name server that never answers.
    let deaf = UdpSocket::bind("127.0.0.1:0").unwrap();
    let lookups = LookupSettings { resolvers: vec![deaf.local_addr().unwrap()], ..LookupSettings::default() };
    let app = TestApp::with(ServerSettings { lookups, ..ServerSettings::default() }).await;
    let path = "/api/v1/lookup?q=www.example&parts=dns";
    let request = || Request::get(path).header("accept", "text/event-stream").body(Body::empty()).unwrap();
    let mut open = Vec::new();
    for _ in 0..8 {
        let response = app.send(request()).await;
        assert_eq!(response.status(), StatusCode::OK);
        open.push(response);
    }
    let refused = app.answer(request()).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{}", refused.text);
    assert!(refused.json()["detail"].as_str().unwrap().contains("8 such questions"), "{}", refused.text);
    assert_eq!(refused.headers["retry-after"], "1");
    // What asks nobody, and who is somebody else, is not concerned.
    assert_eq!(app.get("/lookup?q=192.0.2.1&parts=special").await.status, StatusCode::OK);
    let other = app.admin().await;
    let other = Request::get(path).header("authorization", format!("Bearer {other}"));
    let other = other.header("accept", "text/event-stream").body(Body::empty()).unwrap();
    assert_eq!(app.send(other).await.status(), StatusCode::OK);
    open.pop();
    assert_eq!(app.send(request()).await.status(), StatusCode::OK);
}
