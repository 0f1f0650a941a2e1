//! What workers report, applied so that hearing it twice changes nothing.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use netwark_model::messages::End;
use netwark_model::operations::Status;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

use super::entity::result;
use super::{Change, touch};
use crate::convert::{millis, to_text};
use crate::{Store, StoreError, rows};

/// What a worker says of one result.
#[derive(Clone, Debug)]
pub enum ResultNews {
    /// It has begun.
    Started {
        /// The bus says that another worker may have begun it before and went away.
        redelivered: bool,
    },
    /// The latest snapshot.
    Progress {
        /// What is known so far.
        payload: Value,
        /// Mark of the report; a snapshot with a lower one is older.
        mark: u64,
    },
    /// It has ended.
    Final(End),
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It changed the operation.
    Changed(Change),
    /// It was known already, or came too late to matter.
    Known,
    /// It begins what has ended; who says so is told, so that it does not measure for nothing.
    Over,
    /// It speaks of a result that does not exist, or that another worker holds.
    Refused,
}

/// What a worker says of one result, and when it was heard.
#[derive(Clone, Debug)]
pub(crate) struct ResultReport {
    worker_id: Uuid,
    worker_name: String,
    operation_id: Uuid,
    result_id: Uuid,
    news: ResultNews,
    now: i64,
}

impl Store {
    /// Applies what a worker says of one result.
    ///
    /// The first final report of a result wins. One that comes after the result had ended as
    /// `timeout` keeps that status: its payload is stored and the result marked late.
    ///
    /// # Errors
    /// When the database fails; the report can be applied again then.
    pub async fn apply_report(
        &self,
        worker: (Uuid, String),
        operation_id: Uuid,
        result_id: Uuid,
        news: ResultNews,
        now: Timestamp,
    ) -> Result<Applied, StoreError> {
        let (worker_id, worker_name) = worker;
        let report = ResultReport { worker_id, worker_name, operation_id, result_id, news, now: millis(now) };
        self.lanes.apply.ask(report).await.map_err(|error| error.at(&self.place))
    }
}

/// Applies reports in their order.
pub(super) async fn apply(
    transaction: &DatabaseTransaction,
    reports: Vec<ResultReport>,
) -> Result<Vec<Applied>, StoreError> {
    let ids: Vec<Uuid> = reports.iter().map(|report| report.operation_id).collect();
    let mut operations = touch::lock(transaction, &ids).await?;
    let ids: Vec<Uuid> = reports.iter().map(|report| report.result_id).collect();
    let mut results = touch::load(transaction, &ids).await?;
    let members = members(transaction, &reports, &results).await?;
    let mut fates = Vec::with_capacity(reports.len());
    let (mut changed, mut unbegun) = (HashSet::new(), Vec::new());
    for report in &reports {
        let operation = operations.get_mut(&report.operation_id);
        let row = results.get_mut(&report.result_id).filter(|row| row.operation_id == report.operation_id);
        let (Some(operation), Some(row)) = (operation, row) else {
            fates.push(Fate::Refused);
            continue;
        };
        let listens = || members.contains(&(report.worker_id, row.queue.clone()));
        let fate = match fold(row, report, operation.run_within_ms, listens())? {
            Ok(mut after) => {
                if row.started_at.is_none() {
                    unbegun.push(row.id);
                }
                after.version = operation.raise(report.now);
                *row = after;
                changed.insert(report.result_id);
                Fate::Changed
            }
            Err(fate) => fate,
        };
        fates.push(fate);
    }
    let changed: Vec<&result::Model> = results.values().filter(|row| changed.contains(&row.id)).collect();
    touch::store(transaction, &changed, &unbegun, &mut operations).await?;
    let applied =
        reports.iter().zip(fates).map(|(report, fate)| match (fate, operations.get(&report.operation_id)) {
            (Fate::Changed, Some(operation)) => Applied::Changed(operation.change()),
            (Fate::Over, _) => Applied::Over,
            (Fate::Refused, _) => Applied::Refused,
            _ => Applied::Known,
        });
    Ok(applied.collect())
}

