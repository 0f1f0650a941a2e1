//! Messages as each version wrote them. Those of an earlier version are kept as they were and must
//! be read for ever; those of this version must not change unnoticed. `NETWARK_BLESS=1` records the
//! messages of this version anew, which is right only while it has not been released.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests stop at what they do not expect")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use netwark_model::assignments::{Assignment, AssignmentChange, StreamReport};
use netwark_model::mac::Mac;
use netwark_model::messages::{
    Alive, Delivery, End, Hello, News, Order, Report, RunOrder, Unwelcome, VERSION, Welcome, mark, understood,
};
use netwark_model::watch::report::LinkFacts;
use netwark_model::workers::{Capabilities, Coordinates, MissingCapability, SelfTest, ToolUsage};
use serde_json::json;
use uuid::Uuid;

const OPERATION: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001);
const RESULT: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0002);
const WORKER: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0003);
const STREAM: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0004);

/// Either kind of message.
#[derive(Debug, PartialEq)]
enum Message {
    Delivery(Delivery),
    Report(Report),
}

impl Message {
    fn write(&self) -> String {
        match self {
            Self::Delivery(delivery) => serde_json::to_string(delivery),
            Self::Report(report) => serde_json::to_string(report),
        }
        .unwrap()
    }

    /// Reads text as the kind of message that this is.
    fn read_alike(&self, text: &str) -> serde_json::Result<Self> {
        match self {
            Self::Delivery(_) => serde_json::from_str(text).map(Self::Delivery),
            Self::Report(_) => serde_json::from_str(text).map(Self::Report),
        }
    }
}

type Named = (&'static str, Message);

/// What both versions can say, as this version understands what that version said.
fn since_the_first(version: u16) -> Vec<Named> {
    let order = |order| Message::Delivery(Delivery { version, ..Delivery::new(order) });
    let news = |news| Message::Report(Report { version, ..Report::new(WORKER, 0, news) });
    let (operation_id, result_id) = (OPERATION, RESULT);
    let end = |end| news(News::Final { operation_id, result_id, end });
    let run = RunOrder {
        operation_id,
        result_id,
        queue: "netwark.paris".into(),
        tool: "ping".into(),
        target: "192.0.2.1".into(),
        options: json!({"count": 3, "interval_ms": 1000}),
        run_within_ms: 34_000,
    };
    let missing = MissingCapability {
        what: "TCP traces".into(),
        why: "raw sockets need CAP_NET_RAW".into(),
        remedy: "setcap cap_net_raw+ep netwark".into(),
    };
    let hello = Hello {
        name: "paris-1".into(),
        site: "paris".into(),
        location: "Paris, rack 4".into(),
        tags: vec!["lab".into()],
        version: "0.1.0".into(),
        queues: vec!["netwark".into(), "netwark.paris".into()],
        capabilities: Capabilities {
            tools: vec!["ping".into(), "mtr".into()],
            ipv4: true,
            missing: vec![missing],
            ..Capabilities::default()
        },
        policy: "unicast addresses".into(),
        ..Hello::default()
    };
    vec![
        ("run", order(Order::Run(run))),
        ("cancel", order(Order::Cancel { operation_id })),
        ("hello", news(News::Hello(Box::new(hello)))),
        ("alive", news(News::Alive(Alive { running: 3, ..Alive::default() }))),
        ("goodbye", news(News::Goodbye)),
        ("started", news(News::Started { operation_id, result_id, redelivered: false })),
        (
            "progress",
            news(News::Progress { operation_id, result_id, payload: json!({"sent": 2, "received": 1}) }),
        ),
        ("final_done", end(End::Done { payload: json!({"sent": 3, "received": 3}) })),
        ("final_error", end(End::Error { cause: "no route to the network".into() })),
        ("final_timeout", end(End::Timeout { payload: Some(json!({"sent": 3, "received": 0})) })),
        ("final_cancelled", end(End::Cancelled { payload: None })),
    ]
}

/// What version 2 added.
fn since_the_second() -> Vec<Named> {
    let order = |order| Message::Delivery(Delivery::new(order));
    let news = |news| Message::Report(Report::new(WORKER, mark(4, 17), news));
    let assignment = Assignment {
        id: STREAM,
        epoch: 3,
        kind: "heartbeat".into(),
        every_ms: 60_000,
        body: json!({"port": 7}),
    };
    let change =
        AssignmentChange { revision: 12, complete: true, held: vec![assignment], released: vec![RESULT] };
    let welcome = Welcome {
        answers: mark(4, 1),
        server_time_ms: 1_793_000_000_000,
        heard_at_ms: Some(1_792_999_999_990),
        name: "paris-1".into(),
        queues: vec!["netwark".into(), "netwark.broadcast".into()],
        listen: Some(vec!["netwark".into()]),
        unknown_queues: vec!["netwark.rome".into()],
        draining: false,
        drain_revision: 2,
    };
    let usage =
        ToolUsage { tool: "ping".into(), month: "2026-11".into(), bytes_sent: 8_400, bytes_received: 8_316 };
    let test = SelfTest {
        what: "DNS".into(),
        passed: false,
        skipped: false,
        detail: "no answer".into(),
        takes_away: vec!["dns".into()],
    };
    let alive = Alive {
        running: 3,
        load: Some(0.25),
        spool_bytes: 4_096,
        clock_offset_ms: Some(-12),
        usage: vec![usage],
        self_test: vec![test.clone()],
        revision: 5,
        draining: Some(false),
        drain_revision: Some(2),
        asks_time: true,
    };
    let time = Order::Time {
        answers: mark(4, 17),
        heard_at_ms: 1_793_000_000_000,
        server_time_ms: 1_793_000_000_003,
    };
    let refused = Order::Refused { answers: mark(4, 1), reason: "the name is taken".into() };
    let hello = Hello {
        name: "lyon-1".into(),
        coordinates: Some(Coordinates { latitude: 45.75, longitude: 4.85 }),
        country: "FR".into(),
        asn: Some(64_500),
        concurrency: 256,
        self_test: vec![test],
        usage_cap_bytes: Some(1 << 30),
        revision: 12,
        draining: true,
        drain_revision: Some(2),
        ..Hello::default()
    };
    let stream = StreamReport {
        stream: STREAM,
        epoch: 3,
        sequence: 99,
        at_ms: 1_793_000_000_123,
        body: json!({"rtt_ms": 1.5}),
    };
    let gap = News::Gap { stream: STREAM, epoch: 3, from: 5, to: 9, reason: "spool full".into() };
    vec![
        ("welcome", order(Order::Welcome(welcome))),
        ("drain", order(Order::Drain { draining: true, revision: 3 })),
        ("time", order(time)),
        ("refused", order(refused)),
        ("introduce", order(Order::Introduce)),
        (
            "unwelcome",
            order(Order::Unwelcome(Unwelcome { revoked: true, reason: "revoked by admin".into() })),
        ),
        ("assign", order(Order::Assign(change))),
        ("now", order(Order::Now { assignment_id: STREAM })),
        (
            "cancel_in_time",
            Message::Delivery(
                Delivery::new(Order::Cancel { operation_id: OPERATION }).until(1_793_000_000_000),
            ),
        ),
        ("hello_with_self_test", news(News::Hello(Box::new(hello)))),
        ("hello_with_links", news(News::Hello(Box::new(hello_with_links())))),
        ("alive_with_usage", news(News::Alive(alive))),
        (
            "started_again",
            news(News::Started { operation_id: OPERATION, result_id: RESULT, redelivered: true }),
        ),
        ("stream", news(News::Stream(stream))),
        ("gap", news(gap)),
        ("assigned", news(News::Assigned { revision: 12 })),
        ("released", news(News::Released { assignment_id: STREAM, epoch: 3 })),
    ]
}

/// What a worker says that stands on a link.
fn hello_with_links() -> Hello {
    let link = LinkFacts {
        interface: "eth0".into(),
        mac: Some(Mac::new([0, 0, 0x5e, 0, 0x53, 1])),
        speed_mbps: Some(1_000),
        addresses: vec!["192.0.2.7/24".parse().unwrap()],
        gateway: Some("192.0.2.1".parse().unwrap()),
        resolvers: vec!["192.0.2.53".parse().unwrap()],
        ssid: None,
        security: None,
    };
    Hello { name: "nice-1".into(), links: vec![link], ..Hello::default() }
}

fn directory(version: u16) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/messages/v{version}"))
}

