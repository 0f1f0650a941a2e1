//! Workers and queues.

use netwark_model::queues::QueueDefinition;
use netwark_store::Store;
use uuid::Uuid;

use super::{at, enter, hello};

pub(crate) async fn hello_makes_a_member_and_silence_ends_it(store: &Store) {
    store.declare_queues(&[]).await.unwrap();
    let (id, _) = enter(store, "paris").await;
    let queues = store.queues().await.unwrap();
    assert_eq!(queues.iter().map(|q| (q.workers, q.online)).collect::<Vec<_>>(), [(1, 1), (1, 1)]);

    assert!(store.worker_alive(id, 3, at(10)).await.unwrap());
    assert_eq!(store.workers().await.unwrap()[0].running, 3);
    assert!(store.workers_silent_since(at(10)).await.unwrap().is_empty());
    assert_eq!(store.workers_silent_since(at(11)).await.unwrap(), ["paris"]);
    assert!(!store.workers().await.unwrap()[0].online);
    assert_eq!(store.queues().await.unwrap()[1].online, 0);

    store.worker_hello(id, hello("paris", &["netwark"]), at(20)).await.unwrap();
    let queues = store.queues().await.unwrap();
    assert_eq!(queues.iter().map(|q| (q.workers, q.online)).collect::<Vec<_>>(), [(1, 1), (0, 0)]);
    store.worker_gone(id).await.unwrap();
    assert!(!store.workers().await.unwrap()[0].online);
    assert!(!store.worker_alive(Uuid::now_v7(), 0, at(30)).await.unwrap());
}

pub(crate) async fn names_are_unique(store: &Store) {
    enter(store, "paris").await;
    let error = store.worker_hello(Uuid::now_v7(), hello("paris", &[]), at(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "another worker is named 'paris'");
    assert_eq!(store.workers().await.unwrap().len(), 1);
}

pub(crate) async fn queues_are_declared_anew(store: &Store) {
    let queue = |name: &str, broadcast| QueueDefinition {
        name: name.into(),
        label: None,
        location: "here".into(),
        broadcast,
    };
    store.declare_queues(&[queue("paris", true), queue("netwark.lyon", false)]).await.unwrap();
    store.declare_queues(&[queue("lyon", true)]).await.unwrap();
    let queues = store.queues().await.unwrap();
    let names: Vec<_> = queues.iter().map(|q| (q.queue.as_str(), q.broadcast, q.builtin)).collect();
    assert_eq!(
        names,
        [("netwark", false, true), ("netwark.broadcast", true, true), ("netwark.lyon", true, false)]
    );
    assert_eq!(store.queue_kinds().await.unwrap().get("netwark.lyon"), Some(&true));
    assert!(store.declare_queues(&[queue("a,b", false)]).await.is_err());
}
