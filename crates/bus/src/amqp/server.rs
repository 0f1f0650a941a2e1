//! The server's side of the bus over RabbitMQ.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lapin::Channel;
use netwark_model::messages::Delivery;
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::consume::{Missing, listen};
use super::link::Link;
use super::options::{AmqpOptions, OptionsError, Target};
use super::publish::{Parcel, Publisher, Routed};
use super::worker::{AmqpConsumer, deliveries};
use super::{reports, topology, wire};
use crate::{Answer, BusError, Consumer, IncomingReport, ServerBus};

/// Most listeners of one connection. Each has a channel, and now and then another for a moment.
const LISTENERS: usize = 1000;
/// How many batches are on their way at once.
const LANES: usize = 4;
/// How long the broker may take to declare or remove something.
const DECLARE_WITHIN: Duration = Duration::from_secs(5);
/// How long the broker may take to give a sign of life.
const CHECK_WITHIN: Duration = Duration::from_secs(2);
/// The pause before the common queues are declared again when that failed.
const DECLARE_AGAIN: Duration = Duration::from_secs(5);

/// The server's side of the bus over RabbitMQ.
///
/// It has a connection of its own for publishing: a broker that is short of memory stops reading from
/// those that publish, and what was done has to be acknowledged all the same. Who listens for workers has a
/// channel, of which a connection allows some 2,000, so that there are more connections for more workers.
pub struct AmqpServerBus {
    publishing: Arc<Link>,
    /// For declarations and reports.
    listening: Arc<Link>,
    /// For those who listen for workers; more of them as there are more listeners.
    shared: Mutex<Vec<Arc<Link>>>,
    target: Target,
    publisher: Publisher,
    reports: AsyncMutex<mpsc::Receiver<Box<IncomingReport>>>,
    malformed: Arc<AtomicU64>,
    preparing: AbortHandle,
}

impl AmqpServerBus {
    /// Begins to connect, in tasks of the current runtime, and goes on trying until it is dropped.
    ///
    /// # Errors
    /// When the options cannot be used at all. A broker that does not answer is no error.
    pub fn connect(options: &AmqpOptions) -> Result<Self, OptionsError> {
        let target = options.target()?;
        let name = |does: &str| format!("netwark server, {does}");
        let publishing = Link::start(target.clone(), name("publishing"));
        let listening = Link::start(target.clone(), name("listening"));
        let malformed = Arc::new(AtomicU64::new(0));
        let preparing = tokio::spawn(prepare(Arc::clone(&listening), target.clone())).abort_handle();
        let reports = listen(
            Arc::clone(&listening),
            &["reports".to_owned()],
            options.prefetch.into(),
            Missing::Await,
            reports::reader(Arc::clone(&malformed)),
        );
        Ok(Self {
            publisher: Publisher::start(Arc::clone(&publishing), LANES),
            publishing,
            listening,
            shared: Mutex::default(),
            target,
            reports: AsyncMutex::new(reports),
            malformed,
            preparing,
        })
    }

    /// A connection that has room for one more who listens.
    fn roomy(&self) -> Arc<Link> {
        // A list of connections is whole after every step.
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        // Every listener holds its connection, and so does the list.
        let found = shared.iter().find(|link| Arc::strong_count(link) <= LISTENERS);
        if let Some(link) = found {
            return Arc::clone(link);
        }
        let name = format!("netwark server, listening for workers {}", shared.len() + 1);
        let link = Link::start(self.target.clone(), name);
        shared.push(Arc::clone(&link));
        link
    }

    /// A channel for declarations. Each has its own: one that fails ends its channel.
    async fn channel(&self) -> Result<Channel, BusError> {
        self.listening.connection()?.create_channel().await.map_err(|error| wire::unavailable(&error))
    }

    async fn declare_one(&self, address: &str) -> Result<(), BusError> {
        let channel = self.channel().await?;
        match topology::declare_address(&channel, address).await {
            Err(error) if wire::is_different(&error) => {
                differs(&error);
                Ok(())
            }
            Err(error) if wire::is_forbidden(&error) => Err(BusError::Refused(wire::words(&error))),
            Err(error) => Err(wire::unavailable(&error)),
            Ok(()) => Ok(()),
        }
    }

