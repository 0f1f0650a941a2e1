//! Operations from the draft to the end of history.

use netwark_model::messages::{End, Order, control, inbox};
use netwark_model::operations::{OperationDetail, Skipped, Status};
use netwark_model::workers::WorkerState;
use netwark_store::Store;
use netwark_store::operations::{
    Applied, Created, OperationDraft, OperationFilter, OutboxMessage, ResultNews,
};
use serde_json::json;
use uuid::Uuid;

use super::{arrival, at, enter, hello};

fn draft(queues: &[(&str, bool)]) -> OperationDraft {
    OperationDraft {
        tool: "ping".into(),
        target: "192.0.2.1".into(),
        options_sent: Some(json!("-c 1")),
        options: json!({"count": 1}),
        queues: queues.iter().map(|(name, broadcast)| (name.to_string(), *broadcast)).collect(),
        same_workers_as: None,
        selector: None,
        take_within_ms: 60_000,
        run_within_ms: 30_000,
        created_by: "user admin".into(),
        idempotency: None,
    }
}

const BROADCAST: &[(&str, bool)] = &[("netwark.broadcast", true)];
const ANY: &[(&str, bool)] = &[("netwark", false)];

async fn made(store: &Store, draft: OperationDraft, seconds: i64) -> (Uuid, Vec<OutboxMessage>) {
    match store.create_operation(draft, at(seconds)).await.unwrap() {
        Created::New { operation_id, messages } => (operation_id, messages),
        other => panic!("{other:?}"),
    }
}

async fn detail(store: &Store, id: Uuid) -> OperationDetail {
    store.operation_since(id, 0).await.unwrap().unwrap()
}

fn result_of(message: &OutboxMessage) -> Uuid {
    match &message.delivery.order {
        Order::Run(run) => run.result_id,
        other => panic!("{other:?}"),
    }
}

async fn report(
    store: &Store,
    worker: &(Uuid, String),
    id: Uuid,
    result: Uuid,
    news: ResultNews,
    seconds: i64,
) -> Applied {
    store.apply_report(worker.clone(), id, result, news, at(seconds)).await.unwrap()
}

fn done(loss: u32) -> ResultNews {
    ResultNews::Final(End::Done { payload: json!({ "loss": loss }) })
}

pub(crate) async fn expects_one_result_per_online_member(store: &Store) {
    let paris = enter(store, "paris").await;
    let lyon = enter(store, "lyon").await;
    let nice = enter(store, "nice").await;
    store.worker_gone(nice.0, 0, at(0)).await.unwrap();
    let (id, messages) = made(store, draft(BROADCAST), 0).await;
    let detail = detail(store, id).await;
    assert_eq!(detail.operation.status, Status::Pending);
    assert_eq!(detail.operation.options, Some(json!("-c 1")));
    assert_eq!(detail.operation.typed_options, json!({"count": 1}));
    assert_eq!(detail.operation.counts.pending, 2);
    assert_eq!(detail.operation.skipped.iter().map(|s| s.worker.as_str()).collect::<Vec<_>>(), ["nice"]);
    let addresses: Vec<_> = messages.iter().map(|m| m.address.clone()).collect();
    assert_eq!(addresses, [inbox(lyon.0), inbox(paris.0)]);
    assert_eq!(store.unpublished(at(1), 10).await.unwrap(), messages);
    store.published(messages.iter().map(|m| m.id).collect(), at(1)).await.unwrap();
    assert!(store.unpublished(at(1), 10).await.unwrap().is_empty());
    store.unpublish_all().await.unwrap();
    assert_eq!(store.unpublished(at(1), 10).await.unwrap().len(), 2);
}

pub(crate) async fn direct_queue_has_one_slot_for_whoever_takes_it(store: &Store) {
    let (id, messages) = made(store, draft(ANY), 0).await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].address, "netwark");
    assert_eq!(detail(store, id).await.results[0].worker, None);
    let paris = enter(store, "paris").await;
    let result = result_of(&messages[0]);
    assert!(matches!(
        report(store, &paris, id, result, ResultNews::Started { redelivered: false }, 1).await,
        Applied::Changed(_)
    ));
    let detail = detail(store, id).await;
    assert_eq!(detail.results[0].worker.as_deref(), Some("paris"));
    assert_eq!(detail.operation.status, Status::Progress);
    assert!(store.unpublished(at(99), 10).await.unwrap().is_empty(), "begun work leaves the outbox");
}

