//! Making, changing and deleting queues by administrators. What the configuration declares is changed there.

use netwark_model::queues::{Queue, QueueDefinition, QueueOrigin};
use netwark_model::workers::WorkerOverrides;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, IntoActiveModel, QueryOrder, QuerySelect, Set};

use crate::convert::{from_text, to_text};
use crate::names::is_named;
use crate::operations::entity::result;
use crate::queues::entity;
use crate::workers::{entity as worker, member};
use crate::{Store, StoreError};

/// Most queues of an installation.
const MOST: u64 = 1000;
/// Where queues of administrators stand in the list: behind all others, by name.
const LAST: i32 = i32::MAX;

/// What is to change about a queue; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct QueueChange {
    /// Its label for people.
    pub label: Option<String>,
    /// Where it leads, for people.
    pub location: Option<String>,
    /// True when every member gets a copy.
    pub broadcast: Option<bool>,
}

/// A queue that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedQueue {
    /// Its name, as it was spelled.
    pub name: String,
    /// True when every member got a copy.
    pub broadcast: bool,
    /// The workers that listened on it.
    pub workers: Vec<Uuid>,
}

impl Store {
    /// Makes a queue; its name is the full one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken, or there are too many.
    pub async fn add_queue(&self, new: QueueDefinition) -> Result<Option<Queue>, StoreError> {
        let name = new.name.clone();
        let added = self.write(move |transaction| {
            Box::pin(async move {
                if let Some(row) = entity::Entity::find()
                    .filter(is_named(transaction, "queues", &new.name))
                    .one(transaction)
                    .await?
                {
                    return Err(taken(&row.name, &row.origin));
                }
                if entity::Entity::find().count(transaction).await? >= MOST {
                    return Err(StoreError::Conflict(format!(
                        "there are {MOST} queues, and no more are possible; delete one first"
                    )));
                }
                let row = entity::ActiveModel {
                    label: Set(new.label.unwrap_or_else(|| new.name.clone())),
                    name: Set(new.name.clone()),
                    location: Set(new.location),
                    broadcast: Set(new.broadcast),
                    builtin: Set(false),
                    position: Set(LAST),
                    origin: Set(QueueOrigin::Ui.as_str().into()),
                };
                let inserted = entity::Entity::insert(row).exec_without_returning(transaction).await;
                inserted.map(drop).map_err(|error| match error.into() {
                    // Another server was faster.
                    StoreError::Conflict(_) => taken(&new.name, QueueOrigin::Ui.as_str()),
                    other => other,
                })
            })
        });
        added.await?;
        self.queue(&name).await
    }

    /// Changes a queue. `None` when there is none of this full name.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is not an administrator's, or its kind is to change while operations
    /// that have not ended name it.
    pub async fn change_queue(&self, name: &str, change: QueueChange) -> Result<Option<Queue>, StoreError> {
        let id = name.to_owned();
        let changed = self.write(move |transaction| {
            Box::pin(async move {
                let Some(row) = own(transaction, &id).await? else { return Ok(()) };
                if change.broadcast.is_some_and(|broadcast| broadcast != row.broadcast) {
                    must_be_idle(transaction, &row.name, "its kind can be changed").await?;
                }
                let mut row = row.into_active_model();
                if let Some(label) = change.label {
                    row.label = Set(label);
                }
                if let Some(location) = change.location {
                    row.location = Set(location);
                }
                if let Some(broadcast) = change.broadcast {
                    row.broadcast = Set(broadcast);
                }
                if row.is_changed() {
                    row.update(transaction).await?;
                }
                Ok(())
            })
        });
        changed.await?;
        self.queue(name).await
    }

