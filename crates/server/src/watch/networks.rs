//! `/networks`.

use std::time::Duration;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::Timestamp;
use netwark_model::messages::Order;
use netwark_model::watch::network::{Network, Sweep};
use netwark_store::watch::networks::{ChangedNetwork, Leavings};
use serde::Serialize;
use utoipa::ToSchema;

use super::answers::{Invalid, MayRead, MayWrite, NetworkInTheWay, NetworkTaken, NoNetwork};
use super::happened;
use super::input::{NetworkFields, settings};
use crate::app::App;
use crate::assignments;
use crate::auth::Principal;
use crate::error::Problem;
use crate::extract::{Body, Id, Params, page_before};
use crate::workers::presence::tell;

/// An order to sweep now is of no use later than this.
const SWEEP_WITHIN: Duration = Duration::from_secs(60);

/// What went, or would go, with a network.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedNetwork {
    /// Name of the network.
    #[schema(example = "Office")]
    name: String,
    /// False when this only says what would go.
    deleted: bool,
    /// True when the history stays.
    history_kept: bool,
    /// Lines of the timeline about it.
    events: u64,
    /// Devices that were seen nowhere else.
    devices: u64,
    /// Addresses that were seen on it.
    sightings: u64,
    /// Times during which devices were there.
    sessions: u64,
    /// Sweeps.
    sweeps: u64,
    /// Entries of the access list that hold nowhere else. They go even when the history stays.
    access_entries: u64,
}

/// A sweep that was asked for.
#[derive(Serialize, ToSchema)]
pub(crate) struct SweepAsked {
    /// The worker that was told.
    #[schema(example = "paris-1")]
    worker: String,
}

/// List networks by name.
#[utoipa::path(
    get, path = "/networks", operation_id = "list_networks", tag = "Watch",
    responses((status = 200, description = "All networks", body = Vec<Network>), MayRead),
)]
pub(crate) async fn list_networks(State(app): State<App>) -> Result<Json<Vec<Network>>, Problem> {
    Ok(Json(app.store.networks(Timestamp::now()).await?))
}

/// Make a network.
///
/// It is swept at once, unless `start` is false.
#[utoipa::path(
    post, path = "/networks", operation_id = "create_network", tag = "Watch",
    request_body(content = NetworkFields, example = json!({"name": "Office", "prefixes": ["192.0.2.0/24"], "from": "worker:paris-1"})),
    responses((status = 201, body = Network), Invalid, MayWrite, NetworkTaken),
)]
pub(crate) async fn create_network(
    State(app): State<App>,
    principal: Principal,
    Body(fields): Body<NetworkFields>,
) -> Result<impl IntoResponse, Problem> {
    let now = Timestamp::now();
    let start = fields.start.unwrap_or(true);
    let settings = fields.create(now).map_err(Problem::fields)?;
    let id = app.store.add_network(settings, start, &principal.label(), now).await?;
    tracing::info!(by = principal.label(), network = %id, "a network was made");
    if start {
        // A worker is told at once rather than with the next look.
        assignments::place(&app, now).await;
        happened(&app).await;
    }
    let network = app.store.network(id, Timestamp::now()).await?.ok_or_else(unknown)?;
    Ok((StatusCode::CREATED, Json(network)))
}

/// Show a network.
#[utoipa::path(
    get, path = "/networks/{id}", operation_id = "get_network", tag = "Watch",
    params(("id" = Uuid, Path, description = "Id of the network")),
    responses((status = 200, body = Network), MayRead, NoNetwork),
)]
pub(crate) async fn get_network(State(app): State<App>, Id(id): Id) -> Result<Json<Network>, Problem> {
    app.store.network(id, Timestamp::now()).await?.map(Json).ok_or_else(unknown)
}

