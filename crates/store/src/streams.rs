//! What standing orders bring: numbered reports, applied once and in order, however they come.

use jiff::Timestamp;
use netwark_model::assignments::StreamReport;
use netwark_model::events::Severity;
use netwark_model::watch::SWEEP;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, IntoActiveModel, QueryOrder, QuerySelect, Set};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::convert::{from_text, millis, to_text};
use crate::events::{self, NewEvent};
use crate::watch::{self, Vendors};
use crate::{Store, StoreError, assignments};

/// How far in front of what is applied a report may wait, so that no more of them wait for one stream.
const MOST_HELD: u64 = 10_000;
/// Reports that are read at once when those they waited for are there.
const PAGE: u64 = 500;

/// What a worker says of a stream.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamNews {
    /// One report.
    Report(StreamReport),
    /// Reports that will never come.
    Gap {
        /// The stream.
        stream: Uuid,
        /// The epoch they were made in.
        epoch: u64,
        /// The first number that is missing.
        from: u64,
        /// The last number that is missing.
        to: u64,
        /// Why.
        reason: String,
    },
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamApplied {
    /// These reports are stored now, in their order. They may raise events when they are current:
    /// of the epoch in which the worker holds the order.
    Applied {
        /// The reports.
        reports: Vec<StreamReport>,
        /// True when the worker holds the order in this epoch.
        is_current: bool,
        /// How many events they raised.
        events: usize,
    },
    /// It was known already.
    Known,
    /// It waits for an earlier one.
    Held,
    /// It is too far in front to wait for earlier ones.
    Full,
    /// There is no such order, or the worker never held it in this epoch.
    Refused,
}

/// How far a stream has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamState {
    /// Everything up to here was applied or is missing for good.
    pub applied: u64,
    /// Reports that were applied.
    pub received: u64,
    /// Reports that are missing for good.
    pub missing: u64,
    /// Ranges that are missing, with the reasons.
    pub gaps: Vec<(u64, u64, String)>,
}

/// What is held until it is its turn.
#[derive(Serialize, Deserialize)]
enum Held {
    Report(StreamReport),
    Gap { to: u64, reason: String },
}

mod stream {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "streams")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub worker_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub stream: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub epoch: i64,
        pub applied: i64,
        pub received: i64,
        pub missing: i64,
        #[sea_orm(column_type = "Text", nullable)]
        pub latest: Option<String>,
        pub updated_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod held {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "held_reports")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub worker_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub stream: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub epoch: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub sequence: i64,
        #[sea_orm(column_type = "Text")]
        pub body: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod gap {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "stream_gaps")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub worker_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub stream: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub epoch: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub first: i64,
        pub last: i64,
        #[sea_orm(column_type = "Text")]
        pub reason: String,
        pub at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl Store {
    /// Applies what a worker says of a stream; what comes early is held until it is its turn.
    ///
    /// # Errors
    /// When the database fails; it can be applied again then.
    pub async fn apply_stream(
        &self,
        worker: (Uuid, String),
        news: StreamNews,
        now: Timestamp,
    ) -> Result<StreamApplied, StoreError> {
        self.apply_stream_with(worker, news, Vendors::default(), now).await
    }

    /// The same, by one who knows to whom hardware addresses are assigned.
    ///
    /// # Errors
    /// When the database fails; it can be applied again then.
    pub async fn apply_stream_with(
        &self,
        worker: (Uuid, String),
        news: StreamNews,
        vendors: Vendors,
        now: Timestamp,
    ) -> Result<StreamApplied, StoreError> {
        self.write(move |transaction| Box::pin(apply(transaction, worker, news, vendors, now))).await
    }

    /// How far a worker's stream has come in an epoch; none before its first report.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stream_state(
        &self,
        worker_id: Uuid,
        stream: Uuid,
        epoch: u64,
    ) -> Result<Option<StreamState>, StoreError> {
        let key = (worker_id, stream, column(epoch));
        let Some(row) = stream::Entity::find_by_id(key).one(self.read()).await? else { return Ok(None) };
        let gaps = gap::Entity::find()
            .filter(gap::Column::WorkerId.eq(worker_id))
            .filter(gap::Column::Stream.eq(stream))
            .filter(gap::Column::Epoch.eq(column(epoch)))
            .order_by_asc(gap::Column::First)
            .limit(PAGE)
            .all(self.read())
            .await?;
        Ok(Some(StreamState {
            applied: number(row.applied),
            received: number(row.received),
            missing: number(row.missing),
            gaps: gaps.into_iter().map(|gap| (number(gap.first), number(gap.last), gap.reason)).collect(),
        }))
    }
}

