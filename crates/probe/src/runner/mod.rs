//! From a target and options to an outcome: resolving, the engine, a decider and the report in one call.
//!
//! A [`Prober`] is what the worker and the command line hold. Dropping the future of a measurement cancels it.

mod names;
mod permit;
mod watch;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use netwark_model::tools::args::Family;
use netwark_model::tools::mtr::{MtrOptions, MtrOutcome, Protocol, TraceReport};
use netwark_model::tools::ping::{PingOptions, PingOutcome, PingReport};

use tokio::time::{self, Instant};

pub use self::permit::{Permit, unicast};
use crate::engine::{Ability, Engine, EngineError, Traffic};
use crate::ping::PingDecider;
use crate::report;
use crate::resolve::{self, Choice, Reach, Resolve, ResolveError};
use crate::trace::TraceDecider;
use names::Names;
use watch::Throttle;

/// Why something could not be measured. A target that does not answer is no such error: it was measured.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The target is none for this tool.
    #[error("the target {0}")]
    Target(String),
    /// There is no address to measure.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The address must not be touched.
    #[error("{address} must not be measured from here: {reason}")]
    Forbidden {
        /// The address.
        address: IpAddr,
        /// The rule that forbids it.
        reason: String,
    },
    /// The machine or its privileges do not allow this kind of probe.
    #[error("{what} cannot be sent from here: {reason}")]
    Missing {
        /// The kind of probe.
        what: &'static str,
        /// What is missing, and what would help.
        reason: String,
    },
    /// The source address cannot reach the target at all.
    #[error("the source address {source_address} cannot be used for {target}, which is of the other family")]
    SourceFamily {
        /// The source address.
        source_address: IpAddr,
        /// The target's address.
        target: IpAddr,
    },
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What a measurement is told about itself.
#[derive(Clone, Copy, Debug)]
pub struct Brief<'a> {
    /// The target as it was given: an address or a name.
    pub target: &'a str,
    /// The name of the worker, for the report.
    pub worker: &'a str,
    /// When it began, for the report.
    pub started: Timestamp,
    /// Least time between two snapshots.
    pub progress_every: Duration,
    /// How the names of hops are looked up.
    pub names: NameLookup,
}

/// How the names of hops are looked up. No probe ever waits for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameLookup {
    /// Not at all.
    Off,
    /// While the trace runs; what is still asked for at its end is waited for no longer than this.
    Within(Duration),
}

/// Traces begin this far apart at least: each one's first cycle is a burst of packets, and many of them at once would
/// overrun the queues of the links they measure.
const TRACES_APART: Duration = Duration::from_millis(2);

/// Measures. Cheap to clone; all clones share one engine and one resolver.
#[derive(Clone)]
pub struct Prober {
    engine: Engine,
    resolver: Arc<dyn Resolve>,
    permit: Arc<Permit>,
    next_trace: Arc<Mutex<Instant>>,
    /// Frames a second of a sweep at most, whatever its options say.
    most_frames: Option<u32>,
}

impl std::fmt::Debug for Prober {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prober").field("engine", &self.engine).finish_non_exhaustive()
    }
}

impl Prober {
    /// A prober that may touch every unicast address, see [`unicast`].
    pub fn new(engine: Engine, resolver: Arc<dyn Resolve>) -> Self {
        Self {
            engine,
            resolver,
            permit: Arc::new(unicast),
            next_trace: Arc::new(Mutex::new(Instant::now())),
            most_frames: None,
        }
    }

    /// The same, but only what `permit` allows. It is asked for the very address that is measured.
    #[must_use]
    pub fn with_permit(mut self, permit: Arc<Permit>) -> Self {
        self.permit = permit;
        self
    }

    /// The same, but the frames of a sweep, which do not go through the engine, leave no faster than this.
    #[must_use]
    pub fn with_most_frames(mut self, rate: Option<u32>) -> Self {
        self.most_frames = rate;
        self
    }

    pub(crate) fn most_frames(&self) -> Option<u32> {
        self.most_frames
    }

