//! Enrolling and managing workers, and queues of administrators.

use netwark_model::events::{Event, Severity};
use netwark_model::messages::{Alive, Hello};
use netwark_model::queues::{QueueDefinition, QueueOrigin};
use netwark_model::workers::{Worker, WorkerOverrides, WorkerState};
use netwark_store::events::EventFilter;
use netwark_store::operations::{Applied, Created, OperationDraft, ResultNews};
use netwark_store::queue_changes::QueueChange;
use netwark_store::workers::{Arrival, Credential, DrainOrder, Greeting, NewWorker, Presence};
use netwark_store::{Store, StoreError};
use serde_json::json;
use uuid::Uuid;

use super::{arrival, at, enter, hello};

const TOKEN: [u8; 32] = [1; 32];
const OTHER: [u8; 32] = [2; 32];
const CODE: [u8; 32] = [3; 32];

fn new(name: &str) -> NewWorker {
    NewWorker {
        id: Uuid::now_v7(),
        overrides: WorkerOverrides { name: Some(name.into()), ..WorkerOverrides::default() },
        public_key: None,
        by: "user admin".into(),
    }
}

async fn enrolled(store: &Store, name: &str, hash: [u8; 32]) -> Worker {
    store.enrol_worker(new(name), Credential::Token(hash), at(0)).await.unwrap()
}

async fn paired(store: &Store, name: &str, hash: [u8; 32], expires: i64) -> Worker {
    let code = Credential::Code { hash, expires_at: at(expires) };
    store.enrol_worker(new(name), code, at(0)).await.unwrap()
}

fn conflict<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Conflict(text) | StoreError::NameTaken(text)) => text,
        other => panic!("{other:?}"),
    }
}

async fn kinds(store: &Store) -> Vec<String> {
    timeline(store).await.into_iter().map(|event| event.kind).collect()
}

async fn timeline(store: &Store) -> Vec<Event> {
    store.events(&EventFilter { limit: 100, ..EventFilter::default() }).await.unwrap()
}

pub(crate) async fn the_timeline_is_told_of_what_concerns_no_worker(store: &Store) {
    let tell = |severity, kind, text: &str, second| store.tell(severity, kind, text.into(), at(second));
    tell(Severity::Warning, "data_update_failed", "no answer", 1).await.unwrap();
    tell(Severity::Info, "data_updated", "it's \"new\" \u{2014} 1 \u{d7} \u{2713}", 2).await.unwrap();
    let told = timeline(store).await;
    let kinds: Vec<_> = told.iter().map(|event| (event.kind.as_str(), event.severity, event.at)).collect();
    let expected =
        [("data_updated", Severity::Info, at(2)), ("data_update_failed", Severity::Warning, at(1))];
    assert_eq!(kinds, expected);
    assert_eq!(told[0].text, "it's \"new\" \u{2014} 1 \u{d7} \u{2713}");
    assert!(told.iter().all(|event| event.worker_id.is_none()), "{told:?}");
    let only = EventFilter { severities: vec![Severity::Warning], limit: 9, ..EventFilter::default() };
    assert_eq!(store.events(&only).await.unwrap(), told[1..]);
    let older = EventFilter { before: Some(told[0].id), limit: 9, ..EventFilter::default() };
    assert_eq!(store.events(&older).await.unwrap(), told[1..]);
    assert_eq!(store.forget_events(at(2)).await.unwrap(), 1);
    assert_eq!(timeline(store).await, told[..1]);
}

