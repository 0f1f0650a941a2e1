//! The routes of signing in behind the guard, as a browser or a program meets them.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::routing::get;
use netwark_model::auth::Role;
use netwark_store::{Store, StoreOptions};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use utoipa_axum::router::OpenApiRouter;

use super::*;

pub(crate) const PASSWORD: &str = "correct horse";

/// An empty store that goes with its directory.
pub(crate) async fn temporary_store() -> (Store, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", directory.path().join("test.db").display());
    (Store::open(&StoreOptions::new(url)).await.unwrap(), directory)
}

/// Signing in with a user for each role, named like it.
pub(crate) async fn auth_with_users() -> (Auth, TempDir) {
    let (auth, directory) = auth(AuthSettings::default()).await;
    for role in Role::ALL {
        add_user(&auth.inner.store, &auth.inner.passwords, role.as_str(), PASSWORD, role).await.unwrap();
    }
    (auth, directory)
}

async fn auth(settings: AuthSettings) -> (Auth, TempDir) {
    let (store, directory) = temporary_store().await;
    let site = SiteSettings {
        listen: vec!["127.0.0.1:6543".parse().unwrap()],
        public_urls: vec!["https://netwark.example".into(), "http://lan.example".into()],
        trusted_proxies: Vec::new(),
    };
    (Auth::new(store, settings, Site::new(&site).unwrap()), directory)
}

