//! The standing order to watch a network.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Most addresses that are asked again before they are missing.
pub const MOST_RECHECKED: usize = 10_000;

/// What a worker has to know to watch a network; the body of an assignment of the kind [`super::SWEEP`], whose
/// `every_ms` is the time from one sweep to the next. The worker shifts each by a little.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SweepOrder {
    /// The network.
    pub network_id: Uuid,
    /// What is swept.
    pub prefixes: Vec<IpNet>,
    /// What is left out of it.
    pub exclude: Vec<IpNet>,
    /// The interface, when not the one that leads there.
    pub interface: Option<String>,
    /// The VLAN whose tag the packets bear, 1 to 4094.
    pub vlan: Option<u16>,
    /// Packets a second at most, when not the usual.
    pub rate_pps: Option<u32>,
    /// Bits a second at most, as they are counted on the wire.
    pub rate_bps: Option<u64>,
    /// Part of the link's speed that is used at most, in percent, when not the usual.
    pub share: Option<u8>,
    /// Listens between sweeps, too.
    pub passive: bool,
    /// Asks devices and name servers for names.
    pub names: bool,
    /// Complete sweeps in a row that may miss a device before it is down: so often it is asked again before it is
    /// missing. 0 for the usual.
    pub grace_sweeps: u32,
    /// A prefix above a /16 is swept too.
    pub large: bool,
}
