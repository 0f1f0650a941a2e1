//! Workers come, stay and go.

use jiff::Timestamp;
use netwark_model::events::Severity;
use netwark_model::messages::{Alive, Hello};
use netwark_model::workers::WorkerOverrides;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, ExprTrait, IntoActiveModel, Set};
use uuid::Uuid;

use super::enrol::locked;
use super::{DrainOrder, Effective, entity, history, member};
use crate::convert::{from_text, millis, to_text};
use crate::events::{self, NewEvent};
use crate::{Store, StoreError};

/// A hello, and how it came.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The worker.
    pub id: Uuid,
    /// What it says of itself; its queues by full name.
    pub hello: Hello,
    /// Queues it asks for that there are not, by full name.
    pub unknown_queues: Vec<String>,
    /// How it reaches the server: `embedded`, `websocket` or `amqp`.
    pub link: &'static str,
    /// The mark of the report; 0 when the way it came makes repeating impossible.
    pub mark: u64,
    /// The bus gives it out again: it is taken in a second time, unless something was heard since.
    pub again: bool,
    /// Enter the worker when it is not known. Only for workers that need no enrolment.
    pub enter: bool,
}

/// How a worker is greeted.
#[derive(Clone, Debug, PartialEq)]
pub enum Greeting {
    /// It belongs to the installation.
    Welcome {
        /// The name that counts.
        name: String,
        /// Queues it may listen on.
        queues: Vec<String>,
        /// An administrator wants it to take no new work.
        drain: DrainOrder,
        /// Revision of its standing orders.
        revision: u64,
    },
    /// An administrator revoked it.
    Revoked,
    /// Nobody enrolled it.
    Unknown,
    /// The report was said before.
    Replayed,
}

/// What is known of a worker that says it is still here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It belongs to the installation and has said hello.
    Known,
    /// An administrator revoked it.
    Revoked,
    /// It has to say hello first.
    Unknown,
    /// The report was said before.
    Replayed,
}

impl Store {
    /// Takes in a worker that says hello; it is online then.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another worker has its name.
    pub async fn worker_hello(&self, arrival: Arrival, now: Timestamp) -> Result<Greeting, StoreError> {
        let name = arrival.hello.name.clone();
        let greeted = self.write(move |transaction| Box::pin(greet(transaction, arrival, now))).await;
        greeted.map_err(|error| match error {
            StoreError::Conflict(_) => StoreError::Conflict(format!("another worker is named '{name}'")),
            other => other,
        })
    }

