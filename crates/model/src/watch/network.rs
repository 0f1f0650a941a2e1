//! Networks: prefixes that a worker watches.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::device::Access;
use super::report::LinkFacts;
use crate::events::Severity;
use crate::mac::Mac;

/// Most networks of an installation.
pub const MOST_NETWORKS: u64 = 1_000;
/// Most prefixes of a network, and most exclusions.
pub const MOST_PREFIXES: usize = 32;
/// From one sweep to the next when nothing else is said, in milliseconds.
pub const INTERVAL_MS: u64 = 7 * 60 * 1000;
/// Shortest time from one sweep to the next, in milliseconds.
pub const SHORTEST_INTERVAL_MS: u64 = 10_000;
/// Longest time from one sweep to the next, in milliseconds: a week.
pub const LONGEST_INTERVAL_MS: u64 = 7 * 24 * 3600 * 1000;
/// Sweeps in a row that may miss a device before it is down, when nothing else is said.
pub const GRACE_SWEEPS: u32 = 2;
/// How long a network learns its DHCP servers and routers once it is started, when nothing else is said: a day.
pub const LEARN_MS: u64 = 24 * 3600 * 1000;

/// How a network is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NetworkStatus {
    /// No worker has ever swept it.
    NeverDeployed,
    /// A worker sweeps it.
    Active,
    /// Nobody sweeps it because somebody stopped it.
    Stopped,
    /// It should be swept, but is not; the problem says why.
    Error,
}

/// Something that may happen on a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Situation {
    /// A device came up, new or again.
    Up(Access),
    /// A device went down.
    Down(Access),
    /// A newcomer hides its address and may be a device that is known already.
    Proposed,
    /// An address is another device's now.
    MacChanged,
    /// An address went back to the device that had it before.
    FlipFlop,
    /// An address went to a device that had it long ago.
    AddressReused,
    /// Two devices have one address.
    AddressConflict,
    /// The way out is another device, or another address.
    GatewayChanged,
    /// Somebody hands out addresses who should not.
    RogueDhcp,
    /// Somebody says it is a router and should not.
    RogueRouter,
}

/// How much things matter on a network, where that is not as usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Severities {
    /// A denied device comes up; usually `alert`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denied_up: Option<Severity>,
    /// A denied device goes down; usually `alert`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denied_down: Option<Severity>,
    /// An unknown device comes up; usually `warning`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_up: Option<Severity>,
    /// An unknown device goes down; usually `warning`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_down: Option<Severity>,
    /// A known device comes up; usually `info`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_up: Option<Severity>,
    /// A known device goes down; usually `info`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_down: Option<Severity>,
    /// A newcomer hides its hardware address and may be a device that is there already; usually `warning`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposed: Option<Severity>,
    /// An address is another device's now; usually `warning`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac_changed: Option<Severity>,
    /// An address went back to the device that had it before; usually `warning`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flip_flop: Option<Severity>,
    /// An address went to a device that had it long ago; usually `info`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_reused: Option<Severity>,
    /// Two devices have one address; usually `alert`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_conflict: Option<Severity>,
    /// The way out is another device or another address; usually `alert`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_changed: Option<Severity>,
    /// Somebody hands out addresses who should not; usually `alert`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rogue_dhcp: Option<Severity>,
    /// Somebody says it is a router who should not; usually `alert`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rogue_router: Option<Severity>,
}

impl Severities {
    /// How much a situation matters.
    pub fn of(&self, situation: Situation) -> Severity {
        let (set, usual) = match situation {
            Situation::Up(Access::Worker) | Situation::Down(Access::Worker) => (None, Severity::Ok),
            Situation::Up(Access::Denied) => (self.denied_up, Severity::Alert),
            Situation::Down(Access::Denied) => (self.denied_down, Severity::Alert),
            Situation::Up(Access::Unknown) => (self.unknown_up, Severity::Warning),
            Situation::Down(Access::Unknown) => (self.unknown_down, Severity::Warning),
            Situation::Up(Access::Known) => (self.known_up, Severity::Info),
            Situation::Down(Access::Known) => (self.known_down, Severity::Info),
            Situation::Proposed => (self.proposed, Severity::Warning),
            Situation::MacChanged => (self.mac_changed, Severity::Warning),
            Situation::FlipFlop => (self.flip_flop, Severity::Warning),
            Situation::AddressReused => (self.address_reused, Severity::Info),
            Situation::AddressConflict => (self.address_conflict, Severity::Alert),
            Situation::GatewayChanged => (self.gateway_changed, Severity::Alert),
            Situation::RogueDhcp => (self.rogue_dhcp, Severity::Alert),
            Situation::RogueRouter => (self.rogue_router, Severity::Alert),
        };
        set.unwrap_or(usual)
    }
}

