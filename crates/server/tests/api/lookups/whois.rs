//! Questions to registries, which here are servers on loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use netwark_lookup::whois::Registries;
use netwark_model::auth::Role;
use netwark_model::tools::Registry;
use netwark_server::auth::{self, Auth, AuthSettings, Site, SiteSettings};
use netwark_server::lookups::LookupSettings;
use netwark_server::{App, ServerSettings, router};
use netwark_store::{Store, StoreOptions};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tower::ServiceExt;

const ANSWER: &str = "Domain Name: example.tld\r\nRegistrar: Example Registrar\r\nRegistry Expiry Date: 2030-01-02T03:04:05Z\r\n";

/// A registry over port 43 that knows one domain.
async fn registry() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut line = [0; 512];
            let read = stream.read(&mut line).await.unwrap_or(0);
            let answer = if line[..read].starts_with(b"example.tld") { ANSWER } else { "No match\r\n" };
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    place
}

struct Server {
    router: Router,
    token: String,
    _directory: TempDir,
}

impl Server {
    async fn new(role: Role, viewers_may_ask: bool) -> Self {
        let place = registry().await;
        let mut registries = Registries::empty("192.0.2.43");
        registries.add(&format!("whois {place} tld 193.0.0.0/8\n")).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("test.db").display());
        let store = Store::open(&StoreOptions::new(url)).await.unwrap();
        let token = auth::add_token(&store, "test", role).await.unwrap().1.reveal().to_owned();
        let site = Site::new(&SiteSettings::default()).unwrap();
        let auth =
            Auth::new(store.clone(), AuthSettings { viewers_may_ask, ..AuthSettings::default() }, site);
        let lookups = LookupSettings { allowed: vec![place], registries, ..LookupSettings::default() };
        let settings = ServerSettings { lookups, ..ServerSettings::default() };
        let (bus, _worker) = netwark_bus::local::pair();
        let app = App::new(store, Arc::new(bus), Registry::standard(), auth, settings);
        Self { router: router(&app), token, _directory: directory }
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::get(format!("/api/v1{path}"))
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Body::empty())
            .unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 4 << 20).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

#[tokio::test]
async fn both_forms_answer_in_one_shape() {
    let server = Server::new(Role::Operator, false).await;
    for path in ["/whois?q=www.example.tld", "/whois/WWW.Example.tld", "/whois/www.example.tld?fresh=true"] {
        let (status, answer) = server.get(path).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["query"], "www.example.tld");
        assert_eq!(answer["outcome"], "found");
        assert_eq!(answer["record"]["domain"], "example.tld");
        assert_eq!(answer["record"]["expires"], "2030-01-02T03:04:05Z");
        assert_eq!(answer["steps"][0]["raw"], ANSWER.replace('\r', ""));
        assert_eq!(answer["steps"][0]["protocol"], "whois");
    }
}

#[tokio::test]
async fn what_nobody_has_or_knows_is_an_answer() {
    let server = Server::new(Role::Operator, false).await;
    for (asked, outcome) in [
        ("nowhere.tld", "no_match"),
        ("193.0.0.0%2F21", "no_match"),
        ("224.0.0.1", "special"),
        ("255.255.255.255", "special"),
        ("ff02::1", "special"),
        ("10.0.0.0%2F8", "special"),
        ("AS64512", "special"),
        ("4294967295", "special"),
        ("b%C3%BCcher.test", "special"),
    ] {
        for path in [format!("/whois/{asked}"), format!("/whois?q={asked}")] {
            let (status, answer) = server.get(&path).await;
            assert_eq!(
                (status, answer["outcome"].as_str()),
                (StatusCode::OK, Some(outcome)),
                "{path}: {answer}"
            );
            assert!(answer["summary"].as_str().is_some_and(|text| text.ends_with('.')), "{answer}");
        }
    }
}

#[tokio::test]
async fn nonsense_is_one_clear_problem() {
    let server = Server::new(Role::Operator, false).await;
    let long = "a".repeat(64);
    for (path, name, why) in [
        ("/whois".to_owned(), "q", "must be a domain, an address, a prefix or an AS number"),
        ("/whois?q=1.2.3".to_owned(), "q", "looks like an address"),
        (format!("/whois?q={long}.tld"), "q", "at most 63"),
        ("/whois?q=a.tld&fresh=maybe".to_owned(), "fresh", "must be true or false"),
        ("/whois?q=a.tld&server=x".to_owned(), "server", "is no parameter"),
        ("/whois/AS99999999999".to_owned(), "resource", "the largest is 4294967295"),
        ("/whois/a%0D%0Ab.tld".to_owned(), "resource", "control characters"),
        ("/whois/%FF".to_owned(), "resource", "UTF-8"),
    ] {
        let (status, problem) = server.get(&path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {problem}");
        assert_eq!(problem["errors"][0]["name"], name, "{path}: {problem}");
        let told = problem["errors"][0]["description"].as_str().unwrap();
        assert!(told.contains(why), "{path}: {told}");
    }
}

#[tokio::test]
async fn viewers_ask_where_they_may() {
    let (status, _) = Server::new(Role::Viewer, false).await.get("/whois?q=example.tld").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = Server::new(Role::Viewer, true).await.get("/whois?q=example.tld").await;
    assert_eq!(status, StatusCode::OK);
}
