//! The one way to write.
//!
//! SQLite has a single writer, and every commit costs a sync of the disk. One task owns the
//! writing connection and puts all writes that wait into one `BEGIN IMMEDIATE`, each in a savepoint
//! of its own, so that one failing does not touch the others and many share one sync. Between writes it
//! looks whether another program wrote to the file. PostgreSQL runs each write as a transaction of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use tokio::sync::{Mutex, broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::notices::Heard;
use crate::patience::Patience;
use crate::{Store, StoreError};

/// Most writes that share one commit.
const GROUP: usize = 128;
/// How many times the limit of one statement a transaction may take before its connection is given up.
const STATEMENTS: u32 = 2;
/// Most writes that wait; beyond it callers wait for room.
const WAITING: usize = 1024;
/// How often it is looked whether another program wrote.
const LOOK: Duration = Duration::from_secs(1);

/// What a write does, given the transaction it runs in.
pub(crate) type Work<'t, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 't>>;

/// Told whether the commit went well.
type Settle = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
type Outcome<'t> = Pin<Box<dyn Future<Output = (bool, Settle)> + Send + 't>>;
/// Given its transaction, or why there is none.
type Job = Box<dyn for<'t> FnOnce(Result<&'t DatabaseTransaction, StoreError>) -> Outcome<'t> + Send>;

/// Writes to a database.
#[derive(Clone, Debug)]
pub(crate) enum Writer {
    /// A task that groups writes.
    Grouped(mpsc::Sender<Job>, Arc<Mutex<Option<JoinHandle<()>>>>),
    /// A transaction for each.
    Each(DatabaseConnection, Patience),
}

impl Writer {
    /// Whoever listens is told when another program has written to a SQLite file.
    pub(crate) fn start(
        connection: DatabaseConnection,
        patience: Patience,
        place: String,
        listeners: broadcast::Sender<Heard>,
    ) -> Self {
        if connection.get_database_backend() != DbBackend::Sqlite {
            return Self::Each(connection, patience);
        }
        let (sender, receiver) = mpsc::channel(WAITING);
        let task = tokio::spawn(group(connection, receiver, place, listeners));
        Self::Grouped(sender, Arc::new(Mutex::new(Some(task))))
    }

    /// Lets waiting writes end. Writes asked for afterwards are errors once every clone is gone.
    pub(crate) async fn stop(self) {
        if let Self::Grouped(sender, task) = self {
            drop(sender);
            let task = task.lock().await.take();
            if let Some(task) = task {
                // Other clones may still write; the task ends with the last of them.
                let _ = tokio::time::timeout(Duration::from_secs(2), task).await;
            }
        }
    }
}

impl Store {
    /// Runs `work` in a transaction and commits it; rolls it back when it fails.
    ///
    /// # Errors
    /// What `work` says, or what the commit says: then nothing of it is stored.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t DatabaseTransaction) -> Work<'t, T> + Send + 'static,
    {
        self.writer.write(work).await.map_err(|error| error.at(&self.place))
    }
}

impl Writer {
    /// Runs `work` in a transaction and commits it; rolls it back when it fails.
    ///
    /// # Errors
    /// What `work` says, or what the commit says: then nothing of it is stored.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t DatabaseTransaction) -> Work<'t, T> + Send + 'static,
    {
        match self {
            Self::Each(connection, patience) => {
                patience.within(STATEMENTS, write_alone(connection, work)).await
            }
            Self::Grouped(sender, _) => {
                let (reply, answer) = oneshot::channel();
                let job: Job = Box::new(move |transaction| {
                    Box::pin(async move {
                        let result = match transaction {
                            Ok(transaction) => work(transaction).await,
                            Err(error) => Err(error),
                        };
                        let fine = result.is_ok();
                        let settle: Settle = Box::new(move |committed| {
                            // The caller may have gone; its write stands all the same.
                            let _ = reply.send(result.and_then(|value| committed.map(|()| value)));
                        });
                        (fine, settle)
                    })
                });
                let gone =
                    || StoreError::Unavailable { place: String::new(), detail: "it has been closed".into() };
                sender.send(job).await.map_err(|_| gone())?;
                answer.await.map_err(|_| gone())?
            }
        }
    }
}

async fn write_alone<T, F>(connection: &DatabaseConnection, work: F) -> Result<T, StoreError>
where
    T: Send,
    F: for<'t> FnOnce(&'t DatabaseTransaction) -> Work<'t, T> + Send,
{
    let transaction = connection.begin().await?;
    match work(&transaction).await {
        Ok(value) => {
            transaction.commit().await?;
            Ok(value)
        }
        Err(error) => {
            transaction.rollback().await?;
            Err(error)
        }
    }
}

