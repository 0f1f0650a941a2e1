//! The cases, by noun.

pub(crate) mod assignments;
pub(crate) mod auth;
pub(crate) mod channels;
pub(crate) mod manage;
pub(crate) mod operations;
pub(crate) mod selectors;
pub(crate) mod statistics;
pub(crate) mod streams;
pub(crate) mod watch;
pub(crate) mod workers;

use jiff::Timestamp;
use netwark_model::messages::Hello;
use netwark_store::Store;
use netwark_store::workers::Arrival;
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
        version: "0.1.0".into(),
        queues: queues.iter().map(ToString::to_string).collect(),
        ..Hello::default()
    }
}

/// A hello that comes from within the process.
pub(crate) fn arrival(id: Uuid, hello: Hello) -> Arrival {
    Arrival { id, hello, unknown_queues: Vec::new(), link: "embedded", mark: 0, again: false, enter: true }
}

/// Enters a worker that listens on the built-in queues.
pub(crate) async fn enter(store: &Store, name: &str) -> (Uuid, String) {
    let id = Uuid::now_v7();
    let hello = hello(name, &["netwark", "netwark.broadcast"]);
    store.worker_hello(arrival(id, hello), at(0)).await.unwrap();
    (id, name.into())
}