/// An address and who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct Neighbour {
    /// The address.
    #[schema(value_type = String, example = "192.0.2.1")]
    pub address: IpAddr,
    /// The hardware address behind it.
    pub mac: Option<Mac>,
}

/// What a network has taught whoever watches it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Learned {
    /// The ways out.
    pub gateways: Vec<Neighbour>,
    /// Who hands out addresses and is trusted to.
    pub dhcp_servers: Vec<Neighbour>,
    /// Who says it is a router and is trusted to be one.
    pub routers: Vec<Neighbour>,
}

/// One look over a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sweep {
    /// Its id, made by the worker.
    pub id: Uuid,
    /// The worker.
    pub worker_id: Uuid,
    /// The name that worker had.
    pub worker: String,
    /// When it began, by the worker's clock.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// True when everything was asked; when false, nobody is missing because of it.
    pub complete: bool,
    /// Addresses that were asked.
    pub probed: u64,
    /// Devices that were seen.
    pub hosts: u32,
    /// Devices that were never seen before.
    pub newcomers: u32,
    /// Devices that went down because of it.
    pub gone: u32,
    /// Why it could not be done, or not be completed.
    pub error: Option<String>,
}

/// A network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Network {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// Its name, unique.
    #[schema(example = "Office")]
    pub name: String,
    /// What is swept.
    #[schema(value_type = Vec<String>, example = json!(["192.0.2.0/24"]))]
    pub prefixes: Vec<IpNet>,
    /// What is left out of it.
    #[schema(value_type = Vec<String>)]
    pub exclude: Vec<IpNet>,
    /// Who may sweep it: a worker, a queue or a selector, of which the server chooses one worker.
    #[schema(example = "worker:paris-1")]
    pub from: String,
    /// The interface, when not the one that leads there.
    pub interface: Option<String>,
    /// The VLAN whose tag the packets bear.
    #[schema(minimum = 1, maximum = 4094)]
    pub vlan: Option<u16>,
    /// From one sweep to the next, in milliseconds.
    pub interval_ms: u64,
    /// Packets a second at most, when not the usual.
    pub rate_pps: Option<u32>,
    /// Bits a second at most, as they are counted on the wire.
    pub rate_bps: Option<u64>,
    /// Part of the link's speed that is used at most, in percent, when not the usual 10; it counts where the worker
    /// knows the speed.
    pub share: Option<u8>,
    /// Devices that speak are seen without a sweep.
    pub passive: bool,
    /// Devices and name servers are asked for names.
    pub names: bool,
    /// A prefix above a /16 is swept.
    pub large: bool,
    /// Sweeps in a row that may miss a device before it is down.
    pub grace_sweeps: u32,
    /// How much things matter, where that is not as usual.
    pub severities: Severities,
    /// Who may hand out addresses; when empty, those that were learned.
    #[schema(value_type = Vec<String>)]
    pub dhcp_servers: Vec<IpAddr>,
    /// Who may say it is a router, by its link-local address; when empty, those that were learned.
    #[schema(value_type = Vec<String>)]
    pub routers: Vec<IpAddr>,
    /// Until when DHCP servers and routers are learned.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub learn_until: Option<Timestamp>,
    /// False while it is stopped.
    pub running: bool,
    /// How it is doing.
    pub status: NetworkStatus,
    /// What is wrong.
    pub problem: Option<String>,
    /// The worker that sweeps it.
    pub worker_id: Option<Uuid>,
    /// Name of that worker.
    pub worker: Option<String>,
    /// The latest sweep.
    pub last_sweep: Option<Sweep>,
    /// When the next sweep is due, about.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_sweep_at: Option<Timestamp>,
    /// Devices that were ever seen on it.
    pub devices: u64,
    /// Devices that are there.
    pub up: u64,
    /// Devices of which the access list does not speak, or that it denies.
    pub not_allowed: u64,
    /// What it has taught.
    pub learned: Learned,
    /// What the worker knows of its own link.
    pub link: Option<LinkFacts>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_usual_unless_set() {
        let mut severities = Severities::default();
        assert_eq!(severities.of(Situation::Up(Access::Denied)), Severity::Alert);
        assert_eq!(severities.of(Situation::Up(Access::Unknown)), Severity::Warning);
        assert_eq!(severities.of(Situation::Down(Access::Known)), Severity::Info);
        assert_eq!(severities.of(Situation::Up(Access::Worker)), Severity::Ok);
        severities.known_down = Some(Severity::Alert);
        assert_eq!(severities.of(Situation::Down(Access::Known)), Severity::Alert);
        assert_eq!(serde_json::to_string(&severities).unwrap(), r#"{"known_down":"alert"}"#);
    }
}
