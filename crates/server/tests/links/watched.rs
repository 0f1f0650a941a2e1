//! A bus in memory that is watched, and that gives reports out as a broker does after a restart.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use netwark_bus::local::{self, LocalServerBus};
use netwark_bus::{Answer, BusError, Consumer, IncomingReport, ServerBus, WorkerBus};
use netwark_model::messages::{Alive, Delivery, Hello, News, Order, Report, mark};
use netwark_store::{Store, StoreOptions};
use uuid::Uuid;

use crate::support::{Player, Server, within};

struct Watched {
    inner: LocalServerBus,
    /// Whether work that was published expires.
    expiries: Arc<Mutex<Vec<bool>>>,
}

impl ServerBus for Watched {
    fn is_durable(&self) -> bool {
        self.inner.is_durable()
    }

    fn declare(&self, addresses: Vec<String>) -> Answer<'_, Result<(), BusError>> {
        self.inner.declare(addresses)
    }

    fn remove(&self, addresses: Vec<String>) -> Answer<'_, Result<(), BusError>> {
        self.inner.remove(addresses)
    }

    fn publish<'a>(
        &'a self,
        address: &'a str,
        delivery: Delivery,
        expires_in: Option<Duration>,
    ) -> Answer<'a, Result<(), BusError>> {
        if matches!(delivery.order, Order::Run(_)) {
            self.expiries.lock().unwrap().push(expires_in.is_some());
        }
        self.inner.publish(address, delivery, expires_in)
    }

    fn next_report(&self) -> Answer<'_, Option<IncomingReport>> {
        Box::pin(async move { Some(self.inner.next_report().await?.again(true)) })
    }

    fn listen(&self, addresses: Vec<String>, most: usize) -> Box<dyn Consumer> {
        self.inner.listen(addresses, most)
    }

    fn check(&self) -> Answer<'_, Result<(), BusError>> {
        self.inner.check()
    }

    fn malformed(&self) -> u64 {
        self.inner.malformed()
    }
}

/// A server on a watched bus, and whether each work that it published expires.
async fn watched(store: Store) -> (Server, Arc<Mutex<Vec<bool>>>) {
    let (inner, bus) = local::pair();
    let expiries = Arc::default();
    let watched = Watched { inner, expiries: Arc::clone(&expiries) };
    (Server::with_bus(store, Arc::new(watched), bus).await, expiries)
}

async fn store(directory: &tempfile::TempDir) -> Store {
    let url = format!("sqlite://{}/test.db", directory.path().display());
    Store::open(&StoreOptions::new(url)).await.unwrap()
}

#[tokio::test]
async fn what_a_crash_left_behind_expires() {
    let directory = tempfile::tempdir().unwrap();
    let (server, expiries) = watched(store(&directory).await).await;
    let (id, token) = server.enrol("paris").await;
    let (player, _) = Player::arrive(&server, id, &token).await;
    server.operation("netwark").await;
    assert_eq!(*expiries.lock().unwrap(), [true]);
    drop(player);
    within(server.running.stop()).await;
    server.app.store.clone().close().await;
    let (_server, expiries) = watched(store(&directory).await).await;
    assert_eq!(
        *expiries.lock().unwrap(),
        [true],
        "it is published again, and for no longer than it may wait"
    );
}

#[tokio::test]
async fn a_report_that_is_given_out_again_is_no_refusal() {
    let directory = tempfile::tempdir().unwrap();
    let (server, _) = watched(store(&directory).await).await;
    let id = Uuid::now_v7();
    let report = |sequence, news| server.bus.report(Report::new(id, mark(1, sequence), news));
    let hello = Hello { name: "paris".into(), embedded: true, ..Hello::default() };
    within(report(1, News::Hello(Box::new(hello)))).await.unwrap();
    within(report(2, News::Alive(Alive::default()))).await.unwrap();
    let again = within(report(2, News::Alive(Alive::default()))).await;
    assert!(matches!(again, Err(BusError::Refused(_))), "{again:?}");
    let metrics = within(reqwest::get(format!("{}/metrics", server.url))).await.unwrap();
    let metrics = within(metrics.text()).await.unwrap();
    assert!(metrics.contains("netwark_reports_total{fate=\"replayed\"} 1"), "{metrics}");
    assert!(!metrics.contains("fate=\"refused\""), "{metrics}");
}
