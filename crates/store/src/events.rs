//! The timeline.

use jiff::Timestamp;
use netwark_model::events::{Event, Severity};
use sea_orm::entity::prelude::*;
use sea_orm::{DatabaseTransaction, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use crate::convert::{millis, time};
use crate::{Store, StoreError};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "events")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub at: i64,
        pub severity: String,
        pub kind: String,
        pub worker_id: Option<Uuid>,
        #[sea_orm(column_type = "Text", nullable)]
        pub worker_name: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub text: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An event that is to be stored.
#[derive(Clone, Debug)]
pub(crate) struct NewEvent {
    pub(crate) severity: Severity,
    pub(crate) kind: &'static str,
    pub(crate) worker: Option<(Uuid, String)>,
    pub(crate) text: String,
}

/// Stores an event in the transaction that makes it true.
pub(crate) async fn insert(
    transaction: &DatabaseTransaction,
    event: NewEvent,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (worker_id, worker_name) = event.worker.unzip();
    let row = entity::ActiveModel {
        id: Set(Uuid::now_v7()),
        at: Set(millis(now)),
        severity: Set(event.severity.as_str().into()),
        kind: Set(event.kind.into()),
        worker_id: Set(worker_id),
        worker_name: Set(worker_name),
        text: Set(event.text),
    };
    entity::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}

/// True when an event tells of another worker of this name.
pub(crate) async fn tell_of_another(
    transaction: &DatabaseTransaction,
    worker: Uuid,
    name: &str,
) -> Result<bool, StoreError> {
    let other = entity::Entity::find()
        .filter(entity::Column::WorkerName.eq(name))
        .filter(entity::Column::WorkerId.ne(worker))
        .limit(1)
        .one(transaction)
        .await?;
    Ok(other.is_some())
}

/// Which events to list.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only about this worker.
    pub worker: Option<Uuid>,
    /// Only of these severities; empty for all.
    pub severities: Vec<Severity>,
    /// Only older than this one.
    pub before: Option<Uuid>,
    /// How many to return.
    pub limit: u64,
}

impl Store {
    /// Events that fit the filter, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<Event>, StoreError> {
        let mut query = entity::Entity::find();
        if let Some(worker) = filter.worker {
            query = query.filter(entity::Column::WorkerId.eq(worker));
        }
        if !filter.severities.is_empty() {
            let words = filter.severities.iter().map(|severity| severity.as_str());
            query = query.filter(entity::Column::Severity.is_in(words));
        }
        if let Some(before) = filter.before {
            // Ids are UUIDv7, so their order is that of time.
            query = query.filter(entity::Column::Id.lt(before));
        }
        let rows = query.order_by_desc(entity::Column::Id).limit(filter.limit).all(self.read()).await?;
        Ok(rows.into_iter().map(event).collect())
    }

    /// Stores an event that comes from nothing that is stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tell(
        &self,
        severity: Severity,
        kind: &'static str,
        text: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |transaction| {
            Box::pin(insert(transaction, NewEvent { severity, kind, worker: None, text }, now))
        })
        .await
    }

    /// Deletes events that happened before `before`; returns how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_events(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                let old = entity::Column::At.lt(millis(before));
                Ok(entity::Entity::delete_many().filter(old).exec(transaction).await?.rows_affected)
            })
        })
        .await
    }
}

fn event(row: entity::Model) -> Event {
    Event {
        id: row.id,
        at: time(row.at),
        severity: Severity::from_word(&row.severity).unwrap_or(Severity::Info),
        kind: row.kind,
        worker_id: row.worker_id,
        worker: row.worker_name,
        text: row.text,
    }
}