pub(crate) async fn a_worker_named_twice_runs_once(store: &Store) {
    let id = Uuid::now_v7();
    let hello = hello("paris", &["netwark.broadcast", "netwark.eu"]);
    store.worker_hello(arrival(id, hello), at(0)).await.unwrap();
    let (_, messages) = made(store, draft(&[("netwark.broadcast", true), ("netwark.eu", true)]), 0).await;
    assert_eq!(messages.len(), 1);
}

pub(crate) async fn nobody_online_stores_nothing(store: &Store) {
    let paris = enter(store, "paris").await;
    store.worker_gone(paris.0, 0, at(0)).await.unwrap();
    let created = store.create_operation(draft(BROADCAST), at(0)).await.unwrap();
    let paris =
        Skipped { worker: "paris".into(), queue: "netwark.broadcast".into(), reason: WorkerState::Offline };
    assert_eq!(created, Created::Nobody { skipped: vec![paris] });
    assert_eq!(store.operations(&OperationFilter { limit: 9, ..Default::default() }).await.unwrap().1, 0);
}

pub(crate) async fn same_workers_as_before(store: &Store) {
    let paris = enter(store, "paris").await;
    let (first, _) = made(store, draft(BROADCAST), 0).await;
    let lyon = enter(store, "lyon").await;
    let again = OperationDraft { same_workers_as: Some(first), ..draft(&[]) };
    let (second, messages) = made(store, again.clone(), 1).await;
    assert_eq!(messages.iter().map(|m| m.address.clone()).collect::<Vec<_>>(), [inbox(paris.0)]);
    assert_eq!(detail(store, second).await.operation.same_workers_as, Some(first));
    drop(lyon);
    let nowhere = OperationDraft { same_workers_as: Some(Uuid::now_v7()), ..again };
    assert_eq!(store.create_operation(nowhere, at(2)).await.unwrap(), Created::NoSuchOperation);
}

pub(crate) async fn repeated_key_answers_with_the_first(store: &Store) {
    enter(store, "paris").await;
    let keyed =
        |hash: &str| OperationDraft { idempotency: Some(("k".into(), hash.into())), ..draft(BROADCAST) };
    let (id, messages) = made(store, keyed("a"), 0).await;
    let again = store.create_operation(keyed("a"), at(1)).await.unwrap();
    assert_eq!(again, Created::Repeated { operation_id: id, messages: messages.clone() });
    store.published(vec![messages[0].id], at(2)).await.unwrap();
    let again = store.create_operation(keyed("a"), at(3)).await.unwrap();
    assert_eq!(again, Created::Repeated { operation_id: id, messages: vec![] });
    assert_eq!(store.create_operation(keyed("b"), at(4)).await.unwrap(), Created::KeyReused);
}

pub(crate) async fn reports_are_applied_once(store: &Store) {
    let paris = enter(store, "paris").await;
    let lyon = enter(store, "lyon").await;
    let (id, messages) = made(store, draft(BROADCAST), 0).await;
    let (of_lyon, of_paris) = (result_of(&messages[0]), result_of(&messages[1]));
    report(store, &paris, id, of_paris, ResultNews::Started { redelivered: false }, 1).await;
    assert_eq!(
        report(store, &paris, id, of_paris, ResultNews::Started { redelivered: false }, 1).await,
        Applied::Known
    );
    report(store, &paris, id, of_paris, ResultNews::Progress { payload: json!({"loss": 1}), mark: 0 }, 2)
        .await;
    assert_eq!(detail(store, id).await.results[1].payload, Some(json!({"loss": 1})));
    assert!(
        matches!(report(store, &paris, id, of_paris, done(2), 3).await, Applied::Changed(change) if !change.is_final)
    );
    assert_eq!(report(store, &paris, id, of_paris, done(3), 4).await, Applied::Known);
    let again = ResultNews::Started { redelivered: true };
    assert_eq!(report(store, &paris, id, of_paris, again.clone(), 4).await, Applied::Over);
    assert_eq!(report(store, &lyon, id, of_paris, again, 4).await, Applied::Refused);
    let late_snapshot = ResultNews::Progress { payload: json!({"loss": 9}), mark: 0 };
    assert_eq!(report(store, &paris, id, of_paris, late_snapshot, 4).await, Applied::Known);
    let failed = ResultNews::Final(End::Error { cause: "no such name".into() });
    assert!(
        matches!(report(store, &lyon, id, of_lyon, failed, 5).await, Applied::Changed(change) if change.is_final)
    );
    let detail = detail(store, id).await;
    assert_eq!(detail.operation.status, Status::Done);
    assert_eq!(detail.operation.finished_at, Some(at(5)));
    assert_eq!(detail.results[0].payload, Some(json!({"cause": "no such name"})));
    assert_eq!(detail.results[1].payload, Some(json!({"loss": 2})));
}

