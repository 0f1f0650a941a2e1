//! Subscriptions: making, changing and deleting them.

use std::collections::HashMap;

use jiff::Timestamp;
use netwark_model::subscriptions::{DeliveryStatus, MOST_SUBSCRIPTIONS, Rules, Subscription};
use sea_orm::entity::prelude::*;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, IntoActiveModel, QueryOrder, QuerySelect, Set,
};
use uuid::Uuid;

use super::entity::{channel, delivery, member, subscription};
use crate::convert::{from_text, millis, time, to_text};
use crate::locks::Lock;
use crate::names::is_named;
use crate::{Store, StoreError};

/// What people decide about a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionDraft {
    /// Its name.
    pub name: String,
    /// Whether events become notices.
    pub enabled: bool,
    /// The channels, each once.
    pub channels: Vec<Uuid>,
    /// What it wants to hear of, and when.
    pub rules: Rules,
}

impl Store {
    /// Makes a subscription; returns its id. It hears of what happens from now on.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::Missing`] when a channel does not exist, or [`StoreError::Conflict`] when
    /// there are too many.
    pub async fn add_subscription(
        &self,
        draft: SubscriptionDraft,
        by: &str,
        now: Timestamp,
    ) -> Result<Uuid, StoreError> {
        let by = by.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                // Channels stay meanwhile.
                Lock::Notices.take(transaction).await?;
                free(transaction, &draft.name, None).await?;
                if subscription::Entity::find().count(transaction).await? >= MOST_SUBSCRIPTIONS {
                    return Err(StoreError::Conflict(format!(
                        "there are {MOST_SUBSCRIPTIONS} subscriptions, and no more are possible; delete one first"
                    )));
                }
                let id = Uuid::now_v7();
                let row = subscription::ActiveModel {
                    id: Set(id),
                    name: Set(draft.name),
                    enabled: Set(draft.enabled),
                    rules: Set(to_text("set of rules", &draft.rules)?),
                    created_at: Set(millis(now)),
                    created_by: Set(by),
                };
                subscription::Entity::insert(row).exec_without_returning(transaction).await?;
                set_channels(transaction, id, &draft.channels).await?;
                Ok(id)
            })
        })
        .await
    }

    /// Makes another of a subscription as it was read; false when it was deleted. When its gathering notices leave is
    /// decided anew.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody has changed it since, [`StoreError::NameTaken`], or
    /// [`StoreError::Missing`] when a channel does not exist.
    pub async fn change_subscription(
        &self,
        before: Subscription,
        draft: SubscriptionDraft,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                let id = before.id;
                Lock::Notices.take(transaction).await?;
                let row = subscription::Entity::find_by_id(id).lock_exclusive().one(transaction).await?;
                let Some(row) = row else { return Ok(false) };
                if shown(transaction, vec![row.clone()]).await? != [before] {
                    return Err(StoreError::changed_meanwhile());
                }
                free(transaction, &draft.name, Some(id)).await?;
                let mut change = row.into_active_model();
                change.name = Set(draft.name);
                change.enabled = Set(draft.enabled);
                change.rules = Set(to_text("set of rules", &draft.rules)?);
                change.update(transaction).await?;
                set_channels(transaction, id, &draft.channels).await?;
                release(transaction, id, now).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Deletes a subscription; returns its name, or none when there is none of this id. What it has gathered is sent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_subscription(&self, id: Uuid, now: Timestamp) -> Result<Option<String>, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                Lock::Notices.take(transaction).await?;
                let row = subscription::Entity::find_by_id(id).lock_exclusive().one(transaction).await?;
                subscription::Entity::delete_by_id(id).exec(transaction).await?;
                release(transaction, id, now).await?;
                Ok(row.map(|row| row.name))
            })
        })
        .await
    }

    /// All subscriptions, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, StoreError> {
        let rows = subscription::Entity::find().order_by_asc(subscription::Column::Name);
        shown(self.read(), rows.all(self.read()).await?).await
    }

    /// One subscription.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscription(&self, id: Uuid) -> Result<Option<Subscription>, StoreError> {
        let row = subscription::Entity::find_by_id(id).one(self.read()).await?;
        Ok(shown(self.read(), row.into_iter().collect()).await?.pop())
    }
}

