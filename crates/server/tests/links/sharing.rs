//! Notices of two servers on one database: each is sent by one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use netwark_model::events::Severity;
use netwark_model::subscriptions::{DeliveryStatus, Rules};
use netwark_store::channels::{ChannelDraft, DeliveryFilter, SubscriptionDraft};
use netwark_store::events::EventFilter;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::servers::{database, server};
use crate::support::within;

/// Channels that are sent over at once.
const CHANNELS: usize = 6;
/// Events that each of them tells: few enough that a notice names them all.
const EVENTS: usize = 90;

/// How often each event was told over a channel, by its id.
type Told = Arc<Mutex<BTreeMap<String, usize>>>;

/// A syslog server; returns its port.
async fn syslog(told: Told) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = String::new();
            if stream.read_to_string(&mut text).await.is_ok() {
                let mut told = told.lock().unwrap();
                for rest in text.split(" event=").skip(1) {
                    *told.entry(rest.chars().take(36).collect()).or_default() += 1;
                }
            }
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_notice_is_sent_by_one_of_two_servers() {
    let Some(url) = database().await else { return };
    let (one, other) = (server(&url).await, server(&url).await);
    let (store, now) = (&one.app.store, Timestamp::now());
    let (mut channels, mut receivers) = (Vec::new(), Vec::new());
    for number in 0..CHANNELS {
        let told = Told::default();
        let port = syslog(Arc::clone(&told)).await;
        let config = json!({"kind": "syslog", "server": "127.0.0.1", "port": port, "transport": "tcp"});
        let config = serde_json::from_value(config).unwrap();
        let draft = ChannelDraft { name: format!("log {number}"), config, secrets: BTreeMap::new() };
        let id = Uuid::now_v7();
        store.add_channel(id, draft, "the test", now).await.unwrap();
        channels.push(id);
        receivers.push(told);
    }
    let rules = Rules { group_for_ms: 0, most_per_hour: 3_600, ..Rules::default() };
    let subscription = SubscriptionDraft { name: "All".into(), enabled: true, channels, rules };
    store.add_subscription(subscription, "the test", now).await.unwrap();
    for number in 0..EVENTS {
        let store = if number % 2 == 0 { &one.app.store } else { &other.app.store };
        let text = format!("event {number}");
        store.tell(Severity::Warning, "device_new", text, Timestamp::now()).await.unwrap();
        tokio::task::yield_now().await;
    }
    let filter = EventFilter { limit: 1_000, ..EventFilter::default() };
    let events = store.events(&filter).await.unwrap();
    let expected: BTreeSet<String> =
        events.iter().filter(|event| event.kind == "device_new").map(|event| event.id.to_string()).collect();
    assert_eq!(expected.len(), EVENTS);
    let all_are_sent = async {
        let filter = DeliveryFilter { limit: 1_000, ..DeliveryFilter::default() };
        loop {
            let log = store.deliveries(&filter).await.unwrap();
            let told: u64 = log.iter().map(|one| one.events).sum();
            let sent = log.iter().all(|one| one.status == DeliveryStatus::Delivered && one.attempts == 1);
            if sent && told == (CHANNELS * EVENTS) as u64 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    within(all_are_sent).await;
    for told in receivers {
        let told = told.lock().unwrap();
        assert!(told.values().all(|times| *times == 1), "told twice: {told:?}");
        assert_eq!(told.keys().cloned().collect::<BTreeSet<_>>(), expected);
    }
}
