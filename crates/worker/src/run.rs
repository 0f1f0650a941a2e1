//! One run of one tool: begin, measure, report.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use netwark_bus::{BusError, LinkState};
use netwark_model::messages::{End, News, Report, RunOrder};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::tools::RunError;
use crate::worker::{Entry, Shared};

/// Snapshots are reported at most twice a second.
const BETWEEN_SNAPSHOTS: Duration = Duration::from_millis(500);
/// A run that ends within this time is told of by its end alone: a snapshot would make the end wait for one more commit.
const BEFORE_FIRST_SNAPSHOT: Duration = Duration::from_millis(50);

/// A result that the server has not taken for so long goes to the disk.
const PATIENCE: Duration = Duration::from_secs(5);

/// A run under way: a way to stop it, and its end once there is one.
#[derive(Clone, Debug)]
pub(crate) struct Handle {
    stop: CancellationToken,
    end: Arc<watch::Sender<Option<End>>>,
}

impl Default for Handle {
    fn default() -> Self {
        Self { stop: CancellationToken::new(), end: Arc::new(watch::channel(None).0) }
    }
}

impl Handle {
    pub(crate) fn cancel(&self) {
        self.stop.cancel();
    }
}

/// Runs an order and reports until the final report is safe, or refused.
pub(crate) async fn run(shared: &Arc<Shared>, order: RunOrder, redelivered: bool) {
    let (operation_id, result_id) = (order.operation_id, order.result_id);
    match shared.enter(operation_id) {
        Entry::Cancelled => {
            conclude(shared, operation_id, result_id, End::Cancelled { payload: None }).await;
        }
        Entry::Join(handle) => {
            // Another queue named this worker for the same operation: one run fills both results.
            if begin(shared, operation_id, result_id, redelivered).await {
                let mut end = handle.end.subscribe();
                let end = end.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
                if let Some(end) = end {
                    conclude(shared, operation_id, result_id, end).await;
                }
            }
        }
        Entry::Run(handle) => {
            shared.running.fetch_add(1, Ordering::Relaxed);
            if begin(shared, operation_id, result_id, redelivered).await {
                let end = measure(shared, order, &handle.stop).await;
                handle.end.send_replace(Some(end.clone()));
                conclude(shared, operation_id, result_id, end).await;
                shared.leave(operation_id);
            } else {
                shared.forget(operation_id);
            }
            shared.running.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Tells that the run begins. False when the server does not want it any more.
async fn begin(shared: &Shared, operation_id: Uuid, result_id: Uuid, redelivered: bool) -> bool {
    match shared.report(News::Started { operation_id, result_id, redelivered }).await {
        Err(BusError::Refused(reason)) => {
            tracing::debug!(%operation_id, %reason, "a run is not wanted any more");
            false
        }
        Err(error) => {
            tracing::debug!(%operation_id, %error, "the beginning of a run was not heard; it is run all the same");
            true
        }
        Ok(()) => true,
    }
}

/// Measures, reporting snapshots on the way.
async fn measure(shared: &Arc<Shared>, order: RunOrder, stop: &CancellationToken) -> End {
    let Some(runner) = shared.tools.get(&order.tool) else {
        return End::Error { cause: format!("this worker has no tool '{}'; update it", order.tool) };
    };
    if let Some(cause) = shared.health.why_not(&order.tool) {
        return End::Error { cause };
    }
    let traffic = match shared.usage.begin(&order.tool, Timestamp::now()) {
        Ok(traffic) => traffic,
        Err(reached) => return End::Error { cause: reached.to_string() },
    };
    let (operation_id, result_id) = (order.operation_id, order.result_id);
    let limit = Duration::from_millis(order.run_within_ms);
    let (snapshots, latest) = watch::channel(None);
    // A task of its own, so that a fault of a tool ends this run and nothing else. Dropping the
    // handle's guard stops it.
    let task = tokio::spawn(runner(shared.context.clone().metered(traffic), order, snapshots));
    let _guard = AbortOnDrop(task.abort_handle());
    tokio::select! {
        done = task => match done {
            Ok(Ok(payload)) => End::Done { payload },
            Ok(Err(RunError(cause))) => End::Error { cause },
            Err(error) => {
                tracing::error!(%operation_id, %error, "a tool failed by a fault in the program");
                End::Error { cause: "the tool failed by a fault in the program; the worker's log has the details".into() }
            }
        },
        () = stop.cancelled() => End::Cancelled { payload: latest.borrow().clone() },
        () = tokio::time::sleep(limit) => End::Timeout { payload: latest.borrow().clone() },
        () = report_snapshots(shared, operation_id, result_id, latest.clone()) => End::Error {
            cause: "snapshots could not be reported".into(),
        },
    }
}

struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Reports the latest snapshot whenever there is a new one, once the run takes a while. Never ends by itself.
async fn report_snapshots(
    shared: &Shared,
    operation_id: Uuid,
    result_id: Uuid,
    mut latest: watch::Receiver<Option<Value>>,
) {
    tokio::time::sleep(BEFORE_FIRST_SNAPSHOT).await;
    loop {
        if latest.changed().await.is_err() {
            // The tool has ended; its outcome follows.
            std::future::pending::<()>().await;
        }
        let snapshot = latest.borrow_and_update().clone();
        if let Some(payload) = snapshot {
            // A snapshot that is lost is replaced by the next.
            if let Err(error) = shared.report(News::Progress { operation_id, result_id, payload }).await {
                tracing::debug!(%operation_id, %error, "a snapshot was not stored");
            }
        }
        tokio::time::sleep(BETWEEN_SNAPSHOTS).await;
    }
}

/// Reports the end until it is safe, at the server or on this machine's disk, or refused.
pub(crate) async fn conclude(shared: &Shared, operation_id: Uuid, result_id: Uuid, end: End) {
    let report = shared.marked(News::Final { operation_id, result_id, end });
    let patience = Instant::now() + PATIENCE;
    let mut wait = Duration::from_millis(50);
    loop {
        let down = *shared.bus.state().borrow() != LinkState::Up;
        if (down || Instant::now() >= patience) && keep(shared, &report).await {
            return;
        }
        // Without a spool there is nothing to give up for.
        let limit = if shared.spool.is_some() { PATIENCE } else { Duration::MAX };
        match tokio::time::timeout(limit, shared.bus.report(report.clone())).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) if error.is_temporary() => {
                tracing::warn!(%operation_id, %error, "a result was not stored; trying again");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(PATIENCE);
            }
            Ok(Err(error)) => {
                tracing::warn!(%operation_id, %error, "a result was refused");
                return;
            }
            Err(_) => tracing::warn!(%operation_id, "the server does not answer to a result"),
        }
    }
}

/// Puts a result into the spool, from where it is delivered once that is possible.
async fn keep(shared: &Shared, report: &Report) -> bool {
    let Some(spool) = &shared.spool else { return false };
    match spool.keep(report.clone()).await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(%error, "a result can neither be delivered nor kept; its work is not ended");
            false
        }
    }
}
