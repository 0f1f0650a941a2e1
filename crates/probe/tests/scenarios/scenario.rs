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
pub(crate) struct Scenario {
    /// What it is about.
    pub(crate) about: String,
    /// The address that is measured.
    pub(crate) address: IpAddr,
    /// Options of a ping.
    pub(crate) ping: Option<PingOptions>,
    /// Options of a trace.
    pub(crate) trace: Option<MtrOptions>,
    /// Routers and hosts by name.
    pub(crate) nodes: BTreeMap<String, Node>,
    /// Ways through them; the last that fits a packet is taken.
    pub(crate) routes: Vec<Route>,
    /// Probes that the system refuses to send.
    pub(crate) unsent: Option<Unsent>,
    /// When the wall clock is set, in milliseconds since the start.
    #[serde(default)]
    pub(crate) clock_steps_ms: Vec<u64>,
    /// What must come out.
    pub(crate) expect: Expect,
}

impl Scenario {
    /// Says what makes no sense.
    pub(crate) fn check(&self) -> Result<(), String> {
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
pub(crate) struct Node {
    /// Its address.
    pub(crate) address: IpAddr,
    /// What the link before it adds to a round trip.
    pub(crate) adds_ms: f64,
    /// What it adds further, now and then: a pattern.
    #[serde(default)]
    pub(crate) jitter_ms: Vec<f64>,
    /// Which packets get lost on the link before it: a pattern of `x` and `.`.
    #[serde(default)]
    pub(crate) drops: String,
    /// Which packets it leaves unanswered itself: a pattern of `x` and `.`.
    #[serde(default)]
    pub(crate) ignores: String,
    /// How often it may answer.
    pub(crate) limit: Option<Limit>,
    /// What it adds to its own answers: a pattern.
    #[serde(default)]
    pub(crate) slow_ms: Vec<f64>,
    /// Further copies of its own answers: a pattern.
    #[serde(default)]
    pub(crate) copies: Vec<u32>,
    /// The address its answers come from, when it is another.
    pub(crate) answers_from: Option<IpAddr>,
    /// MPLS labels it quotes.
    #[serde(default)]
    pub(crate) labels: Vec<Label>,
    /// It refuses to carry on, or to take in, what reaches it.
    pub(crate) refuses: Option<Refusal>,
    /// As a target of TCP probes: the port is closed.
    #[serde(default)]
    pub(crate) closed: bool,
}

/// A token bucket.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    /// So many answers at once.
    pub(crate) burst: u32,
    /// And one more in so many milliseconds.
    pub(crate) every_ms: u64,
}

/// How a node refuses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum Refusal {
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
    pub(crate) fn reason(&self) -> Option<Unreachable> {
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
pub(crate) struct Route {
    /// The nodes, nearest first; the last one is the destination, unless the way goes round.
    pub(crate) via: Vec<String>,
    /// From when on, in milliseconds since the start.
    #[serde(default)]
    pub(crate) from_ms: u64,
    /// For these flows only.
    pub(crate) flows: Option<Vec<u8>>,
    /// For the n-th probes of a distance only, n modulo 5.
    pub(crate) turns: Option<Vec<u64>>,
    /// After the last node the packet is at this place of the way again, from 0.
    pub(crate) back_to: Option<usize>,
}

/// Probes that the system refuses to send.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unsent {
    /// Which ones, in the order of sending: a pattern of `x` and `.`.
    pub(crate) pattern: String,
    /// What the system says.
    pub(crate) reason: String,
}

/// What must come out; what is left out is not looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// It takes so long at most, in milliseconds.
    pub(crate) longest_ms: f64,
    /// It takes so long at least.
    #[serde(default)]
    pub(crate) shortest_ms: f64,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// All findings, worst first.
    pub(crate) kinds: Vec<FindingKind>,
    /// The sentence.
    pub(crate) summary: String,
    /// Numbers of a ping: those named here, as `name = value`.
    #[serde(default)]
    pub(crate) numbers: BTreeMap<String, f64>,
    /// Fates of a ping's first requests, in short.
    #[serde(default)]
    pub(crate) fates: Vec<String>,
    /// Why a trace ends.
    pub(crate) end: Option<TraceEnd>,
    /// Hops of a trace, in short: `3 192.0.2.3+192.0.2.4 9/10`.
    pub(crate) hops: Option<Vec<String>>,
    /// Mean round trips of the hops, 0 for silent ones.
    pub(crate) averages_ms: Option<Vec<f64>>,
    /// Ways of the flows, in short: `192.0.2.1 * 192.0.2.3`.
    pub(crate) paths: Option<Vec<String>>,
    /// Labels of the hops, in short.
    pub(crate) labels: Option<Vec<String>>,
}
