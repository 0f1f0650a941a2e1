//! `ping`: ICMP echo to one target.

use std::net::IpAddr;

use clap::ArgAction;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::args::{self, Family};
use super::legacy::LegacyFlag;
use super::place::AddressPlace;
use super::verdict::Verdict;
use super::{Tool, ToolText};
use crate::error::FieldError;

/// The `ping` tool.
#[derive(Debug)]
pub struct Ping;

/// Options of `ping`. Durations are milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, clap::Args, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PingOptions {
    /// How many echo requests are sent to each address.
    #[arg(short = 'c', long, default_value_t = 10, value_name = "N")]
    #[schema(minimum = 1, maximum = 10_000, default = 10)]
    pub count: u32,
    /// Time between two requests to the same address; `-i` takes seconds.
    #[arg(short = 'i', long = "interval", default_value = "1", value_name = "SECONDS", value_parser = args::seconds)]
    #[schema(minimum = 10, maximum = 600_000, default = 1000)]
    pub interval_ms: u32,
    /// How long a reply is waited for; `-W` takes seconds. A later reply is counted as late.
    #[arg(short = 'W', long = "timeout", default_value = "2", value_name = "SECONDS", value_parser = args::seconds)]
    #[schema(minimum = 10, maximum = 60_000, default = 2000)]
    pub timeout_ms: u32,
    /// Bytes of payload behind the ICMP header. Below 8 bytes the reply cannot carry our token.
    #[arg(short = 's', long, default_value_t = 56, value_name = "BYTES")]
    #[schema(minimum = 0, maximum = 65_507, default = 56)]
    pub size: u16,
    /// Time to live (IPv6: hop limit) of the requests.
    #[arg(short = 't', long, default_value_t = 64, value_name = "HOPS")]
    #[schema(minimum = 1, maximum = 255, default = 64)]
    pub ttl: u8,
    /// Differentiated services code point; `-Q` takes the whole TOS byte.
    #[arg(short = 'Q', long = "tos", default_value = "0", value_name = "TOS", value_parser = args::dscp_of_tos)]
    #[schema(minimum = 0, maximum = 63, default = 0)]
    pub dscp: u8,
    /// Forbid fragmentation, so that too large a packet is answered by an error that names the MTU.
    #[arg(short = 'M', long = "pmtudisc", default_value = "dont", value_name = "do|dont",
          value_parser = args::dont_fragment, action = ArgAction::Set)]
    #[schema(default = false)]
    pub dont_fragment: bool,
    /// Source address; it must belong to the worker.
    #[arg(long, value_name = "ADDRESS")]
    #[schema(value_type = Option<String>)]
    pub source: Option<IpAddr>,
    /// Interface the requests leave by.
    #[arg(short = 'I', long, value_name = "NAME")]
    #[schema(max_length = 15)]
    pub interface: Option<String>,
    /// Which addresses of a name are pinged.
    #[command(flatten)]
    #[schema(default = "auto")]
    pub family: Family,
}

impl Default for PingOptions {
    fn default() -> Self {
        Self {
            count: 10,
            interval_ms: 1000,
            timeout_ms: 2000,
            size: 56,
            ttl: 64,
            dscp: 0,
            dont_fragment: false,
            source: None,
            interface: None,
            family: Family::Auto,
        }
    }
}

impl PingOptions {
    /// The time the measurement takes when nothing answers, in milliseconds.
    pub fn longest_ms(&self) -> u64 {
        u64::from(self.count - self.count.min(1)) * u64::from(self.interval_ms) + u64::from(self.timeout_ms)
    }
}

impl Tool for Ping {
    type Options = PingOptions;
    const TEXT: ToolText = ToolText {
        name: "ping",
        title: "Ping",
        summary: "Send ICMP echo requests and keep every reply.",
        target: "An address or a name, such as 192.0.2.1 or example.org.",
    };

    fn check(options: &PingOptions) -> Vec<FieldError> {
        args::check_longest("options.count", options.longest_ms()).into_iter().collect()
    }

    fn longest_ms(options: &PingOptions) -> u64 {
        options.longest_ms()
    }