pub(crate) async fn the_timeline_tells_who_changed_what(store: &Store) {
    store.declare_queues(&[]).await.unwrap();
    let paris = enrolled(store, "paris", TOKEN).await;
    let change = |edit| store.change_worker(paris.id, edit, "user admin", at(1));
    change(Box::new(|set| set.site = Some("th2".into()))).await.unwrap();
    change(Box::new(|set| set.site = Some("th2".into()))).await.unwrap();
    store.replace_worker_token(paris.id, OTHER, "user admin", at(2)).await.unwrap();
    change(Box::new(|set| set.name = None)).await.unwrap_err();
    let said = |name| store.worker_hello(arrival(paris.id, hello(name, &["netwark"])), at(3));
    said("rome").await.unwrap();
    change(Box::new(|set| set.name = None)).await.unwrap();
    said("lyon").await.unwrap();
    store.worker_gone(paris.id, 0, at(4)).await.unwrap();
    store.remove_worker(paris.id, "user admin", at(5)).await.unwrap();
    let second = enrolled(store, "paris", TOKEN).await;
    let mut events = timeline(store).await;
    // The times of this test do not follow each other; ids do.
    events.sort_by_key(|event| event.id);
    let told: Vec<_> = events.iter().map(|event| (event.kind.as_str(), event.text.as_str())).collect();
    assert_eq!(
        told,
        [
            ("worker_enrolled", "paris was enrolled by user admin"),
            ("worker_changed", "paris was changed by user admin: site from none to 'th2'"),
            (
                "worker_token_replaced",
                "paris got another token from user admin; the one before is of no use any more"
            ),
            ("worker_online", "paris is online"),
            ("worker_changed", "rome was changed by user admin: name from 'paris' to 'rome'"),
            ("worker_renamed", "lyon was named rome until now, as it says itself"),
            ("worker_offline", "lyon was stopped"),
            ("worker_deleted", "lyon was deleted by user admin"),
            ("worker_enrolled", "paris was enrolled by user admin; another worker had this name before"),
        ]
    );
    assert_eq!(events.last().unwrap().worker_id, Some(second.id));
}

pub(crate) async fn a_token_belongs_to_its_worker(store: &Store) {
    let paris = enrolled(store, "paris", TOKEN).await;
    assert_eq!((paris.state, paris.last_seen_at, paris.has_key), (WorkerState::Enrolled, None, false));
    let (id, card) = store.worker_by_token(&TOKEN).await.unwrap().unwrap();
    assert_eq!((id, card.name.as_str(), card.revoked, card.introduced), (paris.id, "paris", false, false));
    assert!(store.worker_by_token(&OTHER).await.unwrap().is_none());
    assert!(store.set_worker_key(id, "key".into()).await.unwrap());
    assert_eq!(store.worker_card(id).await.unwrap().unwrap().public_key.as_deref(), Some("key"));
    assert!(!store.set_worker_key(Uuid::now_v7(), "key".into()).await.unwrap());

    store.replace_worker_token(id, OTHER, "user admin", at(1)).await.unwrap().unwrap();
    assert!(store.worker_by_token(&TOKEN).await.unwrap().is_none());
    assert_eq!(store.worker_by_token(&OTHER).await.unwrap().unwrap().0, id);
    assert!(store.replace_worker_token(Uuid::now_v7(), TOKEN, "user admin", at(1)).await.unwrap().is_none());
    let (embedded, _) = enter(store, "nice").await;
    store
        .worker_hello(
            arrival(embedded, netwark_model::messages::Hello { embedded: true, ..hello("nice", &[]) }),
            at(1),
        )
        .await
        .unwrap();
    assert!(
        conflict(store.replace_worker_token(embedded, TOKEN, "user admin", at(1)).await)
            .contains("needs no token")
    );
    assert!(conflict(store.revoke_worker(embedded, "x", at(1)).await).contains("worker.embedded"));
    assert_eq!(store.worker_named("paris").await.unwrap().map(|worker| worker.id), Some(id));
}

pub(crate) async fn of_two_that_want_a_name_one_gets_it(store: &Store) {
    let makes = (0..6).map(|n| store.enrol_worker(new("paris"), Credential::Token([n; 32]), at(0)));
    let made = futures::future::join_all(makes).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
    for refused in made.into_iter().filter(Result::is_err) {
        assert_eq!(conflict(refused), "another worker is named 'paris'");
    }
    assert_eq!(kinds(store).await, ["worker_enrolled"]);
}

