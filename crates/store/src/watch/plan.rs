//! Who has which address of a network.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use netwark_model::watch::device::Access;
use netwark_model::watch::presence::Presence;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, FromQueryResult, Statement};
use uuid::Uuid;

use super::columns::{self, address, address_bytes};
use super::entity::network;
use super::networks::is_watched;
use crate::convert::{millis, time};
use crate::{Store, StoreError};

/// Most addresses that are told at once.
pub const MOST: usize = 70_000;

/// An address somebody has, or had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// The address.
    pub address: IpAddr,
    /// Somebody has it now.
    pub current: bool,
    /// The device that has it, or had it last.
    pub device_id: Uuid,
    /// What that is shown as.
    pub label: String,
    /// What the access list says of it.
    pub access: Access,
    /// Whether it is there.
    pub presence: Presence,
    /// When it was last seen with it.
    pub last_seen_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    address: Vec<u8>,
    family: i32,
    current: bool,
    missed: i32,
    last_seen_at: i64,
    device_id: Uuid,
    label: String,
    standing: String,
    up: bool,
    station_missed: i32,
}

impl Store {
    /// Addresses of a network that somebody has or had, in their order; one more than [`MOST`] when there are more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn used_addresses(
        &self,
        id: Uuid,
        prefix: Option<IpNet>,
        now: Timestamp,
    ) -> Result<Vec<Used>, StoreError> {
        let Some(network) = network::Entity::find_by_id(id).one(self.read()).await? else {
            return Ok(Vec::new());
        };
        let mut values: Vec<sea_orm::Value> = vec![id.into()];
        let mut within = String::new();
        if let Some(prefix) = prefix {
            values.push(address_bytes(prefix.network()).into());
            values.push(address_bytes(prefix.broadcast()).into());
            let family = if prefix.addr().is_ipv4() { 4 } else { 6 };
            within = format!("AND a.family = {family} AND a.address BETWEEN $2 AND $3");
        }
        let sql = format!(
            "SELECT a.address, a.family, a.current, a.missed, a.last_seen_at, s.device_id, d.label, s.standing, s.up, \
             s.missed AS station_missed FROM station_addresses a JOIN stations s ON s.id = a.station_id \
             JOIN devices d ON d.id = s.device_id WHERE a.network_id = $1 {within} \
             ORDER BY a.address, a.current DESC, a.last_seen_at DESC LIMIT {}",
            2 * MOST
        );
        let statement = Statement::from_sql_and_values(self.read().get_database_backend(), sql, values);
        let rows = Row::find_by_statement(statement).all(self.read()).await?;
        let is_watched = is_watched(&network, millis(now));
        let mut used: BTreeMap<IpAddr, Used> = BTreeMap::new();
        for row in rows {
            let Some(address) = address(&row.address, row.family) else { continue };
            let is_implied = row.current && row.missed == 0 && row.up && row.station_missed == 0;
            let seen = if is_implied { network.seen_at.unwrap_or_default() } else { 0 };
            used.entry(address).or_insert_with(|| Used {
                address,
                current: row.current,
                device_id: row.device_id,
                label: row.label,
                access: columns::access(&row.standing),
                presence: match (is_watched, row.up) {
                    (false, _) => Presence::Unknown,
                    (true, true) => Presence::Up,
                    (true, false) => Presence::Down,
                },
                last_seen_at: time(row.last_seen_at.max(seen)),
            });
        }
        Ok(used.into_values().take(MOST + 1).collect())
    }
}
