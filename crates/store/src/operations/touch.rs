//! Changing results and, with them, their operations: the lock, the version, and the state that is folded from
//! those of the results.

use std::collections::{BTreeMap, HashMap};

use netwark_model::operations::Status;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult, Statement};
use serde::Serialize;
use uuid::Uuid;

use super::entity::{operation, result};
use super::{Change, outbox};
use crate::{StoreError, rows};

/// An operation that is locked until the commit.
#[derive(FromQueryResult, Serialize)]
pub(super) struct Touched {
    id: Uuid,
    version: i64,
    pub(super) run_within_ms: i64,
    updated_at: i64,
    status: String,
    finished_at: Option<i64>,
    #[serde(skip)]
    #[sea_orm(skip)]
    changed: bool,
}

impl Touched {
    /// Raises the version for a change of a result, and gives it.
    pub(super) fn raise(&mut self, now: i64) -> i64 {
        self.version += 1;
        self.updated_at = now;
        self.changed = true;
        self.version
    }

    /// What others are told, once it is stored.
    pub(super) fn change(&self) -> Change {
        Change { operation_id: self.id, version: self.version, is_final: self.finished_at.is_some() }
    }
}

/// Locks operations in the order of their ids, so that no two servers wait for each other, and two reports about
/// one operation cannot both count the same results. Results are loaded after this.
pub(super) async fn lock(
    transaction: &DatabaseTransaction,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, Touched>, StoreError> {
    let backend = transaction.get_database_backend();
    let sql = format!(
        "SELECT id, version, run_within_ms, updated_at, status, finished_at FROM operations WHERE {} \
         ORDER BY id {}",
        rows::is_id(backend, "id", 1),
        rows::for_update(backend)
    );
    let statement = Statement::from_sql_and_values(backend, sql, [rows::id_list(ids)?]);
    let found = Touched::find_by_statement(statement).all(transaction).await?;
    Ok(found.into_iter().map(|operation| (operation.id, operation)).collect())
}

/// Loads results by their ids.
pub(super) async fn load(
    transaction: &DatabaseTransaction,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, result::Model>, StoreError> {
    let backend = transaction.get_database_backend();
    let sql = format!("SELECT * FROM results WHERE {}", rows::is_id(backend, "id", 1));
    let statement = Statement::from_sql_and_values(backend, sql, [rows::id_list(ids)?]);
    let found = result::Entity::find().from_raw_sql(statement).all(transaction).await?;
    Ok(found.into_iter().map(|row| (row.id, row)).collect())
}

/// Stores changed results, forgets the messages of those that nobody had begun, and folds the states of all results
/// into those of the operations that were raised.
pub(super) async fn store(
    transaction: &DatabaseTransaction,
    changed: &[&result::Model],
    unbegun: &[Uuid],
    operations: &mut BTreeMap<Uuid, Touched>,
) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    let columns = {
        use result::Column::{
            Deadline, FinishedAt, Late, Mark, Payload, StartedAt, Status, UpdatedAt, Version, WorkerId,
            WorkerName,
        };
        [
            WorkerId, WorkerName, Status, Payload, Late, Deadline, UpdatedAt, StartedAt, FinishedAt, Version,
            Mark,
        ]
    };
    let ids: Vec<Uuid> = changed.iter().map(|row| row.id).collect();
    rows::update::<result::Entity>(transaction, &ids, changed, &columns).await?;
    // Those of begun work are forgotten already.
    if !unbegun.is_empty() {
        outbox::forget(transaction, unbegun).await?;
    }

    let raised: Vec<Uuid> =
        operations.values().filter(|operation| operation.changed).map(|operation| operation.id).collect();
    let mut states = states(transaction, &raised).await?;
    for id in &raised {
        let Some(operation) = operations.get_mut(id) else { continue };
        let status = Status::of_operation(states.remove(id).unwrap_or_default());
        operation.status = status.as_str().into();
        // A late report changes a result of an operation that has ended, but not when that was.
        operation.finished_at =
            status.is_final().then(|| operation.finished_at.unwrap_or(operation.updated_at));
    }
    let touched: Vec<&Touched> = operations.values().filter(|operation| operation.changed).collect();
    let columns = {
        use operation::Column::{FinishedAt, Status, UpdatedAt, Version};
        [Version, UpdatedAt, Status, FinishedAt]
    };
    rows::update::<operation::Entity>(transaction, &raised, &touched, &columns).await
}

/// The states of all results of these operations.
async fn states(
    transaction: &DatabaseTransaction,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Status>>, StoreError> {
    let backend = transaction.get_database_backend();
    let sql = format!(
        "SELECT operation_id, status, count(*) FROM results WHERE {} GROUP BY operation_id, status",
        rows::is_id(backend, "operation_id", 1)
    );
    let counts = Statement::from_sql_and_values(backend, sql, [rows::id_list(ids)?]);
    let mut found: HashMap<Uuid, Vec<Status>> = HashMap::new();
    for row in transaction.query_all_raw(counts).await? {
        let (id, word, count): (Uuid, String, i64) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        let status = Status::from_word(&word).unwrap_or_default();
        let times = usize::try_from(count).unwrap_or_default();
        found.entry(id).or_default().extend(std::iter::repeat_n(status, times));
    }
    Ok(found)
}