    /// Notes that a worker is still here, and how it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn worker_alive(
        &self,
        id: Uuid,
        alive: Alive,
        mark: u64,
        now: Timestamp,
    ) -> Result<Presence, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                let row = match presence(transaction, id, mark).await? {
                    Ok(row) => row,
                    Err(presence) => return Ok(presence),
                };
                if !row.online {
                    let text = format!("{} is online again", row.name);
                    events::insert(transaction, about(&row, Severity::Ok, "worker_online", text), now)
                        .await?;
                }
                let own = own_wish(&row, alive.draining, alive.drain_revision);
                let draining = own.map_or(row.draining, |own| own || row.drain_wanted);
                note_draining(transaction, &row, draining, "the worker itself", now).await?;
                let mut change = row.into_active_model();
                change.draining = Set(draining);
                change.online = Set(true);
                change.running = Set(i32::try_from(alive.running).unwrap_or(i32::MAX));
                change.vitals = Set(to_text("set of vitals", &alive)?);
                change.last_seen_at = Set(millis(now));
                noted(&mut change, mark);
                change.update(transaction).await?;
                Ok(Presence::Known)
            })
        })
        .await
    }

    /// Notes that a worker has gone on purpose.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn worker_gone(&self, id: Uuid, mark: u64, now: Timestamp) -> Result<Presence, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                let row = match presence(transaction, id, mark).await? {
                    Ok(row) => row,
                    Err(presence) => return Ok(presence),
                };
                if row.online {
                    let text = format!("{} was stopped", row.name);
                    events::insert(transaction, about(&row, Severity::Info, "worker_offline", text), now)
                        .await?;
                }
                let mut change = row.into_active_model();
                change.online = Set(false);
                change.running = Set(0);
                noted(&mut change, mark);
                change.update(transaction).await?;
                Ok(Presence::Known)
            })
        })
        .await
    }

    /// Notes as gone every worker that was not heard of since `before`. Returns their names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn workers_silent_since(
        &self,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        let silent = entity::Column::LastSeenAt.lt(millis(before)).and(entity::Column::Online.eq(true));
        self.gone_silent(silent, "nothing heard", now).await
    }

    /// Notes a worker as gone whose link was lost at `lost`, unless it was heard of since then. Returns its name when
    /// it was noted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn worker_lost(
        &self,
        id: Uuid,
        lost: Timestamp,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let silent = entity::Column::LastSeenAt
            .lte(millis(lost))
            .and(entity::Column::Online.eq(true))
            .and(entity::Column::Id.eq(id));
        Ok(self.gone_silent(silent, "its link was lost, nothing heard", now).await?.pop())
    }

    async fn gone_silent(
        &self,
        silent: SimpleExpr,
        how: &'static str,
        now: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        if entity::Entity::find().filter(silent.clone()).count(self.read()).await? == 0 {
            return Ok(Vec::new());
        }
        self.write(move |transaction| {
            Box::pin(async move {
                let rows = entity::Entity::find().filter(silent.clone()).all(transaction).await?;
                entity::Entity::update_many()
                    .col_expr(entity::Column::Online, Expr::value(false))
                    .col_expr(entity::Column::Running, Expr::value(0))
                    .filter(silent)
                    .exec(transaction)
                    .await?;
                for row in &rows {
                    let since = millis(now).saturating_sub(row.last_seen_at) / 1000;
                    let text = format!("{} is offline: {how} for {since} s", row.name);
                    let event = about(row, Severity::Warning, "worker_offline", text);
                    events::insert(transaction, event, now).await?;
                }
                Ok(rows.into_iter().map(|row| row.name).collect())
            })
        })
        .await
    }
}

/// The row of a worker that speaks, or why it is not listened to.
pub(super) async fn presence(
    transaction: &DatabaseTransaction,
    id: Uuid,
    mark: u64,
) -> Result<Result<entity::Model, Presence>, StoreError> {
    let Some(row) = locked(transaction, id).await? else { return Ok(Err(Presence::Unknown)) };
    Ok(if row.revoked_at.is_some() {
        Err(Presence::Revoked)
    } else if is_replayed(&row, mark) {
        Err(Presence::Replayed)
    } else if row.declared.is_none() {
        Err(Presence::Unknown)
    } else {
        Ok(row)
    })
}

/// What a worker wants by itself; none when it does not say, or said it before the latest order reached it.
fn own_wish(row: &entity::Model, draining: Option<bool>, followed: Option<u64>) -> Option<bool> {
    let is_current = followed.unwrap_or(0) >= DrainOrder::of(row).revision;
    draining.filter(|_| is_current)
}

/// Writes down that a worker takes no new work, or takes work again, when that is new.
pub(super) async fn note_draining(
    transaction: &DatabaseTransaction,
    row: &entity::Model,
    draining: bool,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    if row.draining == draining {
        return Ok(());
    }
    let (kind, text) = match draining {
        true => ("worker_drained", format!("{} takes no new work, as {by} wants it", row.name)),
        false => ("worker_resumed", format!("{} takes work again, as {by} wants it", row.name)),
    };
    events::insert(transaction, about(row, Severity::Info, kind, text), now).await
}

fn is_replayed(row: &entity::Model, mark: u64) -> bool {
    mark != 0 && i64::try_from(mark).is_ok_and(|mark| mark <= row.mark)
}

/// True when nothing was heard since the report with this mark.
fn is_latest(row: &entity::Model, mark: u64) -> bool {
    i64::try_from(mark).is_ok_and(|mark| mark == row.mark)
}

pub(super) fn noted(change: &mut entity::ActiveModel, mark: u64) {
    if mark != 0 {
        change.mark = Set(i64::try_from(mark).unwrap_or(i64::MAX));
    }
}

pub(super) fn about(row: &entity::Model, severity: Severity, kind: &'static str, text: String) -> NewEvent {
    NewEvent::new(severity, kind, Some((row.id, row.name.clone())), text)
}

