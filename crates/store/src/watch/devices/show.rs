//! Putting together what is shown of devices.

use std::collections::HashMap;
use std::net::IpAddr;

use jiff::Timestamp;
use netwark_model::mac::Mac;
use netwark_model::watch::device::{
    Access, Criticality, Device, DeviceDetail, Interface, Proposal, SeenAddress,
};
use netwark_model::watch::presence::Presence;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, ExprTrait, QueryOrder, Statement};
use uuid::Uuid;

use super::super::columns;
use super::super::entity::{address, device, network, proposal, station};
use super::super::load::source;
use super::super::networks::is_watched;
use super::of_ids;
use crate::StoreError;
use crate::convert::{from_text, millis, time};

/// What devices are put together from.
struct Around {
    stations: HashMap<Uuid, Vec<station::Model>>,
    addresses: HashMap<Uuid, Vec<address::Model>>,
    networks: HashMap<Uuid, network::Model>,
    now: i64,
}

async fn around<C: ConnectionTrait>(
    connection: &C,
    ids: &[Uuid],
    now: Timestamp,
) -> Result<Around, StoreError> {
    let found = of_ids::<station::Entity>(connection, "stations", "device_id", ids).await?;
    let station_ids: Vec<Uuid> = found.iter().map(|station| station.id).collect();
    let rows = of_ids::<address::Entity>(connection, "station_addresses", "station_id", &station_ids).await?;
    let mut addresses: HashMap<Uuid, Vec<address::Model>> = HashMap::new();
    for row in rows {
        addresses.entry(row.station_id).or_default().push(row);
    }
    let mut stations: HashMap<Uuid, Vec<station::Model>> = HashMap::new();
    for row in found {
        stations.entry(row.device_id).or_default().push(row);
    }
    for own in stations.values_mut() {
        own.sort_by_key(|station| (!station.up, station.first_seen_at, station.id));
    }
    let networks = network::Entity::find().all(connection).await?;
    let networks = networks.into_iter().map(|row| (row.id, row)).collect();
    Ok(Around { stations, addresses, networks, now: millis(now) })
}

/// Devices as lists show them.
pub(super) async fn devices<C: ConnectionTrait>(
    connection: &C,
    rows: Vec<device::Model>,
    now: Timestamp,
) -> Result<Vec<Device>, StoreError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let around = around(connection, &ids, now).await?;
    rows.into_iter().map(|row| around.device(row)).collect()
}

/// One device with all that is known of it.
pub(super) async fn detail<C: ConnectionTrait>(
    connection: &C,
    row: device::Model,
    now: Timestamp,
) -> Result<DeviceDetail, StoreError> {
    let id = row.id;
    let around = around(connection, &[id], now).await?;
    let device = around.device(row)?;
    let stations = around.stations.get(&id).into_iter().flatten();
    let interfaces = stations.map(|station| around.interface(station)).collect::<Result<_, _>>()?;
    let proposals = proposals(connection, id).await?;
    Ok(DeviceDetail { device, interfaces, proposals })
}

impl Around {
    fn presence(&self, station: &station::Model) -> Presence {
        let is_watched = self.networks.get(&station.network_id).is_some_and(|row| is_watched(row, self.now));
        match (is_watched, station.up) {
            (false, _) => Presence::Unknown,
            (true, true) => Presence::Up,
            (true, false) => Presence::Down,
        }
    }

    fn last_seen(&self, station: &station::Model) -> i64 {
        let swept_at = self.networks.get(&station.network_id).and_then(|network| network.seen_at);
        if station.up && station.missed == 0 {
            Ord::max(station.last_seen_at, swept_at.unwrap_or_default())
        } else {
            station.last_seen_at
        }
    }

    fn addresses(&self, station: &station::Model) -> Vec<SeenAddress> {
        let last = self.last_seen(station);
        let rows = self.addresses.get(&station.id).into_iter().flatten();
        let mut seen: Vec<SeenAddress> = rows
            .filter_map(|row| {
                let implied = if row.current && row.missed == 0 { last } else { 0 };
                let at = Ord::max(row.last_seen_at, implied);
                Some(SeenAddress {
                    address: columns::address(&row.address, row.family)?,
                    current: row.current,
                    first_seen_at: time(row.first_seen_at),
                    last_seen_at: time(at),
                })
            })
            .collect();
        seen.sort_by_key(|seen| (!seen.current, is_shown_late(seen.address), seen.address));
        seen
    }

