//! A real worker with a spool and standing orders, on a server whose link can be cut.

use std::sync::Arc;
use std::time::Duration;

use crate::support::TestApp;
use jiff::{SignedDuration, Timestamp};
use netwark_bus::local::LocalWorkerBus;
use netwark_bus::{Answer, BusError, Consumer, LinkState, WorkerBus};
use netwark_lookup::dns::Resolver;
use netwark_model::messages::Report;
use netwark_model::selector::Selector;
use netwark_probe::engine::{Engine, EngineOptions};
use netwark_store::assignments::AssignmentDraft;
use netwark_store::streams::StreamState;
use netwark_worker::{Context, Keeping, Policy, RunningWorker, Toolbox, WorkerSettings};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use uuid::Uuid;

/// A link that can be cut: reports fail at once, and nothing is heard.
#[derive(Clone)]
struct Link {
    bus: LocalWorkerBus,
    state: watch::Sender<LinkState>,
}

impl Link {
    fn cut(&self) {
        self.state.send_replace(LinkState::Down { reason: "cut".into() });
    }

    fn mend(&self) {
        self.state.send_replace(LinkState::Up);
    }
}

impl WorkerBus for Link {
    fn listen(&self, addresses: Vec<String>, most: usize) -> Box<dyn Consumer> {
        self.bus.listen(addresses, most)
    }

    fn report(&self, report: Report) -> Answer<'_, Result<(), BusError>> {
        if *self.state.borrow() != LinkState::Up {
            return Box::pin(async { Err(BusError::Gone) });
        }
        self.bus.report(report)
    }

    fn state(&self) -> watch::Receiver<LinkState> {
        self.state.subscribe()
    }
}

struct Site {
    id: Uuid,
    boot: u32,
    state: TempDir,
    link: Link,
}

impl Site {
    fn new(test: &TestApp) -> Self {
        let link = Link { bus: test.bus.clone(), state: watch::Sender::new(LinkState::Up) };
        Self { id: Uuid::now_v7(), boot: 0, state: TempDir::new().unwrap(), link }
    }

    /// Begins a life of its worker.
    fn start(&mut self) -> RunningWorker {
        self.boot += 1;
        let engine = Engine::start(EngineOptions::default()).unwrap();
        let context = Context::new(engine, Resolver::with_servers(&[]), Policy::default(), "paris");
        let settings = WorkerSettings {
            id: self.id,
            name: format!("paris-{}", self.id),
            queues: vec!["netwark".into()],
            concurrency: 4,
            embedded: true,
            boot: self.boot,
            keeping: Keeping::new(self.state.path()),
            ..WorkerSettings::default()
        };
        let tools = Toolbox::standard().with("echo", |_, order, _| {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(300)).await;
                Ok(json!({ "said": order.target }))
            })
        });
        netwark_worker::start(settings, Arc::new(self.link.clone()), tools, context)
    }
}

/// Waits until the answer is something.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    for _ in 0..600 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited for too long: {what}")
}

async fn heartbeat(test: &TestApp) -> Uuid {
    let id = Uuid::now_v7();
    let draft = AssignmentDraft {
        id,
        kind: "heartbeat".into(),
        every_ms: 100,
        body: Value::Null,
        selector: Selector::parse("all").unwrap(),
    };
    test.app.store.create_assignment(draft, Timestamp::now()).await.unwrap();
    id
}

/// The epoch in which a worker holds an order, once so many beats of it are there. A hello that crosses the
/// placing begins another epoch, so that it is not always the first.
async fn held_beats(test: &TestApp, worker: Uuid, id: Uuid, at_least: u64) -> u64 {
    until(&format!("beat {at_least}"), || async {
        let holding = test.app.store.holding(id).await.unwrap()?;
        let state = test.app.store.stream_state(worker, id, holding.epoch).await.unwrap()?;
        (holding.holder == Some(worker) && state.applied >= at_least).then_some(holding.epoch)
    })
    .await
}

async fn beats(test: &TestApp, worker: Uuid, id: Uuid, epoch: u64, at_least: u64) -> StreamState {
    until(&format!("beat {at_least} of epoch {epoch}"), || async {
        let state = test.app.store.stream_state(worker, id, epoch).await.unwrap()?;
        (state.applied >= at_least).then_some(state)
    })
    .await
}