    /// Deletes a queue; its members no longer listen on it. `None` when there is none of this full name.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is not an administrator's, or operations that have not ended name it.
    pub async fn remove_queue(&self, name: &str) -> Result<Option<RemovedQueue>, StoreError> {
        let name = name.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                let Some(row) = own(transaction, &name).await? else { return Ok(None) };
                must_be_idle(transaction, &row.name, "it can be deleted").await?;
                let workers = leave(transaction, &row.name).await?;
                entity::Entity::delete_by_id(row.name.clone()).exec(transaction).await?;
                Ok(Some(RemovedQueue { name: row.name, broadcast: row.broadcast, workers }))
            })
        })
        .await
    }

    /// One queue, by its full name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue(&self, name: &str) -> Result<Option<Queue>, StoreError> {
        Ok(self.queues().await?.into_iter().find(|queue| queue.queue.eq_ignore_ascii_case(name)))
    }
}

fn taken(name: &str, origin: &str) -> StoreError {
    StoreError::Conflict(match QueueOrigin::from_word(origin) {
        Some(QueueOrigin::Builtin) => format!("'{name}' is one of the queues that always exist"),
        Some(QueueOrigin::Configuration) => {
            format!("a queue named '{name}' is declared in the server's configuration")
        }
        _ => format!("a queue named '{name}' exists already"),
    })
}

/// The row of a queue that administrators may change, locked until the commit.
async fn own(transaction: &DatabaseTransaction, name: &str) -> Result<Option<entity::Model>, StoreError> {
    let named = is_named(transaction, "queues", name);
    let row = entity::Entity::find().filter(named).lock_exclusive().one(transaction).await?;
    let Some(row) = row else { return Ok(None) };
    let name = &row.name;
    match QueueOrigin::from_word(&row.origin) {
        Some(QueueOrigin::Ui) => Ok(Some(row)),
        Some(QueueOrigin::Builtin) => {
            Err(StoreError::Conflict(format!("'{name}' is one of the queues that always exist")))
        }
        _ => Err(StoreError::Conflict(format!(
            "'{name}' is declared by [[queues]] in the server's configuration; change it there"
        ))),
    }
}

/// Work that waits in the queue would never be taken, or be taken by everybody.
async fn must_be_idle(transaction: &DatabaseTransaction, name: &str, then: &str) -> Result<(), StoreError> {
    let open = result::Entity::find()
        .filter(result::Column::Deadline.is_not_null())
        .filter(result::Column::Queue.eq(name))
        .count(transaction)
        .await?;
    match open {
        0 => Ok(()),
        n => Err(StoreError::Conflict(format!(
            "operations that have not ended wait for {n} results through '{name}'; once they end, {then}"
        ))),
    }
}

/// Takes a queue from all who listen on it, and from what administrators have set of them.
async fn leave(transaction: &DatabaseTransaction, name: &str) -> Result<Vec<Uuid>, StoreError> {
    let members = member::Entity::find().filter(member::Column::Queue.eq(name)).all(transaction).await?;
    member::Entity::delete_many().filter(member::Column::Queue.eq(name)).exec(transaction).await?;
    let ids: Vec<Uuid> = members.into_iter().map(|member| member.worker_id).collect();
    // Revoked workers are no members, but still show the queues they had.
    let rows =
        worker::Entity::find().order_by_asc(worker::Column::Id).lock_exclusive().all(transaction).await?;
    for row in rows {
        let mut queues: Vec<String> = from_text("list of queues", &row.queues)?;
        let mut overrides: WorkerOverrides = from_text("set of overrides", &row.overrides)?;
        let set = overrides.queues.iter().flatten().any(|queue| queue == name);
        if !set && !queues.iter().any(|queue| queue == name) {
            continue;
        }
        queues.retain(|queue| queue != name);
        overrides.queues.iter_mut().for_each(|queues| queues.retain(|queue| queue != name));
        let mut row = row.into_active_model();
        row.queues = Set(to_text("list of queues", &queues)?);
        row.overrides = Set(to_text("set of overrides", &overrides)?);
        row.update(transaction).await?;
    }
    Ok(ids)
}
