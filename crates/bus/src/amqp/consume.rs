//! Taking messages from queues, for as long as somebody wants them.
//!
//! All queues of a listener share one channel, so that one limit holds for all of them. A message
//! is acknowledged on the channel it came by; when that is gone the broker has given it to somebody
//! else already, and what was decided about it here goes nowhere.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use futures::stream::{BoxStream, SelectAll, StreamExt};
use lapin::message::Delivery as Message;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
    BasicRejectOptions, QueueDeclareOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{Acker, Channel, Connection};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::link::Link;
use super::topology::{declare_address, is_of_worker, queue_name};
use super::wire;

/// How often a queue that is not there is looked for; ten times less after [`PATIENT_TRIES`].
const LOOK: Duration = Duration::from_secs(1);
/// How often a queue is looked for eagerly: the inbox of a new worker comes with its welcome.
const PATIENT_TRIES: u32 = 30;
/// The pause after a channel failed.
const AFTER_FAILURE: Duration = Duration::from_millis(500);
/// How long the broker may take to answer: it can be alive and yet never answer a question.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// How long messages that nobody wants any more may take to be given back.
const GIVE_BACK: Duration = Duration::from_secs(5);
/// Most messages that are settled in one go.
const SETTLED_AT_ONCE: usize = 256;

/// What becomes of a message on the broker.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verdict {
    /// It is forgotten.
    Acknowledge,
    /// It goes back to its queue.
    Return,
    /// It goes to the dead letters.
    Bury,
}

/// A message and what becomes of it; boxed, because a channel has room for 32 from the start.
type Settled = Box<(Acker, Verdict)>;

/// A message that is not settled. It goes back to its queue when dropped.
pub(super) struct Held {
    acker: Acker,
    settling: mpsc::UnboundedSender<Settled>,
    settled: bool,
}

impl Held {
    /// Decides what becomes of it.
    pub(super) fn settle(mut self, verdict: Verdict) {
        self.send(verdict);
    }

    fn send(&mut self, verdict: Verdict) {
        if !std::mem::replace(&mut self.settled, true) {
            // Unbounded, and yet at most as many as the channel may hold. Nobody listens when the
            // channel is gone.
            let _ = self.settling.send(Box::new((self.acker.clone(), verdict)));
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.send(Verdict::Return);
    }
}

/// Makes something of a message, or settles it at once.
pub(super) type Read<T> = Arc<dyn Fn(Message, Held) -> Option<T> + Send + Sync>;

/// What is done about a queue that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is looked for until somebody has declared it.
    Await,
    /// Those of one worker are declared; others are looked for.
    Declare,
}

/// Listens on queues in a task of its own until the receiver is dropped. What arrives is boxed, because a channel
/// has room for 32 from the start, and there is one for each of hundreds of workers.
pub(super) fn listen<T: Send + 'static>(
    link: Arc<Link>,
    addresses: &[String],
    most: usize,
    missing: Missing,
    read: Read<T>,
) -> mpsc::Receiver<Box<T>> {
    let most = u16::try_from(most.max(1)).unwrap_or(u16::MAX);
    let (out, taken) = mpsc::channel(usize::from(most));
    let now = Instant::now();
    let queues = addresses
        .iter()
        .map(|address| Queue {
            name: queue_name(address),
            declared: (missing == Missing::Declare && is_of_worker(address)).then(|| address.clone()),
            consumer: None,
            tries: 0,
            not_before: now,
        })
        .collect();
    tokio::spawn(Listener { link, queues, most, read, out }.run());
    taken
}

struct Queue {
    name: String,
    /// The address, when it is declared rather than looked for.
    declared: Option<String>,
    /// The consumer's tag while messages come.
    consumer: Option<ShortString>,
    tries: u32,
    not_before: Instant,
}

impl Queue {
    /// It cannot be listened to now; it is tried again later.
    fn put_off(&mut self) {
        self.consumer = None;
        self.tries = self.tries.saturating_add(1);
        self.not_before = Instant::now() + if self.tries > PATIENT_TRIES { LOOK * 10 } else { LOOK };
    }
}

