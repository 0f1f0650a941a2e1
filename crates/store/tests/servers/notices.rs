//! Several servers that tell, gather and send at the same time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use netwark_model::events::Severity;
use netwark_model::subscriptions::Rules;
use netwark_store::channels::{ChannelDraft, Outcome, SubscriptionDraft, Tried};
use netwark_store::{Store, StoreError};
use serde_json::json;
use uuid::Uuid;

use super::{open, support};

const EVENTS: usize = 300;

/// Tells of some events, with others between those of other servers.
async fn tell(store: &Store, server: usize) {
    for n in 0..EVENTS {
        let text = format!("{server} {n}");
        store.tell(Severity::Alert, "device_new", text, Timestamp::now()).await.unwrap();
    }
}

/// Whether it is worth looking again: who meets another server is told so.
fn passing<T: Default>(done: Result<T, StoreError>) -> T {
    match done {
        Ok(done) => done,
        Err(error) if error.is_temporary() => T::default(),
        Err(error) => panic!("{error}"),
    }
}

/// What a notice has said.
#[derive(Clone, Debug, PartialEq)]
struct Sent {
    texts: Vec<String>,
    more: u64,
}

/// Gathers and sends until everybody has told everything and nothing waits; what it has sent, in its order.
async fn send(store: &Store, channel: Uuid, told: &AtomicBool) -> Vec<(Uuid, Sent)> {
    let mut sent = Vec::new();
    loop {
        let all_told = told.load(Ordering::SeqCst);
        let now = Timestamp::now();
        let noticed = passing(store.notice_events(&TimeZone::UTC, now).await);
        let until = now + SignedDuration::from_mins(2);
        let claimed = passing(store.claim_notice(channel, &TimeZone::UTC, until, now).await);
        if let Some(claimed) = claimed {
            let texts = claimed.gathered.events.iter().map(|event| event.text.clone()).collect();
            sent.push((claimed.delivery.id, Sent { texts, more: claimed.gathered.more }));
            let tried = Tried { claim: claimed.claim, channel, delivery: claimed.delivery.id };
            // Every other try fails once.
            let next_at = Timestamp::now();
            let outcome = match claimed.delivery.attempts {
                0 if sent.len().is_multiple_of(2) => Outcome::Later { error: "busy".into(), next_at },
                _ => Outcome::Delivered { answer: "ok".into() },
            };
            assert!(store.finish_try(tried, outcome, Timestamp::now()).await.unwrap().noted);
        } else if all_told && noticed == 0 && store.notices_waiting().await.unwrap() == 0 {
            return sent;
        } else {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_servers_send_every_event_once() {
    let Some(url) = support::postgres_url().await else { return };
    let servers = Arc::new([open(&url).await, open(&url).await, open(&url).await]);
    let channel = Uuid::now_v7();
    let config = serde_json::from_value(json!({"kind": "slack"})).unwrap();
    let draft = ChannelDraft { name: "chat".into(), config, secrets: BTreeMap::new() };
    servers[0].add_channel(channel, draft, "user admin", Timestamp::now()).await.unwrap();
    let rules = Rules { group_for_ms: 0, most_per_hour: 3600, ..Rules::default() };
    let draft = SubscriptionDraft { name: "all".into(), enabled: true, channels: vec![channel], rules };
    servers[0].add_subscription(draft, "user admin", Timestamp::now()).await.unwrap();

    let told = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..3)
        .map(|n| {
            let (servers, told) = (Arc::clone(&servers), Arc::clone(&told));
            tokio::spawn(async move { send(&servers[n], channel, &told).await })
        })
        .collect();
    join_all(servers.iter().enumerate().map(|(n, store)| tell(store, n))).await;
    told.store(true, Ordering::SeqCst);
    let mut by_notice: BTreeMap<Uuid, Sent> = BTreeMap::new();
    for sender in senders {
        for (notice, sent) in sender.await.unwrap() {
            let before = by_notice.entry(notice).or_insert_with(|| sent.clone());
            assert_eq!(*before, sent, "a notice says the same at every try");
        }
    }
    let more: u64 = by_notice.values().map(|sent| sent.more).sum();
    let all: Vec<String> = by_notice.into_values().flat_map(|sent| sent.texts).collect();
    assert_eq!(all.len() as u64 + more, 3 * EVENTS as u64, "each once");
    for server in 0..3 {
        let mark = format!("{server} ");
        let its: Vec<usize> = all.iter().filter_map(|text| text.strip_prefix(&mark)?.parse().ok()).collect();
        assert!(its.is_sorted_by(|one, next| one < next), "in the order in which they happened: {its:?}");
    }
}
