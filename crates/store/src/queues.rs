//! Queues and who listens on them.

use std::collections::HashMap;

use netwark_model::queues::{Known, Queue, QueueDefinition, QueueOrigin, full_name};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, QueryOrder, QuerySelect, Set};

use crate::{Store, StoreError, workers};

pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "queues")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        #[sea_orm(column_type = "Text")]
        pub label: String,
        #[sea_orm(column_type = "Text")]
        pub location: String,
        pub broadcast: bool,
        pub builtin: bool,
        pub position: i32,
        pub origin: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Every queue, in order; true for those that give every member a copy.
pub(crate) async fn kinds<C: ConnectionTrait>(connection: &C) -> Result<Vec<(String, bool)>, StoreError> {
    let rows = entity::Entity::find()
        .select_only()
        .columns([entity::Column::Name, entity::Column::Broadcast])
        .order_by_asc(entity::Column::Position)
        .order_by_asc(entity::Column::Name)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(rows)
}

impl Store {
    /// Makes the configured queues exactly these, in this order; built-in ones come first. Those that
    /// administrators made stay, and give way where the configuration has the name. A queue that is there keeps
    /// the letter case of its name.
    ///
    /// # Errors
    /// When a name is no queue name, or the database fails.
    pub async fn declare_queues(&self, configured: &[QueueDefinition]) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        let builtin = netwark_model::queues::builtin();
        let all = builtin
            .iter()
            .map(|queue| (queue, QueueOrigin::Builtin))
            .chain(configured.iter().map(|queue| (queue, QueueOrigin::Configuration)));
        for (position, (queue, origin)) in all.enumerate() {
            let name = full_name(&queue.name).map_err(StoreError::Conflict)?;
            rows.push(entity::ActiveModel {
                label: Set(queue.label.clone().unwrap_or_else(|| queue.name.clone())),
                name: Set(name),
                location: Set(queue.location.clone()),
                broadcast: Set(queue.broadcast),
                builtin: Set(origin == QueueOrigin::Builtin),
                position: Set(i32::try_from(position).unwrap_or(i32::MAX)),
                origin: Set(origin.as_str().into()),
            });
        }
        self.write(move |transaction| {
            Box::pin(async move {
                let there: Known = kinds(transaction).await?.into_iter().collect();
                for row in &mut rows {
                    let known = row.name.try_as_ref().and_then(|name| there.get(name));
                    if let Some((spelled, _)) = known {
                        row.name = Set(spelled.to_owned());
                    }
                }
                let names: Vec<String> =
                    rows.iter().filter_map(|row| row.name.try_as_ref().cloned()).collect();
                entity::Entity::delete_many()
                    .filter(entity::Column::Name.is_not_in(names))
                    .filter(entity::Column::Origin.ne(QueueOrigin::Ui.as_str()))
                    .exec(transaction)
                    .await?;
                let update = OnConflict::column(entity::Column::Name)
                    .update_columns([
                        entity::Column::Label,
                        entity::Column::Location,
                        entity::Column::Broadcast,
                        entity::Column::Builtin,
                        entity::Column::Position,
                        entity::Column::Origin,
                    ])
                    .to_owned();
                entity::Entity::insert_many(rows).on_conflict(update).exec(transaction).await?;
                Ok(())
            })
        })
        .await
    }

    /// All queues, built-in ones first, with the number of their listeners.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queues(&self) -> Result<Vec<Queue>, StoreError> {
        let rows = entity::Entity::find()
            .order_by_asc(entity::Column::Position)
            .order_by_asc(entity::Column::Name)
            .all(self.read())
            .await?;
        let members = workers::members(self.read()).await?;
        let mut counts: HashMap<&str, (u32, u32)> = HashMap::new();
        for member in &members {
            let count = counts.entry(member.queue.as_str()).or_default();
            count.0 += 1;
            count.1 += u32::from(member.online);
        }
        let queue = |row: entity::Model| {
            let (workers, online) = counts.get(row.name.as_str()).copied().unwrap_or_default();
            Queue {
                queue: row.name,
                name: row.label,
                location: row.location,
                broadcast: row.broadcast,
                builtin: row.builtin,
                origin: QueueOrigin::from_word(&row.origin).unwrap_or_default(),
                workers,
                online,
            }
        };
        Ok(rows.into_iter().map(queue).collect())
    }

    /// True when a worker that takes work is a member of the queue of this full name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_taken_from(&self, queue: &str) -> Result<bool, StoreError> {
        workers::is_taken_from(self.read(), queue).await
    }

    /// The queues there are, each with its kind.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue_kinds(&self) -> Result<Known, StoreError> {
        Ok(kinds(self.read()).await?.into_iter().collect())
    }
}