pub(crate) async fn another_workers_report_is_refused(store: &Store) {
    enter(store, "paris").await;
    let thief = (Uuid::now_v7(), "thief".to_owned());
    let (id, messages) = made(store, draft(BROADCAST), 0).await;
    let result = result_of(&messages[0]);
    assert_eq!(report(store, &thief, id, result, done(0), 1).await, Applied::Refused);
    assert_eq!(report(store, &thief, Uuid::now_v7(), result, done(0), 1).await, Applied::Refused);
    assert_eq!(report(store, &thief, id, Uuid::now_v7(), done(0), 1).await, Applied::Refused);
    assert_eq!(detail(store, id).await.operation.status, Status::Pending);
}

pub(crate) async fn a_direct_slot_goes_to_who_is_given_the_work_again(store: &Store) {
    let paris = enter(store, "paris").await;
    let lyon = enter(store, "lyon").await;
    let stranger = (Uuid::now_v7(), "stranger".to_owned());
    let hello = hello("stranger", &["netwark.broadcast"]);
    store.worker_hello(arrival(stranger.0, hello), at(0)).await.unwrap();
    let (id, messages) = made(store, draft(ANY), 0).await;
    let result = result_of(&messages[0]);
    let started = |redelivered| ResultNews::Started { redelivered };
    assert_eq!(report(store, &stranger, id, result, started(false), 1).await, Applied::Refused);
    assert!(matches!(report(store, &paris, id, result, started(false), 1).await, Applied::Changed(_)));
    assert_eq!(report(store, &lyon, id, result, started(false), 2).await, Applied::Refused);
    assert!(matches!(report(store, &lyon, id, result, started(true), 3).await, Applied::Changed(_)));
    let slot = &detail(store, id).await.results[0];
    assert_eq!((slot.worker.as_deref(), slot.started_at), (Some("lyon"), Some(at(3))));
    let snapshot = |mark| ResultNews::Progress { payload: json!({ "mark": mark }), mark };
    assert_eq!(report(store, &paris, id, result, snapshot(1), 4).await, Applied::Refused);
    assert!(matches!(report(store, &lyon, id, result, snapshot(5), 4).await, Applied::Changed(_)));
    assert_eq!(report(store, &lyon, id, result, snapshot(4), 5).await, Applied::Known, "an older snapshot");
    assert_eq!(report(store, &stranger, id, result, done(9), 5).await, Applied::Refused);
    assert!(matches!(report(store, &paris, id, result, done(0), 6).await, Applied::Changed(_)));
    let slot = &detail(store, id).await.results[0];
    assert_eq!((slot.worker.as_deref(), slot.payload.clone()), (Some("paris"), Some(json!({"loss": 0}))));
    assert_eq!(report(store, &lyon, id, result, done(5), 7).await, Applied::Refused, "the first end wins");
    assert_eq!(report(store, &lyon, id, result, started(true), 8).await, Applied::Refused);
}

