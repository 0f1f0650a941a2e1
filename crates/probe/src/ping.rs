//! Ping: echo requests to one address at a steady pace; every reply is kept.

use std::net::IpAddr;
use std::time::Duration;

use netwark_model::tools::ping::{PingFate, PingOptions, PingReply, PingReport, PingStatistics};
use netwark_model::tools::verdict::Verdict;

use crate::decide::{Answer, Decider, Event, Network, Probe, Shape, Time, Transport};
use crate::stats::{self, Spread};
use crate::{verdict, words};

/// Replies in a snapshot; the final report has all.
const SNAPSHOT_REPLIES: usize = 300;

/// How long the engine knows a request after its timeout. A reply that is later still is no longer told from noise.
const LINGER: Duration = Duration::from_secs(30);

/// Pings one address.
///
/// Requests leave at `start + n * interval`, however long earlier ones take. It is done as soon as every
/// request is answered, refused or timed out: late replies and duplicates are counted while it runs, but
/// never waited for.
#[derive(Debug)]
pub struct PingDecider {
    address: IpAddr,
    chosen: Option<String>,
    options: PingOptions,
    started: Option<Time>,
    next_at: Time,
    /// By sequence: the first is request 1, whose key is 0.
    requests: Vec<Request>,
    /// Requests that are neither answered nor given up.
    waiting: u32,
    duplicates: u32,
    reordered: u32,
    /// The latest request, from 1, that was answered in time; 0 when none.
    furthest: usize,
}

#[derive(Debug, Default)]
struct Request {
    sent: Option<Time>,
    fate: Fate,
}

#[derive(Debug, Default)]
enum Fate {
    #[default]
    Waiting,
    Reply {
        rtt: Duration,
        ttl: Option<u8>,
        other: Option<IpAddr>,
        duplicates: u16,
        kernel: bool,
    },
    Late {
        rtt: Duration,
    },
    Lost,
    Error(Box<(IpAddr, String)>),
    Unsent(Box<str>),
}

impl PingDecider {
    /// A ping of `address`; `chosen` says why it is this address when the target is a name.
    pub fn new(options: &PingOptions, address: IpAddr, chosen: Option<String>) -> Self {
        Self {
            address,
            chosen,
            options: options.clone(),
            started: None,
            next_at: Time::default(),
            requests: Vec::new(),
            waiting: 0,
            duplicates: 0,
            reordered: 0,
            furthest: 0,
        }
    }

    fn interval(&self) -> Duration {
        Duration::from_millis(self.options.interval_ms.into())
    }

    fn all_asked(&self) -> bool {
        self.requests.len() >= self.options.count as usize
    }

    /// Sends what is due. After a pause that the machine made (it slept, or was stopped) the missed requests
    /// are sent at the usual pace, not in a burst.
    fn send_due(&mut self, now: Time, network: &mut dyn Network) {
        while !self.all_asked() && self.next_at <= now {
            let key = self.requests.len() as u64;
            self.requests.push(Request::default());
            self.waiting += 1;
            self.next_at = self.next_at + self.interval();
            if self.next_at + self.interval() < now {
                self.next_at = now + self.interval();
            }
            network.send(Probe { key, to: self.address, ttl: self.options.ttl, flow: 0 });
        }
        if !self.all_asked() {
            network.wake_at(self.next_at);
        }
    }

    fn request(&mut self, key: u64) -> Option<&mut Request> {
        self.requests.get_mut(usize::try_from(key).ok()?)
    }

    fn on_sent(&mut self, key: u64, at: Time) {
        if let Some(request) = self.request(key) {
            request.sent.get_or_insert(at);
        }
    }

    /// Gives a request its fate if it has none yet.
    fn settle(&mut self, key: u64, fate: Fate) {
        let Some(request) = self.request(key) else { return };
        if matches!(request.fate, Fate::Waiting) {
            request.fate = fate;
            self.waiting = self.waiting.saturating_sub(1);
        }
    }

