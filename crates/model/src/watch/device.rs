//! Devices: what stands behind hardware addresses and addresses.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::presence::Presence;
use super::sighting::{NameSource, Source};
use crate::events::Severity;
use crate::mac::Mac;

/// What the access list says of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// It is the worker that watches.
    Worker,
    /// It is allowed.
    Known,
    /// The list does not speak of it.
    Unknown,
    /// It is denied.
    Denied,
}

impl Access {
    /// All there are, mildest first.
    pub const ALL: [Self; 4] = [Self::Worker, Self::Known, Self::Unknown, Self::Denied];

    /// Its word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Known => "known",
            Self::Unknown => "unknown",
            Self::Denied => "denied",
        }
    }

    /// What this word says.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|access| access.as_str() == word)
    }
}

/// How much depends on a device.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Criticality {
    /// Little.
    Low,
    /// As much as usual.
    #[default]
    Normal,
    /// Much.
    High,
    /// Everything.
    Critical,
}

impl Criticality {
    /// All there are, lowest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Normal, Self::High, Self::Critical];

    /// Its word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The criticality of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|criticality| criticality.as_str() == word)
    }
}

/// How much it matters that one device comes or goes, whatever its networks say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceSeverities {
    /// When it comes up.
    pub up: Option<Severity>,
    /// When it goes down.
    pub down: Option<Severity>,
}

/// A device as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Device {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// What it is shown as: the name that was set, else a name it was heard by, else an address of it.
    #[schema(example = "printer-2")]
    pub label: String,
    /// The name that was set.
    pub name: Option<String>,
    /// What it is, such as `printer`: as it was set, else as the rules say; empty when nobody knows.
    #[serde(rename = "type")]
    #[schema(example = "printer")]
    pub kind: String,
    /// True when the type was set by somebody.
    pub type_is_set: bool,
    /// Whose it is.
    pub owner: String,
    /// What people should know of it.
    pub notes: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// How much depends on it.
    pub criticality: Criticality,
    /// How much it matters that it comes or goes, where that was set.
    pub severities: DeviceSeverities,
    /// To whom its hardware address is assigned.
    pub vendor: Option<String>,
    /// What the access list says of it: the worst it says of any of its interfaces.
    pub access: Access,
    /// Whether it is there.
    pub presence: Presence,
    /// True when all its hardware addresses are made up by itself.
    pub random_mac: bool,
    /// Its hardware addresses.
    pub macs: Vec<Mac>,
    /// The addresses it has now, or had last.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
    /// The networks it was seen on.
    pub networks: Vec<Uuid>,
    /// When it was first seen.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen_at: Timestamp,
    /// When it was last seen.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: Timestamp,
}

/// A device with all that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeviceDetail {
    /// The device.
    #[serde(flatten)]
    pub device: Device,
    /// Its interfaces.
    pub interfaces: Vec<Interface>,
    /// Devices that may be the same one.
    pub proposals: Vec<Proposal>,
}

/// One hardware address of a device on one network; or, beyond the link, one address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Interface {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// The network.
    pub network_id: Uuid,
    /// Name of the network.
    pub network: String,
    /// The hardware address; absent beyond the link.
    pub mac: Option<Mac>,
    /// To whom it is assigned.
    pub vendor: Option<String>,
    /// What the access list says of it.
    pub access: Access,
    /// Whether it is there.
    pub presence: Presence,
    /// Since when it is there, or is not.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Sweeps in a row that did not see it.
    pub missed: u32,
    /// True when it says that it is a router.
    pub router: bool,
    /// How it was first seen.
    pub source: Source,
    /// The names it was heard by.
    pub names: Vec<HeardName>,
    /// Its addresses, those it has now first.
    pub addresses: Vec<SeenAddress>,
    /// When it was first seen.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen_at: Timestamp,
    /// When it was last seen.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: Timestamp,
}

/// A name an interface was heard by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeardName {
    /// Where it comes from.
    pub source: NameSource,
    /// The name.
    pub text: String,
    /// When it was first heard.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Timestamp,
    /// When it was last heard, to the day.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
}

/// An address an interface has, or had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeenAddress {
    /// The address.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// True when it has it now.
    pub current: bool,
    /// When it was first seen there.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen_at: Timestamp,
    /// When it was last seen there.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: Timestamp,
}

/// A device that may be the same as another, because it hides its hardware address. Nobody merges them but people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Proposal {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// The other device.
    pub device_id: Uuid,
    /// What that is shown as.
    pub label: String,
    /// Why they may be the same.
    #[schema(example = "both are called anna-phone by DHCP")]
    pub reason: String,
    /// When that was noticed.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// Something about a device that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceChange {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What changed: `address`, `name`, `vendor`, `mac`, or a field that people set.
    #[schema(example = "address")]
    pub field: String,
    /// What it was.
    pub old: Option<String>,
    /// What it is.
    pub new: Option<String>,
    /// Who changed it, or where it was seen: `sweep`, `dhcp`, the name of a user.
    pub source: String,
    /// The network where that was seen.
    pub network_id: Option<Uuid>,
}
