//! Ending what did not end by itself: deadlines, cancellation, restarts, history.

use std::collections::HashSet;

use jiff::Timestamp;
use netwark_model::messages::{Delivery, Order, control};
use netwark_model::operations::Status;
use sea_orm::entity::prelude::*;
use sea_orm::{DatabaseTransaction, QueryOrder, QuerySelect};
use serde_json::json;
use uuid::Uuid;

use super::entity::{operation, outbox, result};
use super::outbox::OutboxMessage;
use super::{Change, touch};
use crate::convert::{millis, to_text};
use crate::{Store, StoreError, rows, workers};

/// Most results ended in one transaction, so that a long list does not hold the writer.
const CHUNK: u64 = 500;

impl Store {
    /// Ends as `timeout` every result whose time has passed: nobody took it, or who took it did not end.
    /// Returns the operations that changed; call again while there are any.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire_results(&self, now: Timestamp) -> Result<Vec<Change>, StoreError> {
        let overdue = result::Column::Deadline.lte(millis(now));
        let first = result::Entity::find().filter(overdue.clone()).limit(1).one(self.read()).await;
        if first.map_err(|error| StoreError::from(error).at(&self.place))?.is_none() {
            return Ok(Vec::new());
        }
        self.write(move |transaction| {
            Box::pin(async move {
                let rows = result::Entity::find().filter(overdue).limit(CHUNK).all(transaction).await?;
                end(transaction, rows, now, |row| {
                    let cause = if row.started_at.is_none() {
                        "no worker took it in time"
                    } else {
                        "the worker did not finish in time"
                    };
                    let overdue = row.deadline.is_some_and(|deadline| deadline <= millis(now));
                    overdue.then_some((Status::Timeout, cause))
                })
                .await
            })
        })
        .await
    }

    /// Ends with an error every result that this worker, which ran inside a server process that is
    /// gone, had begun. Work that nobody had begun stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_begun_by(&self, worker_id: Uuid, now: Timestamp) -> Result<Vec<Change>, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                workers::entity::Entity::update_many()
                    .col_expr(workers::entity::Column::Online, Expr::value(false))
                    .filter(workers::entity::Column::Id.eq(worker_id))
                    .exec(transaction)
                    .await?;
                let rows = result::Entity::find()
                    .filter(result::Column::Deadline.is_not_null())
                    .filter(result::Column::Status.eq(Status::Progress.as_str()))
                    .filter(result::Column::WorkerId.eq(worker_id))
                    .all(transaction)
                    .await?;
                end(transaction, rows, now, |row| {
                    let its = row.worker_id == Some(worker_id) && row.status == Status::Progress.as_str();
                    its.then_some((Status::Error, "server restarted"))
                })
                .await
            })
        })
        .await
    }

    /// Cancels what of an operation has not ended. Returns the change, if there was one, and what is
    /// to be published so that workers stop. `None` when there is no such operation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel_operation(
        &self,
        id: Uuid,
        now: Timestamp,
    ) -> Result<Option<(Option<Change>, Vec<OutboxMessage>)>, StoreError> {
        self.write(move |transaction| Box::pin(cancel(transaction, id, now))).await
    }

    /// Deletes ended operations that were made before `before`, a few at a time; returns how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_operations(&self, before: Timestamp) -> Result<u64, StoreError> {
        let ids: Vec<Uuid> = operation::Entity::find()
            .filter(operation::Column::CreatedAt.lt(millis(before)))
            .filter(operation::Column::FinishedAt.is_not_null())
            .order_by_asc(operation::Column::CreatedAt)
            .limit(CHUNK)
            .select_only()
            .column(operation::Column::Id)
            .into_tuple()
            .all(self.read())
            .await?;
        if ids.is_empty() {
            return Ok(0);
        }
        self.write(move |transaction| {
            Box::pin(async move {
                let deleted = operation::Entity::delete_many()
                    .filter(operation::Column::Id.is_in(ids))
                    .exec(transaction)
                    .await?;
                Ok(deleted.rows_affected)
            })
        })
        .await
    }
}

