//! How fast a broker takes and gives messages through the bus: publish and confirm, consume and
//! acknowledge, both at once, reports, and the time of one message there and back.
//!
//!     scripts/with-rabbitmq cargo run --release -p netwark-bus --example bus_load [MESSAGES]

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool for who measures; it stops at the first surprise"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use netwark_bus::amqp::{AmqpOptions, AmqpServerBus, AmqpWorkerBus};
use netwark_bus::signing::SigningKey;
use netwark_bus::{LinkState, ServerBus, WorkerBus};
use netwark_model::messages::{self, Delivery, News, Order, Report, RunOrder};
use uuid::Uuid;

/// Messages that wait for their confirmation at once.
const AT_ONCE: usize = 512;

#[tokio::main]
async fn main() {
    let count: usize = std::env::args().nth(1).map_or(20_000, |text| text.parse().unwrap());
    let url = std::env::var("NETWARK_TEST_AMQP_URL").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let key = SigningKey::load_or_create(&directory.path().join("worker.key")).unwrap();
    let id = Uuid::now_v7();
    let server = Arc::new(AmqpServerBus::connect(&AmqpOptions::new(&url)).unwrap());
    let worker = Arc::new(AmqpWorkerBus::connect(&AmqpOptions::new(&url), id, key).unwrap());
    worker.state().wait_for(|state| *state == LinkState::Up).await.unwrap();
    while server.check().await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let inbox = messages::inbox(id);
    server.declare(vec![inbox.clone()]).await.unwrap();

    let start = Instant::now();
    publish(&server, &inbox, count).await;
    told("publish and confirm", count, start);

    let start = Instant::now();
    consume(&worker, &inbox, count).await;
    told("consume and acknowledge", count, start);

    let start = Instant::now();
    tokio::join!(publish(&server, &inbox, count), consume(&worker, &inbox, count));
    told("both at once", count, start);

    let start = Instant::now();
    tokio::join!(report(&worker, id, count), take_reports(&server, count));
    told("sign, report, take and acknowledge", count, start);

    let mut consumer = worker.listen(vec![inbox.clone()], 1);
    let mut times = Vec::new();
    for number in 0..500 {
        let start = Instant::now();
        server.publish(&inbox, order(number), None).await.unwrap();
        consumer.next().await.unwrap().acknowledge();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    println!("one message, confirmed and taken: median {:?}, 95% {:?}, worst {:?}", at(50), at(95), at(99));
    server.remove(vec![inbox]).await.unwrap();
}

fn order(number: usize) -> Delivery {
    Delivery::new(Order::Run(RunOrder {
        operation_id: Uuid::now_v7(),
        result_id: Uuid::now_v7(),
        queue: "netwark".into(),
        tool: "ping".into(),
        target: format!("192.0.2.{}", number % 256),
        options: serde_json::json!({"count": 10, "interval_ms": 1000, "timeout_ms": 3000, "size": 56}),
        run_within_ms: 60_000,
    }))
}

async fn publish(server: &AmqpServerBus, inbox: &str, count: usize) {
    futures::stream::iter(0..count)
        .for_each_concurrent(AT_ONCE, |number| async move {
            server.publish(inbox, order(number), Some(Duration::from_secs(600))).await.unwrap();
        })
        .await;
}

async fn consume(worker: &AmqpWorkerBus, inbox: &str, count: usize) {
    let mut consumer = worker.listen(vec![inbox.into()], 256);
    for _ in 0..count {
        consumer.next().await.unwrap().acknowledge();
    }
}

async fn report(worker: &AmqpWorkerBus, id: Uuid, count: usize) {
    futures::stream::iter(0..count)
        .for_each_concurrent(AT_ONCE, |number| async move {
            let news =
                News::Started { operation_id: Uuid::now_v7(), result_id: Uuid::now_v7(), redelivered: false };
            worker.report(Report::new(id, u64::try_from(number).unwrap(), news)).await.unwrap();
        })
        .await;
}

async fn take_reports(server: &AmqpServerBus, count: usize) {
    for _ in 0..count {
        server.next_report().await.unwrap().settle(Ok(()));
    }
}

fn told(what: &str, count: usize, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "counts of messages are small")]
    let rate = count as f64 / seconds;
    println!("{what}: {count} in {seconds:.2} s, {rate:.0} a second");
}
