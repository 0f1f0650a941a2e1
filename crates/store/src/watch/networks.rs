//! Networks: making, changing, starting and stopping them, and how they are doing.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use netwark_model::events::Severity;
use netwark_model::selector::Selector;
use netwark_model::watch::SWEEP;
use netwark_model::watch::network::{MOST_NETWORKS, Network, NetworkStatus, Severities, Sweep};
use netwark_model::watch::order::SweepOrder;
use sea_orm::entity::prelude::*;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, FromQueryResult, IntoActiveModel, QueryOrder,
    QuerySelect, Set, Statement, TryIntoModel,
};
use uuid::Uuid;

use super::entity::{network, part, sweep};
use super::fold::Memory;
use super::sweeps;
use crate::assignments::{self, AssignmentDraft};
use crate::convert::{duration, from_text, millis, time, to_text};
use crate::events::{self, NewEvent};
use crate::names::is_named;
use crate::{Store, StoreError};

/// Sweeps that may fail to come before a network is in trouble, and it is not known who is there.
const SILENT_SWEEPS: i64 = 3;
/// What a sweep may take longer than its interval, in milliseconds.
const SLACK_MS: i64 = 120_000;

/// What people decide about a network.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSettings {
    /// Its name.
    pub name: String,
    /// What is swept.
    pub prefixes: Vec<IpNet>,
    /// What is left out of it.
    pub exclude: Vec<IpNet>,
    /// Who may sweep it.
    pub selector: Selector,
    /// The interface, when not the one that leads there.
    pub interface: Option<String>,
    /// The VLAN whose tag the packets bear.
    pub vlan: Option<u16>,
    /// From one sweep to the next, in milliseconds.
    pub every_ms: u64,
    /// Packets a second at most, when not the usual.
    pub rate_pps: Option<u32>,
    /// Bits a second at most, as they are counted on the wire.
    pub rate_bps: Option<u64>,
    /// Part of the link's speed that is used at most, in percent, when not the usual.
    pub share: Option<u8>,
    /// Listens between sweeps.
    pub passive: bool,
    /// Asks for names.
    pub names: bool,
    /// Sweeps prefixes above a /16.
    pub large: bool,
    /// Sweeps in a row that may miss a device before it is down.
    pub grace_sweeps: u32,
    /// How much things matter, where that is not as usual.
    pub severities: Severities,
    /// Who may hand out addresses; empty when that is learned.
    pub dhcp_servers: Vec<IpAddr>,
    /// Who may say it is a router; empty when that is learned.
    pub routers: Vec<IpAddr>,
    /// Until when these are learned.
    pub learn_until: Option<Timestamp>,
}

/// What goes, or went, with a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub struct Leavings {
    /// Lines of the timeline about it.
    pub events: i64,
    /// Devices that were seen nowhere else.
    pub devices: i64,
    /// Addresses that were seen on it, by whom.
    pub sightings: i64,
    /// Times during which devices were there.
    pub sessions: i64,
    /// Looks over it.
    pub sweeps: i64,
    /// Entries of the access list that hold nowhere else.
    pub access_entries: i64,
}

/// A network that was changed, and who is to be told.
#[derive(Clone, Debug)]
pub struct ChangedNetwork {
    /// Its name.
    pub name: String,
    /// The worker that holds, or held, its order.
    pub holder: Option<Uuid>,
    /// Its order, unless it is stopped.
    pub assignment_id: Option<Uuid>,
}