pub(crate) async fn a_code_is_exchanged_once_and_in_time(store: &Store) {
    let paris = paired(store, "paris", CODE, 600).await;
    assert_eq!(store.pairing(CODE, at(599)).await.unwrap(), Some(paris.id));
    assert_eq!(store.pairing(CODE, at(600)).await.unwrap(), None);
    assert_eq!(store.pairing(OTHER, at(0)).await.unwrap(), None);
    let late = store.finish_pairing(CODE, paris.id, TOKEN, None, at(600)).await.unwrap();
    assert!(late.is_none());
    let key = || Some("key".to_owned());
    let tries = (10..18).map(|n| store.finish_pairing(CODE, paris.id, [n; 32], key(), at(599)));
    let outcomes = futures::future::join_all(tries).await;
    let done: Vec<_> = outcomes.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(done.len(), 1);
    assert!(done[0].has_key);
    assert_eq!(kinds(store).await, ["worker_enrolled"]);

    paired(store, "lyon", OTHER, 600).await;
    assert!(store.forget_pairings(at(599)).await.unwrap().is_empty());
    assert_eq!(store.forget_pairings(at(600)).await.unwrap(), ["lyon"]);
    let left: Vec<_> = store.workers().await.unwrap().into_iter().map(|worker| worker.name).collect();
    assert_eq!(left, ["paris"], "who was paired stays");
}

pub(crate) async fn what_is_set_wins_over_what_is_said(store: &Store) {
    store.declare_queues(&[]).await.unwrap();
    let paris = enrolled(store, "paris", TOKEN).await;
    let websocket = |mark, name: &str| Arrival {
        link: "websocket",
        mark,
        again: false,
        enter: false,
        ..arrival(paris.id, hello(name, &["netwark", "netwark.broadcast"]))
    };
    let Greeting::Welcome { name, queues, .. } =
        store.worker_hello(websocket(1, "host"), at(1)).await.unwrap()
    else {
        panic!("it belongs here")
    };
    assert_eq!((name.as_str(), queues.len()), ("paris", 2));

    let set = store.change_worker(
        paris.id,
        Box::new(|set| {
            set.site = Some("TH2".into());
            set.queues = Some(vec!["netwark".into()]);
        }),
        "user admin",
        at(1),
    );
    let worker = set.await.unwrap().unwrap();
    assert_eq!((worker.site.as_str(), worker.queues.len()), ("TH2", 1));
    let counts: Vec<_> = store.queues().await.unwrap().iter().map(|queue| queue.workers).collect();
    assert_eq!(counts, [1, 0]);
    store.worker_hello(websocket(2, "host"), at(2)).await.unwrap();
    assert_eq!(store.worker(paris.id).await.unwrap().unwrap().site, "TH2");

    let back =
        store.change_worker(paris.id, Box::new(|set| *set = WorkerOverrides::default()), "user admin", at(1));
    let worker = back.await.unwrap().unwrap();
    assert_eq!((worker.name.as_str(), worker.site.as_str(), worker.queues.len()), ("host", "lab", 2));
    let lyon = enrolled(store, "lyon", OTHER).await;
    let taken = store
        .change_worker(lyon.id, Box::new(|set| set.name = Some("host".into())), "user admin", at(1))
        .await;
    assert_eq!(conflict(taken), "another worker is named 'host'");
    let taken = store
        .change_worker(lyon.id, Box::new(|set| set.name = Some("Host".into())), "user admin", at(1))
        .await;
    assert_eq!(conflict(taken), "another worker is named 'host'");
    let own = store
        .change_worker(lyon.id, Box::new(|set| set.name = Some("Lyon".into())), "user admin", at(1))
        .await;
    assert_eq!(own.unwrap().unwrap().name, "Lyon", "its own name in other letters");
    let nameless = store.change_worker(lyon.id, Box::new(|set| set.name = None), "user admin", at(1)).await;
    assert!(conflict(nameless).contains("has not said a name"));
    assert!(
        store.change_worker(Uuid::now_v7(), Box::new(|_| {}), "user admin", at(1)).await.unwrap().is_none()
    );
}

