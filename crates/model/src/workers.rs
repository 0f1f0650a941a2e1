//! Workers: vantage points.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::watch::report::LinkFacts;

/// A worker as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Worker {
    /// Its id, a UUIDv7, kept across restarts.
    pub id: Uuid,
    /// Its name, unique.
    #[schema(example = "paris-1")]
    pub name: String,
    /// The site it stands at.
    pub site: String,
    /// Where that is, for people.
    pub location: String,
    /// Free words to select it by.
    pub tags: Vec<String>,
    /// Version of its program.
    pub version: String,
    /// Queues it listens on, besides its inbox.
    pub queues: Vec<String>,
    /// Queues it asks for that the server does not have.
    pub unknown_queues: Vec<String>,
    /// What it can do.
    pub capabilities: Capabilities,
    /// What it may touch, as it says itself.
    pub policy: String,
    /// True when it runs inside the server's process.
    pub embedded: bool,
    /// True while it is connected.
    pub online: bool,
    /// Where it stands.
    pub state: WorkerState,
    /// How it reaches the server: `embedded`, `websocket` or `amqp`; empty before it was here.
    #[schema(example = "websocket")]
    pub link: String,
    /// Latitude and longitude.
    pub coordinates: Option<Coordinates>,
    /// Country as ISO 3166-1 alpha-2 has it; empty when nobody said.
    #[schema(example = "FR")]
    pub country: String,
    /// Number of the autonomous system it stands in.
    #[schema(example = 64500)]
    pub asn: Option<u32>,
    /// Most operations it runs at once; 0 when it did not say.
    pub concurrency: u32,
    /// Processes that wait for its processors, on average over a minute.
    pub load: Option<f32>,
    /// Bytes of reports that wait on its disk.
    pub spool_bytes: u64,
    /// Its clock minus the server's, in milliseconds.
    pub clock_offset_ms: Option<i64>,
    /// What it found out about itself before it took work.
    pub self_test: Vec<SelfTest>,
    /// What its tools have sent and received this month.
    pub usage: Vec<ToolUsage>,
    /// Most bytes its tools may send and receive in a month.
    pub usage_cap_bytes: Option<u64>,
    /// What an administrator has set; it wins over what the worker says of itself.
    pub overrides: WorkerOverrides,
    /// What the worker says of itself; absent before it was here.
    pub declared: Option<WorkerOverrides>,
    /// The links it stands on, those on which it could watch a network.
    #[serde(default)]
    pub links: Vec<LinkFacts>,
    /// True when a key for signed reports is registered.
    pub has_key: bool,
    /// How many operations it runs at this moment.
    pub running: u32,
    /// When it was first seen.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last heard of; absent before it was here.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen_at: Option<Timestamp>,
}

/// Where a worker stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum WorkerState {
    /// Enrolled, but never seen.
    #[default]
    Enrolled,
    /// Connected, and takes work.
    Online,
    /// Connected; finishes what it runs and takes nothing new.
    Draining,
    /// Not connected.
    Offline,
    /// Cut off by an administrator.
    Revoked,
}

impl WorkerState {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::Online => "online",
            Self::Draining => "draining",
            Self::Offline => "offline",
            Self::Revoked => "revoked",
        }
    }
}

/// A place on the map.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Coordinates {
    /// Degrees north, from -90 to 90.
    #[schema(minimum = -90, maximum = 90, example = 48.8566)]
    pub latitude: f64,
    /// Degrees east, from -180 to 180.
    #[schema(minimum = -180, maximum = 180, example = 2.3522)]
    pub longitude: f64,
}

impl Coordinates {
    /// What lies out of its range: its name, and what is wrong with it.
    pub fn mistakes(self) -> impl Iterator<Item = (&'static str, String)> {
        [("latitude", self.latitude, 90.0), ("longitude", self.longitude, 180.0)]
            .into_iter()
            .filter(|(_, degrees, most)| !(-most..=*most).contains(degrees))
            .map(|(name, degrees, most)| (name, format!("must be from -{most} to {most}, got {degrees}")))
    }

    /// True when both lie in their ranges.
    pub fn is_valid(self) -> bool {
        self.mistakes().next().is_none()
    }
}

/// One thing a worker tried before it took work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SelfTest {
    /// What was tried.
    #[schema(example = "ICMP to the gateway 192.0.2.1")]
    pub what: String,
    /// True when it did not fail.
    pub passed: bool,
    /// True when there was nothing to try, or it is not allowed; the detail says why. Then it has not failed.
    #[serde(default)]
    pub skipped: bool,
    /// What came of it.
    #[schema(example = "0.4 ms")]
    pub detail: String,
    /// Tools that are not offered because of it.
    #[serde(default)]
    pub takes_away: Vec<String>,
}

/// What one tool has sent and received in one month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ToolUsage {
    /// The tool.
    #[schema(example = "ping")]
    pub tool: String,
    /// The month, in UTC.
    #[schema(example = "2026-11")]
    pub month: String,
    /// Bytes sent, headers of IP included.
    pub bytes_sent: u64,
    /// Bytes received, headers of IP included.
    pub bytes_received: u64,
}

/// What can be set of a worker. Where an administrator has set nothing, it is as the worker says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerOverrides {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The site it stands at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Where that is, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Latitude and longitude.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coordinates: Option<Coordinates>,
    /// Country as ISO 3166-1 alpha-2 has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Number of the autonomous system it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asn: Option<u32>,
    /// Free words to select it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Queues it listens on, whatever it asks for, and no others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queues: Option<Vec<String>>,
}

/// What a worker can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Capabilities {
    /// Tools it runs.
    pub tools: Vec<String>,
    /// It has a route over IPv4 to more than its own links.
    pub ipv4: bool,
    /// It has a route over IPv6 to more than its own links.
    pub ipv6: bool,
    /// It may open raw sockets.
    pub raw_sockets: bool,
    /// What it cannot do, and what would help.
    pub missing: Vec<MissingCapability>,
}

/// Something a worker cannot do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MissingCapability {
    /// What it cannot do.
    #[schema(example = "TCP traces")]
    pub what: String,
    /// Why.
    #[schema(example = "raw sockets need CAP_NET_RAW")]
    pub why: String,
    /// What would help, a command where there is one.
    pub remedy: String,
}
