//! Workers and the queues they listen on.

use axum::Json;
use axum::extract::State;
use netwark_model::queues::Queue;
use netwark_model::workers::Worker;

use crate::app::App;
use crate::error::Problem;

/// Lists workers by name.
#[utoipa::path(
    get, path = "/workers", operation_id = "list_workers", tag = "Workers",
    responses((status = 200, description = "All workers", body = Vec<Worker>)),
)]
pub async fn list_workers(State(app): State<App>) -> Result<Json<Vec<Worker>>, Problem> {
    Ok(Json(app.store.workers().await?))
}

/// Lists queues, built-in ones first.
#[utoipa::path(
    get, path = "/management/backend/queues", operation_id = "list_queues", tag = "Workers",
    responses((status = 200, description = "All queues", body = Vec<Queue>)),
)]
pub async fn list_queues(State(app): State<App>) -> Result<Json<Vec<Queue>>, Problem> {
    Ok(Json(app.store.queues().await?))
}
