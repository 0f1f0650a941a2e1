//! Channels: making, changing and deleting them.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use netwark_model::channels::ChannelConfig;
use netwark_model::subscriptions::{DeliveryStatus, MOST_CHANNELS};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, IntoActiveModel, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use super::entity::{channel, delivery};
use crate::convert::{from_text, millis, time, to_text};
use crate::locks::Lock;
use crate::names::is_named;
use crate::{Store, StoreError};

/// What people decide about a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelDraft {
    /// Its name.
    pub name: String,
    /// How it is set up.
    pub config: ChannelConfig,
    /// Its secrets by name, sealed.
    pub secrets: BTreeMap<String, String>,
}

/// How a channel is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelState {
    /// The timeline was told that it fails.
    pub failing: bool,
    /// Tries in a row that have failed.
    pub failures: u32,
    /// When something was last delivered.
    pub delivered_at: Option<Timestamp>,
    /// When a try last failed.
    pub failed_at: Option<Timestamp>,
    /// Why.
    pub error: Option<String>,
    /// Notices that are on their way.
    pub waiting: u64,
}

/// A channel as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredChannel {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// How it is set up.
    pub config: ChannelConfig,
    /// Its secrets by name, sealed.
    pub secrets: BTreeMap<String, String>,
    /// How it is doing.
    pub state: ChannelState,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
}

impl StoredChannel {
    /// True when people have decided the same about it.
    fn is_set_up_as(&self, other: &Self) -> bool {
        (&self.name, &self.config, &self.secrets) == (&other.name, &other.config, &other.secrets)
    }
}

impl Store {
    /// Makes a channel of this id, for which its secrets are sealed.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], or [`StoreError::Conflict`] when there are too many.
    pub async fn add_channel(
        &self,
        id: Uuid,
        draft: ChannelDraft,
        by: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let by = by.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                free(transaction, &draft.name, None).await?;
                if channel::Entity::find().count(transaction).await? >= MOST_CHANNELS {
                    return Err(StoreError::Conflict(format!(
                        "there are {MOST_CHANNELS} channels, and no more are possible; delete one first"
                    )));
                }
                let row = channel::ActiveModel {
                    id: Set(id),
                    kind: Set(draft.config.kind().as_str().into()),
                    config: Set(to_text("channel", &draft.config)?),
                    secrets: Set(to_text("set of secrets", &draft.secrets)?),
                    name: Set(draft.name),
                    failures: Set(0),
                    failing: Set(false),
                    delivered_at: Set(None),
                    failed_at: Set(None),
                    error: Set(None),
                    claim: Set(None),
                    claimed_until: Set(None),
                    created_at: Set(millis(now)),
                    created_by: Set(by),
                };
                channel::Entity::insert(row).exec_without_returning(transaction).await?;
                Ok(())
            })
        })
        .await
    }

    /// Makes another of a channel as it was read; false when it was deleted. What waits for its next try is tried at
    /// once.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], or [`StoreError::Conflict`] when somebody has changed it since.
    pub async fn change_channel(
        &self,
        before: StoredChannel,
        draft: ChannelDraft,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                let id = before.id;
                let Some(row) = locked(transaction, id).await? else { return Ok(false) };
                if !stored(row.clone(), 0)?.is_set_up_as(&before) {
                    return Err(StoreError::changed_meanwhile());
                }
                free(transaction, &draft.name, Some(id)).await?;
                let mut change = row.into_active_model();
                change.kind = Set(draft.config.kind().as_str().into());
                change.config = Set(to_text("channel", &draft.config)?);
                change.secrets = Set(to_text("set of secrets", &draft.secrets)?);
                change.name = Set(draft.name);
                change.update(transaction).await?;
                hurry(transaction, id, now).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Deletes a channel with all that was sent over it; returns its name, or none when there is none of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_channel(&self, id: Uuid) -> Result<Option<String>, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                // Who opens a notice for it would wait for this, and this for the notices it has locked.
                Lock::Notices.take(transaction).await?;
                let row = channel::Entity::find_by_id(id).one(transaction).await?;
                channel::Entity::delete_by_id(id).exec(transaction).await?;
                Ok(row.map(|row| row.name))
            })
        })
        .await
    }

    /// All channels, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn channels(&self) -> Result<Vec<StoredChannel>, StoreError> {
        let rows = channel::Entity::find().order_by_asc(channel::Column::Name).all(self.read()).await?;
        let waiting: Vec<(Uuid, i64)> = delivery::Entity::find()
            .select_only()
            .column(delivery::Column::ChannelId)
            .column_as(delivery::Column::Id.count(), "waiting")
            .filter(delivery::Column::NextAt.is_not_null())
            .group_by(delivery::Column::ChannelId)
            .into_tuple()
            .all(self.read())
            .await?;
        let waiting: HashMap<Uuid, i64> = waiting.into_iter().collect();
        rows.into_iter()
            .map(|row| {
                let waiting = waiting.get(&row.id).copied().unwrap_or_default();
                stored(row, waiting.unsigned_abs())
            })
            .collect()
    }

    /// One channel.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn channel(&self, id: Uuid) -> Result<Option<StoredChannel>, StoreError> {
        let Some(row) = channel::Entity::find_by_id(id).one(self.read()).await? else { return Ok(None) };
        let waiting = delivery::Entity::find()
            .filter(delivery::Column::ChannelId.eq(id))
            .filter(delivery::Column::NextAt.is_not_null());
        Ok(Some(stored(row, waiting.count(self.read()).await?)?))
    }
}

