//! RabbitMQ as it is in bad hours: killed, unreachable, silent, short of memory, and in the hands of
//! somebody who may write to it and must not be believed.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests stop at what they do not expect")]
#![expect(clippy::print_stderr, reason = "who runs the tests should see what was skipped")]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use netwark_bus::amqp::{self, AmqpOptions, AmqpServerBus, AmqpWorkerBus};
use netwark_bus::{BusError, LinkState, Proof, ServerBus, WorkerBus};
use netwark_model::messages::{self, LARGEST, News, Report};
use uuid::Uuid;

use self::support::broker::{self, Broker};
use self::support::proxy::{Proxy, Weather};
use self::support::tls;
use self::support::{key, log, number, numbered, soon, take, until};

/// Options with quick heartbeats, so that silence is noticed within a test.
fn options(url: &str) -> AmqpOptions {
    AmqpOptions { heartbeat: 1, ..AmqpOptions::new(url) }
}

async fn connected(url: &str) -> AmqpServerBus {
    let server = AmqpServerBus::connect(&options(url)).unwrap();
    until("the connection", || async { server.check().await.ok() }).await;
    server
}

async fn worker(url: &str) -> (Uuid, AmqpWorkerBus) {
    let id = Uuid::now_v7();
    let worker = AmqpWorkerBus::connect(&options(url), id, key()).unwrap();
    up(&worker).await;
    (id, worker)
}

async fn up(worker: &AmqpWorkerBus) {
    soon("the worker's link", worker.state().wait_for(|state| *state == LinkState::Up)).await.unwrap();
}

async fn down(worker: &AmqpWorkerBus) -> String {
    let mut state = worker.state();
    let is_down = |state: &LinkState| matches!(state, LinkState::Down { .. });
    match &*soon("the link going down", state.wait_for(is_down)).await.unwrap() {
        LinkState::Down { reason } => reason.clone(),
        _ => unreachable!(),
    }
}

async fn publish(server: &AmqpServerBus, address: &str, number: usize) {
    soon("publishing", server.publish(address, numbered(number), None)).await.unwrap();
}

/// The next report, stored.
async fn stored(server: &AmqpServerBus) -> Report {
    let arrived = soon("a report", server.next_report()).await.unwrap();
    let report = arrived.report.clone();
    arrived.settle(Ok(()));
    report
}

async fn said(worker: &AmqpWorkerBus, report: Report) {
    until("the report", || async { worker.report(report.clone()).await.ok() }).await;
}

/// A channel of somebody who speaks to the broker without this crate.
async fn stranger(url: &str) -> (Connection, Channel) {
    let connection =
        soon("connecting", Connection::connect(url, ConnectionProperties::default())).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    (connection, channel)
}

