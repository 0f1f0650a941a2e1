//! Messages between the server and its workers.
//!
//! A bus has addresses: queues, and an inbox and a control address for every worker. Work put to
//! an address waits until a worker takes it and comes back if that worker goes away without
//! acknowledging it. Reports travel the other way; sending one ends once the report is safe.

pub mod amqp;
pub mod local;
pub mod signing;
pub mod websocket;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use netwark_model::messages::{Delivery, Report, Unwelcome};
use tokio::sync::watch;

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
    /// The broker does not answer; trying again can help.
    #[error("the broker does not answer: {0}")]
    Unavailable(String),
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

    /// Makes sure that these addresses exist, so that what is sent there waits for its worker.
    fn declare(&self, addresses: Vec<String>) -> Answer<'_, Result<(), BusError>>;

    /// Removes addresses and what waits there. Who listens on them hears nothing any more.
    fn remove(&self, addresses: Vec<String>) -> Answer<'_, Result<(), BusError>>;

    /// Puts a message to an address. It is safe, as far as [`Self::is_durable`] says, once this
    /// ends well. A message that nobody took for `expires_in` may be thrown away.
    fn publish<'a>(
        &'a self,
        address: &'a str,
        delivery: Delivery,
        expires_in: Option<Duration>,
    ) -> Answer<'a, Result<(), BusError>>;

    /// The next report of any worker; `None` when the bus has been closed.
    fn next_report(&self) -> Answer<'_, Option<IncomingReport>>;

    /// Listens on addresses on behalf of a worker whose connection ends at this server, holding at
    /// most `most` messages that are not acknowledged.
    fn listen(&self, addresses: Vec<String>, most: usize) -> Box<dyn Consumer>;

    /// Asks the bus for an answer, for the readiness of the server.
    fn check(&self) -> Answer<'_, Result<(), BusError>>;

    /// Messages from workers that were thrown away because they could not be read, since the start.
    fn malformed(&self) -> u64;
}

/// A worker's side.
pub trait WorkerBus: Send + Sync + 'static {
    /// Listens on addresses, holding at most `most` messages that are not acknowledged. Goes on by
    /// itself after the link was down.
    fn listen(&self, addresses: Vec<String>, most: usize) -> Box<dyn Consumer>;

    /// Sends a report; ends once it is safe, or refused. An error at once while the link is down.
    fn report(&self, report: Report) -> Answer<'_, Result<(), BusError>>;

    /// The state of the link, as it changes.
    fn state(&self) -> watch::Receiver<LinkState>;
}

/// The state of a worker's link to its servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Messages pass.
    Up,
    /// No messages pass; it is tried again.
    Down {
        /// Why, for people.
        reason: String,
    },
    /// It has ended for good.
    Ended(Unwelcome),
}

/// Takes messages from some addresses.
pub trait Consumer: Send + 'static {
    /// The next message; `None` when the bus has been closed. Taking none is safe at any moment:
    /// a call that is dropped has taken nothing.
    fn next(&mut self) -> Answer<'_, Option<IncomingDelivery>>;
}

/// What became of a message that was taken.
#[derive(Debug)]
pub enum Fate {
    /// It has been taken care of.
    Acknowledged,
    /// It goes back to its address.
    Returned(Box<Delivery>),
}

/// Told what became of a message.
type Settle<T> = Box<dyn FnOnce(T) + Send>;

/// A message that was taken. It goes back to its address when dropped without being acknowledged.
pub struct IncomingDelivery {
    /// What is said.
    pub delivery: Delivery,
    /// True when it may have been taken before by somebody who went away.
    pub redelivered: bool,
    settle: Option<Settle<Fate>>,
}

impl IncomingDelivery {
    /// A message and what is told of its fate.
    pub fn new(delivery: Delivery, redelivered: bool, settle: impl FnOnce(Fate) + Send + 'static) -> Self {
        Self { delivery, redelivered, settle: Some(Box::new(settle)) }
    }

    /// It has been taken care of and is forgotten.
    pub fn acknowledge(mut self) {
        if let Some(settle) = self.settle.take() {
            settle(Fate::Acknowledged);
        }
    }
}

impl Drop for IncomingDelivery {
    fn drop(&mut self) {
        if let Some(settle) = self.settle.take() {
            settle(Fate::Returned(Box::new(self.delivery.clone())));
        }
    }
}

impl std::fmt::Debug for IncomingDelivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IncomingDelivery").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}

/// How it is known that a report is from the worker it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The bus has only one worker, which runs in this process.
    SameProcess,
    /// The sender signed these bytes with the key of the worker. Not verified yet: the bus does not
    /// know the keys.
    Signature {
        /// What was signed.
        body: Vec<u8>,
        /// The signature.
        signature: Vec<u8>,
    },
}

/// A report that arrived. Its sender waits until it is settled.
pub struct IncomingReport {
    /// What is said.
    pub report: Report,
    /// How it is known who says it.
    pub proof: Proof,
    /// True when the bus has given it out before, and does not know what became of it.
    pub redelivered: bool,
    settle: Settle<Result<(), BusError>>,
}

impl IncomingReport {
    /// A report and what tells its sender.
    pub fn new(
        report: Report,
        proof: Proof,
        settle: impl FnOnce(Result<(), BusError>) + Send + 'static,
    ) -> Self {
        Self { report, proof, redelivered: false, settle: Box::new(settle) }
    }

    /// The same report, given out again or not.
    #[must_use]
    pub fn again(self, redelivered: bool) -> Self {
        Self { redelivered, ..self }
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
