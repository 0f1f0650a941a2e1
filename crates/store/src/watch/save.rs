//! Storing what a report changed: a few statements, however many rows there are.

use jiff::Timestamp;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DatabaseTransaction, IntoActiveModel, Set};
use uuid::Uuid;

use super::columns;
use super::entity::{address, change, device, network, presence, proposal, station, sweep};
use super::fold::{Address, Device, Look, Station, Taken, Watched};
use super::load::source_word;
use crate::convert::{time, to_text};
use crate::events::{self, NewEvent};
use crate::{StoreError, rows};

/// Stores what a report changed, and returns the network as it is now.
pub(super) async fn save(
    transaction: &DatabaseTransaction,
    row: network::Model,
    watched: Watched,
    taken: Taken,
    swept: Option<(sweep::Model, Look)>,
    now: Timestamp,
) -> Result<network::Model, StoreError> {
    let Taken { stations, devices, outcome } = taken;
    save_devices(transaction, devices.into_values(), &stations).await?;
    save_stations(transaction, row.id, &stations).await?;
    save_addresses(transaction, row.id, &stations).await?;
    let opened = outcome.opened.iter().map(|opened| presence::Model {
        id: opened.id,
        station_id: opened.station_id,
        network_id: row.id,
        began_at: opened.began_at,
        ended_at: None,
    });
    insert::<presence::Entity>(transaction, opened.collect()).await?;
    let ids: Vec<Uuid> = outcome.closed.iter().map(|(id, _)| *id).collect();
    let ended: Vec<_> =
        outcome.closed.iter().map(|(id, at)| serde_json::json!({"id": id, "ended_at": at})).collect();
    update::<presence::Entity>(transaction, &ids, &ended, &[presence::Column::EndedAt]).await?;
    insert::<change::Entity>(transaction, outcome.changes).await?;
    let proposals = outcome.proposals.into_iter().map(|proposed| proposal::Model {
        id: Uuid::now_v7(),
        device_id: proposed.device_id,
        other_id: proposed.other_id,
        reason: proposed.reason,
        at: proposed.at,
        dismissed: false,
    });
    insert::<proposal::Entity>(transaction, proposals.collect()).await?;
    let network = Some((row.id, row.name.clone()));
    let happened = outcome.events.into_iter().map(|happening| NewEvent {
        severity: happening.severity,
        kind: happening.kind,
        worker: None,
        network: network.clone(),
        device: happening.device,
        data: Some(happening.data),
        at: Some(time(happening.at)),
        text: happening.text,
    });
    events::insert_all(transaction, happened.collect(), now).await?;
    save_network(transaction, row, watched, swept).await
}

async fn save_network(
    transaction: &DatabaseTransaction,
    row: network::Model,
    watched: Watched,
    swept: Option<(sweep::Model, Look)>,
) -> Result<network::Model, StoreError> {
    let mut after = row.clone();
    after.memory = to_text("memory of a network", &watched.memory)?;
    if let Some((entry, look)) = swept {
        if look.complete {
            after.seen_at = Some(look.ended_at);
        }
        if let Some(link) = look.link {
            after.link = Some(to_text("link", &link)?);
        }
        after.problem.clone_from(&entry.error);
        let again =
            sweep::Entity::insert(entry.into_active_model()).on_conflict_do_nothing_on([sweep::Column::Id]);
        again.exec_without_returning(transaction).await?;
    }
    if after != row {
        let mut change = row.into_active_model();
        change.memory = Set(after.memory.clone());
        change.seen_at = Set(after.seen_at);
        change.link = Set(after.link.clone());
        change.problem = Set(after.problem.clone());
        change.update(transaction).await?;
    }
    Ok(after)
}

/// Says what is wrong with a network.
pub(super) async fn problem(
    transaction: &DatabaseTransaction,
    row: network::Model,
    problem: Option<String>,
) -> Result<network::Model, StoreError> {
    if row.problem == problem {
        return Ok(row);
    }
    let mut change = row.into_active_model();
    change.problem = Set(problem);
    Ok(change.update(transaction).await?)
}

/// Keeps a sweep that came when the network was another worker's.
pub(super) async fn late(transaction: &DatabaseTransaction, entry: sweep::Model) -> Result<(), StoreError> {
    let insert =
        sweep::Entity::insert(entry.into_active_model()).on_conflict_do_nothing_on([sweep::Column::Id]);
    insert.exec_without_returning(transaction).await?;
    Ok(())
}

