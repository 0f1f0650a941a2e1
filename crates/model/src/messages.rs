//! Messages between the server and its workers, with their version.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::assignments::{AssignmentChange, StreamReport};
use crate::watch::report::LinkFacts;
use crate::workers::{Capabilities, Coordinates, SelfTest, ToolUsage};

/// Version of the messages in this file. A message of a higher version is refused with both numbers.
pub const VERSION: u16 = 2;
/// The oldest version that is still understood. What later versions added is absent from its messages.
pub const OLDEST: u16 = 1;
/// Most bytes of a message, whatever carries it.
pub const LARGEST: usize = 1024 * 1024;

/// True when a message of this version is understood.
pub fn understood(version: u16) -> bool {
    (OLDEST..=VERSION).contains(&version)
}

/// What the server sends to a queue or an inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Version of the message.
    pub version: u16,
    /// What is to be done.
    pub order: Order,
    /// When it is of no use any more, in milliseconds since 1970 by the server's clock. Only the
    /// server goes by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<i64>,
}

impl Delivery {
    /// A delivery of this version.
    pub fn new(order: Order) -> Self {
        Self { version: VERSION, order, expires_at_ms: None }
    }

    /// The same delivery, of no use any more from this time on, in milliseconds since 1970.
    #[must_use]
    pub fn until(self, expires_at_ms: i64) -> Self {
        Self { expires_at_ms: Some(expires_at_ms), ..self }
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
    /// The answer to a worker's hello: it belongs to the installation and may take work.
    Welcome(Welcome),
    /// Take no new work, or take work again.
    Drain {
        /// True to take no new work. False also ends what the worker wants by itself.
        draining: bool,
        /// Rises with every such order; one that is not above what the worker follows is passed over.
        #[serde(default)]
        revision: u64,
    },
    /// Say hello again: the server does not know what this worker is.
    Introduce,
    /// End: what this worker said of itself cannot be.
    Refused {
        /// [`Report::mark`] of the hello this answers; others are left over from before it was corrected.
        answers: u64,
        /// Why, for people.
        reason: String,
    },
    /// End, and do not come back.
    Unwelcome(Unwelcome),
    /// The server's clock, for who asked with [`Alive::asks_time`].
    Time {
        /// [`Report::mark`] of the report that asked.
        answers: u64,
        /// The server's clock when it heard the question, in milliseconds since 1970.
        heard_at_ms: i64,
        /// The server's clock when it sent this, in milliseconds since 1970.
        server_time_ms: i64,
    },
    /// Standing orders that came, changed or went.
    Assign(AssignmentChange),
    /// Carry a standing order out at once, and again when it is due.
    Now {
        /// The standing order.
        assignment_id: Uuid,
    },
    /// An order that a later version brought. Its version says so.
    #[serde(other)]
    Unknown,
}

/// What a worker is told when it has said hello.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    /// [`Report::mark`] of the hello this answers; others are left over from an earlier life.
    pub answers: u64,
    /// The server's clock when it was sent, in milliseconds since 1970.
    pub server_time_ms: i64,
    /// The server's clock when it heard the hello, in milliseconds since 1970.
    #[serde(default)]
    pub heard_at_ms: Option<i64>,
    /// The name it has in this installation.
    pub name: String,
    /// Queues it may listen on.
    pub queues: Vec<String>,
    /// Those of them that have an address of their own, which are the direct ones: what is meant for a
    /// broadcast queue comes to the inbox. All of them when absent.
    #[serde(default)]
    pub listen: Option<Vec<String>>,
    /// Queues it asks for that the server does not have, by full name.
    #[serde(default)]
    pub unknown_queues: Vec<String>,
    /// The server wants it to take no new work.
    pub draining: bool,
    /// Revision of the latest [`Order::Drain`]; 0 when there was none.
    #[serde(default)]
    pub drain_revision: u64,
}

/// Why a worker has to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unwelcome {
    /// True when an administrator revoked it, false when it is not wanted as it is.
    pub revoked: bool,
    /// Why, for people.
    pub reason: String,
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
    /// Rises with every report of the worker, over restarts too, so that what is said twice or
    /// again later is recognised. See [`mark`]. 0 in messages of version 1.
    #[serde(default)]
    pub mark: u64,
    /// What it says.
    pub news: News,
}

