//! The table of contents: every route of the server.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::app::App;
use crate::error::Problem;
use crate::operations::{api, events, export, select};
use crate::system::{health, openapi, status};
use crate::{auth, tools, ui, workers};

/// Most bytes of a request's body.
pub const LARGEST_BODY: usize = 64 * 1024;

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
        .routes(routes!(workers::list_workers))
        .routes(routes!(workers::list_queues))
        .routes(routes!(status::get_status))
        .merge(auth::api::routes())
}

/// The description of the API.
pub fn description() -> utoipa::openapi::OpenApi {
    api().into_openapi()
}

/// Everything the server answers.
pub fn router(app: &App) -> Router {
    let (api, description) = api().split_for_parts();
    let system = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics));
    let routes = Router::new()
        .nest("/api/v1", api)
        .merge(system)
        .merge(SwaggerUi::new("/api/docs").url("/api/v1/openapi.json", description))
        .fallback(fallback)
        .with_state(app.clone());
    let around =
        ServiceBuilder::new()
            .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
            .layer(PropagateRequestIdLayer::x_request_id())
            .layer(middleware::from_fn_with_state(app.clone(), log))
            .layer(CatchPanicLayer::custom(|_| Problem::internal(&"a handler panicked").into_response()))
            .layer(middleware::from_fn(secure))
            // Events must leave at once, so they are not gathered for compression.
            .layer(CompressionLayer::new().compress_when(
                SizeAbove::new(256).and(NotForContentType::SSE).and(NotForContentType::IMAGES),
            ))
            .layer(DefaultBodyLimit::max(LARGEST_BODY));
    auth::guard::protect(routes, &app.auth).layer(around)
}

/// Pages, their files, and 404 for what the API does not have.
async fn fallback(method: axum::http::Method, uri: Uri, headers: axum::http::HeaderMap) -> Response {
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
    ui::serve(path, &headers)
}

/// Counts and logs a request once it is answered.
async fn log(State(app): State<App>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let path = request.uri().path().to_owned();
    let id =
        request.headers().get("x-request-id").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let began = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    app.metrics.request(method.as_str(), route.as_deref().unwrap_or("pages"), status);
    let took = began.elapsed();
    if took > Duration::from_secs(1) || response.status().is_server_error() {
        tracing::warn!(%method, %path, status, request = %id, took_ms = took.as_millis() as u64, "slow or failed request");
    } else {
        tracing::debug!(%method, %path, status, request = %id, took_us = took.as_micros() as u64, "request");
    }
    response
}

/// Headers that keep a page's content its own.
async fn secure(request: Request, next: Next) -> Response {
    let in_docs = request.uri().path().starts_with("/api/docs");
    let in_api = request.uri().path().starts_with("/api/v1/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = if in_docs { ui::docs_policy() } else { ui::policy() };
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
