//! What an operation costs must not grow with the number of operations there were: every statement of its life, and
//! of what runs all the time, finds its rows by an index.

#![expect(clippy::panic, reason = "a test fails by panicking, in its helpers too")]
#![expect(clippy::unwrap_used, reason = "the same")]
#![expect(clippy::print_stderr, reason = "who runs the tests should see what was skipped")]

#[expect(dead_code, reason = "other tests begin with an empty database")]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use netwark_model::events::Severity;
use netwark_model::messages::{End, Hello, Order};
use netwark_model::operations::Status;
use netwark_model::selector::Selector;
use netwark_model::subscriptions::Rules;
use netwark_model::watch::device::Access;
use netwark_model::watch::presence::Presence;
use netwark_store::Store;
use netwark_store::channels::{ChannelDraft, Outcome, SubscriptionDraft, Tried};
use netwark_store::events::EventFilter;
use netwark_store::operations::{Created, OperationDraft, OperationFilter, OutboxMessage, ResultNews};
use netwark_store::watch::devices::DeviceFilter;
use netwark_store::workers::Arrival;
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use serde_json::json;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use uuid::Uuid;

/// The tables that grow with every operation, event and notice.
const GROWING: [&str; 5] = ["operations", "results", "outbox", "events", "deliveries"];

/// Those that grow with every sweep.
const WATCHED: [&str; 2] = ["presence_sessions", "sweeps"];

/// Indexes that hold only what is not over.
const OPEN: [&str; 3] = ["outbox_waiting", "results_deadline", "deliveries_open"];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn draft(queue: &str, broadcast: bool) -> OperationDraft {
    OperationDraft {
        tool: "ping".into(),
        target: "192.0.2.1".into(),
        options_sent: None,
        options: json!({"count": 1}),
        queues: vec![(queue.into(), broadcast)],
        same_workers_as: None,
        selector: None,
        take_within_ms: 60_000,
        run_within_ms: 30_000,
        created_by: "user admin".into(),
        idempotency: Some((Uuid::now_v7().to_string(), "hash".into())),
    }
}

async fn made(store: &Store, draft: OperationDraft) -> (Uuid, Vec<OutboxMessage>) {
    match store.create_operation(draft, at(0)).await.unwrap() {
        Created::New { operation_id, messages } => (operation_id, messages),
        other => panic!("{other:?}"),
    }
}

/// Everything that happens to operations: made twice, published, begun, measured, read, run again, cancelled, late.
async fn live(store: &Store, worker: &(Uuid, String)) {
    let draft = draft("netwark", false);
    let (id, messages) = made(store, draft.clone()).await;
    let repeated = store.create_operation(draft, at(0)).await.unwrap();
    assert!(matches!(repeated, Created::Repeated { operation_id, .. } if operation_id == id), "{repeated:?}");
    store.published(messages.iter().map(|message| message.id).collect(), at(1)).await.unwrap();
    let Order::Run(run) = &messages[0].delivery.order else { panic!("{messages:?}") };
    let end = End::Done { payload: json!({"loss": 0}) };
    for news in [
        ResultNews::Started { redelivered: false },
        ResultNews::Progress { payload: json!({"sent": 1}), mark: 1 },
        ResultNews::Final(end),
    ] {
        store.apply_report(worker.clone(), id, run.result_id, news, at(2)).await.unwrap();
    }
    let detail = store.operation_since(id, 0).await.unwrap().unwrap();
    assert_eq!(detail.operation.status, Status::Done);

    let again = OperationDraft { same_workers_as: Some(id), ..self::draft("netwark", false) };
    let (again, _) = made(store, again).await;
    store.cancel_operation(again, at(3)).await.unwrap().unwrap();
    let last = Selector::parse("@last").unwrap();
    assert_eq!(store.select_workers(last, "user admin").await.unwrap().unwrap().workers.len(), 1);

    made(store, self::draft("netwark.broadcast", true)).await;
}

/// What happens all the time, and in the lists of those who watch.
async fn sweep(store: &Store, worker: &(Uuid, String)) {
    assert!(!store.unpublished(at(60), 500).await.unwrap().is_empty());
    assert!(store.outbox_waiting().await.unwrap() > 0);
    assert!(store.open_operations().await.unwrap() > 0);
    for (status, tool) in [(Some(Status::Done), None), (None, Some("ping".to_owned()))] {
        let filter = OperationFilter { status, tool, limit: 20, ..OperationFilter::default() };
        assert!(!store.operations(&filter).await.unwrap().0.is_empty());
    }
    store.end_begun_by(worker.0, at(61)).await.unwrap();
    assert!(!store.expire_results(at(1000)).await.unwrap().is_empty());
    assert_eq!(store.forget_operations(at(-1)).await.unwrap(), 0);
}

