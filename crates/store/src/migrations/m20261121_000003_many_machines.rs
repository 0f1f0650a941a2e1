//! Workers on other machines: who may connect, what they say of themselves, their standing orders, the timeline.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, boolean, string, text, text_null, uuid, uuid_null,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        columns(manager).await?;
        pairings(manager).await?;
        events(manager).await?;
        assignments(manager).await?;
        streams(manager).await
    }
}

/// Adds columns one by one, as SQLite wants it. All have defaults, so that the version before goes on writing.
async fn columns(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let added: [(&'static str, ColumnDef); 17] = [
        ("workers", text("overrides").default("{}").to_owned()),
        ("workers", text_null("declared")),
        ("workers", text("details").default("{}").to_owned()),
        ("workers", text("vitals").default("{}").to_owned()),
        ("workers", string("link").default("").to_owned()),
        ("workers", ColumnDef::new("token_hash").binary().to_owned()),
        ("workers", text_null("public_key")),
        ("workers", big_integer_null("revoked_at")),
        // Whether it takes no new work, whoever wants that.
        ("workers", boolean("draining").default(false).to_owned()),
        // What an administrator wants, and how often that was said.
        ("workers", boolean("drain_wanted").default(false).to_owned()),
        ("workers", big_integer("drain_revision").default(0).to_owned()),
        // Reports of presence with a mark that is not above this one were said before.
        ("workers", big_integer("mark").default(0).to_owned()),
        // Counts the changes of the worker's standing orders.
        ("workers", big_integer("revision").default(0).to_owned()),
        ("operations", text_null("selector")),
        // A slot that any member of the queue may fill, whoever took it first.
        ("results", boolean("direct").default(false).to_owned()),
        // The mark of the snapshot that is stored, so that an older one does not replace it.
        ("results", big_integer("mark").default(0).to_owned()),
        ("queues", string("origin").default("configuration").to_owned()),
    ];
    for (table, column) in added {
        manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
    }
    let tokens = Index::create().name("workers_token").table("workers").col("token_hash").unique().to_owned();
    manager.create_index(tokens).await
}

async fn pairings(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let pairings = Table::create()
        .table("pairings")
        .col(binary("code_hash").primary_key())
        .col(uuid("worker_id"))
        .col(big_integer("expires_at"))
        .foreign_key(
            ForeignKey::create()
                .from("pairings", "worker_id")
                .to("workers", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    manager.create_table(pairings).await
}

async fn events(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let events = Table::create()
        .table("events")
        .col(uuid("id").primary_key())
        .col(big_integer("at"))
        .col(string("severity"))
        .col(string("kind"))
        // No foreign key: the timeline outlives what it tells of.
        .col(uuid_null("worker_id"))
        .col(text_null("worker_name"))
        .col(text("text"))
        .to_owned();
    manager.create_table(events).await?;
    let at = Index::create().name("events_at").table("events").col("at").to_owned();
    manager.create_index(at).await?;
    let worker = Index::create().name("events_worker").table("events").col("worker_id").col("id").to_owned();
    manager.create_index(worker).await
}

async fn assignments(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let assignments = Table::create()
        .table("assignments")
        .col(uuid("id").primary_key())
        .col(string("kind"))
        .col(text("body"))
        .col(big_integer("every_ms"))
        .col(text("selector"))
        .col(uuid_null("holder"))
        // The worker that gets it once the holder has let it go, or its lease has ended.
        .col(uuid_null("successor"))
        .col(big_integer("epoch"))
        .col(big_integer_null("lease_until"))
        .col(big_integer("created_at"))
        .to_owned();
    manager.create_table(assignments).await?;
    let holder = Index::create().name("assignments_holder").table("assignments").col("holder").to_owned();
    manager.create_index(holder).await?;
    // Who held it in which epoch: reports of earlier epochs come late.
    let epochs = Table::create()
        .table("assignment_epochs")
        .col(uuid("assignment_id"))
        .col(big_integer("epoch"))
        .col(uuid("holder"))
        .primary_key(Index::create().col("assignment_id").col("epoch"))
        .foreign_key(
            ForeignKey::create()
                .from("assignment_epochs", "assignment_id")
                .to("assignments", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    manager.create_table(epochs).await
}

async fn streams(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let streams = Table::create()
        .table("streams")
        .col(uuid("worker_id"))
        .col(uuid("stream"))
        // Reports are numbered anew in each epoch.
        .col(big_integer("epoch"))
        // Everything up to here has been applied, or is known never to come.
        .col(big_integer("applied"))
        .col(big_integer("received"))
        .col(big_integer("missing"))
        .col(text_null("latest"))
        .col(big_integer("updated_at"))
        .primary_key(Index::create().col("worker_id").col("stream").col("epoch"))
        .to_owned();
    manager.create_table(streams).await?;
    let held = Table::create()
        .table("held_reports")
        .col(uuid("worker_id"))
        .col(uuid("stream"))
        .col(big_integer("epoch"))
        .col(big_integer("sequence"))
        .col(text("body"))
        .primary_key(Index::create().col("worker_id").col("stream").col("epoch").col("sequence"))
        .to_owned();
    manager.create_table(held).await?;
    let gaps = Table::create()
        .table("stream_gaps")
        .col(uuid("worker_id"))
        .col(uuid("stream"))
        .col(big_integer("epoch"))
        .col(big_integer("first"))
        .col(big_integer("last"))
        .col(text("reason"))
        .col(big_integer("at"))
        .primary_key(Index::create().col("worker_id").col("stream").col("epoch").col("first"))
        .to_owned();
    manager.create_table(gaps).await
}
