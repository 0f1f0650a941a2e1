//! Standing orders: who holds which, for how long, and who is next.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use netwark_model::assignments::{Assignment, AssignmentChange};
use netwark_model::selector::{Facts, Fleet, Selector};
use netwark_model::workers::WorkerState;
use sea_orm::entity::prelude::*;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, ExprTrait, IntoActiveModel, QueryOrder,
    QuerySelect, Set,
};
use serde_json::Value;
use uuid::Uuid;

use crate::convert::{duration, from_text, millis, to_text};
use crate::{Store, StoreError, queues, workers};

/// Most standing orders of one worker; all of them fit into one message. A long one counts as several.
const MOST_HELD: usize = 1_000;
/// Bytes of what a kind needs to know that count as one order.
const SHORT_BODY: usize = 500;
/// Epochs of an order whose holders are known; reports of earlier ones are refused.
const EPOCHS: i64 = 1_000;
/// Most bytes of what a kind needs to know.
const LONGEST_BODY: usize = 5_000;

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "assignments")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub kind: String,
        #[sea_orm(column_type = "Text")]
        pub body: String,
        pub every_ms: i64,
        #[sea_orm(column_type = "Text")]
        pub selector: String,
        pub holder: Option<Uuid>,
        pub successor: Option<Uuid>,
        pub epoch: i64,
        pub lease_until: Option<i64>,
        pub created_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who held an order in which epoch.
mod past {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "assignment_epochs")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub assignment_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub epoch: i64,
        pub holder: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A standing order that is to be made.
#[derive(Clone, Debug)]
pub struct AssignmentDraft {
    /// Its id.
    pub id: Uuid,
    /// What is to be done.
    pub kind: String,
    /// How often, in milliseconds.
    pub every_ms: u64,
    /// What the kind needs to know, at most 5,000 bytes.
    pub body: Value,
    /// Who may hold it.
    pub selector: Selector,
}

/// Who holds a standing order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The worker; none before one fits.
    pub holder: Option<Uuid>,
    /// The worker that gets it next.
    pub successor: Option<Uuid>,
    /// The epoch.
    pub epoch: u64,
}

/// What the leader has moved, and who is to be told.
pub type Touched = BTreeSet<Uuid>;

