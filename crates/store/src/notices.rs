//! Short notices from one server to all that share a database, this one included.
//!
//! They say that something has changed, never what: who hears one reads the store. A notice may be lost with
//! the connection that listens; [`Heard::Lost`] says so, and who hears that reads everything anew. On
//! PostgreSQL they travel by LISTEN and NOTIFY, on a connection of their own. SQLite has one server, so
//! there they stay within the process, and [`Heard::Lost`] says that another program wrote to the file.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use crate::{Store, StoreError};

/// Most bytes of one NOTIFY; PostgreSQL takes less than 8000.
const LARGEST: usize = 7900;
/// Notices that wait for a slow listener; when there are more it has lost some.
const WAITING: usize = 4096;
/// Longest silence after which the connection is asked whether it still is one.
const SILENCE: Duration = Duration::from_secs(20);
/// How long it may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// Pause before a connection that was lost is made anew.
const PAUSE: Duration = Duration::from_millis(500);

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Operations that have changed.
    Changes,
    /// Workers that were revoked, drained or changed by an administrator.
    Workers,
    /// The timeline has new lines.
    Events,
}

impl Channel {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Changes, Self::Workers, Self::Events];

    /// Its name on PostgreSQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changes => "netwark_changes",
            Self::Workers => "netwark_workers",
            Self::Events => "netwark_events",
        }
    }
}

/// What a listener hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A notice.
    Notice {
        /// What it is about.
        channel: Channel,
        /// Its items, joined by commas.
        payload: Arc<str>,
    },
    /// Notices may have been missed, or another program wrote: what they speak of has to be read anew.
    Lost,
}

/// Someone who listens. It hears what is said after it was made.
#[derive(Debug)]
pub struct Listener {
    receiver: broadcast::Receiver<Heard>,
    /// Keeps the connection that listens alive as long as there are listeners.
    _hearing: Option<Arc<Hearing>>,
}

impl Listener {
    /// Waits for the next notice. Nothing once the store is gone.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.receiver.recv().await {
            Ok(heard) => Some(heard),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Heard::Lost),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// How notices travel.
#[derive(Clone, Debug)]
pub(crate) struct Notices {
    heard: broadcast::Sender<Heard>,
    connect: Option<Arc<PgConnectOptions>>,
    /// The database, for people.
    place: Arc<str>,
    hearing: Arc<Mutex<std::sync::Weak<Hearing>>>,
}

/// The task that listens to PostgreSQL; it ends with the last listener.
#[derive(Debug)]
struct Hearing(JoinHandle<()>);

impl Drop for Hearing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Notices {
    /// For a database that one process uses.
    pub(crate) fn within_process() -> Self {
        Self {
            heard: broadcast::channel(WAITING).0,
            connect: None,
            place: Arc::default(),
            hearing: Arc::default(),
        }
    }

    /// For PostgreSQL; the place is what people know the database by.
    pub(crate) fn through(connect: PgConnectOptions, place: &str) -> Self {
        Self { connect: Some(Arc::new(connect)), place: place.into(), ..Self::within_process() }
    }

    /// Tells everybody who listens.
    pub(crate) fn sender(&self) -> broadcast::Sender<Heard> {
        self.heard.clone()
    }

    /// How connections of their own are made, on PostgreSQL.
    pub(crate) fn connect_options(&self) -> Option<&PgConnectOptions> {
        self.connect.as_deref()
    }

    fn listen(&self) -> Listener {
        let receiver = self.heard.subscribe();
        let hearing = self.connect.as_ref().map(|connect| {
            let mut slot = self.hearing.lock().unwrap_or_else(PoisonError::into_inner);
            slot.upgrade().unwrap_or_else(|| {
                let task =
                    tokio::spawn(hear((**connect).clone(), Arc::clone(&self.place), self.heard.clone()));
                let hearing = Arc::new(Hearing(task));
                *slot = Arc::downgrade(&hearing);
                hearing
            })
        });
        Listener { receiver, _hearing: hearing }
    }
}