/// What is counted and read of a short while, however long the history is.
async fn count(store: &Store) {
    let news = EventFilter { came_after: Some(Uuid::now_v7()), limit: 1000, ..EventFilter::default() };
    store.events(&news).await.unwrap();
    for network in [None, Some(Uuid::now_v7())] {
        let (since, until) = (at(0), at(3600));
        store.count_events(since, until, network).await.unwrap();
        store.busiest_devices(since, until, &["device_down"], network, 10).await.unwrap();
        store.count_presence(since, until, network).await.unwrap();
    }
}

/// Lists of devices by all that they can be narrowed by.
async fn list(store: &Store) {
    for (access, presence) in [(Access::Known, Presence::Up), (Access::Denied, Presence::Down)] {
        let filter = DeviceFilter {
            network: Some(Uuid::now_v7()),
            access: Some(access),
            presence: Some(presence),
            text: Some("192.0.2.1".into()),
            limit: 10,
            ..DeviceFilter::default()
        };
        store.devices(&filter, at(0)).await.unwrap();
    }
}

/// What a statement calls a table: by its name, and by another it gives it.
fn called<'a>(statement: &'a str, table: &'a str) -> Vec<&'a str> {
    let words: Vec<&str> = statement.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let others = words.windows(2).filter(|pair| pair[0] == table).map(|pair| pair[1]);
    // Words of SQL are written in capitals here.
    let given = others.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    given.chain([table]).collect()
}

/// From an event to the notice that was taken, and to one that is not.
async fn notify(store: &Store, channel: Uuid) {
    let zone = TimeZone::UTC;
    for (second, taken) in [(1, true), (2, false), (3, true)] {
        store.tell(Severity::Alert, "device_new", "new".into(), at(second)).await.unwrap();
        assert_eq!(store.notice_events(&zone, at(second)).await.unwrap(), 1);
        store.tell(Severity::Alert, "device_new", "another".into(), at(second)).await.unwrap();
        assert_eq!(store.notice_events(&zone, at(second)).await.unwrap(), 1);
        assert_eq!(store.channels_with_notices(at(second)).await.unwrap(), [channel]);
        let claimed = store.claim_notice(channel, &zone, at(60), at(second)).await.unwrap().unwrap();
        let tried = Tried { claim: claimed.claim, channel, delivery: claimed.delivery.id };
        let outcome = match taken {
            true => Outcome::Delivered { answer: "ok".into() },
            false => Outcome::Later { error: "no".into(), next_at: at(second) },
        };
        assert!(store.finish_try(tried, outcome, at(second)).await.unwrap().noted);
    }
    // The one that was not taken was tried again in the last turn, and what came then waits.
    let claimed = store.claim_notice(channel, &zone, at(60), at(4)).await.unwrap().unwrap();
    let tried = Tried { claim: claimed.claim, channel, delivery: claimed.delivery.id };
    store.finish_try(tried, Outcome::Dead { error: "no".into(), rests_until: at(0) }, at(4)).await.unwrap();
    assert_eq!(store.notices_waiting().await.unwrap(), 0);
    let listed = store.channels().await.unwrap();
    assert_eq!((listed.len(), listed[0].state.waiting), (1, 0));
    assert_eq!(store.forget_deliveries(at(-1)).await.unwrap(), 0);
}

async fn subscribed(store: &Store) -> Uuid {
    let id = Uuid::now_v7();
    let config = serde_json::from_value(json!({"kind": "slack"})).unwrap();
    let channel = ChannelDraft { name: "chat".into(), config, secrets: BTreeMap::new() };
    store.add_channel(id, channel, "user admin", at(0)).await.unwrap();
    let rules = Rules { group_for_ms: 0, most_per_hour: 3600, ..Rules::default() };
    let all = SubscriptionDraft { name: "all".into(), enabled: true, channels: vec![id], rules };
    store.add_subscription(all, "user admin", at(0)).await.unwrap();
    id
}

