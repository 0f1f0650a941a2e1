//! Saying that several devices are one, or that one is several.

use jiff::Timestamp;
use netwark_model::watch::device::{Criticality, DeviceDetail};
use sea_orm::entity::prelude::*;
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, ExprTrait, IntoActiveModel, QueryOrder, QuerySelect, Set,
};
use uuid::Uuid;

use super::super::entity::{change, device, network, proposal, station};
use super::super::load;
use super::change::note;
use super::of_ids;
use crate::convert::{from_text, to_text};
use crate::{Store, StoreError};

/// Most devices that become one at once.
pub const MOST_MERGED: usize = 50;

impl Store {
    /// Makes one device of several: the first one stays, with the interfaces and the history of all. None when there is
    /// none of its id.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one of the others does not exist.
    pub async fn merge_devices(
        &self,
        id: Uuid,
        others: Vec<Uuid>,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<DeviceDetail>, StoreError> {
        let by = by.to_owned();
        let merged = self.write(move |transaction| {
            Box::pin(async move {
                let others: Vec<Uuid> =
                    others.into_iter().filter(|other| *other != id).take(MOST_MERGED).collect();
                lock_networks(transaction, &[others.as_slice(), &[id]].concat()).await?;
                let Some(row) = device::Entity::find_by_id(id).one(transaction).await? else {
                    return Ok(false);
                };
                let rows = of_ids::<device::Entity>(transaction, "devices", "id", &others).await?;
                if let Some(missing) = others.iter().find(|id| !rows.iter().any(|row| row.id == **id)) {
                    return Err(StoreError::Conflict(format!("there is no device {missing}")));
                }
                join(transaction, row, rows, &by, now).await?;
                Ok(true)
            })
        });
        if merged.await? { self.device(id, now).await } else { Ok(None) }
    }

    /// Makes a device of its own of some interfaces of another. None when there is none of this id.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when an interface is not the device's, or none would be left.
    pub async fn split_device(
        &self,
        id: Uuid,
        interfaces: Vec<Uuid>,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<DeviceDetail>, StoreError> {
        let by = by.to_owned();
        let split = self.write(move |transaction| {
            Box::pin(async move {
                lock_networks(transaction, &[id]).await?;
                let Some(row) = device::Entity::find_by_id(id).one(transaction).await? else {
                    return Ok(None);
                };
                apart(transaction, row, &interfaces, &by, now).await.map(Some)
            })
        });
        match split.await? {
            Some(new) => self.device(new, now).await,
            None => Ok(None),
        }
    }

    /// Says that two devices are not the same, so that it is not proposed any more; false when there is no such
    /// proposal for this device.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dismiss_proposal(&self, device: Uuid, id: Uuid) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                let of = proposal::Column::DeviceId.eq(device).or(proposal::Column::OtherId.eq(device));
                let row = proposal::Entity::find_by_id(id).filter(of).one(transaction).await?;
                let Some(row) = row else { return Ok(false) };
                let mut change = row.into_active_model();
                change.dismissed = Set(true);
                change.update(transaction).await?;
                Ok(true)
            })
        })
        .await
    }
}

/// Locks the networks of devices, so that no report is taken in meanwhile, in the order of their ids.
pub(super) async fn lock_networks(
    transaction: &DatabaseTransaction,
    devices: &[Uuid],
) -> Result<(), StoreError> {
    let stations = of_ids::<station::Entity>(transaction, "stations", "device_id", devices).await?;
    let mut ids: Vec<Uuid> = stations.into_iter().map(|station| station.network_id).collect();
    ids.sort_unstable();
    ids.dedup();
    network::Entity::find()
        .filter(network::Column::Id.is_in(ids))
        .order_by_asc(network::Column::Id)
        .lock_exclusive()
        .all(transaction)
        .await?;
    Ok(())
}

