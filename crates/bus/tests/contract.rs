//! What every bus promises, on each of them.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests stop at what they do not expect")]
#![expect(clippy::print_stderr, reason = "who runs the tests should see what was skipped")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use netwark_bus::amqp::{AmqpOptions, AmqpServerBus, AmqpWorkerBus};
use netwark_bus::{BusError, Consumer, LinkState, Proof, ServerBus, WorkerBus, local, signing};
use netwark_model::messages::{self, News, Report};
use uuid::Uuid;

use self::support::{broker, key, number, numbered, soon, take, until};

/// A server's and a worker's side of one bus.
struct Buses {
    server: Arc<dyn ServerBus>,
    worker: Arc<dyn WorkerBus>,
    worker_id: Uuid,
    public_key: Option<String>,
}

impl Buses {
    fn local() -> Self {
        let (server, worker) = local::pair();
        Self {
            server: Arc::new(server),
            worker: Arc::new(worker),
            worker_id: Uuid::now_v7(),
            public_key: None,
        }
    }

    async fn amqp(url: &str) -> Self {
        let options = AmqpOptions::new(url);
        let (worker_id, key) = (Uuid::now_v7(), key());
        let public_key = Some(key.public_key());
        let server = AmqpServerBus::connect(&options).unwrap();
        let worker = AmqpWorkerBus::connect(&options, worker_id, key).unwrap();
        until("the connection", || async { server.check().await.ok() }).await;
        soon("the worker's connection", worker.state().wait_for(|state| *state == LinkState::Up))
            .await
            .unwrap();
        Self { server: Arc::new(server), worker: Arc::new(worker), worker_id, public_key }
    }

    /// True for the bus within one process.
    fn is_local(&self) -> bool {
        !self.server.is_durable()
    }

    fn listen(&self, address: &str, most: usize) -> Box<dyn Consumer> {
        self.worker.listen(vec![address.into()], most)
    }

    async fn publish(&self, address: &str, number: usize) {
        soon("publishing", self.server.publish(address, numbered(number), None)).await.unwrap();
    }

    fn report(&self, mark: u64) -> Report {
        Report::new(self.worker_id, mark, News::Goodbye)
    }
}

/// An address that nobody else uses.
fn inbox() -> String {
    messages::inbox(Uuid::now_v7())
}

async fn work_comes_in_order(bus: &Buses) {
    let inbox = inbox();
    for number in 0..50 {
        bus.publish(&inbox, number).await;
    }
    let mut consumer = bus.listen(&inbox, 10);
    for expected in 0..50 {
        let taken = take(&mut consumer).await;
        assert_eq!((number(&taken.delivery), taken.redelivered), (expected, false));
        taken.acknowledge();
    }
}

async fn what_is_not_acknowledged_comes_back(bus: &Buses) {
    let inbox = inbox();
    bus.publish(&inbox, 0).await;
    bus.publish(&inbox, 1).await;
    let mut consumer = bus.listen(&inbox, 1);
    drop(take(&mut consumer).await);
    let mut taken = Vec::new();
    for _ in 0..2 {
        let message = take(&mut consumer).await;
        taken.push((number(&message.delivery), message.redelivered));
        message.acknowledge();
    }
    // A broker may have given out the next one before it hears that the first is back.
    if !bus.is_local() {
        taken.sort_unstable();
    }
    assert_eq!(taken, [(0, true), (1, false)]);
}

async fn no_more_is_held_than_allowed(bus: &Buses) {
    let (first, second) = (inbox(), inbox());
    for number in 0..2 {
        bus.publish(&first, number).await;
        bus.publish(&second, 10 + number).await;
    }
    // It may hold two over both addresses, and holds them.
    let mut holder = bus.worker.listen(vec![first.clone(), second.clone()], 2);
    let held = [take(&mut holder).await, take(&mut holder).await];
    // So the other two are there for somebody else.
    let mut other = bus.worker.listen(vec![first, second], 10);
    let taken = [take(&mut other).await, take(&mut other).await];
    let numbers: BTreeSet<_> = held.iter().chain(&taken).map(|taken| number(&taken.delivery)).collect();
    assert_eq!(numbers, BTreeSet::from([0, 1, 10, 11]));
}

