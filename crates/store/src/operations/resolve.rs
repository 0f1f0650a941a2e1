//! Who is expected to answer an operation.

use std::collections::{BTreeSet, HashMap, HashSet};

use netwark_model::messages::inbox;
use netwark_model::operations::{SelectedWorker, Selection, Skipped, SkippedWorker};
use netwark_model::selector::{Fleet, Selector, SelectorError};
use netwark_model::workers::WorkerState;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::create::OperationDraft;
use super::entity::{operation, result};
use crate::{Store, StoreError, queues, workers};

/// One expected result.
pub(super) struct Slot {
    /// The queue that asks for it; empty when a selector does.
    pub(super) queue: String,
    /// Who is to answer; whoever takes it when absent.
    pub(super) worker: Option<(Uuid, String)>,
    /// Where its message goes.
    pub(super) address: String,
}

/// What a draft comes to.
pub(super) enum Resolved {
    /// Who is expected to answer, and who is left out.
    Expected {
        /// The expected results.
        slots: Vec<Slot>,
        /// Who takes no work.
        skipped: Vec<Skipped>,
    },
    /// The earlier operation does not exist.
    NoSuchOperation,
    /// A word of the selector stands for nothing.
    Unselectable(SelectorError),
}

/// Gathers who is expected: each worker once, whatever names it.
#[derive(Default)]
struct Expected {
    slots: Vec<Slot>,
    skipped: Vec<Skipped>,
    seen: HashSet<Uuid>,
}

impl Expected {
    fn worker(&mut self, queue: &str, id: Uuid, name: &str, state: WorkerState) {
        if !self.seen.insert(id) {
            return;
        }
        let (queue, name) = (queue.to_owned(), name.to_owned());
        if state == WorkerState::Online {
            self.slots.push(Slot { queue, worker: Some((id, name)), address: inbox(id) });
        } else {
            self.skipped.push(Skipped { worker: name, queue, reason: state });
        }
    }

    fn any_one(&mut self, queue: &str) {
        self.slots.push(Slot { queue: queue.to_owned(), worker: None, address: queue.to_owned() });
    }

    fn done(self) -> Resolved {
        Resolved::Expected { slots: self.slots, skipped: self.skipped }
    }
}

/// Who is expected to answer, and who is left out. A selector that is a plain list of queues becomes the queues of
/// the draft, and `@last` becomes the operation it stands for.
pub(super) async fn resolve(
    transaction: &DatabaseTransaction,
    draft: &mut OperationDraft,
) -> Result<Resolved, StoreError> {
    if let Some(earlier) = draft.same_workers_as {
        return same_workers(transaction, earlier).await;
    }
    if let Some(selector) = &mut draft.selector {
        let queues = queues::kinds(transaction).await?;
        match selector.plain_queues(&queues) {
            Some(plain) => draft.queues = plain,
            None => return selected(transaction, selector, &draft.created_by, queues).await,
        }
    }
    let mut expected = Expected::default();
    if draft.queues.iter().any(|(_, broadcast)| *broadcast) {
        let members = workers::members(transaction).await?;
        for (queue, _) in draft.queues.iter().filter(|(_, broadcast)| *broadcast) {
            for member in members.iter().filter(|member| member.queue == *queue) {
                expected.worker(queue, member.id, &member.name, member.state());
            }
        }
    }
    for (queue, _) in draft.queues.iter().filter(|(_, broadcast)| !broadcast) {
        expected.any_one(queue);
    }
    Ok(expected.done())
}

async fn same_workers(transaction: &DatabaseTransaction, earlier: Uuid) -> Result<Resolved, StoreError> {
    if operation::Entity::find_by_id(earlier).one(transaction).await?.is_none() {
        return Ok(Resolved::NoSuchOperation);
    }
    let results = result::Entity::find()
        .filter(result::Column::OperationId.eq(earlier))
        .order_by_asc(result::Column::Id)
        .all(transaction)
        .await?;
    let workers = workers::facts(transaction).await?;
    let mut expected = Expected::default();
    for row in results {
        if let Some(worker) = workers.iter().find(|worker| Some(worker.id) == row.worker_id) {
            expected.worker(&row.queue, worker.id, &worker.name, worker.state);
        }
    }
    Ok(expected.done())
}

