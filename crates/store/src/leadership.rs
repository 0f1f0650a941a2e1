//! Which of several servers does what only one of them should: the leader, chosen by a lock of the database.
//!
//! A server that has lost its connection knows it after four seconds at most, while another may lead already.
//! So what a leader does must do no harm when two do it at once.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Row};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::locks::Lock;
use crate::{Store, StoreError};

/// How often it is tried, or looked after.
const EVERY: Duration = Duration::from_secs(2);
/// How long the database may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// A server's part in choosing the leader. It stands back when this is dropped.
#[derive(Debug)]
pub struct Leadership {
    leads: watch::Receiver<bool>,
    part: Part,
}

#[derive(Debug)]
enum Part {
    /// The task that holds the lock, or tries to.
    Contends(JoinHandle<()>),
    /// There is nobody else. Kept, so that who watches waits instead of hearing that it is over.
    Alone { _told: watch::Sender<bool> },
}

impl Leadership {
    /// True while this server is the leader.
    pub fn is_leader(&self) -> bool {
        *self.leads.borrow()
    }

    /// Tells each change.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.leads.clone()
    }
}

impl Drop for Leadership {
    fn drop(&mut self) {
        // The connection goes with the task, and the lock with the connection.
        if let Part::Contends(task) = &self.part {
            task.abort();
        }
    }
}

impl Store {
    /// Takes part in choosing the leader. On SQLite this server always is.
    pub fn leadership(&self) -> Leadership {
        let Some(connect) = self.notices.connect_options() else {
            let (told, leads) = watch::channel(true);
            return Leadership { leads, part: Part::Alone { _told: told } };
        };
        let (told, leads) = watch::channel(false);
        let task = tokio::spawn(lead(connect.clone(), told));
        Leadership { leads, part: Part::Contends(task) }
    }
}

async fn lead(connect: PgConnectOptions, told: watch::Sender<bool>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut connection = None;
    loop {
        every.tick().await;
        let looked = tokio::time::timeout(ANSWER, look(&connect, &mut connection)).await;
        let leads = match looked {
            Ok(Ok(leads)) => leads,
            Ok(Err(error)) => {
                tracing::debug!(%error, "the lock of the leader cannot be asked for");
                connection = None;
                false
            }
            Err(_) => {
                connection = None;
                false
            }
        };
        if told.send_if_modified(|now| std::mem::replace(now, leads) != leads) {
            tracing::info!(leads, "leadership changed");
        }
    }
}

/// Takes the lock, or makes sure that it is still held.
async fn look(connect: &PgConnectOptions, slot: &mut Option<PgConnection>) -> Result<bool, StoreError> {
    let connection = match slot {
        Some(connection) => connection,
        None => slot.insert(PgConnection::connect_with(connect).await?),
    };
    // The lock may be taken several times in one session, so it is only asked for when it is not held.
    let sql = "SELECT CASE WHEN EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() \
               AND granted AND (classid::bigint << 32 | objid::bigint) = $1) THEN true \
               ELSE pg_try_advisory_lock($1) END";
    let row = sqlx::query(sql).bind(Lock::Leader.key()).fetch_one(connection).await?;
    Ok(row.try_get(0)?)
}
