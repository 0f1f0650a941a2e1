//! Workers: who they are, whether they are here, and what they listen on.

use jiff::Timestamp;
use netwark_model::messages::Hello;
use netwark_model::workers::Worker;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ConnectionTrait, ExprTrait, FromQueryResult, JoinType, QueryOrder, QuerySelect, RelationTrait, Set,
};
use uuid::Uuid;

use crate::convert::{from_text, millis, time, to_text};
use crate::{Store, StoreError};

pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "workers")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub name: String,
        #[sea_orm(column_type = "Text")]
        pub site: String,
        #[sea_orm(column_type = "Text")]
        pub location: String,
        #[sea_orm(column_type = "Text")]
        pub tags: String,
        #[sea_orm(column_type = "Text")]
        pub version: String,
        #[sea_orm(column_type = "Text")]
        pub queues: String,
        #[sea_orm(column_type = "Text")]
        pub capabilities: String,
        #[sea_orm(column_type = "Text")]
        pub policy: String,
        pub embedded: bool,
        pub online: bool,
        pub running: i32,
        pub created_at: i64,
        pub last_seen_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod member {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "queue_members")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub queue: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub worker_id: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::entity::Entity",
            from = "Column::WorkerId",
            to = "super::entity::Column::Id"
        )]
        Worker,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A worker as a member of a queue.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub(crate) struct Member {
    pub(crate) queue: String,
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) online: bool,
}

/// Who is a member of which queue, by queue and name.
pub(crate) async fn members<C: ConnectionTrait>(connection: &C) -> Result<Vec<Member>, StoreError> {
    let members = member::Entity::find()
        .select_only()
        .column(member::Column::Queue)
        .column(entity::Column::Id)
        .column(entity::Column::Name)
        .column(entity::Column::Online)
        .join(JoinType::InnerJoin, member::Relation::Worker.def())
        .order_by_asc(member::Column::Queue)
        .order_by_asc(entity::Column::Name)
        .into_model::<Member>()
        .all(connection)
        .await?;
    Ok(members)
}

impl Store {
    /// Enters a worker that said hello, or brings what is known of it up to date; it is online then.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another worker has its name.
    pub async fn worker_hello(&self, id: Uuid, hello: Hello, now: Timestamp) -> Result<(), StoreError> {
        let row = entity::ActiveModel {
            id: Set(id),
            name: Set(hello.name.clone()),
            site: Set(hello.site),
            location: Set(hello.location),
            tags: Set(to_text("list of tags", &hello.tags)?),
            version: Set(hello.version),
            queues: Set(to_text("list of queues", &hello.queues)?),
            capabilities: Set(to_text("list of capabilities", &hello.capabilities)?),
            policy: Set(hello.policy),
            embedded: Set(hello.embedded),
            online: Set(true),
            running: Set(0),
            created_at: Set(millis(now)),
            last_seen_at: Set(millis(now)),
        };
        let name = hello.name;
        let queues = hello.queues;
        let stored = self
            .write(move |transaction| {
                Box::pin(async move {
                    use entity::Column;
                    let update = OnConflict::column(Column::Id)
                        .update_columns([
                            Column::Name,
                            Column::Site,
                            Column::Location,
                            Column::Tags,
                            Column::Version,
                            Column::Queues,
                            Column::Capabilities,
                            Column::Policy,
                            Column::Embedded,
                            Column::Online,
                            Column::Running,
                            Column::LastSeenAt,
                        ])
                        .to_owned();
                    entity::Entity::insert(row)
                        .on_conflict(update)
                        .exec_without_returning(transaction)
                        .await?;
                    member::Entity::delete_many()
                        .filter(member::Column::WorkerId.eq(id))
                        .exec(transaction)
                        .await?;
                    let rows = queues
                        .into_iter()
                        .map(|queue| member::ActiveModel { queue: Set(queue), worker_id: Set(id) });
                    let rows: Vec<_> = rows.collect();
                    if !rows.is_empty() {
                        member::Entity::insert_many(rows).exec_without_returning(transaction).await?;
                    }
                    Ok(())
                })
            })
            .await;
        stored.map_err(|error| match error {
            StoreError::Conflict(_) => StoreError::Conflict(format!("another worker is named '{name}'")),
            other => other,
        })
    }

    /// Notes that a worker is still here and how much it runs. False when it is unknown.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn worker_alive(&self, id: Uuid, running: u32, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                let update = entity::Entity::update_many()
                    .col_expr(entity::Column::Online, Expr::value(true))
                    .col_expr(
                        entity::Column::Running,
                        Expr::value(i32::try_from(running).unwrap_or(i32::MAX)),
                    )
                    .col_expr(entity::Column::LastSeenAt, Expr::value(millis(now)))
                    .filter(entity::Column::Id.eq(id));
                Ok(update.exec(transaction).await?.rows_affected > 0)
            })
        })
        .await
    }

    /// Notes that a worker has gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn worker_gone(&self, id: Uuid) -> Result<(), StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                entity::Entity::update_many()
                    .col_expr(entity::Column::Online, Expr::value(false))
                    .col_expr(entity::Column::Running, Expr::value(0))
                    .filter(entity::Column::Id.eq(id))
                    .exec(transaction)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Notes as gone every worker that was not heard of since `before`. Returns their names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn workers_silent_since(&self, before: Timestamp) -> Result<Vec<String>, StoreError> {
        let before = millis(before);
        let silent = entity::Column::LastSeenAt.lt(before).and(entity::Column::Online.eq(true));
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
                Ok(rows.into_iter().map(|row| row.name).collect())
            })
        })
        .await
    }

    /// All workers by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn workers(&self) -> Result<Vec<Worker>, StoreError> {
        let rows = entity::Entity::find().order_by_asc(entity::Column::Name).all(self.read()).await?;
        rows.into_iter().map(worker).collect()
    }
}

fn worker(row: entity::Model) -> Result<Worker, StoreError> {
    Ok(Worker {
        id: row.id,
        name: row.name,
        site: row.site,
        location: row.location,
        tags: from_text("list of tags", &row.tags)?,
        version: row.version,
        queues: from_text("list of queues", &row.queues)?,
        capabilities: from_text("list of capabilities", &row.capabilities)?,
        policy: row.policy,
        embedded: row.embedded,
        online: row.online,
        running: u32::try_from(row.running).unwrap_or(0),
        created_at: time(row.created_at),
        last_seen_at: time(row.last_seen_at),
    })
}
