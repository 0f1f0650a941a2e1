//! What workers report, applied so that hearing it twice changes nothing.

use jiff::Timestamp;
use netwark_model::messages::End;
use netwark_model::operations::Status;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, IntoActiveModel, Set};
use serde_json::{Value, json};
use uuid::Uuid;

use super::entity::{operation, result};
use super::{Change, outbox, touch};
use crate::convert::{millis, to_text};
use crate::{Store, StoreError, workers};

/// What a worker says of one result.
#[derive(Clone, Debug)]
pub enum ResultNews {
    /// It has begun.
    Started {
        /// The bus says that another worker may have begun it before and went away.
        redelivered: bool,
    },
    /// The latest snapshot.
    Progress {
        /// What is known so far.
        payload: Value,
        /// Mark of the report; a snapshot with a lower one is older.
        mark: u64,
    },
    /// It has ended.
    Final(End),
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It changed the operation.
    Changed(Change),
    /// It was known already, or came too late to matter.
    Known,
    /// It speaks of a result that does not exist, or that another worker holds.
    Refused,
}

impl Store {
    /// Applies what a worker says of one result.
    ///
    /// The first final report of a result wins. One that comes after the result had ended as
    /// `timeout` keeps that status: its payload is stored and the result marked late.
    ///
    /// # Errors
    /// When the database fails; the report can be applied again then.
    pub async fn apply_report(
        &self,
        worker: (Uuid, String),
        operation_id: Uuid,
        result_id: Uuid,
        news: ResultNews,
        now: Timestamp,
    ) -> Result<Applied, StoreError> {
        self.write(move |transaction| {
            Box::pin(apply(transaction, worker, operation_id, result_id, news, now))
        })
        .await
    }
}

async fn apply(
    transaction: &DatabaseTransaction,
    (worker_id, worker_name): (Uuid, String),
    operation_id: Uuid,
    result_id: Uuid,
    news: ResultNews,
    now: Timestamp,
) -> Result<Applied, StoreError> {
    // Raising the version first takes the lock of the operation; a report that changes nothing
    // leaves a gap in the versions, which nobody counts.
    let Some(version) = touch::raise(transaction, operation_id, now).await? else {
        return Ok(Applied::Refused);
    };
    let row = result::Entity::find_by_id(result_id)
        .filter(result::Column::OperationId.eq(operation_id))
        .one(transaction)
        .await?;
    let Some(row) = row else { return Ok(Applied::Refused) };
    let status = Status::from_word(&row.status).unwrap_or_default();
    if row.worker_id.is_some_and(|holder| holder != worker_id) {
        // A slot of a direct queue goes to whoever the bus gave the work when its holder went away,
        // and the first who ends it wins. Others have no say.
        let takes_over = match &news {
            ResultNews::Started { redelivered } => *redelivered,
            ResultNews::Progress { .. } => false,
            ResultNews::Final(_) => !status.is_final(),
        };
        if !(row.direct && takes_over) {
            return Ok(Applied::Refused);
        }
    }
    if row.direct && row.worker_id != Some(worker_id) && !listens(transaction, worker_id, &row.queue).await? {
        return Ok(Applied::Refused);
    }
    let run_within = operation_run_within(transaction, operation_id).await?;
    let was_late = row.late;
    let stored_mark = row.mark;
    let changes_hands = row.worker_id.is_some_and(|holder| holder != worker_id);
    let started_at = row.started_at;
    let mut change = row.into_active_model();
    change.worker_id = Set(Some(worker_id));
    change.worker_name = Set(Some(worker_name));
    change.updated_at = Set(millis(now));
    change.version = Set(version);
    match (news, status) {
        (ResultNews::Started { .. }, Status::Pending | Status::Progress)
            if status == Status::Pending || changes_hands =>
        {
            change.status = Set(Status::Progress.as_str().into());
            change.started_at = Set(Some(millis(now)));
            change.deadline = Set(Some(millis(now).saturating_add(run_within)));
        }
        (ResultNews::Progress { mark, .. }, _) if to_column(mark) < stored_mark => return Ok(Applied::Known),
        (ResultNews::Progress { payload, mark }, Status::Pending | Status::Progress) => {
            change.mark = Set(to_column(mark));
            change.status = Set(Status::Progress.as_str().into());
            change.payload = Set(Some(to_text("payload", &payload)?));
            if started_at.is_none() {
                change.started_at = Set(Some(millis(now)));
                change.deadline = Set(Some(millis(now).saturating_add(run_within)));
            }
        }
        (ResultNews::Final(end), Status::Pending | Status::Progress) => {
            let (status, payload) = settled(end);
            change.status = Set(status.as_str().into());
            if let Some(payload) = payload {
                change.payload = Set(Some(to_text("payload", &payload)?));
            }
            change.finished_at = Set(Some(millis(now)));
            change.deadline = Set(None);
            if started_at.is_none() {
                change.started_at = Set(Some(millis(now)));
            }
        }
        (ResultNews::Final(end), Status::Timeout) if !was_late => {
            if let (_, Some(payload)) = settled(end) {
                change.payload = Set(Some(to_text("payload", &payload)?));
            }
            change.late = Set(true);
        }
        // Who begins what has ended is told, so that it does not measure for nothing.
        (ResultNews::Started { .. }, ended) if ended.is_final() => return Ok(Applied::Refused),
        _ => return Ok(Applied::Known),
    }
    change.update(transaction).await?;
    outbox::forget(transaction, &[result_id]).await?;
    touch::settle(transaction, operation_id, version, now).await.map(Applied::Changed)
}

fn to_column(mark: u64) -> i64 {
    i64::try_from(mark).unwrap_or(i64::MAX)
}

/// True when a worker is a member of a queue.
async fn listens(
    transaction: &DatabaseTransaction,
    worker_id: Uuid,
    queue: &str,
) -> Result<bool, StoreError> {
    let member = workers::member::Entity::find_by_id((queue.to_owned(), worker_id)).one(transaction).await?;
    Ok(member.is_some())
}

async fn operation_run_within(transaction: &DatabaseTransaction, id: Uuid) -> Result<i64, StoreError> {
    use sea_orm::QuerySelect;
    let found: Option<i64> = operation::Entity::find_by_id(id)
        .select_only()
        .column(operation::Column::RunWithinMs)
        .into_tuple()
        .one(transaction)
        .await?;
    Ok(found.unwrap_or_default())
}

/// The status an end means, and what is stored with it.
fn settled(end: End) -> (Status, Option<Value>) {
    match end {
        End::Done { payload } => (Status::Done, Some(payload)),
        End::Error { cause } => (Status::Error, Some(json!({ "cause": cause }))),
        End::Timeout { payload } => (Status::Timeout, payload),
        End::Cancelled { payload } => (Status::Cancelled, payload),
    }
}
