//! The table of contents: every route of the server.

use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tracing::Instrument;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::app::App;
use crate::auth::access::known_path;
use crate::error::Problem;
use crate::events::{acknowledge, api as timeline, stream};
use crate::linger::hear_out;
use crate::operations::{api, events, export, select};
use crate::prefix::Prefix;
use crate::system::{health, openapi, status};
use crate::{asked, auth, channels, lookups, prefix, tools, ui, watch, workers};

/// Most bytes of a request's body.
pub const LARGEST_BODY: usize = 64 * 1024;

/// Most bytes of a request's id, which a client may choose.
const LONGEST_ID: usize = 64;

/// The routes of the API with their description, without a state.
pub fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::Description::openapi())
        .routes(routes!(api::list_operations, api::create_operation))
        .routes(routes!(events::watch_operations))
        .routes(routes!(api::get_operation))
        .routes(routes!(api::cancel_operation))
        .routes(routes!(events::watch_operation))
        .routes(routes!(export::export_results_json))
        .routes(routes!(export::export_results_csv))
        .routes(routes!(export::export_results_txt))
        .routes(routes!(tools::list_tools))
        .routes(routes!(select::select_workers))
        .merge(workers::routes())
        .merge(lookups::routes())
        .routes(routes!(timeline::list_events))
        .routes(routes!(acknowledge::acknowledge_events))
        .routes(routes!(timeline::export_events))
        .routes(routes!(stream::follow_events))
        .merge(watch::routes())
        .merge(channels::routes())
        .routes(routes!(workers::link::open_worker_link))
        .routes(routes!(status::get_status))
        .merge(auth::api::routes())
}

/// The description of the API.
pub fn description() -> utoipa::openapi::OpenApi {
    let mut description = api().into_openapi();
    openapi::tell_access(&mut description);
    description
}

/// Everything the server answers.
pub fn router(app: &App) -> Router {
    let (api, mut description) = api().split_for_parts();
    openapi::tell_access(&mut description);
    let bare = asked::bare(&description, "/api/v1");
    let api = api.route_layer(middleware::from_fn_with_state(bare, asked::refuse_unknown));
    let system = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics));
    let routes = Router::new()
        .nest("/api/v1", api)
        .merge(system)
        .merge(
            SwaggerUi::new("/api/docs")
                .url("/api/v1/openapi.json", description)
                // Relative, because a proxy may serve all of it below a path.
                .config(Config::from("../v1/openapi.json")),
        )
        .fallback(fallback)
        .with_state(app.clone());
    let around =
        ServiceBuilder::new()
            .layer(middleware::from_fn(hear_out))
            .layer(SetRequestIdLayer::x_request_id(RandomIds))
            .layer(PropagateRequestIdLayer::x_request_id())
            .layer(middleware::from_fn_with_state(app.clone(), log))
            .layer(CatchPanicLayer::custom(|_| Problem::internal(&"a handler panicked").into_response()))
            .layer(middleware::from_fn_with_state(app.clone(), secure))
            // Events must leave at once, so they are not gathered for compression.
            .layer(CompressionLayer::new().compress_when(
                SizeAbove::new(256).and(NotForContentType::SSE).and(NotForContentType::IMAGES),
            ))
            .layer(DefaultBodyLimit::max(LARGEST_BODY));
    prefix::below(auth::guard::protect(routes, &app.auth).layer(around), &app.auth)
}

/// Makes the ids of requests by the thread's own generator, without asking the system for each.
#[derive(Clone, Copy)]
struct RandomIds;

impl MakeRequestId for RandomIds {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
        let mut text = uuid::Uuid::encode_buffer();
        HeaderValue::from_str(id.hyphenated().encode_lower(&mut text)).ok().map(RequestId::new)
    }
}

/// Pages, their files, and 404 for what the API does not have.
async fn fallback(
    State(app): State<App>,
    Extension(Prefix(prefix)): Extension<Prefix>,
    method: axum::http::Method,
    uri: Uri,
    headers: axum::http::HeaderMap,
) -> Response {
    let path = uri.path();
    if path == "/api" || path.starts_with("/api/") {
        return Problem::not_found(format!("there is no route {method} {path}; /api/docs lists all"))
            .into_response();
    }
    if method != axum::http::Method::GET && method != axum::http::Method::HEAD {
        return Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method",
            "This method is not allowed here",
            "pages are only read",
        )
        .with_header(header::ALLOW, "GET, HEAD")
        .into_response();
    }
    app.pages.serve(&prefix, path, &headers)
}

/// Counts and logs a request once it is answered.
async fn log(State(app): State<App>, request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let path = uri.path();
    let route = request.extensions().get::<MatchedPath>().and_then(|path| known_path(path.as_str()));
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    // It has only letters of ASCII.
    let id = id.get(..LONGEST_ID).unwrap_or(id);
    // Every line that is written on the way carries the ids.
    let span = tracing::info_span!("request", %id, operation = operation(path));
    let began = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    let took = began.elapsed();
    app.metrics.request(&method, route.unwrap_or("pages"), status, took);
    let _entered = span.entered();
    if took > Duration::from_secs(1) || response.status().is_server_error() {
        tracing::warn!(%method, %path, status, took_ms = took.as_millis() as u64, "slow or failed request");
    } else {
        tracing::debug!(%method, %path, status, took_us = took.as_micros() as u64, "request");
    }
    response
}

/// The operation that a path of the API names.
fn operation(path: &str) -> Option<&str> {
    let id = path.strip_prefix("/api/v1/operations/")?.split('/').next()?;
    (id.len() == 36).then_some(id)
}

/// Headers that keep a page's content its own.
async fn secure(State(app): State<App>, request: Request, next: Next) -> Response {
    let in_docs = request.uri().path().starts_with("/api/docs");
    let in_api = request.uri().path().starts_with("/api/v1/");
    let prefix = request.extensions().get::<Prefix>().cloned().unwrap_or_default().0;
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = match (in_docs, in_api) {
        (true, _) => ui::docs_policy(),
        // Data that somebody opens as a page does nothing there.
        (_, true) => HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
        _ => app.pages.policy(&prefix),
    };
    let fixed: [(HeaderName, HeaderValue); 5] = [
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    headers.extend(fixed);
    if in_api && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
