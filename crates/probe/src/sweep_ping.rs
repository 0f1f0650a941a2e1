//! Ping many: echo requests to many addresses in one task, with four bytes kept for each request.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::decide::{Answer, AnswerKind, Decider, Event, Network, Probe, Shape, Time, Transport};

/// Requests handed to the engine that have not left yet, at most: so much is sent without asking the decider again.
const FEED: usize = 256;
/// Wakes are rounded up to this, in nanoseconds, so that many requests share one.
const GRAIN: u64 = 1_000_000;

/// How many addresses are pinged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepPingOptions {
    /// Requests to each address. Default 1.
    pub rounds: u32,
    /// Time between the beginnings of two rounds; zero sends without a gap. Default 1 s.
    pub interval: Duration,
    /// Whether the requests of a round are spread evenly over the interval, or sent as fast as may be. Default true.
    pub spread: bool,
    /// How long a reply is waited for; at most 400 s. Default 1 s.
    pub timeout: Duration,
    /// How long requests are remembered beyond, so that duplicates and late replies are counted. Default 0: that is
    /// memory for every request.
    pub linger: Duration,
    /// Bytes of payload. Default 56.
    pub payload: u16,
    /// Time to live. Default 64.
    pub ttl: u8,
    /// Requests on their way at most. Default 131,072.
    pub window: usize,
}

impl Default for SweepPingOptions {
    fn default() -> Self {
        Self {
            rounds: 1,
            interval: Duration::from_secs(1),
            spread: true,
            timeout: Duration::from_secs(1),
            linger: Duration::ZERO,
            payload: 56,
            ttl: 64,
            window: 131_072,
        }
    }
}

/// What became of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Not decided yet.
    Waiting,
    /// Answered in time; the round trip, to a tenth of a microsecond.
    Reply(Duration),
    /// No answer in time.
    Lost,
    /// An ICMP error came back.
    Error,
    /// It could not be sent.
    Unsent,
}

/// A fate in four bytes: a round trip in tenths of a microsecond, or one of the largest numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packed(u32);

impl Packed {
    const WAITING: Packed = Packed(u32::MAX);
    const LOST: Packed = Packed(u32::MAX - 1);
    const ERROR: Packed = Packed(u32::MAX - 2);
    const UNSENT: Packed = Packed(u32::MAX - 3);

    fn reply(rtt: Duration) -> Self {
        let longest = Self::UNSENT.0 - 1;
        Packed(u32::try_from(rtt.as_nanos() / 100).unwrap_or(longest).min(longest))
    }

    fn fate(self) -> Fate {
        match self {
            Self::WAITING => Fate::Waiting,
            Self::LOST => Fate::Lost,
            Self::ERROR => Fate::Error,
            Self::UNSENT => Fate::Unsent,
            Packed(tenths) => Fate::Reply(Duration::from_nanos(u64::from(tenths) * 100)),
        }
    }
}

/// Numbers over all requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepPingCounts {
    /// Requests sent.
    pub sent: u64,
    /// Requests answered in time.
    pub received: u64,
    /// Requests without an answer in time.
    pub lost: u64,
    /// Requests answered by an ICMP error.
    pub errors: u64,
    /// Requests that could not be sent.
    pub unsent: u64,
    /// Replies beyond the first to the same request, as far as the linger time reaches.
    pub duplicates: u64,
    /// First replies after the timeout, as far as the linger time reaches; they count as lost.
    pub late: u64,
    /// Round trips measured between two kernel stamps; the others are by the monotonic clock.
    pub kernel: u64,
}

/// What a sweep has measured.
#[derive(Clone, Debug)]
pub struct SweepPingOutcome {
    /// The addresses, in the order they were given.
    pub targets: Arc<[IpAddr]>,
    /// Numbers over all requests.
    pub counts: SweepPingCounts,
    /// By round, then by target; rounds that have not begun are missing.
    fates: Vec<Packed>,
}

impl SweepPingOutcome {
    /// Rounds that have begun.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.fates.len().checked_div(self.targets.len()).unwrap_or(0)
    }

    /// What became of the request to a target in a round, both counted from 0; nothing when it has not begun.
    #[must_use]
    pub fn fate(&self, target: usize, round: usize) -> Option<Fate> {
        if target >= self.targets.len() {
            return None;
        }
        self.fates
            .get(round.checked_mul(self.targets.len())?.checked_add(target)?)
            .map(|packed| packed.fate())
    }

    /// Every round trip, by round and then by target.
    pub fn round_trips(&self) -> impl Iterator<Item = Duration> {
        self.fates.iter().filter_map(|packed| match packed.fate() {
            Fate::Reply(rtt) => Some(rtt),
            _ => None,
        })
    }
}