fn recorded(version: u16, name: &str) -> String {
    let path = directory(version).join(format!("{name}.json"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn has_no_others(version: u16, named: &[Named]) {
    let names: BTreeSet<_> = named.iter().map(|(name, _)| format!("{name}.json")).collect();
    let files: BTreeSet<_> = std::fs::read_dir(directory(version))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, names, "version {version}");
}

#[test]
fn what_version_1_wrote_is_read_and_means_the_same() {
    let messages = since_the_first(1);
    for (name, message) in &messages {
        let read = message.read_alike(&recorded(1, name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(&read, message, "{name}");
    }
    has_no_others(1, &messages);
}

#[test]
fn this_version_writes_and_reads_what_it_did() {
    let mut messages = since_the_first(VERSION);
    messages.extend(since_the_second());
    for (name, message) in &messages {
        let written = format!("{}\n", message.write());
        if std::env::var_os("NETWARK_BLESS").is_some() {
            std::fs::write(directory(VERSION).join(format!("{name}.json")), &written).unwrap();
        }
        let recorded = recorded(VERSION, name);
        assert_eq!(
            recorded, written,
            "{name} is written otherwise; old and new would not understand each other"
        );
        assert_eq!(&message.read_alike(&recorded).unwrap(), message, "{name}");
    }
    has_no_others(VERSION, &messages);
}

#[test]
fn a_later_version_is_recognised_by_its_number() {
    let later = VERSION + 1;
    let order: Delivery = serde_json::from_value(
        json!({"version": later, "order": {"order": "dance", "steps": [1, 2]}, "by": 7}),
    )
    .unwrap();
    assert_eq!((order.version, order.order), (later, Order::Unknown));
    let report =
        json!({"version": later, "worker_id": WORKER, "mark": 9, "news": {"news": "sang", "song": {}}});
    let report: Report = serde_json::from_value(report).unwrap();
    assert_eq!((report.version, report.mark, report.news), (later, 9, News::Unknown));
    assert!(!understood(later) && !understood(0));
    assert!((1..=VERSION).all(understood));
}

#[test]
fn more_than_is_known_is_no_mistake() {
    for (name, message) in since_the_first(VERSION).into_iter().chain(since_the_second()) {
        let mut value: serde_json::Value = serde_json::from_str(&message.write()).unwrap();
        let inner = if value.get("order").is_some() { "order" } else { "news" };
        value.as_object_mut().unwrap().insert("later".into(), json!({"more": true}));
        value.get_mut(inner).unwrap().as_object_mut().unwrap().insert("later".into(), json!([1]));
        assert_eq!(message.read_alike(&value.to_string()).unwrap(), message, "{name}");
    }
}
