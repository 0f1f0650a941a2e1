//! The path that the server is reached under, such as `/netwark` of `https://example.org/netwark`.
//!
//! Behind this every route is the same; before it, what leads back to us gets the path in front.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::uri::{Authority, PathAndQuery};
use axum::http::{HeaderValue, Uri, header};
use axum::middleware::{self, Next};
use axum::response::Response;

use crate::auth::Auth;

/// The path a request came under, as an extension of the request: empty, or such as `/netwark`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prefix(pub(crate) Arc<str>);

/// Answers below every path of `server.public_urls` as at the root.
pub(crate) fn below(router: Router, auth: &Auth) -> Router {
    // Routes are looked up before their layers run, so this stands around a router as a whole.
    Router::new().fallback_service(router).layer(middleware::from_fn_with_state(auth.clone(), enter))
}

async fn enter(State(auth): State<Auth>, mut request: Request, next: Next) -> Response {
    let host = || {
        let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        request.uri().authority().cloned().or_else(|| named.and_then(|host| host.parse::<Authority>().ok()))
    };
    let (prefix, path) = auth.below(host, request.uri().path());
    if let Some(uri) = with_path(request.uri(), path) {
        *request.uri_mut() = uri;
    }
    request.extensions_mut().insert(Prefix(Arc::clone(&prefix)));
    let mut response = next.run(request).await;
    if !prefix.is_empty() {
        lead_back(&mut response, &prefix);
    }
    response
}

/// The same URI with another path; none when it has this path already.
fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    if uri.path() == path {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(format!("{path}{query}")).ok();
    Uri::from_parts(parts).ok()
}

/// Puts the prefix before every path of ours in the headers that lead somewhere.
fn lead_back(response: &mut Response, prefix: &str) {
    let headers = response.headers_mut();
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    if let Some(location) = location.filter(|path| path.starts_with('/') && !path.starts_with("//"))
        && let Ok(value) = HeaderValue::from_str(&format!("{prefix}{location}"))
    {
        headers.insert(header::LOCATION, value);
    }
    let link = headers.get(header::LINK).and_then(|value| value.to_str().ok());
    if let Some(link) = link
        && let Ok(value) = HeaderValue::from_str(&link.replace("</", &format!("<{prefix}/")))
    {
        headers.insert(header::LINK, value);
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::StatusCode;
    use axum::response::{IntoResponse, Redirect};
    use axum::routing::get;
    use netwark_store::{Store, StoreOptions};
    use tower::ServiceExt;

    use super::*;
    use crate::auth::{AuthSettings, Site, SiteSettings};

    #[tokio::test]
    async fn routes_are_the_same_below_a_path() {
        let public_urls = vec!["https://example.org/netwark".to_owned()];
        let site = Site::new(&SiteSettings { public_urls, ..SiteSettings::default() }).unwrap();
        let store = Store::open(&StoreOptions::new("sqlite::memory:")).await.unwrap();
        let auth = Auth::new(store, AuthSettings::default(), site);
        let show = |request: Request| async move {
            let prefix = request.extensions().get::<Prefix>().cloned().unwrap_or_default();
            ([(header::LINK, "</b?page=2>; rel=\"next\"")], format!("{} {}", prefix.0, request.uri()))
        };
        let go = || async { Redirect::to("/b").into_response() };
        let router = below(Router::new().route("/a", get(show)).route("/go", get(go)), &auth);
        let ask = |host: &'static str, path: &'static str| {
            let request = Request::get(path).header(header::HOST, host).body(Body::empty()).unwrap();
            let answer = router.clone().oneshot(request);
            async move {
                let (parts, body) = answer.await.unwrap().into_parts();
                let text = axum::body::to_bytes(body, 1000).await.unwrap();
                (parts.status, parts.headers, String::from_utf8_lossy(&text).into_owned())
            }
        };
        for path in ["/netwark/a?x=1", "/a?x=1"] {
            let (status, headers, text) = ask("example.org", path).await;
            assert_eq!((status, text.as_str()), (StatusCode::OK, "/netwark /a?x=1"), "{path}");
            assert_eq!(headers[header::LINK], "</netwark/b?page=2>; rel=\"next\"");
            assert_eq!(ask("example.org", "/netwark/go").await.1[header::LOCATION], "/netwark/b");
        }
        let (_, headers, text) = ask("localhost", "/a").await;
        assert_eq!(text, " /a");
        assert_eq!(headers[header::LINK], "</b?page=2>; rel=\"next\"");
        assert_eq!(ask("example.org", "/netwarka").await.0, StatusCode::NOT_FOUND);
    }
}