/// Pings many addresses, round by round.
pub struct SweepPing {
    options: SweepPingOptions,
    targets: Arc<[IpAddr]>,
    fates: Vec<Packed>,
    counts: SweepPingCounts,
    start: Time,
    /// The next request, counted over all rounds; also its key.
    next: u64,
    total: u64,
    /// Requests handed over that have not left.
    queued: usize,
    /// Requests handed over that are not decided.
    open: usize,
}

impl SweepPing {
    /// Pings these addresses.
    #[must_use]
    pub fn new(targets: Vec<IpAddr>, options: SweepPingOptions) -> Self {
        let total = u64::from(options.rounds) * targets.len() as u64;
        Self {
            options,
            targets: targets.into(),
            fates: Vec::new(),
            counts: SweepPingCounts::default(),
            start: Time::default(),
            next: 0,
            total,
            queued: 0,
            open: 0,
        }
    }

    /// When a request is due.
    fn due(&self, request: u64) -> Time {
        let targets = self.targets.len() as u64;
        let (round, target) = (request / targets, request % targets);
        let interval = u64::try_from(self.options.interval.as_nanos()).unwrap_or(u64::MAX);
        let within = if self.options.spread {
            // The product would overflow from intervals of centuries on only.
            (u128::from(interval) * u128::from(target) / u128::from(targets)) as u64
        } else {
            0
        };
        Time(self.start.0.saturating_add(interval.saturating_mul(round)).saturating_add(within))
    }

    /// Hands over as many requests as are due and may be on their way.
    fn feed(&mut self, now: Time, network: &mut dyn Network) {
        while self.next < self.total && self.queued < FEED && self.open < self.options.window {
            let due = self.due(self.next);
            if due > now {
                network.wake_at(Time(due.0.next_multiple_of(GRAIN)));
                return;
            }
            let targets = self.targets.len();
            let target = (self.next % targets as u64) as usize;
            if target == 0 {
                self.fates.resize(self.fates.len() + targets, Packed::WAITING);
            }
            let Some(to) = self.targets.get(target).copied() else { return };
            network.send(Probe { key: self.next, to, ttl: self.options.ttl, flow: 0 });
            self.next += 1;
            self.queued += 1;
            self.open += 1;
        }
    }

    /// Takes note of what became of a request, unless that is known already.
    fn decide(&mut self, key: u64, packed: Packed) -> bool {
        let place = usize::try_from(key).ok().and_then(|key| self.fates.get_mut(key));
        let Some(place) = place.filter(|place| **place == Packed::WAITING) else { return false };
        *place = packed;
        self.open = self.open.saturating_sub(1);
        true
    }

    fn answered(&mut self, answer: &Answer) {
        if !answer.first {
            self.counts.duplicates += 1;
        } else if answer.late {
            self.counts.late += 1;
        } else if answer.kind == AnswerKind::EchoReply {
            if self.decide(answer.key, Packed::reply(answer.rtt)) {
                self.counts.received += 1;
                self.counts.kernel += u64::from(answer.kernel);
            }
        } else if self.decide(answer.key, Packed::ERROR) {
            self.counts.errors += 1;
        }
    }
}

impl Decider for SweepPing {
    type Output = SweepPingOutcome;

    fn shape(&self) -> Shape {
        Shape {
            transport: Transport::Icmp,
            payload: self.options.payload,
            dscp: 0,
            dont_fragment: false,
            source: None,
            interface: None,
            timeout: self.options.timeout,
            linger: self.options.linger,
        }
    }

    fn on_event(&mut self, now: Time, event: Event, network: &mut dyn Network) {
        match event {
            Event::Start => self.start = now,
            Event::Wake => {}
            Event::Sent { .. } => {
                self.counts.sent += 1;
                self.queued = self.queued.saturating_sub(1);
            }
            Event::Unsent { key, .. } => {
                self.queued = self.queued.saturating_sub(1);
                self.counts.unsent += u64::from(self.decide(key, Packed::UNSENT));
            }
            Event::Expired { key } => self.counts.lost += u64::from(self.decide(key, Packed::LOST)),
            Event::Answer(answer) => self.answered(&answer),
        }
        if self.queued < FEED / 2 {
            self.feed(now, network);
        }
    }

