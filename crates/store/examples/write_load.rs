//! Measures how many whole operations a database takes: each is made, noted as published, begun and ended.
//!
//! `cargo run --profile quick -p netwark-store --example write_load -- URL [TASKS] [SECONDS]`, on an empty database.

#![expect(clippy::print_stdout, reason = "it is run for what it prints")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails ends")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use netwark_model::messages::{End, Hello, Order};
use netwark_store::operations::{Applied, Created, OperationDraft, ResultNews};
use netwark_store::workers::Arrival;
use netwark_store::{Store, StoreOptions};
use serde_json::json;
use uuid::Uuid;

fn draft(by: &str) -> OperationDraft {
    OperationDraft {
        tool: "ping".into(),
        target: "192.0.2.1".into(),
        options_sent: Some(json!("-c 1")),
        options: json!({"count": 1, "interval": 1.0, "size": 56, "timeout": 1.0}),
        queues: vec![("netwark".into(), false)],
        same_workers_as: None,
        selector: None,
        take_within_ms: 60_000,
        run_within_ms: 30_000,
        created_by: by.into(),
        idempotency: None,
    }
}

async fn operation(store: &Store, worker: &(Uuid, String), by: &str) {
    let created = store.create_operation(draft(by), Timestamp::now()).await.unwrap();
    let Created::New { operation_id, messages } = created else { unreachable!() };
    let Some(Order::Run(run)) = messages.first().map(|message| &message.delivery.order) else {
        unreachable!()
    };
    let (result_id, ids) = (run.result_id, messages.iter().map(|message| message.id).collect());
    // The server does not wait for this note either.
    let noted = tokio::spawn({
        let store = store.clone();
        async move { store.published(ids, Timestamp::now()).await.unwrap() }
    });
    let payload =
        json!({"transmitted": 1, "received": 1, "loss": 0.0, "min": 1.0, "raw": ["PING 192.0.2.1"]});
    for news in [ResultNews::Started { redelivered: false }, ResultNews::Final(End::Done { payload })] {
        let applied = store
            .apply_report(worker.clone(), operation_id, result_id, news, Timestamp::now())
            .await
            .unwrap();
        assert!(matches!(applied, Applied::Changed(_)));
    }
    noted.await.unwrap();
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap();
    let tasks: usize = arguments.next().map_or(64, |n| n.parse().unwrap());
    let time = Duration::from_secs(arguments.next().map_or(10, |n| n.parse().unwrap()));
    let store = Store::open(&StoreOptions::new(url)).await.unwrap();
    let worker = (Uuid::now_v7(), "bench".to_owned());
    let hello = Hello { name: worker.1.clone(), queues: vec!["netwark".into()], ..Hello::default() };
    let arrival = Arrival {
        id: worker.0,
        hello,
        unknown_queues: Vec::new(),
        link: "embedded",
        mark: 0,
        again: false,
        enter: true,
    };
    store.worker_hello(arrival, Timestamp::now()).await.unwrap();

    let done = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let mut running = Vec::new();
    for task in 0..tasks {
        let (store, worker, done) = (store.clone(), worker.clone(), Arc::clone(&done));
        running.push(tokio::spawn(async move {
            let mut longest = Duration::ZERO;
            while began.elapsed() < time {
                let one = Instant::now();
                operation(&store, &worker, &format!("task {task}")).await;
                longest = longest.max(one.elapsed());
                done.fetch_add(1, Ordering::Relaxed);
            }
            longest
        }));
    }
    let mut longest = Duration::ZERO;
    for task in running {
        longest = longest.max(task.await.unwrap());
    }
    let (done, took) = (done.load(Ordering::Relaxed), began.elapsed().as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = done as f64 / took;
    println!(
        "{rate:.0} operations a second, {done} by {tasks} tasks in {took:.1} s, the slowest {longest:?}"
    );
    store.close().await;
}
