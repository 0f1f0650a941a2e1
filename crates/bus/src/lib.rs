//! Messages between the server and its workers.
//!
//! A bus has addresses: queues, and an inbox and a control address for every worker. Work put to
//! an address waits until a worker takes it and comes back if that worker goes away without
//! acknowledging it. Reports travel the other way; sending one ends once the report is safe.

pub mod local;

use std::future::Future;
use std::pin::Pin;

use netwark_model::messages::{Delivery, Report};

/// Why a message could not be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The address holds as many messages as it may.
    #[error("{address} holds {waiting} messages already and takes no more; are its workers running?")]
    Full {
        /// The queue or inbox.
        address: String,
        /// How many wait there.
        waiting: usize,
    },
    /// The other side has gone; trying again can help.
    #[error("the other side of the bus has gone")]
    Gone,
    /// The other side refused the message; trying again cannot help.
    #[error("refused: {0}")]
    Refused(String),
    /// The other side could not store the message; trying again can help.
    #[error("not stored: {0}")]
    NotStored(String),
}

impl BusError {
    /// True when trying again later can help.
    pub fn is_temporary(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }
}

/// What a bus call returns.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The server's side.
pub trait ServerBus: Send + Sync + 'static {
    /// True when what was published outlives this process. What is not durable has to be published
    /// again after a start.
    fn is_durable(&self) -> bool;

    /// Puts a message to an address. It is safe, as far as [`Self::is_durable`] says, once this ends well.
    fn publish<'a>(&'a self, address: &'a str, delivery: Delivery) -> Answer<'a, Result<(), BusError>>;

    /// The next report of any worker; `None` when the bus has been closed.
    fn next_report(&self) -> Answer<'_, Option<IncomingReport>>;

    /// Asks the bus for an answer, for the readiness of the server.
    fn check(&self) -> Answer<'_, Result<(), BusError>>;
}

/// A worker's side.
pub trait WorkerBus: Send + Sync + 'static {
    /// Listens on addresses.
    fn listen(&self, addresses: Vec<String>) -> Box<dyn Consumer>;

    /// Sends a report; ends once it is safe, or refused.
    fn report(&self, report: Report) -> Answer<'_, Result<(), BusError>>;
}

/// Takes messages from some addresses.
pub trait Consumer: Send + 'static {
    /// The next message; `None` when the bus has been closed. Taking none is safe at any moment:
    /// a call that is dropped has taken nothing.
    fn next(&mut self) -> Answer<'_, Option<IncomingDelivery>>;
}

/// Ends a message's travel: told whether it was taken care of.
type Settle<T> = Box<dyn FnOnce(T) + Send>;

/// A message that was taken. It goes back to its address when dropped without being acknowledged.
pub struct IncomingDelivery {
    /// What is said.
    pub delivery: Delivery,
    back: Option<Settle<Delivery>>,
}

impl IncomingDelivery {
    /// A message and what puts it back.
    pub fn new(delivery: Delivery, back: impl FnOnce(Delivery) + Send + 'static) -> Self {
        Self { delivery, back: Some(Box::new(back)) }
    }

    /// It has been taken care of and is forgotten.
    pub fn acknowledge(mut self) {
        self.back = None;
    }
}

impl Drop for IncomingDelivery {
    fn drop(&mut self) {
        if let Some(back) = self.back.take() {
            back(self.delivery.clone());
        }
    }
}

impl std::fmt::Debug for IncomingDelivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IncomingDelivery").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}

/// A report that arrived. Its sender waits until it is settled.
pub struct IncomingReport {
    /// What is said.
    pub report: Report,
    settle: Settle<Result<(), BusError>>,
}

impl IncomingReport {
    /// A report and what tells its sender.
    pub fn new(report: Report, settle: impl FnOnce(Result<(), BusError>) + Send + 'static) -> Self {
        Self { report, settle: Box::new(settle) }
    }

    /// Tells the sender that it is stored, or why not.
    pub fn settle(self, result: Result<(), BusError>) {
        (self.settle)(result);
    }
}

impl std::fmt::Debug for IncomingReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IncomingReport").field("report", &self.report).finish_non_exhaustive()
    }
}
