//! A network that exists only in virtual time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use netwark_probe::decide::{
    Answer, AnswerKind, Decider, Event, Network, Probe, Shape, Time, Transport, Unreachable,
};

use crate::scenario::{Node, Refusal, Route, Scenario};

/// Any moment but zero, so that nothing can take it for one.
const START: Time = Time(1_000_000_000_000);

/// No scenario takes longer than this.
const LONGEST: Duration = Duration::from_secs(3600);

/// A run that is over.
pub(crate) struct Run<D> {
    pub(crate) decider: D,
    pub(crate) took: Duration,
}

/// Runs a decider until it is done and shows every hundredth snapshot to `look`, of long runs fewer.
pub(crate) fn run<D: Decider>(scenario: &Scenario, decider: D, look: impl Fn(&D::Output)) -> Run<D> {
    let mut decider = decider;
    let mut network = Simulated::new(scenario, decider.shape());
    decider.on_event(START, Event::Start, &mut network);
    let mut events = 0;
    while !decider.is_done() {
        let (now, event) = network.next().expect("a decider that is not done waits for something");
        assert!(now - START < LONGEST, "{}: still not done after an hour", scenario.about);
        network.now = now;
        decider.on_event(now, event, &mut network);
        events += 1;
        let pause = if events < 10_000 { 100 } else { 10_000 };
        if events % pause == 1 && !decider.is_done() {
            look(&decider.output());
        }
    }
    Run { decider, took: network.now - START }
}

struct Simulated<'a> {
    scenario: &'a Scenario,
    shape: Shape,
    now: Time,
    wake: Option<Time>,
    queue: BinaryHeap<Reverse<(Time, usize)>>,
    /// Events by the number the queue knows them by.
    events: Vec<Option<Event>>,
    /// How many probes of each distance there were.
    counts: BTreeMap<u8, u64>,
    sends: usize,
    buckets: BTreeMap<&'a str, (f64, Time)>,
}

impl<'a> Simulated<'a> {
    fn new(scenario: &'a Scenario, shape: Shape) -> Self {
        Self {
            scenario,
            shape,
            now: START,
            wake: None,
            queue: BinaryHeap::new(),
            events: Vec::new(),
            counts: BTreeMap::new(),
            sends: 0,
            buckets: BTreeMap::new(),
        }
    }

    fn next(&mut self) -> Option<(Time, Event)> {
        let queued = self.queue.peek().map(|Reverse((at, _))| *at);
        if let Some(at) = self.wake.filter(|wake| queued.is_none_or(|at| *wake < at)) {
            self.wake = None;
            return Some((at.max(self.now), Event::Wake));
        }
        let Reverse((at, number)) = self.queue.pop()?;
        Some((at, self.events[number].take().expect("an event happens once")))
    }

    fn at(&mut self, time: Time, event: Event) {
        self.queue.push(Reverse((time, self.events.len())));
        self.events.push(Some(event));
    }