impl Store {
    /// Makes a standing order; the leader finds a holder for it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it cannot be one, or exists.
    pub async fn create_assignment(&self, draft: AssignmentDraft, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |transaction| Box::pin(async move { create(transaction, draft, now).await })).await
    }

    /// Removes a standing order; returns who held it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_assignment(&self, id: Uuid) -> Result<Option<Uuid>, StoreError> {
        self.write(move |transaction| Box::pin(remove(transaction, id))).await
    }

    /// Who holds a standing order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holding(&self, id: Uuid) -> Result<Option<Holding>, StoreError> {
        let row = entity::Entity::find_by_id(id).one(self.read()).await?;
        Ok(row.map(|row| Holding { holder: row.holder, successor: row.successor, epoch: epoch(&row) }))
    }

    /// Everything a worker has to hold, and the revision of that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn standing_orders(&self, worker: Uuid) -> Result<AssignmentChange, StoreError> {
        // The revision first: what is held may be newer then, and comes again with its own revision.
        let revision = self.standing_revision(worker).await?;
        let rows = entity::Entity::find()
            .filter(entity::Column::Holder.eq(worker))
            .filter(entity::Column::Successor.is_null())
            .order_by_asc(entity::Column::Id)
            .all(self.read())
            .await?;
        let held = rows.into_iter().map(assignment).collect::<Result<_, _>>()?;
        Ok(AssignmentChange { revision, complete: true, held, released: Vec::new() })
    }

    /// The revision of what a worker has to hold; 0 when it never held anything.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn standing_revision(&self, worker: Uuid) -> Result<u64, StoreError> {
        let revision: Option<i64> = workers::entity::Entity::find_by_id(worker)
            .select_only()
            .column(workers::entity::Column::Revision)
            .into_tuple()
            .one(self.read())
            .await?;
        Ok(revision.and_then(|revision| u64::try_from(revision).ok()).unwrap_or(0))
    }

    /// Extends what a worker holds, when it says that it has this very revision.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn extend_leases(
        &self,
        worker: Uuid,
        revision: u64,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        if self.standing_revision(worker).await? != revision {
            return Ok(false);
        }
        self.write(move |transaction| {
            Box::pin(async move {
                entity::Entity::update_many()
                    .col_expr(entity::Column::LeaseUntil, Expr::value(millis(until)))
                    .filter(entity::Column::Holder.eq(worker))
                    .filter(entity::Column::Successor.is_null())
                    .exec(transaction)
                    .await?;
                Ok(true)
            })
        })
        .await
    }

    /// Begins new epochs for all a worker holds, because it has lost its numbers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_epochs(&self, worker: Uuid) -> Result<(), StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                let its = entity::Column::Holder.eq(worker);
                let rows = entity::Entity::find()
                    .filter(its.clone())
                    .order_by_asc(entity::Column::Id)
                    .lock_exclusive()
                    .all(transaction)
                    .await?;
                if rows.is_empty() {
                    return Ok(());
                }
                entity::Entity::update_many()
                    .col_expr(entity::Column::Epoch, Expr::col(entity::Column::Epoch).add(1))
                    .filter(its)
                    .exec(transaction)
                    .await?;
                for row in rows {
                    begin_epoch(transaction, row.id, row.epoch.saturating_add(1), worker).await?;
                }
                raise(transaction, &Touched::from([worker])).await
            })
        })
        .await
    }

    /// A worker has let an order go, which it held in this epoch: it moves to its successor at once,
    /// with a lease that ends at `until`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_assignment(
        &self,
        worker: Uuid,
        id: Uuid,
        released: u64,
        until: Timestamp,
    ) -> Result<Touched, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                let row = entity::Entity::find_by_id(id).lock_exclusive().one(transaction).await?;
                let mut touched = Touched::new();
                if let Some(row) = row
                    && row.holder == Some(worker)
                    && released >= epoch(&row)
                    && let Some(successor) = row.successor
                {
                    give(transaction, row, successor, until, &mut touched).await?;
                    raise(transaction, &touched).await?;
                }
                Ok(touched)
            })
        })
        .await
    }

    /// Finds a holder for every order that has none, whose holder was silent past its lease, or
    /// whose holder should not have it any more; new leases end at `until`. Returns whom that touched.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn place_assignments(&self, until: Timestamp, now: Timestamp) -> Result<Touched, StoreError> {
        if entity::Entity::find().count(self.read()).await? == 0 {
            return Ok(Touched::new());
        }
        self.write(move |transaction| Box::pin(place(transaction, until, now))).await
    }
}

/// Makes a standing order in the transaction of what it belongs to.
pub(crate) async fn create(
    transaction: &DatabaseTransaction,
    draft: AssignmentDraft,
    now: Timestamp,
) -> Result<(), StoreError> {
    check(&draft.selector)?;
    let row = entity::ActiveModel {
        id: Set(draft.id),
        kind: Set(draft.kind),
        body: Set(body(&draft.body)?),
        every_ms: Set(duration(draft.every_ms)),
        selector: Set(draft.selector.to_string()),
        holder: Set(None),
        successor: Set(None),
        epoch: Set(0),
        lease_until: Set(None),
        created_at: Set(millis(now)),
    };
    entity::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}