fn router(auth: &Auth) -> Router {
    let api = OpenApiRouter::new().nest("/api/v1", api::routes::<Auth>().with_state(auth.clone()));
    let (router, _) = api.split_for_parts();
    let ok = || async { "ok" };
    let router = router
        .route("/healthz", get(ok))
        .route("/metrics", get(ok))
        .route("/api/v1/operations", get(ok).post(ok))
        .route("/api/v1/forgotten", get(ok))
        .fallback(ok);
    guard::protect(router, auth)
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    /// The cookie it sets, as a browser sends it back.
    fn cookie(&self) -> String {
        let cookie = self.headers[header::SET_COOKIE].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    fn id(&self) -> &str {
        self.body["id"].as_str().unwrap()
    }
}

/// A request as it is put together.
struct Ask {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
    peer: &'static str,
}

fn ask(method: Method, path: &str) -> Ask {
    let host = ("host", "127.0.0.1:6543".to_owned());
    Ask { method, path: path.into(), headers: vec![host], body: None, peer: "192.0.2.1" }
}

impl Ask {
    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self.with("content-type", "application/json")
    }

    async fn send(self, router: &Router) -> Answer {
        let mut request = Request::builder().method(self.method).uri(self.path);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let body = self.body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let peer = std::net::SocketAddr::new(self.peer.parse().unwrap(), 40_000);
        let peer = crate::listen::Peer::from(peer);
        let request = request.extension(ConnectInfo(peer)).body(body).unwrap();
        let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

async fn sign_in(router: &Router, name: &str) -> String {
    let body = json!({"name": name, "password": PASSWORD});
    let answer = ask(Method::POST, "/api/v1/session").json(body).send(router).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.cookie()
}

#[tokio::test]
async fn a_browser_signs_in_and_out() {
    let (auth, _directory) = auth_with_users().await;
    let router = router(&auth);
    let stranger = ask(Method::GET, "/api/v1/session").send(&router).await;
    assert_eq!(stranger.body["kind"], "anonymous");
    assert_eq!(stranger.body["permissions"], json!([]));
    assert_eq!(stranger.body["setup_required"], false);

    let body = json!({"name": "Operator", "password": PASSWORD});
    let answer = ask(Method::POST, "/api/v1/session").json(body).send(&router).await;
    let set_cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(set_cookie.starts_with("netwark_session="), "{set_cookie}");
    assert!(set_cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000"), "{set_cookie}");
    assert_eq!(answer.body["name"], "operator");
    let cookie = answer.cookie();

    let me = ask(Method::GET, "/api/v1/session").with("cookie", &cookie).send(&router).await;
    assert_eq!((&me.body["kind"], &me.body["role"]), (&json!("user"), &json!("operator")));
    assert_eq!(
        me.body["permissions"],
        json!([
            "operations:read",
            "operations:run",
            "workers:read",
            "events:read",
            "events:acknowledge",
            "watch:read",
            "watch:write",
            "channels:read",
            "subscriptions:read",
            "subscriptions:manage",
            "lookups:read",
            "lookups:ask",
            "metrics:read"
        ])
    );
    assert_eq!(me.headers[header::CACHE_CONTROL], "no-store");

    let again = sign_in(&router, "operator").await;
    let out = ask(Method::DELETE, "/api/v1/session").with("cookie", &again).send(&router).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(out.headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    let me = ask(Method::GET, "/api/v1/session").with("cookie", &again).send(&router).await;
    assert_eq!(me.body["kind"], "anonymous");
    let me = ask(Method::GET, "/api/v1/session").with("cookie", &cookie).send(&router).await;
    assert_eq!(me.body["kind"], "user");
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_the_host() {
    let (auth, _directory) = auth_with_users().await;
    let router = router(&auth);
    let body = json!({"name": "viewer", "password": PASSWORD});
    let answer = ask(Method::POST, "/api/v1/session")
        .with("host", "netwark.example")
        .with("origin", "https://netwark.example")
        .json(body)
        .send(&router)
        .await;
    let set_cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(set_cookie.starts_with("__Host-netwark_session="), "{set_cookie}");
    assert!(set_cookie.ends_with("; Secure"), "{set_cookie}");
    assert_eq!(answer.body["insecure"], false);
    // The other cookie could have been set by anybody on the way, so it counts for nothing here.
    let renamed = answer.cookie().replace("__Host-", "");
    for (cookie, kind) in [(answer.cookie(), "user"), (renamed, "anonymous")] {
        let me = ask(Method::GET, "/api/v1/session").with("host", "netwark.example").with("cookie", &cookie);
        assert_eq!(me.send(&router).await.body["kind"], kind);
    }
    let plain = ask(Method::GET, "/api/v1/session").with("host", "lan.example").send(&router).await;
    assert_eq!(plain.body["insecure"], true);
}

#[tokio::test]
async fn wrong_passwords_run_dry_and_right_ones_do_not() {
    let (auth, _directory) = auth_with_users().await;
    let router = router(&auth);
    for _ in 0..limit::BURST + 1 {
        sign_in(&router, "admin").await;
    }
    let wrong = |name: &str| json!({"name": name, "password": "wrong horse"});
    for _ in 0..limit::BURST {
        let answer = ask(Method::POST, "/api/v1/session").json(wrong("admin")).send(&router).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.body["detail"], "the name or the password is wrong");
    }
    let mut other = ask(Method::POST, "/api/v1/session").json(wrong("Admin"));
    other.peer = "198.51.100.1";
    for dry in [other, ask(Method::POST, "/api/v1/session").json(wrong("viewer"))] {
        let answer = dry.send(&router).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(answer.headers.contains_key(header::RETRY_AFTER));
    }
}

#[tokio::test]
async fn the_first_administrator_is_made_once() {
    let (auth, _directory) = auth(AuthSettings::default()).await;
    let router = router(&auth);
    let stranger = ask(Method::GET, "/api/v1/session").send(&router).await;
    assert_eq!(stranger.body["setup_required"], true);
    let code = make_setup_code(&auth.inner.store).await.unwrap().unwrap();
    let set_up = |code: &str, password: &str| {
        ask(Method::POST, "/api/v1/setup").json(json!({"code": code, "name": "root", "password": password}))
    };
    let weak = set_up(code.reveal(), "short").send(&router).await;
    assert_eq!((weak.status, &weak.body["errors"][0]["name"]), (StatusCode::BAD_REQUEST, &json!("password")));
    let wrong = set_up("wrong", PASSWORD).send(&router).await;
    assert_eq!(
        (wrong.status, &wrong.body["detail"]),
        (StatusCode::FORBIDDEN, &json!("the code is wrong; 4 more tries"))
    );
    let made = set_up(code.reveal(), PASSWORD).send(&router).await;
    assert_eq!((made.status, &made.body["role"]), (StatusCode::CREATED, &json!("admin")));
    let me = ask(Method::GET, "/api/v1/users").with("cookie", &made.cookie()).send(&router).await;
    assert_eq!((me.status, &me.body[0]["name"]), (StatusCode::OK, &json!("root")));
    assert_eq!(me.headers["x-total-count"], "1");
    let again = set_up(code.reveal(), PASSWORD).send(&router).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn wrong_codes_use_the_code_up() {
    let (auth, _directory) = auth(AuthSettings::default()).await;
    let router = router(&auth);
    let code = make_setup_code(&auth.inner.store).await.unwrap().unwrap();
    let peers = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6"];
    for (at, peer) in peers.into_iter().enumerate() {
        let tried = if at < 5 { "0" } else { code.reveal() };
        let body = json!({"code": tried, "name": "root", "password": PASSWORD});
        let mut ask = ask(Method::POST, "/api/v1/setup").json(body);
        ask.peer = peer;
        let answer = ask.send(&router).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let detail = answer.body["detail"].as_str().unwrap();
        assert_eq!(detail.contains("netwark user setup-link"), at >= 4, "{detail}");
    }
    assert!(!auth.inner.store.has_users().await.unwrap());
}

#[tokio::test]
async fn users_are_made_changed_and_removed() {
    let (auth, _directory) = auth_with_users().await;
    let router = router(&auth);
    let admin = sign_in(&router, "admin").await;
    let as_admin = |method, path: &str| ask(method, path).with("cookie", &admin);
    let body = json!({"name": "zoe", "password": PASSWORD, "role": "viewer"});
    let zoe = as_admin(Method::POST, "/api/v1/users").json(body.clone()).send(&router).await;
    assert_eq!(zoe.status, StatusCode::CREATED);
    let twin = as_admin(Method::POST, "/api/v1/users").json(body).send(&router).await;
    assert_eq!((twin.status, &twin.body["errors"][0]["name"]), (StatusCode::CONFLICT, &json!("name")));
    let path = format!("/api/v1/users/{}", zoe.id());

    let cookie = sign_in(&router, "zoe").await;
    let promoted = as_admin(Method::PATCH, &path).json(json!({"role": "operator"})).send(&router).await;
    assert_eq!((promoted.status, &promoted.body["role"]), (StatusCode::OK, &json!("operator")));
    let me = ask(Method::GET, "/api/v1/session").with("cookie", &cookie).send(&router).await;
    assert_eq!(me.body["role"], "operator");
    let same = as_admin(Method::PATCH, &path).json(json!({})).send(&router).await;
    assert_eq!((same.status, &same.body), (StatusCode::OK, &promoted.body));
    let weak = as_admin(Method::PATCH, &path).json(json!({"password": "zoe"})).send(&router).await;
    assert_eq!(weak.status, StatusCode::BAD_REQUEST);
    let renewed =
        as_admin(Method::PATCH, &path).json(json!({"password": "battery staple"})).send(&router).await;
    assert_eq!(renewed.status, StatusCode::OK);
    let me = ask(Method::GET, "/api/v1/session").with("cookie", &cookie).send(&router).await;
    assert_eq!(me.body["kind"], "anonymous");

    let gone = as_admin(Method::DELETE, &path).send(&router).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    for answer in [
        as_admin(Method::DELETE, &path).send(&router).await,
        as_admin(Method::PATCH, &path).json(json!({})).send(&router).await,
    ] {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    let bad = as_admin(Method::DELETE, "/api/v1/users/me").send(&router).await;
    assert_eq!((bad.status, &bad.body["errors"][0]["name"]), (StatusCode::BAD_REQUEST, &json!("id")));
    let bad = json!({"name": "x", "password": PASSWORD, "role": "king"});
    let bad = as_admin(Method::POST, "/api/v1/users").json(bad).send(&router).await;
    assert_eq!((bad.status, &bad.body["errors"][0]["name"]), (StatusCode::BAD_REQUEST, &json!("role")));
}

#[tokio::test]
async fn the_last_administrator_stays_and_keeps_the_session() {
    let (auth, _directory) = auth_with_users().await;
    let router = router(&auth);
    let admin = sign_in(&router, "admin").await;
    let as_admin = |method, path: &str| ask(method, path).with("cookie", &admin);
    let users = as_admin(Method::GET, "/api/v1/users?per_page=1&page=3").send(&router).await;
    assert_eq!((&users.body[0]["name"], &users.body[1]), (&json!("admin"), &Value::Null));
    assert!(
        users.headers["link"].to_str().unwrap().contains("</api/v1/users?per_page=1&page=2>; rel=\"prev\"")
    );
    let path = format!("/api/v1/users/{}", users.body[0]["id"].as_str().unwrap());
    for answer in [
        as_admin(Method::DELETE, &path).send(&router).await,
        as_admin(Method::PATCH, &path).json(json!({"role": "viewer"})).send(&router).await,
    ] {
        assert_eq!(
            (answer.status, &answer.body["detail"]),
            (StatusCode::CONFLICT, &json!("this is the last administrator; make another one first"))
        );
    }
    let renewed =
        as_admin(Method::PATCH, &path).json(json!({"password": "battery staple"})).send(&router).await;
    assert_eq!(renewed.status, StatusCode::OK);
    assert_eq!(as_admin(Method::GET, "/api/v1/session").send(&router).await.body["kind"], "user");
}

#[tokio::test]
async fn tokens_work_until_they_are_revoked() {
    let (auth, _directory) = auth_with_users().await;
    let router = router(&auth);
    let admin = sign_in(&router, "admin").await;
    let body = json!({"name": "ci", "role": "operator"});
    let made = ask(Method::POST, "/api/v1/tokens").with("cookie", &admin).json(body).send(&router).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(made.headers[header::CACHE_CONTROL], "no-store");
    let bearer = format!("Bearer {}", made.body["secret"].as_str().unwrap());
    let listed = ask(Method::GET, "/api/v1/tokens").with("cookie", &admin).send(&router).await;
    assert_eq!((&listed.body[0]["name"], &listed.body[0]["secret"]), (&json!("ci"), &Value::Null));

    let run = || ask(Method::POST, "/api/v1/operations").with("authorization", &bearer).json(json!({}));
    assert_eq!(run().send(&router).await.status, StatusCode::OK);
    // A program is not a browser: its token cannot be sent by a page of another site.
    assert_eq!(run().with("origin", "https://evil.example").send(&router).await.status, StatusCode::OK);
    let me = ask(Method::GET, "/api/v1/session").with("authorization", &bearer).send(&router).await;
    assert_eq!((&me.body["kind"], &me.body["name"]), (&json!("token"), &json!("ci")));
    let denied = ask(Method::GET, "/api/v1/users").with("authorization", &bearer).send(&router).await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
    assert!(denied.body["detail"].as_str().unwrap().contains("users:manage"));

    let path = format!("/api/v1/tokens/{}", made.id());
    let revoked = ask(Method::DELETE, &path).with("cookie", &admin).send(&router).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    let refused = run().send(&router).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.headers.contains_key(header::WWW_AUTHENTICATE));
    // Nor does it fall back to the cookie beside it.
    assert_eq!(run().with("cookie", &admin).send(&router).await.status, StatusCode::UNAUTHORIZED);
    let again = ask(Method::DELETE, &path).with("cookie", &admin).send(&router).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_guard_refuses_other_names_and_other_sites() {
    let (auth, _directory) = auth_with_users().await;
    let router = router(&auth);
    let evil = ask(Method::GET, "/").with("host", "evil.example").send(&router).await;
    assert_eq!(
        (evil.status, &evil.body["errors"][0]["name"]),
        (StatusCode::MISDIRECTED_REQUEST, &json!("Host"))
    );
    let mut missing = ask(Method::GET, "/");
    missing.headers.clear();
    assert_eq!(missing.send(&router).await.status, StatusCode::BAD_REQUEST);

    let cookie = sign_in(&router, "admin").await;
    let run = || ask(Method::POST, "/api/v1/operations").with("cookie", &cookie).json(json!({}));
    for (name, value, status) in [
        ("origin", "http://127.0.0.1:6543", StatusCode::OK),
        ("origin", "https://netwark.example", StatusCode::OK),
        ("origin", "http://127.0.0.1:8000", StatusCode::FORBIDDEN),
        ("origin", "null", StatusCode::FORBIDDEN),
        ("sec-fetch-site", "same-origin", StatusCode::OK),
        ("sec-fetch-site", "same-site", StatusCode::FORBIDDEN),
        ("sec-fetch-site", "cross-site", StatusCode::FORBIDDEN),
        ("content-type", "application/json; charset=utf-8", StatusCode::OK),
        ("content-type", "text/plain", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("content-type", "application/jsonp", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let answer = run().with(name, value).send(&router).await;
        assert_eq!(answer.status, status, "{name}: {value}");
    }
    let read =
        ask(Method::GET, "/api/v1/operations").with("cookie", &cookie).with("origin", "https://evil.example");
    assert_eq!(read.send(&router).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_not_in_the_table_is_denied() {
    let (auth, _directory) = auth_with_users().await;
    let router = router(&auth);
    let cookie = sign_in(&router, "admin").await;
    let forgotten = ask(Method::GET, "/api/v1/forgotten").with("cookie", &cookie).send(&router).await;
    assert_eq!(forgotten.status, StatusCode::NOT_FOUND);
    let method =
        ask(Method::PUT, "/api/v1/operations").with("cookie", &cookie).json(json!({})).send(&router).await;
    assert_eq!(method.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(method.headers[header::ALLOW], "GET, POST");
    assert_eq!(ask(Method::GET, "/operations/new").send(&router).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_for_everybody_is_so_without_a_database() {
    let (auth, _directory) = auth_with_users().await;
    let (_, token) = add_token(&auth.inner.store, "watch", Role::Viewer).await.unwrap();
    let bearer = format!("Bearer {}", token.reveal());
    let router = router(&auth);
    let cookie = sign_in(&router, "viewer").await;
    auth.inner.store.clone().close().await;
    for (name, value) in [("authorization", bearer), ("cookie", cookie)] {
        let health = ask(Method::GET, "/healthz").with(name, &value).send(&router).await;
        assert_eq!(health.status, StatusCode::OK, "{name}");
        let other = ask(Method::GET, "/api/v1/operations").with(name, &value).send(&router).await;
        assert!(other.status.is_server_error(), "{name}: {}", other.status);
    }
}

#[tokio::test]
async fn strangers_may_what_the_settings_say() {
    let read = || ask(Method::GET, "/api/v1/operations");
    let run = || ask(Method::POST, "/api/v1/operations").json(json!({}));
    let (closed, _directory) = auth(AuthSettings::default()).await;
    let closed = router(&closed);
    assert_eq!(read().send(&closed).await.status, StatusCode::UNAUTHORIZED);
    let (glass, _directory) =
        auth(AuthSettings { anonymous_role: Some(Role::Viewer), ..AuthSettings::default() }).await;
    let glass = router(&glass);
    assert_eq!(read().send(&glass).await.status, StatusCode::OK);
    assert_eq!(run().send(&glass).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn metrics_are_open_to_this_machine_but_not_through_a_proxy_on_it() {
    let (auth, _directory) = auth_with_users().await;
    let router = router(&auth);
    let from = |peer| Ask { peer, ..ask(Method::GET, "/metrics") };
    assert_eq!(from("127.0.0.1").send(&router).await.status, StatusCode::OK);
    assert_eq!(from("192.0.2.1").send(&router).await.status, StatusCode::UNAUTHORIZED);
    let proxied = from("127.0.0.1").with("x-forwarded-for", "192.0.2.1").send(&router).await;
    assert_eq!(proxied.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(Method::HEAD, "/healthz").send(&router).await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_route_of_signing_in_asks_for_its_permission() {
    let (auth, _directory) = auth_with_users().await;
    let router = router(&auth);
    let mut cookies = vec![(None, String::new())];
    for role in Role::ALL {
        cookies.push((Some(role), sign_in(&router, role.as_str()).await));
    }
    let mut api = api::routes::<Auth>().with_state::<()>(auth.clone());
    let paths = api.to_openapi().paths.paths;
    assert_eq!(paths.len(), 7);
    for path in paths.keys() {
        let full = format!("/api/v1{path}");
        let routes: Vec<_> = access::ROUTES.iter().filter(|route| route.path == full).collect();
        assert!(!routes.is_empty(), "{full} is missing in the table");
        for route in routes {
            let access::Access::Needs(permission) = route.access else { continue };
            for (role, cookie) in &cookies {
                let method: Method = route.method.parse().unwrap();
                let sent =
                    ask(method, &full.replace("{id}", "nobody")).with("cookie", cookie).json(json!({}));
                let status = sent.send(&router).await.status;
                let expected = match role {
                    None => Some(StatusCode::UNAUTHORIZED),
                    Some(role) if !role.may(permission) => Some(StatusCode::FORBIDDEN),
                    Some(_) => None,
                };
                let denied = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
                assert_eq!(
                    denied.then_some(status),
                    expected,
                    "{} {full} as {role:?}: {status}",
                    route.method
                );
            }
        }
    }
}
