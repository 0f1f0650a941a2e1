//! Who sends which notice next.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use netwark_model::events::Severity;
use netwark_model::subscriptions::{Delivery, DeliveryStatus, Gathered, Rules};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, ExprTrait, IntoActiveModel, QueryOrder,
    QuerySelect, Set, Statement,
};
use uuid::Uuid;

use super::entity::{channel, delivery};
use super::log::shown;
use super::manage::{StoredChannel, stored};
use super::notice::gathered;
use super::subscriptions;
use crate::convert::{millis, time};
use crate::{Store, StoreError};

/// Notices that are looked at in one go; others have their turn with the next.
const LOOKED_AT: u64 = 20;
/// The time over which notices are counted.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A notice that is to be sent now, over a channel nobody else sends over meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// What the claim is known by.
    pub claim: Uuid,
    /// The channel.
    pub channel: StoredChannel,
    /// The notice.
    pub delivery: Delivery,
    /// What it tells.
    pub gathered: Gathered,
}

impl Store {
    /// Channels that nobody sends over and that have something to send. One whose oldest notice waits for its next try
    /// is not among them: what is behind that has to wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn channels_with_notices(&self, now: Timestamp) -> Result<Vec<Uuid>, StoreError> {
        let backend = self.read().get_database_backend();
        let sql = "SELECT c.id FROM channels c WHERE (c.claimed_until IS NULL OR c.claimed_until <= $1) \
                   AND EXISTS (SELECT 1 FROM deliveries d WHERE d.channel_id = c.id AND d.next_at <= $1) \
                   AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.channel_id = c.id \
                   AND d.status = 'due' AND d.next_at > $1)";
        let statement = Statement::from_sql_and_values(backend, sql, [millis(now).into()]);
        let rows = self.read().query_all_raw(statement).await?;
        rows.iter().map(|row| row.try_get_by_index(0).map_err(StoreError::from)).collect()
    }

    /// Claims a channel until then with the notice that is to be sent over it next: the oldest that is being tried,
    /// else the first of those that may leave. None when there is none, or somebody else has the channel.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_notice(
        &self,
        channel: Uuid,
        zone: &TimeZone,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Claimed>, StoreError> {
        let zone = zone.clone();
        self.write(move |transaction| {
            Box::pin(async move {
                let claim = Uuid::now_v7();
                let free = channel::Column::ClaimedUntil.is_null();
                let free = free.or(channel::Column::ClaimedUntil.lte(millis(now)));
                let claimed = channel::Entity::update_many()
                    .col_expr(channel::Column::Claim, Expr::value(claim))
                    .col_expr(channel::Column::ClaimedUntil, Expr::value(millis(until)))
                    .filter(channel::Column::Id.eq(channel))
                    .filter(free)
                    .exec(transaction)
                    .await?;
                if claimed.rows_affected == 0 {
                    return Ok(None);
                }
                let Some(row) = next(transaction, channel, &zone, now).await? else {
                    give_back(transaction, channel, claim).await?;
                    return Ok(None);
                };
                let Some(channel) = channel::Entity::find_by_id(channel).one(transaction).await? else {
                    return Ok(None);
                };
                let gathered = gathered(&row)?;
                let delivery = shown(row, channel.name.clone());
                Ok(Some(Claimed { claim, channel: stored(channel, 0)?, delivery, gathered }))
            })
        })
        .await
    }

    /// Gives up all claims on channels: those who had them are gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_claims(&self) -> Result<(), StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                channel::Entity::update_many()
                    .col_expr(channel::Column::Claim, Expr::value(Option::<Uuid>::None))
                    .col_expr(channel::Column::ClaimedUntil, Expr::value(Option::<i64>::None))
                    .filter(channel::Column::Claim.is_not_null())
                    .exec(transaction)
                    .await?;
                Ok(())
            })
        })
        .await
    }
}

/// Gives a channel back, unless somebody else has it by now.
pub(super) async fn give_back(
    transaction: &DatabaseTransaction,
    channel: Uuid,
    claim: Uuid,
) -> Result<(), StoreError> {
    channel::Entity::update_many()
        .col_expr(channel::Column::Claim, Expr::value(Option::<Uuid>::None))
        .col_expr(channel::Column::ClaimedUntil, Expr::value(Option::<i64>::None))
        .filter(channel::Column::Id.eq(channel))
        .filter(channel::Column::Claim.eq(claim))
        .exec(transaction)
        .await?;
    Ok(())
}

