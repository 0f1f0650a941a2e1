//! Questions to name servers, through the API.

use std::net::{SocketAddr, UdpSocket};

use axum::http::StatusCode;
use netwark_server::ServerSettings;
use netwark_server::lookups::LookupSettings;
use serde_json::json;

use crate::support::TestApp;

/// A resolver that knows one address for every name.
fn resolver() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let place = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let asked = &buffer[..length];
            let end = 12 + asked[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
            let mut answer =
                [&asked[..2], b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00", &asked[12..end]].concat();
            answer.extend_from_slice(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01");
            socket.send_to(&answer, from).unwrap();
        }
    });
    place
}

async fn app() -> (TestApp, SocketAddr) {
    let place = resolver();
    let lookups = LookupSettings { resolvers: vec![place], ..LookupSettings::default() };
    (TestApp::with(ServerSettings { lookups, ..ServerSettings::default() }).await, place)
}

#[tokio::test]
async fn a_question_is_answered() {
    let (app, place) = app().await;
    for path in ["/dns/www.example", "/dns?q=www.example&type=a", "/dns/www.example.?type=A&dnssec=false"] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        let outcome = answer.json();
        assert_eq!(outcome["question"], json!({"name": "www.example.", "type": "A"}), "{path}");
        assert_eq!((&outcome["status"], &outcome["essence"]), (&json!("NOERROR"), &json!(["A 192.0.2.1"])));
        assert_eq!(outcome["reply"]["server"], place.to_string());
        assert_eq!(outcome["answers"][0]["ttl"], 60);
        assert!(outcome["raw"].as_array().unwrap().iter().any(|line| line == ";; ANSWER SECTION:"));
    }
    let outcome = app.get("/dns/192.0.2.9").await.json();
    assert_eq!(outcome["question"], json!({"name": "9.2.0.192.in-addr.arpa.", "type": "PTR"}));
}

#[tokio::test]
async fn what_makes_no_sense_is_named() {
    let (app, _) = app().await;
    for (path, location, name, why) in [
        ("/dns/example.org?type=ANY", "querystring", "type", "RFC 8482"),
        ("/dns/example.org?type=WHAT", "querystring", "type", "such as A, AAAA"),
        ("/dns/a..b", "path", "name", "empty part"),
        ("/dns", "querystring", "q", "must not be empty"),
        ("/dns?q=a%20b", "querystring", "q", "blanks"),
        ("/dns/example.org?server=10.0.0.1", "querystring", "server", "ask it through a worker"),
        ("/dns/example.org?server=127.0.0.1:22", "querystring", "server", "Loopback"),
        ("/dns/example.org?server=1.1.1.1:25", "querystring", "server", "the port must be 53 or 853 or 443"),
        ("/dns/example.org?server=https://169.254.169.254/x", "querystring", "server", "Link Local"),
        ("/dns/example.org?server=ftp://x", "querystring", "server", "tls://NAME"),
        ("/dns/example.org?server=tls://1.1.1.1&transport=udp", "querystring", "transport", "says udp"),
        ("/dns/example.org?trace=1&server=1.1.1.1", "querystring", "server", "trace"),
        ("/dns/example.org?dnssec=maybe", "querystring", "dnssec", "true or false"),
        ("/dns/example.org?edns_size=9", "querystring", "edns_size", "512"),
        ("/dns/example.org?transport=pigeon", "querystring", "transport", "one of auto"),
        ("/dns/example.org?colour=red", "querystring", "colour", "no parameter"),
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}: {}", answer.text);
        let error = &answer.json()["errors"][0];
        assert_eq!((&error["location"], &error["name"]), (&json!(location), &json!(name)), "{path}: {error}");
        assert!(error["description"].as_str().unwrap().contains(why), "{path}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_an_answer() {
    let lookups =
        LookupSettings { resolvers: vec!["127.0.0.1:1".parse().unwrap()], ..LookupSettings::default() };
    let deaf = TestApp::with(ServerSettings { lookups, ..ServerSettings::default() }).await;
    let outcome = deaf.get("/dns/www.example").await.json();
    assert_eq!(outcome["status"], json!(null));
    assert_eq!(outcome["verdict"]["severity"], "alert");
    assert!(outcome["attempts"][0]["result"].as_str().unwrap().starts_with("refused"), "{outcome}");
}
