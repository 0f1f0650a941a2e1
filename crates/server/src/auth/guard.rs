//! What stands before every route: is the request meant for us, who makes it, may they.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use jiff::Timestamp;
use netwark_bus::websocket;
use netwark_model::error::FieldError;
use uuid::Uuid;

use super::access::{Access, Required, required};
use super::principal::Principal;
use super::secret;
use super::shared::Auth;
use super::worker_token;
use crate::error::Problem;
use crate::listen::Peer;
use crate::prefix::Prefix;

/// The cookie of a session over plain HTTP.
const COOKIE: &str = "netwark_session";
/// The same over HTTPS: a browser takes it from this host alone, over HTTPS alone.
const HOST_COOKIE: &str = "__Host-netwark_session";
/// The same below a path, which a cookie for the whole host must not have.
const SECURE_COOKIE: &str = "__Secure-netwark_session";

/// How a request reached us, as an extractor.
#[derive(Clone, Debug)]
pub struct Client {
    /// The address it came from; behind trusted proxies the one they name.
    pub address: IpAddr,
    /// True when it came over HTTPS, as far as the connection, a trusted proxy or the public URL tell.
    pub https: bool,
    /// True when what is sent could be read on the way: neither HTTPS nor loopback.
    pub insecure: bool,
    /// The path the server is reached under: empty, or such as `/netwark`.
    pub(crate) prefix: Arc<str>,
    /// The session it came in, when a cookie named one.
    pub(crate) session: Option<Uuid>,
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or(Self {
            address: Ipv4Addr::UNSPECIFIED.into(),
            https: false,
            insecure: true,
            prefix: "".into(),
            session: None,
        }))
    }
}

/// Puts the guard before all routes and the fallback that a router has by now.
pub fn protect(router: Router, auth: &Auth) -> Router {
    router.layer(middleware::from_fn_with_state(auth.clone(), guard))
}

async fn guard(State(auth): State<Auth>, request: Request, next: Next) -> Response {
    match admit(&auth, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn admit(auth: &Auth, request: Request) -> Result<Request, Problem> {
    let (mut parts, body) = request.into_parts();
    let authority = authority(&parts)?;
    let door = auth.inner.site.door(&authority).ok_or_else(|| not_ours(&authority))?;
    if changes_something(&parts.method) {
        check_content_type(&parts.headers)?;
        // A page from elsewhere cannot make a browser send a bearer token.
        if bearer(&parts.headers).is_none() {
            check_origin(auth, &parts.headers, &authority)?;
        }
    }
    let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| *peer);
    let peer = peer.unwrap_or(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into());
    let site = &auth.inner.site;
    let https = door.https || site.is_encrypted(peer, &parts.headers);
    let mut client = Client {
        address: site.client(peer, &parts.headers),
        https,
        insecure: !https && !door.loopback,
        prefix: parts.extensions.get::<Prefix>().cloned().unwrap_or_default().0,
        session: None,
    };
    // What is not a route is a page or nothing; both are for everybody.
    if let Some(path) = parts.extensions.get::<MatchedPath>() {
        let access = match required(parts.method.as_str(), path.as_str()) {
            Required::Route(access) => access,
            Required::OtherMethods(methods) => return Err(other_methods(&parts.method, &methods)),
            Required::Unknown => {
                tracing::error!(path = path.as_str(), "a route is missing in the table of permissions");
                return Err(Problem::not_found("there is nothing here"));
            }
        };
        let (principal, session) = identify(auth, &parts.headers, &client, access).await?;
        check_access(auth, access, &principal, is_local(peer, &parts.headers))?;
        client.session = session;
        parts.extensions.insert(principal);
    }
    parts.extensions.insert(client);
    Ok(Request::from_parts(parts, body))
}

/// The host and port the request was sent to.
fn authority(parts: &Parts) -> Result<Authority, Problem> {
    let bad = |description: &str| Problem::field(FieldError::header("Host", description));
    // HTTP/2 carries it in the request line.
    if let Some(authority) = parts.uri.authority() {
        return Ok(authority.clone());
    }
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let host = hosts.next().ok_or_else(|| bad("is missing"))?;
    if hosts.next().is_some() {
        return Err(bad("must stand there once"));
    }
    host.to_str().ok().and_then(|host| host.parse().ok()).ok_or_else(|| bad("must be a name or address"))
}

fn not_ours(authority: &Authority) -> Problem {
    let host = authority.as_str();
    Problem::new(
        StatusCode::MISDIRECTED_REQUEST,
        "host",
        "This server has another name",
        format!("this server is not known as '{host}'; to reach it under that name, add its URL to server.public_urls"),
    )
    .with_errors(vec![FieldError::header("Host", format!("'{host}' is not a name of this server"))])
}

fn changes_something(method: &Method) -> bool {
    !method.is_safe()
}

/// A form on a page elsewhere can send some kinds of bodies without being asked first; these two are none of them.
fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let has_body = headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    let description = match headers.get(header::CONTENT_TYPE) {
        None if has_body => "must be application/json, is missing".to_owned(),
        None => return Ok(()),
        Some(value) => {
            let value = value.to_str().unwrap_or_default();
            let essence = value.split(';').next().unwrap_or_default().trim();
            if ["application/json", "text/csv"].iter().any(|known| essence.eq_ignore_ascii_case(known)) {
                return Ok(());
            }
            format!("must be application/json, got '{value}'")
        }
    };
    let error = FieldError::header("Content-Type", description);
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "media-type",
        "The body is not JSON",
        "send the body as JSON with the header Content-Type: application/json",
    )
    .with_errors(vec![error]))
}