/// Changes a standing order in the transaction of what it belongs to; returns who holds it, who begins a new epoch.
/// The kind stays.
pub(crate) async fn change(
    transaction: &DatabaseTransaction,
    draft: AssignmentDraft,
) -> Result<Option<Uuid>, StoreError> {
    check(&draft.selector)?;
    let row = entity::Entity::find_by_id(draft.id).lock_exclusive().one(transaction).await?;
    let Some(row) = row else { return Ok(None) };
    let (body, every_ms, selector) =
        (body(&draft.body)?, duration(draft.every_ms), draft.selector.to_string());
    if (&row.body, row.every_ms, &row.selector) == (&body, every_ms, &selector) {
        return Ok(row.holder);
    }
    let (holder, next) = (row.holder, row.epoch.saturating_add(1));
    let mut change = row.into_active_model();
    change.body = Set(body);
    change.every_ms = Set(every_ms);
    change.selector = Set(selector);
    if let Some(holder) = holder {
        begin_epoch(transaction, draft.id, next, holder).await?;
        change.epoch = Set(next);
        change.update(transaction).await?;
        raise(transaction, &Touched::from([holder])).await?;
    } else {
        change.update(transaction).await?;
    }
    Ok(holder)
}

/// Removes a standing order in the transaction of what it belongs to; returns who held it.
pub(crate) async fn remove(transaction: &DatabaseTransaction, id: Uuid) -> Result<Option<Uuid>, StoreError> {
    let row = entity::Entity::find_by_id(id).lock_exclusive().one(transaction).await?;
    let holder = row.and_then(|row| row.holder);
    entity::Entity::delete_by_id(id).exec(transaction).await?;
    if let Some(holder) = holder {
        raise(transaction, &Touched::from([holder])).await?;
    }
    Ok(holder)
}

fn check(selector: &Selector) -> Result<(), StoreError> {
    if selector.last().is_some() || !selector.operations().is_empty() {
        return Err(StoreError::Conflict("a standing order cannot follow an operation".into()));
    }
    Ok(())
}

fn body(body: &Value) -> Result<String, StoreError> {
    let body = to_text("standing order", body)?;
    if body.len() > LONGEST_BODY {
        return Err(StoreError::Conflict(format!("a standing order has at most {LONGEST_BODY} bytes")));
    }
    Ok(body)
}

/// Whether a worker may report on an order in an epoch: none when there is no such order or it did not
/// hold it in that epoch, else whether it holds it in that epoch now, and what kind of order it is.
pub(crate) async fn knows(
    transaction: &DatabaseTransaction,
    id: Uuid,
    said: u64,
    worker: Uuid,
) -> Result<Option<(bool, String)>, StoreError> {
    let Some(row) = entity::Entity::find_by_id(id).one(transaction).await? else { return Ok(None) };
    if row.holder == Some(worker) && said == epoch(&row) {
        return Ok(Some((true, row.kind)));
    }
    let Ok(said) = i64::try_from(said) else { return Ok(None) };
    let held = past::Entity::find_by_id((id, said)).one(transaction).await?;
    Ok(held.is_some_and(|held| held.holder == worker).then_some((false, row.kind)))
}

/// Writes down who holds an order from now on.
async fn begin_epoch(
    transaction: &DatabaseTransaction,
    id: Uuid,
    epoch: i64,
    holder: Uuid,
) -> Result<(), StoreError> {
    past::Entity::delete_many()
        .filter(past::Column::AssignmentId.eq(id))
        .filter(past::Column::Epoch.lte(epoch.saturating_sub(EPOCHS)))
        .exec(transaction)
        .await?;
    let row = past::ActiveModel { assignment_id: Set(id), epoch: Set(epoch), holder: Set(holder) };
    past::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}

fn epoch(row: &entity::Model) -> u64 {
    u64::try_from(row.epoch).unwrap_or(0)
}

fn assignment(row: entity::Model) -> Result<Assignment, StoreError> {
    Ok(Assignment {
        id: row.id,
        epoch: epoch(&row),
        body: from_text("standing order", &row.body)?,
        kind: row.kind,
        every_ms: u64::try_from(row.every_ms).unwrap_or(0),
    })
}