impl Store {
    /// Makes a network, and starts it when `start` says so; returns its id.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], or [`StoreError::Conflict`] when there are too many.
    pub async fn add_network(
        &self,
        settings: NetworkSettings,
        start: bool,
        by: &str,
        now: Timestamp,
    ) -> Result<Uuid, StoreError> {
        let by = by.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                free(transaction, &settings.name, None).await?;
                let living = network::Entity::find().filter(network::Column::DeletedAt.is_null());
                if living.count(transaction).await? >= MOST_NETWORKS {
                    return Err(StoreError::Conflict(format!(
                        "there are {MOST_NETWORKS} networks, and no more are possible; delete one first"
                    )));
                }
                let id = Uuid::now_v7();
                let empty = network::ActiveModel {
                    id: Set(id),
                    memory: Set("{}".into()),
                    assignment_id: Set(None),
                    problem: Set(None),
                    seen_at: Set(None),
                    link: Set(None),
                    created_at: Set(millis(now)),
                    created_by: Set(by.clone()),
                    deleted_at: Set(None),
                    history_goes: Set(false),
                    ..Default::default()
                };
                let row = set(empty, &settings)?.insert(transaction).await?;
                if start {
                    begin(transaction, row, settings.selector, &by, now).await?;
                }
                Ok(id)
            })
        })
        .await
    }

    /// Changes what people decide about a network, which was as in `before`; none when there is none of this id.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], or [`StoreError::Conflict`] when somebody has changed it since.
    pub async fn change_network(
        &self,
        id: Uuid,
        before: NetworkSettings,
        settings: NetworkSettings,
    ) -> Result<Option<ChangedNetwork>, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                let Some(row) = living(transaction, id).await? else { return Ok(None) };
                if decided(&row)? != before {
                    return Err(StoreError::changed_meanwhile());
                }
                free(transaction, &settings.name, Some(id)).await?;
                let row = set(row.into_active_model(), &settings)?;
                let row =
                    if row.is_changed() { row.update(transaction).await? } else { row.try_into_model()? };
                let mut holder = None;
                if let Some(assignment) = row.assignment_id {
                    holder =
                        assignments::change(transaction, order(&row, assignment, settings.selector)?).await?;
                }
                Ok(Some(ChangedNetwork { name: row.name, holder, assignment_id: row.assignment_id }))
            })
        })
        .await
    }

    /// Lets a network be swept from now on; none when there is none of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn start_network(
        &self,
        id: Uuid,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<ChangedNetwork>, StoreError> {
        let by = by.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                let Some(row) = living(transaction, id).await? else { return Ok(None) };
                let (name, assignment_id) = (row.name.clone(), row.assignment_id);
                if assignment_id.is_some() {
                    return Ok(Some(ChangedNetwork { name, holder: None, assignment_id }));
                }
                let selector = selector(&row)?;
                let assignment_id = Some(begin(transaction, row, selector, &by, now).await?);
                Ok(Some(ChangedNetwork { name, holder: None, assignment_id }))
            })
        })
        .await
    }

    /// Lets nobody sweep a network any more. Nobody goes down because of it: who is there is not known from now on.
    /// None when there is none of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stop_network(
        &self,
        id: Uuid,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<ChangedNetwork>, StoreError> {
        let by = by.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                let Some(row) = living(transaction, id).await? else { return Ok(None) };
                let name = row.name.clone();
                if row.assignment_id.is_none() {
                    return Ok(Some(ChangedNetwork { name, holder: None, assignment_id: None }));
                }
                let holder = end(transaction, row).await?;
                let text = format!("{by} stopped watching {name}; who is there is not known from now on");
                tell(transaction, (id, name.clone()), "network_stopped", text, now).await?;
                Ok(Some(ChangedNetwork { name, holder, assignment_id: None }))
            })
        })
        .await
    }

    /// What would go with a network; none when there is none of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn network_leavings(&self, id: Uuid) -> Result<Option<Leavings>, StoreError> {
        let row = network::Entity::find_by_id(id).filter(network::Column::DeletedAt.is_null());
        if row.one(self.read()).await?.is_none() {
            return Ok(None);
        }
        leavings(self.read(), id).await.map(Some)
    }

    /// Deletes a network, and keeps what was seen on it under its name or leaves it to [`Self::forget_networks`]. None
    /// when there is none of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_network(
        &self,
        id: Uuid,
        keep_history: bool,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<(ChangedNetwork, Leavings)>, StoreError> {
        let by = by.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                let Some(row) = living(transaction, id).await? else { return Ok(None) };
                let name = row.name.clone();
                let leavings = leavings(transaction, id).await?;
                let holder = end(transaction, row.clone()).await?;
                let mut change = row.into_active_model();
                change.assignment_id = Set(None);
                change.deleted_at = Set(Some(millis(now)));
                change.history_goes = Set(!keep_history);
                change.update(transaction).await?;
                only_there(transaction, id).await?;
                let kept = if keep_history { "its history is kept" } else { "its history goes with it" };
                let text = format!("{by} deleted the network {name}; {kept}");
                let event = NewEvent::new(Severity::Info, "network_deleted", None, text);
                events::insert(transaction, event, now).await?;
                Ok(Some((ChangedNetwork { name, holder, assignment_id: None }, leavings)))
            })
        })
        .await
    }

    /// All networks, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn networks(&self, now: Timestamp) -> Result<Vec<Network>, StoreError> {
        let rows = network::Entity::find().filter(network::Column::DeletedAt.is_null());
        let rows = rows.order_by_asc(network::Column::Name).all(self.read()).await?;
        self.shown(rows, now).await
    }

    /// One network.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn network(&self, id: Uuid, now: Timestamp) -> Result<Option<Network>, StoreError> {
        let row = network::Entity::find_by_id(id).filter(network::Column::DeletedAt.is_null());
        let rows = row.one(self.read()).await?.into_iter().collect();
        Ok(self.shown(rows, now).await?.pop())
    }

    /// The standing order of a network; none while it is stopped, or when there is none of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn network_order(&self, id: Uuid) -> Result<Option<Uuid>, StoreError> {
        let row = network::Entity::find_by_id(id).filter(network::Column::DeletedAt.is_null());
        Ok(row.one(self.read()).await?.and_then(|row| row.assignment_id))
    }

    /// Names of networks by their ids, of those that were deleted and left their history, too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn network_names(&self) -> Result<HashMap<Uuid, String>, StoreError> {
        let rows = network::Entity::find().all(self.read()).await?;
        Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
    }

    async fn shown(&self, rows: Vec<network::Model>, now: Timestamp) -> Result<Vec<Network>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let one = if let [row] = rows.as_slice() { Some(row.id) } else { None };
        let mut latest = sweeps::latest(self.read(), one).await?;
        let counts = counts(self.read(), one).await?;
        let holders = self.holders().await?;
        rows.into_iter()
            .map(|row| {
                let holder = row.assignment_id.and_then(|id| holders.get(&id)).cloned();
                let count = counts.get(&row.id).copied().unwrap_or_default();
                let last = latest.remove(&row.id);
                shown(row, holder, last, count, now)
            })
            .collect()
    }

    /// Who holds which order of a network, with its name and whether it is online.
    async fn holders(&self) -> Result<HashMap<Uuid, (Uuid, String, bool)>, StoreError> {
        let sql = "SELECT a.id, w.id, w.name, w.online FROM assignments a JOIN workers w ON w.id = a.holder \
                   WHERE a.kind = $1";
        let backend = self.read().get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, [SWEEP.into()]);
        let rows = self.read().query_all_raw(statement).await?;
        rows.iter()
            .map(|row| {
                let holder = (row.try_get_by_index(1)?, row.try_get_by_index(2)?, row.try_get_by_index(3)?);
                Ok((row.try_get_by_index(0)?, holder))
            })
            .collect()
    }
}