pub(crate) async fn late_report_keeps_timeout(store: &Store) {
    let paris = enter(store, "paris").await;
    let (id, messages) = made(store, draft(BROADCAST), 0).await;
    let result = result_of(&messages[0]);
    report(store, &paris, id, result, ResultNews::Started { redelivered: false }, 1).await;
    store.expire_results(at(31)).await.unwrap();
    report(store, &paris, id, result, done(7), 40).await;
    let detail = detail(store, id).await;
    assert_eq!(detail.results[0].status, Status::Timeout);
    assert!(detail.results[0].late);
    assert_eq!(detail.results[0].payload, Some(json!({"loss": 7})));
    assert_eq!(detail.operation.status, Status::Timeout);
    assert_eq!((detail.operation.finished_at, detail.operation.updated_at), (Some(at(31)), at(40)));
    assert_eq!(report(store, &paris, id, result, done(8), 41).await, Applied::Known);
}

pub(crate) async fn overdue_results_end(store: &Store) {
    let paris = enter(store, "paris").await;
    enter(store, "lyon").await;
    let (id, messages) = made(store, draft(BROADCAST), 0).await;
    report(store, &paris, id, result_of(&messages[1]), ResultNews::Started { redelivered: false }, 50).await;
    assert!(store.expire_results(at(59)).await.unwrap().is_empty());
    let changes = store.expire_results(at(60)).await.unwrap();
    assert_eq!(changes.len(), 1);
    assert!(!changes[0].is_final);
    assert!(store.expire_results(at(60)).await.unwrap().is_empty());
    assert!(store.expire_results(at(80)).await.unwrap()[0].is_final);
    let detail = detail(store, id).await;
    assert_eq!(detail.operation.status, Status::Timeout);
    let causes: Vec<_> = detail.results.iter().map(|r| r.payload.clone().unwrap()["cause"].clone()).collect();
    assert_eq!(causes, ["no worker took it in time", "the worker did not finish in time"]);
    assert!(store.unpublished(at(99), 10).await.unwrap().is_empty());
}

pub(crate) async fn cancel_ends_what_is_open(store: &Store) {
    let paris = enter(store, "paris").await;
    let lyon = enter(store, "lyon").await;
    let (id, messages) = made(store, draft(BROADCAST), 0).await;
    report(store, &lyon, id, result_of(&messages[0]), done(0), 1).await;
    let (change, orders) = store.cancel_operation(id, at(2)).await.unwrap().unwrap();
    assert!(change.unwrap().is_final);
    assert_eq!(orders.iter().map(|o| o.address.clone()).collect::<Vec<_>>(), [control(paris.0)]);
    assert_eq!(store.unpublished(at(99), 10).await.unwrap(), orders);
    store.published(orders.iter().map(|o| o.id).collect(), at(3)).await.unwrap();
    store.unpublish_all().await.unwrap();
    assert!(store.unpublished(at(99), 10).await.unwrap().is_empty());
    let detail = detail(store, id).await;
    assert_eq!(detail.operation.counts.cancelled, 1);
    assert_eq!(detail.operation.status, Status::Done);
    assert_eq!(store.cancel_operation(id, at(4)).await.unwrap().unwrap(), (None, vec![]));
    assert_eq!(store.cancel_operation(Uuid::now_v7(), at(4)).await.unwrap(), None);
}

pub(crate) async fn restart_ends_only_what_had_begun(store: &Store) {
    let embedded = Uuid::now_v7();
    let mut own = hello("own", &["netwark.broadcast"]);
    own.embedded = true;
    store.worker_hello(arrival(embedded, own), at(0)).await.unwrap();
    let away = enter(store, "away").await;
    let (id, messages) = made(store, draft(BROADCAST), 0).await;
    let (waiting, _) = made(store, draft(ANY), 0).await;
    report(store, &away, id, result_of(&messages[0]), ResultNews::Started { redelivered: false }, 1).await;
    report(
        store,
        &(embedded, "own".into()),
        id,
        result_of(&messages[1]),
        ResultNews::Started { redelivered: false },
        1,
    )
    .await;
    assert_eq!(store.end_begun_by(embedded, at(2)).await.unwrap().len(), 1);
    let detail = detail(store, id).await;
    let states: Vec<_> = detail.results.iter().map(|r| r.status).collect();
    assert_eq!(states, [Status::Progress, Status::Error]);
    assert_eq!(detail.results[1].payload, Some(json!({"cause": "server restarted"})));
    assert_eq!(store.operation(waiting).await.unwrap().unwrap().status, Status::Pending);
    assert!(store.workers().await.unwrap().iter().all(|w| w.online != w.embedded));
}

