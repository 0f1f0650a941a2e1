//! Workers, queues, operations, results and the outbox.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, string, text, text_null, uuid, uuid_null,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        workers(manager).await?;
        operations(manager).await?;
        results(manager).await?;
        outbox(manager).await
    }
}

async fn workers(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let workers = Table::create()
        .table("workers")
        .col(uuid("id").primary_key())
        .col(string("name").unique_key())
        .col(text("site"))
        .col(text("location"))
        .col(text("tags"))
        .col(text("version"))
        .col(text("queues"))
        .col(text("capabilities"))
        .col(text("policy"))
        .col(boolean("embedded"))
        .col(boolean("online"))
        .col(integer("running"))
        .col(big_integer("created_at"))
        .col(big_integer("last_seen_at"))
        .to_owned();
    manager.create_table(workers).await?;
    let members = Table::create()
        .table("queue_members")
        .col(string("queue"))
        .col(uuid("worker_id"))
        .primary_key(Index::create().col("queue").col("worker_id"))
        .foreign_key(
            ForeignKey::create()
                .from("queue_members", "worker_id")
                .to("workers", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    manager.create_table(members).await?;
    let queues = Table::create()
        .table("queues")
        .col(string("name").primary_key())
        .col(text("label"))
        .col(text("location"))
        .col(boolean("broadcast"))
        .col(boolean("builtin"))
        .col(integer("position"))
        .to_owned();
    manager.create_table(queues).await
}

async fn operations(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let operations = Table::create()
        .table("operations")
        .col(uuid("id").primary_key())
        .col(string("tool"))
        .col(text("target"))
        .col(text_null("options_sent"))
        .col(text("options"))
        .col(text("queues"))
        .col(string("status"))
        .col(big_integer("take_within_ms"))
        .col(big_integer("run_within_ms"))
        .col(uuid_null("same_workers_as"))
        .col(text("created_by"))
        .col(big_integer("version"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .col(big_integer_null("finished_at"))
        .col(text("skipped"))
        .col(text_null("idempotency_key").unique_key())
        .col(text_null("request_hash"))
        .to_owned();
    manager.create_table(operations).await?;
    for (name, column) in [("operations_status", "status"), ("operations_tool", "tool")] {
        let index = Index::create().name(name).table("operations").col(column).col("id").to_owned();
        manager.create_index(index).await?;
    }
    let finished = Index::create()
        .name("operations_finished")
        .table("operations")
        .col("finished_at")
        .col("id")
        .to_owned();
    manager.create_index(finished).await?;
    let created =
        Index::create().name("operations_created").table("operations").col("created_at").col("id").to_owned();
    manager.create_index(created).await
}

async fn results(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let results = Table::create()
        .table("results")
        .col(uuid("id").primary_key())
        .col(uuid("operation_id"))
        .col(uuid_null("worker_id"))
        .col(text_null("worker_name"))
        .col(string("queue"))
        .col(string("status"))
        .col(text_null("payload"))
        .col(boolean("late"))
        .col(big_integer_null("deadline"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .col(big_integer_null("started_at"))
        .col(big_integer_null("finished_at"))
        .col(big_integer("version"))
        .foreign_key(
            ForeignKey::create()
                .from("results", "operation_id")
                .to("operations", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    manager.create_table(results).await?;
    let by_operation =
        Index::create().name("results_operation").table("results").col("operation_id").to_owned();
    manager.create_index(by_operation).await?;
    // Only results that are not final have a deadline, so this stays small however long history grows.
    manager
        .get_connection()
        .execute_unprepared("CREATE INDEX results_deadline ON results (deadline) WHERE deadline IS NOT NULL")
        .await?;
    Ok(())
}

async fn outbox(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let outbox = Table::create()
        .table("outbox")
        .col(uuid("id").primary_key())
        .col(uuid_null("result_id"))
        .col(uuid("operation_id"))
        .col(text("address"))
        .col(text("body"))
        .col(big_integer("created_at"))
        .col(big_integer_null("published_at"))
        .foreign_key(
            ForeignKey::create()
                .from("outbox", "operation_id")
                .to("operations", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    manager.create_table(outbox).await?;
    for (name, column) in [("outbox_result", "result_id"), ("outbox_operation", "operation_id")] {
        manager.create_index(Index::create().name(name).table("outbox").col(column).to_owned()).await?;
    }
    manager
        .get_connection()
        .execute_unprepared("CREATE INDEX outbox_waiting ON outbox (created_at) WHERE published_at IS NULL")
        .await?;
    Ok(())
}
