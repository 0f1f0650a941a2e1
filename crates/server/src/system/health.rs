//! `/healthz`, `/readyz` and `/metrics`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use netwark_model::workers::WorkerState;
use serde_json::json;

use crate::app::App;
use crate::error::Problem;
use crate::metrics::Moment;

/// How long the broker may take to answer.
const BROKER: Duration = Duration::from_secs(2);
/// Where a worker can stand.
const STATES: [WorkerState; 5] = [
    WorkerState::Enrolled,
    WorkerState::Online,
    WorkerState::Draining,
    WorkerState::Offline,
    WorkerState::Revoked,
];
/// The two forms of metrics.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Alive: the process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Ready: database and broker answer; else 503 with the reason of each part.
pub async fn readyz(State(app): State<App>) -> Response {
    let database = async { app.store.ping().await.map_err(|error| error.to_string()) };
    let broker = async {
        match tokio::time::timeout(BROKER, app.bus.check()).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {} s", BROKER.as_secs())),
        }
    };
    let (database, broker) = tokio::join!(database, broker);
    // Without a worker a server is of little use, but it serves; a proxy must not turn away from it.
    let workers = match database {
        Ok(()) => app.store.workers().await.ok(),
        Err(_) => None,
    };
    let online = workers.map(|workers| workers.iter().filter(|worker| worker.online).count());
    let ready = database.is_ok() && broker.is_ok();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let said = |part: &Result<(), String>| match part {
        Ok(()) => json!({ "ready": true }),
        Err(reason) => json!({ "ready": false, "reason": reason }),
    };
    let body = json!({
        "ready": ready,
        "database": said(&database),
        "broker": said(&broker),
        "workers": { "online": online },
        "leader": app.metrics.is_leader(),
    });
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// The server's own numbers, in OpenMetrics text for who asks for it, else in the older text format.
pub async fn metrics(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let workers = app.store.workers().await?;
    let number = |state: WorkerState| workers.iter().filter(|worker| worker.state == state).count() as u64;
    let pool = app.store.connections();
    let now = Moment {
        open: app.store.open_operations().await?,
        outbox: app.store.outbox_waiting().await?,
        notices: app.store.notices_waiting().await?,
        workers: STATES.map(|state| (state.as_str(), number(state))).to_vec(),
        online: workers.iter().filter(|worker| worker.online).count() as u64,
        watchers: app.live.watchers(),
        connections: app.room.taken(),
        pool: (pool.open.saturating_sub(pool.idle), pool.idle, pool.most),
        malformed: app.bus.malformed() + app.links.malformed(),
    };
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let open_metrics = accepted.contains("application/openmetrics-text");
    let kind = if open_metrics { OPEN_METRICS } else { PROMETHEUS };
    Ok(([(header::CONTENT_TYPE, kind)], app.metrics.encode(&now, open_metrics)).into_response())
}
