//! A worker's side of the bus over RabbitMQ.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use netwark_model::messages::Report;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use super::consume::{Missing, Read, Verdict, listen};
use super::link::Link;
use super::options::{AmqpOptions, OptionsError};
use super::publish::{Publisher, Routed};
use super::{reports, wire};
use crate::signing::SigningKey;
use crate::{Answer, BusError, Consumer, Fate, IncomingDelivery, LinkState, WorkerBus};

/// A worker's side of the bus over RabbitMQ.
pub struct AmqpWorkerBus {
    link: Arc<Link>,
    publisher: Publisher,
    key: SigningKey,
    malformed: Arc<AtomicU64>,
}

impl AmqpWorkerBus {
    /// Begins to connect, in tasks of the current runtime, and goes on trying until it is dropped.
    /// Reports are signed with the key.
    ///
    /// # Errors
    /// When the options cannot be used at all. A broker that does not answer is no error.
    pub fn connect(options: &AmqpOptions, worker_id: Uuid, key: SigningKey) -> Result<Self, OptionsError> {
        let link = Link::start(options.target()?, format!("netwark worker {worker_id}"));
        let publisher = Publisher::start(Arc::clone(&link), 1);
        Ok(Self { link, publisher, key, malformed: Arc::new(AtomicU64::new(0)) })
    }
}

impl WorkerBus for AmqpWorkerBus {
    fn listen(&self, addresses: Vec<String>, most: usize) -> Box<dyn Consumer> {
        let read = deliveries(Arc::clone(&self.malformed));
        Box::new(AmqpConsumer::new(listen(Arc::clone(&self.link), &addresses, most, Missing::Await, read)))
    }

    fn report(&self, report: Report) -> Answer<'_, Result<(), BusError>> {
        Box::pin(async move {
            match self.publisher.publish(reports::parcel(&report, &self.key)?).await? {
                Routed::Yes => Ok(()),
                Routed::No => {
                    Err(BusError::Unavailable("no server has made its queue of reports yet".into()))
                }
            }
        })
    }

    fn state(&self) -> watch::Receiver<LinkState> {
        self.link.state()
    }
}

/// Takes deliveries from queues.
pub(super) struct AmqpConsumer {
    taken: mpsc::Receiver<Box<IncomingDelivery>>,
}

impl AmqpConsumer {
    pub(super) fn new(taken: mpsc::Receiver<Box<IncomingDelivery>>) -> Self {
        Self { taken }
    }
}

impl Consumer for AmqpConsumer {
    fn next(&mut self) -> Answer<'_, Option<IncomingDelivery>> {
        Box::pin(async { self.taken.recv().await.map(|delivery| *delivery) })
    }
}

/// Reads deliveries as they come; what cannot be read is counted and goes to the dead letters.
pub(super) fn deliveries(malformed: Arc<AtomicU64>) -> Read<IncomingDelivery> {
    Arc::new(move |message, held| match wire::read_delivery(&message.data) {
        Ok(delivery) => Some(IncomingDelivery::new(delivery, message.redelivered, move |fate| {
            held.settle(match fate {
                Fate::Acknowledged => Verdict::Acknowledge,
                Fate::Returned(_) => Verdict::Return,
            });
        })),
        Err(reason) => {
            malformed.fetch_add(1, Ordering::Relaxed);
            let begins = wire::excerpt(&message.data);
            tracing::warn!(%reason, %begins, "a message cannot be read; it is with the dead letters");
            held.settle(Verdict::Bury);
            None
        }
    })
}