/// A number as a column holds it.
fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn number(column: i64) -> u64 {
    u64::try_from(column).unwrap_or(0)
}

/// A stream that is locked until the commit, and what was applied to it.
struct Turn<'t> {
    transaction: &'t DatabaseTransaction,
    worker: (Uuid, String),
    row: stream::Model,
    reports: Vec<StreamReport>,
    now: Timestamp,
}

async fn apply(
    transaction: &DatabaseTransaction,
    worker: (Uuid, String),
    news: StreamNews,
    vendors: Vendors,
    now: Timestamp,
) -> Result<StreamApplied, StoreError> {
    let (stream, epoch, first, entry) = match news {
        StreamNews::Report(report) => (report.stream, report.epoch, report.sequence, Held::Report(report)),
        StreamNews::Gap { stream, epoch, from, to, reason } => {
            if to < from || to > column(u64::MAX).unsigned_abs() / 2 {
                return Ok(StreamApplied::Refused);
            }
            (stream, epoch, from, Held::Gap { to, reason: reason.chars().take(200).collect() })
        }
    };
    let Some((is_current, kind)) = assignments::knows(transaction, stream, epoch, worker.0).await? else {
        return Ok(StreamApplied::Refused);
    };
    if first == 0 {
        return Ok(StreamApplied::Refused);
    }
    let row = locked(transaction, (worker.0, stream, column(epoch)), now).await?;
    let applied = number(row.applied);
    let last = if let Held::Gap { to, .. } = &entry { *to } else { first };
    if last <= applied {
        return Ok(StreamApplied::Known);
    }
    let mut turn = Turn { transaction, worker, row, reports: Vec::new(), now };
    if first > applied + 1 {
        return turn.hold(first, &entry).await;
    }
    turn.take(entry).await?;
    turn.take_held().await?;
    if kind == SWEEP {
        return turn.swept(is_current, &vendors).await;
    }
    let latest = turn.reports.last().map(|report| to_text("report", report)).transpose()?;
    turn.finish(is_current, latest, 0).await
}

/// The row of a stream, made when it is missing, locked until the commit.
async fn locked(
    transaction: &DatabaseTransaction,
    (worker_id, stream, epoch): (Uuid, Uuid, i64),
    now: Timestamp,
) -> Result<stream::Model, StoreError> {
    let row = stream::ActiveModel {
        worker_id: Set(worker_id),
        stream: Set(stream),
        epoch: Set(epoch),
        applied: Set(0),
        received: Set(0),
        missing: Set(0),
        latest: Set(None),
        updated_at: Set(millis(now)),
    };
    let key = [stream::Column::WorkerId, stream::Column::Stream, stream::Column::Epoch];
    stream::Entity::insert(row).on_conflict_do_nothing_on(key).exec_without_returning(transaction).await?;
    let row = stream::Entity::find_by_id((worker_id, stream, epoch)).lock_exclusive();
    row.one(transaction).await?.ok_or_else(|| StoreError::Content {
        what: "stream",
        detail: "its row went away while it was written".into(),
    })
}