struct Listener<T> {
    link: Arc<Link>,
    queues: Vec<Queue>,
    most: u16,
    read: Read<T>,
    out: mpsc::Sender<Box<T>>,
}

/// What a queue brings.
enum Arrival {
    Message(Box<lapin::Result<Message>>),
    /// The broker ended it: the queue was deleted, or the channel is gone.
    End,
}

type Arrivals = SelectAll<BoxStream<'static, (usize, Arrival)>>;

impl<T: Send + 'static> Listener<T> {
    async fn run(mut self) {
        loop {
            let connection = tokio::select! {
                () = self.out.closed() => return,
                connection = self.link.up() => connection,
            };
            let Some(connection) = connection else { return };
            let link = Arc::clone(&self.link);
            // What is asked of a connection at the moment it ends may never be answered, not even with an error.
            let session = tokio::select! {
                session = self.session(&connection) => session,
                () = link.ended(&connection) => Ok(()),
            };
            if let Err(error) = session {
                tracing::debug!(error = %wire::words(&error), "a channel to the broker ended; listening again");
            }
            for queue in &mut self.queues {
                queue.consumer = None;
            }
            tokio::select! {
                () = self.out.closed() => return,
                () = tokio::time::sleep(AFTER_FAILURE) => {}
            }
        }
    }

    /// Listens on one channel until it ends or nobody wants messages any more.
    async fn session(&mut self, connection: &Connection) -> lapin::Result<()> {
        let channel = answered(connection.create_channel()).await?;
        answered(channel.basic_qos(self.most, BasicQosOptions { global: true })).await?;
        let (settling, settled) = mpsc::unbounded_channel();
        tokio::spawn(settle(channel.clone(), settled));
        let mut arrivals = Arrivals::new();
        loop {
            let absent = self.queues.iter().filter(|queue| queue.consumer.is_none());
            let next_look = absent.map(|queue| queue.not_before).min();
            tokio::select! {
                () = self.out.closed() => return self.give_back(&channel, arrivals, settling).await,
                () = sleep_until(next_look.unwrap_or_else(Instant::now)), if next_look.is_some() => {
                    self.look(connection, &channel, &mut arrivals).await?;
                }
                Some((index, arrival)) = arrivals.next(), if !arrivals.is_empty() => match arrival {
                    Arrival::Message(message) => self.hand_on((*message)?, &settling).await,
                    Arrival::End if !channel.status().connected() => return Ok(()),
                    Arrival::End => {
                        if let Some(queue) = self.queues.get_mut(index) {
                            tracing::warn!(queue = %queue.name, "the queue has gone from the broker; it is looked for");
                            queue.put_off();
                        }
                    }
                },
            }
        }
    }

    async fn hand_on(&self, message: Message, settling: &mpsc::UnboundedSender<Settled>) {
        let held = Held { acker: message.acker.clone(), settling: settling.clone(), settled: false };
        if let Some(taken) = (self.read)(message, held) {
            // Dropped, and so returned, when nobody wants it any more.
            let _ = self.out.send(Box::new(taken)).await;
        }
    }

    /// Begins to listen on those queues that are there now.
    async fn look(
        &mut self,
        connection: &Connection,
        channel: &Channel,
        arrivals: &mut Arrivals,
    ) -> lapin::Result<()> {
        let now = Instant::now();
        for (index, queue) in self.queues.iter_mut().enumerate() {
            if queue.consumer.is_some() || queue.not_before > now {
                continue;
            }
            let is_there = match &queue.declared {
                Some(address) => answered(declare(connection, address)).await?,
                None => answered(exists(connection, &queue.name)).await?,
            };
            if !is_there {
                if queue.tries == 0 {
                    tracing::info!(queue = %queue.name, "the queue is not on the broker yet; it is looked for");
                }
                queue.put_off();
                continue;
            }
            let options = BasicConsumeOptions::default();
            let consuming =
                channel.basic_consume(queue.name.as_str().into(), "".into(), options, FieldTable::default());
            let consumer = match answered(consuming).await {
                Ok(consumer) => consumer,
                Err(error) => {
                    // The channel is gone with it; the next one begins without this queue.
                    if wire::is_forbidden(&error) {
                        queue.tries = PATIENT_TRIES;
                        tracing::warn!(queue = %queue.name, reason = %wire::words(&error), "may not listen on a queue");
                    }
                    queue.put_off();
                    return Err(error);
                }
            };
            queue.consumer = Some(consumer.tag());
            queue.tries = 0;
            let messages = consumer.map(move |message| (index, Arrival::Message(Box::new(message))));
            let end = futures::stream::once(async move { (index, Arrival::End) });
            arrivals.push(messages.chain(end).boxed());
        }
        Ok(())
    }

    /// Nobody wants messages any more: gives back those that arrived. The channel stays for those
    /// that were handed on and are not settled yet.
    async fn give_back(
        &self,
        channel: &Channel,
        mut arrivals: Arrivals,
        settling: mpsc::UnboundedSender<Settled>,
    ) -> lapin::Result<()> {
        for tag in self.queues.iter().filter_map(|queue| queue.consumer.clone()) {
            answered(channel.basic_cancel(tag, BasicCancelOptions::default())).await?;
        }
        let returning = async {
            while let Some((_, arrival)) = arrivals.next().await {
                if let Arrival::Message(message) = arrival {
                    drop(Held { acker: (*message)?.acker, settling: settling.clone(), settled: false });
                }
            }
            Ok(())
        };
        timeout(GIVE_BACK, returning).await.unwrap_or(Ok(()))
    }
}