/// Change a network.
///
/// What is left out stays. Its worker learns of it at once.
#[utoipa::path(
    patch, path = "/networks/{id}", operation_id = "change_network", tag = "Watch",
    params(("id" = Uuid, Path, description = "Id of the network")),
    request_body(content = NetworkFields, example = json!({"interval_ms": 300000, "interface": null})),
    responses((status = 200, body = Network), Invalid, MayWrite, NoNetwork, NetworkInTheWay),
)]
pub(crate) async fn change_network(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    Body(fields): Body<NetworkFields>,
) -> Result<Json<Network>, Problem> {
    let before = app.store.network(id, Timestamp::now()).await?.ok_or_else(unknown)?;
    let before = settings(before).map_err(Problem::fields)?;
    let settings = fields.change(before.clone()).map_err(Problem::fields)?;
    let changed = app.store.change_network(id, before, settings).await?.ok_or_else(unknown)?;
    tracing::info!(by = principal.label(), network = changed.name, "a network was changed");
    inform(&app, &changed).await?;
    get_network(State(app), Id(id)).await
}

/// Watch a network from now on.
#[utoipa::path(
    post, path = "/networks/{id}/start", operation_id = "start_network", tag = "Watch",
    params(("id" = Uuid, Path, description = "Id of the network")),
    responses((status = 200, body = Network), MayWrite, NoNetwork),
)]
pub(crate) async fn start_network(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
) -> Result<Json<Network>, Problem> {
    let now = Timestamp::now();
    let changed = app.store.start_network(id, &principal.label(), now).await?.ok_or_else(unknown)?;
    tracing::info!(by = principal.label(), network = changed.name, "a network was started");
    assignments::place(&app, now).await;
    happened(&app).await;
    get_network(State(app), Id(id)).await
}

/// Watch a network no more.
///
/// Nobody goes down because of it: who is there is not known from now on.
#[utoipa::path(
    post, path = "/networks/{id}/stop", operation_id = "stop_network", tag = "Watch",
    params(("id" = Uuid, Path, description = "Id of the network")),
    responses((status = 200, body = Network), MayWrite, NoNetwork),
)]
pub(crate) async fn stop_network(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
) -> Result<Json<Network>, Problem> {
    let changed = app.store.stop_network(id, &principal.label(), Timestamp::now()).await?;
    let changed = changed.ok_or_else(unknown)?;
    tracing::info!(by = principal.label(), network = changed.name, "a network was stopped");
    inform(&app, &changed).await?;
    happened(&app).await;
    get_network(State(app), Id(id)).await
}

/// Delete a network.
///
/// With `keep_history` its events, sweeps and devices stay to be read; otherwise all of it goes. With `dry_run` nothing
/// happens, and the answer says how much would go.
#[utoipa::path(
    delete, path = "/networks/{id}", operation_id = "delete_network", tag = "Watch",
    params(
        ("id" = Uuid, Path, description = "Id of the network"),
        ("keep_history" = Option<bool>, Query, description = "Keep what was seen on it; false when left out"),
        ("dry_run" = Option<bool>, Query, description = "Only say what would go"),
    ),
    responses((status = 200, body = DeletedNetwork), Invalid, MayWrite, NoNetwork),
)]
pub(crate) async fn delete_network(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    mut params: Params,
) -> Result<Json<DeletedNetwork>, Problem> {
    let keep = params.flag("keep_history").unwrap_or(false);
    let dry_run = params.flag("dry_run").unwrap_or(false);
    params.finish()?;
    let now = Timestamp::now();
    if dry_run {
        let network = app.store.network(id, now).await?.ok_or_else(unknown)?;
        let leavings = app.store.network_leavings(id).await?.ok_or_else(unknown)?;
        return Ok(Json(deleted(network.name, false, keep, leavings)));
    }
    let removed = app.store.remove_network(id, keep, &principal.label(), now).await?;
    let (changed, leavings) = removed.ok_or_else(unknown)?;
    tracing::info!(by = principal.label(), network = changed.name, keep, "a network was deleted");
    happened(&app).await;
    inform(&app, &changed).await?;
    if !keep && let Err(error) = app.store.forget_networks().await {
        // The network is gone all the same, and the sweeper does the rest.
        tracing::warn!(%error, "what a deleted network has left stays for a while");
    }
    Ok(Json(deleted(changed.name, true, keep, leavings)))
}

