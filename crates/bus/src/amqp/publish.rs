//! Publishing with confirms, many messages at once.
//!
//! A few lanes, each a task with a channel of its own, take what waits and publish it as one batch;
//! the next batch of a lane begins when the last one is confirmed. So a single message does not
//! wait, and a thousand share a few round trips.
//!
//! A batch also makes sure which messages had no queue to go to. The broker returns such a message
//! before it confirms it, and lapin gives the returned message to whatever confirmation it handles
//! next: to another message's, when the broker confirms several at once. Once all messages of a
//! batch are confirmed, all returned ones have been given to some of them, and are known by their
//! ids.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, PublisherConfirm};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};
use tokio::time::Instant;
use uuid::Uuid;

use super::link::Link;
use super::wire;
use crate::BusError;

/// How long the broker may take to confirm.
const CONFIRM_WITHIN: Duration = Duration::from_secs(5);
/// Most messages of a batch.
const BATCH: usize = 256;
/// Most messages that wait for a lane; beyond it publishers wait.
const WAITING: usize = 4096;
/// A message that outlives a restart of the broker.
const PERSISTENT: u8 = 2;

/// Whether a queue took a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Routed {
    /// A queue holds it.
    Yes,
    /// There is no queue for it; it is gone.
    No,
}

/// What is published.
pub(super) struct Parcel {
    pub(super) exchange: ShortString,
    pub(super) key: ShortString,
    pub(super) body: Vec<u8>,
    pub(super) headers: Option<FieldTable>,
    pub(super) expires_in: Option<Duration>,
}

struct Message {
    parcel: Parcel,
    id: ShortString,
    answer: oneshot::Sender<Result<Routed, BusError>>,
}

/// Publishes on one connection.
pub(super) struct Publisher {
    link: Arc<Link>,
    messages: mpsc::Sender<Message>,
}

impl Publisher {
    /// Publishes on this connection, by so many lanes.
    pub(super) fn start(link: Arc<Link>, lanes: usize) -> Self {
        let (messages, waiting) = mpsc::channel(WAITING);
        let waiting = Arc::new(AsyncMutex::new(waiting));
        for _ in 0..lanes {
            let lane = Lane { link: Arc::clone(&link), waiting: Arc::clone(&waiting), open: None };
            tokio::spawn(lane.run());
        }
        Self { link, messages }
    }

    /// Publishes a message; it is safe when this says that it was routed. An error at once while
    /// the broker is away or takes none.
    pub(super) async fn publish(&self, parcel: Parcel) -> Result<Routed, BusError> {
        usable(&self.link)?;
        let (answer, answered) = oneshot::channel();
        let id = Uuid::now_v7().to_string().into();
        let sent = async {
            let message = Message { parcel, id, answer };
            self.messages.send(message).await.map_err(|_| BusError::Gone)?;
            answered.await.map_err(|_| BusError::Gone)?
        };
        match tokio::time::timeout(CONFIRM_WITHIN, sent).await {
            Ok(result) => result,
            Err(_) => Err(late()),
        }
    }
}

fn late() -> BusError {
    BusError::Unavailable(format!("it did not confirm within {} seconds", CONFIRM_WITHIN.as_secs()))
}

/// The connection, when it takes messages now.
fn usable(link: &Link) -> Result<Arc<Connection>, BusError> {
    let connection = link.connection()?;
    match connection.status().blocked() {
        true => Err(BusError::Unavailable("it is short of memory or disk and takes no messages".into())),
        false => Ok(connection),
    }
}

struct Lane {
    link: Arc<Link>,
    waiting: Arc<AsyncMutex<mpsc::Receiver<Message>>>,
    open: Option<(Arc<Connection>, Channel)>,
}

