//! How long the database may be silent.
//!
//! A firewall that forgets a connection, or a machine that is gone, closes nothing: who waits for an answer
//! waits for ever. PostgreSQL keeps its own limits, and this is for when nothing of PostgreSQL arrives any more.

use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::prelude::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement,
};
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use tokio::time::Instant;

/// How much longer than PostgreSQL itself takes it may be before an answer arrives.
const ON_THE_WAY: Duration = Duration::from_secs(5);
/// How long a connection that does nothing may take to show that it still is one.
const ALIVE: Duration = Duration::from_secs(2);

/// The patience with one database, and what is known of connections to it that went silent.
#[derive(Clone, Default)]
pub(crate) struct Patience(Option<Arc<Limits>>);

struct Limits {
    /// How long PostgreSQL lets a statement take.
    statement: Duration,
    /// When a connection was last found silent. What forgot that one has forgotten all that are as old.
    silent: Mutex<Option<Instant>>,
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Patience").field(&self.0.as_ref().map(|limits| limits.statement)).finish()
    }
}

impl Patience {
    /// With a database that ends statements after this time.
    pub(crate) fn with(statement: Duration) -> Self {
        Self(Some(Arc::new(Limits { statement, silent: Mutex::default() })))
    }

    /// Waits for work that takes at most so many times what a statement may take; without a limit on a
    /// database in this process.
    pub(crate) async fn within<T, E: From<DbErr>>(
        &self,
        statements: u32,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let Some(limits) = &self.0 else { return work.await };
        let limit = limits.statement * statements + ON_THE_WAY;
        let mut work = pin!(work);
        let Ok(result) = tokio::time::timeout(limit, work.as_mut()).await else {
            // Noted before the work is dropped, and with it its connection given back.
            limits.note();
            let text = format!("it gave no answer within {} s", limit.as_secs());
            let error = sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, text));
            return Err(DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))).into());
        };
        result
    }

    /// True when a connection may be used that was idle for so long: it is asked, unless it is as old as one
    /// that went silent. Asking all of them would take too long.
    pub(crate) async fn may_be_used(&self, connection: &mut PgConnection, idle_for: Duration) -> bool {
        let Some(limits) = &self.0 else { return true };
        !limits.is_older(idle_for) && limits.answers(connection).await
    }

    /// True when a connection of this age may be given back: one that is as old as one that went silent is
    /// asked first.
    pub(crate) async fn may_be_kept(&self, connection: &mut PgConnection, age: Duration) -> bool {
        let Some(limits) = &self.0 else { return true };
        !limits.is_older(age) || limits.answers(connection).await
    }
}

impl Limits {
    fn note(&self) {
        *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// True when this time ago no connection had been found silent yet.
    fn is_older(&self, than: Duration) -> bool {
        let silent = *self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        silent.is_some_and(|silent| silent.elapsed() < than)
    }

    async fn answers(&self, connection: &mut PgConnection) -> bool {
        match tokio::time::timeout(ALIVE, connection.ping()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::info!(%error, "a connection to the database has gone");
                false
            }
            Err(_) => {
                tracing::warn!("a connection to the database is silent; those that are as old are made anew");
                self.note();
                false
            }
        }
    }
}

/// What reads: each statement ends within the patience with the database.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(crate) connection: DatabaseConnection,
    pub(crate) patience: Patience,
}

#[async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.patience.within(1, self.connection.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.patience.within(1, self.connection.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.patience.within(1, self.connection.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.patience.within(1, self.connection.query_all_raw(statement)).await
    }
}
