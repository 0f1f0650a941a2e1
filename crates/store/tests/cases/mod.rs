//! The cases, by noun.

pub(crate) mod auth;
pub(crate) mod operations;
pub(crate) mod workers;

use jiff::Timestamp;
use netwark_model::messages::Hello;
use netwark_model::workers::Capabilities;
use netwark_store::Store;
use uuid::Uuid;

/// A moment, in seconds after an arbitrary beginning.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

/// What a worker of this name says of itself.
pub(crate) fn hello(name: &str, queues: &[&str]) -> Hello {
    Hello {
        name: name.into(),
        site: "lab".into(),
        location: String::new(),
        tags: vec![],
        version: "0.1.0".into(),
        queues: queues.iter().map(ToString::to_string).collect(),
        capabilities: Capabilities::default(),
        policy: String::new(),
        embedded: false,
    }
}

/// Enters a worker that listens on the built-in queues.
pub(crate) async fn enter(store: &Store, name: &str) -> (Uuid, String) {
    let id = Uuid::now_v7();
    store.worker_hello(id, hello(name, &["netwark", "netwark.broadcast"]), at(0)).await.unwrap();
    (id, name.into())
}
