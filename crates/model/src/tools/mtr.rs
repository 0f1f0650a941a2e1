//! `mtr`: the way to a target, hop by hop, measured again and again.

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

/// The `mtr` tool.
#[derive(Debug)]
pub struct Mtr;

/// What the probes of a trace are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// ICMP echo requests.
    #[default]
    Icmp,
    /// UDP datagrams.
    Udp,
    /// TCP SYN segments.
    Tcp,
}

/// Options of `mtr`. Durations are milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, clap::Args, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MtrOptions {
    /// How many times the whole way is measured.
    #[arg(short = 'c', long = "report-cycles", default_value_t = 10, value_name = "N")]
    #[schema(minimum = 1, maximum = 1_000, default = 10)]
    pub cycles: u32,
    /// Time between two cycles; `-i` takes seconds.
    #[arg(short = 'i', long = "interval", default_value = "1", value_name = "SECONDS", value_parser = args::seconds)]
    #[schema(minimum = 10, maximum = 60_000, default = 1000)]
    pub interval_ms: u32,
    /// The longest a hop is waited for; `-Z` takes seconds. Silent hops are given up earlier, once farther hops have answered.
    #[arg(short = 'Z', long = "timeout", default_value = "2", value_name = "SECONDS", value_parser = args::seconds)]
    #[schema(minimum = 10, maximum = 60_000, default = 2000)]
    pub timeout_ms: u32,
    /// Distance of the first hop that is asked.
    #[arg(short = 'f', long = "first-ttl", default_value_t = 1, value_name = "HOP")]
    #[schema(minimum = 1, maximum = 255, default = 1)]
    pub first_ttl: u8,
    /// Distance of the last hop that is asked.
    #[arg(short = 'm', long = "max-ttl", default_value_t = 30, value_name = "HOP")]
    #[schema(minimum = 1, maximum = 255, default = 30)]
    pub last_ttl: u8,
    /// A trace ends after so many silent hops in a row.
    #[arg(short = 'U', long = "max-unknown", default_value_t = 5, value_name = "N")]
    #[schema(minimum = 1, maximum = 255, default = 5)]
    pub max_silent: u8,
    /// What the probes are made of.
    #[command(flatten)]
    #[schema(default = "icmp")]
    pub protocol: Protocol,
    /// Destination port of UDP and TCP probes. Default: 33434 for UDP, 80 for TCP.
    #[arg(short = 'P', long, value_name = "PORT")]
    #[schema(minimum = 1, maximum = 65_535)]
    pub port: Option<u16>,
    /// How many flows are traced, to show equal-cost ways. Each flow keeps its ports, or its ICMP checksum, constant.
    #[arg(long, default_value_t = 1, value_name = "N")]
    #[schema(minimum = 1, maximum = 16, default = 1)]
    pub flows: u8,
    /// Size of the whole packet in bytes, headers included.
    #[arg(short = 's', long = "psize", default_value_t = 64, value_name = "BYTES")]
    #[schema(minimum = 28, maximum = 9_000, default = 64)]
    pub size: u16,
    /// Differentiated services code point; `-Q` takes the whole TOS byte.
    #[arg(short = 'Q', long = "tos", default_value = "0", value_name = "TOS", value_parser = args::dscp_of_tos)]
    #[schema(minimum = 0, maximum = 63, default = 0)]
    pub dscp: u8,
    /// Forbid fragmentation.
    #[arg(long, action = ArgAction::SetTrue)]
    #[schema(default = false)]
    pub dont_fragment: bool,
    /// Source address; it must belong to the worker.
    #[arg(short = 'a', long = "address", value_name = "ADDRESS")]
    #[schema(value_type = Option<String>)]
    pub source: Option<IpAddr>,
    /// Interface the probes leave by.
    #[arg(short = 'I', long, value_name = "NAME")]
    #[schema(max_length = 15)]
    pub interface: Option<String>,
    /// Which address of a name is traced.
    #[command(flatten)]
    #[schema(default = "auto")]
    pub family: Family,
}

impl Default for MtrOptions {
    fn default() -> Self {
        Self {
            cycles: 10,
            interval_ms: 1000,
            timeout_ms: 2000,
            first_ttl: 1,
            last_ttl: 30,
            max_silent: 5,
            protocol: Protocol::Icmp,
            port: None,
            flows: 1,
            size: 64,
            dscp: 0,
            dont_fragment: false,
            source: None,
            interface: None,
            family: Family::Auto,
        }
    }
}

impl MtrOptions {
    /// The time the measurement takes when nothing answers, in milliseconds.
    pub fn longest_ms(&self) -> u64 {
        u64::from(self.cycles - self.cycles.min(1)) * u64::from(self.interval_ms)
            + u64::from(self.timeout_ms) * 2
    }
}

impl Tool for Mtr {
    type Options = MtrOptions;
    const TEXT: ToolText = ToolText {
        name: "mtr",
        title: "Trace (mtr)",
        summary: "Measure every hop on the way to a target, cycle after cycle.",
        target: "An address or a name, such as 192.0.2.1 or example.org.",
    };

    fn check(options: &MtrOptions) -> Vec<FieldError> {
        let mut errors: Vec<_> =
            args::check_longest("options.cycles", options.longest_ms()).into_iter().collect();
        if options.first_ttl > options.last_ttl {
            errors.push(FieldError::body(
                "options.first_ttl",
                format!("must not be above last_ttl, which is {}", options.last_ttl),
            ));
        }
        if options.port.is_some() && options.protocol == Protocol::Icmp {
            errors.push(FieldError::body(
                "options.port",
                "has no meaning with protocol icmp; choose udp or tcp",
            ));
        }
        if options.family == Family::All {
            errors.push(FieldError::body("options.family", "a trace follows one address: auto, 4 or 6"));
        }
        errors
    }

