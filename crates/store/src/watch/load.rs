//! Loading what is known of a network before a report is taken in.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use netwark_model::mac::Mac;
use netwark_model::watch::access::{AccessAction, AccessRule, AccessRules, MacPattern};
use netwark_model::watch::sighting::Source;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult, Statement};
use uuid::Uuid;

use super::columns;
use super::entity::{address, device, network, station};
use super::fold::{Address, Device, Known, Station, Watched};
use crate::convert::{from_text, time, to_text};
use crate::{StoreError, rows};

/// What a report of these hardware addresses is compared with.
pub(super) async fn known<'a>(
    transaction: &DatabaseTransaction,
    row: &network::Model,
    macs: &HashSet<Mac>,
    vendor: &'a (dyn Fn(Mac) -> Option<String> + Send + Sync),
    now: i64,
) -> Result<Known<'a>, StoreError> {
    let stations = stations(transaction, row.id).await?;
    let here: HashSet<Mac> = stations.iter().filter_map(|station| station.mac).collect();
    let new: Vec<Mac> = macs.iter().filter(|mac| !here.contains(mac)).copied().collect();
    let elsewhere = elsewhere(transaction, row.id, &new).await?;
    let mut devices = devices_of(transaction, row.id).await?;
    let missing: HashSet<Uuid> = elsewhere.values().filter(|id| !devices.contains_key(id)).copied().collect();
    let missing: Vec<Uuid> = missing.into_iter().collect();
    devices.extend(devices_by_id(transaction, &missing).await?);
    let rules = rules(transaction, row.id, time(now)).await?;
    Ok(Known { watched: watched(row)?, stations, devices, elsewhere, rules, vendor, now })
}

fn watched(row: &network::Model) -> Result<Watched, StoreError> {
    Ok(Watched {
        id: row.id,
        every_ms: row.every_ms,
        grace: row.grace_sweeps,
        severities: from_text("set of severities", &row.severities)?,
        tagged: row.vlan.is_some(),
        exclude: from_text("list of prefixes", &row.exclude)?,
        dhcp_servers: from_text("list of addresses", &row.dhcp_servers)?,
        routers: from_text("list of addresses", &row.routers)?,
        learn_until: row.learn_until,
        seen_at: row.seen_at,
        name: row.name.clone(),
        memory: from_text("memory of a network", &row.memory)?,
    })
}

/// All stations of a network with their addresses.
pub(super) async fn stations<C: ConnectionTrait>(
    connection: &C,
    network: Uuid,
) -> Result<Vec<Station>, StoreError> {
    let found =
        station::Entity::find().filter(station::Column::NetworkId.eq(network)).all(connection).await?;
    let rows = address::Entity::find().filter(address::Column::NetworkId.eq(network)).all(connection).await?;
    put_together(found, rows)
}

/// All stations of a device with their addresses.
pub(super) async fn stations_of<C: ConnectionTrait>(
    connection: &C,
    device: Uuid,
) -> Result<Vec<Station>, StoreError> {
    let found = station::Entity::find().filter(station::Column::DeviceId.eq(device)).all(connection).await?;
    let ids: Vec<Uuid> = found.iter().map(|row| row.id).collect();
    let backend = connection.get_database_backend();
    let sql = format!("SELECT * FROM station_addresses WHERE {}", rows::is_id(backend, "station_id", 1));
    let statement = Statement::from_sql_and_values(backend, sql, [rows::id_list(&ids)?]);
    let addresses = address::Entity::find().from_raw_sql(statement).all(connection).await?;
    put_together(found, addresses)
}

fn put_together(found: Vec<station::Model>, rows: Vec<address::Model>) -> Result<Vec<Station>, StoreError> {
    let mut addresses: HashMap<Uuid, Vec<Address>> = HashMap::with_capacity(found.len());
    for row in rows {
        let Some(ip) = columns::address(&row.address, row.family) else { continue };
        addresses.entry(row.station_id).or_default().push(Address {
            id: row.id,
            address: ip,
            current: row.current,
            missed: row.missed,
            first_seen_at: row.first_seen_at,
            last_seen_at: row.last_seen_at,
            seen: false,
            is_new: false,
            touched: false,
        });
    }
    found
        .into_iter()
        .map(|row| {
            Ok(Station {
                addresses: addresses.remove(&row.id).unwrap_or_default(),
                id: row.id,
                device_id: row.device_id,
                mac: row.mac.as_deref().and_then(columns::mac),
                vendor: row.vendor,
                access: columns::access(&row.standing),
                up: row.up,
                missed: row.missed,
                router: row.router,
                source: source(&row.source),
                names: from_text("list of names", &row.names)?,
                since: row.since,
                first_seen_at: row.first_seen_at,
                last_seen_at: row.last_seen_at,
                session: row.session_id,
                is_new: false,
                touched: false,
            })
        })
        .collect()
}