impl Lane {
    async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let taken = self.waiting.lock().await.recv_many(&mut batch, BATCH).await;
            if taken == 0 {
                return;
            }
            // Nobody waits for these any more, and they were told that it failed.
            batch.retain(|message| !message.answer.is_closed());
            let deadline = Instant::now() + CONFIRM_WITHIN;
            let channel = match tokio::time::timeout_at(deadline, self.channel()).await {
                Ok(Ok(channel)) => channel,
                Ok(Err(error)) => {
                    answer_all(batch.drain(..), &error);
                    continue;
                }
                Err(_) => {
                    answer_all(batch.drain(..), &late());
                    continue;
                }
            };
            if !publish(&channel, &mut batch, deadline).await {
                // Its late confirmations would be mixed up with those of the next batch.
                self.open = None;
            }
        }
    }

    /// The channel of this lane on the connection that stands now.
    async fn channel(&mut self) -> Result<Channel, BusError> {
        let connection = usable(&self.link)?;
        if let Some((of, channel)) = &self.open
            && Arc::ptr_eq(of, &connection)
            && channel.status().connected()
        {
            return Ok(channel.clone());
        }
        self.open = None;
        let opened = async {
            let channel = connection.create_channel().await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            Ok(channel)
        };
        let channel: Channel = opened.await.map_err(|error| wire::unavailable(&error))?;
        self.open = Some((connection, channel.clone()));
        Ok(channel)
    }
}

fn answer_all(messages: impl Iterator<Item = Message>, error: &BusError) {
    for message in messages {
        // Who stopped waiting has answered itself.
        let _ = message.answer.send(Err(error.clone()));
    }
}

/// Publishes a batch and answers everybody; true when each message was confirmed or refused.
async fn publish(channel: &Channel, batch: &mut Vec<Message>, deadline: Instant) -> bool {
    let sending = join_all(batch.iter().map(|message| send(channel, message)));
    let Ok(confirms) = tokio::time::timeout_at(deadline, sending).await else {
        answer_all(batch.drain(..), &late());
        return false;
    };
    let confirming = confirms.into_iter().map(|confirm| async move {
        match tokio::time::timeout_at(deadline, confirm?).await {
            Ok(confirmation) => confirmation.map(Some),
            Err(_) => Ok(None),
        }
    });
    let outcomes = join_all(confirming).await;
    let complete = outcomes.iter().all(|outcome| matches!(outcome, Ok(Some(_))));
    let returned: HashSet<ShortString> = outcomes.iter().filter_map(returned_id).collect();
    for (message, outcome) in batch.drain(..).zip(outcomes) {
        // In a batch that is not complete, the message that was returned beside this confirmation
        // may be another, and this one's own still on its way: then both count as not routed.
        let doubtful = !complete && returned_id(&outcome).is_some();
        let result = match outcome {
            Err(error) => Err(wire::unavailable(&error)),
            Ok(None) => Err(late()),
            Ok(Some(_)) if doubtful || returned.contains(&message.id) => Ok(Routed::No),
            Ok(Some(Confirmation::Nack(_))) => Err(BusError::NotStored(
                "the broker did not take it: its queue is full, or the broker has an error".into(),
            )),
            Ok(Some(_)) => Ok(Routed::Yes),
        };
        let _ = message.answer.send(result);
    }
    complete
}

async fn send(channel: &Channel, message: &Message) -> lapin::Result<PublisherConfirm> {
    let Parcel { exchange, key, body, headers, expires_in } = &message.parcel;
    let mut properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("application/json".into())
        .with_message_id(message.id.clone());
    if let Some(expires_in) = expires_in {
        // 0 would mean: only if somebody takes it at once.
        properties = properties.with_expiration(expires_in.as_millis().max(1).to_string().into());
    }
    if let Some(headers) = headers {
        properties = properties.with_headers(headers.clone());
    }
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    channel.basic_publish(exchange.clone(), key.clone(), options, body, properties).await
}

/// The id of the message that was returned beside this confirmation.
fn returned_id(outcome: &lapin::Result<Option<Confirmation>>) -> Option<ShortString> {
    match outcome {
        Ok(Some(Confirmation::Ack(Some(message)) | Confirmation::Nack(Some(message)))) => {
            message.delivery.properties.message_id().clone()
        }
        _ => None,
    }
}