async fn write(channel: &Channel, exchange: &str, key: &str, body: &[u8], properties: BasicProperties) {
    let options = BasicPublishOptions::default();
    let confirm =
        channel.basic_publish(exchange.into(), key.into(), options, body, properties).await.unwrap();
    assert!(soon("the confirmation", confirm).await.unwrap().is_ack());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_broker_loses_nothing_that_was_confirmed() {
    log();
    let Some(mut broker) = Broker::start("") else { return };
    let server = connected(&broker.url).await;
    let (id, worker) = worker(&broker.url).await;
    let inbox = messages::inbox(id);
    for number in 0..20 {
        publish(&server, &inbox, number).await;
    }
    let mut consumer = worker.listen(vec![inbox.clone()], 3);
    let held = [take(&mut consumer).await, take(&mut consumer).await];
    let [first, second] = held;
    assert_eq!((number(&first.delivery), number(&second.delivery)), (0, 1));
    first.acknowledge();

    broker.sync();
    broker.kill();
    let reason = down(&worker).await;
    assert!(!reason.is_empty());
    until("the server noticing", || async { server.check().await.is_err().then_some(()) }).await;
    assert!(matches!(server.publish(&inbox, numbered(99), None).await, Err(BusError::Unavailable(_))));
    let report = Report::new(id, 1, News::Goodbye);
    assert!(matches!(worker.report(report.clone()).await, Err(BusError::Unavailable(_))));
    // Its channel is gone; the broker gives it out again, and this goes nowhere.
    second.acknowledge();

    broker.start_again();
    up(&worker).await;
    let mut seen = std::collections::BTreeSet::new();
    // The acknowledgement of 0 may not have reached the disk, so it may come again.
    while !(1..20).all(|number| seen.contains(&number)) {
        let taken = take(&mut consumer).await;
        seen.insert(number(&taken.delivery));
        taken.acknowledge();
    }
    until("publishing", || async { server.publish(&inbox, numbered(20), None).await.ok() }).await;
    loop {
        let taken = take(&mut consumer).await;
        let found = number(&taken.delivery);
        taken.acknowledge();
        if found == 20 {
            break;
        }
    }
    said(&worker, report.clone()).await;
    assert_eq!(stored(&server).await, report);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_comes_later_is_used_then() {
    log();
    let Some(url) = broker::given() else { return };
    let place: SocketAddr = AmqpOptions::new(&url).place().split('/').nth(2).unwrap().parse().unwrap();
    let proxy = Proxy::to(place).await;
    proxy.set(Weather::Cut);
    let detour = url.replacen(&place.to_string(), &proxy.address.to_string(), 1);
    let server = AmqpServerBus::connect(&options(&detour)).unwrap();
    let id = Uuid::now_v7();
    let worker = AmqpWorkerBus::connect(&options(&detour), id, key()).unwrap();
    assert!(server.check().await.is_err());
    assert!(matches!(server.publish("netwark", numbered(0), None).await, Err(BusError::Unavailable(_))));
    let mut consumer = worker.listen(vec![messages::inbox(id)], 1);

    proxy.set(Weather::Fine);
    until("the connection", || async { server.check().await.ok() }).await;
    publish(&server, &messages::inbox(id), 1).await;
    let taken = take(&mut consumer).await;
    assert_eq!(number(&taken.delivery), 1);
    taken.acknowledge();

    // Long quiet: heartbeats keep the links.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(*worker.state().borrow(), LinkState::Up);
    publish(&server, &messages::inbox(id), 2).await;
    let taken = take(&mut consumer).await;
    assert_eq!(number(&taken.delivery), 2);

    // A firewall forgets the links: nothing is closed, nothing passes.
    proxy.set(Weather::Silent);
    down(&worker).await;
    until("the server noticing", || async { server.check().await.is_err().then_some(()) }).await;
    drop(taken);
    proxy.set(Weather::Fine);
    up(&worker).await;
    until("publishing", || async { server.publish(&messages::inbox(id), numbered(3), None).await.ok() })
        .await;
    // What was held when the link went comes again, and says so: once the broker has missed the
    // heartbeats of the link that went silent, perhaps after what is newer.
    let mut came = std::collections::BTreeMap::new();
    while came.len() < 2 {
        let taken = take(&mut consumer).await;
        came.insert(number(&taken.delivery), taken.redelivered);
        taken.acknowledge();
    }
    assert_eq!(came, [(2, true), (3, false)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_goes_to_the_dead_letters() {
    log();
    let Some(url) = broker::given() else { return };
    let server = connected(&url).await;
    let (id, worker) = worker(&url).await;
    let inbox = messages::inbox(id);
    server.declare(vec![inbox.clone()]).await.unwrap();
    let (_connection, channel) = stranger(&url).await;
    let plain = BasicProperties::default();

    // To the worker: nonsense, a message that is too large, one of a later version, a good one.
    let queue = amqp::queue_name(&inbox);
    write(&channel, "", &queue, b"{\"version\": 2, \x1b[31m", plain.clone()).await;
    write(&channel, "", &queue, &vec![b' '; LARGEST + 1], plain.clone()).await;
    write(&channel, "", &queue, br#"{"version": 77, "order": "dance"}"#, plain.clone()).await;
    publish(&server, &inbox, 5).await;
    let mut consumer = worker.listen(vec![inbox], 10);
    let later = take(&mut consumer).await;
    assert_eq!(later.delivery.version, 77);
    later.acknowledge();
    assert_eq!(number(&take(&mut consumer).await.delivery), 5);

    // To the server: not signed, signed by nonsense, not a report, too large.
    let mut headers = lapin::types::FieldTable::default();
    headers.insert("netwark-signature".into(), lapin::types::AMQPValue::LongString("AAAA".into()));
    let signed = BasicProperties::default().with_headers(headers);
    let report = Report::new(id, 1, News::Goodbye);
    let body = serde_json::to_vec(&report).unwrap();
    write(&channel, amqp::REPORTS, "", &body, plain).await;
    write(&channel, amqp::REPORTS, "", b"hello", signed.clone()).await;
    write(&channel, amqp::REPORTS, "", &vec![b' '; LARGEST + 1], signed.clone()).await;
    let too_large = News::Progress { operation_id: id, result_id: id, payload: "x".repeat(LARGEST).into() };
    assert!(matches!(worker.report(Report::new(id, 2, too_large)).await, Err(BusError::Refused(_))));
    // One that can be read and whose signature is wrong arrives, for the server to refuse.
    write(&channel, amqp::REPORTS, "", &body, signed).await;
    let forged = soon("a report", server.next_report()).await.unwrap();
    assert_eq!(forged.report, report);
    assert!(matches!(&forged.proof, Proof::Signature { signature, .. } if signature == &[0, 0, 0]));
    forged.settle(Err(BusError::Refused("forged".into())));
    assert_eq!(server.malformed(), 3);
    let letters = || async {
        let queue = channel
            .queue_declare(
                amqp::DEAD.into(),
                lapin::options::QueueDeclareOptions { passive: true, ..Default::default() },
                lapin::types::FieldTable::default(),
            )
            .await
            .unwrap();
        (queue.message_count() == 5).then_some(())
    };
    until("five dead letters", letters).await;
}

/// One private broker for all that changes a broker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_with_limits_users_and_certificates() {
    log();
    let certificates = tls::certificates();
    let Some(broker) = Broker::start(&certificates.configuration()) else { return };
    let server = connected(&broker.url).await;
    short_of_memory(&broker, &server).await;
    permissions_of_a_worker(&broker, &server).await;
    permissions_of_a_server(&broker).await;
    refusals(&broker).await;
    encrypted(&certificates).await;
}

async fn short_of_memory(broker: &Broker, server: &AmqpServerBus) {
    let (id, worker) = worker(&broker.url).await;
    let inbox = messages::inbox(id);
    publish(server, &inbox, 0).await;
    said(&worker, Report::new(id, 1, News::Goodbye)).await;
    stored(server).await;

    broker.eval("vm_memory_monitor:set_vm_memory_high_watermark({absolute, \"1MB\"}).");
    // The alarm blocks who publishes; so publish, until the broker says that it blocks.
    until("the block", || async {
        let refused = server.publish(&inbox, numbered(1), None).await.is_err();
        let told = server.check().await.is_err_and(|error| error.to_string().contains("memory"));
        (refused && told).then_some(())
    })
    .await;
    let refused = soon("an answer", server.publish(&inbox, numbered(2), None)).await;
    assert!(refused.is_err_and(|error| error.is_temporary()));
    // Work that is there can be taken all the same.
    let mut consumer = worker.listen(vec![inbox.clone()], 1);
    assert_eq!(number(&take(&mut consumer).await.delivery), 0);

    broker.eval("vm_memory_monitor:set_vm_memory_high_watermark(0.4).");
    until("publishing", || async { server.publish(&inbox, numbered(3), None).await.ok() }).await;
    said(&worker, Report::new(id, 2, News::Goodbye)).await;
}

/// Its own addresses and the queues, and reports; no more.
async fn permissions_of_a_worker(broker: &Broker, server: &AmqpServerBus) {
    let (id, other) = (Uuid::now_v7(), Uuid::now_v7());
    server.declare(vec!["netwark".into(), "netwark.paris".into(), messages::inbox(other)]).await.unwrap();
    let read = format!(r"^nw\.(inbox|control)\.{id}$|^nw\.netwark(\..*)?$");
    broker.add_user("w1", "secret", ["^$", r"^nw\.reports$", &read]);
    let url = broker.url_of("w1", "secret");
    assert_eq!(amqp::examine_worker(&options(&url), Some(id)).await.unwrap(), Vec::<String>::new());
    let another = amqp::examine_worker(&options(&url), Some(other)).await.unwrap();
    assert!(
        matches!(another.as_slice(), [inbox, control] if inbox.contains("own inbox") && control.contains("own control")),
        "{another:?}"
    );
    let everything = amqp::examine_worker(&options(&broker.url), Some(id)).await.unwrap();
    assert_eq!(everything.len(), 5, "{everything:?}");
    let denied = amqp::examine_server(&options(&url)).await.unwrap_err();
    assert!(denied.contains("declaring a queue failed"), "{denied}");

    let limited = AmqpWorkerBus::connect(&options(&url), id, key()).unwrap();
    up(&limited).await;
    let addresses = vec![messages::inbox(other), "netwark".into(), "netwark.paris".into()];
    let mut consumer = limited.listen(addresses, 5);
    // What it may not read does not keep it from the rest.
    publish(server, "netwark.paris", 7).await;
    assert_eq!(number(&take(&mut consumer).await.delivery), 7);
    said(&limited, Report::new(id, 3, News::Goodbye)).await;
}

async fn permissions_of_a_server(broker: &Broker) {
    broker.add_user("srv", "secret", [r"^nw\.", r"^(nw\.|amq\.default$)", r"^nw\."]);
    let url = broker.url_of("srv", "secret");
    assert_eq!(amqp::examine_server(&options(&url)).await.unwrap().product, "RabbitMQ");
    let server = connected(&url).await;
    let inbox = messages::inbox(Uuid::now_v7());
    publish(&server, &inbox, 8).await;
    server.remove(vec![inbox]).await.unwrap();
}

/// A refusal is told with its reason, and tried again.
async fn refusals(broker: &Broker) {
    let wrong = [
        (broker.url_of("guest", "wrong"), "refuses the user 'guest'"),
        (format!("{}/nowhere", broker.url), "virtual host 'nowhere'"),
    ];
    for (url, expected) in wrong {
        let worker = AmqpWorkerBus::connect(&options(&url), Uuid::now_v7(), key()).unwrap();
        let refused =
            |state: &LinkState| matches!(state, LinkState::Down { reason } if reason.contains(expected));
        soon(expected, worker.state().wait_for(refused)).await.unwrap();
    }
}

async fn encrypted(certificates: &tls::Certificates) {
    let trusting = AmqpOptions { ca_file: Some(certificates.authority()), ..options(&certificates.url()) };
    assert_eq!(amqp::examine_server(&trusting).await.unwrap().product, "RabbitMQ");
    let server = AmqpServerBus::connect(&trusting).unwrap();
    until("the connection", || async { server.check().await.ok() }).await;
    let distrust = amqp::examine_server(&options(&certificates.url())).await.unwrap_err();
    assert!(distrust.to_lowercase().contains("certificate"), "{distrust}");
}
