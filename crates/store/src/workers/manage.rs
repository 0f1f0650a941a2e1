//! What an administrator does to workers: change, drain, revoke, delete.

use jiff::Timestamp;
use netwark_model::events::Severity;
use netwark_model::messages::Hello;
use netwark_model::workers::{Worker, WorkerOverrides};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, IntoActiveModel, QuerySelect, Set};
use uuid::Uuid;

use super::enrol::{forget_codes, locked, name_taken, named};
use super::presence::{about, apply, note_draining, set_members};
use super::{Details, Effective, entity, history, worker};
use crate::convert::{from_text, millis, to_text};
use crate::events;
use crate::operations::{Change, end_of_worker};
use crate::{Store, StoreError};

/// What an administrator does to what was set of a worker.
pub type Edit = Box<dyn FnOnce(&mut WorkerOverrides) + Send>;

impl Store {
    /// Changes what an administrator has set of a worker. What counts is worked out anew, with its
    /// membership of queues. `None` when there is no such worker.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when its name is taken, or would be none at all.
    pub async fn change_worker(
        &self,
        id: Uuid,
        edit: Edit,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<Worker>, StoreError> {
        let by = by.to_owned();
        let changed = self.write(move |transaction| Box::pin(change(transaction, id, edit, by, now))).await;
        changed.unwrap_or_else(|error| match error {
            StoreError::Conflict(_) => {
                Err(StoreError::Conflict("another worker has taken this name at this moment".into()))
            }
            other => Err(other),
        })
    }

    /// Lets a worker take no new work, or take work again, which also ends what it wants by itself. Each call
    /// raises [`DrainOrder::revision`]. `None` when there is no such worker.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it was revoked.
    pub async fn drain_worker(
        &self,
        id: Uuid,
        draining: bool,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<Worker>, StoreError> {
        let by = by.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                let Some(row) = locked(transaction, id).await? else { return Ok(None) };
                if row.revoked_at.is_some() {
                    return Err(StoreError::Conflict(format!(
                        "{} was revoked and takes no work at all",
                        row.name
                    )));
                }
                drain(transaction, row, draining, &by, now).await.map(Some)
            })
        })
        .await
    }

    /// Revokes a worker: nothing it says counts from here on. Results that it alone was to bring end with
    /// an error; work of direct queues that it held goes to another. Its name stays taken until it is
    /// deleted. Returns the worker and the operations that changed; `None` when there is no such worker.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it runs inside the server's process.
    pub async fn revoke_worker(
        &self,
        id: Uuid,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<(Worker, Vec<Change>)>, StoreError> {
        let by = by.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                let Some(row) = locked(transaction, id).await? else { return Ok(None) };
                if row.embedded {
                    return Err(StoreError::Conflict(format!(
                        "{} runs inside the server's process; set worker.embedded to false to be rid of it",
                        row.name
                    )));
                }
                if row.revoked_at.is_some() {
                    return Ok(Some((worker(row)?, Vec::new())));
                }
                forget_codes(transaction, id).await?;
                set_members(transaction, id, &[]).await?;
                let text = format!("{} was revoked by {by}", row.name);
                events::insert(transaction, about(&row, Severity::Warning, "worker_revoked", text), now)
                    .await?;
                let mut row = row.into_active_model();
                // The token stays, so that who comes with it learns that it was revoked.
                row.revoked_at = Set(Some(millis(now)));
                row.online = Set(false);
                row.running = Set(0);
                let row = row.update(transaction).await?;
                let changes = end_of_worker(transaction, id, "the worker was revoked", now).await?;
                Ok(Some((worker(row)?, changes)))
            })
        })
        .await
    }

    /// Workers of this link that were revoked at this time or later.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn workers_revoked_since(&self, since: Timestamp, link: &str) -> Result<Vec<Uuid>, StoreError> {
        let revoked = entity::Entity::find()
            .select_only()
            .column(entity::Column::Id)
            .filter(entity::Column::RevokedAt.gte(millis(since)))
            .filter(entity::Column::Link.eq(link))
            .into_tuple();
        Ok(revoked.all(self.read()).await?)
    }

    /// Forgets a worker that is not here. What it measured stays, under its name. Returns what it was and
    /// the operations that changed; `None` when there is no such worker.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] while it is online.
    pub async fn remove_worker(
        &self,
        id: Uuid,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<(Worker, Vec<Change>)>, StoreError> {
        let by = by.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                let Some(row) = locked(transaction, id).await? else { return Ok(None) };
                if row.online && row.revoked_at.is_none() {
                    return Err(StoreError::Conflict(format!("{} is online; revoke it first", row.name)));
                }
                let text = format!("{} was deleted by {by}", row.name);
                events::insert(transaction, about(&row, Severity::Info, "worker_deleted", text), now).await?;
                let changes = end_of_worker(transaction, id, "the worker was deleted", now).await?;
                entity::Entity::delete_by_id(id).exec(transaction).await?;
                Ok(Some((worker(row)?, changes)))
            })
        })
        .await
    }

    /// The worker of this name, in letters of either case.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn worker_named(&self, name: &str) -> Result<Option<Worker>, StoreError> {
        named(self.read(), name).await?.map(worker).transpose()
    }
}

