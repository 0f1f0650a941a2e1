//! Which devices to list.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use jiff::Timestamp;
use netwark_model::watch::access::MacPattern;
use netwark_model::watch::device::{Access, Criticality};
use netwark_model::watch::presence::Presence;
use sea_orm::{DbBackend, Statement, Value};
use uuid::Uuid;

use super::super::columns::{self, address_bytes};
use crate::convert::millis;
use crate::names::{pattern, small, sought};

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceSort {
    /// By what they are shown as.
    #[default]
    Label,
    /// Who was seen last comes first.
    LastSeen,
    /// Who was first seen last comes first.
    FirstSeen,
    /// By their lowest address.
    Address,
    /// By vendor.
    Vendor,
    /// By type.
    Type,
}

impl DeviceSort {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Label, Self::LastSeen, Self::FirstSeen, Self::Address, Self::Vendor, Self::Type];

    /// Its word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::LastSeen => "last_seen",
            Self::FirstSeen => "first_seen",
            Self::Address => "address",
            Self::Vendor => "vendor",
            Self::Type => "type",
        }
    }

    /// The order of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == word)
    }
}

/// Which devices to list.
#[derive(Clone, Debug, Default)]
pub struct DeviceFilter {
    /// Only on this network.
    pub network: Option<Uuid>,
    /// Only of whom the access list says this.
    pub access: Option<Access>,
    /// Only those that are, or are not, there.
    pub presence: Option<Presence>,
    /// Only of this type; empty for those of which nobody knows it.
    pub kind: Option<String>,
    /// Only with this vendor, letter case aside; a part of its name is enough.
    pub vendor: Option<String>,
    /// Only with this tag.
    pub tag: Option<String>,
    /// Only of this owner, letter case aside.
    pub owner: Option<String>,
    /// Only on which this much depends.
    pub criticality: Option<Criticality>,
    /// Only first seen at or after this time.
    pub first_seen_after: Option<Timestamp>,
    /// Only with this in a name, a note, a vendor, an address or a hardware address; or with an address of this prefix.
    pub text: Option<String>,
    /// The order.
    pub sort: DeviceSort,
    /// The other way around.
    pub descending: bool,
    /// How many to pass over.
    pub offset: u64,
    /// How many to return.
    pub limit: u64,
}

/// A condition with what is bound in it.
pub(super) struct Query {
    backend: DbBackend,
    conditions: Vec<String>,
    values: Vec<Value>,
}

/// A condition: the network of a station `s` is looked at, so that it is known who is there. Its time is bound at
/// `place`.
fn watched(place: usize) -> String {
    // As `networks::fresh_after` has it.
    format!(
        "n.assignment_id IS NOT NULL AND n.seen_at IS NOT NULL AND n.seen_at >= ${place} - 3 * n.every_ms - 120000"
    )
}

/// Devices of stations on networks that were not deleted. A list that is made once for the whole statement, not a
/// question about each device: SQLite would answer that one by reading all stations of a network, for every device.
const STATIONS: &str = "SELECT s.device_id FROM stations s JOIN networks n ON n.id = s.network_id \
                        WHERE n.deleted_at IS NULL";

