//! Opening a database: which one, with which settings, at which schema.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, SqlxSqliteConnector, Statement,
};
use sea_orm_migration::MigratorTrait;
use sqlx::Connection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

use crate::StoreError;
use crate::migrations::Migrator;
use crate::write::{self, Writer};

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// `sqlite://PATH`, `sqlite::memory:` or `postgres://USER@HOST/NAME`.
    pub url: String,
    /// Most connections to PostgreSQL, or most readers of SQLite.
    pub max_connections: u32,
    /// Bring the schema up to date. Without it, an old schema is an error.
    pub migrate: bool,
}

impl StoreOptions {
    /// The default settings for a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), max_connections: 8, migrate: true }
    }
}

/// An open database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) reader: DatabaseConnection,
    pub(crate) writer: Writer,
    /// The database for messages: a path, or a URL without its password.
    pub(crate) place: String,
}

impl Store {
    /// Opens a database and brings its schema up to date.
    ///
    /// # Errors
    /// When the URL is not understood, the database cannot be opened, is damaged, locked or newer
    /// than this program. Nothing is overwritten then.
    pub async fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        let place = redacted(&options.url);
        let opened = match kind(&options.url)? {
            Kind::Sqlite(path) => open_sqlite(path.as_deref(), options).await,
            Kind::Postgres => open_postgres(options).await,
        };
        let (reader, writer_connection) = opened.map_err(|error| error.at(&place))?;
        if options.migrate {
            write::migrate(&writer_connection).await.map_err(|error| error.at(&place))?;
        } else if !pending(&writer_connection).await.map_err(|error| error.at(&place))?.is_empty() {
            return Err(StoreError::Database(format!("the schema of {place} is old; run 'netwark migrate'")));
        }
        let writer = Writer::start(writer_connection, place.clone());
        Ok(Self { reader, writer, place })
    }

    /// The connection for reading.
    pub fn read(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// Which database it is, for people: a path, or a URL without its password.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// `SQLite 3.51.3` or `PostgreSQL 15.18`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn version(&self) -> Result<String, StoreError> {
        let (name, sql) = match self.reader.get_database_backend() {
            DbBackend::Postgres => ("PostgreSQL", "SHOW server_version"),
            _ => ("SQLite", "SELECT sqlite_version()"),
        };
        let row =
            self.reader.query_one_raw(Statement::from_string(self.reader.get_database_backend(), sql)).await;
        let row = row.map_err(StoreError::from).map_err(|e| e.at(&self.place))?;
        let version: String = match row {
            Some(row) => row.try_get_by_index(0)?,
            None => String::new(),
        };
        Ok(format!("{name} {}", version.split_whitespace().next().unwrap_or_default()))
    }

    /// Asks the database for an answer.
    ///
    /// # Errors
    /// When it gives none within two seconds.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let answer = tokio::time::timeout(Duration::from_secs(2), self.version()).await;
        answer
            .map_err(|_| StoreError::Unavailable {
                place: self.place.clone(),
                detail: "no answer within 2 s".into(),
            })?
            .map(|_| ())
    }

    /// Looks for damage. Reads the whole database, so it belongs to a diagnosis, not to a start.
    ///
    /// # Errors
    /// Names the damage.
    pub async fn check_integrity(&self) -> Result<(), StoreError> {
        if self.reader.get_database_backend() != DbBackend::Sqlite {
            return self.ping().await;
        }
        let statement = Statement::from_string(DbBackend::Sqlite, "PRAGMA quick_check(1)");
        let row = self
            .reader
            .query_one_raw(statement)
            .await
            .map_err(StoreError::from)
            .map_err(|e| e.at(&self.place))?;
        let said: String = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
        if said == "ok" {
            Ok(())
        } else {
            Err(StoreError::Corrupt { place: self.place.clone(), detail: said })
        }
    }

    /// Migrations that have not been applied yet, by name.
    ///
    /// # Errors
    /// When the database does not answer or is newer than this program.
    pub async fn pending_migrations(options: &StoreOptions) -> Result<Vec<String>, StoreError> {
        let place = redacted(&options.url);
        let opened = match kind(&options.url)? {
            Kind::Sqlite(path) => open_sqlite(path.as_deref(), options).await,
            Kind::Postgres => open_postgres(options).await,
        };
        let (_, connection) = opened.map_err(|error| error.at(&place))?;
        pending(&connection).await.map_err(|error| error.at(&place))
    }

    /// Waits for writes under way and closes all connections.
    pub async fn close(self) {
        self.writer.stop().await;
        if let Err(error) = self.reader.close().await {
            tracing::debug!(%error, "closing the database");
        }
    }
}

async fn pending(connection: &DatabaseConnection) -> Result<Vec<String>, StoreError> {
    let migrations = Migrator::get_pending_migrations(connection).await?;
    Ok(migrations.iter().map(|migration| migration.name().to_owned()).collect())
}

enum Kind {
    /// A file, or nothing for a database in memory.
    Sqlite(Option<PathBuf>),
    Postgres,
}

fn kind(url: &str) -> Result<Kind, StoreError> {
    let refuse = |reason: &str| Err(StoreError::Url { url: redacted(url), reason: reason.into() });
    if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
        return match path {
            "" => refuse("it names no file"),
            ":memory:" => Ok(Kind::Sqlite(None)),
            path => Ok(Kind::Sqlite(Some(PathBuf::from(path)))),
        };
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Kind::Postgres);
    }
    refuse("its scheme is neither sqlite nor postgres")
}

async fn open_sqlite(
    path: Option<&Path>,
    options: &StoreOptions,
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
    let pool = |connections: u32| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(10))
    };
    let writer = pool(1).after_release(|connection, _| Box::pin(is_clean(connection)));
    let writer = writer.connect_with(base.clone()).await.map_err(|e| StoreError::from_sqlx(&e))?;
    let reader = pool(options.max_connections.max(1))
        .connect_with(base)
        .await
        .map_err(|e| StoreError::from_sqlx(&e))?;
    Ok((
        SqlxSqliteConnector::from_sqlx_sqlite_pool(reader),
        SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
    ))
}

/// False when a connection comes back with a transaction that neither ended nor could be rolled back, as after a
/// commit on a full disk. What is written later would become part of it and never be stored, so such a
/// connection is closed and the next write opens another.
async fn is_clean(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // A rollback that has been asked for is done before this is answered.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

async fn open_postgres(
    options: &StoreOptions,
) -> Result<(DatabaseConnection, DatabaseConnection), StoreError> {
    let mut connect = ConnectOptions::new(options.url.clone());
    connect
        .max_connections(options.max_connections.max(2))
        .acquire_timeout(Duration::from_secs(5))
        .connect_timeout(Duration::from_secs(5))
        .sqlx_logging(false);
    let connection = Database::connect(connect).await?;
    Ok((connection.clone(), connection))
}

/// A URL without its password.
fn redacted(url: &str) -> String {
    if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
        return path.to_owned();
    }
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}{path}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(redacted("postgres://u:p@h:1/d"), "postgres://u@h:1/d");
        assert_eq!(redacted("postgres://h/d"), "postgres://h/d");
        assert_eq!(redacted("sqlite:///var/x.db"), "/var/x.db");
    }

    #[test]
    fn other_schemes_are_refused_naming_the_two() {
        let Err(error) = kind("mysql://u:secret@h/d") else { unreachable!() };
        let text = error.to_string();
        assert!(
            text.contains("sqlite://") && text.contains("postgres://") && !text.contains("secret"),
            "{text}"
        );
    }
}