async fn place(
    transaction: &DatabaseTransaction,
    until: Timestamp,
    now: Timestamp,
) -> Result<Touched, StoreError> {
    let rows =
        entity::Entity::find().order_by_asc(entity::Column::Id).lock_exclusive().all(transaction).await?;
    let fleet = Fleet {
        queues: queues::kinds(transaction).await?,
        workers: workers::facts(transaction).await?,
        operations: HashMap::new(),
    };
    let mut loads: HashMap<Uuid, usize> = HashMap::new();
    for row in &rows {
        row.successor
            .or(row.holder)
            .into_iter()
            .for_each(|worker| *loads.entry(worker).or_default() += weight(row));
    }
    let mut touched = Touched::new();
    for row in rows {
        let fits = fitting(&row, &fleet);
        let next = fits
            .iter()
            .filter(|worker| worker.state == WorkerState::Online && Some(worker.id) != row.holder)
            .map(|worker| (loads.get(&worker.id).copied().unwrap_or(0), worker.id))
            .filter(|(load, _)| load + weight(&row) <= MOST_HELD)
            .min()
            .map(|(_, worker)| worker);
        let Some(next) = next else { continue };
        let silent = row.lease_until.is_none_or(|lease| lease < millis(now));
        let moves_now = match row.holder {
            None => true,
            Some(_) if silent => true,
            Some(holder) => !fleet
                .workers
                .iter()
                .any(|worker| worker.id == holder && worker.state != WorkerState::Revoked),
        };
        // A holder that drains, or fits no more, is asked to let go; one that is only away has its lease.
        let stays =
            fits.iter().any(|worker| Some(worker.id) == row.holder && worker.state != WorkerState::Draining);
        if moves_now {
            *loads.entry(next).or_default() += weight(&row);
            give(transaction, row, next, until, &mut touched).await?;
        } else if !stays && row.successor.is_none() {
            *loads.entry(next).or_default() += weight(&row);
            touched.extend(row.holder);
            let mut change = row.into_active_model();
            change.successor = Set(Some(next));
            change.update(transaction).await?;
        }
    }
    raise(transaction, &touched).await?;
    Ok(touched)
}

/// As how many short orders one counts.
fn weight(row: &entity::Model) -> usize {
    row.body.len().div_ceil(SHORT_BODY).max(1)
}

/// Who may hold an order.
fn fitting<'a>(row: &entity::Model, fleet: &'a Fleet) -> Vec<&'a Facts> {
    let chosen = match Selector::parse(&row.selector) {
        Ok(selector) => selector.choose(fleet),
        Err(error) => Err(error),
    };
    match chosen {
        Ok(choice) => choice.run.into_iter().chain(choice.skipped).collect(),
        Err(error) => {
            // A queue or a site may be gone for now; who holds the order goes on.
            tracing::warn!(assignment = %row.id, %error, "a standing order fits nobody");
            fleet.workers.iter().filter(|worker| Some(worker.id) == row.holder).collect()
        }
    }
}

/// Gives an order to a worker in a new epoch.
async fn give(
    transaction: &DatabaseTransaction,
    row: entity::Model,
    to: Uuid,
    until: Timestamp,
    touched: &mut Touched,
) -> Result<(), StoreError> {
    touched.extend(row.holder);
    touched.insert(to);
    let next = row.epoch.saturating_add(1);
    begin_epoch(transaction, row.id, next, to).await?;
    let mut change = row.into_active_model();
    change.holder = Set(Some(to));
    change.successor = Set(None);
    change.epoch = Set(next);
    change.lease_until = Set(Some(millis(until)));
    change.update(transaction).await?;
    Ok(())
}

/// Counts a change of what these workers hold.
async fn raise<C: ConnectionTrait>(connection: &C, touched: &Touched) -> Result<(), StoreError> {
    use workers::entity::{Column, Entity};
    if touched.is_empty() {
        return Ok(());
    }
    Entity::update_many()
        .col_expr(Column::Revision, Expr::col(Column::Revision).add(1))
        .filter(Column::Id.is_in(touched.iter().copied()))
        .exec(connection)
        .await?;
    Ok(())
}
