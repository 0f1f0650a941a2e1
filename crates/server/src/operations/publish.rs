//! From the outbox to the bus.

use jiff::Timestamp;
use netwark_store::operations::OutboxMessage;

use crate::app::App;

/// Most messages taken from the outbox at once.
const CHUNK: u64 = 500;

/// Publishes messages and notes those that are confirmed. What fails stays in the outbox, where the
/// sweeper finds it. Returns false if anything failed.
pub async fn publish(app: &App, messages: Vec<OutboxMessage>) -> bool {
    let mut confirmed = Vec::with_capacity(messages.len());
    let mut all = true;
    for message in messages {
        match app.bus.publish(&message.address, message.delivery, None).await {
            Ok(()) => confirmed.push(message.id),
            Err(error) => {
                tracing::warn!(address = %message.address, %error, "a message was not published; it is tried again");
                all = false;
            }
        }
    }
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

/// Publishes what a crash or a failing bus left behind.
pub async fn publish_waiting(app: &App, before: Timestamp) {
    match app.store.unpublished(before, CHUNK).await {
        Ok(messages) if messages.is_empty() => {}
        Ok(messages) => {
            tracing::info!(number = messages.len(), "publishing what was left in the outbox");
            publish(app, messages).await;
        }
        Err(error) => tracing::warn!(%error, "the outbox cannot be read"),
    }
}
