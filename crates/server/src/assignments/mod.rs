//! Standing orders: telling holders what they hold, and moving what a silent one held.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use netwark_bus::BusError;
use netwark_model::messages::Order;
use netwark_store::StoreError;
use netwark_store::streams::{StreamApplied, StreamNews};
use uuid::Uuid;

use crate::app::App;
use crate::operations::reports::not_stored;
use crate::watch;
use crate::workers::presence::tell;

/// Who holds an order and is silent for so long loses it. Holders say every 15 seconds that they are there.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// What a holder is told is of no use later than this: it says which revision it has all the time.
const TOLD_WITHIN: Duration = Duration::from_secs(60);

/// A worker said hello, and which revision of its orders it has.
pub async fn greeted(app: &App, worker: Uuid, revision: u64) -> Result<(), BusError> {
    let wanted = app.store.standing_revision(worker).await.map_err(not_stored)?;
    if wanted == revision {
        return Ok(());
    }
    if revision == 0 {
        // It has never had any, or has lost its disk and with it the numbers of its streams.
        app.store.renew_epochs(worker).await.map_err(not_stored)?;
    }
    inform(app, worker).await.map_err(not_stored)
}

/// A worker is still here, or has taken over its orders: what it holds in this revision stays with it.
pub async fn confirmed(app: &App, worker: Uuid, revision: u64) -> Result<(), BusError> {
    let wanted = app.store.standing_revision(worker).await.map_err(not_stored)?;
    if wanted == 0 && revision == 0 {
        return Ok(());
    }
    let until = now_and(LEASE);
    if wanted == revision && app.store.extend_leases(worker, revision, until).await.map_err(not_stored)? {
        return Ok(());
    }
    inform(app, worker).await.map_err(not_stored)
}

/// A worker has let an order go.
pub async fn released(app: &App, worker: Uuid, id: Uuid, epoch: u64) -> Result<(), BusError> {
    let touched =
        app.store.release_assignment(worker, id, epoch, now_and(LEASE)).await.map_err(not_stored)?;
    for worker in touched {
        inform(app, worker).await.map_err(not_stored)?;
    }
    Ok(())
}

/// Applies what a standing order brought.
pub async fn brought(app: &App, worker: (Uuid, String), news: StreamNews) -> Result<(), BusError> {
    let vendors = watch::vendors(app);
    let applied = app.store.apply_stream_with(worker, news, vendors, Timestamp::now()).await;
    match applied.map_err(not_stored)? {
        StreamApplied::Applied { events, .. } => {
            if events > 0 {
                watch::happened(app).await;
            }
            Ok(())
        }
        StreamApplied::Known | StreamApplied::Held => Ok(()),
        StreamApplied::Full => Err(BusError::NotStored("earlier reports of the stream are awaited".into())),
        StreamApplied::Refused => {
            Err(BusError::Refused("this worker does not hold the standing order in that epoch".into()))
        }
    }
}

/// Finds holders for what needs one. Only the leader calls it; two at once would do no harm.
pub async fn place(app: &App, now: Timestamp) {
    let touched = match app.store.place_assignments(now_and(LEASE), now).await {
        Ok(touched) => touched,
        Err(error) => {
            tracing::warn!(%error, "standing orders cannot be looked at");
            return;
        }
    };
    for worker in touched {
        tracing::info!(%worker, "the standing orders of a worker changed");
        if let Err(error) = inform(app, worker).await {
            tracing::warn!(%worker, %error, "a worker cannot be told of its standing orders; it is tried again");
        }
    }
}

/// Tells a worker everything it holds.
pub async fn inform(app: &App, worker: Uuid) -> Result<(), StoreError> {
    let change = app.store.standing_orders(worker).await?;
    tell(app, worker, Order::Assign(change), TOLD_WITHIN).await;
    Ok(())
}

fn now_and(lease: SignedDuration) -> Timestamp {
    Timestamp::now().checked_add(lease).unwrap_or(Timestamp::MAX)
}