/// What the broker answers, or that it does not.
async fn answered<T>(asking: impl Future<Output = lapin::Result<T>>) -> lapin::Result<T> {
    match timeout(ANSWER_WITHIN, asking).await {
        Ok(answer) => answer,
        Err(_) => {
            let reason = format!("the broker did not answer within {} seconds", ANSWER_WITHIN.as_secs());
            Err(io::Error::new(io::ErrorKind::TimedOut, reason).into())
        }
    }
}

/// Makes the queue of an address; it is there then, also with other arguments.
async fn declare(connection: &Connection, address: &str) -> lapin::Result<bool> {
    let channel = connection.create_channel().await?;
    match declare_address(&channel, address).await {
        Ok(()) => channel.close(200, "OK".into()).await.map(|()| true),
        Err(error) if wire::is_different(&error) => Ok(true),
        Err(error) => Err(error),
    }
}

/// True when a queue is there. Asking for one that is not costs the channel it is asked on.
async fn exists(connection: &Connection, name: &str) -> lapin::Result<bool> {
    let channel = connection.create_channel().await?;
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    match channel.queue_declare(name.into(), options, FieldTable::default()).await {
        Ok(_) => channel.close(200, "OK".into()).await.map(|()| true),
        Err(error) if wire::is_missing(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Tells the broker what became of messages, until the last of them is settled.
async fn settle(channel: Channel, mut verdicts: mpsc::UnboundedReceiver<Settled>) {
    let mut some = Vec::new();
    while verdicts.recv_many(&mut some, SETTLED_AT_ONCE).await > 0 {
        let settling = some.drain(..).map(|settled| async move {
            let (acker, verdict) = *settled;
            match verdict {
                Verdict::Acknowledge => acker.ack(BasicAckOptions::default()).await,
                Verdict::Return => {
                    acker.nack(BasicNackOptions { requeue: true, ..BasicNackOptions::default() }).await
                }
                Verdict::Bury => acker.reject(BasicRejectOptions { requeue: false }).await,
            }
        });
        for result in join_all(settling).await {
            if let Err(error) = result {
                tracing::debug!(error = %wire::words(&error), "a message was not settled; the broker gives it out again");
            }
        }
    }
    drop(channel);
}