pub(crate) async fn draining_is_told_once(store: &Store) {
    let (id, _) = enter(store, "paris").await;
    for draining in [true, true] {
        let worker = store.drain_worker(id, draining, "user admin", at(1)).await.unwrap().unwrap();
        assert_eq!(worker.state, WorkerState::Draining);
    }
    store.drain_worker(id, false, "user admin", at(2)).await.unwrap();
    for own in [true, true, false] {
        assert_eq!(
            says(store, id, own, 3).await,
            if own { WorkerState::Draining } else { WorkerState::Online }
        );
    }
    let told = ["worker_resumed", "worker_drained", "worker_resumed", "worker_drained", "worker_online"];
    assert_eq!(kinds(store).await, told);
    assert!(store.drain_worker(Uuid::now_v7(), true, "x", at(2)).await.unwrap().is_none());
}

/// A worker says what it wants by itself, following the order of this revision; returns its state then.
async fn says(store: &Store, id: Uuid, draining: bool, followed: u64) -> WorkerState {
    let alive = Alive { draining: Some(draining), drain_revision: Some(followed), ..Alive::default() };
    assert_eq!(store.worker_alive(id, alive, 0, at(3)).await.unwrap(), Presence::Known);
    store.worker(id).await.unwrap().unwrap().state
}

pub(crate) async fn a_worker_drains_when_either_side_wants_it(store: &Store) {
    let (id, _) = enter(store, "paris").await;
    let order =
        async |draining| store.drain_worker(id, draining, "user admin", at(1)).await.unwrap().unwrap().state;
    assert_eq!(says(store, id, true, 0).await, WorkerState::Draining);
    assert_eq!(order(true).await, WorkerState::Draining);
    assert_eq!(says(store, id, false, 1).await, WorkerState::Draining, "the server wants it still");
    assert_eq!(says(store, id, true, 1).await, WorkerState::Draining);
    assert_eq!(order(false).await, WorkerState::Online, "this ends both wishes");
    assert_eq!(says(store, id, true, 1).await, WorkerState::Online, "said before it heard the order");
    let hello = |followed, draining| {
        let said = Hello { draining, drain_revision: followed, ..hello("paris", &["netwark"]) };
        store.worker_hello(arrival(id, said), at(4))
    };
    let state = async || store.worker(id).await.unwrap().unwrap().state;
    let greeting = hello(Some(1), true).await.unwrap();
    let drain = DrainOrder { draining: false, revision: 2 };
    assert!(matches!(greeting, Greeting::Welcome { drain: told, .. } if told == drain), "{greeting:?}");
    assert_eq!(state().await, WorkerState::Online, "said before it heard the order");
    assert_eq!(says(store, id, true, 2).await, WorkerState::Draining, "wanted after the order");
    hello(None, false).await.unwrap();
    assert_eq!(state().await, WorkerState::Online, "what an earlier life wanted ended with it");
    hello(None, true).await.unwrap();
    assert_eq!(state().await, WorkerState::Draining);
    assert_eq!(store.worker_card(id).await.unwrap().unwrap().drain, drain);
}

pub(crate) async fn who_was_revoked_of_late_is_found_by_its_link(store: &Store) {
    let (id, _) = enter(store, "paris").await;
    enter(store, "rome").await;
    let over_broker = Arrival { link: "amqp", ..arrival(id, hello("paris", &["netwark"])) };
    store.worker_hello(over_broker, at(1)).await.unwrap();
    store.revoke_worker(id, "x", at(5)).await.unwrap();
    let found = async |since, link| store.workers_revoked_since(at(since), link).await.unwrap();
    assert_eq!(found(5, "amqp").await, [id]);
    assert!(found(6, "amqp").await.is_empty() && found(0, "websocket").await.is_empty());
}

fn draft(queues: &[(&str, bool)]) -> OperationDraft {
    OperationDraft {
        tool: "ping".into(),
        target: "192.0.2.1".into(),
        options_sent: None,
        options: json!({}),
        queues: queues.iter().map(|(name, broadcast)| (name.to_string(), *broadcast)).collect(),
        same_workers_as: None,
        selector: None,
        take_within_ms: 60_000,
        run_within_ms: 30_000,
        created_by: "user admin".into(),
        idempotency: None,
    }
}