/// Said when a name is given back that the worker has not.
const NAMELESS: &str = "the worker has not said a name of its own yet; it needs one";

/// The inner error is one that a person can act on; the outer one is the database's.
async fn change(
    transaction: &DatabaseTransaction,
    id: Uuid,
    edit: Edit,
    by: String,
    now: Timestamp,
) -> Result<Result<Option<Worker>, StoreError>, StoreError> {
    let Some(row) = locked(transaction, id).await? else { return Ok(Ok(None)) };
    let mut overrides: WorkerOverrides = from_text("set of overrides", &row.overrides)?;
    edit(&mut overrides);
    let declared = row.declared.as_deref().map(|text| from_text::<Hello>("hello", text)).transpose()?;
    let mut effective = Effective::of(declared.unwrap_or_default(), &overrides);
    let known: Details = from_text("set of details", &row.details)?;
    effective.details.unknown_queues = known.unknown_queues;
    if effective.name.is_empty() {
        return Ok(Err(StoreError::Conflict(NAMELESS.into())));
    }
    if !effective.name.eq_ignore_ascii_case(&row.name)
        && let Some(taken) = name_taken(transaction, &effective.name).await?
    {
        return Ok(Err(taken));
    }
    let before = Effective::of_row(&row)?;
    let renamed = effective.name != row.name;
    let mut row = row.into_active_model();
    row.overrides = Set(to_text("set of overrides", &overrides)?);
    apply(&mut row, &effective)?;
    let row = row.update(transaction).await?;
    if let Some(what) = history::differences(&before, &effective) {
        let namesake = match renamed {
            true => history::namesake(transaction, id, &row.name).await?,
            false => "",
        };
        let text = format!("{} was changed by {by}: {what}{namesake}", row.name);
        events::insert(transaction, about(&row, Severity::Info, "worker_changed", text), now).await?;
    }
    if row.revoked_at.is_none() {
        set_members(transaction, id, &effective.queues).await?;
    }
    worker(row).map(|worker| Ok(Some(worker)))
}

async fn drain(
    transaction: &DatabaseTransaction,
    row: entity::Model,
    draining: bool,
    by: &str,
    now: Timestamp,
) -> Result<Worker, StoreError> {
    note_draining(transaction, &row, draining, by, now).await?;
    let revision = row.drain_revision.saturating_add(1);
    let mut row = row.into_active_model();
    row.draining = Set(draining);
    row.drain_wanted = Set(draining);
    row.drain_revision = Set(revision);
    worker(row.update(transaction).await?)
}