/// Since when a complete sweep has to be for it to be known who is there.
pub(super) fn fresh_after(every_ms: i64, now: i64) -> i64 {
    now.saturating_sub(SILENT_SWEEPS.saturating_mul(every_ms)).saturating_sub(SLACK_MS)
}

/// True while it is known who is on a network.
pub(super) fn is_watched(row: &network::Model, now: i64) -> bool {
    row.assignment_id.is_some() && row.seen_at.is_some_and(|seen| seen >= fresh_after(row.every_ms, now))
}

/// How many devices were seen on a network, how many of them are up, and how many nobody knows.
#[derive(Clone, Copy, Default)]
struct Counts {
    devices: i64,
    up: i64,
    not_allowed: i64,
}

async fn counts<C: ConnectionTrait>(
    connection: &C,
    one: Option<Uuid>,
) -> Result<HashMap<Uuid, Counts>, StoreError> {
    let only = if one.is_some() { "WHERE network_id = $1" } else { "" };
    let sql = format!(
        "SELECT network_id, count(DISTINCT device_id), count(DISTINCT CASE WHEN up THEN device_id END), \
         count(DISTINCT CASE WHEN standing IN ('unknown', 'denied') THEN device_id END) \
         FROM stations {only} GROUP BY network_id"
    );
    let values: Vec<sea_orm::Value> = one.map(Into::into).into_iter().collect();
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| {
            let counts = Counts {
                devices: row.try_get_by_index(1)?,
                up: row.try_get_by_index(2)?,
                not_allowed: row.try_get_by_index(3)?,
            };
            Ok((row.try_get_by_index(0)?, counts))
        })
        .collect()
}

