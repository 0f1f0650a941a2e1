//! Standing orders: kept on disk, carried out whether or not a server can be reached.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use netwark_model::assignments::{Assignment, AssignmentChange, StreamReport};
use netwark_model::messages::News;
use netwark_model::watch::SWEEP;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::spool::Spool;
use crate::watching::Watching;
use crate::worker::Shared;

/// Most standing orders of one worker.
const MOST: usize = 10_000;
/// Nothing is done more often than this.
const LEAST_EVERY: Duration = Duration::from_millis(100);
/// No network is swept more often than this.
const LEAST_SWEEP_EVERY: Duration = Duration::from_secs(5);

/// What stands on the disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Kept {
    revision: u64,
    assignments: Vec<Assignment>,
}

/// The standing orders of a worker.
#[derive(Debug)]
pub(crate) struct Standing {
    file: PathBuf,
    spool: Spool,
    kept: Mutex<Kept>,
    /// Orders that are wanted before they are due.
    hurried: Mutex<HashSet<Uuid>>,
    changed: Notify,
}

/// What came of a change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    /// The revision it led to.
    pub(crate) revision: u64,
    /// Orders that were let go, with the epochs they were held in.
    pub(crate) released: Vec<(Uuid, u64)>,
}

impl Standing {
    /// The standing orders that a file remembers; none when it does not exist or cannot be read.
    pub(crate) fn open(directory: &Path, spool: Spool) -> Self {
        let file = directory.join("assignments.json");
        let kept = match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::error!(file = %file.display(), %error, "the standing orders cannot be read; the server is asked for them");
                Kept::default()
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Kept::default(),
            Err(error) => {
                tracing::error!(file = %file.display(), %error, "the standing orders cannot be read; the server is asked for them");
                Kept::default()
            }
        };
        Self { file, spool, kept: Mutex::new(kept), hurried: Mutex::default(), changed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The revision of what it has.
    pub(crate) fn revision(&self) -> u64 {
        self.lock().revision
    }

    /// Takes over a change; nothing of it counts when it cannot be written down.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn change(&self, change: AssignmentChange) -> io::Result<Changed> {
        let mut kept = self.lock();
        let mut fresh: HashMap<Uuid, Assignment> = HashMap::new();
        let mut released = Vec::new();
        let staying: HashSet<Uuid> = change.held.iter().map(|held| held.id).collect();
        for old in &kept.assignments {
            let goes = change.released.contains(&old.id) || (change.complete && !staying.contains(&old.id));
            if goes {
                released.push((old.id, old.epoch));
            } else {
                fresh.insert(old.id, old.clone());
            }
        }
        // What was told to be let go is answered even when it is not here: the server waits for that.
        for id in &change.released {
            if !released.iter().any(|(gone, _)| gone == id) {
                released.push((*id, u64::MAX));
            }
        }
        for held in change.held.into_iter().take(MOST) {
            let is_older = fresh.get(&held.id).is_some_and(|old| old.epoch > held.epoch);
            if !is_older {
                fresh.insert(held.id, held);
            }
        }
        let mut assignments: Vec<_> = fresh.into_values().take(MOST).collect();
        assignments.sort_unstable_by_key(|assignment| assignment.id);
        let next = Kept { revision: change.revision, assignments };
        write(&self.file, &next)?;
        *kept = next;
        self.spool.retain(&kept.assignments.iter().map(|held| held.id).collect());
        drop(kept);
        self.changed.notify_one();
        Ok(Changed { revision: change.revision, released })
    }

    /// Carries an order out at once, when it is here.
    pub(crate) fn hurry(&self, id: Uuid) {
        if self.lock().assignments.iter().any(|held| held.id == id) {
            self.hurried.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
            self.changed.notify_one();
        }
    }

