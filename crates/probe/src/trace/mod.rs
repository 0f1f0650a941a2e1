//! Trace: every hop on the way to a target, cycle after cycle.
//!
//! The first time all hops are asked at once, a window ahead of what has answered; what was asked beyond the target is
//! forgotten. Once the way is known the hops of a cycle are asked one after the other, a few milliseconds apart, so that
//! they do not queue behind each other on a slow link. Cycles begin at their interval whatever is still under way. The trace is done when every
//! probe is answered or timed out; a probe that farther hops have overtaken is waited for only twice as long as the
//! slowest of them took, since a hop that answers at all rarely answers later than that.

mod flow;
mod hop;
mod key;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use netwark_model::tools::mtr::{FlowPath, HopAnswer, MtrOptions, Protocol, TraceEnd, TraceReport};
use netwark_model::tools::verdict::Verdict;

use crate::decide::{
    Answer, AnswerKind, Decider, Event, Network, Probe, Shape, Time, Transport, Unreachable,
};
use crate::verdict::{self, Observed, RouteChange};
use crate::{stats, words};
use flow::{Flow, Reach, Step, WayEnd};
use hop::{HopRecord, Seen};
use key::Key;
use schedule::Schedule;

/// What a silent hop is given on top of twice the slowest farther round trip.
const PATIENCE: Duration = Duration::from_millis(30);

/// The hops of a known way are asked this far apart, or closer if the interval is short.
const APART: Duration = Duration::from_millis(5);

/// How long the engine knows a probe after its timeout: a router asks for a host that is not there for three
/// seconds before it says so.
const LINGER: Duration = Duration::from_secs(5);

/// Timed out probes that are remembered.
const REMEMBERED: usize = 1024;

/// Never, as a time to wait until.
const FOR_EVER: Time = Time(u64::MAX);

/// Traces the way to one address.
#[derive(Debug)]
pub struct TraceDecider {
    address: IpAddr,
    chosen: Option<String>,
    options: MtrOptions,
    reach: Reach,
    schedule: Schedule,
    flows: Vec<FlowState>,
    /// Probes that are neither answered nor timed out.
    pending: BTreeMap<Key, Pending>,
    /// Probes that have timed out, the latest of them.
    expired: BTreeSet<Key>,
    reached: bool,
    done: bool,
    unsent: Option<(u32, String)>,
}

#[derive(Debug)]
struct FlowState {
    way: Flow,
    /// By distance, from the first.
    hops: Vec<HopRecord>,
    round: Option<Round>,
}

/// Where a flow stands in its present cycle.
#[derive(Clone, Copy, Debug)]
struct Round {
    cycle: u32,
    /// The distance to be asked next.
    next: u16,
    /// When it may be asked.
    due: Time,
    apart: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    sent: Option<Time>,
}

impl TraceDecider {
    /// A trace to `address`; `chosen` says why it is this address when the target is a name.
    /// Zero cycles or flows count as one, a last hop before the first as the first.
    pub fn new(options: &MtrOptions, address: IpAddr, chosen: Option<String>) -> Self {
        let first = options.first_ttl.max(1);
        let reach = Reach {
            first,
            last: options.last_ttl.max(first),
            max_silent: options.max_silent,
            window: window(options.protocol),
        };
        let flows = options.flows.max(1);
        let interval = Duration::from_millis(options.interval_ms.into());
        let records = usize::from(reach.last - first) + 1;
        let state =
            || FlowState { way: Flow::new(reach), hops: vec![HopRecord::default(); records], round: None };
        Self {
            address,
            chosen,
            options: options.clone(),
            reach,
            schedule: Schedule::new(options.cycles.max(1), flows, interval),
            flows: (0..flows).map(|_| state()).collect(),
            pending: BTreeMap::new(),
            expired: BTreeSet::new(),
            reached: false,
            done: false,
            unsent: None,
        }
    }

    fn index(&self, ttl: u8) -> usize {
        usize::from(ttl.saturating_sub(self.reach.first))
    }

    fn record(&mut self, key: Key) -> Option<&mut HopRecord> {
        let index = self.index(key.ttl);
        self.flows.get_mut(usize::from(key.flow))?.hops.get_mut(index)
    }

