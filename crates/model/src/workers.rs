//! Workers: vantage points.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

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
    /// What it can do.
    pub capabilities: Capabilities,
    /// What it may touch, as it says itself.
    pub policy: String,
    /// True when it runs inside the server's process.
    pub embedded: bool,
    /// True while it is connected.
    pub online: bool,
    /// How many operations it runs at this moment.
    pub running: u32,
    /// When it was first seen.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last heard of.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: Timestamp,
}

/// What a worker can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Capabilities {
    /// Tools it runs.
    pub tools: Vec<String>,
    /// It has IPv4 addresses beyond loopback.
    pub ipv4: bool,
    /// It has IPv6 addresses beyond loopback and link.
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
