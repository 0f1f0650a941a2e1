//! From the outbox to the bus.

use std::time::Duration;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use netwark_bus::BusError;
use netwark_store::StoreError;
use netwark_store::operations::OutboxMessage;
use uuid::Uuid;

use crate::app::App;

/// Most messages taken from the outbox at once.
const CHUNK: u64 = 500;
/// Most messages whose confirmation is waited for at the same time.
const AT_ONCE: usize = 256;

/// Publishes messages and notes those that are confirmed. What fails stays in the outbox, where the
/// sweeper finds it. Returns false if anything failed.
pub async fn publish(app: &App, messages: Vec<OutboxMessage>) -> bool {
    let (confirmed, all) = send(app, messages).await;
    if !confirmed.is_empty() {
        // Nobody waits for this note: without it a message is published twice, and a worker runs it once.
        let app = app.clone();
        tokio::spawn(async move {
            if let Err(error) = app.store.published(confirmed, Timestamp::now()).await {
                tracing::warn!(%error, "publishing could not be noted");
            }
        });
    }
    all
}

/// Publishes some of what waited at that time, and waits until that is noted. Returns true when more may be left
/// and the bus takes it.
///
/// # Errors
/// When the database fails.
pub async fn publish_left(app: &App, before: Timestamp) -> Result<bool, StoreError> {
    let messages = app.store.unpublished(before, CHUNK).await?;
    if messages.is_empty() {
        return Ok(false);
    }
    let (confirmed, all) = send(app, messages).await;
    app.store.published(confirmed, Timestamp::now()).await?;
    Ok(all)
}

/// Publishes messages; returns those that are confirmed, and whether that is all.
async fn send(app: &App, messages: Vec<OutboxMessage>) -> (Vec<Uuid>, bool) {
    let number = messages.len();
    let mut confirmed = Vec::with_capacity(number);
    let mut failed: Option<BusError> = None;
    let sending = messages.into_iter().map(|message| publish_one(app, message));
    let mut sending = stream::iter(sending).buffer_unordered(AT_ONCE);
    while let Some(sent) = sending.next().await {
        match sent {
            Ok(id) => confirmed.push(id),
            Err(error) => failed = Some(error),
        }
    }
    if let Some(error) = &failed {
        let left = number - confirmed.len();
        tracing::warn!(left, %error, "messages were not published; they are tried again");
    }
    app.metrics.published(confirmed.len(), number - confirmed.len());
    (confirmed, failed.is_none())
}

async fn publish_one(app: &App, message: OutboxMessage) -> Result<Uuid, BusError> {
    let OutboxMessage { id, address, delivery } = message;
    let expires_in = delivery.expires_at_ms.map(|at| at.saturating_sub(Timestamp::now().as_millisecond()));
    let expires_in = match expires_in {
        // Nobody may take it any more; the sweeper ends its result.
        Some(..=0) => return Ok(id),
        left => left.map(|left| Duration::from_millis(left.unsigned_abs())),
    };
    app.bus.publish(&address, delivery, expires_in).await.map(|()| id)
}

/// Publishes what a crash or a failing bus left behind. Returns false when the bus takes nothing now.
pub async fn publish_waiting(app: &App, before: Timestamp) -> bool {
    match app.store.unpublished(before, CHUNK).await {
        Ok(messages) if messages.is_empty() => true,
        Ok(messages) => {
            tracing::info!(number = messages.len(), "publishing what was left in the outbox");
            publish(app, messages).await
        }
        Err(error) => {
            tracing::warn!(%error, "the outbox cannot be read");
            false
        }
    }
}
