//! How fast a network is swept can be said in bits a second, and as a share of the link.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer_null, integer_null};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite takes one column at a time.
        for column in [big_integer_null("rate_bps"), integer_null("share")] {
            manager.alter_table(Table::alter().table("networks").add_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