    fn device(&self, row: device::Model) -> Result<Device, StoreError> {
        let none = Vec::new();
        let stations = self.stations.get(&row.id).unwrap_or(&none);
        let presences: Vec<Presence> = stations.iter().map(|station| self.presence(station)).collect();
        let presence = [Presence::Up, Presence::Down].into_iter().find(|one| presences.contains(one));
        let accesses = stations.iter().map(|station| columns::access(&station.standing));
        let mut macs: Vec<Mac> =
            stations.iter().filter_map(|station| station.mac.as_deref()).filter_map(columns::mac).collect();
        let mut seen = std::collections::HashSet::new();
        macs.retain(|mac| seen.insert(*mac));
        let mut addresses: Vec<IpAddr> = Vec::new();
        for own in stations.iter().flat_map(|station| self.addresses(station)).filter(|own| own.current) {
            if !addresses.contains(&own.address) {
                addresses.push(own.address);
            }
        }
        let mut networks: Vec<Uuid> = stations.iter().map(|station| station.network_id).collect();
        networks.sort_unstable();
        networks.dedup();
        let last = stations.iter().map(|station| self.last_seen(station)).max().unwrap_or(row.last_seen_at);
        Ok(Device {
            id: row.id,
            label: row.label,
            name: row.name,
            kind: row.kind,
            type_is_set: row.kind_is_set,
            owner: row.owner,
            notes: row.notes,
            tags: from_text("list of tags", &row.tags)?,
            criticality: Criticality::from_word(&row.criticality).unwrap_or_default(),
            severities: from_text("set of severities", &row.severities)?,
            vendor: row.vendor,
            access: accesses.max().unwrap_or(Access::Unknown),
            presence: presence.unwrap_or(Presence::Unknown),
            random_mac: !macs.is_empty() && macs.iter().all(|mac| mac.is_locally_administered()),
            macs,
            addresses,
            networks,
            first_seen_at: time(row.first_seen_at),
            last_seen_at: time(last),
        })
    }

    fn interface(&self, station: &station::Model) -> Result<Interface, StoreError> {
        let network = self.networks.get(&station.network_id);
        Ok(Interface {
            id: station.id,
            network_id: station.network_id,
            network: network.map(|network| network.name.clone()).unwrap_or_default(),
            mac: station.mac.as_deref().and_then(columns::mac),
            vendor: station.vendor.clone(),
            access: columns::access(&station.standing),
            presence: self.presence(station),
            since: time(station.since),
            missed: u32::try_from(station.missed).unwrap_or_default(),
            router: station.router,
            source: source(&station.source),
            names: from_text("list of names", &station.names)?,
            addresses: self.addresses(station),
            first_seen_at: time(station.first_seen_at),
            last_seen_at: time(self.last_seen(station)),
        })
    }
}

/// Addresses of the link itself tell people least, so they come last; those of IPv4 come first.
fn is_shown_late(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 0,
        IpAddr::V6(address) if address.is_unicast_link_local() => 2,
        IpAddr::V6(_) => 1,
    }
}

/// Devices that may be the same as this one, the latest first.
async fn proposals<C: ConnectionTrait>(connection: &C, id: Uuid) -> Result<Vec<Proposal>, StoreError> {
    let found = proposal::Entity::find()
        .filter(proposal::Column::DeviceId.eq(id).or(proposal::Column::OtherId.eq(id)))
        .filter(proposal::Column::Dismissed.eq(false))
        .order_by_desc(proposal::Column::At)
        .all(connection)
        .await?;
    let other = |row: &proposal::Model| if row.device_id == id { row.other_id } else { row.device_id };
    let ids: Vec<Uuid> = found.iter().map(other).collect();
    let labels = of_ids::<device::Entity>(connection, "devices", "id", &ids).await?;
    let labels: HashMap<Uuid, String> = labels.into_iter().map(|row| (row.id, row.label)).collect();
    let proposals = found.iter().filter_map(|row| {
        Some(Proposal {
            id: row.id,
            device_id: other(row),
            label: labels.get(&other(row))?.clone(),
            reason: row.reason.clone(),
            at: time(row.at),
        })
    });
    Ok(proposals.collect())
}

/// Types and vendors in use, with how many devices are of each.
pub(in super::super) async fn tally<C: ConnectionTrait>(
    connection: &C,
    column: &'static str,
) -> Result<Vec<(String, i64)>, StoreError> {
    let sql = format!(
        "SELECT coalesce(d.{column}, ''), count(*) FROM devices d WHERE EXISTS (SELECT 1 FROM stations s \
         JOIN networks n ON n.id = s.network_id WHERE s.device_id = d.id AND n.deleted_at IS NULL) \
         GROUP BY 1 ORDER BY 2 DESC, 1"
    );
    let rows =
        connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql)).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}
