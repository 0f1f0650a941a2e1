//! Making an operation: who is expected to answer, and what is to be published.

use std::collections::HashSet;

use jiff::Timestamp;
use netwark_model::messages::{Delivery, Order, RunOrder, inbox};
use netwark_model::operations::{Skipped, Status};
use sea_orm::entity::prelude::*;
use sea_orm::{DatabaseTransaction, QueryOrder, Set};
use serde_json::Value;
use uuid::Uuid;

use super::entity::{operation, outbox, result};
use super::outbox::OutboxMessage;
use crate::convert::{duration, millis, to_text};
use crate::{Store, StoreError, workers};

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
    /// Nobody would run it: every member is offline, or there is none. Nothing was stored.
    Nobody {
        /// Names of the members that are offline.
        offline: Vec<String>,
    },
    /// The operation whose workers were asked for does not exist.
    NoSuchOperation,
}

/// One expected result.
struct Slot {
    queue: String,
    worker: Option<(Uuid, String)>,
    address: String,
}

impl Store {
    /// Stores an operation, its expected results and its messages in one transaction.
    ///
    /// Queues that give every member a copy are resolved to workers here and now: each online member
    /// gets one result, however many queues name it; offline ones are listed as skipped.
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
    draft: OperationDraft,
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
    let Some((slots, skipped)) = resolve(transaction, &draft).await? else {
        return Ok(Created::NoSuchOperation);
    };
    if slots.is_empty() {
        return Ok(Created::Nobody { offline: skipped.into_iter().map(|s| s.worker).collect() });
    }
    let operation_id = Uuid::now_v7();
    insert_operation(transaction, operation_id, &draft, &skipped, now).await?;
    let messages = insert_slots(transaction, operation_id, &draft, slots, now).await?;
    Ok(Created::New { operation_id, messages })
}

/// Who is expected to answer, and who is left out. `None` when the earlier operation does not exist.
async fn resolve(
    transaction: &DatabaseTransaction,
    draft: &OperationDraft,
) -> Result<Option<(Vec<Slot>, Vec<Skipped>)>, StoreError> {
    let mut slots = Vec::new();
    let mut skipped = Vec::new();
    let mut seen = HashSet::new();
    let mut expect = |queue: &str, id: Uuid, name: &str, online: bool| {
        if !seen.insert(id) {
            return;
        }
        if online {
            let worker = Some((id, name.to_owned()));
            slots.push(Slot { queue: queue.to_owned(), worker, address: inbox(id) });
        } else {
            skipped.push(Skipped { worker: name.to_owned(), queue: queue.to_owned() });
        }
    };
    if let Some(earlier) = draft.same_workers_as {
        if operation::Entity::find_by_id(earlier).one(transaction).await?.is_none() {
            return Ok(None);
        }
        let results = result::Entity::find()
            .filter(result::Column::OperationId.eq(earlier))
            .order_by_asc(result::Column::Id)
            .all(transaction)
            .await?;
        let workers = workers::entity::Entity::find().all(transaction).await?;
        for row in results {
            if let Some(worker) = workers.iter().find(|w| Some(w.id) == row.worker_id) {
                let here = worker.online && !worker.draining && worker.revoked_at.is_none();
                expect(&row.queue, worker.id, &worker.name, here);
            }
        }
        return Ok(Some((slots, skipped)));
    }
    let members = workers::members(transaction).await?;
    for (queue, _) in draft.queues.iter().filter(|(_, broadcast)| *broadcast) {
        for member in members.iter().filter(|member| member.queue == *queue) {
            expect(queue, member.id, &member.name, member.online && !member.draining);
        }
    }
    for (queue, _) in draft.queues.iter().filter(|(_, broadcast)| !broadcast) {
        slots.push(Slot { queue: queue.clone(), worker: None, address: queue.clone() });
    }
    Ok(Some((slots, skipped)))
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
        selector: Set(None),
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
        }));
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
