//! A worker on a bus in memory, with the server played by the test and tools made up for it.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use netwark_bus::local::{self, LocalServerBus};
use netwark_bus::{BusError, ServerBus};
use netwark_lookup::dns::Resolver;
use netwark_model::messages::{
    Alive, Delivery, End, Hello, News, Order, Report, RunOrder, Unwelcome, Welcome, control, inbox,
};
use netwark_probe::engine::{Engine, EngineOptions};
use netwark_worker::{Context, Keeping, Policy, RunError, RunningWorker, Toolbox, WorkerSettings};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

static COUNTED: AtomicU32 = AtomicU32::new(0);

fn toolbox() -> Toolbox {
    Toolbox::standard()
        .with("quick", |_, _, _| Box::pin(async { Ok(json!("quick")) }))
        .with("counted", |_, _, _| {
            Box::pin(async {
                COUNTED.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(200)).await;
                Ok(json!("counted"))
            })
        })
        .with("endless", |_, _, snapshots| {
            Box::pin(async move {
                snapshots.send_replace(Some(json!("so far")));
                std::future::pending::<Result<Value, RunError>>().await
            })
        })
        .with("broken", |_, _, _| Box::pin(async { panic!("a fault") }))
        .with("refusing", |_, _, _| Box::pin(async { Err(RunError("cannot".into())) }))
}

struct Test {
    server: LocalServerBus,
    id: Uuid,
    worker: RunningWorker,
    _state: TempDir,
}

impl Test {
    async fn new() -> Self {
        let (server, bus) = local::pair();
        let state = TempDir::new().unwrap();
        let id = Uuid::now_v7();
        let worker = start(id, bus, &state);
        let test = Self { server, id, worker, _state: state };
        let (mark, hello) = test.hello().await;
        assert_eq!(hello.name, "paris");
        test.welcome(mark).await;
        test.worker.ready().await.unwrap();
        assert!(matches!(test.news().await, News::Alive(_)), "what the welcome taught is told");
        test
    }

    /// The next report, which is a hello, settled well, and its mark.
    async fn hello(&self) -> (u64, Hello) {
        let incoming = self.server.next_report().await.unwrap();
        let Report { mark, news, .. } = incoming.report.clone();
        incoming.settle(Ok(()));
        let News::Hello(hello) = news else { panic!("{news:?}") };
        (mark, *hello)
    }

    /// Answers the hello with this mark.
    async fn welcome(&self, answers: u64) {
        self.say(&control(self.id), Order::Welcome(welcome(answers))).await;
    }

    /// The next report, which says that the worker is here, settled well, and its mark.
    async fn alive(&self) -> (u64, Alive) {
        let incoming = self.server.next_report().await.unwrap();
        let Report { mark, news, .. } = incoming.report.clone();
        incoming.settle(Ok(()));
        let News::Alive(alive) = news else { panic!("{news:?}") };
        (mark, alive)
    }

    /// Whether it drains by its own wish, and which order it follows, as it says next.
    async fn drains(&self) -> (Option<bool>, Option<u64>) {
        let (_, alive) = self.alive().await;
        (alive.draining, alive.drain_revision)
    }

    async fn say(&self, address: &str, order: Order) {
        self.server.publish(address, Delivery::new(order), None).await.unwrap();
    }

    /// Hands out an order and returns it.
    async fn order(&self, address: &str, tool: &str, operation_id: Uuid) -> RunOrder {
        let order = RunOrder {
            operation_id,
            result_id: Uuid::now_v7(),
            queue: address.into(),
            tool: tool.into(),
            target: "127.0.0.1".into(),
            options: json!({}),
            run_within_ms: 2_000,
        };
        self.say(address, Order::Run(order.clone())).await;
        order
    }

    /// The next report, settled well.
    async fn news(&self) -> News {
        let incoming = self.server.next_report().await.unwrap();
        let Report { worker_id, news, .. } = incoming.report.clone();
        assert_eq!(worker_id, self.id);
        incoming.settle(Ok(()));
        news
    }