async fn join(
    transaction: &DatabaseTransaction,
    row: device::Model,
    others: Vec<device::Model>,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = row.id;
    let ids: Vec<Uuid> = others.iter().map(|other| other.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let moved = station::Entity::update_many().col_expr(station::Column::DeviceId, Expr::value(id));
    moved.filter(station::Column::DeviceId.is_in(ids.clone())).exec(transaction).await?;
    let moved = change::Entity::update_many().col_expr(change::Column::DeviceId, Expr::value(id));
    moved.filter(change::Column::DeviceId.is_in(ids.clone())).exec(transaction).await?;
    let between =
        proposal::Column::DeviceId.is_in(ids.clone()).or(proposal::Column::OtherId.is_in(ids.clone()));
    proposal::Entity::delete_many().filter(between).exec(transaction).await?;
    crate::events::move_device(transaction, &ids, id).await?;
    crate::channels::move_device(transaction, &ids, id).await?;

    let mut after = row.clone();
    let mut tags: Vec<String> = from_text("list of tags", &row.tags)?;
    for other in &others {
        note(transaction, id, "merged", (Some(other.label.clone()), Some(row.label.clone())), by, now)
            .await?;
        // What people said of the one that stays wins; where they said nothing, the others' word stands.
        if after.name.is_none() && other.name.is_some() {
            after.name.clone_from(&other.name);
            after.label.clone_from(&other.label);
        }
        if !after.kind_is_set && other.kind_is_set || after.kind.is_empty() {
            after.kind.clone_from(&other.kind);
            after.kind_is_set = other.kind_is_set;
        }
        if after.owner.is_empty() {
            after.owner.clone_from(&other.owner);
        }
        if !other.notes.is_empty() && !after.notes.contains(&other.notes) {
            let notes = format!("{}\n{}", after.notes, other.notes);
            after.notes = notes.trim().chars().take(4000).collect();
        }
        if after.vendor.is_none() {
            after.vendor.clone_from(&other.vendor);
        }
        if after.severities == "{}" {
            after.severities.clone_from(&other.severities);
        }
        let worst = |row: &device::Model| Criticality::from_word(&row.criticality).unwrap_or_default();
        after.criticality = worst(&after).max(worst(other)).as_str().into();
        for tag in from_text::<Vec<String>>("list of tags", &other.tags)? {
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        after.first_seen_at = Ord::min(after.first_seen_at, other.first_seen_at);
        after.last_seen_at = Ord::max(after.last_seen_at, other.last_seen_at);
    }
    after.tags = to_text("list of tags", &tags)?;
    device::Entity::delete_many().filter(device::Column::Id.is_in(ids)).exec(transaction).await?;
    let mut change = row.into_active_model();
    change.name = Set(after.name);
    change.label = Set(after.label);
    change.kind = Set(after.kind);
    change.kind_is_set = Set(after.kind_is_set);
    change.owner = Set(after.owner);
    change.notes = Set(after.notes);
    change.vendor = Set(after.vendor);
    change.severities = Set(after.severities);
    change.criticality = Set(after.criticality);
    change.tags = Set(after.tags);
    change.first_seen_at = Set(after.first_seen_at);
    change.last_seen_at = Set(after.last_seen_at);
    change.update(transaction).await?;
    Ok(())
}

async fn apart(
    transaction: &DatabaseTransaction,
    row: device::Model,
    interfaces: &[Uuid],
    by: &str,
    now: Timestamp,
) -> Result<Uuid, StoreError> {
    let stations = of_ids::<station::Entity>(transaction, "stations", "device_id", &[row.id]).await?;
    let (going, staying): (Vec<_>, Vec<_>) = stations.into_iter().partition(|s| interfaces.contains(&s.id));
    if let Some(foreign) = interfaces.iter().find(|id| !going.iter().any(|station| station.id == **id)) {
        return Err(StoreError::Conflict(format!("{} has no interface {foreign}", row.label)));
    }
    if going.is_empty() || staying.is_empty() {
        return Err(StoreError::Conflict(format!(
            "{} has to keep an interface, and the new device has to get one",
            row.label
        )));
    }
    let id = Uuid::now_v7();
    let new = device::Model {
        id,
        name: None,
        label: row.label.clone(),
        kind: String::new(),
        kind_is_set: false,
        owner: String::new(),
        notes: String::new(),
        tags: "[]".into(),
        criticality: Criticality::default().as_str().into(),
        severities: "{}".into(),
        vendor: going.iter().find_map(|station| station.vendor.clone()),
        first_seen_at: going.iter().map(|station| station.first_seen_at).min().unwrap_or_default(),
        last_seen_at: going.iter().map(|station| station.last_seen_at).max().unwrap_or_default(),
    };
    device::Entity::insert(new.clone().into_active_model()).exec_without_returning(transaction).await?;
    let moved = station::Entity::update_many().col_expr(station::Column::DeviceId, Expr::value(id));
    let ids = going.iter().map(|station| station.id);
    moved.filter(station::Column::Id.is_in(ids)).exec(transaction).await?;
    let before = row.label.clone();
    let label = describe(transaction, new).await?;
    describe(transaction, row.clone()).await?;
    note(transaction, row.id, "split", (None, Some(label)), by, now).await?;
    note(transaction, id, "split", (Some(before), None), by, now).await?;
    Ok(id)
}

/// Names a device by what the interfaces are called that it has now; returns what it is shown as.
async fn describe(transaction: &DatabaseTransaction, row: device::Model) -> Result<String, StoreError> {
    let stations = load::stations_of(transaction, row.id).await?;
    let (_, mut device) = load::device(row.clone())?;
    device.describe(&stations.iter().collect::<Vec<_>>());
    if device.touched {
        let mut change = row.into_active_model();
        change.label = Set(device.label.clone());
        change.kind = Set(device.kind);
        change.vendor = Set(device.vendor);
        change.update(transaction).await?;
    }
    Ok(device.label)
}