    fn is_done(&self) -> bool {
        self.next == self.total && self.open == 0
    }

    fn output(&self) -> SweepPingOutcome {
        SweepPingOutcome {
            targets: Arc::clone(&self.targets),
            counts: self.counts,
            fates: self.fates.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Recorder {
        probes: Vec<Probe>,
        wake: Option<Time>,
    }

    impl Network for Recorder {
        fn send(&mut self, probe: Probe) {
            self.probes.push(probe);
        }

        fn wake_at(&mut self, at: Time) {
            self.wake = Some(at);
        }
    }

    fn targets(count: u32) -> Vec<IpAddr> {
        (0..count).map(|at| std::net::Ipv4Addr::from(0x7f00_0001 + at).into()).collect()
    }

    fn reply(key: u64, rtt: u64) -> Event {
        Event::Answer(Answer {
            key,
            from: [127, 0, 0, 1].into(),
            sent: Time(0),
            rtt: Duration::from_nanos(rtt),
            kernel: true,
            ttl: None,
            first: true,
            late: false,
            kind: AnswerKind::EchoReply,
            labels: Vec::new(),
        })
    }

    #[test]
    fn every_request_is_handed_over_once_and_decided() {
        let options = SweepPingOptions { rounds: 3, interval: Duration::ZERO, ..SweepPingOptions::default() };
        let mut sweep = SweepPing::new(targets(1_000), options);
        let mut network = Recorder::default();
        sweep.on_event(Time(5), Event::Start, &mut network);
        assert_eq!(network.probes.len(), FEED);
        let mut key = 0;
        while let Some(probe) = network.probes.get(key).copied() {
            assert_eq!(probe.key, key as u64);
            let (sent, answer) = (Event::Sent { key: probe.key, at: Time(6) }, reply(probe.key, 1_250));
            sweep.on_event(Time(6), sent, &mut network);
            match key {
                7 => sweep.on_event(Time(7), Event::Expired { key: 7 }, &mut network),
                _ => sweep.on_event(Time(7), answer, &mut network),
            }
            key += 1;
        }
        assert!(sweep.is_done());
        let outcome = sweep.output();
        assert_eq!((outcome.rounds(), outcome.counts.sent, outcome.counts.received), (3, 3_000, 2_999));
        assert_eq!(outcome.fate(7, 0), Some(Fate::Lost));
        assert_eq!(outcome.fate(7, 2), Some(Fate::Reply(Duration::from_nanos(1_200))));
        assert_eq!((outcome.fate(1_000, 0), outcome.fate(0, 3)), (None, None));
        assert_eq!(outcome.round_trips().count(), 2_999);
    }

    #[test]
    fn a_round_is_spread_over_its_interval() {
        let options = SweepPingOptions { rounds: 2, ..SweepPingOptions::default() };
        let mut sweep = SweepPing::new(targets(10), options);
        let mut network = Recorder::default();
        sweep.on_event(Time(0), Event::Start, &mut network);
        assert_eq!((network.probes.len(), network.wake), (1, Some(Time(100_000_000))));
        sweep.on_event(Time(350_000_000), Event::Wake, &mut network);
        assert_eq!((network.probes.len(), network.wake), (4, Some(Time(400_000_000))));
        sweep.on_event(Time(1_000_000_000), Event::Wake, &mut network);
        assert_eq!((network.probes.len(), network.wake), (11, Some(Time(1_100_000_000))));
    }

    #[test]
    fn no_more_than_the_window_is_on_its_way() {
        let options = SweepPingOptions { window: 5, interval: Duration::ZERO, ..SweepPingOptions::default() };
        let mut sweep = SweepPing::new(targets(20), options);
        let mut network = Recorder::default();
        sweep.on_event(Time(0), Event::Start, &mut network);
        assert_eq!(network.probes.len(), 5);
        sweep.on_event(Time(0), Event::Sent { key: 0, at: Time(0) }, &mut network);
        assert_eq!(network.probes.len(), 5, "it left but is not decided");
        sweep.on_event(Time(0), Event::Expired { key: 0 }, &mut network);
        assert_eq!(network.probes.len(), 6);
    }

    #[test]
    fn nothing_to_do_is_done_at_once() {
        let mut sweep = SweepPing::new(Vec::new(), SweepPingOptions::default());
        sweep.on_event(Time(0), Event::Start, &mut Recorder::default());
        assert!(sweep.is_done());
        assert_eq!(sweep.output().rounds(), 0);
    }
}