    /// How the next runs end, by result; snapshots and beginnings are passed over.
    async fn ends(&self, number: usize) -> Vec<(Uuid, End)> {
        let mut ends = Vec::new();
        while ends.len() < number {
            if let News::Final { result_id, end, .. } = self.news().await {
                ends.push((result_id, end));
            }
        }
        ends
    }
}

/// A welcome that answers the hello with this mark.
fn welcome(answers: u64) -> Welcome {
    Welcome {
        answers,
        server_time_ms: 0,
        heard_at_ms: None,
        name: "paris".into(),
        queues: vec!["netwark".into(), "netwark.broadcast".into()],
        listen: Some(vec!["netwark".into()]),
        unknown_queues: Vec::new(),
        draining: false,
        drain_revision: 0,
    }
}

fn start(id: Uuid, bus: local::LocalWorkerBus, state: &TempDir) -> RunningWorker {
    let engine = Engine::start(EngineOptions::default()).unwrap();
    let resolver = Resolver::with_servers(&[]);
    let context = Context::new(engine, resolver, Policy::default(), "paris");
    let settings = WorkerSettings {
        id,
        name: "paris".into(),
        site: String::new(),
        location: String::new(),
        tags: Vec::new(),
        queues: vec!["netwark".into()],
        concurrency: 4,
        embedded: true,
        coordinates: None,
        country: String::new(),
        asn: None,
        boot: 1,
        keeping: Keeping::new(state.path()),
    };
    netwark_worker::start(settings, Arc::new(bus), toolbox(), context)
}

fn done(text: &str) -> End {
    End::Done { payload: json!(text) }
}

#[tokio::test]
async fn begins_then_ends() {
    let test = Test::new().await;
    let order = test.order("netwark", "quick", Uuid::now_v7()).await;
    let (operation_id, result_id) = (order.operation_id, order.result_id);
    assert_eq!(test.news().await, News::Started { operation_id, result_id, redelivered: false });
    assert_eq!(test.news().await, News::Final { operation_id, result_id, end: done("quick") });
}

