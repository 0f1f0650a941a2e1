//! The database as the servers meet it: another program's, gone for a moment, shared by several.
//!
//! PostgreSQL runs when `NETWARK_TEST_POSTGRES_URL` names a server on which databases may be made; where `CI`
//! is set, its absence is a failure.

#![expect(clippy::panic, reason = "a test fails by panicking, in its helpers too")]
#![expect(clippy::unwrap_used, reason = "the same")]
#![expect(clippy::print_stderr, reason = "who runs the tests should see what was skipped")]

mod copying;
mod notices;
mod racing;
mod restart;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use netwark_store::notices::{Channel, Heard, Listener};
use netwark_store::{Store, StoreError, StoreOptions};
use sea_orm::{ConnectionTrait, Database};

/// How long a condition may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let patient = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, patient).await.unwrap_or_else(|_| panic!("{what}"));
}

async fn open(url: &str) -> Store {
    Store::open(&StoreOptions::new(url)).await.unwrap()
}

async fn execute(url: &str, sql: &str) {
    let url = if url.starts_with("sqlite") { format!("{url}?mode=rwc") } else { url.to_owned() };
    let connection = Database::connect(url).await.unwrap();
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

/// Ends every connection to this database, as a restart of the server would.
async fn cut(url: &str) {
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    execute(url, cut).await;
}

async fn hear(listener: &mut Listener) -> Heard {
    tokio::time::timeout(PATIENCE, listener.next()).await.expect("a notice").expect("the store is open")
}

fn said(payload: &str) -> Heard {
    Heard::Notice { channel: Channel::Changes, payload: payload.into() }
}

async fn is_left_alone(url: &str, word: &str) {
    for options in [StoreOptions::new(url), StoreOptions { migrate: false, ..StoreOptions::new(url) }] {
        let error = Store::open(&options).await.unwrap_err();
        assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    let error = Store::pending_migrations(&StoreOptions::new(url)).await.unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
}

#[tokio::test]
async fn another_programs_file_is_left_alone() {
    for (table, word) in [("alembic_version", "older toolkit"), ("users", "(users)")] {
        let url = support::sqlite_url();
        execute(&url, &format!("CREATE TABLE {table} (n INTEGER)")).await;
        let file = url.trim_start_matches("sqlite://");
        let before = std::fs::read(file).unwrap();
        is_left_alone(&url, word).await;
        assert!(std::fs::read(file).unwrap() == before, "not a byte of it has changed");
    }
}

#[tokio::test]
async fn another_programs_server_database_is_left_alone() {
    for (table, word) in [("alembic_version", "older toolkit"), ("operations", "(operations)")] {
        let Some(url) = support::postgres_url().await else { return };
        execute(&url, &format!("CREATE TABLE {table} (n INTEGER)")).await;
        is_left_alone(&url, word).await;
        // It is the only table still.
        execute(&url, &format!("DO $$ BEGIN ASSERT (SELECT count(*) FROM pg_tables WHERE schemaname = 'public') = 1; END $$; DROP TABLE {table}")).await;
        open(&url).await.close().await;
    }
}

#[tokio::test]
async fn an_old_schema_is_refused_without_leave_to_change_it() {
    let urls = [Some(support::sqlite_url()), support::postgres_url().await];
    for url in urls.into_iter().flatten() {
        let options = StoreOptions { migrate: false, ..StoreOptions::new(&url) };
        let all = Store::pending_migrations(&options).await.unwrap();
        assert!(all.len() >= 3, "{all:?}");
        assert_eq!(Store::pending_migrations(&options).await.unwrap(), all, "asking changes nothing");
        let error = Store::open(&options).await.unwrap_err();
        assert!(error.to_string().contains("netwark migrate"), "{error}");
        open(&url).await.close().await;
        assert!(Store::pending_migrations(&options).await.unwrap().is_empty());
        Store::open(&options).await.unwrap().close().await;
    }
}

#[tokio::test]
async fn servers_that_start_at_once_migrate_once() {
    let Some(url) = support::postgres_url().await else { return };
    let stores = futures::future::join_all((0..4).map(|_| open(&url))).await;
    for store in stores {
        store.ping().await.unwrap();
    }
}

#[tokio::test]
async fn connections_that_were_cut_are_made_anew() {
    let Some(url) = support::postgres_url().await else { return };
    let store = open(&url).await;
    let mut listener = store.listen();
    assert_eq!(hear(&mut listener).await, Heard::Lost);
    let leadership = store.leadership();
    until("it leads", async || leadership.is_leader()).await;
    for round in 0..3 {
        store.replace_setting("round", &round.to_string()).await.unwrap();
        cut(&url).await;
        store.replace_setting("round", "again").await.unwrap();
        assert_eq!(store.setting("round").await.unwrap().as_deref(), Some("again"));
        assert_eq!(hear(&mut listener).await, Heard::Lost, "what was said meanwhile may be lost");
        store.notify(Channel::Changes, "a").await.unwrap();
        assert_eq!(hear(&mut listener).await, said("a"));
    }
    until("it leads again", async || leadership.is_leader()).await;
}

#[tokio::test]
async fn a_transaction_that_is_cut_is_a_temporary_error() {
    let Some(url) = support::postgres_url().await else { return };
    let store = open(&url).await;
    let cut_url = url.clone();
    let failed = store
        .write(move |transaction| {
            Box::pin(async move {
                transaction.execute_unprepared("INSERT INTO settings VALUES ('cut', '1')").await?;
                cut(&cut_url).await;
                transaction.execute_unprepared("INSERT INTO settings VALUES ('cut2', '1')").await?;
                Ok(())
            })
        })
        .await;
    let error = failed.unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert_eq!(store.setting("cut").await.unwrap(), None);
}

#[tokio::test]
async fn connections_are_counted() {
    let Some(store) = support::postgres().await else { return };
    store.ping().await.unwrap();
    let connections = store.connections();
    assert!(connections.open >= 1 && connections.idle <= connections.open, "{connections:?}");
    assert_eq!(connections.most, 10);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let Some(url) = support::postgres_url().await else { return };
    let options = StoreOptions { statement_timeout: Duration::from_millis(200), ..StoreOptions::new(&url) };
    let store = Store::open(&options).await.unwrap();
    let slept = store.read().execute_unprepared("SELECT pg_sleep(3600)").await;
    let error = StoreError::from(slept.unwrap_err());
    assert!(error.is_temporary() && error.to_string().contains("timeout"), "{error}");
    store.ping().await.unwrap();
}

#[tokio::test]
async fn one_server_leads() {
    let Some(url) = support::postgres_url().await else { return };
    let (paris, lyon) = (open(&url).await, open(&url).await);
    let first = paris.leadership();
    until("the first leads", async || first.is_leader()).await;
    let second = lyon.leadership();
    let mut changes = second.watch();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(first.is_leader() && !second.is_leader());
    drop(first);
    tokio::time::timeout(PATIENCE, changes.wait_for(|leads| *leads)).await.unwrap().unwrap();
    assert!(second.is_leader());
}

#[tokio::test]
async fn the_only_server_leads() {
    let store = support::sqlite().await;
    let leadership = store.leadership();
    assert!(leadership.is_leader());
    let mut changes = leadership.watch();
    let heard = tokio::time::timeout(Duration::from_millis(50), changes.changed()).await;
    assert!(heard.is_err(), "who watches waits");
}

#[tokio::test]
async fn notices_reach_every_server() {
    let Some(url) = support::postgres_url().await else { return };
    let (paris, lyon) = (open(&url).await, open(&url).await);
    let (mut here, mut there) = (paris.listen(), lyon.listen());
    assert_eq!(hear(&mut here).await, Heard::Lost);
    assert_eq!(hear(&mut there).await, Heard::Lost);
    paris.notify(Channel::Changes, "1").await.unwrap();
    assert_eq!(hear(&mut here).await, said("1"));
    assert_eq!(hear(&mut there).await, said("1"));
    let many: Vec<String> = (0..3000).map(|n| n.to_string()).collect();
    lyon.notify(Channel::Workers, &many.join(",")).await.unwrap();
    let mut heard = Vec::new();
    while heard.len() < many.len() {
        let Heard::Notice { channel: Channel::Workers, payload } = hear(&mut here).await else { panic!() };
        heard.extend(payload.split(',').map(ToOwned::to_owned));
    }
    assert_eq!(heard, many);
}

#[tokio::test]
async fn notices_stay_within_a_process_on_sqlite() {
    let store = support::sqlite().await;
    store.notify(Channel::Changes, "nobody listens").await.unwrap();
    let mut listener = store.listen();
    store.notify(Channel::Changes, "1").await.unwrap();
    assert_eq!(hear(&mut listener).await, said("1"));
}