    fn is_discovered(&self) -> bool {
        self.flows.iter().all(|flow| flow.way.is_discovered())
    }

    /// Starts what is due, asks what has come within reach, and sees whether anything is still worth waiting for.
    fn proceed(&mut self, now: Time, network: &mut dyn Network) {
        while let Some((cycle, flow)) = self.schedule.pop_due(now, self.is_discovered()) {
            self.begin(cycle, flow, now);
            self.ask(flow, now, network);
        }
        for flow in 0..self.options.flows.max(1) {
            self.ask(flow, now, network);
        }
        let asking = self.flows.iter().filter_map(FlowState::asks_next).min();
        let wake = if !self.schedule.is_over() {
            [self.schedule.next(self.is_discovered()), asking].into_iter().flatten().min()
        } else if asking.is_some() {
            asking
        } else {
            let until = self.waits_until();
            self.done = until.is_none_or(|until| until <= now);
            until
        };
        if let Some(at) = wake.filter(|at| !self.done && *at < FOR_EVER) {
            network.wake_at(at);
        }
    }

    /// Begins a cycle of a flow.
    fn begin(&mut self, cycle: u32, flow: u8, now: Time) {
        let Some(state) = self.flows.get_mut(usize::from(flow)) else { return };
        let apart = if state.way.is_discovered() {
            let hops = u32::from(state.way.horizon().saturating_sub(self.reach.first)) + 1;
            APART.min(Duration::from_millis(self.options.interval_ms.into()) / (2 * hops))
        } else {
            Duration::ZERO
        };
        state.round = Some(Round { cycle, next: self.reach.first.into(), due: now, apart });
    }

    /// Asks the hops of a flow's present cycle that are within its horizon and due.
    fn ask(&mut self, flow: u8, now: Time, network: &mut dyn Network) {
        let Some(state) = self.flows.get_mut(usize::from(flow)) else { return };
        while state.asks_next().is_some_and(|due| due <= now)
            && let Some(round) = &mut state.round
            && let Ok(ttl) = u8::try_from(round.next)
        {
            round.next += 1;
            round.due = now + round.apart;
            let key = Key { cycle: round.cycle, flow, ttl };
            self.pending.insert(key, Pending::default());
            network.send(Probe { key: key.into(), to: self.address, ttl, flow });
        }
    }

    /// When the last probe under way is no longer worth waiting for: `None` when there is none,
    /// [`FOR_EVER`] when one can only be ended by its answer or its timeout.
    fn waits_until(&self) -> Option<Time> {
        self.pending.iter().map(|(key, probe)| self.patience(*key, *probe)).max()
    }

    fn patience(&self, key: Key, probe: Pending) -> Time {
        let (Some(sent), Some(state)) = (probe.sent, self.flows.get(usize::from(key.flow))) else {
            return FOR_EVER;
        };
        let farther = state.hops.iter().skip(self.index(key.ttl));
        let mut slowest = None;
        let mut overtaken = false;
        for hop in farther {
            let Some(latest) = hop.latest_cycle() else { continue };
            overtaken |= latest >= key.cycle;
            slowest = Some(hop.worst_ms().max(slowest.unwrap_or_default()));
        }
        match slowest {
            Some(ms) if overtaken => sent + Duration::from_secs_f64(ms * 2.0 / 1000.0) + PATIENCE,
            _ => FOR_EVER,
        }
    }

    fn on_sent(&mut self, key: Key, at: Time) {
        let Some(probe) = self.pending.get_mut(&key) else { return };
        if probe.sent.replace(at).is_none()
            && let Some(record) = self.record(key)
        {
            record.sent += 1;
        }
    }

    fn on_unsent(&mut self, key: Key, reason: String) {
        if self.pending.remove(&key).is_some() {
            let count = self.unsent.as_ref().map_or(0, |(count, _)| *count);
            self.unsent = Some((count + 1, reason));
            if let Some(state) = self.flows.get_mut(usize::from(key.flow)) {
                state.way.silence(key.ttl);
            }
        }
    }

