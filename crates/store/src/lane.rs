//! Writes of one kind that wait for each other and then share statements and a commit.
//!
//! One is under way at a time; what is asked for meanwhile waits, and is done together next. Alone a write
//! waits for nobody, under load hundreds cost little more than one.

use std::fmt;
use std::time::{Duration, Instant};

use sea_orm::DatabaseTransaction;
use tokio::sync::{mpsc, oneshot};

use crate::StoreError;
use crate::write::{Work, Writer};

/// Most items done together.
const TOGETHER: usize = 128;
/// A batch that fails only after this had no database.
const SLOW: Duration = Duration::from_secs(1);
/// Most items that wait; beyond it callers wait for room.
const WAITING: usize = 1024;

/// What is done with items, together: an answer for each, in their order.
pub(crate) type Batch<I, O> = for<'t> fn(&'t DatabaseTransaction, Vec<I>) -> Work<'t, Vec<O>>;

type Asked<I, O> = (I, oneshot::Sender<Result<O, StoreError>>);

/// Where items wait.
pub(crate) struct Lane<I, O>(mpsc::Sender<Asked<I, O>>);

impl<I, O> Clone for Lane<I, O> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<I, O> fmt::Debug for Lane<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lane")
    }
}

impl<I: Clone + Send + 'static, O: Send + 'static> Lane<I, O> {
    /// Starts a lane; it ends with its last clone.
    pub(crate) fn start(writer: Writer, batch: Batch<I, O>) -> Self {
        Self::start_gathering(writer, batch, Duration::ZERO)
    }

    /// Starts a lane whose writes nobody waits for: what comes within this time of the first is written with it.
    pub(crate) fn start_gathering(writer: Writer, batch: Batch<I, O>, gather: Duration) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(run(writer, batch, gather, receiver));
        Self(sender)
    }

    /// Does an item, together with others that wait.
    pub(crate) async fn ask(&self, item: I) -> Result<O, StoreError> {
        let gone = || StoreError::Unavailable { place: String::new(), detail: "it has been closed".into() };
        let (reply, answer) = oneshot::channel();
        self.0.send((item, reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

async fn run<I: Clone + Send + 'static, O: Send + 'static>(
    writer: Writer,
    batch: Batch<I, O>,
    gather: Duration,
    mut asked: mpsc::Receiver<Asked<I, O>>,
) {
    let mut waiting = Vec::with_capacity(TOGETHER);
    while asked.recv_many(&mut waiting, TOGETHER).await > 0 {
        // Nothing more comes from a lane that has ended, and a full batch gains nothing by waiting.
        if !gather.is_zero() && waiting.len() < TOGETHER && !asked.is_closed() {
            tokio::time::sleep(gather).await;
            while waiting.len() < TOGETHER
                && let Ok(more) = asked.try_recv()
            {
                waiting.push(more);
            }
        }
        let (items, mut replies): (Vec<I>, Vec<_>) = waiting.drain(..).unzip();
        let began = Instant::now();
        let done = write(&writer, batch, items.clone()).await;
        let answers = match done {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            // One of them is to blame, or met another server's write. The others must not suffer for it.
            Err(error) if error.is_contention() || (items.len() > 1 && !error.is_temporary()) => {
                tracing::debug!(%error, items = items.len(), "writing one by one");
                let mut answers = Vec::with_capacity(items.len());
                for item in items {
                    answers.push(alone(&writer, batch, item).await);
                }
                answers
            }
            Err(error) => {
                if began.elapsed() >= SLOW {
                    // What waits behind a database that is gone would wait as long for the same answer.
                    replies.extend(std::iter::from_fn(|| asked.try_recv().ok()).map(|(_, reply)| reply));
                }
                replies.iter().map(|_| Err(error.clone())).collect()
            }
        };
        for (reply, answer) in replies.into_iter().zip(answers) {
            // The caller may have gone; its write stands all the same.
            let _ = reply.send(answer);
        }
    }
}

/// One item by itself, with a second try when it meets another server's write.
async fn alone<I: Clone + Send + 'static, O: Send + 'static>(
    writer: &Writer,
    batch: Batch<I, O>,
    item: I,
) -> Result<O, StoreError> {
    let answers = match write(writer, batch, vec![item.clone()]).await {
        Err(error) if error.is_contention() => write(writer, batch, vec![item]).await?,
        answers => answers?,
    };
    let missing = || StoreError::Database("a write gave no answer".into());
    answers.into_iter().next().ok_or_else(missing)
}

async fn write<I: Send + 'static, O: Send + 'static>(
    writer: &Writer,
    batch: Batch<I, O>,
    items: Vec<I>,
) -> Result<Vec<O>, StoreError> {
    writer.write(move |transaction| batch(transaction, items)).await
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, DbBackend, Statement};

    use super::*;
    use crate::{Store, StoreOptions};

    fn keep<'t>(transaction: &'t DatabaseTransaction, items: Vec<&'static str>) -> Work<'t, Vec<usize>> {
        Box::pin(async move {
            let together = items.len();
            for item in items {
                let sql = format!("INSERT INTO kept VALUES ('{item}')");
                transaction.execute_unprepared(&sql).await?;
            }
            Ok(vec![together; together])
        })
    }

    #[tokio::test]
    async fn one_that_fails_harms_no_other() {
        let store = Store::open(&StoreOptions::new("sqlite::memory:")).await.unwrap();
        let table = "CREATE TABLE kept (name TEXT UNIQUE)";
        store
            .write(move |t| Box::pin(async move { Ok(t.execute_unprepared(table).await.map(|_| ())?) }))
            .await
            .unwrap();
        let lane = Lane::start(store.writer.clone(), keep as Batch<&'static str, usize>);
        // The first begins alone; what is asked for meanwhile waits and is done together.
        let asked = ["a", "b", "c", "a", "d"].map(|item| lane.ask(item));
        let answers = futures::future::join_all(asked).await;
        let fine: Vec<bool> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(fine, [true, true, true, false, true], "{answers:?}");
        assert!(answers[3].as_ref().is_err_and(StoreError::is_conflict));
        let more = ["e", "f", "g"].map(|item| lane.ask(item));
        let together: usize =
            futures::future::join_all(more).await.into_iter().map(Result::unwrap).max().unwrap();
        assert!(together > 1, "what waits is done together");
        let count = Statement::from_string(DbBackend::Sqlite, "SELECT count(*) FROM kept");
        let row = store.read().query_one_raw(count).await.unwrap().unwrap();
        assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 7);
    }
}
