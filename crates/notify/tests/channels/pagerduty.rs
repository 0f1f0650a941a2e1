//! Alerts of PagerDuty that end by themselves, and what is sent again after half of it was taken.

use netwark_model::channels::{ChannelConfig, Notice, Secrets};
use netwark_model::events::{Event, Severity};
use netwark_notify::FailureKind;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::receiver::{Receiver, Reply};
use crate::setting::{config, event, notice, secrets, sender};

fn yes() -> Reply {
    Reply::new(202, r#"{"status": "success", "message": "Event processed"}"#)
}

fn at(receiver: &Receiver) -> (ChannelConfig, Secrets) {
    let config = config(json!({"kind": "pagerduty", "server": receiver.url()}));
    (config, secrets(&[("key", "s3cret-t0ken")]))
}

fn turn(kind: &str, severity: Severity, worker: u128) -> Event {
    Event { kind: kind.into(), worker_id: Some(Uuid::from_u128(worker)), ..event(severity, kind) }
}

fn of(events: Vec<Event>) -> Notice {
    Notice { key: Uuid::now_v7(), events, more: 0, worst: Severity::Warning, ..notice() }
}

fn told(receiver: &Receiver) -> Vec<(Value, Value)> {
    let bodies = receiver.received().into_iter().map(|got| got.json());
    bodies.map(|body| (body["event_action"].clone(), body["dedup_key"].clone())).collect()
}

#[tokio::test]
async fn an_alert_ends_when_the_worker_is_back() {
    let receiver = Receiver::start([yes(), yes()]).await;
    let (config, secrets) = at(&receiver);
    let down = of(vec![turn("worker_offline", Severity::Warning, 7)]);
    sender().deliver(&config, &secrets, &down).await.unwrap();
    let up = of(vec![turn("worker_online", Severity::Ok, 7)]);
    sender().deliver(&config, &secrets, &up).await.unwrap();
    let told = told(&receiver);
    assert_eq!((&told[0].0, &told[1].0), (&json!("trigger"), &json!("resolve")));
    assert_eq!(told[0].1, told[1].1, "the same alert");
    let over = receiver.received()[1].json();
    assert_eq!(over.as_object().unwrap().len(), 3, "{over}");
}

#[tokio::test]
async fn what_was_taken_by_half_is_sent_again_as_it_was() {
    let busy = Reply::new(429, "busy");
    let receiver = Receiver::start([yes(), busy, yes(), yes(), yes()]).await;
    let (config, secrets) = at(&receiver);
    let both = [("worker_offline", Severity::Warning, 1), ("worker_offline", Severity::Warning, 2)];
    let mut events: Vec<Event> = both.map(|(kind, severity, worker)| turn(kind, severity, worker)).into();
    events.push(turn("worker_online", Severity::Ok, 3));
    let notice = of(events);
    let failure = sender().deliver(&config, &secrets, &notice).await.unwrap_err();
    assert!(matches!(failure.kind, FailureKind::Later { .. }), "{failure}");
    sender().deliver(&config, &secrets, &notice).await.unwrap();
    let told = told(&receiver);
    assert_eq!(told.len(), 5);
    assert_eq!(told[..2], told[2..4], "the same keys again");
    assert_eq!(told[4].0, "resolve");
}
