//! Why a name has no address.

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;

/// Address families that are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Families {
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
    /// Both.
    #[default]
    Both,
}

impl Families {
    pub(super) fn v4(self) -> bool {
        self != Self::V6
    }

    pub(super) fn v6(self) -> bool {
        self != Self::V4
    }
}

/// Why a name has no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The text is no name at all.
    #[error("'{name}' is no name that can be looked up: {why}")]
    NotAName {
        /// The text.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// The servers say that there is no such name.
    #[error("no such name: '{name}' (asked {servers})")]
    NoSuchName {
        /// The name.
        name: String,
        /// Who was asked, separated by commas.
        servers: String,
    },
    /// The name exists, but not in the wanted family.
    #[error("'{name}' has no {}", match wanted {
        Families::V4 => "IPv4 address, only IPv6",
        Families::V6 => "IPv6 address, only IPv4",
        Families::Both => "address",
    })]
    NoAddress {
        /// The name.
        name: String,
        /// What was wanted.
        wanted: Families,
    },
    /// No server answered in time.
    #[error(
        "no answer about '{name}' from {servers} within {seconds} s; check /etc/resolv.conf, or give an address"
    )]
    NoAnswer {
        /// The name.
        name: String,
        /// Who was asked, separated by commas.
        servers: String,
        /// How long was waited, in seconds.
        seconds: u64,
    },
    /// A server answered that it cannot or will not answer.
    #[error("{servers} could not answer about '{name}': {why}")]
    Failed {
        /// The name.
        name: String,
        /// Who was asked, separated by commas.
        servers: String,
        /// What it said, or what went wrong on the way.
        why: String,
    },
    /// There is nobody to ask.
    #[error("'{name}' cannot be looked up: {why}; name a server in /etc/resolv.conf, or give an address")]
    NoServer {
        /// The name.
        name: String,
        /// Why there is nobody.
        why: String,
    },
}

impl ResolveError {
    /// True when nobody could say, false when it was said that there is no such name or address.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::NoAnswer { .. } | Self::Failed { .. } | Self::NoServer { .. })
    }
}

/// True for an answer that says "nothing here", false for a failure.
pub(super) fn is_empty(error: &NetError) -> bool {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            matches!(none.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
        }
        NetError::Dns(DnsError::ResponseCode(ResponseCode::NXDomain)) => true,
        _ => false,
    }
}

/// True for an answer that says "the name exists, but without such a record".
pub(super) fn exists(error: &NetError) -> bool {
    matches!(error, NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == ResponseCode::NoError)
}

/// What went wrong, in words.
pub(super) fn describe(error: &NetError) -> String {
    let code = match error {
        NetError::Dns(DnsError::ResponseCode(code)) => *code,
        NetError::Dns(DnsError::NoRecordsFound(none)) => none.response_code,
        NetError::Io(error) => return error.to_string(),
        other => return other.to_string(),
    };
    match code {
        ResponseCode::ServFail => "server failure (SERVFAIL)".into(),
        ResponseCode::Refused => "it refuses to answer us (REFUSED)".into(),
        other => other.to_string(),
    }
}
