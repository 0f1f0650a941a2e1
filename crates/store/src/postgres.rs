//! Opening PostgreSQL: which versions, how long to wait, and connections that survive its restart.

use std::time::Duration;

use sea_orm::{DatabaseConnection, SqlxPostgresConnector};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{Connection, Row};
use tokio::time::Instant;

use crate::patience::Patience;
use crate::place::redacted;
use crate::{StoreError, StoreOptions};

/// The oldest version that is supported, as `server_version_num` counts.
const OLDEST: i32 = 130_000;
/// How long a connection may take to be made, or to become free.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long a statement waits for a lock, at most.
const LOCK: Duration = Duration::from_secs(10);
/// Pause between two tries to reach a database that is starting.
const PAUSE: Duration = Duration::from_millis(500);

/// How connections are made: limits that the server keeps, whatever becomes of this process.
pub(crate) fn connect_options(options: &StoreOptions) -> Result<PgConnectOptions, StoreError> {
    let statement = options.statement_timeout;
    let connect: PgConnectOptions = options.url.parse().map_err(|error: sqlx::Error| StoreError::Url {
        url: redacted(&options.url),
        reason: error.to_string(),
    })?;
    Ok(connect
        .application_name("netwark")
        .options([
            ("statement_timeout", statement.as_millis()),
            ("lock_timeout", LOCK.min(statement).as_millis()),
            // A process that hangs, or a machine that has gone, must not hold its locks for hours.
            ("idle_in_transaction_session_timeout", 60_000),
            ("tcp_keepalives_idle", 10),
            ("tcp_keepalives_interval", 5),
            ("tcp_keepalives_count", 3),
        ])
        // Every statement here is for few rows of tables that grow, and its plan is kept: one that was made for an
        // empty table must do for a full one. A table that has no fitting index is read as a whole all the same, and
        // looks so expensive then that compiling the plan would seem worth its time.
        .options([("enable_seqscan", "off"), ("jit", "off")]))
}

/// Opens the pool, once the server answers and is recent enough.
pub(crate) async fn open(
    connect: &PgConnectOptions,
    options: &StoreOptions,
    patience: &Patience,
    place: &str,
) -> Result<DatabaseConnection, StoreError> {
    let mut first = first_connection(connect, options.wait, place).await?;
    let row = sqlx::query(
        "SELECT current_setting('server_version_num')::int4, version(), current_setting('server_encoding')",
    )
    .fetch_one(&mut first)
    .await?;
    supported(row.try_get(0)?, row.try_get(1)?)?;
    holds_every_character(row.try_get(2)?)?;
    // It has answered; that it cannot say goodbye changes nothing.
    let _ = first.close().await;
    let (before, after) = (patience.clone(), patience.clone());
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections.max(2))
        .acquire_timeout(ACQUIRE)
        // A restart leaves dead connections in the pool, and a firewall on the way silent ones; each is asked
        // before it is used, for a shorter time than there is to get a connection.
        .test_before_acquire(false)
        .before_acquire(move |connection, of| {
            let patience = before.clone();
            Box::pin(async move { Ok(patience.may_be_used(connection, of.idle_for).await) })
        })
        .after_release(move |connection, of| {
            let patience = after.clone();
            Box::pin(async move { Ok(patience.may_be_kept(connection, of.age).await) })
        })
        .max_lifetime(Duration::from_secs(30 * 60))
        .idle_timeout(Duration::from_secs(5 * 60))
        .connect_lazy_with(connect.clone());
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

/// A connection of its own, made anew for as long as `wait` while the server is not there or still starting.
async fn first_connection(
    connect: &PgConnectOptions,
    wait: Duration,
    place: &str,
) -> Result<PgConnection, StoreError> {
    let until = Instant::now() + wait;
    let mut told = false;
    loop {
        let error = match tokio::time::timeout(ACQUIRE, PgConnection::connect_with(connect)).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => StoreError::from(error).at(place),
            Err(_) => StoreError::Unavailable {
                place: place.into(),
                detail: format!("no answer within {} s", ACQUIRE.as_secs()),
            },
        };
        if !error.is_temporary() || Instant::now() + PAUSE > until {
            return Err(error);
        }
        if !told {
            tracing::warn!(%error, "waiting up to {} s for the database", wait.as_secs());
            told = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Refuses a server that is too old, naming it.
fn supported(number: i32, version: &str) -> Result<(), StoreError> {
    if number >= OLDEST {
        return Ok(());
    }
    // "PostgreSQL 12.4 on x86_64-pc-linux-gnu, compiled by ..."
    let found: Vec<&str> = version.split_whitespace().take(2).collect();
    Err(StoreError::TooOld { place: String::new(), found: found.join(" ") })
}

/// Refuses a database that would refuse names. One without an encoding (`SQL_ASCII`) takes all bytes as they are.
fn holds_every_character(encoding: &str) -> Result<(), StoreError> {
    match encoding {
        "UTF8" | "SQL_ASCII" => Ok(()),
        other => Err(StoreError::Encoding { place: String::new(), found: other.into() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_version_is_named() {
        let error = supported(120_019, "PostgreSQL 12.19 (Debian 12.19-1) on x86_64").unwrap_err().at("h/d");
        let text = error.to_string();
        assert!(text.contains("PostgreSQL 12.19") && text.contains("13") && text.contains("h/d"), "{text}");
        assert!(supported(130_000, "PostgreSQL 13.0").is_ok());
    }

    #[test]
    fn an_encoding_that_lacks_characters_is_named() {
        let text = holds_every_character("LATIN1").unwrap_err().at(" h/d").to_string();
        assert!(text.contains("LATIN1") && text.contains("UTF8") && text.contains("h/d"), "{text}");
        assert!(holds_every_character("UTF8").is_ok() && holds_every_character("SQL_ASCII").is_ok());
    }

    #[tokio::test]
    async fn nobody_there_is_temporary_and_waited_for() {
        let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let options = StoreOptions {
            wait: Duration::from_millis(600),
            ..StoreOptions::new(format!("postgres://nobody@{unused}/nothing"))
        };
        let began = Instant::now();
        let error = crate::Store::open(&options).await.unwrap_err();
        assert!(error.is_temporary(), "{error}");
        assert!(error.to_string().contains(&unused.to_string()), "{error}");
        assert!(began.elapsed() >= PAUSE, "it was tried again");
    }
}
