//! What is known of a network, and what a report changes of it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use netwark_model::events::Severity;
use netwark_model::mac::Mac;
use netwark_model::watch::device::{Access, DeviceSeverities, HeardName};
use netwark_model::watch::kind;
use netwark_model::watch::network::{Learned, Severities};
use netwark_model::watch::sighting::Source;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::super::entity::change;
use super::name;

/// What a network remembers besides its stations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    /// What it has taught.
    pub learned: Learned,
    /// Addresses that several devices have, which was told, and since when.
    pub conflicts: BTreeMap<IpAddr, i64>,
    /// Who was told to be out of place, and when it was last seen.
    pub rogues: BTreeMap<String, i64>,
    /// Devices that took over from others a moment ago, which was told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Moved>,
}

/// One device that took over addresses of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moved {
    pub from: Mac,
    pub to: Mac,
    /// Complete sweeps until this is forgotten.
    pub sweeps_left: i32,
    /// It was told as a change of the gateway.
    pub is_gateway: bool,
    pub addresses: Vec<IpAddr>,
}

/// A network as far as a report touches it.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub id: Uuid,
    pub every_ms: i64,
    /// Sweeps in a row that may miss a station.
    pub grace: i32,
    pub severities: Severities,
    /// Whether it is swept in a VLAN, by frames that bear its tag.
    pub tagged: bool,
    pub exclude: Vec<IpNet>,
    /// Who may hand out addresses; empty when that is learned.
    pub dhcp_servers: Vec<IpAddr>,
    /// Who may say it is a router; empty when that is learned.
    pub routers: Vec<IpAddr>,
    pub learn_until: Option<i64>,
    /// When the latest complete sweep ended.
    pub seen_at: Option<i64>,
    pub name: String,
    pub memory: Memory,
}

impl Watched {
    /// True for an address that is not to be looked at.
    pub fn leaves_out(&self, address: IpAddr) -> bool {
        self.exclude.iter().any(|net| net.contains(&address))
    }
}

/// A device as far as a report touches it.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub id: Uuid,
    /// The name that was set.
    pub name: Option<String>,
    pub label: String,
    pub kind: String,
    pub kind_is_set: bool,
    pub vendor: Option<String>,
    pub severities: DeviceSeverities,
    pub first_seen_at: i64,
    pub last_seen_at: i64,
    pub is_new: bool,
    pub touched: bool,
}

impl Device {
    /// Names it anew by what its stations are called, and says what it is, as far as nobody has decided that.
    pub fn describe(&mut self, stations: &[&Station]) {
        let label = self.name.clone().or_else(|| name::best(stations)).or_else(|| name::plain(stations));
        if let Some(label) = label.filter(|label| *label != self.label) {
            self.label = label;
            self.touched = true;
        }
        let vendor = stations.iter().find_map(|station| station.vendor.clone());
        if vendor.is_some() && vendor != self.vendor {
            self.vendor = vendor;
            self.touched = true;
        }
        if self.kind_is_set {
            return;
        }
        let names = stations.iter().flat_map(|station| &station.names);
        let hints = kind::Hints {
            vendor: self.vendor.as_deref().unwrap_or_default(),
            names: names.map(|name| (name.source, name.text.as_str())).collect(),
            router: stations.iter().any(|station| station.router),
            // A worker hides nothing: its machine is virtual.
            random_mac: stations.iter().all(|station| {
                station.access != Access::Worker && station.mac.is_none_or(Mac::is_locally_administered)
            }),
        };
        let kind = kind::of(&hints).unwrap_or_default();
        if !kind.is_empty() && kind != self.kind {
            kind.clone_into(&mut self.kind);
            self.touched = true;
        }
    }

    /// One that was never seen before.
    pub fn entering(id: Uuid, label: String, vendor: Option<String>, at: i64) -> Self {
        Self {
            id,
            name: None,
            label,
            kind: String::new(),
            kind_is_set: false,
            vendor,
            severities: DeviceSeverities::default(),
            first_seen_at: at,
            last_seen_at: at,
            is_new: true,
            touched: true,
        }
    }
}

