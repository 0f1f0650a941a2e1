//! The server's own numbers, for Prometheus.

use std::fmt::Write as _;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::http::Method;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::process;

type Labels<const N: usize> = [(&'static str, String); N];
type Numbers<const N: usize> = Family<Labels<N>, Gauge>;
type Words<const N: usize> = [(&'static str, Word); N];

/// What a label of a request says. There are few of them, and every request has some, so none is a text of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Word {
    Text(&'static str),
    Number(u16),
}

impl EncodeLabelValue for Word {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        match self {
            Self::Text(text) => text.encode(encoder),
            Self::Number(number) => number.encode(encoder),
        }
    }
}

/// The name of a method as a label: whoever asks may make up others, of which there must not be a count each.
fn word(method: &Method) -> Word {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    Word::Text(known.into_iter().find(|known| method == known).unwrap_or("other"))
}

/// Bounds of the histogram of request durations, in seconds.
const DURATIONS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Counters and gauges of one server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// What every program has, without our prefix, as Prometheus' own libraries name it.
    process: Registry,
    requests: Family<Words<3>, Counter>,
    durations: Family<Words<2>, Histogram, fn() -> Histogram>,
    operations: Family<Labels<1>, Counter>,
    results: Family<Labels<1>, Counter>,
    reports: Family<Labels<1>, Counter>,
    messages: Family<Labels<1>, Counter>,
    notices: Family<Labels<2>, Counter>,
    expired: Counter,
    leader: Gauge,
    moment: Gauges,
}

/// What is set at the moment of asking.
#[derive(Debug, Default)]
struct Gauges {
    open: Gauge,
    outbox: Gauge,
    notices: Gauge,
    workers: Numbers<1>,
    online: Gauge,
    watchers: Gauge,
    connections: Gauge,
    pool: Numbers<1>,
    pool_most: Gauge,
    malformed: Counter<u64, AtomicU64>,
    cpu: Counter<f64, AtomicU64>,
    memory: Gauge,
    files: Gauge,
    files_most: Gauge,
    started: Gauge<f64, AtomicU64>,
}

/// What the server knows of itself at the moment of asking.
#[derive(Clone, Debug, Default)]
pub struct Moment {
    /// Operations that have not ended.
    pub open: u64,
    /// Messages that wait in the outbox for the bus.
    pub outbox: u64,
    /// Notices that are on their way to a channel.
    pub notices: u64,
    /// Workers, by the word for where they stand.
    pub workers: Vec<(&'static str, u64)>,
    /// Workers that are connected.
    pub online: u64,
    /// Open streams of events.
    pub watchers: usize,
    /// Open connections of clients.
    pub connections: usize,
    /// Connections to the database: busy, idle and most.
    pub pool: (u32, u32, u32),
    /// Messages of the bus that could not be read, since the start.
    pub malformed: u64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("netwark"),
            process: Registry::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            operations: Family::default(),
            results: Family::default(),
            reports: Family::default(),
            messages: Family::default(),
            notices: Family::default(),
            expired: Counter::default(),
            leader: Gauge::default(),
            moment: Gauges::default(),
        };
        metrics.register_counts();
        metrics.register_moment();
        metrics.register_process();
        metrics
    }

    fn register_counts(&mut self) {
        let registry = &mut self.registry;
        let text = "Requests answered, by method, route and status";
        registry.register("http_requests", text, self.requests.clone());
        let text = "Time from a request to the head of its answer, by method and route";
        registry.register_with_unit("http_request_duration", text, Unit::Seconds, self.durations.clone());
        registry.register("operations_created", "Operations made, by tool", self.operations.clone());
        let text = "Results that workers reported as final, by status: done, error, timeout or cancelled";
        registry.register("results", text, self.results.clone());
        let text = "Reports of workers, by what became of them";
        registry.register("reports", text, self.reports.clone());
        let text = "Messages to workers, by whether the bus took them: published or failed";
        registry.register("bus_messages", text, self.messages.clone());
        let text = "Tries to send a notice, by kind of channel and outcome: delivered, later or dead";
        registry.register("notices", text, self.notices.clone());
        let text = "Changes of operations by a deadline that passed";
        registry.register("operations_expired", text, self.expired.clone());
        let text = "1 while this server does what only one of several does, else 0";
        registry.register("leader", text, self.leader.clone());
        let build = Family::<Labels<1>, Gauge>::default();
        build.get_or_create(&[("version", env!("CARGO_PKG_VERSION").into())]).set(1);
        registry.register("build_info", "The running version", build);
    }

    fn register_moment(&mut self) {
        let (registry, moment) = (&mut self.registry, &self.moment);
        registry.register("operations_open", "Operations that have not ended", moment.open.clone());
        let text = "Messages in the outbox that the bus has not confirmed";
        registry.register("outbox_messages", text, moment.outbox.clone());
        let text = "Notices that gather, wait or are tried again";
        registry.register("notices_waiting", text, moment.notices.clone());
        let text = "Workers, by state: enrolled, online, draining, offline or revoked";
        registry.register("workers", text, moment.workers.clone());
        registry.register("workers_online", "Workers that are connected", moment.online.clone());
        registry.register("event_streams", "Open streams of events", moment.watchers.clone());
        let text = "Open connections of clients";
        registry.register("http_connections", text, moment.connections.clone());
        let text = "Connections to the database, by state: busy or idle";
        registry.register("database_connections", text, moment.pool.clone());
        let text = "Most connections to the database";
        registry.register("database_connections_most", text, moment.pool_most.clone());
        let text = "Messages from workers that could not be read or were too large";
        registry.register("bus_messages_malformed", text, moment.malformed.clone());
    }

    fn register_process(&mut self) {
        let (registry, moment) = (&mut self.process, &self.moment);
        let text = "Processor time this process has used, by itself and for it";
        registry.register_with_unit("process_cpu", text, Unit::Seconds, moment.cpu.clone());
        let text = "Memory of this process that is in RAM";
        registry.register_with_unit("process_resident_memory", text, Unit::Bytes, moment.memory.clone());
        registry.register("process_open_fds", "Open file descriptors", moment.files.clone());
        let text = "Most file descriptors that may be open";
        registry.register("process_max_fds", text, moment.files_most.clone());
        let text = "When this process started, since the epoch";
        registry.register_with_unit("process_start_time", text, Unit::Seconds, moment.started.clone());
    }

    /// Counts a request. `route` is the pattern, never the path, so that the labels stay few.
    pub fn request(&self, method: &Method, route: &'static str, status: u16, took: Duration) {
        let (method, route) = (("method", word(method)), ("route", Word::Text(route)));
        self.requests.get_or_create(&[method, route, ("status", Word::Number(status))]).inc();
        self.durations.get_or_create(&[method, route]).observe(took.as_secs_f64());
    }

    /// Counts an operation that was made.
    pub fn operation(&self, tool: &str) {
        self.operations.get_or_create(&[("tool", tool.into())]).inc();
    }

    /// Counts a final report of a result.
    pub fn result(&self, status: &str) {
        self.results.get_or_create(&[("status", status.into())]).inc();
    }

    /// Counts a report of a worker.
    pub fn report(&self, fate: &str) {
        self.reports.get_or_create(&[("fate", fate.into())]).inc();
    }

    /// Counts messages that were handed to the bus.
    pub fn published(&self, taken: usize, failed: usize) {
        for (fate, number) in [("published", taken), ("failed", failed)] {
            self.messages.get_or_create(&[("fate", fate.into())]).inc_by(number as u64);
        }
    }

    /// Counts a try to send a notice over a kind of channel.
    pub fn notice(&self, channel: &str, outcome: &str) {
        let labels = [("channel", channel.into()), ("outcome", outcome.into())];
        self.notices.get_or_create(&labels).inc();
    }

    /// Counts an operation that a deadline changed.
    pub fn expired(&self, number: usize) {
        self.expired.inc_by(number as u64);
    }

    /// Notes whether this server does what only one of several does.
    pub fn leads(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// True while this server does what only one of several does.
    pub fn is_leader(&self) -> bool {
        self.leader.get() == 1
    }

    /// Sets what is counted at the moment of asking, and writes everything: in OpenMetrics text, or in
    /// the older text format of Prometheus.
    pub fn encode(&self, now: &Moment, open_metrics: bool) -> String {
        self.set(now);
        let mut text = String::new();
        let written = encode_registry(&mut text, &self.registry)
            .and_then(|()| encode_registry(&mut text, &self.process))
            .and_then(|()| encode_eof(&mut text));
        if written.is_err() {
            // Writing to a string cannot fail.
            tracing::error!("metrics could not be written");
        }
        if open_metrics { text } else { older(&text) }
    }

    fn set(&self, now: &Moment) {
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let moment = &self.moment;
        moment.open.set(count(now.open));
        moment.outbox.set(count(now.outbox));
        moment.notices.set(count(now.notices));
        for (state, number) in &now.workers {
            moment.workers.get_or_create(&[("state", (*state).into())]).set(count(*number));
        }
        moment.online.set(count(now.online));
        moment.watchers.set(count(now.watchers as u64));
        moment.connections.set(count(now.connections as u64));
        let (busy, idle, most) = now.pool;
        for (state, number) in [("busy", busy), ("idle", idle)] {
            moment.pool.get_or_create(&[("state", state.into())]).set(number.into());
        }
        moment.pool_most.set(most.into());
        raise(&moment.malformed, now.malformed);
        if let Some(usage) = process::usage() {
            // A counter can only be raised; between two readings nothing else raises it.
            moment.cpu.inc_by((usage.cpu_seconds - moment.cpu.get()).max(0.0));
            moment.memory.set(count(usage.resident_bytes));
            moment.files.set(count(usage.open_files));
            moment.files_most.set(count(usage.most_files));
            moment.started.set(usage.started_at);
        }
    }
}

/// Raises a counter to a number that somebody else counts.
fn raise(counter: &Counter<u64, AtomicU64>, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}

/// OpenMetrics text as Prometheus' older text format has it: the name of a counter is that of its sample, with
/// `_total`, and there is neither a unit nor an end.
fn older(text: &str) -> String {
    let mut counters = std::collections::HashSet::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("# TYPE ").and_then(|rest| rest.strip_suffix(" counter")) {
            counters.insert(name);
        }
    }
    let mut out = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF") {
        let described = ["# HELP ", "# TYPE "].iter().find_map(|word| Some((word, line.strip_prefix(word)?)));
        let counter = described.and_then(|(word, rest)| {
            let (name, rest) = rest.split_once(' ')?;
            counters.contains(name).then_some((word, name, rest))
        });
        // Writing to a string cannot fail.
        let _ = match counter {
            Some((word, name, rest)) => writeln!(out, "{word}{name}_total {rest}"),
            None => writeln!(out, "{line}"),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_somebody_made_up_have_one_count_together() {
        assert_eq!(word(&Method::GET), Word::Text("GET"));
        assert_eq!(word(&Method::OPTIONS), Word::Text("OPTIONS"));
        for made_up in ["BREW", "get", "TRACE"] {
            let method = Method::from_bytes(made_up.as_bytes()).unwrap();
            assert_eq!(word(&method), Word::Text("other"), "{made_up}");
        }
    }
}