pub(crate) async fn versions_rise_and_resume(store: &Store) {
    let paris = enter(store, "paris").await;
    enter(store, "lyon").await;
    let (id, messages) = made(store, draft(BROADCAST), 0).await;
    let before = detail(store, id).await.operation.version;
    report(store, &paris, id, result_of(&messages[1]), ResultNews::Started { redelivered: false }, 1).await;
    let newer = store.operation_since(id, before).await.unwrap().unwrap();
    assert!(newer.operation.version > before);
    assert_eq!(newer.results.iter().map(|r| r.worker.as_deref()).collect::<Vec<_>>(), [Some("paris")]);
    assert_eq!(newer.results[0].version, newer.operation.version);
    assert!(store.operation_since(id, newer.operation.version).await.unwrap().unwrap().results.is_empty());
}

pub(crate) async fn list_filters_and_pages(store: &Store) {
    enter(store, "paris").await;
    for (seconds, target) in
        [(0, "a%b.example"), (10, "aXb.example"), (20, "192.0.2.1"), (30, "Ärger.EXAMPLE")]
    {
        made(store, OperationDraft { target: target.into(), ..draft(BROADCAST) }, seconds).await;
    }
    let list = async |filter: OperationFilter| {
        let (rows, total) = store.operations(&OperationFilter { limit: 10, ..filter }).await.unwrap();
        assert_eq!(rows.len() as u64, total);
        rows.into_iter().map(|o| o.target).collect::<Vec<_>>()
    };
    assert_eq!(
        list(OperationFilter::default()).await,
        ["Ärger.EXAMPLE", "192.0.2.1", "aXb.example", "a%b.example"]
    );
    let target = |text: &str| OperationFilter { target: Some(text.into()), ..Default::default() };
    assert_eq!(list(target("A%B")).await, ["a%b.example"]);
    assert_eq!(list(target("axb")).await, ["aXb.example"]);
    // The same on both databases, which fold different letters by themselves.
    assert_eq!(list(target("Ärger.example")).await, ["Ärger.EXAMPLE"]);
    assert!(list(target("a_b")).await.is_empty());
    assert!(list(OperationFilter { status: Some(Status::Done), ..Default::default() }).await.is_empty());
    assert!(list(OperationFilter { tool: Some("mtr".into()), ..Default::default() }).await.is_empty());
    let between =
        OperationFilter { created_after: Some(at(10)), created_before: Some(at(20)), ..Default::default() };
    assert_eq!(list(between).await, ["aXb.example"]);
    let second = OperationFilter { offset: 2, limit: 1, ..Default::default() };
    let (rows, total) = store.operations(&second).await.unwrap();
    assert_eq!((rows[0].target.as_str(), total), ("aXb.example", 4));
}

pub(crate) async fn history_is_forgotten(store: &Store) {
    let paris = enter(store, "paris").await;
    let (old, messages) = made(store, draft(BROADCAST), 0).await;
    let (open, _) = made(store, draft(BROADCAST), 0).await;
    report(store, &paris, old, result_of(&messages[0]), done(0), 1).await;
    assert_eq!(store.forget_operations(at(0)).await.unwrap(), 0);
    assert_eq!(store.forget_operations(at(100)).await.unwrap(), 1);
    assert_eq!(store.operation(old).await.unwrap(), None);
    assert!(store.operation(open).await.unwrap().is_some(), "what has not ended is kept");
    assert_eq!(store.open_operations().await.unwrap(), 1);
}

pub(crate) async fn nul_in_a_payload_is_left_out(store: &Store) {
    let paris = enter(store, "paris").await;
    let (id, messages) = made(store, draft(BROADCAST), 0).await;
    let news = ResultNews::Final(End::Done { payload: json!({"name": "a\0b"}) });
    report(store, &paris, id, result_of(&messages[0]), news, 1).await;
    assert_eq!(detail(store, id).await.results[0].payload, Some(json!({"name": "ab"})));
}