async fn greet(
    transaction: &DatabaseTransaction,
    arrival: Arrival,
    now: Timestamp,
) -> Result<Greeting, StoreError> {
    let Arrival { id, hello, unknown_queues, link, mark, again, enter } = arrival;
    // Locked, so that an administrator who changes or revokes the worker at this moment is not undone.
    let known = locked(transaction, id).await?;
    match &known {
        None if !enter => return Ok(Greeting::Unknown),
        Some(row) if row.revoked_at.is_some() => return Ok(Greeting::Revoked),
        Some(row) if is_replayed(row, mark) && !(again && is_latest(row, mark)) => {
            return Ok(Greeting::Replayed);
        }
        _ => {}
    }
    let overrides: WorkerOverrides = match &known {
        Some(row) => from_text("set of overrides", &row.overrides)?,
        None => WorkerOverrides::default(),
    };
    let mut effective = Effective::of(hello.clone(), &overrides);
    effective.details.unknown_queues = unknown_queues;
    let drain = known.as_ref().map(DrainOrder::of).unwrap_or_default();
    // A new life knows no order yet, and one that went without goodbye may have wanted something else.
    let is_older = hello.drain_revision.is_some_and(|followed| followed < drain.revision);
    let draining = drain.draining || (hello.draining && !is_older);
    if let Some(row) = &known {
        note_draining(transaction, row, draining, "the worker itself", now).await?;
    }
    let earlier = known.as_ref().map(|row| row.name.clone()).filter(|name| *name != effective.name);
    let revision = known.as_ref().map_or(0, |row| row.revision);
    let was_online = known.as_ref().is_some_and(|row| row.online);
    let is_new = known.is_none();
    let mut row = known.map_or_else(
        || entity::ActiveModel {
            id: Set(id),
            created_at: Set(millis(now)),
            overrides: Set("{}".into()),
            vitals: Set("{}".into()),
            mark: Set(0),
            ..Default::default()
        },
        IntoActiveModel::into_active_model,
    );
    row.declared = Set(Some(to_text("hello", &hello)?));
    row.version = Set(hello.version);
    row.capabilities = Set(to_text("list of capabilities", &hello.capabilities)?);
    row.policy = Set(hello.policy);
    row.embedded = Set(hello.embedded);
    row.link = Set(link.into());
    row.online = Set(true);
    row.running = Set(0);
    row.last_seen_at = Set(millis(now));
    row.draining = Set(draining);
    noted(&mut row, mark);
    apply(&mut row, &effective)?;
    let row = if is_new { row.insert(transaction).await? } else { row.update(transaction).await? };
    set_members(transaction, id, &effective.queues).await?;
    if let Some(earlier) = earlier {
        let namesake = history::namesake(transaction, id, &row.name).await?;
        let text = format!("{} was named {earlier} until now, as it says itself{namesake}", row.name);
        events::insert(transaction, about(&row, Severity::Info, "worker_renamed", text), now).await?;
    }
    if !was_online {
        let text = format!("{} is online", row.name);
        events::insert(transaction, about(&row, Severity::Ok, "worker_online", text), now).await?;
    }
    let revision = u64::try_from(revision).unwrap_or(0);
    Ok(Greeting::Welcome { name: effective.name, queues: effective.queues, drain, revision })
}

/// Writes what counts into the columns that are searched and shown.
pub(super) fn apply(row: &mut entity::ActiveModel, effective: &Effective) -> Result<(), StoreError> {
    row.name = Set(effective.name.clone());
    row.site = Set(effective.site.clone());
    row.location = Set(effective.location.clone());
    row.tags = Set(to_text("list of tags", &effective.tags)?);
    row.queues = Set(to_text("list of queues", &effective.queues)?);
    row.details = Set(to_text("set of details", &effective.details)?);
    Ok(())
}

/// Makes a worker a member of exactly these queues.
pub(super) async fn set_members(
    transaction: &DatabaseTransaction,
    id: Uuid,
    queues: &[String],
) -> Result<(), StoreError> {
    member::Entity::delete_many().filter(member::Column::WorkerId.eq(id)).exec(transaction).await?;
    let rows: Vec<_> = queues
        .iter()
        .map(|queue| member::ActiveModel { queue: Set(queue.clone()), worker_id: Set(id) })
        .collect();
    if !rows.is_empty() {
        member::Entity::insert_many(rows).exec_without_returning(transaction).await?;
    }
    Ok(())
}
