//! Telling those who watch that an operation has changed. What changed they read from the store, so
//! that nothing is lost when they are slow.

use netwark_store::operations::Change;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Changes a slow watcher may fall behind; beyond it, it reads everything anew.
const BEHIND: usize = 4096;

/// The news of changes within this server.
#[derive(Clone, Debug)]
pub struct Live {
    changes: broadcast::Sender<Change>,
    closing: CancellationToken,
}

impl Default for Live {
    fn default() -> Self {
        Self { changes: broadcast::channel(BEHIND).0, closing: CancellationToken::new() }
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

    /// Ends every stream, so that the server need not wait for those who watch.
    pub fn close(&self) {
        self.closing.cancel();
    }

    /// Ends once the streams have to.
    pub async fn closed(&self) {
        self.closing.cancelled().await;
    }

    /// How many watch.
    pub fn watchers(&self) -> usize {
        self.changes.receiver_count()
    }
}
