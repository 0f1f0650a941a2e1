//! Operations: one tool run against one target on some queues, and what each worker made of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::workers::WorkerState;

/// Where an operation or a result stands.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nobody has begun.
    #[default]
    Pending,
    /// Begun.
    Progress,
    /// Measured. A host that does not answer is measured, too: 100% loss.
    Done,
    /// Could not be measured; the payload has the `cause`.
    Error,
    /// Nobody took it, or it did not end, within its time.
    Timeout,
    /// Cancelled by a user.
    Cancelled,
}

impl Status {
    /// Every status, in the order of life.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Progress, Self::Done, Self::Error, Self::Timeout, Self::Cancelled];

    /// True when nothing more is to come.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Progress)
    }

    /// Its word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Progress => "progress",
            Self::Done => "done",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// The status of an operation, from those of its results: final once all of them are; then
    /// `done` if any is, else what most of them are, the earlier word of a tie.
    pub fn of_operation(results: impl IntoIterator<Item = Self>) -> Self {
        let mut counts = [0_u32; 6];
        for status in results {
            counts[status as usize] += 1;
        }
        let has = |status: Self| counts[status as usize] > 0;
        if has(Self::Progress)
            || (has(Self::Pending) && Self::ALL.into_iter().any(|s| s.is_final() && has(s)))
        {
            return Self::Progress;
        }
        if has(Self::Pending) {
            return Self::Pending;
        }
        if has(Self::Done) {
            return Self::Done;
        }
        let ends = [Self::Error, Self::Timeout, Self::Cancelled];
        ends.into_iter().rev().max_by_key(|status| counts[*status as usize]).unwrap_or(Self::Error)
    }
}

/// What `POST /operations` takes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOperation {
    /// Name of the tool.
    #[serde(rename = "type")]
    #[schema(example = "ping")]
    pub tool: String,
    /// Address or name.
    #[schema(example = "192.0.2.1")]
    pub target: String,
    /// Options of the tool: an object, or the older string of flags such as `"-c 5"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = json!({"count": 3}))]
    pub options: Option<Value>,
    /// Queues, the prefix `netwark.` may be left out. Without any: `netwark.broadcast`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["netwark.broadcast"]))]
    pub queues: Option<Vec<String>>,
    /// A selector, instead of `queues`: `site:paris and not tag:lab limit 3`. A plain list of queues works as in `queues`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "site:paris and not tag:lab limit 3", max_length = 2000)]
    pub from: Option<String>,
    /// Run on the same workers as this earlier operation, instead of `queues`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_workers_as: Option<Uuid>,
    /// How long a result may wait for a worker, in milliseconds. Default: 60,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1_000, maximum = 86_400_000)]
    pub take_within_ms: Option<u64>,
    /// How long a worker may take once it has begun, in milliseconds. Default: what the options need, and half a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1_000, maximum = 1_260_000)]
    pub run_within_ms: Option<u64>,
}

/// What `POST /operations` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperationCreated {
    /// `Operation created`, or that it waits for the broker.
    #[schema(example = "Operation created")]
    pub message: String,
    /// Its id.
    pub operation_id: Uuid,
    /// What may keep it from what was wanted, such as a queue on which nobody listens now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// An operation. Fields of the older API first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Operation {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// Name of the tool.
    #[serde(rename = "type")]
    #[schema(example = "ping")]
    pub tool: String,
    /// Where it stands.
    pub status: Status,
    /// Address or name.
    #[schema(example = "192.0.2.1")]
    pub target: String,
    /// The options as they were sent.
    pub options: Option<Value>,
    /// Queues it was sent to; none when a selector chose the workers.
    pub queues: Vec<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When its last result became final.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// All options with their values, defaults included.
    pub typed_options: Value,
    /// How long a result may wait for a worker, in milliseconds.
    pub take_within_ms: u64,
    /// How long a worker may take once it has begun, in milliseconds.
    pub run_within_ms: u64,
    /// The selector it was made with, in its canonical form.
    #[schema(example = "site:paris and not tag:lab limit 3")]
    pub from: Option<String>,
    /// The earlier operation whose workers it runs on.
    pub same_workers_as: Option<Uuid>,
    /// Who made it, such as `user admin` or `token ci`.
    pub created_by: String,
    /// Rises with every change; the id of its server-sent events.
    pub version: i64,
    /// How many results there are, by status.
    pub counts: StatusCounts,
    /// Workers it was meant for that took no work when it was made.
    pub skipped: Vec<Skipped>,
}

