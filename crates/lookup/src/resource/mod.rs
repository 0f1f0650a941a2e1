//! Anything that can be looked up, and everything that is known about it.

mod answer;
mod gather;
mod mac;
mod name;
mod read;
mod records;
mod registry;

use std::fmt::{self, Display};
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;
use utoipa::ToSchema;

use crate::oui;

pub use self::answer::{Address, Known, Part, PartName, PartStatus, Parts, Ptr, Subject, SystemNumber};
pub use self::gather::{Sources, gather};
pub use self::name::Name;
pub use self::read::{LONGEST, NotAResource};
pub use self::records::{FailedType, Records, TYPES};

/// What was typed, as it is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// One address.
    Address(IpAddr),
    /// A network, its host bits cleared.
    Prefix(IpNet),
    /// From one address to another of the same family, both included.
    Range(IpAddr, IpAddr),
    /// A name of the DNS.
    Name(Name),
    /// An autonomous system.
    As(u32),
    /// A MAC address, or the beginning of one.
    Mac(oui::Prefix),
}

/// The kinds of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An IPv4 or IPv6 address.
    Address,
    /// A network, such as `192.0.2.0/24`.
    Prefix,
    /// From one address to another.
    Range,
    /// A name of the DNS.
    Name,
    /// The number of an autonomous system.
    As,
    /// A MAC address, or the beginning of one.
    Mac,
}

impl Resource {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Address(_) => Kind::Address,
            Self::Prefix(_) => Kind::Prefix,
            Self::Range(..) => Kind::Range,
            Self::Name(_) => Kind::Name,
            Self::As(_) => Kind::As,
            Self::Mac(_) => Kind::Mac,
        }
    }
}

/// The one way to write it, which is read as the same again.
impl Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Prefix(network) => network.fmt(f),
            Self::Range(first, last) => write!(f, "{first} - {last}"),
            Self::Name(name) => f.write_str(name.ascii()),
            Self::As(number) => write!(f, "AS{number}"),
            Self::Mac(mac) => mac.fmt(f),
        }
    }
}
