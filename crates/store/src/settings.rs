//! Values the server keeps for itself, shared by all servers on one database.

use sea_orm::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use crate::locks::Lock;
use crate::{Store, StoreError};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "settings")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        #[sea_orm(column_type = "Text")]
        pub value: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl Store {
    /// The value of this name, when one was kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let row = entity::Entity::find_by_id(name.to_owned()).one(self.read()).await?;
        Ok(row.map(|row| row.value))
    }

    /// Keeps a value unless the name has one already. Returns what stands afterwards, so that of
    /// several servers that start at once all get the same.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_setting(&self, name: &str, value: &str) -> Result<String, StoreError> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.write(move |transaction| {
            Box::pin(async move {
                let row = entity::ActiveModel { name: Set(name.clone()), value: Set(value.clone()) };
                let insert = entity::Entity::insert(row).on_conflict_do_nothing_on([entity::Column::Name]);
                insert.exec_without_returning(transaction).await?;
                let row = entity::Entity::find_by_id(name).one(transaction).await?;
                Ok(row.map_or(value, |row| row.value))
            })
        })
        .await
    }

    /// Keeps a value, instead of an earlier one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replace_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let row = entity::ActiveModel { name: Set(name.to_owned()), value: Set(value.to_owned()) };
        self.write(move |transaction| {
            Box::pin(async move {
                let update =
                    OnConflict::column(entity::Column::Name).update_column(entity::Column::Value).to_owned();
                entity::Entity::insert(row).on_conflict(update).exec_without_returning(transaction).await?;
                Ok(())
            })
        })
        .await
    }

    /// Keeps what becomes of a value, or of none. Two that do so at once follow each other.
    ///
    /// # Errors
    /// When the database fails, and what `edit` says.
    pub async fn edit_setting(
        &self,
        name: &str,
        edit: impl FnOnce(Option<&str>) -> Result<String, StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                // A row that is not there cannot be locked.
                Lock::Settings.take(transaction).await?;
                let before = entity::Entity::find_by_id(name.clone()).one(transaction).await?;
                let value = edit(before.as_ref().map(|row| row.value.as_str()))?;
                let row = entity::ActiveModel { name: Set(name), value: Set(value) };
                let update =
                    OnConflict::column(entity::Column::Name).update_column(entity::Column::Value).to_owned();
                entity::Entity::insert(row).on_conflict(update).exec_without_returning(transaction).await?;
                Ok(())
            })
        })
        .await
    }

    /// Forgets a value; false when none was kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_setting(&self, name: &str) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                let deleted = entity::Entity::delete_by_id(name).exec(transaction).await?;
                Ok(deleted.rows_affected > 0)
            })
        })
        .await
    }
}