/// A channel from its row.
pub(super) fn stored(row: channel::Model, waiting: u64) -> Result<StoredChannel, StoreError> {
    Ok(StoredChannel {
        id: row.id,
        name: row.name,
        config: from_text("channel", &row.config)?,
        secrets: from_text("set of secrets", &row.secrets)?,
        state: ChannelState {
            failing: row.failing,
            failures: u32::try_from(row.failures).unwrap_or_default(),
            delivered_at: row.delivered_at.map(time),
            failed_at: row.failed_at.map(time),
            error: row.error,
            waiting,
        },
        created_at: time(row.created_at),
        created_by: row.created_by,
    })
}

/// The row of a channel, locked until the commit. It comes before the rows of its notices, so that nobody waits in a
/// circle, and a notice can be opened meanwhile.
pub(super) async fn locked(
    transaction: &DatabaseTransaction,
    id: Uuid,
) -> Result<Option<channel::Model>, StoreError> {
    Ok(channel::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(transaction).await?)
}

/// Lets what waits for its next try be tried now, and ends the rest of a channel that failed.
pub(super) async fn hurry(
    transaction: &DatabaseTransaction,
    channel: Uuid,
    now: Timestamp,
) -> Result<(), StoreError> {
    channel::Entity::update_many()
        .col_expr(channel::Column::ClaimedUntil, Expr::value(Option::<i64>::None))
        .filter(channel::Column::Id.eq(channel))
        .filter(channel::Column::Claim.is_null())
        .exec(transaction)
        .await?;
    delivery::Entity::update_many()
        .col_expr(delivery::Column::NextAt, Expr::value(millis(now)))
        .filter(delivery::Column::ChannelId.eq(channel))
        .filter(delivery::Column::Status.eq(DeliveryStatus::Due.as_str()))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Makes sure that no other channel has the name.
async fn free(transaction: &DatabaseTransaction, name: &str, but: Option<Uuid>) -> Result<(), StoreError> {
    let named = is_named(transaction, "channels", name);
    let other = channel::Entity::find().filter(named).one(transaction).await?;
    match other.filter(|other| Some(other.id) != but) {
        Some(other) => Err(StoreError::NameTaken(format!("a channel named '{}' exists already", other.name))),
        None => Ok(()),
    }
}