    fn legacy_flags() -> &'static [LegacyFlag] {
        super::legacy::PING
    }
}

/// What `ping` measured. The first ten fields are those of the older API; a name with several
/// addresses (`family: all`) has one report for each in `reports`, and the flat fields speak of the first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PingOutcome {
    /// Requests sent.
    pub transmitted: u32,
    /// Requests answered in time.
    pub received: u32,
    /// Replies beyond the first to the same request.
    pub duplicates: u32,
    /// Share of requests without an answer in time, in percent.
    pub loss: f64,
    /// Shortest round trip in milliseconds; absent when nothing answered.
    pub min: Option<f64>,
    /// Longest round trip in milliseconds.
    pub max: Option<f64>,
    /// Mean round trip in milliseconds.
    pub average: Option<f64>,
    /// The report as lines of text.
    pub raw: Vec<String>,
    /// One report per address.
    pub reports: Vec<PingReport>,
}

/// The measurement of one address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PingReport {
    /// The address that was pinged.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// Why this address was chosen, when the target is a name.
    pub chosen: Option<String>,
    /// AS number, added by the server when it has a file that knows.
    pub asn: Option<u32>,
    /// Who runs that AS, likewise.
    pub as_name: Option<String>,
    /// Where the address is, likewise.
    pub place: Option<AddressPlace>,
    /// Numbers over all requests.
    pub statistics: PingStatistics,
    /// What became of each request, by sequence. A snapshot holds the latest 300 only.
    pub replies: Vec<PingReply>,
    /// What the numbers mean.
    pub verdict: Verdict,
}

/// Numbers over all requests to one address. Round trips are milliseconds; they are absent when nothing answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PingStatistics {
    /// Requests sent.
    pub transmitted: u32,
    /// Requests answered in time.
    pub received: u32,
    /// Requests that could not be sent.
    pub unsent: u32,
    /// Replies beyond the first to the same request.
    pub duplicates: u32,
    /// First replies after the timeout; they count as lost.
    pub late: u32,
    /// Replies in time that were overtaken by the reply to a later request (RFC 4737).
    pub reordered: u32,
    /// Requests answered by an ICMP error.
    pub errors: u32,
    /// Share of requests without an answer in time, in percent of those that are decided.
    pub loss: f64,
    /// Shortest round trip.
    pub min: Option<f64>,
    /// Mean round trip.
    pub average: Option<f64>,
    /// Longest round trip.
    pub max: Option<f64>,
    /// Standard deviation over the replies.
    pub stddev: Option<f64>,
    /// Mean difference of successive round trips.
    pub jitter: Option<f64>,
    /// Median.
    pub median: Option<f64>,
    /// 95th percentile (nearest rank).
    pub p95: Option<f64>,
    /// 99th percentile (nearest rank).
    pub p99: Option<f64>,
}

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PingReply {
    /// Number of the request, from 1.
    pub seq: u32,
    /// When it was sent, in milliseconds since the measurement began.
    pub at_ms: f64,
    /// What became of it.
    #[serde(flatten)]
    pub fate: PingFate,
}

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum PingFate {
    /// Still waited for.
    Waiting,
    /// Answered in time.
    Reply {
        /// Round trip in milliseconds, resolution one microsecond or better.
        rtt: f64,
        /// Time to live the reply arrived with, where the socket tells it.
        ttl: Option<u8>,
        /// Who answered, when it is not the address that was asked.
        #[schema(value_type = Option<String>)]
        from: Option<IpAddr>,
        /// Further replies to the same request.
        duplicates: u16,
        /// True when the round trip is between two kernel stamps; false when it comes from the monotonic clock.
        kernel: bool,
    },
    /// Answered after the timeout.
    Late {
        /// Round trip in milliseconds.
        rtt: f64,
    },
    /// No answer.
    Lost,
    /// An ICMP error came back.
    Error {
        /// Who sent the error.
        #[schema(value_type = String)]
        from: IpAddr,
        /// What it says, such as `host unreachable`.
        message: String,
    },
    /// The request never left this machine.
    Unsent {
        /// What the system said.
        message: String,
    },
}
