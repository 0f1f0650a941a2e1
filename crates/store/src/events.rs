//! The timeline.

use std::time::Duration;

use jiff::Timestamp;
use netwark_model::events::{Event, Severity};
use sea_orm::entity::prelude::*;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, ExprTrait, IntoActiveModel, QueryOrder, QuerySelect,
    QueryTrait, Statement,
};
use serde_json::Value;
use uuid::Uuid;

use crate::convert::{millis, time, to_text};
use crate::names::has_text;
use crate::{Store, StoreError, rows};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, serde::Serialize)]
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
        pub network_id: Option<Uuid>,
        #[sea_orm(column_type = "Text", nullable)]
        pub network_name: Option<String>,
        pub device_id: Option<Uuid>,
        #[sea_orm(column_type = "Text", nullable)]
        pub device_name: Option<String>,
        #[sea_orm(column_type = "Text", nullable)]
        pub data: Option<String>,
        pub acknowledged_at: Option<i64>,
        #[sea_orm(column_type = "Text", nullable)]
        pub acknowledged_by: Option<String>,
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
    /// The network it is about, with its name.
    pub(crate) network: Option<(Uuid, String)>,
    /// The device it is about, with its label.
    pub(crate) device: Option<(Uuid, String)>,
    /// The figures behind the text.
    pub(crate) data: Option<Value>,
    /// When it happened, when not now.
    pub(crate) at: Option<Timestamp>,
}

impl NewEvent {
    /// An event that happens now.
    pub(crate) fn new(
        severity: Severity,
        kind: &'static str,
        worker: Option<(Uuid, String)>,
        text: String,
    ) -> Self {
        Self { severity, kind, worker, text, network: None, device: None, data: None, at: None }
    }

    fn row(self, now: Timestamp) -> Result<entity::Model, StoreError> {
        let (worker_id, worker_name) = self.worker.unzip();
        let (network_id, network_name) = self.network.unzip();
        let (device_id, device_name) = self.device.unzip();
        Ok(entity::Model {
            id: Uuid::now_v7(),
            at: millis(self.at.unwrap_or(now)),
            severity: self.severity.as_str().into(),
            kind: self.kind.into(),
            worker_id,
            worker_name,
            text: self.text,
            network_id,
            network_name,
            device_id,
            device_name,
            data: self.data.map(|data| to_text("set of figures", &data)).transpose()?,
            acknowledged_at: None,
            acknowledged_by: None,
        })
    }
}

/// Stores an event in the transaction that makes it true.
pub(crate) async fn insert(
    transaction: &DatabaseTransaction,
    event: NewEvent,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = event.row(now)?;
    let id = row.id;
    entity::Entity::insert(row.into_active_model()).exec_without_returning(transaction).await?;
    mark(transaction, &[id]).await
}

/// Stores events in the transaction that makes them true, in their order.
pub(crate) async fn insert_all(
    transaction: &DatabaseTransaction,
    events: Vec<NewEvent>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let events: Vec<entity::Model> =
        events.into_iter().map(|event| event.row(now)).collect::<Result<_, _>>()?;
    rows::insert::<entity::Entity>(transaction, &events).await?;
    let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
    mark(transaction, &ids).await
}

/// Notes that no subscription has looked at these events, unless there is none that could.
async fn mark(transaction: &DatabaseTransaction, ids: &[Uuid]) -> Result<(), StoreError> {
    let backend = transaction.get_database_backend();
    let listens = "EXISTS (SELECT 1 FROM subscriptions WHERE enabled)";
    let sql = match backend {
        DbBackend::Postgres => format!(
            "INSERT INTO unnoticed_events (event_id) \
             SELECT value::uuid FROM json_array_elements_text($1::json) WHERE {listens}"
        ),
        _ => format!(
            "INSERT INTO unnoticed_events (event_id) \
             SELECT unhex(value, '-') FROM json_each(?1) WHERE {listens}"
        ),
    };
    let marks = Statement::from_sql_and_values(backend, sql, [rows::id_list(ids)?]);
    transaction.execute_raw(marks).await?;
    Ok(())
}

