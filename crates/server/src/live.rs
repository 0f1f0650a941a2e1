//! Telling those who watch that an operation has changed. What changed they read from the store, so
//! that nothing is lost when they are slow.

use netwark_store::operations::Change;
use tokio::sync::broadcast;

/// Changes a slow watcher may fall behind; beyond it, it reads everything anew.
const BEHIND: usize = 4096;

/// The news of changes within this server.
#[derive(Clone, Debug)]
pub struct Live {
    changes: broadcast::Sender<Change>,
}

impl Default for Live {
    fn default() -> Self {
        Self { changes: broadcast::channel(BEHIND).0 }
    }
}

impl Live {
    /// Tells that an operation has changed.
    pub fn changed(&self, change: Change) {
        // An error means that nobody watches.
        let _ = self.changes.send(change);
    }

    /// The changes from now on.
    pub fn watch(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// How many watch.
    pub fn watchers(&self) -> usize {
        self.changes.receiver_count()
    }
}