pub(crate) async fn who_is_revoked_brings_nothing_more(store: &Store) {
    store.declare_queues(&[]).await.unwrap();
    let (id, name) = enter(store, "paris").await;
    let both = draft(&[("netwark.broadcast", true), ("netwark", false)]);
    let Created::New { operation_id, .. } = store.create_operation(both, at(0)).await.unwrap() else {
        panic!("somebody is there")
    };
    let results = store.operation_since(operation_id, 0).await.unwrap().unwrap().results;
    let direct = results.iter().find(|result| result.queue == "netwark").unwrap().id;
    let started = ResultNews::Started { redelivered: false };
    let taken = store.apply_report((id, name.clone()), operation_id, direct, started, at(1)).await.unwrap();
    assert!(matches!(taken, Applied::Changed(_)));

    let (worker, changes) = store.revoke_worker(id, "user admin", at(2)).await.unwrap().unwrap();
    assert_eq!((worker.state, worker.online, changes.len()), (WorkerState::Revoked, false, 1));
    let words: Vec<_> = store.operation_since(operation_id, 0).await.unwrap().unwrap().results;
    let word = |queue: &str| words.iter().find(|result| result.queue == queue).unwrap().status.as_str();
    assert_eq!((word("netwark.broadcast"), word("netwark")), ("error", "progress"));
    let (_, again) = store.revoke_worker(id, "user admin", at(3)).await.unwrap().unwrap();
    assert!(again.is_empty());

    let back = store.worker_hello(arrival(id, hello("paris", &["netwark"])), at(4)).await.unwrap();
    assert_eq!(back, Greeting::Revoked);
    assert_eq!(store.worker_alive(id, Alive::default(), 0, at(4)).await.unwrap(), Presence::Revoked);
    assert_eq!(store.queues().await.unwrap()[0].workers, 0);
    assert!(conflict(store.drain_worker(id, true, "x", at(4)).await).contains("was revoked"));
    assert!(
        conflict(store.replace_worker_token(id, TOKEN, "user admin", at(1)).await)
            .contains("enrol a new worker")
    );
    let taken = store.enrol_worker(new("paris"), Credential::Token(OTHER), at(4)).await;
    assert!(conflict(taken).contains("delete it to free its name"));
    assert_eq!(kinds(store).await, ["worker_revoked", "worker_online"]);

    let (gone, _) = store.remove_worker(id, "user admin", at(5)).await.unwrap().unwrap();
    assert_eq!(gone.name, "paris");
    assert!(store.remove_worker(id, "user admin", at(5)).await.unwrap().is_none());
    let kept = store.operation_since(operation_id, 0).await.unwrap().unwrap().results;
    assert!(kept.iter().all(|result| result.worker.as_deref() == Some("paris")), "{kept:?}");
    enrolled(store, "paris", OTHER).await;
}

pub(crate) async fn who_is_online_is_not_deleted(store: &Store) {
    let (id, _) = enter(store, "paris").await;
    assert!(conflict(store.remove_worker(id, "user admin", at(1)).await).contains("revoke it first"));
    store.worker_gone(id, 0, at(2)).await.unwrap();
    assert!(store.remove_worker(id, "user admin", at(3)).await.unwrap().is_some());
    assert_eq!(store.worker_alive(id, Alive::default(), 0, at(4)).await.unwrap(), Presence::Unknown);
}

pub(crate) async fn a_hello_does_not_undo_a_revocation(store: &Store) {
    for n in 0..8 {
        let (id, name) = enter(store, &format!("worker-{n}")).await;
        let (revoked, greeted) = futures::join!(
            store.revoke_worker(id, "user admin", at(1)),
            store.worker_hello(arrival(id, hello(&name, &["netwark"])), at(1)),
        );
        assert!(revoked.unwrap().is_some() && greeted.is_ok());
        let worker = store.worker(id).await.unwrap().unwrap();
        assert_eq!((worker.state, worker.online), (WorkerState::Revoked, false), "{n}");
    }
}