fn shown(
    row: network::Model,
    holder: Option<(Uuid, String, bool)>,
    last_sweep: Option<Sweep>,
    count: Counts,
    now: Timestamp,
) -> Result<Network, StoreError> {
    let memory: Memory = from_text("memory of a network", &row.memory)?;
    let (status, problem) = status(&row, holder.as_ref(), last_sweep.as_ref(), millis(now));
    let is_watched = is_watched(&row, millis(now));
    let next = last_sweep.as_ref().filter(|_| row.assignment_id.is_some());
    let next = next.map(|sweep| time(millis(sweep.started_at).saturating_add(row.every_ms)));
    let number = |number: i64| u64::try_from(number).unwrap_or_default();
    Ok(Network {
        id: row.id,
        prefixes: from_text("list of prefixes", &row.prefixes)?,
        exclude: from_text("list of prefixes", &row.exclude)?,
        from: row.selector,
        interface: row.interface,
        vlan: row.vlan.and_then(|vlan| u16::try_from(vlan).ok()),
        interval_ms: number(row.every_ms),
        rate_pps: row.rate_pps.and_then(|rate| u32::try_from(rate).ok()),
        rate_bps: row.rate_bps.and_then(|rate| u64::try_from(rate).ok()),
        share: row.share.and_then(|share| u8::try_from(share).ok()),
        passive: row.passive,
        names: row.names,
        large: row.large,
        grace_sweeps: u32::try_from(row.grace_sweeps).unwrap_or(1),
        severities: from_text("set of severities", &row.severities)?,
        dhcp_servers: from_text("list of addresses", &row.dhcp_servers)?,
        routers: from_text("list of addresses", &row.routers)?,
        learn_until: row.learn_until.map(time),
        running: row.assignment_id.is_some(),
        status,
        problem,
        worker_id: holder.as_ref().map(|(id, ..)| *id),
        worker: holder.map(|(_, name, _)| name),
        last_sweep,
        next_sweep_at: next,
        devices: number(count.devices),
        up: if is_watched { number(count.up) } else { 0 },
        not_allowed: number(count.not_allowed),
        learned: memory.learned,
        link: row.link.map(|link| from_text("link", &link)).transpose()?,
        created_at: time(row.created_at),
        created_by: row.created_by,
        name: row.name,
    })
}

/// How a network is doing, and what is wrong.
fn status(
    row: &network::Model,
    holder: Option<&(Uuid, String, bool)>,
    last: Option<&Sweep>,
    now: i64,
) -> (NetworkStatus, Option<String>) {
    if row.assignment_id.is_none() {
        return (NetworkStatus::Stopped, None);
    }
    let nobody =
        || format!("no worker that is online fits '{}'; start one there, or choose another", row.selector);
    let Some(last) = last else {
        let why = match holder {
            None => Some(nobody()),
            Some((_, name, false)) => Some(format!("its worker {name} is offline")),
            Some(_) => row.problem.clone(),
        };
        return (NetworkStatus::NeverDeployed, why);
    };
    if let Some(problem) = &row.problem {
        return (NetworkStatus::Error, Some(problem.clone()));
    }
    let ended_at = millis(last.started_at).saturating_add(duration(last.took_ms));
    if ended_at < fresh_after(row.every_ms, now) {
        let silent = now.saturating_sub(ended_at) / 60_000;
        let why = match holder {
            None => nobody(),
            Some((_, name, false)) => format!("its worker {name} is offline"),
            Some((_, name, true)) => format!("its worker {name} is online, but brings no sweeps"),
        };
        return (NetworkStatus::Error, Some(format!("no sweep came for {silent} min: {why}")));
    }
    match holder {
        None => (NetworkStatus::Error, Some(nobody())),
        Some(_) => (NetworkStatus::Active, None),
    }
}

/// The row of a network that was not deleted, locked until the commit.
async fn living(transaction: &DatabaseTransaction, id: Uuid) -> Result<Option<network::Model>, StoreError> {
    let row = network::Entity::find_by_id(id).filter(network::Column::DeletedAt.is_null());
    Ok(row.lock_exclusive().one(transaction).await?)
}

/// Makes sure that no other network has the name.
async fn free(transaction: &DatabaseTransaction, name: &str, but: Option<Uuid>) -> Result<(), StoreError> {
    let mut other = network::Entity::find().filter(network::Column::DeletedAt.is_null()).filter(is_named(
        transaction,
        "networks",
        name,
    ));
    if let Some(id) = but {
        other = other.filter(network::Column::Id.ne(id));
    }
    match other.one(transaction).await? {
        Some(other) => Err(StoreError::NameTaken(format!("a network named '{}' exists already", other.name))),
        None => Ok(()),
    }
}

