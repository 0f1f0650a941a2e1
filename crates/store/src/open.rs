//! Opening a database: which one, with which settings, at which schema.

use std::path::Path;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::notices::Notices;
use crate::operations::Lanes;
use crate::patience::{Patience, Reader};
use crate::place::{Kind, kind, redacted};
use crate::write::Writer;
use crate::{StoreError, postgres, schema, sqlite};

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// `sqlite://PATH`, `sqlite::memory:` or `postgres://USER@HOST/NAME`.
    pub url: String,
    /// Most connections to PostgreSQL, or most readers of SQLite. Leadership and notices have one each
    /// besides on PostgreSQL.
    pub max_connections: u32,
    /// How long a statement may take on PostgreSQL.
    pub statement_timeout: Duration,
    /// Bring the schema up to date. Without it, an old schema is an error.
    pub migrate: bool,
    /// How long to wait for a PostgreSQL that is not there or still starting.
    pub wait: Duration,
}

impl StoreOptions {
    /// The default settings for a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 10,
            statement_timeout: Duration::from_secs(30),
            migrate: true,
            wait: Duration::ZERO,
        }
    }
}

/// An open database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
    pub(crate) notices: Notices,
    pub(crate) lanes: Lanes,
    /// The database for messages: a path, or a URL without its password.
    pub(crate) place: String,
}

/// How many connections for reading there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// Open ones.
    pub open: u32,
    /// Those of them that nobody uses.
    pub idle: u32,
    /// Most that may be open.
    pub most: u32,
}

impl Store {
    /// Opens a database and brings its schema up to date.
    ///
    /// # Errors
    /// When the URL is not understood, the database cannot be opened, is damaged, locked, too old, newer
    /// than this program or another program's. Nothing is overwritten then.
    pub async fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        let place = redacted(&options.url);
        Self::open_at(options, &place).await.map_err(|error| error.at(&place))
    }

    async fn open_at(options: &StoreOptions, place: &str) -> Result<Self, StoreError> {
        let (reader, writer, notices, patience) = match kind(&options.url)? {
            Kind::Sqlite(path) => {
                if let Some(path) = &path {
                    look(path).await?;
                }
                let (reader, writer) = sqlite::open(path.as_deref(), options.max_connections).await?;
                (reader, writer, Notices::within_process(), Patience::default())
            }
            Kind::Postgres => {
                let connect = postgres::connect_options(options)?;
                let patience = Patience::with(options.statement_timeout);
                let pool = postgres::open(&connect, options, &patience, place).await?;
                (pool.clone(), pool, Notices::through(connect, place), patience)
            }
        };
        let pending = schema::pending(&writer).await?;
        if !pending.is_empty() {
            if !options.migrate {
                return Err(StoreError::Old { place: place.into(), pending: pending.len() });
            }
            schema::migrate(&writer).await?;
        }
        let writer = Writer::start(writer, patience.clone(), place.to_owned(), notices.sender());
        let lanes = Lanes::start(&writer);
        let reader = Reader { connection: reader, patience };
        Ok(Self { reader, writer, notices, lanes, place: place.to_owned() })
    }

    /// The connection for reading.
    pub fn read(&self) -> &Reader {
        &self.reader
    }

    /// Which database it is, for people: a path, or a URL without its password.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// How many connections for reading there are; on PostgreSQL the same ones write.
    pub fn connections(&self) -> Connections {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        match self.reader.get_database_backend() {
            DbBackend::Postgres => {
                let pool = self.reader.connection.get_postgres_connection_pool();
                let most = pool.options().get_max_connections();
                Connections { open: pool.size(), idle: count(pool.num_idle()), most }
            }
            _ => {
                let pool = self.reader.connection.get_sqlite_connection_pool();
                let most = pool.options().get_max_connections();
                Connections { open: pool.size(), idle: count(pool.num_idle()), most }
            }
        }
    }

    /// `SQLite 3.51.3` or `PostgreSQL 15.18`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn version(&self) -> Result<String, StoreError> {
        let backend = self.reader.get_database_backend();
        let (name, sql) = match backend {
            DbBackend::Postgres => ("PostgreSQL", "SHOW server_version"),
            _ => ("SQLite", "SELECT sqlite_version()"),
        };
        let row = self.reader.query_one_raw(Statement::from_string(backend, sql)).await;
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

    /// Migrations that have not been applied yet, by name. Changes nothing and makes no file: of a SQLite
    /// database that does not exist, all are pending.
    ///
    /// # Errors
    /// When the database does not answer, is newer than this program or another program's.
    pub async fn pending_migrations(options: &StoreOptions) -> Result<Vec<String>, StoreError> {
        let place = redacted(&options.url);
        let found = async {
            let connection = match kind(&options.url)? {
                Kind::Sqlite(None) => None,
                Kind::Sqlite(Some(path)) => sqlite::look(&path).await?,
                Kind::Postgres => {
                    let connect = postgres::connect_options(options)?;
                    Some(postgres::open(&connect, options, &Patience::default(), &place).await?)
                }
            };
            let Some(connection) = connection else { return Ok(schema::all()) };
            let pending = schema::pending(&connection).await;
            connection.close().await?;
            pending
        };
        found.await.map_err(|error: StoreError| error.at(&place))
    }

    /// Waits for writes under way and closes all connections.
    pub async fn close(self) {
        // The lanes write too, and end with the last who could ask them.
        drop(self.lanes);
        self.writer.stop().await;
        if let Err(error) = self.reader.connection.close().await {
            tracing::debug!(%error, "closing the database");
        }
    }
}

/// Refuses another program's file before it is opened for writing, which would already change it.
async fn look(path: &Path) -> Result<(), StoreError> {
    // What keeps it from being looked at is told better by opening it.
    let Ok(Some(connection)) = sqlite::look(path).await else { return Ok(()) };
    let pending = schema::pending(&connection).await;
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "closing the database after a look");
    }
    match pending {
        Err(error @ StoreError::Foreign { .. }) => Err(error),
        _ => Ok(()),
    }
}