    async fn remove_one(&self, address: &str) -> Result<(), BusError> {
        let channel = self.channel().await?;
        topology::remove_address(&channel, address).await.map_err(|error| wire::unavailable(&error))
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, BusError>>) -> Result<T, BusError> {
        let late = || BusError::Unavailable(format!("no answer within {} seconds", DECLARE_WITHIN.as_secs()));
        timeout(DECLARE_WITHIN, work).await.unwrap_or_else(|_| Err(late()))
    }
}

impl Drop for AmqpServerBus {
    fn drop(&mut self) {
        self.preparing.abort();
    }
}

/// A queue that stands there already can be used, whatever its limits are.
fn differs(error: &lapin::Error) {
    tracing::warn!(
        reason = %wire::words(error),
        "the broker has this queue with other arguments; it is used as it is (docs/broker.md says how to remove it)"
    );
}

/// Declares what all share, on every new connection: the broker may have been replaced.
async fn prepare(link: Arc<Link>, target: Target) {
    while let Some(connection) = link.up().await {
        let prepared = async {
            let channel = connection.create_channel().await?;
            topology::declare_common(&channel).await
        };
        match timeout(DECLARE_WITHIN, prepared).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) if wire::is_different(&error) => differs(&error),
            Ok(Err(error)) => {
                tracing::error!(broker = %target, reason = %wire::words(&error), "the queue of reports cannot be declared");
                tokio::time::sleep(DECLARE_AGAIN).await;
                continue;
            }
            Err(_) => continue,
        }
        while connection.status().connected() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

impl ServerBus for AmqpServerBus {
    fn is_durable(&self) -> bool {
        true
    }

    fn declare(&self, addresses: Vec<String>) -> Answer<'_, Result<(), BusError>> {
        Box::pin(async move {
            // Each has the whole time: a broker with a slow disk needs it, and there can be many.
            for address in &addresses {
                self.within(self.declare_one(address)).await?;
            }
            Ok(())
        })
    }

    fn remove(&self, addresses: Vec<String>) -> Answer<'_, Result<(), BusError>> {
        Box::pin(async move {
            for address in &addresses {
                self.within(self.remove_one(address)).await?;
            }
            Ok(())
        })
    }

    fn publish<'a>(
        &'a self,
        address: &'a str,
        delivery: Delivery,
        expires_in: Option<Duration>,
    ) -> Answer<'a, Result<(), BusError>> {
        Box::pin(async move {
            let body = wire::write(&delivery)?;
            let parcel = || Parcel {
                // The exchange without a name leads to the queue of that name.
                exchange: "".into(),
                key: topology::queue_name(address).into(),
                body: body.clone(),
                headers: None,
                expires_in,
            };
            if self.publisher.publish(parcel()).await? == Routed::Yes {
                return Ok(());
            }
            self.within(self.declare_one(address)).await?;
            match self.publisher.publish(parcel()).await? {
                Routed::Yes => Ok(()),
                Routed::No => Err(BusError::Unavailable(format!(
                    "its queue {} goes as soon as it is made",
                    topology::queue_name(address)
                ))),
            }
        })
    }

    fn next_report(&self) -> Answer<'_, Option<IncomingReport>> {
        Box::pin(async move { self.reports.lock().await.recv().await.map(|report| *report) })
    }

    fn listen(&self, addresses: Vec<String>, most: usize) -> Box<dyn Consumer> {
        let read = deliveries(Arc::clone(&self.malformed));
        Box::new(AmqpConsumer::new(listen(self.roomy(), &addresses, most, Missing::Declare, read)))
    }

    fn check(&self) -> Answer<'_, Result<(), BusError>> {
        Box::pin(async move {
            if self.publishing.connection()?.status().blocked() {
                return Err(BusError::Unavailable(
                    "it is short of memory or disk and takes no messages".into(),
                ));
            }
            match timeout(CHECK_WITHIN, self.channel()).await {
                Ok(channel) => channel.map(|_| ()),
                Err(_) => {
                    Err(BusError::Unavailable(format!("no answer within {} seconds", CHECK_WITHIN.as_secs())))
                }
            }
        })
    }

    fn malformed(&self) -> u64 {
        self.malformed.load(Ordering::Relaxed)
    }
}
