//! `/healthz`, `/readyz` and `/metrics`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::app::App;
use crate::error::Problem;

/// Alive: the process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Ready: database and broker answer; else 503 with the reason of each part.
pub async fn readyz(State(app): State<App>) -> Response {
    let said = |result: Result<(), String>| match result {
        Ok(()) => json!({ "ready": true }),
        Err(reason) => json!({ "ready": false, "reason": reason }),
    };
    let database = app.store.ping().await.map_err(|error| error.to_string());
    let broker = tokio::time::timeout(Duration::from_secs(2), app.bus.check()).await;
    let broker = match broker {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("no answer within 2 s".into()),
    };
    let ready = database.is_ok() && broker.is_ok();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "database": said(database), "broker": said(broker) })))
        .into_response()
}

/// The server's own numbers in OpenMetrics text.
pub async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let open = app.store.open_operations().await?;
    let online = app.store.workers().await?.iter().filter(|worker| worker.online).count() as u64;
    let text = app.metrics.encode(open, online, app.live.watchers());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
