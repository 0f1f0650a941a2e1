//! Workers: who they are, and what administrators do to them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use netwark_model::error::FieldError;
use netwark_model::messages::{Order, control, inbox};
use netwark_model::workers::Worker;
use netwark_store::StoreError;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::{Denied, Invalid, NameTaken, NoWorker, NotThisWorker, StillHere};
use super::input::WorkerChanges;
use super::presence::{self, ANSWER_WITHIN, FAREWELL_WITHIN};
use crate::app::App;
use crate::auth::Principal;
use crate::error::Problem;
use crate::extract::{Body, Id};

/// Whether a worker takes new work.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Drain {
    /// True to finish what runs and take nothing new, false to take work again.
    draining: bool,
}

/// List workers by name.
#[utoipa::path(
    get, path = "/workers", operation_id = "list_workers", tag = "Workers",
    responses((status = 200, description = "All workers", body = Vec<Worker>), Denied),
)]
pub(crate) async fn list_workers(State(app): State<App>) -> Result<Json<Vec<Worker>>, Problem> {
    Ok(Json(app.store.workers().await?))
}

/// Show a worker.
#[utoipa::path(
    get, path = "/workers/{id}", operation_id = "get_worker", tag = "Workers",
    params(("id" = Uuid, Path, description = "Id of the worker")),
    responses((status = 200, body = Worker), Denied, NoWorker),
)]
pub(crate) async fn get_worker(State(app): State<App>, Id(id): Id) -> Result<Json<Worker>, Problem> {
    app.store.worker(id).await?.map(Json).ok_or_else(super::unknown)
}

/// Change what is set of a worker.
///
/// What an administrator sets wins over what the worker says of itself, until it is given back by null.
/// A worker that is here learns of it at once.
#[utoipa::path(
    patch, path = "/workers/{id}", operation_id = "change_worker", tag = "Workers",
    params(("id" = Uuid, Path, description = "Id of the worker")),
    request_body(content = WorkerChanges, example = json!({"site": "paris", "tags": ["dc", "ipv6"], "location": null})),
    responses((status = 200, body = Worker), Invalid, Denied, NoWorker, NameTaken),
)]
pub(crate) async fn change_worker(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    Body(changes): Body<WorkerChanges>,
) -> Result<Json<Worker>, Problem> {
    let queues = app.store.queue_kinds().await?;
    let edit = changes.checked(&queues).map_err(Problem::fields)?;
    let changed = app.store.change_worker(id, edit, &principal.label(), Timestamp::now()).await;
    let changed = changed.map_err(|error| match error {
        StoreError::Conflict(detail) => {
            Problem::conflict(detail.clone()).with_errors(vec![FieldError::body("name", detail)])
        }
        other => other.into(),
    })?;
    let worker = changed.ok_or_else(super::unknown)?;
    super::changed(&app, id).await;
    tracing::info!(by = principal.label(), worker = %worker.name, %id, "a worker was changed");
    if worker.online {
        presence::tell(&app, id, Order::Introduce, ANSWER_WITHIN).await;
    }
    Ok(Json(worker))
}

/// Let a worker take no new work, or take work again.
///
/// A worker that drains finishes what it runs. New operations list it as skipped. To let it take work again also ends
/// what it wants by itself, as when it was told by a signal; one that is away learns it when it is back.
#[utoipa::path(
    post, path = "/workers/{id}/drain", operation_id = "drain_worker", tag = "Workers",
    params(("id" = Uuid, Path, description = "Id of the worker")),
    request_body(content = Drain, example = json!({"draining": true})),
    responses((status = 200, body = Worker), Invalid, Denied, NoWorker, NotThisWorker),
)]
pub(crate) async fn drain_worker(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    Body(Drain { draining }): Body<Drain>,
) -> Result<Json<Worker>, Problem> {
    let drained = app.store.drain_worker(id, draining, &principal.label(), Timestamp::now()).await?;
    let worker = drained.ok_or_else(super::unknown)?;
    super::changed(&app, id).await;
    tracing::info!(by = principal.label(), worker = %worker.name, %id, draining, "a worker drains, or no longer");
    // One that is away learns it from the answer to its next hello, and who does not hear it by saying that it
    // is alive.
    if worker.online
        && let Some(card) = app.store.worker_card(id).await?
    {
        presence::tell_to_drain(&app, id, card.drain).await;
    }
    Ok(Json(worker))
}

/// Revoke a worker.
///
/// It is cut at once on every path and its program ends. Results that only it could bring end with an
/// error; work of direct queues goes to another worker. Its name stays taken until it is deleted.
#[utoipa::path(
    post, path = "/workers/{id}/revoke", operation_id = "revoke_worker", tag = "Workers",
    params(("id" = Uuid, Path, description = "Id of the worker")),
    responses((status = 200, body = Worker), Denied, NoWorker, NotThisWorker),
)]
pub(crate) async fn revoke_worker(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
) -> Result<Json<Worker>, Problem> {
    let revoked = app.store.revoke_worker(id, &principal.label(), Timestamp::now()).await?;
    let (worker, changes) = revoked.ok_or_else(super::unknown)?;
    changes.into_iter().for_each(|change| app.live.changed(change));
    tracing::warn!(by = principal.label(), worker = %worker.name, %id, "a worker was revoked");
    presence::tell(&app, id, presence::revoked(), FAREWELL_WITHIN).await;
    // The control address stays, so that the worker hears that it has to end.
    remove_addresses(&app, id, vec![inbox(id)]).await;
    super::changed(&app, id).await;
    Ok(Json(worker))
}

/// Delete a worker that is not here.
///
/// What it measured stays, under its name. Its token is of no use any more.
#[utoipa::path(
    delete, path = "/workers/{id}", operation_id = "delete_worker", tag = "Workers",
    params(("id" = Uuid, Path, description = "Id of the worker")),
    responses((status = 204, description = "Deleted"), Denied, NoWorker, StillHere),
)]
pub(crate) async fn delete_worker(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let removed = app.store.remove_worker(id, &principal.label(), Timestamp::now()).await?;
    let (worker, changes) = removed.ok_or_else(super::unknown)?;
    changes.into_iter().for_each(|change| app.live.changed(change));
    tracing::info!(by = principal.label(), worker = %worker.name, %id, "a worker was deleted");
    remove_addresses(&app, id, vec![inbox(id), control(id)]).await;
    super::changed(&app, id).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes addresses; those that a broker keeps because it is away expire there by themselves.
async fn remove_addresses(app: &App, id: Uuid, addresses: Vec<String>) {
    if let Err(error) = app.bus.remove(addresses).await {
        tracing::warn!(worker = %id, %error, "the addresses of a worker could not be removed");
    }
}
