//! Users, their sessions, tokens, the one-time set-up code and settings the server keeps for itself.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, boolean_null, integer, string, text, uuid,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        users(manager).await?;
        sessions(manager).await?;
        tokens(manager).await?;
        setup_codes(manager).await?;
        settings(manager).await
    }
}

async fn users(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let users = Table::create()
        .table("users")
        .col(uuid("id").primary_key())
        .col(text("name"))
        .col(string("folded_name").unique_key())
        .col(text("password_hash"))
        .col(string("role"))
        // True for the first administrator and NULL for all others: of two made at once, the
        // unique key lets one stand.
        .col(boolean_null("first").unique_key())
        .col(big_integer("created_at"))
        .to_owned();
    manager.create_table(users).await
}

async fn sessions(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let sessions = Table::create()
        .table("sessions")
        .col(uuid("id").primary_key())
        .col(binary("token_hash").unique_key())
        .col(uuid("user_id"))
        .col(big_integer("created_at"))
        .col(big_integer("expires_at"))
        .col(big_integer("last_seen_at"))
        .foreign_key(
            ForeignKey::create()
                .from("sessions", "user_id")
                .to("users", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    manager.create_table(sessions).await?;
    for (name, column) in [("sessions_user", "user_id"), ("sessions_expires", "expires_at")] {
        manager.create_index(Index::create().name(name).table("sessions").col(column).to_owned()).await?;
    }
    Ok(())
}

async fn tokens(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let tokens = Table::create()
        .table("tokens")
        .col(uuid("id").primary_key())
        .col(string("name").unique_key())
        .col(binary("hash").unique_key())
        .col(string("role"))
        .col(big_integer("created_at"))
        .col(big_integer_null("last_used_at"))
        .to_owned();
    manager.create_table(tokens).await
}

async fn setup_codes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let setup_codes = Table::create()
        .table("setup_codes")
        .col(integer("id").primary_key())
        .col(binary("hash"))
        .col(big_integer("expires_at"))
        .col(integer("tries_left"))
        .to_owned();
    manager.create_table(setup_codes).await
}

async fn settings(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let settings =
        Table::create().table("settings").col(string("name").primary_key()).col(text("value")).to_owned();
    manager.create_table(settings).await
}