/// The source of a word in the database.
pub(super) fn source(word: &str) -> Source {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).unwrap_or(Source::Icmp)
}

/// The word of a source, as the API has it, too.
pub(super) fn source_word(source: Source) -> String {
    match serde_json::to_value(source) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// Devices of hardware addresses that were seen on other networks.
async fn elsewhere(
    transaction: &DatabaseTransaction,
    network: Uuid,
    macs: &[Mac],
) -> Result<HashMap<Mac, Uuid>, StoreError> {
    if macs.is_empty() {
        return Ok(HashMap::new());
    }
    let backend = transaction.get_database_backend();
    let digits = |mac: &Mac| mac.bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let list = to_text("list of hardware addresses", &macs.iter().map(digits).collect::<Vec<_>>())?;
    let its = rows::is_bytes(backend, "mac", 1);
    let place = if backend == sea_orm::DbBackend::Postgres { "$2" } else { "?2" };
    let sql = format!(
        "SELECT mac, device_id FROM stations WHERE {its} AND network_id <> {place} ORDER BY last_seen_at"
    );
    let statement = Statement::from_sql_and_values(backend, sql, [list.into(), network.into()]);
    let mut found = HashMap::new();
    for row in transaction.query_all_raw(statement).await? {
        let (mac, device): (Vec<u8>, Uuid) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        if let Some(mac) = columns::mac(&mac) {
            found.insert(mac, device);
        }
    }
    Ok(found)
}

async fn devices_of(
    transaction: &DatabaseTransaction,
    network: Uuid,
) -> Result<HashMap<Uuid, Device>, StoreError> {
    let backend = transaction.get_database_backend();
    let place = if backend == sea_orm::DbBackend::Postgres { "$1" } else { "?1" };
    let sql = format!(
        "SELECT d.* FROM devices d WHERE d.id IN (SELECT s.device_id FROM stations s WHERE s.network_id = {place})"
    );
    let statement = Statement::from_sql_and_values(backend, sql, [network.into()]);
    let found = device::Entity::find().from_raw_sql(statement).all(transaction).await?;
    found.into_iter().map(device).collect()
}

async fn devices_by_id(
    transaction: &DatabaseTransaction,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Device>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let backend = transaction.get_database_backend();
    let sql = format!("SELECT * FROM devices WHERE {}", rows::is_id(backend, "id", 1));
    let statement = Statement::from_sql_and_values(backend, sql, [rows::id_list(ids)?]);
    let found = device::Entity::find().from_raw_sql(statement).all(transaction).await?;
    found.into_iter().map(device).collect()
}

pub(super) fn device(row: device::Model) -> Result<(Uuid, Device), StoreError> {
    let device = Device {
        id: row.id,
        name: row.name,
        label: row.label,
        kind: row.kind,
        kind_is_set: row.kind_is_set,
        vendor: row.vendor,
        severities: from_text("set of severities", &row.severities)?,
        first_seen_at: row.first_seen_at,
        last_seen_at: row.last_seen_at,
        is_new: false,
        touched: false,
    };
    Ok((row.id, device))
}

#[derive(FromQueryResult)]
struct RuleRow {
    action: String,
    mac: Vec<u8>,
    bits: i32,
    expires_at: Option<i64>,
}

/// What the access list says on a network.
pub(super) async fn rules<C: ConnectionTrait>(
    connection: &C,
    network: Uuid,
    now: Timestamp,
) -> Result<AccessRules, StoreError> {
    let backend = connection.get_database_backend();
    let place = if backend == sea_orm::DbBackend::Postgres { "$1" } else { "?1" };
    let sql = format!(
        "SELECT action, mac, bits, expires_at FROM access_entries e WHERE e.everywhere OR EXISTS \
         (SELECT 1 FROM access_entry_networks n WHERE n.entry_id = e.id AND n.network_id = {place})"
    );
    let statement = Statement::from_sql_and_values(backend, sql, [network.into()]);
    let found = RuleRow::find_by_statement(statement).all(connection).await?;
    let rules = found.into_iter().filter_map(|row| {
        let bytes = row.mac.as_slice().try_into().ok()?;
        Some(AccessRule {
            action: AccessAction::from_word(&row.action)?,
            pattern: MacPattern::new(bytes, u8::try_from(row.bits).ok()?)?,
            expires_at: row.expires_at.map(time),
        })
    });
    Ok(AccessRules::new(rules, now))
}