#[tokio::test]
async fn an_operation_that_two_queues_name_runs_once() {
    let test = Test::new().await;
    let operation = Uuid::now_v7();
    let first = test.order("netwark", "counted", operation).await;
    let second = test.order(&inbox(test.id), "counted", operation).await;
    let mut ends = test.ends(2).await;
    ends.sort_by_key(|(result, _)| *result);
    assert_eq!(ends, [(first.result_id, done("counted")), (second.result_id, done("counted"))]);
    let third = test.order("netwark", "counted", operation).await;
    assert_eq!(test.ends(1).await, [(third.result_id, done("counted"))], "also when the run has ended");
    assert_eq!(COUNTED.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_cannot_be_run_is_said() {
    let test = Test::new().await;
    for (tool, cause) in [
        ("nothing", "this worker has no tool 'nothing'; update it"),
        ("refusing", "cannot"),
        ("broken", "the tool failed by a fault in the program; the worker's log has the details"),
    ] {
        let order = test.order("netwark", tool, Uuid::now_v7()).await;
        assert_eq!(test.ends(1).await, [(order.result_id, End::Error { cause: cause.into() })], "{tool}");
    }
    test.order("netwark", "quick", Uuid::now_v7()).await;
    assert_eq!(test.ends(1).await[0].1, done("quick"), "a fault ends its own run only");
}

#[tokio::test]
async fn cancelling_ends_a_run_with_what_it_has() {
    let test = Test::new().await;
    let order = test.order("netwark", "endless", Uuid::now_v7()).await;
    while !matches!(test.news().await, News::Progress { .. }) {}
    test.say(&control(test.id), Order::Cancel { operation_id: order.operation_id }).await;
    let end = End::Cancelled { payload: Some(json!("so far")) };
    assert_eq!(test.ends(1).await, [(order.result_id, end)]);

    let late = test.order("netwark", "quick", order.operation_id).await;
    assert_eq!(test.ends(1).await, [(late.result_id, End::Cancelled { payload: None })]);
}

#[tokio::test]
async fn a_run_beyond_its_time_ends_with_what_it_has() {
    let test = Test::new().await;
    let order = test.order("netwark", "endless", Uuid::now_v7()).await;
    let end = End::Timeout { payload: Some(json!("so far")) };
    assert_eq!(test.ends(1).await, [(order.result_id, end)]);
}

#[tokio::test]
async fn a_result_is_reported_until_it_is_stored() {
    let test = Test::new().await;
    let order = test.order("netwark", "quick", Uuid::now_v7()).await;
    let mut tries = 0;
    loop {
        let incoming = test.server.next_report().await.unwrap();
        match incoming.report.news {
            News::Final { .. } if tries < 2 => {
                tries += 1;
                incoming.settle(Err(BusError::NotStored("the database is away".into())));
            }
            News::Final { result_id, .. } => {
                assert_eq!(result_id, order.result_id);
                incoming.settle(Ok(()));
                break;
            }
            _ => incoming.settle(Ok(())),
        }
    }
}

#[tokio::test]
async fn a_run_that_is_not_wanted_is_not_measured() {
    let test = Test::new().await;
    test.order("netwark", "broken", Uuid::now_v7()).await;
    test.server.next_report().await.unwrap().settle(Err(BusError::Refused("it has ended".into())));
    test.order("netwark", "quick", Uuid::now_v7()).await;
    assert_eq!(test.ends(1).await[0].1, done("quick"));
}

#[tokio::test]
async fn a_target_the_list_forbids_is_an_error_with_its_cause() {
    let test = Test::new().await;
    let mut order = test.order("nowhere", "ping", Uuid::now_v7()).await;
    order.target = "224.0.0.1".into();
    test.say("netwark", Order::Run(order)).await;
    let ends = test.ends(1).await;
    let End::Error { cause } = &ends[0].1 else { panic!("{ends:?}") };
    assert!(cause.contains("224.0.0.1") && cause.contains("multicast"), "{cause}");
}

#[tokio::test]
async fn a_worker_that_is_not_wanted_ends() {
    let (server, bus) = local::pair();
    let state = TempDir::new().unwrap();
    let worker = start(Uuid::now_v7(), bus, &state);
    server.next_report().await.unwrap().settle(Err(BusError::Refused("the name is taken".into())));
    let reason = Unwelcome { revoked: false, reason: "the name is taken".into() };
    assert_eq!(worker.ready().await, Err(reason.clone()));
    assert_eq!(worker.unwelcome().await, reason);
}

#[tokio::test]
async fn a_revoked_worker_ends() {
    let test = Test::new().await;
    let reason = Unwelcome { revoked: true, reason: "revoked".into() };
    test.say(&control(test.id), Order::Unwelcome(reason.clone())).await;
    assert_eq!(test.worker.unwelcome().await, reason);
}

#[tokio::test]
async fn a_welcome_of_an_earlier_life_is_passed_over() {
    let (server, bus) = local::pair();
    let state = TempDir::new().unwrap();
    let id = Uuid::now_v7();
    let test = Test { server, id, worker: start(id, bus, &state), _state: state };
    test.welcome(7).await;
    let (mark, _) = test.hello().await;
    test.order("netwark", "quick", Uuid::now_v7()).await;
    let early = tokio::time::timeout(Duration::from_millis(200), test.server.next_report()).await;
    assert!(early.is_err(), "no work is taken before the answer");
    test.welcome(mark).await;
    assert_eq!(test.ends(1).await[0].1, done("quick"));
}

#[tokio::test]
async fn a_draining_worker_takes_nothing_new() {
    let test = Test::new().await;
    test.say(&control(test.id), Order::Drain { draining: true, revision: 1 }).await;
    assert_eq!(test.drains().await, (Some(false), Some(1)));
    assert!(test.worker.is_draining());
    let order = test.order("netwark", "quick", Uuid::now_v7()).await;
    let taken = tokio::time::timeout(Duration::from_millis(200), test.server.next_report()).await;
    assert!(taken.is_err(), "it waits for another worker");
    test.say(&control(test.id), Order::Drain { draining: false, revision: 2 }).await;
    assert_eq!(test.ends(1).await[0].0, order.result_id);
}

#[tokio::test]
async fn to_take_work_again_ends_what_the_worker_wants_by_itself() {
    let test = Test::new().await;
    test.worker.drain(true);
    assert_eq!(test.drains().await, (Some(true), Some(0)));
    test.say(&control(test.id), Order::Drain { draining: false, revision: 1 }).await;
    assert_eq!(test.drains().await, (Some(false), Some(1)));
    assert!(!test.worker.is_draining());
    test.worker.drain(true);
    assert_eq!(test.drains().await, (Some(true), Some(1)));
    // The order comes again, and late. Another hello comes after it, so that it was heard.
    for order in [Order::Drain { draining: false, revision: 1 }, Order::Introduce] {
        test.say(&control(test.id), order).await;
    }
    let (mark, hello) = test.hello().await;
    assert_eq!((hello.draining, hello.drain_revision), (true, Some(1)));
    // It was told to take work while it could not hear it.
    let welcome = Welcome { drain_revision: 2, ..welcome(mark) };
    test.say(&control(test.id), Order::Welcome(welcome)).await;
    assert_eq!(test.drains().await, (Some(false), Some(2)));
}

#[tokio::test]
async fn only_addresses_that_exist_are_listened_on() {
    let test = Test::new().await;
    test.order("netwark.broadcast", "quick", Uuid::now_v7()).await;
    let order = test.order("netwark", "quick", Uuid::now_v7()).await;
    assert_eq!(test.ends(1).await[0].0, order.result_id);
    let more = tokio::time::timeout(Duration::from_millis(200), test.server.next_report()).await;
    assert!(more.is_err(), "a broadcast queue has no address of its own");
}

#[tokio::test]
async fn a_refusal_of_an_earlier_hello_is_passed_over() {
    let (server, bus) = local::pair();
    let state = TempDir::new().unwrap();
    let id = Uuid::now_v7();
    let test = Test { server, id, worker: start(id, bus, &state), _state: state };
    let refused = |answers| Order::Refused { answers, reason: "the queue does not exist".into() };
    test.say(&control(id), refused(7)).await;
    let (mark, _) = test.hello().await;
    test.welcome(mark).await;
    test.worker.ready().await.unwrap();
    test.say(&control(id), refused(8)).await;
    test.say(&control(id), Order::Introduce).await;
    while !matches!(test.news().await, News::Hello(_)) {}

    let (server, bus) = local::pair();
    let state = TempDir::new().unwrap();
    let test = Test { server, id, worker: start(id, bus, &state), _state: state };
    let (mark, _) = test.hello().await;
    test.say(&control(id), refused(mark)).await;
    let reason = "the queue does not exist".into();
    assert_eq!(test.worker.unwelcome().await, Unwelcome { revoked: false, reason });
}

#[tokio::test]
async fn the_clock_is_asked_for_until_it_is_known() {
    let (server, bus) = local::pair();
    let state = TempDir::new().unwrap();
    let id = Uuid::now_v7();
    let test = Test { server, id, worker: start(id, bus, &state), _state: state };
    let (mark, _) = test.hello().await;
    // As when the worker finds its control address late: the answer has lain there.
    tokio::time::sleep(Duration::from_millis(400)).await;
    let server_time_ms = jiff::Timestamp::now().as_millisecond() - 400;
    let late = Welcome { server_time_ms, heard_at_ms: Some(server_time_ms), ..welcome(mark) };
    test.say(&control(id), Order::Welcome(late)).await;
    let (answers, alive) = test.alive().await;
    assert_eq!((alive.clock_offset_ms, alive.asks_time), (None, true));
    let now = jiff::Timestamp::now().as_millisecond() - 3_600_000;
    let time = Order::Time { answers, heard_at_ms: now, server_time_ms: now };
    test.say(&control(id), time).await;
    let (_, alive) = test.alive().await;
    assert!(alive.clock_offset_ms.is_some() && !alive.asks_time, "{alive:?}");
}

#[tokio::test]
async fn stopping_says_goodbye() {
    let test = Test::new().await;
    let stopping = tokio::spawn(test.worker.stop(Duration::from_secs(10)));
    let incoming = test.server.next_report().await.unwrap();
    assert_eq!(incoming.report.news, News::Goodbye);
    incoming.settle(Ok(()));
    stopping.await.unwrap();
}