/// Browsers say where a request that changes something comes from; other programs need not.
fn check_origin(auth: &Auth, headers: &HeaderMap, authority: &Authority) -> Result<(), Problem> {
    let refused = |name: &str, value: &str| {
        Problem::forbidden(
            "a page of another site must not change anything here; if the address bar shows a name of this server, \
             add its URL to server.public_urls",
        )
        .with_errors(vec![FieldError::header(name, format!("'{value}' is not this site"))])
    };
    for value in headers.get_all(header::ORIGIN) {
        let origin = value.to_str().unwrap_or("?");
        if !auth.inner.site.is_own_origin(origin, authority) {
            return Err(refused("Origin", origin));
        }
    }
    for value in headers.get_all("sec-fetch-site") {
        let site = value.to_str().unwrap_or("?");
        if !matches!(site, "same-origin" | "none") {
            return Err(refused("Sec-Fetch-Site", site));
        }
    }
    Ok(())
}

fn other_methods(method: &Method, methods: &[&str]) -> Problem {
    let allowed = methods.join(", ");
    let detail = format!("{method} is not possible here; {allowed} is");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "This method is not possible here", detail)
        .with_header(header::ALLOW, &allowed)
}

/// The token of an `Authorization: Bearer` header. Other schemes belong to a proxy before us.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What is stored of the token of such a header.
pub(crate) fn bearer_hash(headers: &HeaderMap) -> Option<[u8; 32]> {
    bearer(headers).map(secret::hash)
}

async fn identify(
    auth: &Auth,
    headers: &HeaderMap,
    client: &Client,
    access: Access,
) -> Result<(Principal, Option<Uuid>), Problem> {
    let now = Timestamp::now();
    let stranger = (Principal::Anonymous { role: auth.inner.settings.anonymous_role }, None);
    // What is for everybody, such as the state of health, is so without a database too.
    let for_all = access == Access::Public;
    if let Some(token) = bearer(headers).filter(|token| worker_token::is_one(token)) {
        return match auth.worker(token).await {
            Err(_) if for_all => Ok(stranger),
            Err(error) => Err(error.into()),
            Ok(Some((_, card))) if card.revoked => Err(worker_revoked()),
            Ok(Some((id, card))) => Ok((Principal::Worker { id, name: card.name }, None)),
            Ok(None) => {
                Err(Problem::unauthorized("the worker's token is unknown, or another took its place")
                    .with_header(HeaderName::from_static(websocket::UNWELCOME), websocket::REFUSED))
            }
        };
    }
    if let Some(token) = bearer(headers) {
        return match auth.token(token, now).await {
            Err(_) if for_all => Ok(stranger),
            Err(error) => Err(error.into()),
            Ok(Some(principal)) => Ok((principal, None)),
            // A token that is no longer good must not quietly become a stranger.
            Ok(None) => Err(Problem::unauthorized("the token is unknown or was revoked")),
        };
    }
    let Some(cookie) = session_cookie(headers, client) else { return Ok(stranger) };
    match auth.session(&cookie, now).await {
        Ok(Some((principal, session))) => Ok((principal, Some(session))),
        Ok(None) => Ok(stranger),
        Err(_) if for_all => Ok(stranger),
        Err(error) => Err(error.into()),
    }
}