/// List sweeps of a network, the latest first.
///
/// The next page is the same request with `before` set to the beginning of the last one of this.
#[utoipa::path(
    get, path = "/networks/{id}/sweeps", operation_id = "list_sweeps", tag = "Watch",
    params(
        ("id" = Uuid, Path, description = "Id of the network"),
        ("before" = Option<String>, Query, description = "Only those that ended before this time"),
        ("per_page" = Option<u64>, Query, description = "1 to 1000, default 50"),
    ),
    responses(
        (status = 200, description = "A page of sweeps", body = Vec<Sweep>, headers(
            ("Link" = String, description = "The page behind this one, RFC 8288; absent on the last"),
        )),
        Invalid, MayRead, NoNetwork,
    ),
)]
pub(crate) async fn list_sweeps(
    State(app): State<App>,
    Id(id): Id,
    OriginalUri(uri): OriginalUri,
    mut params: Params,
) -> Result<impl IntoResponse, Problem> {
    let before = params.time("before");
    let limit = params.per_page();
    params.finish()?;
    app.store.network(id, Timestamp::now()).await?.ok_or_else(unknown)?;
    let sweeps = app.store.sweeps(id, before, limit + 1).await?;
    Ok(page_before(sweeps, limit, &uri, |sweep| sweep.started_at.to_string()))
}

/// Sweep a network now.
///
/// Its worker is told; the sweep shows up among the others when it has ended.
#[utoipa::path(
    post, path = "/networks/{id}/sweeps", operation_id = "sweep_now", tag = "Watch",
    params(("id" = Uuid, Path, description = "Id of the network")),
    responses(
        (status = 202, description = "The worker was told", body = SweepAsked),
        (status = 409, description = "The network is stopped, or no worker holds it", body = crate::error::ProblemBody, content_type = "application/problem+json"),
        MayWrite, NoNetwork,
    ),
)]
pub(crate) async fn sweep_now(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
) -> Result<impl IntoResponse, Problem> {
    let network = app.store.network(id, Timestamp::now()).await?.ok_or_else(unknown)?;
    let held = app.store.network_order(id).await?;
    let Some(assignment_id) = held.filter(|_| network.running) else {
        return Err(Problem::conflict(format!("{} is stopped; start it first", network.name)));
    };
    let (Some(worker), Some(name)) = (network.worker_id, network.worker) else {
        let detail = format!("no worker that is online fits '{}'; start one there first", network.from);
        return Err(Problem::conflict(detail));
    };
    tracing::info!(by = principal.label(), network = network.name, worker = name, "a sweep was asked for");
    tell(&app, worker, Order::Now { assignment_id }, SWEEP_WITHIN).await;
    Ok((StatusCode::ACCEPTED, Json(SweepAsked { worker: name })))
}

/// Tells the worker that holds, or held, a network what it holds now.
async fn inform(app: &App, changed: &ChangedNetwork) -> Result<(), Problem> {
    if let Some(holder) = changed.holder {
        assignments::inform(app, holder).await?;
    }
    Ok(())
}

fn deleted(name: String, deleted: bool, history_kept: bool, leavings: Leavings) -> DeletedNetwork {
    let number = |number: i64| u64::try_from(number).unwrap_or_default();
    DeletedNetwork {
        name,
        deleted,
        history_kept,
        events: number(leavings.events),
        devices: number(leavings.devices),
        sightings: number(leavings.sightings),
        sessions: number(leavings.sessions),
        sweeps: number(leavings.sweeps),
        access_entries: number(leavings.access_entries),
    }
}

pub(super) fn unknown() -> Problem {
    Problem::not_found("there is no network of this id")
}
