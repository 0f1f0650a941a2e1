//! What became of a try.

use jiff::Timestamp;
use netwark_model::events::Severity;
use netwark_model::subscriptions::{Delivery, DeliveryStatus};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, IntoActiveModel, QuerySelect, Set};
use serde_json::json;
use uuid::Uuid;

use super::entity::{channel, delivery};
use super::manage::{hurry, locked};
use crate::convert::millis;
use crate::events::{self, NewEvent};
use crate::{Store, StoreError};

/// Tries in a row that fail before the timeline is told.
const FAILING: i32 = 3;

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The other side has taken it.
    Delivered {
        /// What it said.
        answer: String,
    },
    /// It is tried again.
    Later {
        /// Why.
        error: String,
        /// When.
        next_at: Timestamp,
    },
    /// It is given up.
    Dead {
        /// Why.
        error: String,
        /// When the channel may be used again: what one notice meets the next would meet, too.
        rests_until: Timestamp,
    },
}

/// Which try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// What the claim is known by.
    pub claim: Uuid,
    /// The channel.
    pub channel: Uuid,
    /// The notice.
    pub delivery: Uuid,
}

/// What came of noting how a try ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// It was noted. It is not when the notice was deleted, or somebody else has claimed it since.
    pub noted: bool,
    /// The timeline has a new line.
    pub told: bool,
}

impl Store {
    /// Notes how a try ended and gives the channel back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_try(
        &self,
        tried: Tried,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Finished, StoreError> {
        self.write(move |transaction| Box::pin(finish(transaction, tried, outcome, now))).await
    }

    /// Notes a notice with which somebody tried a channel out, and which has ended. One that was delivered lets those
    /// that wait be tried at once; one that failed is not held against the channel.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_test(&self, test: Delivery, now: Timestamp) -> Result<Finished, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                let channel = test.channel_id;
                let Some(row) = locked(transaction, channel).await? else { return Ok(Finished::default()) };
                let note = delivery::ActiveModel {
                    id: Set(test.id),
                    channel_id: Set(channel),
                    subscription_id: Set(None),
                    subscription_name: Set(None),
                    test: Set(true),
                    status: Set(test.status.as_str().into()),
                    worst: Set(test.worst.as_str().into()),
                    count: Set(0),
                    summary: Set(plain(test.summary)),
                    events: Set("[]".into()),
                    opened_at: Set(millis(test.opened_at)),
                    next_at: Set(None),
                    attempts: Set(1),
                    began_at: Set(Some(millis(test.opened_at))),
                    ended_at: Set(Some(millis(now))),
                    error: Set(test.error.map(plain)),
                    answer: Set(test.answer.map(plain)),
                };
                delivery::Entity::insert(note).exec_without_returning(transaction).await?;
                let mut told = false;
                if test.status == DeliveryStatus::Delivered {
                    told = works(transaction, row, now).await?;
                    hurry(transaction, channel, now).await?;
                }
                Ok(Finished { noted: true, told })
            })
        })
        .await
    }
}

async fn finish(
    transaction: &DatabaseTransaction,
    tried: Tried,
    outcome: Outcome,
    now: Timestamp,
) -> Result<Finished, StoreError> {
    let Some(mut channel) = locked(transaction, tried.channel).await? else { return Ok(Finished::default()) };
    let delivered = matches!(outcome, Outcome::Delivered { .. });
    let is_ours = channel.claim == Some(tried.claim);
    // What was taken stays taken, whoever holds the channel by now.
    if !is_ours && !delivered {
        return Ok(Finished::default());
    }
    let row = delivery::Entity::find_by_id(tried.delivery).lock_exclusive().one(transaction).await?;
    let row = row.filter(|row| row.status == DeliveryStatus::Due.as_str());
    if is_ours {
        super::claim::give_back(transaction, tried.channel, tried.claim).await?;
        (channel.claim, channel.claimed_until) = (None, None);
    }
    let Some(row) = row else { return Ok(Finished::default()) };
    let attempts = row.attempts.saturating_add(1);
    let mut change = row.into_active_model();
    change.attempts = Set(attempts);
    let told = match outcome {
        Outcome::Delivered { answer } => {
            change.status = Set(DeliveryStatus::Delivered.as_str().into());
            change.answer = Set(Some(plain(answer)));
            change.error = Set(None);
            // The timeline has them; a log of every storm would grow as large as that.
            change.events = Set("[]".into());
            change.next_at = Set(None);
            change.ended_at = Set(Some(millis(now)));
            works(transaction, channel, now).await?
        }
        Outcome::Later { error, next_at } => {
            change.error = Set(Some(plain(error.clone())));
            change.next_at = Set(Some(millis(next_at)));
            fails(transaction, channel, error, now).await?
        }
        Outcome::Dead { error, rests_until } => {
            rest(transaction, tried.channel, rests_until).await?;
            change.status = Set(DeliveryStatus::Dead.as_str().into());
            change.error = Set(Some(plain(error.clone())));
            change.next_at = Set(None);
            change.ended_at = Set(Some(millis(now)));
            fails(transaction, channel, error, now).await?
        }
    };
    change.update(transaction).await?;
    Ok(Finished { noted: true, told })
}

/// Lets nobody use a channel until then.
async fn rest(transaction: &DatabaseTransaction, channel: Uuid, until: Timestamp) -> Result<(), StoreError> {
    channel::Entity::update_many()
        .col_expr(channel::Column::ClaimedUntil, Expr::value(millis(until)))
        .filter(channel::Column::Id.eq(channel))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Notes that a channel works; whether the timeline was told.
async fn works(
    transaction: &DatabaseTransaction,
    row: channel::Model,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let told = row.failing;
    if told {
        let text = format!("channel {} works again after {} failures", row.name, row.failures);
        tell(transaction, &row, Severity::Ok, "channel_ok", text, now).await?;
    }
    let mut change = row.into_active_model();
    change.failures = Set(0);
    change.failing = Set(false);
    change.error = Set(None);
    change.delivered_at = Set(Some(millis(now)));
    change.update(transaction).await?;
    Ok(told)
}

/// Notes that a try has failed; whether the timeline was told.
async fn fails(
    transaction: &DatabaseTransaction,
    row: channel::Model,
    error: String,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let failures = row.failures.saturating_add(1);
    let told = failures >= FAILING && !row.failing;
    if told {
        let text = format!("channel {} fails: {error}", row.name);
        tell(transaction, &row, Severity::Warning, "channel_failing", plain(text), now).await?;
    }
    let failing = row.failing || told;
    let mut change = row.into_active_model();
    change.failures = Set(failures);
    change.failing = Set(failing);
    change.error = Set(Some(plain(error)));
    change.failed_at = Set(Some(millis(now)));
    change.update(transaction).await?;
    Ok(told)
}

async fn tell(
    transaction: &DatabaseTransaction,
    row: &channel::Model,
    severity: Severity,
    kind: &'static str,
    text: String,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut event = NewEvent::new(severity, kind, None, text);
    event.data = Some(json!({ "channel_id": row.id, "channel": row.name, "kind": row.kind }));
    events::insert(transaction, event, now).await
}

/// PostgreSQL's text cannot hold NUL, and what others say may.
fn plain(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text }
}
