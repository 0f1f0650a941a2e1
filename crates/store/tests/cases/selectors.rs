//! Operations for whom a selector finds.

use netwark_model::messages::{Hello, Order, inbox};
use netwark_model::operations::{Operation, Skipped};
use netwark_model::queues::QueueDefinition;
use netwark_model::selector::Selector;
use netwark_model::workers::WorkerState;
use netwark_store::Store;
use netwark_store::operations::{Created, OperationDraft, OutboxMessage};
use serde_json::json;
use uuid::Uuid;

use super::{arrival, at, hello};

fn from(text: &str, by: &str) -> OperationDraft {
    OperationDraft {
        tool: "ping".into(),
        target: "192.0.2.1".into(),
        options_sent: None,
        options: json!({"count": 1}),
        queues: vec![],
        same_workers_as: None,
        selector: Some(Selector::parse(text).unwrap()),
        take_within_ms: 60_000,
        run_within_ms: 30_000,
        created_by: by.into(),
        idempotency: None,
    }
}

async fn made(store: &Store, draft: OperationDraft) -> (Operation, Vec<OutboxMessage>) {
    match store.create_operation(draft, at(0)).await.unwrap() {
        Created::New { operation_id, messages } => {
            (store.operation(operation_id).await.unwrap().unwrap(), messages)
        }
        other => panic!("{other:?}"),
    }
}

fn addresses(messages: &[OutboxMessage]) -> Vec<String> {
    messages.iter().map(|message| message.address.clone()).collect()
}

async fn enter(store: &Store, name: &str, site: &str, tags: &[&str]) -> Uuid {
    let id = Uuid::now_v7();
    let hello = Hello {
        site: site.into(),
        tags: tags.iter().map(ToString::to_string).collect(),
        country: "FR".into(),
        asn: Some(64500),
        ..hello(name, &["netwark", "netwark.broadcast"])
    };
    store.worker_hello(arrival(id, hello), at(0)).await.unwrap();
    id
}

pub(crate) async fn whom_a_selector_finds_gets_a_copy(store: &Store) {
    let one = enter(store, "paris-1", "Paris", &[]).await;
    enter(store, "paris-2", "Paris", &["lab"]).await;
    let three = enter(store, "paris-3", "Paris", &[]).await;
    enter(store, "lyon-1", "Lyon", &[]).await;
    store.worker_gone(three, 0, at(0)).await.unwrap();
    let (operation, messages) = made(store, from("site:paris AND as64500 and not tag:lab", "user a")).await;
    assert_eq!(addresses(&messages), [inbox(one)]);
    let Order::Run(run) = &messages[0].delivery.order else { panic!("{messages:?}") };
    assert_eq!(run.queue, "");
    assert_eq!(operation.from.as_deref(), Some("site:paris and as:64500 and not tag:lab"));
    assert!(operation.queues.is_empty());
    let skipped = Skipped { worker: "paris-3".into(), queue: String::new(), reason: WorkerState::Offline };
    assert_eq!(operation.skipped, std::slice::from_ref(&skipped));
    let nobody = store.create_operation(from("paris-3", "user a"), at(0)).await.unwrap();
    assert_eq!(nobody, Created::Nobody { skipped: vec![skipped] });
}

pub(crate) async fn a_limit_takes_that_many(store: &Store) {
    store.declare_queues(&[]).await.unwrap();
    for name in ["a", "b", "c", "d"] {
        enter(store, name, "Paris", &[]).await;
    }
    let (operation, messages) = made(store, from("netwark limit 3", "user a")).await;
    assert_eq!((messages.len(), operation.counts.pending, operation.queues.len()), (3, 3, 0));
}

pub(crate) async fn plain_queues_work_as_queues_do(store: &Store) {
    let paris = QueueDefinition { name: "eu".into(), label: None, location: String::new(), broadcast: false };
    store.declare_queues(&[paris]).await.unwrap();
    let id = enter(store, "paris", "Paris", &[]).await;
    let (operation, messages) = made(store, from("eu, broadcast", "user a")).await;
    assert_eq!(addresses(&messages), [inbox(id), "netwark.eu".into()]);
    assert_eq!(operation.queues, ["netwark.eu", "netwark.broadcast"]);
    assert_eq!(operation.from.as_deref(), Some("eu or broadcast"));
    // A worker may have a name that is no queue; then the list is no list of queues.
    let (operation, messages) = made(store, from("eu, paris", "user a")).await;
    assert_eq!((addresses(&messages), operation.queues.len()), (vec![inbox(id)], 0));
}

pub(crate) async fn last_is_the_latest_of_whoever_asks(store: &Store) {
    let paris = enter(store, "paris", "Paris", &[]).await;
    let lyon = enter(store, "lyon", "Lyon", &[]).await;
    let none = store.create_operation(from("@last", "user a"), at(0)).await.unwrap();
    assert!(matches!(&none, Created::Unselectable(error) if error.word == "@last"), "{none:?}");
    let (first, _) = made(store, from("paris", "user a")).await;
    made(store, from("lyon", "user b")).await;
    let (again, messages) = made(store, from("@last", "user a")).await;
    assert_eq!(addresses(&messages), [inbox(paris)]);
    assert_eq!(again.from, Some(format!("@{}", first.id)));
    let (_, messages) = made(store, from("all and not @last", "user a")).await;
    assert_eq!(addresses(&messages), [inbox(lyon)]);
    let unknown = format!("@{}", Uuid::now_v7());
    let none = store.create_operation(from(&unknown, "user a"), at(0)).await.unwrap();
    assert!(
        matches!(&none, Created::Unselectable(error) if error.message.contains("no operation")),
        "{none:?}"
    );
    // An operation that a selector made is run again like any other.
    let same = OperationDraft { same_workers_as: Some(first.id), selector: None, ..from("all", "user b") };
    assert_eq!(addresses(&made(store, same).await.1), [inbox(paris)]);
}

pub(crate) async fn a_preview_tells_who_would_run(store: &Store) {
    let paris = QueueDefinition { name: "eu".into(), label: None, location: String::new(), broadcast: false };
    store.declare_queues(&[paris]).await.unwrap();
    enter(store, "paris", "Paris", &[]).await;
    let lyon = enter(store, "lyon", "Lyon", &[]).await;
    store.worker_gone(lyon, 0, at(0)).await.unwrap();
    let preview =
        async |text: &str| store.select_workers(Selector::parse(text).unwrap(), "user a").await.unwrap();
    let found = preview("all limit 1").await.unwrap();
    assert_eq!(found.workers.iter().map(|worker| worker.name.as_str()).collect::<Vec<_>>(), ["paris"]);
    assert_eq!((found.skipped[0].worker.as_str(), found.skipped[0].reason), ("lyon", WorkerState::Offline));
    assert_eq!((found.from.as_str(), found.limit), ("all limit 1", Some(1)));
    let found = preview("eu,broadcast").await.unwrap();
    assert_eq!((found.direct, found.workers.len(), found.skipped.len()), (vec!["netwark.eu".into()], 1, 1));
    assert_eq!(preview("rome").await.unwrap_err().message, "is no queue and no worker");
    assert_eq!(preview("@last").await.unwrap_err().word, "@last");
}