    fn on_expired(&mut self, key: Key) {
        let Some(probe) = self.pending.remove(&key) else { return };
        if probe.sent.is_some() {
            self.expired.insert(key);
            if self.expired.len() > REMEMBERED {
                self.expired.pop_first();
            }
            if let Some(record) = self.record(key) {
                record.expired += 1;
            }
        }
        if let Some(state) = self.flows.get_mut(usize::from(key.flow)) {
            state.way.silence(key.ttl);
        }
    }

    fn on_answer(&mut self, answer: Answer) {
        let key = Key::from(answer.key);
        let (step, said) = self.meaning(&answer);
        if self.pending.contains_key(&key) {
            self.on_sent(key, answer.sent);
            self.pending.remove(&key);
        } else if !self.takes_late(key, step, &answer) {
            return;
        }
        self.reached |= step == Step::Target || (step == Step::Refused && answer.from == self.address);
        let index = self.index(key.ttl);
        let Some(state) = self.flows.get_mut(usize::from(key.flow)) else { return };
        let Some(record) = state.hops.get_mut(index) else { return };
        record.add(Seen {
            cycle: key.cycle,
            at: answer.sent + answer.rtt,
            from: answer.from,
            rtt_ms: stats::ms(answer.rtt),
            answer: said,
            labels: answer.labels,
        });
        state.way.answer(key.cycle, key.ttl, answer.from, step);
        if let Some((end, _)) = state.way.end() {
            self.forget_beyond(key.flow, end);
        }
    }

    /// After its timeout a probe counts as lost, but a refusal still tells where the way ends.
    fn takes_late(&mut self, key: Key, step: Step, answer: &Answer) -> bool {
        let ended = self.flows.get(usize::from(key.flow)).and_then(|state| state.way.end());
        let beyond = ended.is_some_and(|(end, _)| key.ttl > end);
        if !answer.late || step != Step::Refused || beyond || !self.expired.remove(&key) {
            return false;
        }
        match self.record(key) {
            Some(record) if record.expired > 0 => {
                record.expired -= 1;
                true
            }
            // What this hop knew was forgotten since.
            _ => false,
        }
    }

    /// Forgets what was asked beyond the end of a way. What answered there stays only if the way has been longer.
    fn forget_beyond(&mut self, flow: u8, end: u8) {
        let index = self.index(end) + 1;
        let Some(state) = self.flows.get_mut(usize::from(flow)) else { return };
        let was_longer = state.way.was_longer(end);
        self.pending.retain(|key, probe| {
            let forget = key.flow == flow && key.ttl > end;
            if forget
                && probe.sent.is_some()
                && let Some(record) = state.hops.get_mut(index + usize::from(key.ttl - end - 1))
            {
                record.sent = record.sent.saturating_sub(1);
            }
            !forget
        });
        if !was_longer {
            state.hops.iter_mut().skip(index).for_each(|record| *record = HopRecord::default());
        }
    }

    /// What an answer says about the way, and how the report puts it.
    fn meaning(&self, answer: &Answer) -> (Step, HopAnswer) {
        let udp = self.options.protocol == Protocol::Udp;
        match answer.kind {
            AnswerKind::TimeExceeded => (Step::Router, HopAnswer::TimeExceeded),
            AnswerKind::Unreachable(Unreachable::Port) if udp => (Step::Target, HopAnswer::Target),
            kind => match words::error(kind) {
                Some(message) => (Step::Refused, HopAnswer::Unreachable { message }),
                None => (Step::Target, HopAnswer::Target),
            },
        }
    }

    fn end(&self) -> Option<TraceEnd> {
        let anything = self.flows.iter().flat_map(|flow| &flow.hops).any(|hop| hop.sent > 0);
        if !self.done || !anything {
            return None;
        }
        if self.reached {
            return Some(TraceEnd::Target);
        }
        let ends: Vec<_> = self.flows.iter().filter_map(|flow| flow.way.end()).map(|(_, why)| why).collect();
        if ends.contains(&WayEnd::Refused) {
            return Some(TraceEnd::Unreachable);
        }
        if ends.contains(&WayEnd::Loop) {
            return Some(TraceEnd::Loop);
        }
        let answered = self.flows.iter().filter_map(|flow| flow.way.farthest_answer()).max();
        let before = self.reach.first.saturating_sub(1);
        let silent_at_last = self.reach.last - answered.unwrap_or(before);
        Some(if silent_at_last < self.reach.max_silent.max(1) {
            TraceEnd::LastHop
        } else {
            TraceEnd::Silence
        })
    }

