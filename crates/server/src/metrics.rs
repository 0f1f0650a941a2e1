//! The server's own numbers, for Prometheus.

use std::sync::atomic::AtomicI64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

type Labels<const N: usize> = [(&'static str, String); N];

/// Counters and gauges of one server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels<3>, Counter>,
    operations: Family<Labels<1>, Counter>,
    reports: Family<Labels<1>, Counter>,
    expired: Counter,
    open: Gauge<i64, AtomicI64>,
    workers_online: Gauge<i64, AtomicI64>,
    watchers: Gauge<i64, AtomicI64>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("netwark");
        let requests = Family::<Labels<3>, Counter>::default();
        registry.register(
            "http_requests",
            "Requests answered, by method, route and status",
            requests.clone(),
        );
        let operations = Family::<Labels<1>, Counter>::default();
        registry.register("operations_created", "Operations made, by tool", operations.clone());
        let reports = Family::<Labels<1>, Counter>::default();
        registry.register("reports", "Reports of workers, by what became of them", reports.clone());
        let expired = Counter::default();
        registry.register(
            "operations_expired",
            "Changes of operations by a deadline that passed",
            expired.clone(),
        );
        let open = Gauge::default();
        registry.register("operations_open", "Operations that have not ended", open.clone());
        let workers_online = Gauge::default();
        registry.register("workers_online", "Workers that are connected", workers_online.clone());
        let watchers = Gauge::default();
        registry.register("event_streams", "Open streams of events", watchers.clone());
        let build = Family::<Labels<1>, Gauge>::default();
        build.get_or_create(&[("version", env!("CARGO_PKG_VERSION").into())]).set(1);
        registry.register("build", "The running version", build);
        Self { registry, requests, operations, reports, expired, open, workers_online, watchers }
    }

    /// Counts a request. `route` is the pattern, never the path, so that the labels stay few.
    pub fn request(&self, method: &str, route: &str, status: u16) {
        let labels = [("method", method.into()), ("route", route.into()), ("status", status.to_string())];
        self.requests.get_or_create(&labels).inc();
    }

    /// Counts an operation that was made.
    pub fn operation(&self, tool: &str) {
        self.operations.get_or_create(&[("tool", tool.into())]).inc();
    }

    /// Counts a report of a worker.
    pub fn report(&self, fate: &str) {
        self.reports.get_or_create(&[("fate", fate.into())]).inc();
    }

    /// Counts an operation that a deadline changed.
    pub fn expired(&self, number: usize) {
        self.expired.inc_by(number as u64);
    }

    /// Sets what is counted at the moment of asking, and writes everything in OpenMetrics text.
    pub fn encode(&self, open: u64, workers_online: u64, watchers: usize) -> String {
        self.open.set(i64::try_from(open).unwrap_or(i64::MAX));
        self.workers_online.set(i64::try_from(workers_online).unwrap_or(i64::MAX));
        self.watchers.set(i64::try_from(watchers).unwrap_or(i64::MAX));
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            // Writing to a string cannot fail.
            tracing::error!("metrics could not be written");
        }
        text
    }
}
