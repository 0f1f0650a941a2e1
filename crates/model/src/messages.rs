//! Messages between the server and its workers, with their version.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::workers::Capabilities;

/// Version of the messages in this file. A message of a higher version is refused with both numbers.
pub const VERSION: u16 = 1;

/// What the server sends to a queue or an inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Version of the message.
    pub version: u16,
    /// What is to be done.
    pub order: Order,
}

impl Delivery {
    /// A delivery of this version.
    pub fn new(order: Order) -> Self {
        Self { version: VERSION, order }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// Run a tool.
    Run(RunOrder),
    /// Stop running, or do not begin, these results.
    Cancel {
        /// The operation they belong to.
        operation_id: Uuid,
    },
}

/// The order to run a tool once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunOrder {
    /// The operation.
    pub operation_id: Uuid,
    /// The result this run fills.
    pub result_id: Uuid,
    /// The queue it came by.
    pub queue: String,
    /// Name of the tool.
    pub tool: String,
    /// Address or name.
    pub target: String,
    /// All options with their values.
    pub options: Value,
    /// How long the run may take, in milliseconds.
    pub run_within_ms: u64,
}

/// What a worker tells the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of the message.
    pub version: u16,
    /// The worker.
    pub worker_id: Uuid,
    /// What it says.
    pub news: News,
}

impl Report {
    /// A report of this version.
    pub fn new(worker_id: Uuid, news: News) -> Self {
        Self { version: VERSION, worker_id, news }
    }
}

/// What a worker says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum News {
    /// It is here, and this is what it is.
    Hello(Hello),
    /// It is still here.
    Alive {
        /// How many operations it runs.
        running: u32,
    },
    /// It leaves on purpose.
    Goodbye,
    /// It has begun a run.
    Started {
        /// The operation.
        operation_id: Uuid,
        /// The result.
        result_id: Uuid,
    },
    /// The latest snapshot of a run.
    Progress {
        /// The operation.
        operation_id: Uuid,
        /// The result.
        result_id: Uuid,
        /// What is known so far, in the shape of the final payload.
        payload: Value,
    },
    /// A run has ended.
    Final {
        /// The operation.
        operation_id: Uuid,
        /// The result.
        result_id: Uuid,
        /// How it ended.
        end: End,
    },
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum End {
    /// Measured.
    Done {
        /// What was measured.
        payload: Value,
    },
    /// Could not be measured.
    Error {
        /// Why, for people.
        cause: String,
    },
    /// It took longer than its time.
    Timeout {
        /// What had been measured.
        payload: Option<Value>,
    },
    /// Cancelled.
    Cancelled {
        /// What had been measured.
        payload: Option<Value>,
    },
}

/// What a worker is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// Its name.
    pub name: String,
    /// The site it stands at.
    pub site: String,
    /// Where that is, for people.
    pub location: String,
    /// Free words to select it by.
    pub tags: Vec<String>,
    /// Version of its program.
    pub version: String,
    /// Queues it listens on, besides its inbox.
    pub queues: Vec<String>,
    /// What it can do.
    pub capabilities: Capabilities,
    /// What it may touch, for people.
    pub policy: String,
    /// True when it runs inside the server's process.
    pub embedded: bool,
}

/// The inbox of a worker: its own address, for work meant for it alone.
pub fn inbox(worker_id: Uuid) -> String {
    format!("inbox.{worker_id}")
}

/// The address for orders that a worker must hear even when it takes no more work, such as to cancel.
pub fn control(worker_id: Uuid) -> String {
    format!("control.{worker_id}")
}