    fn observed(&self) -> Observed {
        let places = self.reach.first..=self.reach.last;
        let changes = places.enumerate().filter_map(|(index, hop)| {
            let change = self.flows.iter().find_map(|flow| flow.hops.get(index)?.change());
            change.map(|(before, after)| RouteChange { hop, before, after })
        });
        Observed { route_changes: changes.collect(), unsent: self.unsent.clone() }
    }
}

impl FlowState {
    /// When the next hop of the present cycle may be asked; `None` when all within the horizon have been.
    fn asks_next(&self) -> Option<Time> {
        let round = self.round.as_ref()?;
        (round.next <= u16::from(self.way.horizon())).then_some(round.due)
    }
}

/// How far ahead of the farthest answer is asked while the end is not known. UDP's is short: what is sent beyond the
/// target uses up the few errors a host is willing to send, and the next cycles would look lost.
fn window(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Icmp => 24,
        Protocol::Tcp => 12,
        Protocol::Udp => 6,
    }
}

/// Bytes of payload in a packet of this size. A SYN carries none: many hosts and firewalls drop one with data.
fn payload(options: &MtrOptions, address: IpAddr) -> u16 {
    let ip = if address.is_ipv4() { 20 } else { 40 };
    match options.protocol {
        Protocol::Icmp | Protocol::Udp => options.size.saturating_sub(ip + 8),
        Protocol::Tcp => 0,
    }
}

fn transport(options: &MtrOptions) -> Transport {
    match options.protocol {
        Protocol::Icmp => Transport::Icmp,
        Protocol::Udp => Transport::Udp { port: options.port.unwrap_or(33_434) },
        Protocol::Tcp => Transport::Tcp { port: options.port.unwrap_or(80) },
    }
}

impl Decider for TraceDecider {
    type Output = TraceReport;

    fn shape(&self) -> Shape {
        Shape {
            transport: transport(&self.options),
            payload: payload(&self.options, self.address),
            dscp: self.options.dscp,
            dont_fragment: self.options.dont_fragment,
            source: self.options.source,
            interface: self.options.interface.clone(),
            timeout: Duration::from_millis(self.options.timeout_ms.into()),
            linger: LINGER,
        }
    }

    fn on_event(&mut self, now: Time, event: Event, network: &mut dyn Network) {
        match event {
            Event::Start | Event::Wake => {}
            Event::Sent { key, at } => self.on_sent(key.into(), at),
            Event::Unsent { key, reason } => self.on_unsent(key.into(), reason),
            Event::Answer(answer) => self.on_answer(answer),
            Event::Expired { key } => self.on_expired(key.into()),
        }
        if !self.done {
            self.proceed(now, network);
        }
    }

    fn is_done(&self) -> bool {
        self.done
    }

    fn output(&self) -> TraceReport {
        let shown = self.flows.iter().map(|flow| flow.way.shown()).max().unwrap_or(self.reach.first);
        let hops = (self.reach.first..=shown).enumerate().map(|(index, ttl)| {
            let flows = (0u8..).zip(&self.flows);
            let records = flows.filter_map(move |(flow, state)| Some((flow, state.hops.get(index)?)));
            hop::merge(ttl, records, self.done)
        });
        let mut report = TraceReport {
            address: self.address,
            chosen: self.chosen.clone(),
            protocol: self.options.protocol,
            cycles: self.schedule.begun(),
            reached: self.reached,
            end: self.end(),
            hops: hops.collect(),
            paths: (0u8..)
                .zip(&self.flows)
                .map(|(flow, state)| FlowPath { flow, hops: state.way.path() })
                .collect(),
            verdict: Verdict::default(),
        };
        report.verdict = verdict::trace(&report, &self.observed());
        report
    }
}
