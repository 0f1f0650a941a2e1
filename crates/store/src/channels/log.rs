//! The log of deliveries.

use std::collections::HashMap;

use jiff::Timestamp;
use netwark_model::events::Severity;
use netwark_model::subscriptions::{Delivery, DeliveryStatus};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveModelTrait, IntoActiveModel, Iterable, QueryOrder, QuerySelect, QueryTrait, Set};
use uuid::Uuid;

use super::entity::{channel, delivery};
use super::manage::{hurry, locked};
use crate::convert::{millis, time};
use crate::{Store, StoreError};

/// Which deliveries to list.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Only over this channel.
    pub channel: Option<Uuid>,
    /// Only of this subscription.
    pub subscription: Option<Uuid>,
    /// Only with this status.
    pub status: Option<DeliveryStatus>,
    /// Only older than this one.
    pub before: Option<Uuid>,
    /// How many to return.
    pub limit: u64,
}

/// What came of asking for another try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// It is tried now.
    Tried,
    /// It cannot be, because of this status.
    Not(DeliveryStatus),
    /// It was to try the channel out, which is done anew.
    Test,
}

impl Store {
    /// Deliveries that fit the filter, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        use delivery::Column::{ChannelId, Events, Id, Status, SubscriptionId};
        // What they tell is large, and no list shows it.
        let columns = delivery::Column::iter().filter(|column| !matches!(column, Events));
        let mut query =
            delivery::Entity::find().select_only().columns(columns).expr_as(Expr::cust("'[]'"), "events");
        query = query.apply_if(filter.channel, |query, id| query.filter(ChannelId.eq(id)));
        query = query.apply_if(filter.subscription, |query, id| query.filter(SubscriptionId.eq(id)));
        query = query.apply_if(filter.status, |query, status| query.filter(Status.eq(status.as_str())));
        query = query.apply_if(filter.before, |query, id| query.filter(Id.lt(id)));
        let rows = query.order_by_desc(Id).limit(filter.limit).all(self.read()).await?;
        let names: Vec<(Uuid, String)> = channel::Entity::find()
            .select_only()
            .column(channel::Column::Id)
            .column(channel::Column::Name)
            .into_tuple()
            .all(self.read())
            .await?;
        let names: HashMap<Uuid, String> = names.into_iter().collect();
        Ok(rows
            .into_iter()
            .map(|row| {
                let name = names.get(&row.channel_id).cloned().unwrap_or_default();
                shown(row, name)
            })
            .collect())
    }

    /// One delivery.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivery(&self, id: Uuid) -> Result<Option<Delivery>, StoreError> {
        let Some(row) = delivery::Entity::find_by_id(id).one(self.read()).await? else { return Ok(None) };
        let channel = channel::Entity::find_by_id(row.channel_id).one(self.read()).await?;
        Ok(Some(shown(row, channel.map(|channel| channel.name).unwrap_or_default())))
    }

    /// How many notices are on their way.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notices_waiting(&self) -> Result<u64, StoreError> {
        let waiting = delivery::Entity::find().filter(delivery::Column::NextAt.is_not_null());
        Ok(waiting.count(self.read()).await?)
    }

    /// Lets a notice that was given up, or waits for its next try, be tried now; none when there is none of this id.
    /// Others of its channel that wait for their next try are tried with it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn try_again(&self, id: Uuid, now: Timestamp) -> Result<Option<Again>, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                let find = || delivery::Entity::find_by_id(id);
                let Some(row) = find().one(transaction).await? else { return Ok(None) };
                if row.test {
                    return Ok(Some(Again::Test));
                }
                let channel = row.channel_id;
                locked(transaction, channel).await?;
                let Some(row) = find().lock_exclusive().one(transaction).await? else { return Ok(None) };
                match status(&row.status) {
                    DeliveryStatus::Due | DeliveryStatus::Held | DeliveryStatus::Dead => {
                        let mut change = row.into_active_model();
                        change.status = Set(DeliveryStatus::Due.as_str().into());
                        // Without tries it does not wait for the end of quiet hours.
                        change.attempts = Set(0);
                        change.began_at = Set(Some(millis(now)));
                        change.ended_at = Set(None);
                        change.next_at = Set(Some(millis(now)));
                        change.update(transaction).await?;
                    }
                    other => return Ok(Some(Again::Not(other))),
                }
                hurry(transaction, channel, now).await?;
                Ok(Some(Again::Tried))
            })
        })
        .await
    }

    /// Lets all notices that were given up on a channel, and those that wait for their next try, be tried now, the
    /// oldest first; returns how many that were, or none when there is no channel of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn try_all_again(&self, channel: Uuid, now: Timestamp) -> Result<Option<u64>, StoreError> {
        use delivery::Column::{Attempts, BeganAt, ChannelId, EndedAt, NextAt, Status, Test};
        self.write(move |transaction| {
            Box::pin(async move {
                if locked(transaction, channel).await?.is_none() {
                    return Ok(None);
                }
                let waiting = [DeliveryStatus::Due, DeliveryStatus::Held, DeliveryStatus::Dead];
                let again = delivery::Entity::update_many()
                    .col_expr(Status, Expr::value(DeliveryStatus::Due.as_str()))
                    .col_expr(Attempts, Expr::value(0))
                    .col_expr(BeganAt, Expr::value(millis(now)))
                    .col_expr(EndedAt, Expr::value(Option::<i64>::None))
                    .col_expr(NextAt, Expr::value(millis(now)))
                    .filter(ChannelId.eq(channel))
                    .filter(Status.is_in(waiting.map(DeliveryStatus::as_str)))
                    .filter(Test.eq(false))
                    .exec(transaction)
                    .await?;
                hurry(transaction, channel, now).await?;
                Ok(Some(again.rows_affected))
            })
        })
        .await
    }

    /// Deletes deliveries that ended before this; returns how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_deliveries(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.forget_steps("deliveries", "ended_at < $1", millis(before).into()).await
    }
}

fn status(word: &str) -> DeliveryStatus {
    DeliveryStatus::from_word(word).unwrap_or(DeliveryStatus::Dead)
}

/// A delivery from its row.
pub(super) fn shown(row: delivery::Model, channel: String) -> Delivery {
    Delivery {
        id: row.id,
        channel_id: row.channel_id,
        channel,
        subscription_id: row.subscription_id,
        subscription: row.subscription_name,
        test: row.test,
        status: status(&row.status),
        worst: Severity::from_word(&row.worst).unwrap_or(Severity::Info),
        events: u64::try_from(row.count).unwrap_or_default(),
        summary: row.summary,
        opened_at: time(row.opened_at),
        next_at: row.next_at.map(time),
        attempts: u32::try_from(row.attempts).unwrap_or_default(),
        began_at: row.began_at.map(time),
        ended_at: row.ended_at.map(time),
        error: row.error,
        answer: row.answer,
    }
}
