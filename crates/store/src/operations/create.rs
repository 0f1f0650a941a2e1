//! Making an operation: who is expected to answer, and what is to be published.

use jiff::Timestamp;
use netwark_model::messages::{Delivery, Order, RunOrder};
use netwark_model::operations::{Skipped, Status};
use netwark_model::selector::{Selector, SelectorError};
use sea_orm::entity::prelude::*;
use sea_orm::{DatabaseTransaction, Set};
use serde_json::Value;
use uuid::Uuid;

use super::entity::{operation, outbox, result};
use super::outbox::OutboxMessage;
use super::resolve::{Resolved, Slot, resolve};
use crate::convert::{duration, millis, to_text};
use crate::{Store, StoreError};

/// An operation that has been checked and is ready to be stored.
#[derive(Clone, Debug)]
pub struct OperationDraft {
    /// Name of the tool.
    pub tool: String,
    /// Address or name.
    pub target: String,
    /// The options as they were sent.
    pub options_sent: Option<Value>,
    /// All options with their values.
    pub options: Value,
    /// Queues by full name; true for those that give every member a copy.
    pub queues: Vec<(String, bool)>,
    /// Run on the workers of this earlier operation instead of `queues`.
    pub same_workers_as: Option<Uuid>,
    /// Run on whom this selector finds instead of `queues`.
    pub selector: Option<Selector>,
    /// How long a result may wait for a worker, in milliseconds.
    pub take_within_ms: u64,
    /// How long a worker may take once it has begun, in milliseconds.
    pub run_within_ms: u64,
    /// Who makes it.
    pub created_by: String,
    /// The key the client chose, scoped to who makes it, and a hash of what was sent with it.
    pub idempotency: Option<(String, String)>,
}

/// What became of a draft.
#[derive(Clone, Debug, PartialEq)]
pub enum Created {
    /// Stored; these messages have to be published.
    New {
        /// Its id.
        operation_id: Uuid,
        /// What is to be published.
        messages: Vec<OutboxMessage>,
    },
    /// The same request was made before; these of its messages have not been published yet.
    Repeated {
        /// The id of the operation that was made then.
        operation_id: Uuid,
        /// What is still to be published.
        messages: Vec<OutboxMessage>,
    },
    /// Another request was made before with the same key.
    KeyReused,
    /// Nobody would run it: no member takes work, or there is none. Nothing was stored.
    Nobody {
        /// Who was meant, but takes no work.
        skipped: Vec<Skipped>,
    },
    /// The operation whose workers were asked for does not exist.
    NoSuchOperation,
    /// A word of the selector stands for nothing.
    Unselectable(SelectorError),
}

impl Store {
    /// Stores an operation, its expected results and its messages in one transaction.
    ///
    /// Queues that give every member a copy are resolved to workers here and now: each online member
    /// gets one result, however many queues name it; others are listed as skipped. The same goes for whom a
    /// selector finds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_operation(
        &self,
        draft: OperationDraft,
        now: Timestamp,
    ) -> Result<Created, StoreError> {
        self.write(move |transaction| Box::pin(create(transaction, draft, now))).await
    }
}

async fn create(
    transaction: &DatabaseTransaction,
    mut draft: OperationDraft,
    now: Timestamp,
) -> Result<Created, StoreError> {
    if let Some((key, hash)) = &draft.idempotency
        && let Some(earlier) = operation::Entity::find()
            .filter(operation::Column::IdempotencyKey.eq(key))
            .one(transaction)
            .await?
    {
        if earlier.request_hash.as_deref() != Some(hash) {
            return Ok(Created::KeyReused);
        }
        let messages = super::outbox::unpublished_of(transaction, earlier.id).await?;
        return Ok(Created::Repeated { operation_id: earlier.id, messages });
    }
    let (slots, skipped) = match resolve(transaction, &mut draft).await? {
        Resolved::Expected { slots, skipped } if slots.is_empty() => return Ok(Created::Nobody { skipped }),
        Resolved::Expected { slots, skipped } => (slots, skipped),
        Resolved::NoSuchOperation => return Ok(Created::NoSuchOperation),
        Resolved::Unselectable(error) => return Ok(Created::Unselectable(error)),
    };
    let operation_id = Uuid::now_v7();
    insert_operation(transaction, operation_id, &draft, &skipped, now).await?;
    let messages = insert_slots(transaction, operation_id, &draft, slots, now).await?;
    Ok(Created::New { operation_id, messages })
}