    fn route(&self, flow: u8, nth: u64) -> Option<&'a Route> {
        let since = (self.now - START).as_millis();
        self.scenario.routes.iter().rev().find(|route| {
            u128::from(route.from_ms) <= since
                && route.flows.as_ref().is_none_or(|flows| flows.contains(&flow))
                && route.turns.as_ref().is_none_or(|turns| turns.contains(&(nth % 5)))
        })
    }

    /// Carries a packet: who answers what, and after how many milliseconds.
    fn carry(&mut self, probe: &Probe, nth: u64) -> Option<(&'a str, AnswerKind, f64)> {
        let route = self.route(probe.flow, nth)?;
        let scenario = self.scenario;
        let mark = nth + u64::from(probe.ttl);
        let (mut place, mut ms) = (0, 0.0);
        for left in (0..probe.ttl).rev() {
            let name = route.via.get(place)?;
            let node = &scenario.nodes[name];
            ms += node.adds_ms + pick(&node.jitter_ms, mark).unwrap_or_default();
            if marked(&node.drops, mark) {
                return None;
            }
            let is_last = place + 1 == route.via.len() && route.back_to.is_none();
            if let Some(refusal) = node.refuses.as_ref().filter(|_| left > 0 || is_last) {
                return Some((name, refused(refusal), ms + delay(refusal)));
            }
            if is_last {
                return Some((name, self.welcome(node), ms));
            }
            if left == 0 {
                return Some((name, AnswerKind::TimeExceeded, ms));
            }
            place += 1;
            if place == route.via.len() {
                place = route.back_to?;
            }
        }
        None
    }

    fn welcome(&self, node: &Node) -> AnswerKind {
        match self.shape.transport {
            Transport::Icmp => AnswerKind::EchoReply,
            Transport::Udp { .. } => AnswerKind::Unreachable(Unreachable::Port),
            Transport::Tcp { .. } if node.closed => AnswerKind::Reset,
            Transport::Tcp { .. } => AnswerKind::SynAck,
        }
    }

    /// Takes a token of a node that limits its answers.
    fn allowed(&mut self, name: &'a str, at: Time) -> bool {
        let Some(limit) = &self.scenario.nodes[name].limit else { return true };
        let full = f64::from(limit.burst);
        let (tokens, since) = self.buckets.get(name).copied().unwrap_or((full, at));
        let refill = (at - since).as_secs_f64() * 1000.0 / limit.every_ms as f64;
        let tokens = (tokens + refill).min(full);
        let allowed = tokens >= 1.0;
        self.buckets.insert(name, (if allowed { tokens - 1.0 } else { tokens }, at));
        allowed
    }

    fn answer(&mut self, probe: &Probe, nth: u64) -> bool {
        let mark = nth + u64::from(probe.ttl);
        let Some((name, kind, ms)) = self.carry(probe, nth) else { return false };
        let node = &self.scenario.nodes[name];
        let rtt = Duration::from_secs_f64((ms + pick(&node.slow_ms, mark).unwrap_or_default()) / 1000.0);
        let known = self.shape.timeout + self.shape.linger;
        if marked(&node.ignores, mark) || !self.allowed(name, self.now + rtt / 2) || rtt > known {
            return false;
        }
        let arrives = self.now + rtt;
        let step = |ms: &u64| START + Duration::from_millis(*ms);
        let stepped = self.scenario.clock_steps_ms.iter().any(|ms| self.now < step(ms) && step(ms) < arrives);
        let late = rtt > self.shape.timeout;
        for copy in 0..=pick(&node.copies, mark).unwrap_or_default() {
            let answer = Answer {
                key: probe.key,
                from: node.answers_from.unwrap_or(node.address),
                sent: self.now,
                rtt: rtt + Duration::from_millis(copy.into()),
                kernel: !stepped,
                ttl: Some(64),
                first: copy == 0,
                late,
                kind,
                labels: node.labels.clone(),
            };
            self.at(arrives + Duration::from_millis(copy.into()), Event::Answer(answer));
        }
        !late
    }
}

impl Network for Simulated<'_> {
    fn send(&mut self, probe: Probe) {
        assert_eq!(probe.to, self.scenario.address);
        let refused =
            self.scenario.unsent.as_ref().filter(|unsent| marked(&unsent.pattern, self.sends as u64));
        self.sends += 1;
        if let Some(unsent) = refused {
            let event = Event::Unsent { key: probe.key, reason: unsent.reason.clone() };
            self.at(self.now, event);
            return;
        }
        self.at(self.now, Event::Sent { key: probe.key, at: self.now });
        let count = self.counts.entry(probe.ttl).or_default();
        let nth = *count;
        *count += 1;
        if !self.answer(&probe, nth) {
            self.at(self.now + self.shape.timeout, Event::Expired { key: probe.key });
        }
    }

    fn wake_at(&mut self, at: Time) {
        self.wake = Some(at);
    }
}

fn refused(refusal: &Refusal) -> AnswerKind {
    match refusal {
        Refusal::TooBig { mtu } => AnswerKind::TooBig { mtu: *mtu },
        other => AnswerKind::Unreachable(other.reason().expect("all others are unreachables")),
    }
}

fn delay(refusal: &Refusal) -> f64 {
    match refusal {
        Refusal::Host { after_ms } => *after_ms,
        _ => 0.0,
    }
}

fn pick<T: Copy>(pattern: &[T], mark: u64) -> Option<T> {
    let index = mark.checked_rem(pattern.len() as u64)?;
    pattern.get(index as usize).copied()
}

fn marked(pattern: &str, mark: u64) -> bool {
    pick(pattern.as_bytes(), mark) == Some(b'x')
}
