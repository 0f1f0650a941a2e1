//! Syslog servers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How syslog messages travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SyslogTransport {
    /// One datagram a message (RFC 5426), usually to port 514. Nobody learns when one is lost.
    #[default]
    Udp,
    /// A connection with octets counted (RFC 6587), usually to port 601.
    Tcp,
    /// The same inside TLS (RFC 5425), usually to port 6514.
    Tls,
}

/// What part of a system a syslog message comes from, as RFC 5424 numbers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Facility {
    /// What users run.
    User = 1,
    /// Services.
    #[default]
    Daemon = 3,
    /// Security.
    Auth = 4,
    /// Security that not everybody may read.
    Authpriv = 10,
    /// For local use.
    Local0 = 16,
    /// For local use.
    Local1 = 17,
    /// For local use.
    Local2 = 18,
    /// For local use.
    Local3 = 19,
    /// For local use.
    Local4 = 20,
    /// For local use.
    Local5 = 21,
    /// For local use.
    Local6 = 22,
    /// For local use.
    Local7 = 23,
}

/// A syslog server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Syslog {
    /// The server: a name or an address.
    #[schema(example = "syslog.example.org")]
    pub server: String,
    /// Its port. Usually 514 with `udp`, 601 with `tcp`, 6514 with `tls`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How messages travel.
    #[serde(default)]
    pub transport: SyslogTransport,
    /// What part of a system they come from.
    #[serde(default)]
    pub facility: Facility,
}

impl Syslog {
    /// The port it sends to.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.transport {
            SyslogTransport::Udp => 514,
            SyslogTransport::Tcp => 601,
            SyslogTransport::Tls => 6514,
        })
    }
}