    fn on_answer(&mut self, answer: &Answer) {
        let Ok(index) = usize::try_from(answer.key) else { return };
        let Some(request) = self.requests.get_mut(index) else { return };
        request.sent.get_or_insert(answer.sent);
        if let Some(message) = words::error(answer.kind) {
            if !answer.late {
                self.settle(answer.key, Fate::Error(Box::new((answer.from, message))));
            }
            return;
        }
        let was_waiting = matches!(request.fate, Fate::Waiting);
        match &mut request.fate {
            Fate::Reply { duplicates, .. } => {
                *duplicates = duplicates.saturating_add(1);
                self.duplicates += 1;
            }
            Fate::Late { .. } => self.duplicates += 1,
            // A reply says more than an error that came before it.
            fate if answer.late => *fate = Fate::Late { rtt: answer.rtt },
            fate => {
                let other = (answer.from != self.address).then_some(answer.from);
                *fate = Fate::Reply {
                    rtt: answer.rtt,
                    ttl: answer.ttl,
                    other,
                    duplicates: 0,
                    kernel: answer.kernel,
                };
                self.reordered += u32::from(self.furthest > index + 1);
                self.furthest = self.furthest.max(index + 1);
            }
        }
        self.waiting -= u32::from(was_waiting);
    }

    fn statistics(&self) -> PingStatistics {
        let mut statistics =
            PingStatistics { duplicates: self.duplicates, reordered: self.reordered, ..Default::default() };
        let mut spread = Spread::default();
        let mut sorted = Vec::new();
        let mut lost = 0;
        for request in &self.requests {
            statistics.transmitted += u32::from(request.sent.is_some());
            match &request.fate {
                Fate::Waiting => {}
                Fate::Reply { rtt, .. } => {
                    spread.add(stats::ms(*rtt));
                    sorted.push(*rtt);
                }
                Fate::Late { .. } => statistics.late += 1,
                Fate::Lost => lost += 1,
                Fate::Error(_) => statistics.errors += 1,
                Fate::Unsent(_) => statistics.unsent += 1,
            }
        }
        lost += statistics.late + statistics.errors;
        statistics.received = spread.count();
        statistics.loss = stats::percentage(lost, lost + spread.count());
        if spread.count() > 0 {
            sorted.sort_unstable();
            statistics.min = Some(spread.best());
            statistics.average = Some(spread.average());
            statistics.max = Some(spread.worst());
            statistics.stddev = Some(spread.stddev());
            statistics.jitter = Some(spread.jitter());
            statistics.median = stats::nearest_rank(&sorted, 50).map(stats::ms);
            statistics.p95 = stats::nearest_rank(&sorted, 95).map(stats::ms);
            statistics.p99 = stats::nearest_rank(&sorted, 99).map(stats::ms);
        }
        statistics
    }

    fn reply(&self, index: usize, request: &Request) -> PingReply {
        let fate = match &request.fate {
            Fate::Waiting => PingFate::Waiting,
            Fate::Reply { rtt, ttl, other, duplicates, kernel } => PingFate::Reply {
                rtt: stats::ms(*rtt),
                ttl: *ttl,
                from: *other,
                duplicates: *duplicates,
                kernel: *kernel,
            },
            Fate::Late { rtt } => PingFate::Late { rtt: stats::ms(*rtt) },
            Fate::Lost => PingFate::Lost,
            Fate::Error(error) => PingFate::Error { from: error.0, message: error.1.clone() },
            Fate::Unsent(message) => PingFate::Unsent { message: message.to_string() },
        };
        let planned = self.started.map_or(Time::default(), |start| start + self.interval() * index as u32);
        let at_ms = stats::ms(request.sent.unwrap_or(planned) - self.started.unwrap_or_default());
        PingReply { seq: index as u32 + 1, at_ms, fate }
    }
}

impl Decider for PingDecider {
    type Output = PingReport;

    fn shape(&self) -> Shape {
        Shape {
            transport: Transport::Icmp,
            payload: self.options.size,
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
            Event::Start => {
                self.started = Some(now);
                self.next_at = now;
                self.send_due(now, network);
            }
            Event::Wake => self.send_due(now, network),
            Event::Sent { key, at } => self.on_sent(key, at),
            Event::Unsent { key, reason } => self.settle(key, Fate::Unsent(reason.into())),
            Event::Answer(answer) => self.on_answer(&answer),
            Event::Expired { key } => self.settle(key, Fate::Lost),
        }
    }

    fn is_done(&self) -> bool {
        self.started.is_some() && self.all_asked() && self.waiting == 0
    }

    fn output(&self) -> PingReport {
        let skip = if self.is_done() { 0 } else { self.requests.len().saturating_sub(SNAPSHOT_REPLIES) };
        let mut report = PingReport {
            address: self.address,
            chosen: self.chosen.clone(),
            asn: None,
            as_name: None,
            place: None,
            statistics: self.statistics(),
            replies: self
                .requests
                .iter()
                .enumerate()
                .skip(skip)
                .map(|(index, request)| self.reply(index, request))
                .collect(),
            verdict: Verdict::default(),
        };
        report.verdict = verdict::ping(&report);
        report
    }
}
