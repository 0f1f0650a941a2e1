//! Reading operations and their results.

use std::collections::HashMap;

use jiff::Timestamp;
use netwark_model::operations::{Operation, OperationDetail, OperationResult, Status, StatusCounts};
use sea_orm::entity::prelude::*;
use sea_orm::{DbBackend, FromQueryResult, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use super::entity::{operation, result};
use crate::convert::{from_text, millis, time};
use crate::names::has_text;
use crate::{Store, StoreError};

/// The total of a list is exact up to here.
const COUNTED: u64 = 10_000;

/// Which operations to list.
#[derive(Clone, Debug, Default)]
pub struct OperationFilter {
    /// Only of this status.
    pub status: Option<Status>,
    /// Only of this tool.
    pub tool: Option<String>,
    /// Only with this text in the target, whatever the case of the letters from A to Z.
    pub target: Option<String>,
    /// Only made at or after this time.
    pub created_after: Option<Timestamp>,
    /// Only made before this time.
    pub created_before: Option<Timestamp>,
    /// How many to pass over.
    pub offset: u64,
    /// How many to return.
    pub limit: u64,
}

#[derive(FromQueryResult)]
struct Count {
    operation_id: Uuid,
    status: String,
    number: i64,
}

impl Store {
    /// Operations that fit the filter, newest first, and how many there are (exact to 10,000).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operations(&self, filter: &OperationFilter) -> Result<(Vec<Operation>, u64), StoreError> {
        let query = filtered(self.read().get_database_backend(), filter);
        let total = query
            .clone()
            .select_only()
            .column(operation::Column::Id)
            .limit(COUNTED)
            .count(self.read())
            .await?;
        let rows = query
            .order_by_desc(operation::Column::Id)
            .offset(filter.offset)
            .limit(filter.limit)
            .all(self.read())
            .await?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let counts = self.counts(ids).await?;
        let operations = rows.into_iter().map(|row| {
            let counts = counts.get(&row.id).copied().unwrap_or_default();
            operation(row, counts)
        });
        Ok((operations.collect::<Result<_, _>>()?, total))
    }

    /// How many operations are not final.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_operations(&self) -> Result<u64, StoreError> {
        let open = [Status::Pending.as_str(), Status::Progress.as_str()];
        Ok(operation::Entity::find().filter(operation::Column::Status.is_in(open)).count(self.read()).await?)
    }

    /// One operation without its results.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operation(&self, id: Uuid) -> Result<Option<Operation>, StoreError> {
        let Some(row) = operation::Entity::find_by_id(id).one(self.read()).await? else { return Ok(None) };
        let counts = self.counts(vec![id]).await?;
        operation(row, counts.get(&id).copied().unwrap_or_default()).map(Some)
    }

    /// One operation with the results that changed after `version`; 0 for all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operation_since(
        &self,
        id: Uuid,
        version: i64,
    ) -> Result<Option<OperationDetail>, StoreError> {
        // The operation is read first: a change in between is then seen twice, never missed.
        let Some(operation) = self.operation(id).await? else { return Ok(None) };
        let rows = result::Entity::find()
            .filter(result::Column::OperationId.eq(id))
            .filter(result::Column::Version.gt(version))
            .order_by_asc(result::Column::Id)
            .all(self.read())
            .await?;
        let results = rows.into_iter().map(operation_result).collect::<Result<_, _>>()?;
        Ok(Some(OperationDetail { operation, results }))
    }

    async fn counts(&self, ids: Vec<Uuid>) -> Result<HashMap<Uuid, StatusCounts>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = result::Entity::find()
            .select_only()
            .column(result::Column::OperationId)
            .column(result::Column::Status)
            .column_as(result::Column::Id.count(), "number")
            .filter(result::Column::OperationId.is_in(ids))
            .group_by(result::Column::OperationId)
            .group_by(result::Column::Status)
            .into_model::<Count>()
            .all(self.read())
            .await?;
        let mut counts: HashMap<Uuid, StatusCounts> = HashMap::new();
        for row in rows {
            if let Some(status) = Status::from_word(&row.status) {
                *counts.entry(row.operation_id).or_default().count_mut(status) =
                    u32::try_from(row.number).unwrap_or(0);
            }
        }
        Ok(counts)
    }
}

fn filtered(backend: DbBackend, filter: &OperationFilter) -> Select<operation::Entity> {
    let mut query = operation::Entity::find();
    if let Some(status) = filter.status {
        query = query.filter(operation::Column::Status.eq(status.as_str()));
    }
    if let Some(tool) = &filter.tool {
        query = query.filter(operation::Column::Tool.eq(tool));
    }
    if let Some(target) = &filter.target {
        query = query.filter(has_text(backend, "operations.target", target));
    }
    if let Some(after) = filter.created_after {
        query = query.filter(operation::Column::CreatedAt.gte(millis(after)));
    }
    if let Some(before) = filter.created_before {
        query = query.filter(operation::Column::CreatedAt.lt(millis(before)));
    }
    query
}

fn operation(row: operation::Model, counts: StatusCounts) -> Result<Operation, StoreError> {
    Ok(Operation {
        id: row.id,
        tool: row.tool,
        status: Status::from_word(&row.status).unwrap_or_default(),
        target: row.target,
        options: row.options_sent.as_deref().map(|text| from_text("set of options", text)).transpose()?,
        queues: from_text("list of queues", &row.queues)?,
        created_at: time(row.created_at),
        updated_at: time(row.updated_at),
        finished_at: row.finished_at.map(time),
        typed_options: from_text("set of options", &row.options)?,
        take_within_ms: row.take_within_ms.unsigned_abs(),
        run_within_ms: row.run_within_ms.unsigned_abs(),
        from: row.selector,
        same_workers_as: row.same_workers_as,
        created_by: row.created_by,
        version: row.version,
        counts,
        skipped: from_text("list of skipped workers", &row.skipped)?,
    })
}

fn operation_result(row: result::Model) -> Result<OperationResult, StoreError> {
    Ok(OperationResult {
        id: row.id,
        status: Status::from_word(&row.status).unwrap_or_default(),
        worker: row.worker_name,
        queue: row.queue,
        payload: row.payload.as_deref().map(|text| from_text("payload", text)).transpose()?,
        created_at: time(row.created_at),
        updated_at: time(row.updated_at),
        started_at: row.started_at.map(time),
        finished_at: row.finished_at.map(time),
        late: row.late,
        version: row.version,
    })
}