#[tokio::test]
async fn a_standing_order_goes_on_without_a_server_and_over_restarts() {
    let test = TestApp::new().await;
    let mut site = Site::new(&test);
    let id = heartbeat(&test).await;
    let worker = site.start();
    worker.ready().await.unwrap();
    let epoch = held_beats(&test, site.id, id, 3).await;

    site.link.cut();
    let before = beats(&test, site.id, id, epoch, 3).await.applied;
    tokio::time::sleep(Duration::from_millis(600)).await;
    worker.stop(Duration::ZERO).await;
    // Nobody can be asked: it begins with what stands on its disk.
    let worker = site.start();
    tokio::time::sleep(Duration::from_millis(600)).await;
    let meanwhile = beats(&test, site.id, id, epoch, 3).await.applied;
    assert!(meanwhile <= before + 1, "nothing arrives over a cut link");

    site.link.mend();
    worker.ready().await.unwrap();
    let state = beats(&test, site.id, id, epoch, before + 6).await;
    assert_eq!((state.missing, state.received, state.gaps), (0, state.applied, Vec::new()));
    worker.stop(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_worker_that_lost_its_disk_counts_anew() {
    let test = TestApp::new().await;
    let mut site = Site::new(&test);
    let id = heartbeat(&test).await;
    let worker = site.start();
    let epoch = held_beats(&test, site.id, id, 3).await;
    worker.stop(Duration::from_secs(10)).await;
    site.state = TempDir::new().unwrap();
    let worker = site.start();
    let state = beats(&test, site.id, id, epoch + 1, 2).await;
    assert_eq!(state.missing, 0);
    worker.stop(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn an_order_moves_from_a_silent_worker_whose_late_reports_are_kept() {
    let test = TestApp::new().await;
    let (mut paris, mut rome) = (Site::new(&test), Site::new(&test));
    let id = heartbeat(&test).await;
    let first = paris.start();
    let epoch = held_beats(&test, paris.id, id, 2).await;
    paris.link.cut();
    let second = rome.start();
    second.ready().await.unwrap();
    let later = Timestamp::now().checked_add(SignedDuration::from_mins(2)).unwrap();
    test.app.store.worker_gone(paris.id, 0, later).await.unwrap();
    assert_eq!(test.app.store.place_assignments(later, later).await.unwrap(), [paris.id, rome.id].into());
    // Nobody told it: its signs of life say that it does not have what it holds.
    rome.link.cut();
    rome.link.mend();
    assert!(held_beats(&test, rome.id, id, 2).await > epoch);

    let before = beats(&test, paris.id, id, epoch, 2).await.applied;
    paris.link.mend();
    beats(&test, paris.id, id, epoch, before + 1).await;
    until("paris lets go", || async {
        let text = std::fs::read_to_string(paris.state.path().join("assignments.json")).unwrap();
        let kept: Value = serde_json::from_str(&text).unwrap();
        (kept["assignments"] == json!([])).then_some(())
    })
    .await;
    assert_eq!(test.app.store.holding(id).await.unwrap().unwrap().holder, Some(rome.id));
    first.stop(Duration::from_secs(10)).await;
    second.stop(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_result_that_comes_after_its_timeout_is_late_but_there() {
    let test = TestApp::new().await;
    let mut site = Site::new(&test);
    let worker = site.start();
    worker.ready().await.unwrap();
    let body = json!({ "type": "echo", "target": "hello", "queues": ["netwark"] });
    let id = test.operation(body).await;
    let path = format!("/operations/{id}");
    until("it has begun", || async { (test.get(&path).await.json()["status"] == "progress").then_some(()) })
        .await;
    site.link.cut();
    until("it is on the disk", || async {
        let files = std::fs::read_dir(site.state.path().join("spool/kept")).unwrap();
        let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
        (bytes > 0).then_some(())
    })
    .await;
    let later = Timestamp::now().checked_add(SignedDuration::from_hours(1)).unwrap();
    test.app.store.expire_results(later).await.unwrap();
    assert_eq!(test.get(&path).await.json()["status"], "timeout");

    worker.stop(Duration::ZERO).await;
    let worker = site.start();
    site.link.mend();
    let result = until("the late result", || async {
        let result = test.get(&path).await.json()["results"][0].clone();
        (result["late"] == true).then_some(result)
    })
    .await;
    assert_eq!((&result["status"], &result["payload"]["said"]), (&json!("timeout"), &json!("hello")));
    worker.stop(Duration::from_secs(10)).await;
}
