//! The bus within one process: queues in memory.
//!
//! What waits here is gone with the process; the server's outbox is what remembers it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netwark_model::messages::{Delivery, Report};
use tokio::sync::{Mutex as AsyncMutex, Notify, Semaphore, mpsc, oneshot, watch};

use crate::{
    Answer, BusError, Consumer, Fate, IncomingDelivery, IncomingReport, LinkState, Proof, ServerBus,
    WorkerBus,
};

/// Most messages that wait at one address.
const LONGEST_QUEUE: usize = 100_000;
/// Most reports that wait for the server; beyond it workers wait.
const REPORTS: usize = 1024;

/// A message that waits, and whether it was taken before.
type Kept = (Delivery, bool);
type Waiting = HashMap<String, VecDeque<Kept>>;

#[derive(Debug, Default)]
struct Addresses {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

impl Addresses {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // A panic elsewhere cannot leave a queue half changed: every change is one call.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push_back(&self, address: &str, delivery: Delivery) -> Result<(), BusError> {
        {
            let mut waiting = self.lock();
            let queue = waiting.entry(address.to_owned()).or_default();
            if queue.len() >= LONGEST_QUEUE {
                return Err(BusError::Full { address: address.to_owned(), waiting: queue.len() });
            }
            queue.push_back((delivery, false));
        }
        self.arrived.notify_waiters();
        Ok(())
    }

    /// Puts a message back to where it came from, in front of what waits.
    fn push_front(&self, address: &str, delivery: Delivery) {
        self.lock().entry(address.to_owned()).or_default().push_front((delivery, true));
        self.arrived.notify_waiters();
    }

    /// Takes the next message from one of the addresses, trying them in turn from `first`.
    fn pop(&self, addresses: &[String], first: usize) -> Option<(usize, Kept)> {
        let mut waiting = self.lock();
        for step in 0..addresses.len() {
            let index = (first + step) % addresses.len();
            let Some(address) = addresses.get(index) else { continue };
            let Some(queue) = waiting.get_mut(address) else { continue };
            if let Some(kept) = queue.pop_front() {
                if queue.is_empty() {
                    waiting.remove(address);
                }
                return Some((index, kept));
            }
        }
        None
    }
}

type Sent = (Report, oneshot::Sender<Result<(), BusError>>);

/// The server's side of a bus in memory.
#[derive(Debug)]
pub struct LocalServerBus {
    addresses: Arc<Addresses>,
    reports: AsyncMutex<mpsc::Receiver<Sent>>,
}

/// A worker's side of a bus in memory. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LocalWorkerBus {
    addresses: Arc<Addresses>,
    reports: mpsc::Sender<Sent>,
    /// Always up; kept, so that who watches it waits.
    link: watch::Sender<LinkState>,
}

/// Makes a bus.
pub fn pair() -> (LocalServerBus, LocalWorkerBus) {
    let addresses = Arc::new(Addresses::default());
    let (sender, receiver) = mpsc::channel(REPORTS);
    (
        LocalServerBus { addresses: Arc::clone(&addresses), reports: AsyncMutex::new(receiver) },
        LocalWorkerBus { addresses, reports: sender, link: watch::Sender::new(LinkState::Up) },
    )
}

impl ServerBus for LocalServerBus {
    fn is_durable(&self) -> bool {
        false
    }

    fn declare(&self, _: Vec<String>) -> Answer<'_, Result<(), BusError>> {
        // An address is there as soon as something waits at it.
        Box::pin(async { Ok(()) })
    }

    fn remove(&self, addresses: Vec<String>) -> Answer<'_, Result<(), BusError>> {
        Box::pin(async move {
            let mut waiting = self.addresses.lock();
            addresses.iter().for_each(|address| drop(waiting.remove(address)));
            Ok(())
        })
    }

    fn publish<'a>(
        &'a self,
        address: &'a str,
        delivery: Delivery,
        _: Option<Duration>,
    ) -> Answer<'a, Result<(), BusError>> {
        // What nobody took in time is ended by the server; who takes it later is told so.
        Box::pin(async move { self.addresses.push_back(address, delivery) })
    }

    fn next_report(&self) -> Answer<'_, Option<IncomingReport>> {
        Box::pin(async move {
            let (report, reply) = self.reports.lock().await.recv().await?;
            Some(IncomingReport::new(report, Proof::SameProcess, move |result| {
                // The worker may have stopped waiting; the report is settled all the same.
                let _ = reply.send(result);
            }))
        })
    }

    fn listen(&self, addresses: Vec<String>, most: usize) -> Box<dyn Consumer> {
        Box::new(LocalConsumer::new(&self.addresses, addresses, most))
    }

    fn check(&self) -> Answer<'_, Result<(), BusError>> {
        Box::pin(async { Ok(()) })
    }

    fn malformed(&self) -> u64 {
        0
    }
}

impl WorkerBus for LocalWorkerBus {
    fn listen(&self, addresses: Vec<String>, most: usize) -> Box<dyn Consumer> {
        Box::new(LocalConsumer::new(&self.addresses, addresses, most))
    }

    fn report(&self, report: Report) -> Answer<'_, Result<(), BusError>> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            self.reports.send((report, reply)).await.map_err(|_| BusError::Gone)?;
            answer.await.map_err(|_| BusError::Gone)?
        })
    }

    fn state(&self) -> watch::Receiver<LinkState> {
        self.link.subscribe()
    }
}

