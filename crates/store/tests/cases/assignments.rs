//! Standing orders.

use netwark_model::messages::Hello;
use netwark_model::selector::Selector;
use netwark_store::Store;
use netwark_store::assignments::AssignmentDraft;
use serde_json::json;
use uuid::Uuid;

use super::{arrival, at, enter, hello};

pub(crate) async fn order(store: &Store, selector: &str) -> Uuid {
    let id = Uuid::now_v7();
    let selector = Selector::parse(selector).unwrap();
    let draft =
        AssignmentDraft { id, kind: "heartbeat".into(), every_ms: 1000, body: json!({"n": 1}), selector };
    store.create_assignment(draft, at(0)).await.unwrap();
    id
}

async fn held(store: &Store, worker: Uuid) -> Vec<(Uuid, u64)> {
    let orders = store.standing_orders(worker).await.unwrap();
    orders.held.into_iter().map(|order| (order.id, order.epoch)).collect()
}

pub(crate) async fn an_order_finds_the_least_loaded_holder(store: &Store) {
    store.declare_queues(&[]).await.unwrap();
    let first = order(store, "all").await;
    assert!(store.place_assignments(at(60), at(0)).await.unwrap().is_empty(), "nobody is there");
    let (paris, _) = enter(store, "paris").await;
    assert_eq!(store.place_assignments(at(60), at(0)).await.unwrap(), [paris].into());
    let (rome, _) = enter(store, "rome").await;
    let second = order(store, "site:lab").await;
    assert_eq!(store.place_assignments(at(60), at(1)).await.unwrap(), [rome].into());
    assert!(store.place_assignments(at(60), at(2)).await.unwrap().is_empty(), "nothing moves without need");
    assert_eq!((held(store, paris).await, held(store, rome).await), (vec![(first, 1)], vec![(second, 1)]));
    let orders = store.standing_orders(paris).await.unwrap();
    assert_eq!((orders.revision, orders.complete, orders.held[0].body.clone()), (1, true, json!({"n": 1})));
    assert_eq!(store.remove_assignment(first).await.unwrap(), Some(paris));
    assert_eq!(store.standing_orders(paris).await.unwrap().revision, 2);
    let last = Selector::parse("@last").unwrap();
    let draft = AssignmentDraft {
        id: Uuid::now_v7(),
        kind: String::new(),
        every_ms: 1,
        body: json!(null),
        selector: last,
    };
    assert!(store.create_assignment(draft, at(0)).await.unwrap_err().is_conflict());
}

pub(crate) async fn an_order_moves_when_the_lease_ends(store: &Store) {
    store.declare_queues(&[]).await.unwrap();
    let (paris, _) = enter(store, "paris").await;
    let id = order(store, "all").await;
    store.place_assignments(at(60), at(0)).await.unwrap();
    let (rome, _) = enter(store, "rome").await;
    assert!(store.extend_leases(paris, 1, at(100)).await.unwrap());
    assert!(!store.extend_leases(paris, 0, at(900)).await.unwrap(), "it does not have what it holds");
    store.worker_gone(paris, 0, at(50)).await.unwrap();
    assert!(store.place_assignments(at(160), at(99)).await.unwrap().is_empty(), "its lease runs");
    assert_eq!(store.place_assignments(at(160), at(101)).await.unwrap(), [paris, rome].into());
    assert_eq!((held(store, paris).await, held(store, rome).await), (vec![], vec![(id, 2)]));
    assert_eq!(store.standing_revision(paris).await.unwrap(), 2, "it is told when it is back");
}

pub(crate) async fn a_holder_that_drains_is_asked_to_let_go(store: &Store) {
    store.declare_queues(&[]).await.unwrap();
    let (paris, _) = enter(store, "paris").await;
    let id = order(store, "all").await;
    store.place_assignments(at(60), at(0)).await.unwrap();
    let drains = Hello { draining: true, ..hello("paris", &["netwark"]) };
    store.worker_hello(arrival(paris, drains), at(1)).await.unwrap();
    assert!(store.place_assignments(at(60), at(2)).await.unwrap().is_empty(), "nobody else is there");
    let (rome, _) = enter(store, "rome").await;
    assert_eq!(store.place_assignments(at(60), at(3)).await.unwrap(), [paris].into());
    assert_eq!((held(store, paris).await, held(store, rome).await), (vec![], vec![]), "until it let go");
    let release = |worker, epoch| store.release_assignment(worker, id, epoch, at(90));
    assert!(release(rome, 1).await.unwrap().is_empty());
    assert!(release(paris, 0).await.unwrap().is_empty());
    assert_eq!(release(paris, 1).await.unwrap(), [paris, rome].into());
    assert!(release(paris, 1).await.unwrap().is_empty());
    assert_eq!(held(store, rome).await, [(id, 2)]);
}

pub(crate) async fn a_worker_without_its_numbers_begins_new_epochs(store: &Store) {
    store.declare_queues(&[]).await.unwrap();
    let (paris, _) = enter(store, "paris").await;
    store.renew_epochs(paris).await.unwrap();
    assert_eq!(store.standing_revision(paris).await.unwrap(), 0);
    let id = order(store, "all").await;
    store.place_assignments(at(60), at(0)).await.unwrap();
    store.renew_epochs(paris).await.unwrap();
    assert_eq!(held(store, paris).await, [(id, 2)]);
    assert_eq!(store.standing_revision(paris).await.unwrap(), 2);
}