async fn save_devices(
    transaction: &DatabaseTransaction,
    devices: impl Iterator<Item = Device>,
    stations: &[Station],
) -> Result<(), StoreError> {
    let mut seen: std::collections::HashMap<Uuid, i64> = std::collections::HashMap::new();
    for station in stations.iter().filter(|station| station.touched) {
        let last = seen.entry(station.device_id).or_insert(station.last_seen_at);
        *last = station.last_seen_at.max(*last);
    }
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for mut device in devices {
        if let Some(last) = seen.get(&device.id).filter(|last| **last > device.last_seen_at) {
            device.last_seen_at = *last;
            device.touched = true;
        }
        if !device.touched {
            continue;
        }
        let is_new = device.is_new;
        let row = device::Model {
            id: device.id,
            name: device.name,
            label: device.label,
            kind: device.kind,
            kind_is_set: device.kind_is_set,
            owner: String::new(),
            notes: String::new(),
            tags: "[]".into(),
            criticality: netwark_model::watch::device::Criticality::default().as_str().into(),
            severities: "{}".into(),
            vendor: device.vendor,
            first_seen_at: device.first_seen_at,
            last_seen_at: device.last_seen_at,
        };
        if is_new { new.push(row) } else { changed.push(row) }
    }
    insert::<device::Entity>(transaction, new).await?;
    let ids: Vec<Uuid> = changed.iter().map(|row| row.id).collect();
    // What people set is theirs.
    let columns = {
        use device::Column::{Kind, Label, LastSeenAt, Vendor};
        [Label, Kind, Vendor, LastSeenAt]
    };
    update::<device::Entity>(transaction, &ids, &changed, &columns).await
}

async fn save_stations(
    transaction: &DatabaseTransaction,
    network_id: Uuid,
    stations: &[Station],
) -> Result<(), StoreError> {
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for station in stations.iter().filter(|station| station.touched) {
        let row = station::Model {
            id: station.id,
            device_id: station.device_id,
            network_id,
            mac: station.mac.map(|mac| mac.bytes().to_vec()),
            vendor: station.vendor.clone(),
            standing: columns::access_word(station.access).into(),
            up: station.up,
            missed: station.missed,
            router: station.router,
            source: source_word(station.source),
            names: to_text("list of names", &station.names)?,
            since: station.since,
            first_seen_at: station.first_seen_at,
            last_seen_at: station.last_seen_at,
            session_id: station.session,
        };
        if station.is_new { new.push(row) } else { changed.push(row) }
    }
    insert::<station::Entity>(transaction, new).await?;
    let ids: Vec<Uuid> = changed.iter().map(|row| row.id).collect();
    // A device may have been merged or split meanwhile.
    let columns = {
        use station::Column::{
            LastSeenAt, Mac, Missed, Names, Router, SessionId, Since, Standing, Up, Vendor,
        };
        [Mac, Vendor, Standing, Up, Missed, Router, Names, Since, LastSeenAt, SessionId]
    };
    update::<station::Entity>(transaction, &ids, &changed, &columns).await
}

async fn save_addresses(
    transaction: &DatabaseTransaction,
    network_id: Uuid,
    stations: &[Station],
) -> Result<(), StoreError> {
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    let row = |station: &Station, own: &Address| {
        let (family, length) = columns::family(own.address);
        address::Model {
            id: own.id,
            station_id: station.id,
            network_id,
            address: columns::address_bytes(own.address),
            family,
            length,
            current: own.current,
            missed: own.missed,
            first_seen_at: own.first_seen_at,
            last_seen_at: own.last_seen_at,
        }
    };
    for station in stations {
        for own in station.addresses.iter().filter(|own| own.touched) {
            if own.is_new { new.push(row(station, own)) } else { changed.push(row(station, own)) }
        }
    }
    insert::<address::Entity>(transaction, new).await?;
    let ids: Vec<Uuid> = changed.iter().map(|row| row.id).collect();
    let columns = {
        use address::Column::{Address, Current, Family, FirstSeenAt, LastSeenAt, Length, Missed};
        [Address, Family, Length, Current, Missed, FirstSeenAt, LastSeenAt]
    };
    update::<address::Entity>(transaction, &ids, &changed, &columns).await
}

async fn insert<E: EntityTrait>(
    transaction: &DatabaseTransaction,
    new: Vec<E::Model>,
) -> Result<(), StoreError>
where
    E::Model: serde::Serialize,
{
    if new.is_empty() { Ok(()) } else { rows::insert::<E>(transaction, &new).await }
}

/// Updates rows, not too many of them in one statement.
pub(super) async fn update<E: EntityTrait>(
    transaction: &impl ConnectionTrait,
    ids: &[Uuid],
    changed: &[impl serde::Serialize],
    columns: &[E::Column],
) -> Result<(), StoreError> {
    for (ids, changed) in ids.chunks(1000).zip(changed.chunks(1000)) {
        rows::update::<E>(transaction, ids, changed, columns).await?;
    }
    Ok(())
}
