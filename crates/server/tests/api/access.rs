//! Every route of the server, asked by everybody: the table of permissions is what the server does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use netwark_model::auth::Role;
use netwark_model::tools::Registry;
use netwark_server::auth::access::{Access, ROUTES, Route};
use netwark_server::auth::{self, Auth, AuthSettings, Site, SiteSettings};
use netwark_server::{App, ServerSettings, description, router};
use netwark_store::{Store, StoreOptions};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

/// A server on an empty database, with a token for each role.
struct Server {
    router: Router,
    tokens: BTreeMap<Role, String>,
    _directory: TempDir,
}

impl Server {
    async fn start(anonymous_role: Option<Role>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("test.db").display());
        let store = Store::open(&StoreOptions::new(url)).await.unwrap();
        let mut tokens = BTreeMap::new();
        for role in Role::ALL {
            let (_, secret) = auth::add_token(&store, role.as_str(), role).await.unwrap();
            tokens.insert(role, secret.reveal().to_owned());
        }
        let site = Site::new(&SiteSettings::default()).unwrap();
        let auth = Auth::new(store.clone(), AuthSettings { anonymous_role, ..AuthSettings::default() }, site);
        let (bus, _worker) = netwark_bus::local::pair();
        let app = App::new(store, Arc::new(bus), Registry::standard(), auth, ServerSettings::default());
        Self { router: router(&app), tokens, _directory: directory }
    }

    /// Status and body of what a route answers to this role, or to a stranger.
    async fn ask(&self, route: &Route, role: Option<Role>) -> (StatusCode, Value) {
        self.ask_with(route, role, "").await
    }

    /// The same, with a query behind the path.
    async fn ask_with(&self, route: &Route, role: Option<Role>, query: &str) -> (StatusCode, Value) {
        let parts = [
            ("{id}", NOBODY),
            ("{name}", "nowhere"),
            ("{*rest}", "index.html"),
            ("{resource}", "192.0.2.1"),
            ("{cidr}", "24"),
        ];
        let path = parts.iter().fold(route.path.to_owned(), |path, (part, value)| path.replace(part, value));
        let mut request = Request::builder()
            .method(route.method)
            .uri(path + query)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(role) = role {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.tokens[&role]));
        }
        let answer = self.router.clone().oneshot(request.body(Body::from("{}")).unwrap()).await.unwrap();
        let status = answer.status();
        let is_stream = answer
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
        // A stream of events does not end by itself.
        let body = if is_stream { None } else { to_bytes(answer.into_body(), 4 << 20).await.ok() };
        (status, body.and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or(Value::Null))
    }
}

/// What the table says must happen: 401, 403, or anything else.
fn expected(route: &Route, role: Option<Role>, strangers: Option<Role>) -> Option<StatusCode> {
    let permission = match route.access {
        Access::Public => return None,
        // Here all who are known are programs with a role.
        Access::User | Access::Worker => {
            return Some(role.map_or(StatusCode::UNAUTHORIZED, |_| StatusCode::FORBIDDEN));
        }
        Access::Needs(permission) | Access::NeedsFromAfar(permission) => permission,
    };
    match role {
        Some(role) => (!role.may(permission)).then_some(StatusCode::FORBIDDEN),
        None => {
            let may = strangers.is_some_and(|role| role.may(permission));
            (!may).then_some(StatusCode::UNAUTHORIZED)
        }
    }
}

#[tokio::test]
async fn every_route_lets_in_who_the_table_says() {
    // Signing in is refused with 401 for reasons of its own.
    let guarded: Vec<&Route> = ROUTES.iter().filter(|route| route.path != "/api/v1/session").collect();
    let askers = [None, Some(Role::Viewer), Some(Role::Operator), Some(Role::Admin)];
    for strangers in [None, Some(Role::Viewer), Some(Role::Operator)] {
        let server = Server::start(strangers).await;
        for route in &guarded {
            for role in askers {
                let (status, body) = server.ask(route, role).await;
                let denied = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
                assert_eq!(
                    denied.then_some(status),
                    expected(route, role, strangers),
                    "{} {} as {role:?}, strangers {strangers:?}: {status} {body}",
                    route.method,
                    route.path
                );
            }
        }
    }
}

#[tokio::test]
async fn the_table_names_what_there_is() {
    let server = Server::start(None).await;
    for route in ROUTES {
        let (status, body) = server.ask(route, Some(Role::Admin)).await;
        assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{} {}", route.method, route.path);
        let detail = body["detail"].as_str().unwrap_or_default();
        assert!(!detail.starts_with("there is no route"), "{} {}: {detail}", route.method, route.path);
    }
}

#[tokio::test]
async fn what_no_route_can_be_asked_is_refused_by_its_name() {
    let server = Server::start(None).await;
    let beside = ["/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"];
    let asked = |route: &&Route| {
        let may = matches!(route.access, Access::Needs(_) | Access::NeedsFromAfar(_) | Access::Public);
        may && route.method == "GET" && !beside.contains(&route.path) && !route.path.starts_with("/api/docs")
    };
    let routes: Vec<&Route> = ROUTES.iter().filter(asked).collect();
    assert!(routes.len() > 40, "{}", routes.len());
    let mut others = Vec::new();
    for route in routes {
        let (status, body) = server.ask_with(route, Some(Role::Admin), "?colour=red").await;
        let named =
            body["errors"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == "colour"));
        if !(named && status == StatusCode::BAD_REQUEST) {
            others.push(format!("{}: {status} {body}", route.path));
        }
    }
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn the_description_and_the_table_name_the_same_routes() {
    let description = serde_json::to_value(description()).unwrap();
    let mut described = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            described.insert(format!("{} /api/v1{path}", method.to_uppercase()));
        }
    }
    let beside = ["/healthz", "/readyz", "/metrics", "/api/docs", "/api/docs/", "/api/docs/{*rest}"];
    let named: BTreeSet<String> = ROUTES
        .iter()
        .filter(|route| !beside.contains(&route.path) && route.path != "/api/v1/openapi.json")
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert_eq!(described, named);
}

#[test]
fn every_reference_of_the_description_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str));
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let description = serde_json::to_value(description()).unwrap();
    let mut found = Vec::new();
    references(&description, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(description.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_one_clear_problem() {
    let server = Server::start(None).await;
    let body = json!({"name": "x".repeat(100_000), "role": "viewer"}).to_string();
    let request = Request::post("/api/v1/tokens")
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {}", server.tokens[&Role::Admin]))
        .body(Body::from(body))
        .unwrap();
    let answer = server.router.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
}