/// The query for a filter.
pub(super) fn query(backend: DbBackend, filter: &DeviceFilter, now: i64) -> Query {
    let mut query = Query { backend, conditions: Vec::new(), values: Vec::new() };
    let on = match filter.network {
        Some(network) => {
            let place = query.bind(network);
            format!(" AND s.network_id = {place}")
        }
        None => String::new(),
    };
    query.conditions.push(format!("d.id IN ({STATIONS}{on})"));
    if let Some(access) = filter.access {
        // The worst that is said of any of its interfaces counts.
        let worse: Vec<&str> =
            Access::ALL.iter().filter(|s| **s > access).map(|s| columns::access_word(*s)).collect();
        let worse = worse.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ");
        query
            .conditions
            .push(format!("d.id IN ({STATIONS}{on} AND s.standing = '{}')", columns::access_word(access)));
        if !worse.is_empty() {
            query.conditions.push(format!("d.id NOT IN ({STATIONS}{on} AND s.standing IN ({worse}))"));
        }
    }
    if let Some(presence) = filter.presence {
        let place = query.place(now);
        let (watched, up) = (watched(place), "s.up");
        query.conditions.push(match presence {
            Presence::Up => format!("d.id IN ({STATIONS}{on} AND {up} AND {watched})"),
            Presence::Down => format!(
                "d.id IN ({STATIONS}{on} AND {watched}) AND d.id NOT IN ({STATIONS}{on} AND {up} AND {watched})"
            ),
            Presence::Unknown => format!("d.id NOT IN ({STATIONS}{on} AND {watched})"),
        });
    }
    if let Some(kind) = &filter.kind {
        let place = query.bind(kind.clone());
        query.conditions.push(format!("d.kind = {place}"));
    }
    if let Some(vendor) = &filter.vendor {
        let place = query.bind(pattern(vendor));
        query.conditions.push(has(backend, "d.vendor", &place));
    }
    if let Some(owner) = &filter.owner {
        let place = query.bind(owner.to_ascii_lowercase());
        query.conditions.push(format!("{} = {place}", small(backend, "d.owner")));
    }
    if let Some(tag) = &filter.tag {
        // Tags have no quotes, so what stands between two is one of them.
        let place = query.bind(pattern(&format!("\"{tag}\"")));
        query.conditions.push(has(backend, "d.tags", &place));
    }
    if let Some(criticality) = filter.criticality {
        let place = query.bind(criticality.as_str());
        query.conditions.push(format!("d.criticality = {place}"));
    }
    if let Some(after) = filter.first_seen_after {
        let place = query.bind(millis(after));
        query.conditions.push(format!("d.first_seen_at >= {place}"));
    }
    if let Some(text) = &filter.text {
        let condition = query.text(text);
        query.conditions.push(condition);
    }
    query
}

impl Query {
    /// Binds a value, and returns its place.
    fn place(&mut self, value: impl Into<Value>) -> usize {
        self.values.push(value.into());
        self.values.len()
    }

    fn bind(&mut self, value: impl Into<Value>) -> String {
        format!("${}", self.place(value))
    }

    /// A condition: the device has this text somewhere.
    fn text(&mut self, text: &str) -> String {
        let place = self.bind(pattern(text));
        let mut any: Vec<String> =
            ["d.label", "d.name", "d.owner", "d.notes", "d.vendor", "d.tags", "d.kind"]
                .iter()
                .map(|column| has(self.backend, column, &place))
                .collect();
        any.push(format!("d.id IN ({STATIONS} AND {})", has(self.backend, "s.names", &place)));
        if let Ok(pattern) = text.parse::<MacPattern>() {
            let (first, last) = mac_range(pattern);
            let (first, last) = (self.bind(first), self.bind(last));
            any.push(format!("d.id IN ({STATIONS} AND s.mac BETWEEN {first} AND {last})"));
        }
        if let Some(net) = prefix(text) {
            let (first, last) =
                (self.bind(address_bytes(net.network())), self.bind(address_bytes(net.broadcast())));
            let family = if net.addr().is_ipv4() { 4 } else { 6 };
            any.push(format!(
                "d.id IN (SELECT s.device_id FROM stations s JOIN station_addresses a ON a.station_id = s.id \
                 WHERE a.family = {family} AND a.address BETWEEN {first} AND {last})"
            ));
        }
        format!("({})", any.join(" OR "))
    }

    fn wher(&self) -> String {
        self.conditions.join(" AND ")
    }

    /// How many devices fit.
    pub(super) fn count(&self) -> Statement {
        let sql = format!("SELECT count(*) FROM devices d WHERE {}", self.wher());
        Statement::from_sql_and_values(self.backend, sql, self.values.clone())
    }