/// On which queues those listen who report on a slot that they do not hold yet.
async fn members(
    transaction: &DatabaseTransaction,
    reports: &[ResultReport],
    results: &HashMap<Uuid, result::Model>,
) -> Result<HashSet<(Uuid, String)>, StoreError> {
    let foreign = |report: &&ResultReport| {
        results
            .get(&report.result_id)
            .is_some_and(|row| row.direct && row.worker_id != Some(report.worker_id))
    };
    if !reports.iter().any(|report| foreign(&report)) {
        return Ok(HashSet::new());
    }
    let ids: HashSet<Uuid> = reports.iter().map(|report| report.worker_id).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let backend = transaction.get_database_backend();
    let its = rows::is_id(backend, "worker_id", 1);
    let sql = format!("SELECT worker_id, queue FROM queue_members WHERE {its}");
    let statement = Statement::from_sql_and_values(backend, sql, [rows::id_list(&ids)?]);
    let found = transaction.query_all_raw(statement).await?;
    found.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

/// What becomes of a report, before the operation's own state is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Changed,
    Known,
    Over,
    Refused,
}

/// The result after a report, or why it stays as it is. `listens` tells whether the worker is a member of the
/// queue that asks for the result.
fn fold(
    row: &result::Model,
    report: &ResultReport,
    run_within: i64,
    listens: bool,
) -> Result<Result<result::Model, Fate>, StoreError> {
    let ResultReport { worker_id, worker_name, news, now, .. } = report;
    let status = Status::from_word(&row.status).unwrap_or_default();
    let changes_hands = row.worker_id.is_some_and(|holder| holder != *worker_id);
    if changes_hands {
        // A slot of a direct queue goes to whoever the bus gave the work when its holder went away,
        // and the first who ends it wins. Others have no say.
        let takes_over = match news {
            ResultNews::Started { redelivered } => *redelivered,
            ResultNews::Progress { .. } => false,
            ResultNews::Final(_) => !status.is_final(),
        };
        if !(row.direct && takes_over) {
            return Ok(Err(Fate::Refused));
        }
    }
    if row.direct && row.worker_id != Some(*worker_id) && !listens {
        return Ok(Err(Fate::Refused));
    }
    let mut after = row.clone();
    after.worker_id = Some(*worker_id);
    after.worker_name = Some(worker_name.clone());
    after.updated_at = *now;
    let begin = |after: &mut result::Model| {
        after.started_at = Some(*now);
        after.deadline = Some(now.saturating_add(run_within));
    };
    match (news, status) {
        (ResultNews::Started { .. }, Status::Pending | Status::Progress)
            if status == Status::Pending || changes_hands =>
        {
            after.status = Status::Progress.as_str().into();
            begin(&mut after);
        }
        (ResultNews::Progress { mark, .. }, _) if to_column(*mark) < row.mark => return Ok(Err(Fate::Known)),
        (ResultNews::Progress { payload, mark }, Status::Pending | Status::Progress) => {
            after.mark = to_column(*mark);
            after.status = Status::Progress.as_str().into();
            after.payload = Some(to_text("payload", payload)?);
            if row.started_at.is_none() {
                begin(&mut after);
            }
        }
        (ResultNews::Final(end), Status::Pending | Status::Progress) => {
            let (status, payload) = settled(end)?;
            after.status = status.as_str().into();
            after.payload = payload.or(after.payload);
            after.finished_at = Some(*now);
            after.deadline = None;
            after.started_at = after.started_at.or(Some(*now));
        }
        (ResultNews::Final(end), Status::Timeout) if !row.late => {
            after.payload = settled(end)?.1.or(after.payload);
            after.late = true;
        }
        (ResultNews::Started { .. }, ended) if ended.is_final() => {
            return Ok(Err(if changes_hands { Fate::Refused } else { Fate::Over }));
        }
        _ => return Ok(Err(Fate::Known)),
    }
    Ok(Ok(after))
}

fn to_column(mark: u64) -> i64 {
    i64::try_from(mark).unwrap_or(i64::MAX)
}

/// The status an end means, and what is stored with it.
fn settled(end: &End) -> Result<(Status, Option<String>), StoreError> {
    let (status, payload) = match end {
        End::Done { payload } => (Status::Done, Some(payload)),
        End::Error { cause } => (Status::Error, Some(&json!({ "cause": cause }))),
        End::Timeout { payload } => (Status::Timeout, payload.as_ref()),
        End::Cancelled { payload } => (Status::Cancelled, payload.as_ref()),
    };
    Ok((status, payload.map(|payload| to_text("payload", payload)).transpose()?))
}