/// What a worker is told that an administrator has revoked; its program ends when it reads this.
fn worker_revoked() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "worker-revoked",
        "This worker was revoked",
        "this worker was revoked by an administrator",
    )
    .with_header(HeaderName::from_static(websocket::UNWELCOME), websocket::REVOKED)
}

fn check_access(auth: &Auth, access: Access, principal: &Principal, local: bool) -> Result<(), Problem> {
    let permission = match access {
        Access::Public => return Ok(()),
        Access::NeedsFromAfar(_) if local => return Ok(()),
        Access::Needs(permission) | Access::NeedsFromAfar(permission) => permission,
        Access::User => {
            return match principal {
                Principal::User { .. } => Ok(()),
                Principal::Anonymous { .. } => Err(Problem::unauthorized("sign in; this is for users")),
                _ => Err(Problem::forbidden("this is for users who sign in, not for programs")),
            };
        }
        Access::Worker => {
            return match principal {
                Principal::Worker { .. } => Ok(()),
                Principal::Anonymous { .. } => {
                    Err(Problem::unauthorized("send the token of a worker; this is for workers"))
                }
                _ => Err(Problem::forbidden("this is for workers, with a token of their own")),
            };
        }
    };
    if auth.may(principal, permission) {
        return Ok(());
    }
    let needed = permission.as_str();
    match principal {
        Principal::Anonymous { .. } => Err(Problem::unauthorized(format!(
            "sign in, or send a token; this needs the permission {needed}"
        ))),
        Principal::Worker { .. } => Err(Problem::forbidden(format!(
            "this needs the permission {needed}; the token of a worker is for the worker's own link"
        ))),
        Principal::User { role, .. } | Principal::Token { role, .. } => Err(Problem::forbidden(format!(
            "this needs the permission {needed}, which the role {} does not have",
            role.as_str()
        ))),
    }
}

/// True when a program on this machine asks, not a proxy on it for someone else.
fn is_local(peer: Peer, headers: &HeaderMap) -> bool {
    let forwarded =
        ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip", "forwarded", "via"];
    peer.ip().is_none_or(|address| address.is_loopback())
        && !forwarded.into_iter().any(|name| headers.contains_key(name))
}

/// What the session cookie holds, if there is one.
pub(crate) fn session_cookie(headers: &HeaderMap, client: &Client) -> Option<String> {
    CookieJar::from_headers(headers).get(cookie_name(client)).map(|cookie| cookie.value().to_owned())
}

/// A `Set-Cookie` header that keeps a secret for so many days, or with none removes the cookie.
pub(crate) fn set_cookie(client: &Client, secret: &str, days: u16) -> String {
    let (name, secure) = (cookie_name(client), if client.https { "; Secure" } else { "" });
    let path = if client.prefix.is_empty() { "/" } else { &client.prefix };
    let seconds = u32::from(days) * 24 * 60 * 60;
    format!("{name}={secret}; Path={path}; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

fn cookie_name(client: &Client) -> &'static str {
    match (client.https, client.prefix.is_empty()) {
        (false, _) => COOKIE,
        (true, true) => HOST_COOKIE,
        (true, false) => SECURE_COOKIE,
    }
}
