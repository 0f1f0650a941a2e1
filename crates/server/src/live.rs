//! Telling those who watch that an operation has changed. What changed they read from the store, so
//! that nothing is lost when they are slow.
//!
//! Servers that share a database tell each other: id and version of what changed, gathered for a moment
//! and outside of the transactions, because a notice within one would make every commit wait for the
//! others. Such a notice may be lost; who watches also looks by itself from time to time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use netwark_store::Store;
use netwark_store::notices::{Channel, Heard};
use netwark_store::operations::Change;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::App;
use crate::workers::link::watch;

/// Changes a slow watcher may fall behind; beyond it, it reads everything anew.
const BEHIND: usize = 4096;
/// How long changes are gathered before other servers are told.
const GATHER: Duration = Duration::from_millis(20);

/// Clocks of servers and other programs on one machine or database differ by no more than this.
const LATE: SignedDuration = SignedDuration::from_secs(5);

/// What those who watch hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// An operation has changed.
    Changed(Change),
    /// Changes may have been missed.
    Missed,
}

/// The news of changes within this server.
#[derive(Clone, Debug)]
pub struct Live(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    told: broadcast::Sender<Told>,
    closing: CancellationToken,
    /// True when other servers may use the same database.
    shared: bool,
    /// Tells this server's notices from those of others.
    server: Uuid,
    /// The latest change of each operation that other servers have not been told of.
    gathered: Mutex<HashMap<Uuid, Change>>,
    gathering: Notify,
}

impl Live {
    /// For this store.
    pub fn new(store: &Store) -> Self {
        Self(Arc::new(Inner {
            told: broadcast::channel(BEHIND).0,
            closing: CancellationToken::new(),
            shared: store.is_shared(),
            server: Uuid::now_v7(),
            gathered: Mutex::default(),
            gathering: Notify::new(),
        }))
    }

    /// Tells that an operation has changed.
    pub fn changed(&self, change: Change) {
        // An error means that nobody watches.
        let _ = self.0.told.send(Told::Changed(change));
        if self.0.shared {
            let mut gathered = self.0.gathered.lock().unwrap_or_else(PoisonError::into_inner);
            gathered.insert(change.operation_id, change);
            drop(gathered);
            self.0.gathering.notify_one();
        }
    }

    /// The changes from now on.
    pub fn watch(&self) -> broadcast::Receiver<Told> {
        self.0.told.subscribe()
    }

    /// True when another server may change what is watched, and its notice may be lost.
    pub fn is_shared(&self) -> bool {
        self.0.shared
    }

    /// Ends every stream, so that the server need not wait for those who watch.
    pub fn close(&self) {
        self.0.closing.cancel();
    }

    /// Ends once the streams have to.
    pub async fn closed(&self) {
        self.0.closing.cancelled().await;
    }

    /// How many watch.
    pub fn watchers(&self) -> usize {
        self.0.told.receiver_count()
    }

    /// Follows a notice of changes, of this server or another.
    fn heard(&self, payload: &str) {
        for item in payload.split(',') {
            match read(item) {
                // Told already, when it was made.
                Some((server, _)) if server == self.0.server => {}
                Some((_, change)) => drop(self.0.told.send(Told::Changed(change))),
                // From a server of another version, it may be.
                None => drop(self.0.told.send(Told::Missed)),
            }
        }
    }

    /// What other servers have to be told of, in one text; empty when nothing is.
    fn gathered(&self) -> String {
        let mut gathered = self.0.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = std::mem::take(&mut *gathered);
        drop(gathered);
        changes.values().map(|change| item(self.0.server, change)).collect::<Vec<_>>().join(",")
    }
}

fn item(server: Uuid, change: &Change) -> String {
    let Change { operation_id, version, is_final } = change;
    format!("{}:{version}:{}:{}", operation_id.simple(), u8::from(*is_final), server.simple())
}

fn read(item: &str) -> Option<(Uuid, Change)> {
    let mut fields = item.split(':');
    let operation_id = fields.next()?.parse().ok()?;
    let version = fields.next()?.parse().ok()?;
    let is_final = match fields.next()? {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    let server = fields.next()?.parse().ok()?;
    Some((server, Change { operation_id, version, is_final }))
}

/// Tells other servers what changes here, until stopped.
pub async fn tell_others(app: App, stop: CancellationToken) {
    let live = &app.live.0;
    if !live.shared {
        return;
    }
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = live.gathering.notified() => {}
        }
        tokio::time::sleep(GATHER).await;
        let payload = app.live.gathered();
        if payload.is_empty() {
            continue;
        }
        if let Err(error) = app.store.notify(Channel::Changes, &payload).await {
            tracing::debug!(%error, "other servers were not told of changes");
        }
    }
}

/// Follows what other servers, and other programs, tell, until stopped.
pub async fn hear_others(app: App, stop: CancellationToken) {
    let mut listener = app.store.listen();
    let mut look = tokio::time::interval(watch::EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut looked_at = Timestamp::now();
    let mut drains = watch::Drains::default();
    drains.look(&app).await;
    loop {
        let heard = tokio::select! {
            () = stop.cancelled() => return,
            heard = listener.next() => heard,
            _ = look.tick() => {
                watch::look_at_all(&app).await;
                let since = std::mem::replace(&mut looked_at, Timestamp::now());
                watch::look_at_the_broker(&app, since - LATE).await;
                continue;
            }
        };
        match heard {
            Some(Heard::Notice { channel: Channel::Changes, payload }) => app.live.heard(&payload),
            Some(Heard::Notice { channel: Channel::Workers, payload }) => {
                watch::noticed(&app, &payload).await;
            }
            // Who follows the timeline hears it by itself.
            Some(Heard::Notice { channel: Channel::Events, .. }) => {}
            Some(Heard::Lost) => {
                let _ = app.live.0.told.send(Told::Missed);
                app.directory.forget_all();
                watch::look_at_all(&app).await;
                watch::look_at_the_broker(&app, looked_at - LATE).await;
                drains.look(&app).await;
            }
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_read_as_they_are_written() {
        let server = Uuid::now_v7();
        let change = Change { operation_id: Uuid::now_v7(), version: 42, is_final: true };
        assert_eq!(read(&item(server, &change)), Some((server, change)));
        for item in
            ["", "x", "x:1:0:y", "00000000000070008000000000000000:1:2:00000000000070008000000000000000"]
        {
            assert_eq!(read(item), None, "{item}");
        }
    }
}
