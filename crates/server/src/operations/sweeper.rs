//! What happens because time passes: deadlines, a forgotten outbox, silent workers, old history.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::publish::{publish_left, publish_waiting};
use crate::app::App;
use crate::assignments;

/// How often deadlines are looked at.
const TICK: Duration = Duration::from_millis(250);
/// How long a message may wait in the outbox before the sweeper publishes it.
const PUBLISH_AFTER: SignedDuration = SignedDuration::from_secs(2);
/// A worker says that it is alive every 15 seconds; three misses and it is offline.
const SILENT_AFTER: SignedDuration = SignedDuration::from_secs(50);
/// What of the access list expired within this time is looked at again: two looks overlap.
const EXPIRED_SINCE: SignedDuration = SignedDuration::from_secs(30);
/// Hours in a day, for spans that jiff wants in hours.
const HOURS: i64 = 24;

/// Ends what had begun in an earlier life of this process, and publishes what waits.
///
/// # Errors
/// When the database fails.
pub async fn begin(app: &App) -> Result<(), netwark_store::StoreError> {
    let now = Timestamp::now();
    if !app.bus.is_durable() {
        // A durable bus gives begun work to the next who listens; queues in memory are gone.
        if let Some(worker) = app.settings.embedded_worker {
            let ended = app.store.end_begun_by(worker, now).await?;
            if !ended.is_empty() {
                tracing::info!(
                    number = ended.len(),
                    "operations that had begun before the restart were ended"
                );
            }
        }
        app.store.unpublish_all().await?;
    }
    while publish_left(app, now).await? {}
    Ok(())
}

/// Sweeps until stopped, while this server is the leader.
pub async fn run(app: App, stop: CancellationToken) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut turn: u64 = 0;
    // Of several servers on one database, one sweeps.
    let leadership = app.store.leadership();
    let mut forgetting = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        app.metrics.leads(leadership.is_leader());
        if !leadership.is_leader() {
            continue;
        }
        let now = Timestamp::now();
        expire(&app, now).await;
        if turn.is_multiple_of(4) {
            publish_waiting(&app, now - PUBLISH_AFTER).await;
            assignments::place(&app, now).await;
        }
        if turn.is_multiple_of(40) {
            silent_workers(&app, now).await;
            unused_codes(&app, now).await;
            // The first time also for what ended while no server ran.
            let since = if turn == 0 { Timestamp::UNIX_EPOCH } else { now - EXPIRED_SINCE };
            if let Err(error) = app.store.expire_access(since, now).await {
                tracing::warn!(%error, "entries of the access list that have expired cannot be looked at");
            }
        }
        if turn.is_multiple_of(40) {
            forget_networks(&app, &mut forgetting);
        }
        if turn.is_multiple_of(14_400) {
            forget(&app, now).await;
        }
        turn += 1;
    }
}

async fn expire(app: &App, now: Timestamp) {
    loop {
        match app.store.expire_results(now).await {
            Ok(changes) if changes.is_empty() => return,
            Ok(changes) => {
                app.metrics.expired(changes.len());
                changes.into_iter().for_each(|change| app.live.changed(change));
            }
            Err(error) => {
                tracing::warn!(%error, "deadlines cannot be looked at");
                return;
            }
        }
    }
}

async fn silent_workers(app: &App, now: Timestamp) {
    match app.store.workers_silent_since(now - SILENT_AFTER, now).await {
        Ok(names) => names.iter().for_each(|worker| tracing::warn!(%worker, "a worker has gone silent")),
        Err(error) => tracing::warn!(%error, "workers cannot be looked at"),
    }
}

async fn unused_codes(app: &App, now: Timestamp) {
    match app.store.forget_pairings(now).await {
        Ok(names) => {
            names.iter().for_each(|worker| tracing::info!(%worker, "a worker was not paired in time"));
        }
        Err(error) => tracing::warn!(%error, "pairing codes cannot be looked at"),
    }
}

/// Brings deletions of networks to their end that were cut short, beside everything else, since they may take long.
fn forget_networks(app: &App, under_way: &mut Option<JoinHandle<()>>) {
    if under_way.as_ref().is_some_and(|task| !task.is_finished()) {
        return;
    }
    let store = app.store.clone();
    *under_way = Some(tokio::spawn(async move {
        match store.forget_networks().await {
            Ok(0) => {}
            Ok(number) => tracing::info!(number, "what deleted networks had left was deleted"),
            Err(error) => tracing::warn!(%error, "what deleted networks have left cannot be deleted"),
        }
    }));
}

async fn forget(app: &App, now: Timestamp) {
    let kept = SignedDuration::from_hours(i64::from(app.settings.history_days) * HOURS);
    let Ok(before) = now.checked_sub(kept) else { return };
    let mut total = 0;
    loop {
        match app.store.forget_operations(before).await {
            Ok(0) => break,
            Ok(number) => total += number,
            Err(error) => {
                tracing::warn!(%error, "history cannot be forgotten");
                return;
            }
        }
        // Small steps with pauses, so that forgetting a year never holds up a measurement.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    match app.store.forget_events(before).await {
        Ok(0) => {}
        Ok(number) => tracing::info!(number, "old events were deleted"),
        Err(error) => tracing::warn!(%error, "old events cannot be deleted"),
    }
    match app.store.forget_sightings(before).await {
        Ok(0) => {}
        Ok(number) => tracing::info!(number, "old sightings were deleted"),
        Err(error) => tracing::warn!(%error, "old sightings cannot be deleted"),
    }
    match app.store.forget_deliveries(before).await {
        Ok(0) => {}
        Ok(number) => tracing::info!(number, "old deliveries were deleted"),
        Err(error) => tracing::warn!(%error, "old deliveries cannot be deleted"),
    }
    if total > 0 {
        tracing::info!(number = total, days = app.settings.history_days, "old operations were deleted");
    }
}
