//! Which workers are linked to this server, so that a link can be cut at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use netwark_model::messages::Unwelcome;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use uuid::Uuid;

/// Most questions of all links that the database is asked at the same time. More would not be answered sooner, and
/// each has its memory while it waits.
const AT_ONCE: usize = 64;
/// Said to a link when another takes its place.
const REPLACED: &str =
    "another program has connected as this worker; each needs a token of its own, made by enrolling it";

/// The links of this server. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Links(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    links: Mutex<HashMap<Uuid, Handle>>,
    malformed: AtomicU64,
    turns: Semaphore,
}

impl Default for Inner {
    fn default() -> Self {
        Self { links: Mutex::default(), malformed: AtomicU64::default(), turns: Semaphore::new(AT_ONCE) }
    }
}

#[derive(Debug)]
struct Handle {
    link: Uuid,
    token_hash: [u8; 32],
    cut: oneshot::Sender<Unwelcome>,
}

/// A link's place among the others; it is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    links: Links,
    /// The worker.
    pub worker: Uuid,
    /// The link, among all of all servers.
    pub link: Uuid,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut links = self.links.lock();
        if links.get(&self.worker).is_some_and(|handle| handle.link == self.link) {
            links.remove(&self.worker);
        }
    }
}

impl Links {
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Handle>> {
        // Every change is one call on a map, so a panic elsewhere leaves it whole.
        self.0.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn at the database.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Nobody closes it.
        self.0.turns.acquire().await.ok()
    }

    /// Takes the place of a worker; who had it is told so. The receiver hears why the link has to end.
    pub fn enter(&self, worker: Uuid, token_hash: [u8; 32]) -> (Place, oneshot::Receiver<Unwelcome>) {
        let (cut, told) = oneshot::channel();
        let link = Uuid::now_v7();
        let before = self.lock().insert(worker, Handle { link, token_hash, cut });
        if let Some(before) = before {
            end(before, Unwelcome { revoked: false, reason: REPLACED.into() });
        }
        (Place { links: self.clone(), worker, link }, told)
    }

    /// Ends the link of a worker, if it has one here.
    pub fn cut(&self, worker: Uuid, why: Unwelcome) {
        if let Some(handle) = self.lock().remove(&worker) {
            end(handle, why);
        }
    }

    /// The worker has a newer link, at this server or another.
    pub fn replaced(&self, worker: Uuid, link: Uuid) {
        let is_older = self.lock().get(&worker).is_some_and(|handle| handle.link < link);
        if is_older {
            self.cut(worker, Unwelcome { revoked: false, reason: REPLACED.into() });
        }
    }

    /// The workers that are linked, each with the hash of the token it came with.
    pub fn tokens(&self) -> Vec<(Uuid, [u8; 32])> {
        self.lock().iter().map(|(worker, handle)| (*worker, handle.token_hash)).collect()
    }

    /// How many workers are linked.
    pub fn number(&self) -> usize {
        self.lock().len()
    }

    /// Frames that could not be read or were too large, since the start.
    pub fn malformed(&self) -> u64 {
        self.0.malformed.load(Ordering::Relaxed)
    }

    /// Counts a frame that could not be read.
    pub(super) fn count_malformed(&self) {
        self.0.malformed.fetch_add(1, Ordering::Relaxed);
    }
}

fn end(handle: Handle, why: Unwelcome) {
    // It may have ended by itself at the same moment.
    let _ = handle.cut.send(why);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_link_wins() {
        let links = Links::default();
        let worker = Uuid::now_v7();
        let (first, mut told) = links.enter(worker, [1; 32]);
        let (second, mut told_second) = links.enter(worker, [2; 32]);
        assert_eq!(told.try_recv().unwrap().reason, REPLACED);
        drop(first);
        assert_eq!(links.tokens(), [(worker, [2; 32])], "the first must not take the second's place with it");
        // The news of an earlier link arrives late.
        links.replaced(worker, Uuid::from_u128(1));
        links.replaced(worker, second.link);
        assert!(told_second.try_recv().is_err());
        links.replaced(worker, Uuid::now_v7());
        assert_eq!(told_second.try_recv().unwrap().reason, REPLACED);
        drop(second);
        assert_eq!(links.number(), 0);
    }

    #[test]
    fn a_cut_says_why() {
        let links = Links::default();
        let worker = Uuid::now_v7();
        let (_place, mut told) = links.enter(worker, [0; 32]);
        links.cut(Uuid::now_v7(), Unwelcome { revoked: true, reason: "another".into() });
        assert!(told.try_recv().is_err());
        let why = Unwelcome { revoked: true, reason: "because".into() };
        links.cut(worker, why.clone());
        assert_eq!(told.try_recv().unwrap(), why);
    }
}