async fn next(
    transaction: &DatabaseTransaction,
    channel: Uuid,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Option<delivery::Model>, StoreError> {
    let of_channel = delivery::Entity::find().filter(delivery::Column::ChannelId.eq(channel));
    let due = of_channel
        .clone()
        .filter(delivery::Column::Status.eq(DeliveryStatus::Due.as_str()))
        .order_by_asc(delivery::Column::Id)
        .lock_exclusive()
        .one(transaction)
        .await?;
    if let Some(due) = due {
        if due.next_at.is_none_or(|next| next > millis(now)) {
            return Ok(None);
        }
        // Somebody who asks for another try does not want to wait for the morning; such a one has no tries yet.
        let awake = if due.attempts == 0 { now } else { awake(transaction, &due, zone, now).await? };
        if awake <= now {
            return Ok(Some(due));
        }
        // Others may be more urgent, so it does not stay in their way.
        let mut change = due.into_active_model();
        change.status = Set(DeliveryStatus::Held.as_str().into());
        change.next_at = Set(Some(millis(awake)));
        change.update(transaction).await?;
    }
    let waiting = [DeliveryStatus::Held, DeliveryStatus::Gathering].map(DeliveryStatus::as_str);
    let ready = of_channel
        .filter(delivery::Column::Status.is_in(waiting))
        .filter(delivery::Column::NextAt.lte(millis(now)))
        .order_by_asc(delivery::Column::NextAt)
        .order_by_asc(delivery::Column::Id)
        .limit(LOOKED_AT)
        // Whoever adds to one just now locks others, too; this one has its turn with the next look.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(transaction)
        .await?;
    for row in ready {
        let is_held = row.status == DeliveryStatus::Held.as_str();
        let leaves = match is_held {
            true => awake(transaction, &row, zone, now).await?,
            false => leaves(transaction, &row, zone, now).await?,
        };
        let mut change = row.into_active_model();
        if leaves > now {
            change.next_at = Set(Some(millis(leaves)));
            change.update(transaction).await?;
            continue;
        }
        change.status = Set(DeliveryStatus::Due.as_str().into());
        if !is_held {
            change.began_at = Set(Some(millis(now)));
        }
        return Ok(Some(change.update(transaction).await?));
    }
    Ok(None)
}

/// When a notice leaves, by what its subscription says now; at once when that was deleted.
async fn leaves(
    transaction: &DatabaseTransaction,
    row: &delivery::Model,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    let Some(rules) = subscriptions::rules(transaction, row.subscription_id).await? else { return Ok(now) };
    let recent = recent(transaction, row, &rules, now).await?;
    let worst = worst(row);
    // It may have waited for the channel until quiet hours began.
    let awake = rules.awake_at(now, worst, zone);
    Ok(rules.leave_at(time(row.opened_at), worst, &recent, zone).max(awake))
}

/// When quiet hours let a notice leave, by what its subscription says now; at once when that was deleted.
async fn awake(
    transaction: &DatabaseTransaction,
    row: &delivery::Model,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    let rules = subscriptions::rules(transaction, row.subscription_id).await?;
    Ok(rules.map_or(now, |rules| rules.awake_at(now, worst(row), zone)))
}

fn worst(row: &delivery::Model) -> Severity {
    Severity::from_word(&row.worst).unwrap_or(Severity::Alert)
}

/// When notices of the subscription left over the channel of late, the last one first.
async fn recent(
    transaction: &DatabaseTransaction,
    row: &delivery::Model,
    rules: &Rules,
    now: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    let since = now.checked_sub(HOUR).map_or(i64::MIN, millis);
    let times: Vec<Option<i64>> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::BeganAt)
        .filter(delivery::Column::SubscriptionId.eq(row.subscription_id))
        .filter(delivery::Column::ChannelId.eq(row.channel_id))
        .filter(delivery::Column::BeganAt.gt(since))
        .order_by_desc(delivery::Column::BeganAt)
        .limit(u64::from(rules.most_per_hour))
        .into_tuple()
        .all(transaction)
        .await?;
    Ok(times.into_iter().flatten().map(time).collect())
}
