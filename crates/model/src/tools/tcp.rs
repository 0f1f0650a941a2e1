//! `tcp`: connections to one port, one after the other.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::args::{self, Family};
use super::verdict::Verdict;
use super::{Tool, ToolText};
use crate::error::FieldError;
use crate::target::{HostPort, TargetKind};

/// The `tcp` tool.
#[derive(Debug)]
pub struct Tcp;

/// Options of `tcp`. Durations are milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, clap::Args, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TcpOptions {
    /// The port, when the target does not name it, as in `example.org:443`.
    #[arg(short = 'p', long, value_name = "PORT")]
    #[schema(minimum = 1, maximum = 65_535)]
    pub port: Option<u16>,
    /// How many connections are tried with each address, one after the other.
    #[arg(short = 'c', long, default_value_t = 4, value_name = "N")]
    #[schema(minimum = 1, maximum = 1_000, default = 4)]
    pub count: u32,
    /// Time between the beginnings of two connections; `-i` takes seconds.
    #[arg(short = 'i', long = "interval", default_value = "1", value_name = "SECONDS", value_parser = args::seconds)]
    #[schema(minimum = 50, maximum = 600_000, default = 1000)]
    pub interval_ms: u32,
    /// How long an answer is waited for; `-W` takes seconds.
    #[arg(short = 'W', long = "timeout", default_value = "3", value_name = "SECONDS", value_parser = args::seconds)]
    #[schema(minimum = 10, maximum = 60_000, default = 3000)]
    pub timeout_ms: u32,
    /// Source address; it must belong to the worker.
    #[arg(long, value_name = "ADDRESS")]
    #[schema(value_type = Option<String>)]
    pub source: Option<IpAddr>,
    /// Which addresses of a name are tried.
    #[command(flatten)]
    #[schema(default = "auto")]
    pub family: Family,
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self { port: None, count: 4, interval_ms: 1000, timeout_ms: 3000, source: None, family: Family::Auto }
    }
}

impl Tool for Tcp {
    type Options = TcpOptions;
    const TEXT: ToolText = ToolText {
        name: "tcp",
        title: "TCP connect",
        summary: "Open TCP connections and tell refused, filtered and unanswered ones apart.",
        target: "An address or a name, with its port, such as example.org:443 or [2001:db8::1]:22.",
    };
    const TARGET: TargetKind = TargetKind::HostPort;

    fn check(options: &TcpOptions) -> Vec<FieldError> {
        args::check_longest("options.count", Self::longest_ms(options)).into_iter().collect()
    }

    fn longest_ms(options: &TcpOptions) -> u64 {
        let between = options.interval_ms.max(options.timeout_ms);
        u64::from(options.count.saturating_sub(1)) * u64::from(between) + u64::from(options.timeout_ms)
    }

    fn check_target(target: &str, options: &TcpOptions) -> Option<FieldError> {
        port_of(target, options.port, None).err()
    }
}

/// The port to connect to: that of the target, of the option, or the usual one.
///
/// # Errors
/// When target and option name different ports, or nobody names one.
pub fn port_of(target: &str, option: Option<u16>, usual: Option<u16>) -> Result<(String, u16), FieldError> {
    let HostPort { host, port } = HostPort::parse(target)?;
    match (port, option) {
        (Some(port), Some(option)) if port != option => Err(FieldError::body(
            "options.port",
            format!("is {option}, but the target names port {port}; leave one of them out"),
        )),
        (Some(port), _) | (None, Some(port)) => Ok((host, port)),
        (None, None) => match usual {
            Some(port) => Ok((host, port)),
            None => Err(FieldError::body("target", format!("needs a port: {host}:443, or the option port"))),
        },
    }
}

/// What `tcp` measured. A name with several addresses (`family: all`) has one report for each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TcpOutcome {
    /// One report per address.
    pub reports: Vec<TcpReport>,
    /// The report as lines of text.
    pub raw: Vec<String>,
}

/// The measurement of one address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TcpReport {
    /// The address that was connected to.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// Why this address was chosen, when the target is a name.
    pub chosen: Option<String>,
    /// Numbers over all connections.
    pub statistics: TcpStatistics,
    /// What became of each connection, in their order.
    pub attempts: Vec<TcpAttempt>,
    /// What the numbers mean.
    pub verdict: Verdict,
}

/// Numbers over all connections to one address. Times are milliseconds from the first packet to the connection; they are
/// absent when nothing was connected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TcpStatistics {
    /// Connections that were tried and have ended in some way.
    pub attempted: u32,
    /// Connections that came about.
    pub connected: u32,
    /// Connections that the host refused by a reset.
    pub refused: u32,
    /// Connections that an ICMP error ended.
    pub filtered: u32,
    /// Connections without any answer.
    pub unanswered: u32,
    /// Connections that could not be tried.
    pub unsent: u32,
    /// Shortest time.
    pub min: Option<f64>,
    /// Mean time.
    pub average: Option<f64>,
    /// Longest time.
    pub max: Option<f64>,
    /// Standard deviation.
    pub stddev: Option<f64>,
    /// Median.
    pub median: Option<f64>,
    /// 95th percentile (nearest rank).
    pub p95: Option<f64>,
}

/// What became of one connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TcpAttempt {
    /// Its number, from 1.
    pub seq: u32,
    /// When it was tried, in milliseconds since the measurement began.
    pub at_ms: f64,
    /// What became of it.
    #[serde(flatten)]
    pub fate: TcpFate,
}

/// What became of one connection. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum TcpFate {
    /// It came about.
    Connected {
        /// From the first packet to the connection.
        rtt: f64,
    },
    /// The host refused it by a reset: it is there, and nothing listens on the port.
    Refused {
        /// From the first packet to the reset.
        rtt: f64,
    },
    /// An ICMP error ended it: a router, a firewall or the host itself does not let it through.
    Filtered {
        /// From the first packet to the error.
        rtt: f64,
        /// Who sent the error, where it is known.
        #[schema(value_type = Option<String>)]
        from: Option<IpAddr>,
        /// What it says, such as `administratively prohibited`.
        message: String,
    },
    /// Nothing came back in time.
    Unanswered,
    /// It could not be tried.
    Unsent {
        /// What the system said.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_named_once() {
        let ok = |host: &str, port| Ok((host.to_owned(), port));
        assert_eq!(port_of("example.org:443", None, None), ok("example.org", 443));
        assert_eq!(port_of("example.org", Some(22), Some(443)), ok("example.org", 22));
        assert_eq!(port_of("[2001:db8::1]:80", Some(80), None), ok("2001:db8::1", 80));
        assert_eq!(port_of("2001:db8::1", None, Some(443)), ok("2001:db8::1", 443));
        assert_eq!(port_of("example.org:443", Some(80), None).unwrap_err().name, "options.port");
        assert!(port_of("example.org", None, None).unwrap_err().description.contains("needs a port"));
    }
}