async fn group(
    connection: DatabaseConnection,
    mut jobs: mpsc::Receiver<Job>,
    place: String,
    listeners: broadcast::Sender<Heard>,
) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = None;
    loop {
        let first = tokio::select! {
            job = jobs.recv() => match job {
                Some(job) => job,
                None => break,
            },
            _ = look.tick() => {
                let version = others_wrote(&connection).await;
                if seen.is_some() && version.is_some() && seen != version {
                    // Nobody may be listening.
                    let _ = listeners.send(Heard::Lost);
                }
                seen = version.or(seen);
                continue;
            }
        };
        let mut settles = Vec::new();
        let committed = match run_group(&connection, first, &mut jobs, &mut settles).await {
            Ok(()) => Ok(()),
            Err(error) => {
                let error = error.at(&place);
                tracing::error!(%error, "a commit failed");
                Err(error)
            }
        };
        for settle in settles {
            settle(committed.clone());
        }
    }
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "closing the writing connection");
    }
}

/// A number that is another one once another connection than this has written, which within this process none does.
async fn others_wrote(connection: &DatabaseConnection) -> Option<i64> {
    let version = Statement::from_string(DbBackend::Sqlite, "PRAGMA data_version");
    connection.query_one_raw(version).await.ok()??.try_get_by_index(0).ok()
}

async fn run_group(
    connection: &DatabaseConnection,
    first: Job,
    jobs: &mut mpsc::Receiver<Job>,
    settles: &mut Vec<Settle>,
) -> Result<(), StoreError> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = connection.begin_with_options(options).await;
    let transaction = match transaction {
        Ok(transaction) => transaction,
        Err(error) => {
            let error = StoreError::from(error);
            settles.push(first(Err(error.clone())).await.1);
            return Err(error);
        }
    };
    let mut next = Some(first);
    while let Some(job) = next {
        let savepoint = transaction.begin().await?;
        let (fine, settle) = job(Ok(&savepoint)).await;
        settles.push(settle);
        if fine {
            savepoint.commit().await?;
        } else {
            savepoint.rollback().await?;
        }
        next = if settles.len() < GROUP { jobs.try_recv().ok() } else { None };
    }
    transaction.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreOptions;

    async fn write(store: &Store, sql: &'static str) -> Result<(), StoreError> {
        store
            .write(move |transaction| {
                Box::pin(async move { Ok(transaction.execute_unprepared(sql).await.map(|_| ())?) })
            })
            .await
    }

    #[tokio::test]
    async fn what_another_program_wrote_is_told_to_who_listens() {
        let directory = std::env::temp_dir().join(format!("netwark-write-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&directory).unwrap();
        let options = StoreOptions::new(format!("sqlite://{}/test.db", directory.display()));
        let (store, other) = (Store::open(&options).await.unwrap(), Store::open(&options).await.unwrap());
        let mut listener = store.listen();
        write(&store, "CREATE TABLE kept (n INTEGER)").await.unwrap();
        // Until the first look has been, nobody knows what was there before.
        let writing = async {
            for _ in 0..60 {
                write(&other, "INSERT INTO kept VALUES (1)").await.unwrap();
                tokio::time::sleep(LOOK).await;
            }
        };
        let heard = tokio::select! {
            heard = listener.next() => heard,
            () = writing => None,
        };
        assert_eq!(heard, Some(Heard::Lost));
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[tokio::test]
    async fn a_failed_commit_does_not_swallow_what_is_written_later() {
        let directory = std::env::temp_dir().join(format!("netwark-write-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&directory).unwrap();
        let url = format!("sqlite://{}/test.db", directory.display());
        let store = Store::open(&StoreOptions::new(url)).await.unwrap();
        write(&store, "CREATE TABLE kept (n INTEGER)").await.unwrap();

        // A full disk leaves the connection like this: the transaction that was begun is gone, and another is open.
        let failed = write(&store, "INSERT INTO kept VALUES (1); ROLLBACK; BEGIN").await;
        assert!(failed.is_err(), "its transaction is gone");

        write(&store, "INSERT INTO kept VALUES (2)").await.unwrap();
        let count = Statement::from_string(DbBackend::Sqlite, "SELECT count(*), sum(n) FROM kept");
        let row = store.read().query_one_raw(count).await.unwrap().unwrap();
        let found: (i64, i64) = (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
        assert_eq!(found, (1, 2), "a reader sees what was acknowledged, and nothing else");
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
