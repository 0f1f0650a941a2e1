//! Assignments: standing orders, each held by exactly one worker.
//!
//! The leading server resolves a selector to a holder and tells it. The worker keeps its set on
//! disk and runs the timers, so that it goes on while no server can be reached. A change of holder
//! or of the order raises the epoch; reports of an earlier epoch are kept as data and raise no events.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A standing order as its holder knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// Its id; also the name of the stream of its reports.
    pub id: Uuid,
    /// Rises whenever the order changes or goes to another worker.
    pub epoch: u64,
    /// What is to be done, such as `heartbeat`.
    pub kind: String,
    /// How often, in milliseconds.
    pub every_ms: u64,
    /// What the kind needs to know.
    #[serde(default)]
    pub body: Value,
}

/// What changed in the standing orders of a worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AssignmentChange {
    /// The revision it leads to.
    pub revision: u64,
    /// True when `held` is everything, and what the worker has besides is to be let go.
    #[serde(default)]
    pub complete: bool,
    /// Orders that came or changed.
    #[serde(default)]
    pub held: Vec<Assignment>,
    /// Orders to let go.
    #[serde(default)]
    pub released: Vec<Uuid>,
}

/// One report of a standing order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamReport {
    /// The assignment.
    pub stream: Uuid,
    /// The epoch the worker held it in.
    pub epoch: u64,
    /// Rises by one with each report of the stream from this worker, from 1 in each epoch.
    pub sequence: u64,
    /// When it was measured, in milliseconds since 1970, by the worker's clock.
    pub at_ms: i64,
    /// What was measured.
    pub body: Value,
}