async fn who_stops_listening_keeps_what_was_handed_on(bus: &Buses) {
    let inbox = inbox();
    for number in 0..3 {
        bus.publish(&inbox, number).await;
    }
    let mut leaver = bus.listen(&inbox, 10);
    let held = take(&mut leaver).await;
    drop(leaver);
    let mut heir = bus.listen(&inbox, 10);
    for expected in [1, 2] {
        let taken = take(&mut heir).await;
        assert_eq!(number(&taken.delivery), expected);
        taken.acknowledge();
    }
    held.acknowledge();
    bus.publish(&inbox, 3).await;
    assert_eq!(number(&take(&mut heir).await.delivery), 3, "0 was acknowledged and does not come again");
}

async fn taking_can_be_given_up_at_any_moment(bus: &Buses) {
    let inbox = inbox();
    let mut consumer = bus.listen(&inbox, 1);
    for number in 0..20 {
        bus.publish(&inbox, number).await;
    }
    let mut taken = Vec::new();
    while taken.len() < 20 {
        tokio::select! {
            message = consumer.next() => {
                let message = message.unwrap();
                taken.push(number(&message.delivery));
                message.acknowledge();
            }
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!(taken, (0..20).collect::<Vec<_>>());
}

async fn an_address_is_made_by_the_first_message(bus: &Buses) {
    // Some exist and some do not, all at once: each message must find its way.
    let addresses: Vec<_> = (0..40).map(|_| inbox()).collect();
    let known = addresses.iter().step_by(2).cloned().collect();
    soon("declaring", bus.server.declare(known)).await.unwrap();
    let publishing = (0..2_000).map(|number| {
        let address = addresses.get(number % addresses.len()).unwrap();
        bus.server.publish(address, numbered(number), None)
    });
    for result in soon("publishing", join_all(publishing)).await {
        result.unwrap();
    }
    let mut consumer = bus.worker.listen(addresses, 500);
    let mut numbers = BTreeSet::new();
    while numbers.len() < 2_000 {
        let taken = take(&mut consumer).await;
        numbers.insert(number(&taken.delivery));
        taken.acknowledge();
    }
}

async fn what_is_removed_is_gone(bus: &Buses) {
    let inbox = inbox();
    bus.publish(&inbox, 0).await;
    soon("removing", bus.server.remove(vec![inbox.clone()])).await.unwrap();
    soon("removing what is not there", bus.server.remove(vec![inbox.clone()])).await.unwrap();
    bus.publish(&inbox, 1).await;
    let mut consumer = bus.listen(&inbox, 10);
    assert_eq!(number(&take(&mut consumer).await.delivery), 1);
}

async fn a_listener_finds_its_address_again(bus: &Buses) {
    let inbox = inbox();
    bus.publish(&inbox, 0).await;
    let mut consumer = bus.listen(&inbox, 10);
    take(&mut consumer).await.acknowledge();
    soon("removing", bus.server.remove(vec![inbox.clone()])).await.unwrap();
    bus.publish(&inbox, 1).await;
    assert_eq!(number(&take(&mut consumer).await.delivery), 1);
}

async fn servers_listen_for_workers(bus: &Buses) {
    let inbox = inbox();
    let mut consumer = bus.server.listen(vec![inbox.clone()], 1);
    bus.publish(&inbox, 5).await;
    assert_eq!(number(&take(&mut consumer).await.delivery), 5);
}

async fn work_that_nobody_takes_in_time(bus: &Buses) {
    let inbox = inbox();
    let expires_in = Some(Duration::from_millis(20));
    soon("publishing", bus.server.publish(&inbox, numbered(4711), expires_in)).await.unwrap();
    if bus.is_local() {
        // It stays; the server has told whom it concerns, and who takes it is told so.
        assert_eq!(number(&take(&mut bus.listen(&inbox, 1)).await.delivery), 4711);
        return;
    }
    let mut dead = bus.server.listen(vec!["dead".into()], 10);
    loop {
        let letter = take(&mut dead).await;
        let found = letter.delivery == numbered(4711);
        letter.acknowledge();
        if found {
            break;
        }
    }
    bus.publish(&inbox, 1).await;
    assert_eq!(number(&take(&mut bus.listen(&inbox, 1)).await.delivery), 1);
}

async fn a_report_arrives_with_its_proof(bus: &Buses) {
    let (server, worker, report) = (Arc::clone(&bus.server), Arc::clone(&bus.worker), bus.report(7));
    let sent = report.clone();
    let sending = tokio::spawn(async move { worker.report(sent).await });
    let arrived = soon("a report", server.next_report()).await.unwrap();
    assert_eq!(arrived.report, report);
    match &arrived.proof {
        Proof::SameProcess => assert!(bus.is_local()),
        Proof::Signature { body, signature } => {
            let public_key = bus.public_key.as_ref().unwrap();
            assert_eq!(serde_json::from_slice::<Report>(body).unwrap(), report);
            assert_eq!(signing::verify(public_key, body, signature), Ok(()));
            assert!(signing::verify(&key().public_key(), body, signature).is_err());
        }
    }
    arrived.settle(Ok(()));
    assert_eq!(soon("the answer", sending).await.unwrap(), Ok(()));
}

async fn a_refused_report_does_not_come_again(bus: &Buses) {
    let refusal = BusError::Refused("not yours".into());
    let (worker, report) = (Arc::clone(&bus.worker), bus.report(1));
    let sending = tokio::spawn(async move { worker.report(report).await });
    soon("a report", bus.server.next_report()).await.unwrap().settle(Err(refusal.clone()));
    // A broker takes a report before anybody judges it.
    let expected = if bus.is_local() { Err(refusal) } else { Ok(()) };
    assert_eq!(soon("the answer", sending).await.unwrap(), expected);
    let (worker, report) = (Arc::clone(&bus.worker), bus.report(2));
    let sending = tokio::spawn(async move { worker.report(report).await });
    let next = soon("a report", bus.server.next_report()).await.unwrap();
    assert_eq!(next.report.mark, 2);
    next.settle(Ok(()));
    assert_eq!(soon("the answer", sending).await.unwrap(), Ok(()));
}

async fn a_report_that_is_not_stored_is_not_lost(bus: &Buses) {
    let trouble = BusError::NotStored("the database is away".into());
    for drops in [false, true] {
        let (worker, report) = (Arc::clone(&bus.worker), bus.report(3));
        let sending = tokio::spawn(async move { worker.report(report).await });
        let arrived = soon("a report", bus.server.next_report()).await.unwrap();
        match drops {
            true => drop(arrived),
            false => arrived.settle(Err(trouble.clone())),
        }
        let answer = soon("the answer", sending).await.unwrap();
        if bus.is_local() {
            // The worker still has it, and knows.
            assert!(answer.unwrap_err().is_temporary());
        } else {
            assert_eq!(answer, Ok(()));
            let again = soon("the report again", bus.server.next_report()).await.unwrap();
            assert_eq!(again.report.mark, 3);
            again.settle(Ok(()));
        }
    }
}

/// Every case: a test of its own on the bus in memory, a step of one test on a broker.
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        mod in_memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(&super::Buses::local()).await;
            })*
        }

        #[tokio::test]
        async fn over_rabbitmq() {
            let Some(url) = broker::given() else { return };
            let buses = Buses::amqp(&url).await;
            $(
                println!("{}", stringify!($case));
                $case(&buses).await;
            )*
        }
    };
}

cases! {
    work_comes_in_order,
    what_is_not_acknowledged_comes_back,
    no_more_is_held_than_allowed,
    who_stops_listening_keeps_what_was_handed_on,
    taking_can_be_given_up_at_any_moment,
    an_address_is_made_by_the_first_message,
    what_is_removed_is_gone,
    a_listener_finds_its_address_again,
    servers_listen_for_workers,
    work_that_nobody_takes_in_time,
    a_report_arrives_with_its_proof,
    a_refused_report_does_not_come_again,
    a_report_that_is_not_stored_is_not_lost,
}