fn set(
    mut row: network::ActiveModel,
    settings: &NetworkSettings,
) -> Result<network::ActiveModel, StoreError> {
    row.name = Set(settings.name.clone());
    row.prefixes = Set(to_text("list of prefixes", &settings.prefixes)?);
    row.exclude = Set(to_text("list of prefixes", &settings.exclude)?);
    row.selector = Set(settings.selector.to_string());
    row.interface = Set(settings.interface.clone());
    row.vlan = Set(settings.vlan.map(i32::from));
    row.every_ms = Set(duration(settings.every_ms));
    row.rate_pps = Set(settings.rate_pps.map(i64::from));
    row.rate_bps = Set(settings.rate_bps.map(|rate| i64::try_from(rate).unwrap_or(i64::MAX)));
    row.share = Set(settings.share.map(i32::from));
    row.passive = Set(settings.passive);
    row.names = Set(settings.names);
    row.large = Set(settings.large);
    row.grace_sweeps = Set(i32::try_from(settings.grace_sweeps).unwrap_or(i32::MAX));
    row.severities = Set(to_text("set of severities", &settings.severities)?);
    row.dhcp_servers = Set(to_text("list of addresses", &settings.dhcp_servers)?);
    row.routers = Set(to_text("list of addresses", &settings.routers)?);
    row.learn_until = Set(settings.learn_until.map(millis));
    Ok(row)
}

/// What people have decided about a network.
fn decided(row: &network::Model) -> Result<NetworkSettings, StoreError> {
    Ok(NetworkSettings {
        name: row.name.clone(),
        prefixes: from_text("list of prefixes", &row.prefixes)?,
        exclude: from_text("list of prefixes", &row.exclude)?,
        selector: selector(row)?,
        interface: row.interface.clone(),
        vlan: row.vlan.and_then(|vlan| u16::try_from(vlan).ok()),
        every_ms: u64::try_from(row.every_ms).unwrap_or_default(),
        rate_pps: row.rate_pps.and_then(|rate| u32::try_from(rate).ok()),
        rate_bps: row.rate_bps.and_then(|rate| u64::try_from(rate).ok()),
        share: row.share.and_then(|share| u8::try_from(share).ok()),
        passive: row.passive,
        names: row.names,
        large: row.large,
        grace_sweeps: u32::try_from(row.grace_sweeps).unwrap_or_default(),
        severities: from_text("set of severities", &row.severities)?,
        dhcp_servers: from_text("list of addresses", &row.dhcp_servers)?,
        routers: from_text("list of addresses", &row.routers)?,
        learn_until: row.learn_until.map(time),
    })
}

fn selector(row: &network::Model) -> Result<Selector, StoreError> {
    Selector::parse(&row.selector)
        .map_err(|error| StoreError::Content { what: "selector of a network", detail: error.to_string() })
}

/// The standing order of a network.
fn order(row: &network::Model, id: Uuid, selector: Selector) -> Result<AssignmentDraft, StoreError> {
    let said = decided(row)?;
    let order = SweepOrder {
        network_id: row.id,
        prefixes: said.prefixes,
        exclude: said.exclude,
        interface: said.interface,
        vlan: said.vlan,
        rate_pps: said.rate_pps,
        rate_bps: said.rate_bps,
        share: said.share,
        passive: said.passive,
        names: said.names,
        large: said.large,
        grace_sweeps: said.grace_sweeps,
    };
    let body = serde_json::to_value(&order)
        .map_err(|error| StoreError::Content { what: "standing order", detail: error.to_string() })?;
    Ok(AssignmentDraft { id, kind: SWEEP.into(), every_ms: said.every_ms, body, selector })
}

/// Gives a network an order; the leader finds who holds it.
async fn begin(
    transaction: &DatabaseTransaction,
    row: network::Model,
    selector: Selector,
    by: &str,
    now: Timestamp,
) -> Result<Uuid, StoreError> {
    let assignment = Uuid::now_v7();
    assignments::create(transaction, order(&row, assignment, selector)?, now).await?;
    let (id, name) = (row.id, row.name.clone());
    let mut change = row.into_active_model();
    change.assignment_id = Set(Some(assignment));
    change.problem = Set(None);
    change.update(transaction).await?;
    let text = format!("{by} started watching {name}");
    tell(transaction, (id, name), "network_started", text, now).await?;
    Ok(assignment)
}