/// Events of these ids that are still there, oldest first.
pub(crate) async fn by_ids(
    connection: &impl ConnectionTrait,
    ids: &[Uuid],
) -> Result<Vec<Event>, StoreError> {
    let backend = connection.get_database_backend();
    let sql = format!("SELECT * FROM events WHERE {} ORDER BY id", rows::is_id(backend, "id", 1));
    let statement = Statement::from_sql_and_values(backend, sql, [rows::id_list(ids)?]);
    let rows = entity::Entity::find().from_raw_sql(statement).all(connection).await?;
    Ok(rows.into_iter().map(event).collect())
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

/// How far the clocks of servers that write into one database may differ, and how long a write may take: an event may
/// become visible after one whose id is younger by so much.
pub const CLOCKS_APART: Duration = Duration::from_secs(60);

/// The id that is older than those of all events that may have become visible after this one.
fn came_before(known: Uuid) -> Uuid {
    let Some(made) = known.get_timestamp() else { return Uuid::nil() };
    let (seconds, nanos) = made.to_unix();
    let since = Duration::new(seconds, nanos).saturating_sub(CLOCKS_APART);
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

/// Which events to list.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only about this worker.
    pub worker: Option<Uuid>,
    /// Only of these severities; empty for all.
    pub severities: Vec<Severity>,
    /// Only about this network.
    pub network: Option<Uuid>,
    /// Only about this device.
    pub device: Option<Uuid>,
    /// Only of these kinds; empty for all.
    pub kinds: Vec<String>,
    /// Only with this in the text, letter case aside.
    pub text: Option<String>,
    /// Only those that somebody has acknowledged, or that nobody has.
    pub acknowledged: Option<bool>,
    /// Only what happened at or after this time.
    pub since: Option<Timestamp>,
    /// Only what happened before this time.
    pub until: Option<Timestamp>,
    /// Only what came after this one or up to [`CLOCKS_APART`] before it, whenever it happened.
    pub came_after: Option<Uuid>,
    /// Only what happened before this one; when that is forgotten by now, before it came.
    pub before: Option<Uuid>,
    /// How many to return.
    pub limit: u64,
}

impl Store {
    /// Events that fit the filter, what happened last first. That is not the order in which they came: a worker may tell
    /// of them long after they happened.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<Event>, StoreError> {
        use entity::Column::{AcknowledgedAt, At, DeviceId, Id, Kind, NetworkId, WorkerId};
        let mut query = entity::Entity::find();
        let about = [(WorkerId, filter.worker), (NetworkId, filter.network), (DeviceId, filter.device)];
        for (column, id) in about {
            query = query.apply_if(id, |query, id| query.filter(column.eq(id)));
        }
        if !filter.kinds.is_empty() {
            query = query.filter(Kind.is_in(filter.kinds.iter().map(String::as_str)));
        }
        if let Some(text) = &filter.text {
            query = query.filter(has_text(self.read().get_database_backend(), "events.text", text));
        }
        query = match filter.acknowledged {
            Some(true) => query.filter(AcknowledgedAt.is_not_null()),
            Some(false) => query.filter(AcknowledgedAt.is_null()),
            None => query,
        };
        query = query.apply_if(filter.since, |query, since| query.filter(At.gte(millis(since))));
        query = query.apply_if(filter.until, |query, until| query.filter(At.lt(millis(until))));
        if !filter.severities.is_empty() {
            let words = filter.severities.iter().map(|severity| severity.as_str());
            query = query.filter(entity::Column::Severity.is_in(words));
        }
        if let Some(known) = filter.came_after {
            // Few come in a while, so they are found by their ids, however many there are by time.
            let came = entity::Entity::find().select_only().column(Id).filter(Id.gt(came_before(known)));
            query = query.filter(Id.in_subquery(came.into_query()));
        }
        if let Some(before) = filter.before {
            let at = happened_at(self, before).await?;
            query = query.filter(At.lte(at).and(At.lt(at).or(Id.lt(before))));
        }
        let query = query.order_by_desc(At).order_by_desc(Id).limit(filter.limit);
        Ok(query.all(self.read()).await?.into_iter().map(event).collect())
    }

    /// The event that came last, whenever it happened.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn latest_event(&self) -> Result<Option<Uuid>, StoreError> {
        let latest = entity::Entity::find().order_by_desc(entity::Column::Id).limit(1);
        Ok(latest.one(self.read()).await?.map(|row| row.id))
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
            Box::pin(insert(transaction, NewEvent::new(severity, kind, None, text), now))
        })
        .await
    }

    /// Notes that somebody has seen these events, or takes that back; returns how many that changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn acknowledge_events(
        &self,
        ids: Vec<Uuid>,
        by: Option<String>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        use entity::Column::{AcknowledgedAt, AcknowledgedBy, Id};
        self.write(move |transaction| {
            Box::pin(async move {
                let at = by.as_ref().map(|_| millis(now));
                let change = entity::Entity::update_many()
                    .col_expr(AcknowledgedAt, Expr::value(at))
                    .col_expr(AcknowledgedBy, Expr::value(by))
                    .filter(Id.is_in(ids));
                let open = if at.is_some() { AcknowledgedAt.is_null() } else { AcknowledgedAt.is_not_null() };
                Ok(change.filter(open).exec(transaction).await?.rows_affected)
            })
        })
        .await
    }

    /// One event.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn event(&self, id: Uuid) -> Result<Option<Event>, StoreError> {
        Ok(entity::Entity::find_by_id(id).one(self.read()).await?.map(event))
    }

    /// Deletes events that happened before `before`; returns how many.
    ///
    /// # Errors
    /// When the database fails. What was deleted by then stays deleted.
    pub async fn forget_events(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.forget_steps("events", "at < $1", millis(before).into()).await
    }
}

/// When an event happened. Of one that is not there any more, its id tells when it came.
async fn happened_at(store: &Store, id: Uuid) -> Result<i64, StoreError> {
    let row = entity::Entity::find_by_id(id).one(store.read()).await?;
    let came = || {
        let (seconds, nanos) = id.get_timestamp().map_or((0, 0), |came| came.to_unix());
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        seconds.saturating_mul(1000).saturating_add(i64::from(nanos / 1_000_000))
    };
    Ok(row.map_or_else(came, |row| row.at))
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
        network_id: row.network_id,
        network: row.network_name,
        device_id: row.device_id,
        device: row.device_name,
        data: row.data.and_then(|data| serde_json::from_str(&data).ok()),
        acknowledged_at: row.acknowledged_at.map(time),
        acknowledged_by: row.acknowledged_by,
    }
}

/// Lets events tell of another device, because it is the same.
pub(crate) async fn move_device(
    transaction: &DatabaseTransaction,
    from: &[Uuid],
    to: Uuid,
) -> Result<(), StoreError> {
    let change = entity::Entity::update_many().col_expr(entity::Column::DeviceId, Expr::value(to));
    change.filter(entity::Column::DeviceId.is_in(from.iter().copied())).exec(transaction).await?;
    Ok(())
}
