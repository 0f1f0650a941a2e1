//! The latest operation of whoever asks, which is what `@last` stands for.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let creator = Index::create()
            .name("operations_creator")
            .table("operations")
            .col("created_by")
            .col("id")
            .to_owned();
        manager.create_index(creator).await
    }
}
