//! Waits for tasks and passes on how they get along.

use std::sync::Arc;
use std::time::Duration;

use netwark_model::tools::mtr::TraceReport;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{self, Instant};

use super::names::Names;
use crate::engine::{EngineError, Task};

/// Lets news through no more often than at an interval, the first at once.
pub(super) struct Throttle {
    every: Duration,
    next: Option<Instant>,
    news: bool,
}

impl Throttle {
    pub(super) fn new(every: Duration) -> Self {
        Self { every, next: None, news: false }
    }

    /// There is news.
    pub(super) fn note(&mut self) {
        self.news = true;
    }

    /// Waits until news may be told; for ever when there is none. The next must wait its interval from then on.
    pub(super) async fn due(&mut self) {
        if !self.news {
            std::future::pending::<()>().await;
        }
        if let Some(next) = self.next {
            time::sleep_until(next).await;
        }
        self.news = false;
        self.next = Some(Instant::now() + self.every);
    }
}

/// Waits for a trace; `look` sees its snapshots and what names there are.
pub(super) async fn one(
    task: Task<TraceReport>,
    every: Duration,
    names: &mut Names,
    mut look: impl FnMut(&TraceReport, &Names),
) -> Result<TraceReport, EngineError> {
    let mut snapshots = task.snapshots();
    let mut throttle = Throttle::new(every);
    let finished = task.finished();
    tokio::pin!(finished);
    loop {
        tokio::select! {
            result = &mut finished => return result,
            Ok(()) = snapshots.changed() => {
                names.ask(&snapshots.borrow_and_update().clone());
                throttle.note();
            }
            true = names.next() => throttle.note(),
            () = throttle.due() => {
                let report = Arc::clone(&snapshots.borrow());
                look(&report, names);
            }
        }
    }
}

/// Waits for several tasks of a kind side by side; `look` sees their latest snapshots in their order.
pub(super) async fn all<Output>(
    tasks: Vec<Task<Output>>,
    throttle: &mut Throttle,
    mut look: impl FnMut(&[Arc<Output>]),
) -> Result<Vec<Output>, EngineError>
where
    Output: Send + Sync + 'static,
{
    let mut latest: Vec<_> = tasks.iter().map(|task| Arc::clone(&task.snapshots().borrow())).collect();
    let count = tasks.len();
    let (news, mut heard) = mpsc::channel(count.max(1));
    let mut waiting = JoinSet::new();
    for (index, task) in tasks.into_iter().enumerate() {
        let news = news.clone();
        waiting.spawn(async move {
            let mut snapshots = task.snapshots();
            let finished = task.finished();
            tokio::pin!(finished);
            loop {
                tokio::select! {
                    result = &mut finished => return (index, result),
                    Ok(()) = snapshots.changed() => {
                        let snapshot = snapshots.borrow_and_update().clone();
                        // Nobody listens any more only when this task is about to be aborted.
                        let _ = news.send((index, snapshot)).await;
                    }
                }
            }
        });
    }
    let mut results: Vec<Option<Output>> = (0..count).map(|_| None).collect();
    loop {
        tokio::select! {
            next = waiting.join_next() => match next {
                Some(Ok((index, result))) => {
                    if let Some(slot) = results.get_mut(index) {
                        *slot = Some(result?);
                    }
                }
                Some(Err(_)) => return Err(EngineError::Stopped),
                None => return Ok(results.into_iter().flatten().collect()),
            },
            Some((index, snapshot)) = heard.recv() => {
                if let Some(slot) = latest.get_mut(index) {
                    *slot = snapshot;
                }
                throttle.note();
            }
            () = throttle.due() => look(&latest),
        }
    }
}