/// Takes its order from a network, and ends what is said to be there when it was last seen.
async fn end(transaction: &DatabaseTransaction, row: network::Model) -> Result<Option<Uuid>, StoreError> {
    let holder = match row.assignment_id {
        Some(assignment) => assignments::remove(transaction, assignment).await?,
        None => None,
    };
    let backend = transaction.get_database_backend();
    let swept_at = row.seen_at.unwrap_or_default();
    for sql in [
        "UPDATE stations SET last_seen_at = $1 WHERE network_id = $2 AND up AND missed = 0 AND last_seen_at < $1",
        "UPDATE presence_sessions SET ended_at = (SELECT max(s.last_seen_at, began_at) FROM stations s \
         WHERE s.id = presence_sessions.station_id) WHERE network_id = $2 AND ended_at IS NULL AND $1 >= 0",
        "UPDATE stations SET session_id = NULL, missed = 0 WHERE network_id = $2 \
         AND (session_id IS NOT NULL OR missed > 0) AND $1 >= 0",
    ] {
        let sql = match backend {
            sea_orm::DbBackend::Postgres => sql.replace("max(s.last_seen_at", "greatest(s.last_seen_at"),
            _ => sql.to_owned(),
        };
        let statement = Statement::from_sql_and_values(backend, sql, [swept_at.into(), row.id.into()]);
        transaction.execute_raw(statement).await?;
    }
    part::Entity::delete_many().filter(part::Column::NetworkId.eq(row.id)).exec(transaction).await?;
    let mut change = row.into_active_model();
    change.assignment_id = Set(None);
    change.seen_at = Set(None);
    change.problem = Set(None);
    change.update(transaction).await?;
    Ok(holder)
}

async fn tell(
    transaction: &DatabaseTransaction,
    network: (Uuid, String),
    kind: &'static str,
    text: String,
    now: Timestamp,
) -> Result<(), StoreError> {
    let event = NewEvent { network: Some(network), ..NewEvent::new(Severity::Info, kind, None, text) };
    events::insert(transaction, event, now).await
}

async fn leavings<C: ConnectionTrait>(connection: &C, id: Uuid) -> Result<Leavings, StoreError> {
    let sql = "SELECT \
        (SELECT count(*) FROM events WHERE network_id = $1) AS events, \
        (SELECT count(*) FROM devices d WHERE EXISTS \
            (SELECT 1 FROM stations s WHERE s.device_id = d.id AND s.network_id = $1) AND NOT EXISTS \
            (SELECT 1 FROM stations s WHERE s.device_id = d.id AND s.network_id <> $1)) AS devices, \
        (SELECT count(*) FROM station_addresses WHERE network_id = $1) AS sightings, \
        (SELECT count(*) FROM presence_sessions WHERE network_id = $1) AS sessions, \
        (SELECT count(*) FROM sweeps WHERE network_id = $1) AS sweeps, \
        (SELECT count(*) FROM access_entries e WHERE NOT e.everywhere AND EXISTS \
            (SELECT 1 FROM access_entry_networks n WHERE n.entry_id = e.id AND n.network_id = $1) AND NOT EXISTS \
            (SELECT 1 FROM access_entry_networks n WHERE n.entry_id = e.id AND n.network_id <> $1)) AS access_entries";
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, [id.into()]);
    Ok(Leavings::find_by_statement(statement).one(connection).await?.unwrap_or_default())
}

/// Deletes entries of the access list that hold on this network alone, and lets the others hold elsewhere.
async fn only_there(transaction: &DatabaseTransaction, id: Uuid) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM access_entries WHERE NOT everywhere AND id IN \
         (SELECT entry_id FROM access_entry_networks WHERE network_id = $1) AND NOT EXISTS \
         (SELECT 1 FROM access_entry_networks n WHERE n.entry_id = access_entries.id AND n.network_id <> $1)",
        "DELETE FROM access_entry_networks WHERE network_id = $1",
    ] {
        let backend = transaction.get_database_backend();
        transaction.execute_raw(Statement::from_sql_and_values(backend, sql, [id.into()])).await?;
    }
    Ok(())
}

/// A row as it is listed.
pub(super) fn sweep_of(row: sweep::Model) -> Sweep {
    let number = |number: i32| u32::try_from(number).unwrap_or_default();
    Sweep {
        id: row.id,
        worker_id: row.worker_id,
        worker: row.worker_name,
        started_at: time(row.started_at),
        took_ms: u64::try_from(row.ended_at.saturating_sub(row.started_at)).unwrap_or_default(),
        complete: row.complete,
        probed: u64::try_from(row.probed).unwrap_or_default(),
        hosts: number(row.hosts),
        newcomers: number(row.newcomers),
        gone: number(row.gone),
        error: row.error,
    }
}
