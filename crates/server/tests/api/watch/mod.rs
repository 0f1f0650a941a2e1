//! Networks, devices, the access list and the timeline, with sweeps told as a worker would.

mod access;
mod bad;
mod offers;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use netwark_model::assignments::StreamReport;
use netwark_model::messages::{News, Order};
use netwark_model::watch::order::SweepOrder;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, TestApp, TestWorker};

/// A worker that holds one network.
struct Site {
    worker: TestWorker,
    stream: Uuid,
    epoch: u64,
    sequence: u64,
}

impl Site {
    /// Makes a network and takes its order.
    async fn new(test: &TestApp, name: &str) -> (Self, String) {
        let mut worker = TestWorker::new(test, &format!("{name}-1")).await;
        let body = json!({ "name": name, "prefixes": ["192.0.2.0/24"], "from": format!("worker:{name}-1") });
        let made = test.post("/networks", body.to_string()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let network = made.json()["id"].as_str().unwrap().to_owned();
        let (stream, epoch) = Self::order(&mut worker).await;
        (Self { worker, stream, epoch, sequence: 0 }, network)
    }

    /// The order it is told to hold.
    async fn order(worker: &mut TestWorker) -> (Uuid, u64) {
        loop {
            if let Order::Assign(change) = worker.order().await
                && let Some(held) = change.held.first()
            {
                let order: SweepOrder = serde_json::from_value(held.body.clone()).unwrap();
                assert_eq!((held.kind.as_str(), order.prefixes.len()), ("sweep", 1));
                return (held.id, held.epoch);
            }
        }
    }

    /// Tells of a sweep that ended so many seconds ago and saw these.
    async fn sweep(&mut self, ago: i64, seen: &[(&str, &str)]) {
        self.sequence += 1;
        let at = |more: i64| Timestamp::now() - SignedDuration::from_secs(ago + more);
        let sightings: Vec<Value> = seen
            .iter()
            .map(|(mac, address)| json!({ "at": at(1), "address": address, "mac": mac, "source": "arp" }))
            .collect();
        let body = json!({
            "what": "sweep", "sweep": Uuid::now_v7(), "started_at": at(2), "ended_at": at(0), "complete": true,
            "part": 1, "parts": 1, "probed": 254, "sightings": sightings,
        });
        let (stream, epoch, sequence) = (self.stream, self.epoch, self.sequence);
        let report = StreamReport { stream, epoch, sequence, at_ms: 0, body };
        self.worker.report(News::Stream(report)).await.unwrap();
    }
}

const PRINTER: (&str, &str) = ("00:00:5e:00:53:01", "192.0.2.1");
const PHONE: (&str, &str) = ("02:00:5e:00:53:02", "192.0.2.2");

async fn list(test: &TestApp, path: &str) -> Vec<Value> {
    let answer = test.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.json().as_array().unwrap().clone()
}

async fn send(test: &TestApp, method: &str, path: &str, body: &Value) -> Answer {
    test.ask(&test.token, method, path, body).await
}

#[tokio::test]
async fn a_network_becomes_devices_events_and_a_plan() {
    let test = TestApp::new().await;
    let (mut site, network) = Site::new(&test, "office").await;
    site.sweep(3, &[PRINTER, PHONE]).await;
    let devices = list(&test, "/devices?sort=address").await;
    assert_eq!(devices.len(), 2);
    assert_eq!((&devices[0]["label"], &devices[0]["presence"]), (&json!("192.0.2.1"), &json!("up")));
    assert_eq!((&devices[1]["random_mac"], &devices[1]["type"]), (&json!(true), &json!("mobile")));
    assert_eq!(devices[0]["vendor"], "ICANN, IANA Department");
    let shown = test.get(&format!("/networks/{network}")).await.json();
    assert_eq!(
        (&shown["status"], &shown["up"], &shown["worker"]),
        (&json!("active"), &json!(2), &json!("office-1"))
    );
    assert_eq!(list(&test, &format!("/networks/{network}/sweeps")).await[0]["hosts"], 2);
    let plan = list(&test, &format!("/networks/{network}/addresses?prefix=192.0.2.0/31")).await;
    assert_eq!(
        (plan.len(), &plan[0]["address"], &plan[0]["access"]),
        (1, &json!("192.0.2.1"), &json!("unknown"))
    );

    let path = format!("/events?network={network}&kind=device_new,device_down");
    let events = list(&test, &path).await;
    assert_eq!(
        (events.len(), &events[0]["severity"], &events[0]["network"]),
        (2, &json!("warning"), &json!("office"))
    );
    let id = &events[0]["id"];
    let seen = send(&test, "POST", "/events/acknowledge", &json!({ "ids": [id] })).await;
    assert_eq!(seen.json()["changed"], 1);
    assert_eq!(list(&test, "/events?acknowledged=true").await[0]["id"], *id);
    let csv = test.get(&format!("/events.csv?network={network}&kind=device_new")).await;
    assert_eq!(csv.text.lines().count(), 3);
    assert!(csv.text.starts_with("at,severity,kind,network,device,worker,text,acknowledged_by\r\n"));

    let counted = test.get("/stats/events").await.json();
    assert_eq!((&counted["total"]["warning"], counted["days"].as_array().unwrap().len()), (&json!(2), 7));
    assert_eq!(counted["busiest"].as_array().unwrap().len(), 2);
    let tally = test.get("/stats/devices").await.json();
    assert_eq!((&tally["types"][0]["number"], tally["newcomers"].as_array().unwrap().len()), (&json!(1), 7));
}

#[tokio::test]
async fn a_network_is_changed_stopped_and_deleted() {
    let test = TestApp::new().await;
    let (mut site, network) = Site::new(&test, "office").await;
    site.sweep(3, &[PRINTER]).await;
    let path = format!("/networks/{network}");
    let changed = send(
        &test,
        "PATCH",
        &path,
        &json!({ "interval_ms": 60_000, "severities": { "known_down": "alert" } }),
    )
    .await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
    assert_eq!(changed.json()["severities"], json!({ "known_down": "alert" }));
    let (stream, epoch) = Site::order(&mut site.worker).await;
    assert_eq!((stream, epoch), (site.stream, site.epoch + 1), "its worker learns of it");

    let asked = send(&test, "POST", &format!("{path}/sweeps"), &Value::Null).await;
    assert_eq!((asked.status, &asked.json()["worker"]), (StatusCode::ACCEPTED, &json!("office-1")));
    loop {
        if let Order::Now { assignment_id } = site.worker.order().await {
            assert_eq!(assignment_id, site.stream);
            break;
        }
    }
    let stopped = send(&test, "POST", &format!("{path}/stop"), &Value::Null).await.json();
    assert_eq!((&stopped["status"], &stopped["up"]), (&json!("stopped"), &json!(0)));
    assert_eq!(list(&test, "/devices").await[0]["presence"], "unknown");
    let asked = send(&test, "POST", &format!("{path}/sweeps"), &Value::Null).await;
    assert_eq!(asked.status, StatusCode::CONFLICT);
    let started = send(&test, "POST", &format!("{path}/start"), &Value::Null).await.json();
    assert_eq!(started["running"], true);

    let goes = send(&test, "DELETE", &format!("{path}?dry_run=true"), &Value::Null).await.json();
    assert_eq!((&goes["deleted"], &goes["devices"], &goes["sweeps"]), (&json!(false), &json!(1), &json!(1)));
    let gone = send(&test, "DELETE", &path, &Value::Null).await.json();
    assert_eq!((&gone["deleted"], &gone["history_kept"]), (&json!(true), &json!(false)));
    assert!(list(&test, "/networks").await.is_empty() && list(&test, "/devices").await.is_empty());
    assert_eq!(test.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_device_is_named_merged_split_and_deleted() {
    let test = TestApp::new().await;
    let (mut site, _) = Site::new(&test, "office").await;
    site.sweep(3, &[PRINTER, PHONE]).await;
    let devices = list(&test, "/devices?sort=address").await;
    let (one, two) = (devices[0]["id"].as_str().unwrap(), devices[1]["id"].as_str().unwrap());
    let path = format!("/devices/{one}");
    let changes = json!({
        "name": "Printer 2nd floor", "type": "printer", "tags": ["floor-2"], "criticality": "high", "severities": { "down": "alert" },
    });
    let changed = send(&test, "PATCH", &path, &changes).await.json();
    assert_eq!((&changed["label"], &changed["type_is_set"]), (&json!("Printer 2nd floor"), &json!(true)));
    assert_eq!(list(&test, "/devices?tag=floor-2&type=printer&criticality=high&q=2nd").await.len(), 1);
    let history = list(&test, &format!("{path}/history")).await;
    assert!(
        history
            .iter()
            .any(|change| change["field"] == "name"
                && change["source"].as_str().unwrap().starts_with("token "))
    );
    assert_eq!(list(&test, &format!("{path}/presence")).await.len(), 1);

    let merged = send(&test, "POST", &format!("{path}/merge"), &json!({ "devices": [two] })).await.json();
    assert_eq!(merged["macs"].as_array().unwrap().len(), 2);
    let interfaces = merged["interfaces"].as_array().unwrap();
    let phone = interfaces.iter().find(|one| one["mac"] == PHONE.0).unwrap()["id"].clone();
    let split = send(&test, "POST", &format!("{path}/split"), &json!({ "interfaces": [phone] })).await;
    assert_eq!(split.status, StatusCode::CREATED, "{}", split.text);
    let again = send(&test, "POST", &format!("{path}/split"), &json!({ "interfaces": [phone] })).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert_eq!(again.json()["errors"][0]["name"], "interfaces", "{}", again.text);
    let nobody = send(&test, "POST", &format!("{path}/merge"), &json!({ "devices": [Uuid::nil()] })).await;
    assert_eq!(
        (nobody.status, &nobody.json()["errors"][0]["name"]),
        (StatusCode::CONFLICT, &json!("devices"))
    );
    assert_eq!(send(&test, "DELETE", &path, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(test.get(&path).await.status, StatusCode::NOT_FOUND);
    assert!(list(&test, "/devices/types").await.contains(&json!("printer")));
}

#[tokio::test]
async fn who_follows_the_timeline_hears_of_news() {
    let test = TestApp::new().await;
    let (mut site, _) = Site::new(&test, "office").await;
    let request = Request::get("/api/v1/events/stream").body(Body::empty()).unwrap();
    let heard = test.events(request, |events| events.iter().any(|(kind, ..)| kind == "events"));
    let (heard, ()) = tokio::join!(heard, async {
        // Who listens too late hears it by the next look.
        site.sweep(3, &[PRINTER]).await;
        site.sweep(2, &[PRINTER, PHONE]).await;
    });
    assert!(heard[0].2["latest"].is_string());
}