async fn insert_operation(
    transaction: &DatabaseTransaction,
    id: Uuid,
    draft: &OperationDraft,
    skipped: &[Skipped],
    now: Timestamp,
) -> Result<(), StoreError> {
    let queues: Vec<&str> = draft.queues.iter().map(|(name, _)| name.as_str()).collect();
    let (key, hash) = draft.idempotency.clone().unzip();
    let row = operation::ActiveModel {
        id: Set(id),
        tool: Set(draft.tool.clone()),
        target: Set(draft.target.clone()),
        options_sent: Set(draft.options_sent.as_ref().map(|v| to_text("set of options", v)).transpose()?),
        options: Set(to_text("set of options", &draft.options)?),
        queues: Set(to_text("list of queues", &queues)?),
        status: Set(Status::Pending.as_str().into()),
        take_within_ms: Set(duration(draft.take_within_ms)),
        run_within_ms: Set(duration(draft.run_within_ms)),
        same_workers_as: Set(draft.same_workers_as),
        created_by: Set(draft.created_by.clone()),
        version: Set(1),
        created_at: Set(millis(now)),
        updated_at: Set(millis(now)),
        finished_at: Set(None),
        skipped: Set(to_text("list of skipped workers", &skipped)?),
        idempotency_key: Set(key),
        request_hash: Set(hash),
        selector: Set(draft.selector.as_ref().map(ToString::to_string)),
    };
    operation::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}

async fn insert_slots(
    transaction: &DatabaseTransaction,
    operation_id: Uuid,
    draft: &OperationDraft,
    slots: Vec<Slot>,
    now: Timestamp,
) -> Result<Vec<OutboxMessage>, StoreError> {
    let deadline = millis(now).saturating_add(duration(draft.take_within_ms));
    let mut results = Vec::new();
    let mut rows = Vec::new();
    let mut messages = Vec::new();
    for slot in slots {
        let result_id = Uuid::now_v7();
        let direct = slot.worker.is_none();
        let (worker_id, worker_name) = slot.worker.unzip();
        let delivery = Delivery::new(Order::Run(RunOrder {
            operation_id,
            result_id,
            queue: slot.queue.clone(),
            tool: draft.tool.clone(),
            target: draft.target.clone(),
            options: draft.options.clone(),
            run_within_ms: draft.run_within_ms,
        }))
        .until(deadline);
        let message = OutboxMessage { id: Uuid::now_v7(), address: slot.address, delivery };
        rows.push(super::outbox::row(&message, operation_id, Some(result_id), now)?);
        messages.push(message);
        results.push(result::ActiveModel {
            id: Set(result_id),
            operation_id: Set(operation_id),
            worker_id: Set(worker_id),
            worker_name: Set(worker_name),
            queue: Set(slot.queue),
            status: Set(Status::Pending.as_str().into()),
            payload: Set(None),
            late: Set(false),
            deadline: Set(Some(deadline)),
            created_at: Set(millis(now)),
            updated_at: Set(millis(now)),
            started_at: Set(None),
            finished_at: Set(None),
            version: Set(1),
            direct: Set(direct),
            mark: Set(0),
        });
    }
    // Far below the limit of bound values of either database.
    const ROWS: usize = 500;
    while !results.is_empty() {
        let chunk: Vec<_> = results.drain(..results.len().min(ROWS)).collect();
        result::Entity::insert_many(chunk).exec_without_returning(transaction).await?;
        let chunk: Vec<_> = rows.drain(..rows.len().min(ROWS)).collect();
        outbox::Entity::insert_many(chunk).exec_without_returning(transaction).await?;
    }
    Ok(messages)
}