fn queue(name: &str, broadcast: bool) -> QueueDefinition {
    QueueDefinition { name: name.into(), label: None, location: String::new(), broadcast }
}

pub(crate) async fn queues_of_administrators_live_beside_the_declared(store: &Store) {
    store.declare_queues(&[queue("lyon", false)]).await.unwrap();
    let adds = (0..5).map(|_| store.add_queue(queue("netwark.paris", false)));
    let added = futures::future::join_all(adds).await;
    assert_eq!(added.iter().filter(|added| added.is_ok()).count(), 1, "{added:?}");
    let paris = store.queue("netwark.paris").await.unwrap().unwrap();
    assert_eq!((paris.origin, paris.name.as_str()), (QueueOrigin::Ui, "netwark.paris"));
    for (name, why) in [
        ("netwark", "always exist"),
        ("netwark.lyon", "declared in the server's configuration"),
        ("netwark.paris", "exists already"),
        ("netwark.PARIS", "'netwark.paris' exists already"),
    ] {
        assert!(conflict(store.add_queue(queue(name, true)).await).contains(why), "{name}");
    }
    for (name, why) in [("netwark", "always exist"), ("netwark.lyon", "change it there")] {
        assert!(conflict(store.change_queue(name, QueueChange::default()).await).contains(why), "{name}");
        assert!(conflict(store.remove_queue(name).await).contains(why), "{name}");
    }
    let adds =
        ["lille", "LILLE", "Lille"].map(|name| store.add_queue(queue(&format!("netwark.{name}"), false)));
    let added = futures::future::join_all(adds).await;
    assert_eq!(added.iter().filter(|added| added.is_ok()).count(), 1, "{added:?}");
    store.remove_queue("netwark.lille").await.unwrap().unwrap();
    assert!(store.remove_queue("netwark.nice").await.unwrap().is_none());
    assert!(store.change_queue("netwark.nice", QueueChange::default()).await.unwrap().is_none());
    store.declare_queues(&[]).await.unwrap();
    let names: Vec<_> = store.queues().await.unwrap().into_iter().map(|queue| queue.queue).collect();
    assert_eq!(names, ["netwark", "netwark.broadcast", "netwark.paris"]);
}

pub(crate) async fn a_queue_in_use_keeps_its_kind(store: &Store) {
    store.declare_queues(&[]).await.unwrap();
    store.add_queue(queue("netwark.paris", false)).await.unwrap();
    let (id, _) = enter(store, "paris").await;
    let queues = vec!["netwark".to_owned(), "netwark.paris".to_owned()];
    let change = store.change_worker(id, Box::new(move |set| set.queues = Some(queues)), "user admin", at(1));
    assert_eq!(change.await.unwrap().unwrap().queues.len(), 2);
    let made = store.create_operation(draft(&[("netwark.paris", false)]), at(0)).await.unwrap();
    let Created::New { operation_id, .. } = made else { panic!("{made:?}") };
    let broadcast = || QueueChange { broadcast: Some(true), ..QueueChange::default() };
    assert!(conflict(store.change_queue("netwark.paris", broadcast()).await).contains("have not ended"));
    assert!(conflict(store.remove_queue("netwark.paris").await).contains("have not ended"));
    let label = QueueChange { label: Some("Paris".into()), ..QueueChange::default() };
    assert_eq!(store.change_queue("netwark.paris", label).await.unwrap().unwrap().name, "Paris");

    store.cancel_operation(operation_id, at(1)).await.unwrap();
    assert!(store.change_queue("netwark.paris", broadcast()).await.unwrap().unwrap().broadcast);
    let removed = store.remove_queue("netwark.PARIS").await.unwrap().unwrap();
    assert_eq!(removed.name, "netwark.paris");
    assert_eq!((removed.broadcast, removed.workers), (true, vec![id]));
    let worker = store.worker(id).await.unwrap().unwrap();
    assert_eq!(worker.queues, ["netwark"]);
    assert_eq!(worker.overrides.queues, Some(vec!["netwark".to_owned()]));
}
