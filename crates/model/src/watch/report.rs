//! Reports of a worker that watches a network: the bodies of a stream whose assignment is of the kind `sweep`.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::sighting::Sighting;
use crate::mac::Mac;

/// Most sightings of one part of a sweep.
pub const MOST_SIGHTINGS: usize = 2_000;
/// Most sightings and facts that are overheard and told at once.
pub const MOST_HEARD: usize = 500;
/// Most facts of one report.
pub const MOST_FACTS: usize = 200;

/// What a worker tells of a network it watches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum WatchReport {
    /// One look over the whole network, or a part of its report.
    Sweep(Box<SweepReport>),
    /// What was overheard since.
    Heard(HeardReport),
}

/// One look over a network. One that saw more than [`MOST_SIGHTINGS`] comes in parts, which differ in [`Self::part`],
/// sightings and facts alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SweepReport {
    /// The sweep's own id.
    pub sweep: Uuid,
    /// When it began, by the worker's clock.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended, by the worker's clock.
    #[schema(value_type = String, format = DateTime)]
    pub ended_at: Timestamp,
    /// Everything was asked. When false, nobody is missing because of this sweep.
    pub complete: bool,
    /// Which part this is, from 1.
    pub part: u16,
    /// How many parts there are.
    pub parts: u16,
    /// Addresses that were asked.
    pub probed: u64,
    /// Addresses that were asked again because they are expected and did not answer at first.
    #[serde(default)]
    pub rechecked: u32,
    /// What was seen, each address and hardware address once, those of whom nothing was known first.
    pub sightings: Vec<Sighting>,
    /// What was seen besides hosts.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// Why it could not be done, or not be completed.
    #[serde(default)]
    pub error: Option<String>,
    /// What the worker knows of its own link.
    #[serde(default)]
    pub link: Option<LinkFacts>,
}

/// What was overheard between two sweeps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HeardReport {
    /// Who spoke, at most [`MOST_HEARD`].
    #[serde(default)]
    pub sightings: Vec<Sighting>,
    /// What was seen besides hosts.
    #[serde(default)]
    pub facts: Vec<Fact>,
}

/// Something seen on a link that is no host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// Somebody offers addresses by DHCP.
    DhcpServer {
        /// The server as it names itself.
        #[schema(value_type = String)]
        address: IpAddr,
        /// Where its packet came from.
        mac: Option<Mac>,
        /// The gateway it hands out.
        #[schema(value_type = Option<String>)]
        gateway: Option<IpAddr>,
        /// The resolvers it hands out, at most eight.
        #[schema(value_type = Vec<String>)]
        resolvers: Vec<IpAddr>,
    },
    /// Somebody says by router advertisement that it is a router.
    RouterAdvertisement {
        /// The router's link-local address.
        #[schema(value_type = String)]
        address: IpAddr,
        /// Its hardware address.
        mac: Option<Mac>,
        /// The prefixes it announces, at most 16.
        #[schema(value_type = Vec<String>)]
        prefixes: Vec<IpNet>,
        /// How long it offers to be the default router, in seconds; 0 when it does not.
        lifetime_s: u16,
    },
    /// Who stands behind the worker's way out.
    Gateway {
        /// Its address.
        #[schema(value_type = String)]
        address: IpAddr,
        /// Its hardware address.
        mac: Mac,
    },
    /// Several interfaces answer for one address.
    Conflict {
        /// The address.
        #[schema(value_type = String)]
        address: IpAddr,
        /// Who answers, in order; at most 8.
        macs: Vec<Mac>,
    },
}

/// What a worker knows of the link it watches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkFacts {
    /// Name of the interface.
    #[schema(example = "eth0")]
    pub interface: String,
    /// Its hardware address.
    pub mac: Option<Mac>,
    /// Its speed in Mbit/s, when it says.
    pub speed_mbps: Option<u32>,
    /// Its addresses with the length of their prefixes.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpNet>,
    /// The way out.
    #[schema(value_type = Option<String>)]
    pub gateway: Option<IpAddr>,
    /// Whom the worker asks for names.
    #[schema(value_type = Vec<String>)]
    pub resolvers: Vec<IpAddr>,
    /// Name of the wireless network.
    pub ssid: Option<String>,
    /// How the wireless network is secured, such as `WPA2`.
    pub security: Option<String>,
}