    /// The same, but what it sends and receives is counted here.
    #[must_use]
    pub fn metered(mut self, traffic: Arc<Traffic>) -> Self {
        self.engine = self.engine.metered(traffic);
        self
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn resolver(&self) -> &Arc<dyn Resolve> {
        &self.resolver
    }

    pub(crate) fn permit(&self) -> &Arc<Permit> {
        &self.permit
    }

    /// Pings a target; `on_snapshot` is given the outcome so far, now and then.
    ///
    /// # Errors
    /// [`ProbeError`] when nothing can be measured.
    pub async fn ping(
        &self,
        brief: Brief<'_>,
        options: &PingOptions,
        mut on_snapshot: impl FnMut(PingOutcome) + Send,
    ) -> Result<PingOutcome, ProbeError> {
        let choices = self.choose(brief.target, options.family, options.source, Protocol::Icmp).await?;
        let decider = |choice: Choice| PingDecider::new(options, choice.address, choice.reason);
        let tasks: Vec<_> = choices
            .into_iter()
            .map(|choice| self.engine.run(decider(choice), Some(brief.progress_every)))
            .collect();
        let mut throttle = Throttle::new(brief.progress_every);
        let reports = watch::all(tasks, &mut throttle, |reports: &[Arc<PingReport>]| {
            let reports = reports.iter().map(|report| PingReport::clone(report)).collect();
            on_snapshot(report::ping_outcome(brief.target, options, reports));
        })
        .await?;
        Ok(report::ping_outcome(brief.target, options, reports))
    }

    /// Traces the way to a target; `on_snapshot` is given the outcome so far, now and then.
    ///
    /// # Errors
    /// [`ProbeError`] when nothing can be measured.
    pub async fn mtr(
        &self,
        brief: Brief<'_>,
        options: &MtrOptions,
        mut on_snapshot: impl FnMut(MtrOutcome) + Send,
    ) -> Result<MtrOutcome, ProbeError> {
        let choices = self.choose(brief.target, options.family, options.source, options.protocol).await;
        let choices = choices.map_err(|error| by_udp(error, &self.engine.capabilities().udp_errqueue))?;
        let Some(choice) = choices.into_iter().next() else {
            return Err(ResolveError::NoAddress { name: brief.target.into(), wanted: "address" }.into());
        };
        self.trace_turn().await;
        let decider = TraceDecider::new(options, choice.address, choice.reason);
        let task = self.engine.run(decider, Some(brief.progress_every));
        let mut names = Names::new(Arc::clone(&self.resolver), brief.names);
        let outcome = |mut report: TraceReport, names: &Names| {
            names.fill(&mut report);
            // Only now: to know its own time zone, a process reads the names of all there are.
            let started = report::mtr_time(brief.started);
            report::mtr_outcome(brief.worker, brief.target, &started, options, report)
        };
        let report = watch::one(task, brief.progress_every, &mut names, |report, names| {
            on_snapshot(outcome(TraceReport::clone(report), names));
        })
        .await?;
        names.ask(&report);
        names.wait().await;
        Ok(outcome(report, &names))
    }

    /// Waits for this trace's turn to begin.
    async fn trace_turn(&self) {
        let now = Instant::now();
        let turn = {
            let mut next = self.next_trace.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = now.max(*next);
            *next = turn + TRACES_APART;
            turn
        };
        if turn > now {
            time::sleep_until(turn).await;
        }
    }

    /// The addresses to measure: resolved, chosen, allowed and possible here.
    async fn choose(
        &self,
        target: &str,
        family: Family,
        source: Option<IpAddr>,
        protocol: Protocol,
    ) -> Result<Vec<Choice>, ProbeError> {
        let choices = match resolve::literal(target) {
            Some(address) => vec![resolve::choose_literal(address, family)?],
            None => {
                let family = match (family, source) {
                    (Family::Auto | Family::All, Some(IpAddr::V4(_))) => Family::V4,
                    (Family::Auto | Family::All, Some(IpAddr::V6(_))) => Family::V6,
                    (family, _) => family,
                };
                let mut addresses = self.resolver.addresses(target, family).await?;
                addresses.iter_mut().for_each(|address| *address = address.to_canonical());
                resolve::choose(target, &addresses, family, reach(&addresses))?
            }
        };
        for Choice { address, .. } in &choices {
            (self.permit)(*address).map_err(|reason| ProbeError::Forbidden { address: *address, reason })?;
            if let Some(source) = source.filter(|source| source.is_ipv4() != address.is_ipv4()) {
                return Err(ProbeError::SourceFamily { source_address: source, target: *address });
            }
            self.check_ability(*address, protocol)?;
        }
        Ok(choices)
    }

    /// Whether this process may send such probes.
    fn check_ability(&self, address: IpAddr, protocol: Protocol) -> Result<(), ProbeError> {
        let can = self.engine.capabilities();
        let (what, ways): (_, Vec<&Ability>) = match (protocol, address) {
            (Protocol::Icmp, IpAddr::V4(_)) => ("ICMP echo requests", vec![&can.raw_v4, &can.datagram_v4]),
            (Protocol::Icmp, IpAddr::V6(_)) => ("ICMPv6 echo requests", vec![&can.raw_v6, &can.datagram_v6]),
            (Protocol::Udp, _) => ("UDP probes", vec![&can.udp_errqueue]),
            (Protocol::Tcp, _) => ("TCP SYN probes", vec![&can.tcp_syn]),
        };
        if ways.iter().any(|way| way.available) {
            return Ok(());
        }
        let reasons: Vec<_> = ways.iter().filter_map(|way| way.reason.as_deref()).collect();
        Err(ProbeError::Missing { what, reason: reasons.join("; ") })
    }
}

/// Names the kind of trace that works without privileges to those who lack them.
fn by_udp(error: ProbeError, udp: &Ability) -> ProbeError {
    match error {
        ProbeError::Missing { what, reason } if udp.available => {
            ProbeError::Missing { what, reason: format!("{reason}; a trace by UDP needs no privilege") }
        }
        error => error,
    }
}

/// Which families have a way to any of these addresses. The kernel is asked for a route; nothing is sent.
pub fn reach(addresses: &[IpAddr]) -> Reach {
    let routed = |address: &IpAddr| {
        let any: IpAddr = match address {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        // Any port will do.
        let peer = SocketAddr::new(*address, 9);
        UdpSocket::bind(SocketAddr::new(any, 0)).and_then(|socket| socket.connect(peer)).is_ok()
    };
    Reach {
        v4: addresses.iter().filter(|address| address.is_ipv4()).any(routed),
        v6: addresses.iter().filter(|address| address.is_ipv6()).any(routed),
    }
}

#[cfg(test)]
mod tests;