    /// One page of them.
    pub(super) fn page(mut self, filter: &DeviceFilter) -> Statement {
        let (up, down) = if filter.descending { ("DESC", "ASC") } else { ("ASC", "DESC") };
        let nulls = if filter.descending { "NULLS FIRST" } else { "NULLS LAST" };
        let order = match filter.sort {
            DeviceSort::Label => format!("lower(d.label) {up}"),
            DeviceSort::FirstSeen => format!("d.first_seen_at {down}"),
            DeviceSort::LastSeen => format!(
                "(SELECT max(CASE WHEN s.up AND s.missed = 0 AND n.seen_at > s.last_seen_at THEN n.seen_at \
                 ELSE s.last_seen_at END) FROM stations s JOIN networks n ON n.id = s.network_id \
                 WHERE s.device_id = d.id) {down}"
            ),
            DeviceSort::Address => format!(
                "(SELECT a.address FROM stations s JOIN station_addresses a ON a.station_id = s.id \
                 WHERE s.device_id = d.id AND a.current ORDER BY a.address LIMIT 1) {up} {nulls}"
            ),
            DeviceSort::Vendor => format!("lower(d.vendor) {up} {nulls}"),
            DeviceSort::Type => format!("d.kind = '' {up}, d.kind {up}"),
        };
        let limit = self.bind(i64::try_from(filter.limit).unwrap_or(i64::MAX));
        let offset = self.bind(i64::try_from(filter.offset).unwrap_or(i64::MAX));
        let sql = format!(
            "SELECT d.* FROM devices d WHERE {} ORDER BY {order}, d.id LIMIT {limit} OFFSET {offset}",
            self.wher()
        );
        Statement::from_sql_and_values(self.backend, sql, self.values)
    }
}

/// A condition: the column has the pattern in it that is bound at `place`.
fn has(backend: DbBackend, column: &str, place: &str) -> String {
    format!("{} LIKE {place} ESCAPE '\\'", sought(backend, column))
}

/// The first and the last hardware address of a pattern.
pub(in super::super) fn mac_range(pattern: MacPattern) -> (Vec<u8>, Vec<u8>) {
    let first = pattern.bytes();
    let [a, b, c, d, e, f] = first;
    // No bit is left behind a whole address.
    let behind = u64::MAX.checked_shr(16 + u32::from(pattern.bits())).unwrap_or_default();
    let number = u64::from_be_bytes([0, 0, a, b, c, d, e, f]) | behind;
    let [_, _, last @ ..] = number.to_be_bytes();
    (first.to_vec(), last.to_vec())
}

/// The addresses a text means: one, a prefix, or the beginning of one of IPv4, such as `192.168.1.`.
fn prefix(text: &str) -> Option<IpNet> {
    let text = text.trim();
    if let Ok(net) = text.parse::<IpNet>() {
        return Some(net);
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.into());
    }
    let parts: Vec<&str> = text.trim_end_matches('.').split('.').collect();
    if !(2..=3).contains(&parts.len()) {
        return None;
    }
    let mut octets = [0; 4];
    for (octet, part) in octets.iter_mut().zip(&parts) {
        *octet = part.parse().ok()?;
    }
    let length = u8::try_from(8 * parts.len()).ok()?;
    IpNet::new(IpAddr::V4(Ipv4Addr::from(octets)), length).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_hardware_addresses() {
        let range = |text: &str| mac_range(text.parse().unwrap());
        assert_eq!(range("00:00:5e"), (vec![0, 0, 0x5e, 0, 0, 0], vec![0, 0, 0x5e, 0xff, 0xff, 0xff]));
        let whole = vec![0, 0, 0x5e, 0, 0x53, 1];
        assert_eq!(range("00:00:5e:00:53:01"), (whole.clone(), whole));
    }

    #[test]
    fn beginnings_of_addresses_are_prefixes() {
        let read = |text: &str| prefix(text).map(|net| net.to_string());
        assert_eq!(read("192.168.1.").as_deref(), Some("192.168.1.0/24"));
        assert_eq!(read("10.1").as_deref(), Some("10.1.0.0/16"));
        assert_eq!(read("192.0.2.7").as_deref(), Some("192.0.2.7/32"));
        assert_eq!(read("2001:db8::/64").as_deref(), Some("2001:db8::/64"));
        assert_eq!(read("printer"), None);
        assert_eq!(read("999.1"), None);
    }
}
