//! Opening SQLite: one connection that writes, several that read.

use std::path::Path;
use std::time::Duration;

use sea_orm::{DatabaseConnection, SqlxSqliteConnector};
use sqlx::Connection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

use crate::StoreError;

/// Opens the readers and the one writer. Makes the file when there is none.
pub(crate) async fn open(
    path: Option<&Path>,
    readers: u32,
) -> Result<(DatabaseConnection, DatabaseConnection), StoreError> {
    let base = match path {
        // Readers and the writer share one memory by a name no other store has.
        None => SqliteConnectOptions::new()
            .filename(format!("file:netwark-{}?mode=memory&cache=shared", uuid::Uuid::now_v7()))
            .shared_cache(true),
        Some(path) => SqliteConnectOptions::new().filename(path),
    };
    let base = base
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5));
    let writer = pool(1).after_release(|connection, _| Box::pin(is_clean(connection)));
    let writer = writer.connect_with(base.clone()).await?;
    let reader = pool(readers.max(1)).connect_with(base).await?;
    Ok((
        SqlxSqliteConnector::from_sqlx_sqlite_pool(reader),
        SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
    ))
}

/// Opens a file for a look that changes nothing of it, not even its journal. Nothing when there is no file.
pub(crate) async fn look(path: &Path) -> Result<Option<DatabaseConnection>, StoreError> {
    if !std::fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        return Ok(None);
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .create_if_missing(false)
        .busy_timeout(Duration::from_secs(5));
    Ok(Some(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool(1).connect_with(options).await?)))
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_secs(10))
}

/// False when a connection comes back with a transaction that neither ended nor could be rolled back, as after a
/// commit on a full disk. What is written later would become part of it and never be stored, so such a
/// connection is closed and the next write opens another.
async fn is_clean(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // A rollback that has been asked for is done before this is answered.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}
