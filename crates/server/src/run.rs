//! The server's life: begin, answer, drain, end.

use std::time::Duration;

use netwark_store::StoreError;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::channels;
use crate::listen::{self, Listener};
use crate::live::{self, Live};
use crate::lookups::{self, updates};
use crate::operations::{reports, sweeper};
use crate::router::router;

/// A server that answers.
#[derive(Debug)]
pub struct Running {
    live: Live,
    /// How long requests under way are waited for when the server ends.
    deadline: Duration,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// Ends what an earlier life left begun, then answers on the listeners.
///
/// # Errors
/// When the database fails.
pub async fn run(app: App, listeners: Vec<Listener>) -> Result<Running, StoreError> {
    sweeper::begin(&app).await?;
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(reports::run(app.clone()));
    tasks.spawn(sweeper::run(app.clone(), stop.clone()));
    tasks.spawn(updates::run(app.clone(), stop.clone()));
    tasks.spawn(channels::run(app.clone(), stop.clone()));
    tasks.spawn(live::tell_others(app.clone(), stop.clone()));
    tasks.spawn(live::hear_others(app.clone(), stop.clone()));
    tasks.spawn(lookups::run(app.clone(), stop.clone()));
    for listener in listeners {
        tasks.spawn(listen::serve(listener, router(&app), app.room.clone(), stop.clone()));
    }
    Ok(Running { live: app.live.clone(), deadline: app.settings.shutdown_deadline, stop, tasks })
}

impl Running {
    /// Takes no more connections, waits for requests under way and ends.
    pub async fn stop(mut self) {
        self.stop.cancel();
        self.live.close();
        let drained = tokio::time::timeout(self.deadline, async {
            // Reports are applied until the very end; every other task ends by itself.
            while self.tasks.len() > 1 {
                self.tasks.join_next().await;
            }
        });
        if drained.await.is_err() {
            tracing::warn!("requests were still under way and were cut");
        }
        self.tasks.shutdown().await;
    }
}
