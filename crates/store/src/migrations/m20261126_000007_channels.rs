//! Channels, subscriptions, and what is on its way from one to the other.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, string, text, text_null, uuid, uuid_null,
};

use crate::names::folded;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        channels(manager).await?;
        subscriptions(manager).await?;
        deliveries(manager).await?;
        // Events that no subscription has looked at. What happened before is not among them.
        let unnoticed =
            Table::create().table("unnoticed_events").col(uuid("event_id").primary_key()).to_owned();
        manager.create_table(unnoticed).await
    }
}

fn to(from: &'static str, column: &'static str, table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(from, column).to(table, "id").on_delete(ForeignKeyAction::Cascade).to_owned()
}

async fn unique_names(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let name = folded(connection.get_database_backend(), table).replace(&format!("{table}."), "");
    let sql = format!("CREATE UNIQUE INDEX {table}_folded_name ON {table} ({name})");
    connection.execute_unprepared(&sql).await.map(|_| ())
}

async fn channels(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let channels = Table::create()
        .table("channels")
        .col(uuid("id").primary_key())
        .col(text("name"))
        .col(string("kind"))
        .col(text("config"))
        // Names and sealed values.
        .col(text("secrets"))
        // Tries that failed since the last one that did not, and whether the timeline was told.
        .col(integer("failures"))
        .col(boolean("failing"))
        .col(big_integer_null("delivered_at"))
        .col(big_integer_null("failed_at"))
        .col(text_null("error"))
        // Who sends over it now, and until when that is believed.
        .col(uuid_null("claim"))
        .col(big_integer_null("claimed_until"))
        .col(big_integer("created_at"))
        .col(text("created_by"))
        .to_owned();
    manager.create_table(channels).await?;
    unique_names(manager, "channels").await
}

async fn subscriptions(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let subscriptions = Table::create()
        .table("subscriptions")
        .col(uuid("id").primary_key())
        .col(text("name"))
        .col(boolean("enabled"))
        .col(text("rules"))
        .col(big_integer("created_at"))
        .col(text("created_by"))
        .to_owned();
    manager.create_table(subscriptions).await?;
    unique_names(manager, "subscriptions").await?;
    let channels = Table::create()
        .table("subscription_channels")
        .col(uuid("subscription_id"))
        .col(uuid("channel_id"))
        .primary_key(Index::create().col("subscription_id").col("channel_id"))
        .foreign_key(&mut to("subscription_channels", "subscription_id", "subscriptions"))
        .foreign_key(&mut to("subscription_channels", "channel_id", "channels"))
        .to_owned();
    manager.create_table(channels).await?;
    let index = Index::create()
        .name("subscription_channels_channel")
        .table("subscription_channels")
        .col("channel_id")
        .to_owned();
    manager.create_index(index).await
}

async fn deliveries(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let deliveries = Table::create()
        .table("deliveries")
        .col(uuid("id").primary_key())
        .col(uuid("channel_id"))
        // A subscription may be deleted while its last notice waits.
        .col(uuid_null("subscription_id"))
        .col(text_null("subscription_name"))
        .col(boolean("test"))
        .col(string("status"))
        .col(string("worst"))
        .col(big_integer("count"))
        .col(text("summary"))
        // What is told; empty once it is delivered.
        .col(text("events"))
        .col(big_integer("opened_at"))
        .col(big_integer_null("next_at"))
        .col(integer("attempts"))
        .col(big_integer_null("began_at"))
        .col(big_integer_null("ended_at"))
        .col(text_null("error"))
        .col(text_null("answer"))
        .foreign_key(&mut to("deliveries", "channel_id", "channels"))
        .to_owned();
    manager.create_table(deliveries).await?;
    for (name, columns) in [
        ("deliveries_channel", &["channel_id", "id"][..]),
        ("deliveries_subscription", &["subscription_id", "id"]),
        ("deliveries_status", &["status", "id"]),
        ("deliveries_began", &["subscription_id", "channel_id", "began_at"]),
        ("deliveries_ended", &["ended_at"]),
    ] {
        let mut index = Index::create().name(name).table("deliveries").to_owned();
        for column in columns {
            index.col(*column);
        }
        manager.create_index(index).await?;
    }
    let connection = manager.get_connection();
    // What waits is a small part of what there was.
    let open = "CREATE INDEX deliveries_open ON deliveries (channel_id, next_at) WHERE next_at IS NOT NULL";
    connection.execute_unprepared(open).await?;
    let gathering = "CREATE UNIQUE INDEX deliveries_gathering ON deliveries (subscription_id, channel_id) \
                     WHERE status = 'gathering'";
    connection.execute_unprepared(gathering).await?;
    let due = "CREATE INDEX deliveries_due ON deliveries (channel_id, id) WHERE status = 'due'";
    connection.execute_unprepared(due).await?;
    Ok(())
}
