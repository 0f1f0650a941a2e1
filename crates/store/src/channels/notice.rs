//! Events become notices.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use netwark_model::events::{Event, Severity};
use netwark_model::subscriptions::{DeliveryStatus, Gathered, Subscription};
use sea_orm::entity::prelude::*;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, IntoActiveModel, QueryOrder, QuerySelect, Set,
    Statement,
};
use uuid::Uuid;

use super::entity::{delivery, unnoticed};
use super::subscriptions;
use crate::convert::{from_text, millis, time, to_text};
use crate::locks::Lock;
use crate::{Store, StoreError, events, rows};

/// Events that are looked at in one transaction.
const TOGETHER: u64 = 1_000;
/// Most characters of what stands for a notice in a list.
const LONGEST_SUMMARY: usize = 300;

/// Events for the notices of a subscription, by channel.
type Wanted<'s> = BTreeMap<(Uuid, Uuid), (&'s Subscription, Vec<Event>)>;

impl Store {
    /// Adds events that no subscription has looked at to the notices that gather, or opens some; returns how many
    /// events it has looked at. Hours are those of the time zone.
    ///
    /// # Errors
    /// When the database fails. Nothing is skipped then.
    pub async fn notice_events(&self, zone: &TimeZone, now: Timestamp) -> Result<u64, StoreError> {
        if unnoticed::Entity::find().limit(1).one(self.read()).await?.is_none() {
            return Ok(0);
        }
        let zone = zone.clone();
        self.write(move |transaction| Box::pin(async move { gather(transaction, &zone, now).await })).await
    }
}

async fn gather(
    transaction: &DatabaseTransaction,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<u64, StoreError> {
    // Another server is at it; two at once would mix up the order.
    if !Lock::Notices.try_take(transaction).await? {
        return Ok(0);
    }
    let ids: Vec<Uuid> = unnoticed::Entity::find()
        .select_only()
        .column(unnoticed::Column::EventId)
        .order_by_asc(unnoticed::Column::EventId)
        .limit(TOGETHER)
        .into_tuple()
        .all(transaction)
        .await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let events = events::by_ids(transaction, &ids).await?;
    let subscriptions = subscriptions::enabled(transaction).await?;
    let wanted = wanted(&subscriptions, &events, zone);
    let mut gathering = gathering(transaction, &wanted).await?;
    for ((subscription_id, channel), (subscription, events)) in wanted {
        match gathering.remove(&(subscription_id, channel)) {
            Some(row) => add(transaction, row, subscription, events, zone).await?,
            None => open(transaction, channel, subscription, events, zone, now).await?,
        }
    }
    let backend = transaction.get_database_backend();
    let sql = format!("DELETE FROM unnoticed_events WHERE {}", rows::is_id(backend, "event_id", 1));
    transaction.execute_raw(Statement::from_sql_and_values(backend, sql, [rows::id_list(&ids)?])).await?;
    Ok(ids.len() as u64)
}

/// Which events go where.
fn wanted<'s>(subscriptions: &'s [Subscription], events: &[Event], zone: &TimeZone) -> Wanted<'s> {
    let mut wanted = Wanted::new();
    for subscription in subscriptions.iter().filter(|subscription| !subscription.channels.is_empty()) {
        for event in events.iter().filter(|event| subscription.rules.want(event, zone)) {
            for channel in subscription.channels.iter().filter(|channel| !is_about(event, **channel)) {
                let place = wanted.entry((subscription.id, *channel));
                place.or_insert_with(|| (subscription, Vec::new())).1.push(event.clone());
            }
        }
    }
    wanted
}

/// True for an event about the channel itself, which must not be told over it.
fn is_about(event: &Event, channel: Uuid) -> bool {
    let about = event.data.as_ref().and_then(|data| data.get("channel_id")?.as_str());
    about.is_some_and(|about| about.parse() == Ok(channel))
}

/// The notices that gather for these subscriptions, by subscription and channel, locked until the commit: who sends
/// one settles what it says.
async fn gathering(
    transaction: &DatabaseTransaction,
    wanted: &Wanted<'_>,
) -> Result<HashMap<(Uuid, Uuid), delivery::Model>, StoreError> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let subscriptions = wanted.keys().map(|(subscription, _)| *subscription);
    let rows = delivery::Entity::find()
        .filter(delivery::Column::SubscriptionId.is_in(subscriptions))
        .filter(delivery::Column::Status.eq(DeliveryStatus::Gathering.as_str()))
        .order_by_asc(delivery::Column::Id)
        .lock_exclusive()
        .all(transaction)
        .await?;
    Ok(rows.into_iter().filter_map(|row| Some(((row.subscription_id?, row.channel_id), row))).collect())
}

async fn add(
    transaction: &DatabaseTransaction,
    row: delivery::Model,
    subscription: &Subscription,
    events: Vec<Event>,
    zone: &TimeZone,
) -> Result<(), StoreError> {
    let mut gathered = gathered(&row)?;
    let told_anew = gathered.add(events);
    let worst = gathered.worst();
    let was = Severity::from_word(&row.worst);
    let opened = time(row.opened_at);
    let mut change = row.into_active_model();
    change.count = Set(count(&gathered));
    if told_anew {
        change.events = Set(to_text("list of events", &gathered.events)?);
        change.summary = Set(summary(&gathered));
    }
    if was != Some(worst) {
        change.worst = Set(worst.as_str().into());
        // Something bad enough may not have to wait.
        change.next_at = Set(Some(millis(subscription.rules.leave_at(opened, worst, &[], zone))));
    }
    change.update(transaction).await?;
    Ok(())
}

async fn open(
    transaction: &DatabaseTransaction,
    channel: Uuid,
    subscription: &Subscription,
    events: Vec<Event>,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut gathered = Gathered::default();
    gathered.add(events);
    let worst = gathered.worst();
    let row = delivery::ActiveModel {
        id: Set(Uuid::now_v7()),
        channel_id: Set(channel),
        subscription_id: Set(Some(subscription.id)),
        subscription_name: Set(Some(subscription.name.clone())),
        test: Set(false),
        status: Set(DeliveryStatus::Gathering.as_str().into()),
        worst: Set(worst.as_str().into()),
        count: Set(count(&gathered)),
        summary: Set(summary(&gathered)),
        events: Set(to_text("list of events", &gathered.events)?),
        opened_at: Set(millis(now)),
        next_at: Set(Some(millis(subscription.rules.leave_at(now, worst, &[], zone)))),
        attempts: Set(0),
        began_at: Set(None),
        ended_at: Set(None),
        error: Set(None),
        answer: Set(None),
    };
    delivery::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}

/// What a notice tells.
pub(super) fn gathered(row: &delivery::Model) -> Result<Gathered, StoreError> {
    let events: Vec<Event> = from_text("list of events", &row.events)?;
    let more = u64::try_from(row.count).unwrap_or_default().saturating_sub(events.len() as u64);
    Ok(Gathered { events, more })
}

fn count(gathered: &Gathered) -> i64 {
    i64::try_from(gathered.count()).unwrap_or(i64::MAX)
}

fn summary(gathered: &Gathered) -> String {
    gathered.summary().chars().take(LONGEST_SUMMARY).filter(|c| *c != '\0').collect()
}