/// One hardware address on the network; beyond the link, one address.
#[derive(Clone, Debug)]
pub(crate) struct Station {
    pub id: Uuid,
    pub device_id: Uuid,
    pub mac: Option<Mac>,
    pub vendor: Option<String>,
    pub access: Access,
    pub up: bool,
    /// Complete sweeps in a row that did not see it.
    pub missed: i32,
    pub router: bool,
    pub source: Source,
    pub names: Vec<HeardName>,
    /// Since when it is up or down.
    pub since: i64,
    pub first_seen_at: i64,
    /// When it was last seen, unless it is up and missed no sweep: then that was when the latest one ended, if that
    /// is later.
    pub last_seen_at: i64,
    /// The presence that has not ended.
    pub session: Option<Uuid>,
    pub addresses: Vec<Address>,
    pub is_new: bool,
    pub touched: bool,
}

impl Station {
    /// One that was never seen before.
    pub fn entering(
        device_id: Uuid,
        mac: Option<Mac>,
        vendor: Option<String>,
        source: Source,
        at: i64,
    ) -> Self {
        Self {
            id: Uuid::now_v7(),
            device_id,
            mac,
            vendor,
            access: Access::Unknown,
            up: false,
            missed: 0,
            router: false,
            source,
            names: Vec::new(),
            since: at,
            first_seen_at: at,
            last_seen_at: at,
            session: None,
            addresses: Vec::new(),
            is_new: true,
            touched: true,
        }
    }

    /// When it was last seen, on a network whose latest complete sweep ended then.
    pub fn seen_at(&self, swept_at: Option<i64>) -> i64 {
        if self.up && self.missed == 0 {
            self.last_seen_at.max(swept_at.unwrap_or_default())
        } else {
            self.last_seen_at
        }
    }

    /// An address to show it by: one of IPv4 where there is one.
    pub fn address(&self) -> Option<IpAddr> {
        let current =
            || self.addresses.iter().filter(|address| address.current).map(|address| address.address);
        let first = current().find(IpAddr::is_ipv4);
        first.or_else(|| current().find(|a| !is_link_local(*a))).or_else(|| current().next())
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// An address of a station.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub id: Uuid,
    pub address: IpAddr,
    /// It has it now, or had it when it was last seen.
    pub current: bool,
    /// Complete sweeps in a row that saw the station, but not this address.
    pub missed: i32,
    pub first_seen_at: i64,
    pub last_seen_at: i64,
    /// The report at hand saw it.
    pub seen: bool,
    pub is_new: bool,
    pub touched: bool,
}

/// A presence that began.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub id: Uuid,
    pub station_id: Uuid,
    pub began_at: i64,
}

/// Two devices that may be one.
#[derive(Clone, Debug)]
pub(crate) struct Proposed {
    pub device_id: Uuid,
    pub other_id: Uuid,
    pub reason: String,
    pub at: i64,
}

/// A line of the timeline.
#[derive(Clone, Debug)]
pub(crate) struct Happening {
    pub severity: Severity,
    pub kind: &'static str,
    pub at: i64,
    /// The device it is about, with its label.
    pub device: Option<(Uuid, String)>,
    pub text: String,
    /// The figures behind the text.
    pub data: Value,
}

/// What a report brought besides what stands in stations and devices.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub events: Vec<Happening>,
    pub changes: Vec<change::Model>,
    pub opened: Vec<Opened>,
    /// Presences that ended, and when.
    pub closed: Vec<(Uuid, i64)>,
    pub proposals: Vec<Proposed>,
    /// Stations that were seen.
    pub hosts: u32,
    /// Those that were never seen here before.
    pub newcomers: u32,
    /// Those that went down.
    pub gone: u32,
}
