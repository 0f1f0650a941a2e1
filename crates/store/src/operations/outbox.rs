//! Messages that were stored with what they speak of and wait to be published.

use jiff::Timestamp;
use netwark_model::messages::Delivery;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, QueryOrder, QuerySelect, Statement};
use uuid::Uuid;

use super::entity::outbox;
use crate::convert::{from_text, millis, to_text};
use crate::{Store, StoreError, rows};

/// A message and where it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxMessage {
    /// Its id in the outbox.
    pub id: Uuid,
    /// A queue or an inbox.
    pub address: String,
    /// What is said.
    pub delivery: Delivery,
}

pub(super) fn row(
    message: &OutboxMessage,
    operation_id: Uuid,
    result_id: Option<Uuid>,
    now: Timestamp,
) -> Result<outbox::Model, StoreError> {
    Ok(outbox::Model {
        id: message.id,
        result_id,
        operation_id,
        address: message.address.clone(),
        body: to_text("message", &message.delivery)?,
        created_at: millis(now),
        published_at: None,
    })
}

pub(super) async fn unpublished_of<C: ConnectionTrait>(
    connection: &C,
    operation_id: Uuid,
) -> Result<Vec<OutboxMessage>, StoreError> {
    let rows = outbox::Entity::find()
        .filter(outbox::Column::OperationId.eq(operation_id))
        .filter(outbox::Column::PublishedAt.is_null())
        .order_by_asc(outbox::Column::Id)
        .all(connection)
        .await?;
    rows.into_iter().map(message).collect()
}

/// Forgets the messages of results that need none any more.
pub(super) async fn forget<C: ConnectionTrait>(
    connection: &C,
    result_ids: &[Uuid],
) -> Result<(), StoreError> {
    let backend = connection.get_database_backend();
    let sql = format!("DELETE FROM outbox WHERE {}", rows::is_id(backend, "result_id", 1));
    let delete = Statement::from_sql_and_values(backend, sql, [rows::id_list(result_ids)?]);
    connection.execute_raw(delete).await?;
    Ok(())
}

/// Notes that messages are published, each list at its time.
pub(super) async fn note(
    transaction: &DatabaseTransaction,
    notes: Vec<(Vec<Uuid>, Timestamp)>,
) -> Result<Vec<()>, StoreError> {
    let answers = vec![(); notes.len()];
    let Some(now) = notes.iter().map(|(_, now)| *now).max() else { return Ok(answers) };
    let ids: Vec<Uuid> = notes.into_iter().flat_map(|(ids, _)| ids).collect();
    let backend = transaction.get_database_backend();
    let list = rows::id_list(&ids)?;
    let its = rows::is_id(backend, "id", 1);
    let done = format!("DELETE FROM outbox WHERE result_id IS NULL AND {its}");
    transaction.execute_raw(Statement::from_sql_and_values(backend, done, [list.clone()])).await?;
    // A message that is being forgotten need not be noted, so nobody waits for anybody here.
    let noted = match backend {
        DbBackend::Postgres => format!(
            "UPDATE outbox SET published_at = $2 WHERE id = ANY(ARRAY(\
             SELECT id FROM outbox WHERE {its} FOR UPDATE SKIP LOCKED))"
        ),
        _ => format!("UPDATE outbox SET published_at = ?2 WHERE {its}"),
    };
    transaction
        .execute_raw(Statement::from_sql_and_values(backend, noted, [list, millis(now).into()]))
        .await?;
    Ok(answers)
}

fn message(row: outbox::Model) -> Result<OutboxMessage, StoreError> {
    Ok(OutboxMessage { id: row.id, address: row.address, delivery: from_text("message", &row.body)? })
}

impl Store {
    /// Messages made before `before` that no broker has confirmed, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unpublished(&self, before: Timestamp, limit: u64) -> Result<Vec<OutboxMessage>, StoreError> {
        let rows = outbox::Entity::find()
            .filter(outbox::Column::PublishedAt.is_null())
            .filter(outbox::Column::CreatedAt.lte(millis(before)))
            .order_by_asc(outbox::Column::CreatedAt)
            .limit(limit)
            .all(self.read())
            .await?;
        rows.into_iter().map(message).collect()
    }

    /// How many messages wait that no broker has confirmed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn outbox_waiting(&self) -> Result<u64, StoreError> {
        let waiting = outbox::Entity::find().filter(outbox::Column::PublishedAt.is_null());
        Ok(waiting.count(self.read()).await?)
    }

    /// Notes that the broker has confirmed these messages. Those that belong to no result are done with.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn published(&self, ids: Vec<Uuid>, now: Timestamp) -> Result<(), StoreError> {
        self.lanes.publish.ask((ids, now)).await.map_err(|error| error.at(&self.place))
    }

    /// Notes that what was published is gone: queues in memory begin empty with every process.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unpublish_all(&self) -> Result<(), StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                outbox::Entity::update_many()
                    .col_expr(outbox::Column::PublishedAt, Expr::value(Option::<i64>::None))
                    .exec(transaction)
                    .await?;
                Ok(())
            })
        })
        .await
    }
}