impl Turn<'_> {
    /// Rows that are held for this stream.
    fn held(&self) -> Select<held::Entity> {
        held::Entity::find()
            .filter(held::Column::WorkerId.eq(self.row.worker_id))
            .filter(held::Column::Stream.eq(self.row.stream))
            .filter(held::Column::Epoch.eq(self.row.epoch))
    }

    async fn hold(&self, sequence: u64, entry: &Held) -> Result<StreamApplied, StoreError> {
        if sequence > number(self.row.applied) + MOST_HELD {
            return Ok(StreamApplied::Full);
        }
        let row = held::ActiveModel {
            worker_id: Set(self.row.worker_id),
            stream: Set(self.row.stream),
            epoch: Set(self.row.epoch),
            sequence: Set(column(sequence)),
            body: Set(to_text("held report", entry)?),
        };
        let key = [held::Column::WorkerId, held::Column::Stream, held::Column::Epoch, held::Column::Sequence];
        let insert = held::Entity::insert(row).on_conflict_do_nothing_on(key);
        insert.exec_without_returning(self.transaction).await?;
        Ok(StreamApplied::Held)
    }

    /// Applies what comes next.
    async fn take(&mut self, entry: Held) -> Result<(), StoreError> {
        match entry {
            Held::Report(report) => self.report(report),
            Held::Gap { to, reason } => self.gap(to, &reason).await?,
        }
        Ok(())
    }

    fn report(&mut self, report: StreamReport) {
        self.row.applied = column(report.sequence);
        self.row.received += 1;
        self.reports.push(report);
    }

    /// Passes over what will never come, but not over reports that came all the same.
    async fn gap(&mut self, to: u64, reason: &str) -> Result<(), StoreError> {
        let first = number(self.row.applied) + 1;
        let inside = self.held().filter(held::Column::Sequence.between(column(first), column(to)));
        let there = inside.order_by_asc(held::Column::Sequence).all(self.transaction).await?;
        let mut missing = to + 1 - first;
        for row in there {
            if let Held::Report(report) = from_text("held report", &row.body)? {
                missing -= 1;
                self.report(report);
            }
        }
        self.row.applied = column(to);
        if missing == 0 {
            return Ok(());
        }
        self.row.missing += column(missing);
        let row = gap::ActiveModel {
            worker_id: Set(self.row.worker_id),
            stream: Set(self.row.stream),
            epoch: Set(self.row.epoch),
            first: Set(column(first)),
            last: Set(column(to)),
            reason: Set(reason.to_owned()),
            at: Set(millis(self.now)),
        };
        gap::Entity::insert(row).exec_without_returning(self.transaction).await?;
        let text = format!(
            "{missing} reports of {} to its standing order {} are missing ({first} to {to}): {reason}",
            self.worker.1, self.row.stream
        );
        let worker = Some(self.worker.clone());
        let event = NewEvent::new(Severity::Warning, "spool_gap", worker, text);
        events::insert(self.transaction, event, self.now).await
    }

    /// Applies what was held and is next now.
    async fn take_held(&mut self) -> Result<(), StoreError> {
        loop {
            let next = held::Column::Sequence.gt(self.row.applied);
            let waiting = self.held().filter(next).order_by_asc(held::Column::Sequence).limit(PAGE);
            let waiting = waiting.all(self.transaction).await?;
            let before = self.row.applied;
            for row in waiting {
                // A gap may have led further than where this begins.
                if row.sequence <= self.row.applied {
                    continue;
                }
                if row.sequence > self.row.applied + 1 {
                    break;
                }
                self.take(from_text("held report", &row.body)?).await?;
            }
            if self.row.applied == before {
                break;
            }
        }
        held::Entity::delete_many()
            .filter(held::Column::WorkerId.eq(self.row.worker_id))
            .filter(held::Column::Stream.eq(self.row.stream))
            .filter(held::Column::Epoch.eq(self.row.epoch))
            .filter(held::Column::Sequence.lte(self.row.applied))
            .exec(self.transaction)
            .await?;
        Ok(())
    }

    /// What watched networks bring is taken in at once, and not kept as it came.
    async fn swept(self, is_current: bool, vendors: &Vendors) -> Result<StreamApplied, StoreError> {
        let reports = watch::Reports {
            stream: self.row.stream,
            reports: &self.reports,
            worker: &self.worker,
            is_current,
        };
        let events = watch::take_in(self.transaction, reports, vendors, self.now).await?;
        self.finish(is_current, None, events).await
    }

    async fn finish(
        self,
        is_current: bool,
        latest: Option<String>,
        events: usize,
    ) -> Result<StreamApplied, StoreError> {
        let Self { row, reports, .. } = self;
        let (applied, received, missing) = (row.applied, row.received, row.missing);
        let mut change = row.into_active_model();
        change.applied = Set(applied);
        change.received = Set(received);
        change.missing = Set(missing);
        if latest.is_some() {
            change.latest = Set(latest);
        }
        change.updated_at = Set(millis(self.now));
        change.update(self.transaction).await?;
        Ok(StreamApplied::Applied { reports, is_current, events })
    }
}
