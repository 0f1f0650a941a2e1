//! What a worker finds out about itself and counts, with the server played by the test.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod self_test;
mod usage;
mod watching;

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use netwark_bus::ServerBus;
use netwark_bus::local::{self, LocalServerBus};
use netwark_lookup::dns::Resolver;
use netwark_model::messages::{
    Alive, Delivery, End, Hello, News, Order, Report, RunOrder, Welcome, control, inbox,
};
use netwark_probe::engine::{Engine, EngineOptions};
use netwark_worker::{Context, Keeping, Need, Policy, RunningWorker, Toolbox, WorkerSettings};
use serde_json::{Value, json};
use uuid::Uuid;

/// The usual tools, one that does nothing, and one that does nothing either but needs DNS for it.
fn toolbox() -> Toolbox {
    Toolbox::standard().with("quick", |_, _, _| Box::pin(async { Ok(json!("quick")) })).with_needs(
        "named",
        &[Need::Dns],
        |_, _, _| Box::pin(async { Ok(json!("named")) }),
    )
}

/// Says what this machine lacks for a test. Where it must not lack it, that is a failure.
fn skipped(missing: &str) {
    let required = std::env::var("CI").is_ok_and(|ci| ci == "true")
        || std::env::var("NETWARK_TEST_ROOT").is_ok_and(|root| root == "require");
    assert!(!required, "a test cannot run: {missing}");
    let _ = writeln!(std::io::stderr(), "skipped: {missing}");
}

/// A worker and its server.
struct Pair {
    server: LocalServerBus,
    id: Uuid,
    worker: RunningWorker,
}

impl Pair {
    fn start(keeping: Keeping, resolver: Resolver) -> Self {
        let (server, bus) = local::pair();
        let engine = Engine::start(EngineOptions::default()).unwrap();
        let context = Context::new(engine, resolver, Policy::default(), "paris");
        let id = Uuid::now_v7();
        let settings = WorkerSettings {
            id,
            name: "paris".into(),
            concurrency: 4,
            boot: 1,
            keeping,
            ..WorkerSettings::default()
        };
        let worker = netwark_worker::start(settings, Arc::new(bus), toolbox(), context);
        Self { server, id, worker }
    }

    /// A worker in this directory that is welcome.
    async fn ready(directory: &Path, monthly_cap: Option<u64>) -> Self {
        let keeping = Keeping { monthly_cap, ..Keeping::new(directory) };
        let pair = Self::start(keeping, Resolver::with_servers(&[]));
        pair.welcome().await;
        pair
    }

    /// The next report, settled well.
    async fn report(&self) -> Report {
        let incoming = self.server.next_report().await.unwrap();
        let report = incoming.report.clone();
        incoming.settle(Ok(()));
        report
    }

    /// The next hello, answered.
    async fn welcome(&self) -> Hello {
        loop {
            let Report { mark, news, .. } = self.report().await;
            let News::Hello(hello) = news else { continue };
            let welcome = Welcome {
                answers: mark,
                server_time_ms: 0,
                heard_at_ms: None,
                name: "paris".into(),
                queues: Vec::new(),
                listen: None,
                unknown_queues: Vec::new(),
                draining: false,
                drain_revision: 0,
            };
            self.say(&control(self.id), Order::Welcome(welcome)).await;
            return *hello;
        }
    }

    /// What the worker says of itself when it is made to say something.
    async fn alive(&self) -> Alive {
        // It says what is new once it is welcome.
        self.say(&control(self.id), Order::Introduce).await;
        self.welcome().await;
        loop {
            if let News::Alive(alive) = self.report().await.news {
                return alive;
            }
        }
    }

    /// How a run of this tool ends.
    async fn run(&self, tool: &str, options: Value) -> End {
        let order = RunOrder {
            operation_id: Uuid::now_v7(),
            result_id: Uuid::now_v7(),
            queue: inbox(self.id),
            tool: tool.into(),
            target: "127.0.0.1".into(),
            options,
            run_within_ms: 10_000,
        };
        self.say(&inbox(self.id), Order::Run(order)).await;
        loop {
            if let News::Final { end, .. } = self.report().await.news {
                return end;
            }
        }
    }

    /// Why a run of this tool is an error.
    async fn cause(&self, tool: &str) -> String {
        match self.run(tool, json!({})).await {
            End::Error { cause } => cause,
            end => panic!("{end:?}"),
        }
    }

    async fn say(&self, address: &str, order: Order) {
        self.server.publish(address, Delivery::new(order), None).await.unwrap();
    }

    /// Stops the worker; its goodbye is heard.
    async fn stop(self) {
        let stopping = tokio::spawn(self.worker.stop(Duration::from_secs(10)));
        let incoming = self.server.next_report().await.unwrap();
        incoming.settle(Ok(()));
        stopping.await.unwrap();
    }
}