async fn cancel(
    transaction: &DatabaseTransaction,
    id: Uuid,
    now: Timestamp,
) -> Result<Option<(Option<Change>, Vec<OutboxMessage>)>, StoreError> {
    if touch::lock(transaction, &[id]).await?.is_empty() {
        return Ok(None);
    }
    let open = result::Entity::find()
        .filter(result::Column::OperationId.eq(id))
        .filter(result::Column::Deadline.is_not_null())
        .all(transaction)
        .await?;
    let mut messages = Vec::new();
    for worker in open.iter().filter_map(|row| row.worker_id) {
        let message = OutboxMessage {
            id: Uuid::now_v7(),
            address: control(worker),
            delivery: Delivery::new(Order::Cancel { operation_id: id }),
        };
        let row = super::outbox::row(&message, id, None, now)?;
        rows::insert::<outbox::Entity>(transaction, &[row]).await?;
        messages.push(message);
    }
    let changes = end(transaction, open, now, |_| Some((Status::Cancelled, "cancelled"))).await?;
    Ok(Some((changes.into_iter().next(), messages)))
}

/// Ends with an error every open result that this worker alone was to bring. Work of direct queues stays:
/// the bus gives it to another.
pub(crate) async fn end_of_worker(
    transaction: &DatabaseTransaction,
    worker_id: Uuid,
    cause: &'static str,
    now: Timestamp,
) -> Result<Vec<Change>, StoreError> {
    let rows = result::Entity::find()
        .filter(result::Column::Deadline.is_not_null())
        .filter(result::Column::WorkerId.eq(worker_id))
        .filter(result::Column::Direct.eq(false))
        .all(transaction)
        .await?;
    end(transaction, rows, now, |row| (row.worker_id == Some(worker_id)).then_some((Status::Error, cause)))
        .await
}

/// Ends those of these results for which `why` gives a status and a cause. What had been measured is kept.
///
/// They were found before their operations were locked, so they are looked at again: a report that came in between
/// stands.
async fn end(
    transaction: &DatabaseTransaction,
    found: Vec<result::Model>,
    now: Timestamp,
    why: impl Fn(&result::Model) -> Option<(Status, &'static str)>,
) -> Result<Vec<Change>, StoreError> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let now = millis(now);
    let ids: Vec<Uuid> = found.iter().map(|row| row.operation_id).collect();
    let mut operations = touch::lock(transaction, &ids).await?;
    let ids: Vec<Uuid> = found.iter().map(|row| row.id).collect();
    let mut rows: Vec<result::Model> = touch::load(transaction, &ids).await?.into_values().collect();
    rows.retain(|row| row.deadline.is_some());
    let mut ended = Vec::new();
    for mut row in rows {
        let Some((status, cause)) = why(&row) else { continue };
        let Some(operation) = operations.get_mut(&row.operation_id) else { continue };
        row.payload = match (row.payload, status) {
            (Some(kept), Status::Timeout | Status::Cancelled) => Some(kept),
            _ => Some(to_text("payload", &json!({ "cause": cause }))?),
        };
        row.status = status.as_str().into();
        row.updated_at = now;
        row.finished_at = Some(now);
        row.deadline = None;
        row.version = operation.raise(now);
        ended.push(row);
    }
    let touched: HashSet<Uuid> = ended.iter().map(|row| row.operation_id).collect();
    let unbegun: Vec<Uuid> = ended.iter().filter(|row| row.started_at.is_none()).map(|row| row.id).collect();
    touch::store(transaction, &ended.iter().collect::<Vec<_>>(), &unbegun, &mut operations).await?;
    operations.retain(|id, _| touched.contains(id));
    Ok(operations.values().map(touch::Touched::change).collect())
}