impl Report {
    /// A report of this version.
    pub fn new(worker_id: Uuid, mark: u64, news: News) -> Self {
        Self { version: VERSION, worker_id, mark, news }
    }
}

/// The mark of the `sequence`th report of a worker's `boot`th life.
pub fn mark(boot: u32, sequence: u32) -> u64 {
    // One bit stays free, so that databases can hold it as a signed number.
    (u64::from(boot & 0x7fff_ffff) << 32) | u64::from(sequence)
}

/// What a worker says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum News {
    /// It is here, and this is what it is.
    Hello(Box<Hello>),
    /// It is still here.
    Alive(Alive),
    /// It leaves on purpose.
    Goodbye,
    /// It has begun a run.
    Started {
        /// The operation.
        operation_id: Uuid,
        /// The result.
        result_id: Uuid,
        /// The bus says that another worker may have begun it before and went away.
        #[serde(default)]
        redelivered: bool,
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
    /// What a standing order brought.
    Stream(StreamReport),
    /// Reports of a stream that will never come.
    Gap {
        /// The stream.
        stream: Uuid,
        /// The epoch they were made in.
        #[serde(default)]
        epoch: u64,
        /// The first sequence that is missing.
        from: u64,
        /// The last sequence that is missing.
        to: u64,
        /// Why, such as `spool full`.
        reason: String,
    },
    /// It has its standing orders as of this revision.
    Assigned {
        /// The revision.
        revision: u64,
    },
    /// It has let a standing order go.
    Released {
        /// The assignment.
        assignment_id: Uuid,
        /// The epoch in which it held it.
        epoch: u64,
    },
    /// News that a later version brought. Its version says so.
    #[serde(other)]
    Unknown,
}

/// What a worker says of itself from time to time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alive {
    /// How many operations it runs.
    pub running: u32,
    /// Processes that wait for the machine's processors, on average over a minute.
    pub load: Option<f32>,
    /// Bytes of reports that wait on its disk.
    pub spool_bytes: u64,
    /// Its clock minus the server's, in milliseconds.
    pub clock_offset_ms: Option<i64>,
    /// What its tools have sent and received this month.
    pub usage: Vec<ToolUsage>,
    /// What it has found out about itself; empty when it is as the hello said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub self_test: Vec<SelfTest>,
    /// Revision of the standing orders it has.
    pub revision: u64,
    /// True when it takes no new work by its own wish, whatever the server wants.
    pub draining: Option<bool>,
    /// Revision of the latest [`Order::Drain`] it follows. What it says of itself in [`Self::draining`] is
    /// older than an order of a higher revision.
    pub drain_revision: Option<u64>,
    /// It wants to know the server's clock, by [`Order::Time`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub asks_time: bool,
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// Latitude and longitude.
    #[serde(default)]
    pub coordinates: Option<Coordinates>,
    /// Country as ISO 3166-1 alpha-2 has it, such as `FR`; empty when nobody said.
    #[serde(default)]
    pub country: String,
    /// Number of the autonomous system it stands in.
    #[serde(default)]
    pub asn: Option<u32>,
    /// Most operations it runs at once; 0 when it did not say.
    #[serde(default)]
    pub concurrency: u32,
    /// What it found out about itself before it said hello.
    #[serde(default)]
    pub self_test: Vec<SelfTest>,
    /// Most bytes its tools may send and receive in a month.
    #[serde(default)]
    pub usage_cap_bytes: Option<u64>,
    /// Revision of the standing orders it has.
    #[serde(default)]
    pub revision: u64,
    /// True when it takes no new work by its own wish, whatever the server wants.
    #[serde(default)]
    pub draining: bool,
    /// Revision of the latest [`Order::Drain`] it follows; none in a life in which it has not been welcome yet.
    #[serde(default)]
    pub drain_revision: Option<u64>,
    /// The links it stands on, those on which it could watch a network; empty from workers that do not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkFacts>,
}

/// The inbox of a worker: its own address, for work meant for it alone.
pub fn inbox(worker_id: Uuid) -> String {
    format!("inbox.{worker_id}")
}

/// The address for orders that a worker must hear even when it takes no more work, such as to cancel.
pub fn control(worker_id: Uuid) -> String {
    format!("control.{worker_id}")
}