    fn longest_ms(options: &MtrOptions) -> u64 {
        options.longest_ms()
    }

    fn legacy_flags() -> &'static [LegacyFlag] {
        super::legacy::MTR
    }
}

/// What `mtr` measured: the report in the shape of `mtr --json`, and the fuller one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MtrOutcome {
    /// The report with the field names of `mtr --json`.
    pub report: MtrReport,
    /// The report as lines of text, as `mtr --report` prints it.
    pub raw: Vec<String>,
    /// The fuller report.
    pub trace: TraceReport,
}

/// The report of `mtr --json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MtrReport {
    /// What was asked.
    pub mtr: MtrHeader,
    /// One line per hop.
    pub hubs: Vec<MtrHub>,
}

/// What was asked, as `mtr --json` says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MtrHeader {
    /// Name of the worker.
    pub src: String,
    /// The target as it was given.
    pub dst: String,
    /// TOS byte.
    pub tos: u8,
    /// Cycles.
    pub tests: u32,
    /// Packet size in bytes.
    pub psize: String,
    /// Byte that fills the payload.
    pub bitpattern: String,
}

/// One hop, as `mtr --json` says it. Times are milliseconds, 0 when nothing answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MtrHub {
    /// Distance.
    pub count: u32,
    /// Name or address, `???` when silent.
    pub host: String,
    /// AS number, `AS???` when unknown.
    #[serde(rename = "ASN")]
    pub asn: String,
    /// Loss in percent.
    #[serde(rename = "Loss%")]
    pub loss: f64,
    /// Probes sent.
    #[serde(rename = "Snt")]
    pub sent: u32,
    /// Last round trip.
    #[serde(rename = "Last")]
    pub last: f64,
    /// Mean round trip.
    #[serde(rename = "Avg")]
    pub average: f64,
    /// Best round trip.
    #[serde(rename = "Best")]
    pub best: f64,
    /// Worst round trip.
    #[serde(rename = "Wrst")]
    pub worst: f64,
    /// Standard deviation.
    #[serde(rename = "StDev")]
    pub stddev: f64,
}

/// The fuller report of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TraceReport {
    /// The address that was traced.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// Why this address was chosen, when the target is a name.
    pub chosen: Option<String>,
    /// What the probes were made of.
    pub protocol: Protocol,
    /// Cycles begun.
    pub cycles: u32,
    /// True once the target itself has answered.
    pub reached: bool,
    /// Why the trace ends where it ends; absent while it runs.
    pub end: Option<TraceEnd>,
    /// Every hop, nearest first.
    pub hops: Vec<Hop>,
    /// The way of each flow: the responder of each hop in the latest cycle that had an answer, `null` when silent.
    pub paths: Vec<FlowPath>,
    /// What the numbers mean.
    pub verdict: Verdict,
}

/// Why a trace ends where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TraceEnd {
    /// The target answered.
    Target,
    /// A router said that the target cannot be reached.
    Unreachable,
    /// Too many silent hops in a row.
    Silence,
    /// The last hop that was asked for.
    LastHop,
    /// The same routers again and again.
    Loop,
}

/// One hop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hop {
    /// Distance, from 1.
    pub ttl: u8,
    /// Probes sent.
    pub sent: u32,
    /// Probes answered in time.
    pub received: u32,
    /// Share of decided probes without an answer, in percent.
    pub loss: f64,
    /// Round trips over all responders, in milliseconds; absent when silent.
    pub rtt: Option<HopRtt>,
    /// Everyone who answered, most answers first.
    pub responders: Vec<Responder>,
}

/// Round trips in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HopRtt {
    /// Latest.
    pub last: f64,
    /// Best.
    pub best: f64,
    /// Mean.
    pub average: f64,
    /// Worst.
    pub worst: f64,
    /// Standard deviation.
    pub stddev: f64,
    /// Mean difference of successive round trips.
    pub jitter: f64,
}

/// Who answered at a hop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Responder {
    /// Its address.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// Its name, once the worker's resolver has found one.
    pub name: Option<String>,
    /// AS number, added by the server when it has a file that knows.
    pub asn: Option<u32>,
    /// Who runs that AS, likewise.
    pub as_name: Option<String>,
    /// Where it is, likewise.
    pub place: Option<AddressPlace>,
    /// Answers in time.
    pub received: u32,
    /// Round trips.
    pub rtt: HopRtt,
    /// What it said.
    pub answer: HopAnswer,
    /// MPLS labels it quoted, outermost first (RFC 4950).
    pub labels: Vec<Label>,
    /// Flows it answered, from 0.
    pub flows: Vec<u8>,
}

/// What a responder said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HopAnswer {
    /// Time exceeded in transit: a router on the way.
    TimeExceeded,
    /// The target's own answer: echo reply, port unreachable, SYN-ACK or RST.
    Target,
    /// The target cannot be reached.
    Unreachable {
        /// Which kind, such as `network unreachable` or `administratively prohibited`.
        message: String,
    },
}

/// One MPLS label stack entry (RFC 3032).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Label {
    /// Label value, 20 bits.
    pub label: u32,
    /// Traffic class, 3 bits.
    pub tc: u8,
    /// Bottom of stack.
    pub bottom: bool,
    /// Time to live.
    pub ttl: u8,
}

/// The way one flow took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowPath {
    /// Number of the flow, from 0.
    pub flow: u8,
    /// Responder of each hop from `first_ttl` on.
    #[schema(value_type = Vec<Option<String>>)]
    pub hops: Vec<Option<IpAddr>>,
}
