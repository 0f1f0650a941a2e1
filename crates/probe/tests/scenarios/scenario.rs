//! What a scenario file says.

use std::collections::BTreeMap;
use std::net::IpAddr;

use netwark_model::tools::mtr::{Label, MtrOptions, TraceEnd};
use netwark_model::tools::ping::PingOptions;
use netwark_model::tools::verdict::{FindingKind, Severity};
use netwark_probe::decide::Unreachable;
use serde::Deserialize;

/// A network, one measurement on it, and what must come out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is about.
    pub about: String,
    /// The address that is measured.
    pub address: IpAddr,
    /// Options of a ping.
    pub ping: Option<PingOptions>,
    /// Options of a trace.
    pub trace: Option<MtrOptions>,
    /// Routers and hosts by name.
    pub nodes: BTreeMap<String, Node>,
    /// Ways through them; the last that fits a packet is taken.
    pub routes: Vec<Route>,
    /// Probes that the system refuses to send.
    pub unsent: Option<Unsent>,
    /// When the wall clock is set, in milliseconds since the start.
    #[serde(default)]
    pub clock_steps_ms: Vec<u64>,
    /// What must come out.
    pub expect: Expect,
}

impl Scenario {
    /// Says what makes no sense.
    pub fn check(&self) -> Result<(), String> {
        if self.about.is_empty() || self.ping.is_some() == self.trace.is_some() {
            return Err("a scenario says what it is about and has either a ping or a trace".into());
        }
        let named = self.routes.iter().flat_map(|route| &route.via);
        match named.into_iter().find(|name| !self.nodes.contains_key(*name)) {
            Some(name) => Err(format!("a route goes via {name}, which is no node")),
            None => Ok(()),
        }
    }
}

/// A router or a host. Patterns are repeated; the n-th probe of a distance meets mark n + distance.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its address.
    pub address: IpAddr,
    /// What the link before it adds to a round trip.
    pub adds_ms: f64,
    /// What it adds further, now and then: a pattern.
    #[serde(default)]
    pub jitter_ms: Vec<f64>,
    /// Which packets get lost on the link before it: a pattern of `x` and `.`.
    #[serde(default)]
    pub drops: String,
    /// Which packets it leaves unanswered itself: a pattern of `x` and `.`.
    #[serde(default)]
    pub ignores: String,
    /// How often it may answer.
    pub limit: Option<Limit>,
    /// What it adds to its own answers: a pattern.
    #[serde(default)]
    pub slow_ms: Vec<f64>,
    /// Further copies of its own answers: a pattern.
    #[serde(default)]
    pub copies: Vec<u32>,
    /// The address its answers come from, when it is another.
    pub answers_from: Option<IpAddr>,
    /// MPLS labels it quotes.
    #[serde(default)]
    pub labels: Vec<Label>,
    /// It refuses to carry on, or to take in, what reaches it.
    pub refuses: Option<Refusal>,
    /// As a target of TCP probes: the port is closed.
    #[serde(default)]
    pub closed: bool,
}

/// A token bucket.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// So many answers at once.
    pub burst: u32,
    /// And one more in so many milliseconds.
    pub every_ms: u64,
}

/// How a node refuses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Refusal {
    /// Network unreachable.
    Network,
    /// Host unreachable, after the router has looked for it in vain.
    Host {
        /// So long it looks.
        after_ms: f64,
    },
    /// Port unreachable.
    Port,
    /// Administratively prohibited.
    Prohibited,
    /// Packet too big.
    TooBig {
        /// The link's MTU.
        mtu: u32,
    },
}

impl Refusal {
    /// The reason as the wire tells it, if it is one of the unreachables.
    pub fn reason(&self) -> Option<Unreachable> {
        match self {
            Self::Network => Some(Unreachable::Network),
            Self::Host { .. } => Some(Unreachable::Host),
            Self::Port => Some(Unreachable::Port),
            Self::Prohibited => Some(Unreachable::Prohibited),
            Self::TooBig { .. } => None,
        }
    }
}

/// A way.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The nodes, nearest first; the last one is the destination, unless the way goes round.
    pub via: Vec<String>,
    /// From when on, in milliseconds since the start.
    #[serde(default)]
    pub from_ms: u64,
    /// For these flows only.
    pub flows: Option<Vec<u8>>,
    /// For the n-th probes of a distance only, n modulo 5.
    pub turns: Option<Vec<u64>>,
    /// After the last node the packet is at this place of the way again, from 0.
    pub back_to: Option<usize>,
}

/// Probes that the system refuses to send.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsent {
    /// Which ones, in the order of sending: a pattern of `x` and `.`.
    pub pattern: String,
    /// What the system says.
    pub reason: String,
}

/// What must come out; what is left out is not looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// It takes so long at most, in milliseconds.
    pub longest_ms: f64,
    /// It takes so long at least.
    #[serde(default)]
    pub shortest_ms: f64,
    /// How bad it is.
    pub severity: Severity,
    /// All findings, worst first.
    pub kinds: Vec<FindingKind>,
    /// The sentence.
    pub summary: String,
    /// Numbers of a ping: those named here, as `name = value`.
    #[serde(default)]
    pub numbers: BTreeMap<String, f64>,
    /// Fates of a ping's first requests, in short.
    #[serde(default)]
    pub fates: Vec<String>,
    /// Why a trace ends.
    pub end: Option<TraceEnd>,
    /// Hops of a trace, in short: `3 192.0.2.3+192.0.2.4 9/10`.
    pub hops: Option<Vec<String>>,
    /// Mean round trips of the hops, 0 for silent ones.
    pub averages_ms: Option<Vec<f64>>,
    /// Ways of the flows, in short: `192.0.2.1 * 192.0.2.3`.
    pub paths: Option<Vec<String>>,
    /// Labels of the hops, in short.
    pub labels: Option<Vec<String>>,
}