    /// Carries the orders out until stopped.
    pub(crate) async fn carry_out(self: Arc<Self>, shared: Arc<Shared>, stop: CancellationToken) {
        let mut due: HashMap<(Uuid, u64), Instant> = HashMap::new();
        let mut watching = Watching::default();
        loop {
            let assignments = self.lock().assignments.clone();
            let held: HashSet<_> = assignments.iter().map(|held| (held.id, held.epoch)).collect();
            due.retain(|order, _| held.contains(order));
            watching.follow(&shared, &assignments);
            let now = Instant::now();
            let hurried = std::mem::take(&mut *self.hurried.lock().unwrap_or_else(PoisonError::into_inner));
            for order in &assignments {
                let at = due.entry((order.id, order.epoch)).or_insert(now);
                if hurried.contains(&order.id) {
                    *at = now;
                }
                if *at > now {
                    continue;
                }
                if order.kind == SWEEP {
                    *at = now + jittered(Duration::from_millis(order.every_ms).max(LEAST_SWEEP_EVERY));
                    watching.sweep(&shared, order, hurried.contains(&order.id));
                    continue;
                }
                let every = Duration::from_millis(order.every_ms).max(LEAST_EVERY);
                // What was missed while the machine slept is not made up for.
                *at = (*at + every).max(now + every / 2);
                if order.kind != HEARTBEAT {
                    // Said once for each epoch; the server may mean a newer program.
                    *at = now + Duration::from_secs(365 * 24 * 3600);
                }
                self.carry(&shared, order).await;
            }
            let next = due.values().min().copied();
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.changed.notified() => {}
                () = sleep_until(next) => {}
            }
        }
    }

    async fn carry(&self, shared: &Arc<Shared>, order: &Assignment) {
        let at_ms = Timestamp::now().as_millisecond();
        let (stream, epoch, kind) = (order.id, order.epoch, order.kind.clone());
        let sender = Arc::clone(shared);
        let make = move |sequence| {
            let body = body(&kind, sequence);
            sender.marked(News::Stream(StreamReport { stream, epoch, sequence, at_ms, body }))
        };
        if let Err(error) = self.spool.keep_next(stream, epoch, make).await {
            tracing::error!(assignment = %stream, %error, "a report of a standing order is lost");
        }
    }
}

/// A time that is shifted by up to a tenth, so that the sweeps of many networks do not stay together.
fn jittered(every: Duration) -> Duration {
    // The low bits of a fresh id are random.
    let random = Uuid::new_v4().as_u64_pair().1 % 2_001;
    every.mul_f64(0.9 + random as f64 / 10_000.0)
}

/// An order to do nothing but say so.
const HEARTBEAT: &str = "heartbeat";

/// What an order of this kind brings.
fn body(kind: &str, sequence: u64) -> Value {
    match kind {
        HEARTBEAT => json!({ "beat": sequence }),
        _ => json!({ "error": format!("this worker does not know orders of the kind '{kind}'; update it") }),
    }
}

async fn sleep_until(next: Option<Instant>) {
    match next {
        Some(next) => tokio::time::sleep_until(next).await,
        None => std::future::pending().await,
    }
}

/// Writes a file in the place of an earlier one, whole or not at all.
pub(crate) fn write<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    file.write_all(&serde_json::to_vec(value)?)?;
    file.sync_all()?;
    fs::rename(fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(id: u128, epoch: u64) -> Assignment {
        let id = Uuid::from_u128(id);
        Assignment { id, epoch, kind: HEARTBEAT.into(), every_ms: 1000, body: Value::Null }
    }

    fn held(standing: &Standing) -> Vec<(u128, u64)> {
        standing.lock().assignments.iter().map(|held| (held.id.as_u128(), held.epoch)).collect()
    }

    #[test]
    fn changes_are_kept_and_what_goes_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let spool = || Spool::open(&directory.path().join("spool"), 0, Uuid::nil()).unwrap();
        let standing = Standing::open(directory.path(), spool());
        assert_eq!(standing.revision(), 0);
        let all = AssignmentChange {
            revision: 4,
            complete: true,
            held: vec![order(1, 1), order(2, 5)],
            released: Vec::new(),
        };
        assert_eq!(standing.change(all).unwrap(), Changed { revision: 4, released: Vec::new() });

        let standing = Standing::open(directory.path(), spool());
        assert_eq!((standing.revision(), held(&standing)), (4, vec![(1, 1), (2, 5)]));
        let some = AssignmentChange {
            revision: 5,
            complete: false,
            held: vec![order(2, 4), order(3, 1)],
            released: vec![Uuid::from_u128(1)],
        };
        assert_eq!(standing.change(some).unwrap().released, [(Uuid::from_u128(1), 1)]);
        assert_eq!(held(&standing), [(2, 5), (3, 1)], "an order of an earlier epoch is passed over");
        let none = AssignmentChange { revision: 6, complete: true, ..AssignmentChange::default() };
        assert_eq!(standing.change(none).unwrap().released.len(), 2);
        assert_eq!(held(&standing), []);

        fs::write(directory.path().join("assignments.json"), "{").unwrap();
        assert_eq!(Standing::open(directory.path(), spool()).revision(), 0);
    }

    #[test]
    fn sweeps_are_shifted_by_a_tenth_at_most() {
        for _ in 0..200 {
            let shifted = jittered(Duration::from_secs(100));
            assert!(
                (Duration::from_secs(90)..=Duration::from_millis(110_001)).contains(&shifted),
                "{shifted:?}"
            );
        }
    }

    #[test]
    fn unknown_kinds_are_not_understood() {
        assert_eq!(body("heartbeat", 7), json!({ "beat": 7 }));
        assert!(body("poll", 1)["error"].as_str().unwrap().contains("'poll'; update it"));
    }
}