impl Store {
    /// Tells every server on this database, this one included. The payload is a list of items joined by
    /// commas; a long one arrives as several notices.
    ///
    /// # Errors
    /// When the database fails, or one item is longer than 7900 bytes.
    pub async fn notify(&self, channel: Channel, payload: &str) -> Result<(), StoreError> {
        for part in parts(payload)? {
            if self.notices.connect.is_none() {
                // Nobody may be listening.
                let _ = self.notices.heard.send(Heard::Notice { channel, payload: part.into() });
                continue;
            }
            let statement = Statement::from_sql_and_values(
                DbBackend::Postgres,
                "SELECT pg_notify($1, $2)",
                [channel.as_str().into(), part.into()],
            );
            let sent = self.read().execute_raw(statement).await;
            sent.map_err(StoreError::from).map_err(|error| error.at(&self.place))?;
        }
        Ok(())
    }

    /// True when other processes may serve the same database, and hear what is told.
    pub fn is_shared(&self) -> bool {
        self.notices.connect.is_some()
    }

    /// Listens to all channels. On PostgreSQL the first thing heard is [`Heard::Lost`], once the connection
    /// listens: what was said before that was missed. All listeners of a store share one connection.
    pub fn listen(&self) -> Listener {
        self.notices.listen()
    }
}

/// Cuts a payload at commas into parts that PostgreSQL takes.
fn parts(payload: &str) -> Result<Vec<&str>, StoreError> {
    let mut parts = Vec::new();
    let mut rest = payload;
    while rest.len() > LARGEST {
        let end =
            rest.as_bytes().iter().take(LARGEST + 1).rposition(|byte| *byte == b',').ok_or_else(|| {
                StoreError::Database(format!("one item of a notice is longer than {LARGEST} bytes"))
            })?;
        let (part, behind) = rest.split_at(end);
        parts.push(part);
        rest = behind.get(1..).unwrap_or_default();
    }
    if rest.len() > LARGEST {
        return Err(StoreError::Database(format!("one item of a notice is longer than {LARGEST} bytes")));
    }
    parts.push(rest);
    Ok(parts)
}

/// Passes on what PostgreSQL says, for ever; a connection that is lost is made anew.
async fn hear(connect: PgConnectOptions, place: Arc<str>, heard: broadcast::Sender<Heard>) {
    let mut told = false;
    loop {
        match hear_once(&connect, &heard, &mut told).await.map_err(|error| error.at(&place)) {
            Ok(()) => {}
            Err(error) if !told => {
                told = true;
                tracing::warn!(%error, "notices of other servers cannot be heard; trying again");
            }
            Err(error) => tracing::debug!(%error, "notices of other servers cannot be heard"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Listens until the connection is lost.
async fn hear_once(
    connect: &PgConnectOptions,
    heard: &broadcast::Sender<Heard>,
    told: &mut bool,
) -> Result<(), StoreError> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(ANSWER)
        .connect_lazy_with(connect.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen_all(Channel::ALL.map(Channel::as_str)).await?;
    *told = false;
    // Nobody may be listening any more; the task is about to end then.
    let _ = heard.send(Heard::Lost);
    loop {
        let Ok(said) = tokio::time::timeout(SILENCE, listener.try_recv()).await else {
            let asked = sqlx::query("SELECT 1").execute(&mut listener);
            tokio::time::timeout(ANSWER, asked).await.map_err(|_| StoreError::Unavailable {
                place: String::new(),
                detail: "the connection that listens has died".into(),
            })??;
            continue;
        };
        let Some(said) = said? else {
            return Err(StoreError::Unavailable {
                place: String::new(),
                detail: "the connection that listens was closed".into(),
            });
        };
        let channel = Channel::ALL.into_iter().find(|channel| channel.as_str() == said.channel());
        if let Some(channel) = channel {
            let _ = heard.send(Heard::Notice { channel, payload: said.payload().into() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_payloads_are_cut_at_commas() {
        let payload: Vec<String> = (0..3000).map(|n| format!("item-{n:04}")).collect();
        let payload = payload.join(",");
        let cut = parts(&payload).unwrap();
        assert!(cut.len() > 3 && cut.iter().all(|part| part.len() <= LARGEST));
        assert_eq!(cut.join(","), payload);
        assert_eq!(parts("a").unwrap(), ["a"]);
        assert!(parts(&"x".repeat(LARGEST + 1)).is_err());
        let just = format!("{},y", "x".repeat(LARGEST));
        assert_eq!(parts(&just).unwrap().len(), 2);
    }
}