/// Subscriptions that are switched on, in the order they were made.
pub(super) async fn enabled(transaction: &DatabaseTransaction) -> Result<Vec<Subscription>, StoreError> {
    let rows = subscription::Entity::find().filter(subscription::Column::Enabled.eq(true));
    shown(transaction, rows.order_by_asc(subscription::Column::Id).all(transaction).await?).await
}

/// The rules of a subscription, unless it was deleted.
pub(super) async fn rules(
    transaction: &DatabaseTransaction,
    id: Option<Uuid>,
) -> Result<Option<Rules>, StoreError> {
    let Some(id) = id else { return Ok(None) };
    let row = subscription::Entity::find_by_id(id).one(transaction).await?;
    row.map(|row| from_text("set of rules", &row.rules)).transpose()
}

/// Lets subscriptions to devices follow another, because it is the same.
pub(crate) async fn move_device(
    transaction: &DatabaseTransaction,
    from: &[Uuid],
    to: Uuid,
) -> Result<(), StoreError> {
    // Locked in the order of their ids, since several may be changed.
    let rows = subscription::Entity::find().order_by_asc(subscription::Column::Id).lock_exclusive();
    for row in rows.all(transaction).await? {
        let mut rules: Rules = from_text("set of rules", &row.rules)?;
        if !rules.devices.iter().any(|device| from.contains(device)) {
            continue;
        }
        rules.devices.retain(|device| !from.contains(device) && *device != to);
        rules.devices.push(to);
        let mut change = row.into_active_model();
        change.rules = Set(to_text("set of rules", &rules)?);
        change.update(transaction).await?;
    }
    Ok(())
}

async fn shown(
    connection: &impl ConnectionTrait,
    rows: Vec<subscription::Model>,
) -> Result<Vec<Subscription>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = member::Entity::find();
    if let [row] = rows.as_slice() {
        query = query.filter(member::Column::SubscriptionId.eq(row.id));
    }
    let mut channels: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for member in query.order_by_asc(member::Column::ChannelId).all(connection).await? {
        channels.entry(member.subscription_id).or_default().push(member.channel_id);
    }
    rows.into_iter()
        .map(|row| {
            Ok(Subscription {
                id: row.id,
                name: row.name,
                enabled: row.enabled,
                channels: channels.remove(&row.id).unwrap_or_default(),
                rules: from_text("set of rules", &row.rules)?,
                created_at: time(row.created_at),
                created_by: row.created_by,
            })
        })
        .collect()
}

async fn set_channels(
    transaction: &DatabaseTransaction,
    id: Uuid,
    channels: &[Uuid],
) -> Result<(), StoreError> {
    let known = channel::Entity::find().filter(channel::Column::Id.is_in(channels.iter().copied()));
    let known: Vec<Uuid> =
        known.select_only().column(channel::Column::Id).into_tuple().all(transaction).await?;
    if let Some(missing) = channels.iter().find(|id| !known.contains(id)) {
        let detail = format!("there is no channel {missing}");
        return Err(StoreError::Missing { field: "channels", detail });
    }
    member::Entity::delete_many().filter(member::Column::SubscriptionId.eq(id)).exec(transaction).await?;
    let rows = known
        .into_iter()
        .map(|channel| member::ActiveModel { subscription_id: Set(id), channel_id: Set(channel) });
    let rows: Vec<member::ActiveModel> = rows.collect();
    if !rows.is_empty() {
        member::Entity::insert_many(rows).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// Lets it be decided now when the notices of a subscription leave that gather or are held by quiet hours.
async fn release(transaction: &DatabaseTransaction, id: Uuid, now: Timestamp) -> Result<(), StoreError> {
    let waiting = [DeliveryStatus::Gathering, DeliveryStatus::Held].map(DeliveryStatus::as_str);
    delivery::Entity::update_many()
        .col_expr(delivery::Column::NextAt, Expr::value(millis(now)))
        .filter(delivery::Column::SubscriptionId.eq(id))
        .filter(delivery::Column::Status.is_in(waiting))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Makes sure that no other subscription has the name.
async fn free(transaction: &DatabaseTransaction, name: &str, but: Option<Uuid>) -> Result<(), StoreError> {
    let named = is_named(transaction, "subscriptions", name);
    let other = subscription::Entity::find().filter(named).one(transaction).await?;
    match other.filter(|other| Some(other.id) != but) {
        Some(other) => {
            Err(StoreError::NameTaken(format!("a subscription named '{}' exists already", other.name)))
        }
        None => Ok(()),
    }
}