async fn enter(store: &Store) -> (Uuid, String) {
    let id = Uuid::now_v7();
    let queues = ["netwark".to_owned(), "netwark.broadcast".to_owned()].into();
    let hello = Hello { name: "paris".into(), version: "0.1.0".into(), queues, ..Hello::default() };
    store
        .worker_hello(
            Arrival {
                id,
                hello,
                unknown_queues: Vec::new(),
                link: "embedded",
                mark: 0,
                again: false,
                enter: true,
            },
            at(0),
        )
        .await
        .unwrap();
    (id, "paris".into())
}

/// The tables are filled from the first row on, as in a new installation: plans that PostgreSQL keeps from then on
/// must do for full tables too.
#[tokio::test]
async fn postgresql_reads_no_growing_table_as_a_whole() {
    let Some(store) = support::postgres().await else { return };
    let name = Statement::from_string(DbBackend::Postgres, "SELECT current_database()");
    let name: String = store.read().query_one_raw(name).await.unwrap().unwrap().try_get_by_index(0).unwrap();
    let worker = enter(&store).await;
    let channel = subscribed(&store).await;
    for _ in 0..30 {
        live(&store, &worker).await;
        notify(&store, channel).await;
    }
    sweep(&store, &worker).await;
    store.close().await;

    let server = std::env::var("NETWARK_TEST_POSTGRES_URL").unwrap();
    let admin = Database::connect(format!("{server}/{name}")).await.unwrap();
    for table in GROWING {
        // Its connections tell what they have read when they end, and some versions take a moment to add it up.
        let (found, read) = loop {
            let sql =
                format!("SELECT idx_scan, seq_tup_read FROM pg_stat_user_tables WHERE relname = '{table}'");
            let row =
                admin.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
            let found: i64 = row.try_get_by_index(0).unwrap();
            if found > 0 {
                break (found, row.try_get_by_index::<i64>(1).unwrap());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert_eq!(read, 0, "{table}: rows read without an index; by an index {found} times");
    }
}

/// The statements that the store has sent.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<BTreeSet<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Sent {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let thread = std::thread::current();
        // The other test sends statements too.
        let by_sqlite = thread.name().is_some_and(|name| name.starts_with("sqlx-sqlite"));
        if by_sqlite && event.metadata().target() == "sqlx::query" {
            event.record(&mut self.clone());
        }
    }
}

impl tracing::field::Visit for Sent {
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        if field.name() == "db.statement" {
            self.0.lock().unwrap().insert(value.trim().to_owned());
        }
    }

    fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn Debug) {}
}

#[tokio::test]
async fn sqlite_reads_no_growing_table_as_a_whole() {
    let store = support::sqlite().await;
    let worker = enter(&store).await;
    // Threads of their own run statements, so whoever listens to all threads hears them.
    let sent = Sent::default();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(sent.clone())).unwrap();
    let channel = subscribed(&store).await;
    live(&store, &worker).await;
    notify(&store, channel).await;
    sweep(&store, &worker).await;
    count(&store).await;
    list(&store).await;

    let statements = sent.0.lock().unwrap().clone();
    let mut explained = 0;
    for statement in statements {
        let verb = statement.split_whitespace().next().unwrap_or_default();
        if !["SELECT", "INSERT", "UPDATE", "DELETE"].contains(&verb) {
            continue;
        }
        explained += 1;
        let plan = Statement::from_string(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {statement}"));
        let rows = store.read().query_all_raw(plan).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
        let tables = GROWING.iter().chain(&WATCHED).flat_map(|table| called(&statement, table));
        let names: Vec<&str> = tables.collect();
        let is_step = |step: &str, how: &str| {
            let name = step.strip_prefix(how).and_then(|rest| rest.split(' ').next());
            name.is_some_and(|name| names.contains(&name))
        };
        // A list that is read after a row was found is read again for every row.
        let found = steps.iter().position(|step| is_step(step, "SEARCH "));
        let list = steps.iter().rposition(|step| step.starts_with("SCAN json_each"));
        if statement.starts_with("UPDATE") && statement.contains(" AS v ") {
            assert!(list < found, "{steps:?}: {statement}");
        }
        // What is asked about each device is answered from all of a network each time.
        let asked = steps.iter().any(|step| step.starts_with("CORRELATED"));
        assert!(!asked || !statement.starts_with("SELECT count(*) FROM devices"), "{steps:?}: {statement}");
        for step in steps {
            let scans = is_step(&step, "SCAN ");
            let open = OPEN.iter().any(|index| step.ends_with(&format!("INDEX {index}")));
            assert!(!scans || open, "{step}: {statement}");
        }
    }
    assert!(explained > 20, "only {explained} statements were seen");
}