/// How many results there are, by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusCounts {
    /// Waiting for a worker.
    pub pending: u32,
    /// Begun.
    pub progress: u32,
    /// Measured.
    pub done: u32,
    /// Could not be measured.
    pub error: u32,
    /// Not ended in time.
    pub timeout: u32,
    /// Cancelled.
    pub cancelled: u32,
}

impl StatusCounts {
    /// The count of one status.
    pub fn count_mut(&mut self, status: Status) -> &mut u32 {
        match status {
            Status::Pending => &mut self.pending,
            Status::Progress => &mut self.progress,
            Status::Done => &mut self.done,
            Status::Error => &mut self.error,
            Status::Timeout => &mut self.timeout,
            Status::Cancelled => &mut self.cancelled,
        }
    }
}

/// A worker that an operation was meant for and that took no work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Skipped {
    /// Name of the worker.
    pub worker: String,
    /// The queue that named it; empty when a selector did.
    pub queue: String,
    /// Why: `offline`, `draining`, `enrolled` (never seen), `revoked`.
    #[serde(default = "offline")]
    pub reason: WorkerState,
}

/// What older rows do not say.
fn offline() -> WorkerState {
    WorkerState::Offline
}

/// Who would run an operation made with a selector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Selection {
    /// The selector in its canonical form.
    #[schema(example = "site:paris and not tag:lab limit 3")]
    pub from: String,
    /// Workers that fit and take work; with a limit, those it is drawn from.
    pub workers: Vec<SelectedWorker>,
    /// Direct queues: any one member of each takes the work.
    pub direct: Vec<String>,
    /// Workers that fit and take no work now.
    pub skipped: Vec<SkippedWorker>,
    /// How many workers run it at most, drawn at random when the operation is made.
    pub limit: Option<u32>,
}

/// A worker that a selector finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SelectedWorker {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    #[schema(example = "paris-1")]
    pub name: String,
    /// The site it stands at.
    #[schema(example = "Paris")]
    pub site: String,
}

/// A worker that a selector finds and that takes no work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SkippedWorker {
    /// Its name.
    #[schema(example = "lyon-2")]
    pub worker: String,
    /// Why: `offline`, `draining`, `enrolled` (never seen), `revoked`.
    pub reason: WorkerState,
}

/// An operation with what its workers made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OperationDetail {
    /// The operation.
    #[serde(flatten)]
    pub operation: Operation,
    /// One result per expected worker, or one per direct queue.
    pub results: Vec<OperationResult>,
}

/// What one worker made of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OperationResult {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// Where it stands.
    pub status: Status,
    /// Name of the worker; absent while a direct queue waits for one.
    pub worker: Option<String>,
    /// The queue it came by; empty when a selector chose its worker.
    pub queue: String,
    /// What was measured, the latest snapshot while it runs; with status `error` an object with `cause`.
    pub payload: Option<Value>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When a worker began.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    /// When it became final.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// True when the report came after the result had ended as `timeout`: the payload is there, the status stays.
    pub late: bool,
    /// The version of the operation with which it last changed.
    pub version: i64,
}

#[cfg(test)]
mod tests {
    use super::Status::{self, *};

    #[test]
    fn an_operation_is_as_its_results() {
        let of = |results: &[Status]| Status::of_operation(results.iter().copied());
        assert_eq!(of(&[Pending, Pending]), Pending);
        assert_eq!(of(&[Pending, Progress]), Progress);
        assert_eq!(of(&[Pending, Done]), Progress);
        assert_eq!(of(&[Done, Error, Error]), Done);
        assert_eq!(of(&[Error, Timeout, Timeout]), Timeout);
        assert_eq!(of(&[Error, Timeout]), Error);
        assert_eq!(of(&[Cancelled, Cancelled, Error]), Cancelled);
        assert_eq!(of(&[]), Error);
    }

    #[test]
    fn words_round_trip() {
        for status in Status::ALL {
            assert_eq!(Status::from_word(status.as_str()), Some(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }
}
