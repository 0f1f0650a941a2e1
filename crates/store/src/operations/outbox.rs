//! Messages that were stored with what they speak of and wait to be published.

use jiff::Timestamp;
use netwark_model::messages::Delivery;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use super::entity::outbox;
use crate::convert::{from_text, millis, to_text};
use crate::{Store, StoreError};

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
) -> Result<outbox::ActiveModel, StoreError> {
    Ok(outbox::ActiveModel {
        id: Set(message.id),
        result_id: Set(result_id),
        operation_id: Set(operation_id),
        address: Set(message.address.clone()),
        body: Set(to_text("message", &message.delivery)?),
        created_at: Set(millis(now)),
        published_at: Set(None),
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
    outbox::Entity::delete_many()
        .filter(outbox::Column::ResultId.is_in(result_ids.iter().copied()))
        .exec(connection)
        .await?;
    Ok(())
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
        self.write(move |transaction| {
            Box::pin(async move {
                outbox::Entity::delete_many()
                    .filter(outbox::Column::Id.is_in(ids.iter().copied()))
                    .filter(outbox::Column::ResultId.is_null())
                    .exec(transaction)
                    .await?;
                outbox::Entity::update_many()
                    .col_expr(outbox::Column::PublishedAt, Expr::value(millis(now)))
                    .filter(outbox::Column::Id.is_in(ids))
                    .exec(transaction)
                    .await?;
                Ok(())
            })
        })
        .await
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
