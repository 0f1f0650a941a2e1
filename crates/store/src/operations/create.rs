//! Making an operation: who is expected to answer, and what is to be published.

use std::collections::HashMap;

use jiff::Timestamp;
use netwark_model::messages::{Delivery, Order, RunOrder};
use netwark_model::operations::{Skipped, Status};
use netwark_model::selector::{Selector, SelectorError};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement};
use serde_json::Value;
use uuid::Uuid;

use super::entity::{operation, outbox, result};
use super::outbox::OutboxMessage;
use super::resolve::{Resolved, Slot, resolve};
use crate::convert::{duration, millis, to_text};
use crate::{Store, StoreError, rows};

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
        self.lanes.create.ask((draft, now)).await.map_err(|error| error.at(&self.place))
    }
}

/// The rows that drafts come to.
#[derive(Default)]
struct Rows {
    operations: Vec<operation::Model>,
    results: Vec<result::Model>,
    outbox: Vec<outbox::Model>,
}

/// What is known of a key: the operation that was made with it, and the hash of what was sent.
struct Known {
    operation_id: Uuid,
    hash: Option<String>,
    /// What of it is to be published, when it is made right now.
    messages: Option<Vec<OutboxMessage>>,
}

/// Makes operations in the order of their drafts.
pub(super) async fn create(
    transaction: &DatabaseTransaction,
    drafts: Vec<(OperationDraft, Timestamp)>,
) -> Result<Vec<Created>, StoreError> {
    let mut known = known(transaction, &drafts).await?;
    let mut rows = Rows::default();
    let mut created = Vec::with_capacity(drafts.len());
    for (mut draft, now) in drafts {
        let earlier = draft.idempotency.as_ref().and_then(|(key, hash)| Some((known.get(key)?, hash)));
        if let Some((earlier, hash)) = earlier {
            created.push(repeated(transaction, earlier, hash).await?);
            continue;
        }
        let answer = match resolve(transaction, &mut draft).await? {
            Resolved::Expected { slots, skipped } if slots.is_empty() => Created::Nobody { skipped },
            Resolved::Expected { slots, skipped } => {
                let operation_id = Uuid::now_v7();
                rows.operations.push(operation_row(operation_id, &draft, &skipped, now)?);
                let messages = expect(&mut rows, operation_id, &draft, slots, now)?;
                if let Some((key, hash)) = draft.idempotency {
                    let messages = Some(messages.clone());
                    known.insert(key, Known { operation_id, hash: Some(hash), messages });
                }
                Created::New { operation_id, messages }
            }
            Resolved::NoSuchOperation => Created::NoSuchOperation,
            Resolved::Unselectable(error) => Created::Unselectable(error),
        };
        created.push(answer);
    }
    rows::insert::<operation::Entity>(transaction, &rows.operations).await?;
    rows::insert::<result::Entity>(transaction, &rows.results).await?;
    rows::insert::<outbox::Entity>(transaction, &rows.outbox).await?;
    Ok(created)
}

/// What was made before with the keys of these drafts.
async fn known(
    transaction: &DatabaseTransaction,
    drafts: &[(OperationDraft, Timestamp)],
) -> Result<HashMap<String, Known>, StoreError> {
    let keys = drafts.iter().filter_map(|(draft, _)| draft.idempotency.as_ref());
    let keys: Vec<&str> = keys.map(|(key, _)| key.as_str()).collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let backend = transaction.get_database_backend();
    let sql = format!(
        "SELECT idempotency_key, id, request_hash FROM operations WHERE {}",
        rows::is_word(backend, "idempotency_key", 1)
    );
    let keys = to_text("list of keys", &keys)?;
    let found =
        transaction.query_all_raw(Statement::from_sql_and_values(backend, sql, [keys.into()])).await?;
    let known = found.iter().map(|row| {
        let known =
            Known { operation_id: row.try_get_by_index(1)?, hash: row.try_get_by_index(2)?, messages: None };
        Ok((row.try_get_by_index(0)?, known))
    });
    known.collect()
}

async fn repeated(
    transaction: &DatabaseTransaction,
    earlier: &Known,
    hash: &str,
) -> Result<Created, StoreError> {
    if earlier.hash.as_deref() != Some(hash) {
        return Ok(Created::KeyReused);
    }
    let operation_id = earlier.operation_id;
    let messages = match &earlier.messages {
        Some(messages) => messages.clone(),
        None => super::outbox::unpublished_of(transaction, operation_id).await?,
    };
    Ok(Created::Repeated { operation_id, messages })
}

fn operation_row(
    id: Uuid,
    draft: &OperationDraft,
    skipped: &[Skipped],
    now: Timestamp,
) -> Result<operation::Model, StoreError> {
    let queues: Vec<&str> = draft.queues.iter().map(|(name, _)| name.as_str()).collect();
    let (idempotency_key, request_hash) = draft.idempotency.clone().unzip();
    Ok(operation::Model {
        id,
        tool: draft.tool.clone(),
        target: draft.target.clone(),
        options_sent: draft.options_sent.as_ref().map(|v| to_text("set of options", v)).transpose()?,
        options: to_text("set of options", &draft.options)?,
        queues: to_text("list of queues", &queues)?,
        status: Status::Pending.as_str().into(),
        take_within_ms: duration(draft.take_within_ms),
        run_within_ms: duration(draft.run_within_ms),
        same_workers_as: draft.same_workers_as,
        created_by: draft.created_by.clone(),
        version: 1,
        created_at: millis(now),
        updated_at: millis(now),
        finished_at: None,
        skipped: to_text("list of skipped workers", &skipped)?,
        idempotency_key,
        request_hash,
        selector: draft.selector.as_ref().map(ToString::to_string),
    })
}

/// Enters the expected results of an operation and their messages; gives the latter.
fn expect(
    rows: &mut Rows,
    operation_id: Uuid,
    draft: &OperationDraft,
    slots: Vec<Slot>,
    now: Timestamp,
) -> Result<Vec<OutboxMessage>, StoreError> {
    let deadline = millis(now).saturating_add(duration(draft.take_within_ms));
    let mut messages = Vec::with_capacity(slots.len());
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
        rows.outbox.push(super::outbox::row(&message, operation_id, Some(result_id), now)?);
        messages.push(message);
        rows.results.push(result::Model {
            id: result_id,
            operation_id,
            worker_id,
            worker_name,
            queue: slot.queue,
            status: Status::Pending.as_str().into(),
            payload: None,
            late: false,
            deadline: Some(deadline),
            created_at: millis(now),
            updated_at: millis(now),
            started_at: None,
            finished_at: None,
            version: 1,
            direct,
            mark: 0,
        });
    }
    Ok(messages)
}