async fn selected(
    transaction: &DatabaseTransaction,
    selector: &mut Selector,
    by: &str,
    queues: Vec<(String, bool)>,
) -> Result<Resolved, StoreError> {
    let fleet = fleet(transaction, selector, by, queues).await?;
    let choice = match selector.choose(&fleet) {
        Ok(choice) => choice,
        Err(error) => return Ok(Resolved::Unselectable(error)),
    };
    let choice = match selector.limit {
        Some(limit) => choice.limited(limit as usize, Uuid::new_v4().as_u64_pair().1),
        None => choice,
    };
    let mut expected = Expected::default();
    for worker in choice.run.into_iter().chain(choice.skipped) {
        expected.worker("", worker.id, &worker.name, worker.state);
    }
    Ok(expected.done())
}

/// Everything a selector is read against. `@last` in it becomes the latest operation of whoever asks.
async fn fleet<C: ConnectionTrait>(
    connection: &C,
    selector: &mut Selector,
    by: &str,
    queues: Vec<(String, bool)>,
) -> Result<Fleet, StoreError> {
    if selector.last().is_some()
        && let Some(last) = last_of(connection, by).await?
    {
        selector.pin(last);
    }
    let operations = workers_of(connection, selector.operations()).await?;
    Ok(Fleet { queues, workers: workers::facts(connection).await?, operations })
}

/// The latest operation of whoever asks.
async fn last_of<C: ConnectionTrait>(connection: &C, by: &str) -> Result<Option<Uuid>, StoreError> {
    let row = operation::Entity::find()
        .select_only()
        .column(operation::Column::Id)
        .filter(operation::Column::CreatedBy.eq(by))
        .order_by_desc(operation::Column::Id)
        .into_tuple::<Uuid>()
        .one(connection)
        .await?;
    Ok(row)
}

#[derive(FromQueryResult)]
struct Ran {
    operation_id: Uuid,
    worker_id: Option<Uuid>,
}

/// Who ran each of these operations; one that does not exist is absent.
async fn workers_of<C: ConnectionTrait>(
    connection: &C,
    ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, BTreeSet<Uuid>>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let there = operation::Entity::find()
        .select_only()
        .column(operation::Column::Id)
        .filter(operation::Column::Id.is_in(ids.iter().copied()))
        .into_tuple::<Uuid>()
        .all(connection)
        .await?;
    let mut workers: HashMap<Uuid, BTreeSet<Uuid>> =
        there.into_iter().map(|id| (id, BTreeSet::new())).collect();
    let rows = result::Entity::find()
        .select_only()
        .columns([result::Column::OperationId, result::Column::WorkerId])
        .filter(result::Column::OperationId.is_in(ids))
        .into_model::<Ran>()
        .all(connection)
        .await?;
    for row in rows {
        if let (Some(workers), Some(worker)) = (workers.get_mut(&row.operation_id), row.worker_id) {
            workers.insert(worker);
        }
    }
    Ok(workers)
}

impl Store {
    /// Who would run an operation that `by` makes with this selector now.
    ///
    /// # Errors
    /// When the database fails. The inner error names the word that stands for nothing.
    pub async fn select_workers(
        &self,
        mut selector: Selector,
        by: &str,
    ) -> Result<Result<Selection, SelectorError>, StoreError> {
        let connection = self.read();
        let queues = queues::kinds(connection).await?;
        let mut selection = Selection {
            from: selector.to_string(),
            workers: Vec::new(),
            direct: Vec::new(),
            skipped: Vec::new(),
            limit: selector.limit,
        };
        if let Some(plain) = selector.plain_queues(&queues) {
            let direct = plain.iter().filter(|(_, broadcast)| !broadcast);
            selection.direct = direct.map(|(queue, _)| queue.clone()).collect();
            let broadcast: Vec<_> =
                plain.iter().filter(|(_, broadcast)| *broadcast).map(|(queue, _)| queue.as_str()).collect();
            let members = workers::facts(connection).await?;
            let members = members.iter().filter(|worker| worker.state != WorkerState::Revoked);
            for worker in members.filter(|w| w.queues.iter().any(|own| broadcast.contains(&own.as_str()))) {
                enter(&mut selection, worker);
            }
            return Ok(Ok(selection));
        }
        let fleet = fleet(connection, &mut selector, by, queues).await?;
        let choice = match selector.choose(&fleet) {
            Ok(choice) => choice,
            Err(error) => return Ok(Err(error)),
        };
        choice.run.into_iter().chain(choice.skipped).for_each(|worker| enter(&mut selection, worker));
        selection.from = selector.to_string();
        Ok(Ok(selection))
    }
}

fn enter(selection: &mut Selection, worker: &netwark_model::selector::Facts) {
    let name = worker.name.clone();
    if worker.state == WorkerState::Online {
        selection.workers.push(SelectedWorker { id: worker.id, name, site: worker.site.clone() });
    } else {
        selection.skipped.push(SkippedWorker { worker: name, reason: worker.state });
    }
}
