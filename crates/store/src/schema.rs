//! The schema: bringing it up to date, and telling it from another program's.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use crate::StoreError;
use crate::locks::Lock;
use crate::migrations::Migrator;

/// The table in which applied migrations are noted.
const APPLIED: &str = "seaql_migrations";

/// Names of migrations that have not been applied yet. Changes nothing.
///
/// # Errors
/// When the database was made by a newer version, or by another program.
pub(crate) async fn pending(connection: &DatabaseConnection) -> Result<Vec<String>, StoreError> {
    let tables = tables(connection).await?;
    if !tables.iter().any(|table| table == APPLIED) {
        refuse_foreign(&tables)?;
    }
    let migrations = Migrator::get_pending_migrations_read_only(connection).await?;
    Ok(migrations.iter().map(|migration| migration.name().to_owned()).collect())
}

/// Names of all migrations there are.
pub(crate) fn all() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

/// Brings the schema up to date, under a lock, in one transaction.
pub(crate) async fn migrate(connection: &DatabaseConnection) -> Result<(), StoreError> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Exclusive),
        ..TransactionOptions::default()
    };
    let transaction = connection.begin_with_options(options).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        take_time(&transaction).await?;
    }
    Lock::Migration.take(&transaction).await?;
    Migrator::up(&transaction, None).await?;
    transaction.commit().await?;
    Ok(())
}

/// Lifts the time-outs of PostgreSQL for this transaction: it rewrites tables, or waits for who does.
pub(crate) async fn take_time(transaction: &DatabaseTransaction) -> Result<(), StoreError> {
    let lift = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
                SET LOCAL idle_in_transaction_session_timeout = 0";
    transaction.execute_unprepared(lift).await?;
    Ok(())
}

/// All tables where ours would be, by name.
pub(crate) async fn tables<C: ConnectionTrait>(connection: &C) -> Result<Vec<String>, StoreError> {
    let backend = connection.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
        }
        _ => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY 1"
        }
    };
    let rows = connection.query_all_raw(Statement::from_string(backend, sql)).await?;
    rows.iter().map(|row| row.try_get_by_index(0).map_err(StoreError::from)).collect()
}

/// Refuses a database that another program fills: the older toolkit's, or any whose tables ours would meet.
fn refuse_foreign(tables: &[String]) -> Result<(), StoreError> {
    let older = tables.iter().any(|table| table == "alembic_version");
    let met: Vec<&str> =
        crate::copy::TABLES.iter().copied().filter(|name| tables.iter().any(|table| table == name)).collect();
    if older {
        let detail = "it belongs to the older toolkit (it has a table alembic_version)".into();
        return Err(StoreError::Foreign { place: String::new(), detail });
    }
    if !met.is_empty() {
        let detail = format!("another program's tables are in it ({})", met.join(", "));
        return Err(StoreError::Foreign { place: String::new(), detail });
    }
    Ok(())
}