struct LocalConsumer {
    addresses: Arc<Addresses>,
    names: Arc<Vec<String>>,
    /// Where to look first, so that one busy address does not starve the others.
    next: usize,
    /// Room for messages that are not settled.
    room: Arc<Semaphore>,
}

impl LocalConsumer {
    fn new(addresses: &Arc<Addresses>, names: Vec<String>, most: usize) -> Self {
        Self {
            addresses: Arc::clone(addresses),
            names: Arc::new(names),
            next: 0,
            room: Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS))),
        }
    }
}

impl Consumer for LocalConsumer {
    fn next(&mut self) -> Answer<'_, Option<IncomingDelivery>> {
        Box::pin(async move {
            let room = Arc::clone(&self.room).acquire_owned().await.ok()?;
            loop {
                let mut arrived = std::pin::pin!(self.addresses.arrived.notified());
                // Registered before looking, so that what arrives in between is not missed.
                arrived.as_mut().enable();
                if let Some((index, (delivery, redelivered))) = self.addresses.pop(&self.names, self.next) {
                    self.next = index + 1;
                    let addresses = Arc::clone(&self.addresses);
                    let names = Arc::clone(&self.names);
                    return Some(IncomingDelivery::new(delivery, redelivered, move |fate| {
                        if let (Fate::Returned(delivery), Some(address)) = (fate, names.get(index)) {
                            addresses.push_front(address, *delivery);
                        }
                        drop(room);
                    }));
                }
                arrived.await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use netwark_model::messages::{News, Order};
    use uuid::Uuid;

    use super::*;

    fn cancel(number: u128) -> Delivery {
        Delivery::new(Order::Cancel { operation_id: Uuid::from_u128(number) })
    }

    async fn take(consumer: &mut Box<dyn Consumer>) -> IncomingDelivery {
        consumer.next().await.unwrap()
    }

    #[tokio::test]
    async fn work_is_taken_once_and_in_order() {
        let (server, worker) = pair();
        for number in 0..3 {
            server.publish("netwark", cancel(number), None).await.unwrap();
        }
        let mut first = worker.listen(vec!["netwark".into()], 10);
        let mut second = worker.listen(vec!["netwark".into(), "inbox".into()], 10);
        let a = take(&mut first).await;
        let b = take(&mut second).await;
        let c = take(&mut first).await;
        let taken: Vec<_> = [a, b, c].into_iter().map(|d| (d.delivery.clone(), d.acknowledge()).0).collect();
        assert_eq!(taken, [cancel(0), cancel(1), cancel(2)]);
    }

    #[tokio::test]
    async fn work_that_is_not_acknowledged_comes_back_first() {
        let (server, worker) = pair();
        server.publish("netwark", cancel(0), None).await.unwrap();
        server.publish("netwark", cancel(1), None).await.unwrap();
        let mut consumer = worker.listen(vec!["netwark".into()], 10);
        let first = take(&mut consumer).await;
        assert!(!first.redelivered);
        drop(first);
        let again = take(&mut consumer).await;
        assert_eq!((again.redelivered, &again.delivery), (true, &cancel(0)));
    }

    #[tokio::test]
    async fn no_more_is_taken_than_may_be_held() {
        let (server, worker) = pair();
        for number in 0..2 {
            server.publish("netwark", cancel(number), None).await.unwrap();
        }
        let mut consumer = worker.listen(vec!["netwark".into()], 1);
        let first = take(&mut consumer).await;
        assert!(takes_none(&mut consumer).await, "one is held already");
        first.acknowledge();
        assert_eq!(take(&mut consumer).await.delivery, cancel(1));
    }

    /// True when nothing can be taken now.
    async fn takes_none(consumer: &mut Box<dyn Consumer>) -> bool {
        tokio::select! {
            biased;
            _ = consumer.next() => false,
            () = tokio::task::yield_now() => true,
        }
    }

    #[tokio::test]
    async fn a_waiting_consumer_is_woken() {
        let (server, worker) = pair();
        let mut consumer = worker.listen(vec!["a".into(), "b".into()], 10);
        let waiting = tokio::spawn(async move { take(&mut consumer).await.delivery.clone() });
        tokio::task::yield_now().await;
        server.publish("b", cancel(7), None).await.unwrap();
        assert_eq!(waiting.await.unwrap(), cancel(7));
    }

    #[tokio::test]
    async fn a_report_is_safe_once_the_server_says_so() {
        let (server, worker) = pair();
        let report = Report::new(Uuid::nil(), 1, News::Goodbye);
        let sending = tokio::spawn({
            let report = report.clone();
            async move { (worker.report(report.clone()).await, worker.report(report).await) }
        });
        let first = server.next_report().await.unwrap();
        assert_eq!(first.report, report);
        first.settle(Ok(()));
        server.next_report().await.unwrap().settle(Err(BusError::Refused("no".into())));
        assert_eq!(sending.await.unwrap(), (Ok(()), Err(BusError::Refused("no".into()))));
    }

    #[tokio::test]
    async fn a_report_to_a_server_that_has_gone_is_an_error() {
        let (server, worker) = pair();
        drop(server);
        assert_eq!(worker.report(Report::new(Uuid::nil(), 1, News::Goodbye)).await, Err(BusError::Gone));
    }
}
