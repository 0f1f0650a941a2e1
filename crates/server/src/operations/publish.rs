//! From the outbox to the bus.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
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

/// The messages that this server is publishing. Whoever asks again and the sweeper may come upon the same message
/// at the same time, and a direct queue would give it to two workers.
#[derive(Clone, Debug, Default)]
pub(crate) struct InHand(Arc<Mutex<HashMap<Uuid, Stage>>>);

/// How far a message in hand has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The bus has not confirmed it.
    Sending,
    /// The bus has it, which is not noted yet.
    Confirmed,
}

/// Messages in the hand of one task, until it is dropped.
struct Held {
    all: InHand,
    ids: Vec<Uuid>,
}

impl InHand {
    /// Takes the messages that nobody has in hand, and tells whether the bus has all others.
    fn take(&self, mut messages: Vec<OutboxMessage>) -> (Vec<OutboxMessage>, Held, bool) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = true;
        messages.retain(|message| match taken.entry(message.id) {
            Entry::Vacant(free) => {
                free.insert(Stage::Sending);
                true
            }
            Entry::Occupied(other) => {
                all &= *other.get() == Stage::Confirmed;
                false
            }
        });
        let ids = messages.iter().map(|message| message.id).collect();
        (messages, Held { all: self.clone(), ids }, all)
    }
}

impl Held {
    /// Whoever comes upon these knows from here on that the bus has them.
    fn confirm(&self, ids: &[Uuid]) {
        let mut taken = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.extend(ids.iter().map(|id| (*id, Stage::Confirmed)));
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut taken = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        for id in &self.ids {
            taken.remove(id);
        }
    }
}

/// Publishes messages and notes those that are confirmed. What fails stays in the outbox, where the
/// sweeper finds it. Returns false if anything failed, or is being published by another task.
pub async fn publish(app: &App, messages: Vec<OutboxMessage>) -> bool {
    let (messages, held, mine) = app.in_hand.take(messages);
    let (confirmed, all) = send(app, messages).await;
    held.confirm(&confirmed);
    if !confirmed.is_empty() {
        // Nobody waits for this note: without it a message is published twice, and a worker runs it once.
        let app = app.clone();
        tokio::spawn(async move {
            if let Err(error) = app.store.published(confirmed, Timestamp::now()).await {
                tracing::warn!(%error, "publishing could not be noted");
            }
            drop(held);
        });
    }
    all && mine
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
    let (messages, held, mine) = app.in_hand.take(messages);
    let (confirmed, all) = send(app, messages).await;
    held.confirm(&confirmed);
    app.store.published(confirmed, Timestamp::now()).await?;
    Ok(all && mine)
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

#[cfg(test)]
mod tests {
    use netwark_model::messages::{Delivery, Order};

    use super::*;

    fn message(number: u128) -> OutboxMessage {
        let order = Order::Cancel { operation_id: Uuid::nil() };
        OutboxMessage {
            id: Uuid::from_u128(number),
            address: "netwark".into(),
            delivery: Delivery::new(order),
        }
    }

    fn numbers(messages: &[OutboxMessage]) -> Vec<u128> {
        messages.iter().map(|message| message.id.as_u128()).collect()
    }

    #[test]
    fn a_message_is_in_one_hand_at_a_time() {
        let hand = InHand::default();
        let (first, held, all) = hand.take(vec![message(1), message(2)]);
        assert_eq!((numbers(&first), all), (vec![1, 2], true));
        let (second, other, all) = hand.take(vec![message(2), message(3)]);
        assert_eq!((numbers(&second), all), (vec![3], false), "nobody knows yet whether the bus has 2");
        drop(other);

        held.confirm(&[message(2).id]);
        let (third, _other, all) = hand.take(vec![message(2)]);
        assert_eq!((numbers(&third), all), (vec![], true), "the bus has it");

        drop(held);
        let (fourth, _held, all) = hand.take(vec![message(1), message(2)]);
        assert_eq!((numbers(&fourth), all), (vec![1, 2], true));
    }
}
