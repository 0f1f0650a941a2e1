//! Channels, subscriptions and deliveries, from the event to whoever is told.

mod receiver;
#[path = "../../../../app/tests/notices/mail.rs"]
mod smtp;

use jiff::Timestamp;
use netwark_model::events::Severity;
use netwark_server::ServerSettings;
use netwark_server::auth::secret_key::SecretKey;
use netwark_store::{Store, StoreOptions};
use serde_json::{Value, json};

use self::receiver::Receiver;
use crate::support::{Answer, TestApp};

/// A server with a key to seal with, and the token of an administrator.
async fn server() -> (TestApp, String) {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/key.db", directory.path().display());
    let store = Store::open(&StoreOptions::new(url)).await.unwrap();
    let key = SecretKey::open(&directory.path().join("secret.key"), &store).await.unwrap();
    let app = TestApp::with(ServerSettings { secret_key: Some(key), ..ServerSettings::default() }).await;
    let admin = app.admin().await;
    (app, admin)
}

fn id(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn hook(app: &TestApp, admin: &str, name: &str, url: &str) -> String {
    let body = json!({"name": name, "config": {"kind": "webhook"}, "secrets": {"url": url}});
    id(&app.ask(admin, "POST", "/channels", &body).await)
}

async fn tell(app: &TestApp, severity: Severity, text: &str) {
    app.app.store.tell(severity, "device_new", text.into(), Timestamp::now()).await.unwrap();
}

/// The deliveries once they are as `enough` says.
async fn log(app: &TestApp, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    loop {
        let log = app.get("/deliveries").await.json();
        let log = log.as_array().unwrap();
        if enough(log) {
            return log.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

fn wrong(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 400, "{}", answer.text);
    let errors = answer.json()["errors"].clone();
    errors.as_array().unwrap().iter().map(|error| error["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    let (app, admin) = server().await;
    let body = json!({
        "name": "On-call mail",
        "config": {
            "kind": "mail", "server": "mail.example.org", "username": "netwark",
            "from": "netwark@example.org", "to": ["noc@example.org"],
        },
        "secrets": {"password": "correct horse"},
    });
    let made = app.ask(&admin, "POST", "/channels", &body).await;
    let place = format!("/channels/{}", id(&made));
    assert!(!made.text.contains("horse"), "{}", made.text);
    assert_eq!(made.json()["secrets"], json!(["password"]));
    let kept = app.app.store.channels().await.unwrap();
    assert!(!format!("{kept:?}").contains("horse"));

    // An operator knows that it is there, and not how it is set up.
    let seen = app.get(&place).await.json();
    assert_eq!((&seen["name"], &seen["kind"]), (&json!("On-call mail"), &json!("mail")));
    assert_eq!(
        (&seen["config"], &seen["secrets"], &seen["error"]),
        (&json!(null), &json!(null), &json!(null))
    );
    assert_eq!(app.ask(&app.token, "PATCH", &place, &json!({"name": "x"})).await.status, 403);
    assert_eq!(app.ask(&app.token, "POST", &format!("{place}/test"), &json!({})).await.status, 403);

    // What is left out stays, and so does the password.
    let renamed = app.ask(&admin, "PATCH", &place, &json!({"name": "Mail"})).await;
    assert_eq!((renamed.status.as_u16(), &renamed.json()["secrets"]), (200, &json!(["password"])));
    let sealed = app.app.store.channels().await.unwrap()[0].secrets.clone();
    let mut config = body["config"].clone();
    config["to"] = json!(["noc@example.org", "anna@example.org"]);
    let changed = app.ask(&admin, "PATCH", &place, &json!({"config": config})).await;
    assert_eq!((changed.status.as_u16(), &changed.json()["secrets"]), (200, &json!(["password"])));

    // It is not shown to another server unless it is given again.
    config["server"] = json!("mail.evil.example");
    let refused = app.ask(&admin, "PATCH", &place, &json!({"config": config})).await;
    assert_eq!(wrong(&refused), ["secrets.password"]);
    assert!(refused.text.contains("mail.evil.example"), "{}", refused.text);
    let given = json!({"config": config, "secrets": {"password": "battery staple"}});
    assert_eq!(app.ask(&admin, "PATCH", &place, &given).await.status, 200);
    assert_ne!(app.app.store.channels().await.unwrap()[0].secrets, sealed);
    let removed = app.ask(&admin, "PATCH", &place, &json!({"secrets": {"password": null}})).await;
    assert_eq!(wrong(&removed), ["secrets.password"]);
    let other = json!({"config": {"kind": "slack"}, "secrets": {"url": "https://hooks.example.org/x"}});
    assert_eq!(wrong(&app.ask(&admin, "PATCH", &place, &other).await), ["config.kind"]);

    assert_eq!(app.ask(&admin, "DELETE", &place, &Value::Null).await.status, 204);
    assert_eq!(app.get(&place).await.status, 404);
}

#[tokio::test]
async fn a_key_to_sign_with_is_made_and_shown_once() {
    let (app, admin) = server().await;
    let receiver = Receiver::start().await;
    let body = json!({
        "name": "Hook", "config": {"kind": "webhook", "sign": true}, "secrets": {"url": receiver.url},
    });
    let made = app.ask(&admin, "POST", "/channels", &body).await;
    let place = format!("/channels/{}", id(&made));
    assert!(made.json()["signing_key"].as_str().unwrap().starts_with("whsec_"), "{}", made.text);
    let seen = app.ask(&admin, "GET", &place, &Value::Null).await;
    assert_eq!(seen.json()["secrets"], json!(["signing_key", "url"]));
    assert!(!seen.text.contains("whsec_"), "{}", seen.text);
    let kept = app.ask(&admin, "PATCH", &place, &json!({"name": "Signed"})).await;
    assert!(!kept.text.contains("whsec_"), "{}", kept.text);
    assert_eq!(
        app.ask(&admin, "POST", &format!("{place}/test"), &Value::Null).await.json()["status"],
        "delivered"
    );
    let (headers, _) = receiver.posted(1).await.remove(0);
    assert!(headers["webhook-signature"].to_str().unwrap().starts_with("v1,"));
    let renewed = app.ask(&admin, "PATCH", &place, &json!({"secrets": {"signing_key": null}})).await;
    assert_ne!(renewed.json()["signing_key"], made.json()["signing_key"]);
    assert!(renewed.json()["signing_key"].is_string(), "{}", renewed.text);
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_field() {
    let (app, admin) = server().await;
    let made = |body: Value| {
        let (app, admin) = (&app, &admin);
        async move { app.ask(admin, "POST", "/channels", &body).await }
    };
    assert_eq!(wrong(&made(json!({})).await), ["name", "config"]);
    let slack = json!({"name": "x", "config": {"kind": "slack"}, "secrets": {"token": "x"}});
    assert_eq!(wrong(&made(slack).await), ["secrets.token", "secrets.url"]);
    let many: serde_json::Map<String, Value> = (0..11).map(|n| (format!("s{n}"), Value::Null)).collect();
    let many = json!({"name": "x", "config": {"kind": "slack"}, "secrets": many});
    assert_eq!(wrong(&made(many).await), ["secrets", "secrets.url"]);
    let hook = json!({"name": "x", "config": {"kind": "webhook"}, "secrets": {"url": "ftp://x/"}});
    assert_eq!(wrong(&made(hook).await), ["secrets.url"]);
    let bad = made(json!({"name": "x", "config": {"kind": "pigeon"}})).await;
    assert_eq!(bad.status, 400, "{}", bad.text);
    let bad = made(json!({"name": "x", "config": {"kind": "slack", "url": "x"}})).await;
    assert_eq!(bad.status, 400, "{}", bad.text);

    let id = self::hook(&app, &admin, "Hook", "http://192.0.2.7/").await;
    let again =
        json!({"name": "hook", "config": {"kind": "webhook"}, "secrets": {"url": "http://192.0.2.7/"}});
    let taken = made(again).await;
    assert_eq!((taken.status.as_u16(), &taken.json()["errors"][0]["name"]), (409, &json!("name")));

    let subscribe = |body: Value| {
        let app = &app;
        async move { app.post("/subscriptions", body.to_string()).await }
    };
    assert_eq!(wrong(&subscribe(json!({})).await), ["name", "channels"]);
    let missing = json!({"name": "x", "channels": ["01933f6e-1234-7abc-8def-0123456789ab"]});
    assert_eq!(wrong(&subscribe(missing).await), ["channels"]);
    let late = json!({"name": "x", "channels": [id], "quiet_hours": {"from": "25:00", "to": "07:00"}});
    let late = subscribe(late).await;
    assert!(late.status == 400 && late.text.contains("from 00:00 to 23:59"), "{}", late.text);
    assert_eq!(wrong(&app.get("/deliveries?status=lost").await), ["status"]);
    assert_eq!(wrong(&app.get("/deliveries?per_page=0").await), ["per_page"]);
}

#[tokio::test]
async fn an_event_reaches_who_has_subscribed() {
    let (app, admin) = server().await;
    let receiver = Receiver::start().await;
    let channel = hook(&app, &admin, "Hook", &receiver.url).await;
    tell(&app, Severity::Alert, "nobody listened").await;
    let body = json!({"name": "All", "channels": [channel], "group_for_ms": 0});
    let subscription = id(&app.post("/subscriptions", body.to_string()).await);
    let place = format!("/subscriptions/{subscription}");
    assert_eq!(app.get(&place).await.json()["severities"], json!(["warning", "alert"]));
    tell(&app, Severity::Info, "not wanted").await;
    tell(&app, Severity::Warning, "New station <b>192.0.2.7</b>").await;

    let (headers, body) = receiver.posted(1).await.remove(0);
    let text = body.to_string();
    assert!(text.contains("New station <b>192.0.2.7</b>"), "{text}");
    assert!(!text.contains("not wanted") && !text.contains("nobody listened"), "{text}");
    let done = log(&app, |log| log.first().is_some_and(|first| first["status"] == "delivered")).await;
    assert_eq!(
        (done.len(), &done[0]["channel"], &done[0]["subscription"]),
        (1, &json!("Hook"), &json!("All"))
    );
    assert_eq!(headers["webhook-id"], done[0]["id"].as_str().unwrap());
    assert_eq!((&done[0]["events"], &done[0]["attempts"]), (&json!(1), &json!(1)));
    let again = app.post(&format!("/deliveries/{}/retry", done[0]["id"].as_str().unwrap()), "").await;
    assert_eq!(again.status, 409, "{}", again.text);

    let preview = json!({"severities": [], "group_for_ms": 60_000}).to_string();
    let preview = app.post("/subscriptions/preview", preview).await.json();
    assert_eq!((&preview["events"], &preview["notices"]), (&json!(3), &json!(1)), "{preview}");
    assert_eq!(preview["latest"][0]["text"], "New station <b>192.0.2.7</b>");

    let off = app.ask(&app.token, "PATCH", &place, &json!({"enabled": false})).await;
    assert_eq!((off.status.as_u16(), &off.json()["enabled"]), (200, &json!(false)));
    assert_eq!(app.ask(&app.token, "DELETE", &place, &Value::Null).await.status, 204);
    assert_eq!(app.get("/subscriptions").await.json(), json!([]));
}

/// Events of the storm.
const STORM: usize = 5_000;

#[tokio::test]
async fn a_storm_is_one_mail_and_one_request() {
    let (app, admin) = server().await;
    let receiver = Receiver::start().await;
    receiver.answers([503]);
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mut mails = smtp::MailServer::start(port).await;
    let mail = json!({"name": "Mail", "config": {
        "kind": "mail", "server": "127.0.0.1", "port": port, "security": "none",
        "from": "netwark@example.org", "to": ["noc@example.org"],
    }});
    let mail = id(&app.ask(&admin, "POST", "/channels", &mail).await);
    let hook = hook(&app, &admin, "Hook", &receiver.url).await;
    // It gathers until the last of them is there.
    let body = json!({"name": "All", "channels": [mail, hook], "group_for_ms": 3_600_000});
    let subscription = id(&app.post("/subscriptions", body.to_string()).await);
    let mut telling = tokio::task::JoinSet::new();
    for number in 0..STORM {
        let store = app.app.store.clone();
        let severity = if number == STORM / 2 { Severity::Alert } else { Severity::Warning };
        telling.spawn(async move {
            let text = format!("event {number}.");
            store.tell(severity, "device_new", text, Timestamp::now()).await.unwrap();
        });
    }
    telling.join_all().await;
    let all = |log: &[Value]| log.len() == 2 && log.iter().all(|one| one["events"] == STORM);
    let gathering = log(&app, all).await;
    assert!(gathering.iter().all(|one| one["status"] == "gathering"), "{gathering:?}");
    let place = format!("/subscriptions/{subscription}");
    app.ask(&app.token, "PATCH", &place, &json!({"group_for_ms": 0})).await;

    let done = |log: &[Value]| log.iter().all(|one| one["status"] == "delivered");
    assert_eq!(log(&app, done).await.len(), 2);
    let posted = receiver.posted(2).await;
    assert_eq!((posted.len(), &posted[0].1), (2, &posted[1].1), "refused once, and then as before");
    let data = &posted[1].1["data"];
    assert_eq!((&data["count"], &data["more"]), (&json!(STORM), &json!(STORM - 100)));
    assert!(data["headline"].as_str().unwrap().contains(&format!("event {}.", STORM / 2)), "{data}");
    let mail = mails.mail().await;
    let subject = mail["headers"]["subject"].as_str().unwrap();
    assert!(subject.contains("Alert: 5000 events"), "{subject}");
    assert!(mail["plain"].as_str().unwrap().contains("4900"), "{mail}");
}

#[tokio::test]
async fn a_channel_that_refuses_now_and_then_loses_nothing() {
    let (app, admin) = server().await;
    let receiver = Receiver::start().await;
    receiver.answers([503, 503, 503, 200, 503]);
    let channel = hook(&app, &admin, "Hook", &receiver.url).await;
    let body = json!({"name": "All", "channels": [channel], "group_for_ms": 0});
    id(&app.post("/subscriptions", body.to_string()).await);
    tell(&app, Severity::Warning, "event 0").await;
    receiver.posted(1).await;
    for number in 1..=20 {
        tell(&app, Severity::Warning, &format!("event {number}")).await;
    }
    let done = log(&app, |log| log.len() == 2 && log.iter().all(|one| one["status"] == "delivered")).await;
    assert_eq!((&done[0]["events"], &done[1]["events"]), (&json!(20), &json!(1)), "the others gathered");
    assert_eq!((&done[0]["attempts"], &done[1]["attempts"]), (&json!(2), &json!(4)));
    let posted = receiver.posted(6).await;
    let keys: Vec<&str> = posted.iter().map(|(headers, _)| headers["webhook-id"].to_str().unwrap()).collect();
    let (first, second) = (done[1]["id"].as_str().unwrap(), done[0]["id"].as_str().unwrap());
    assert_eq!(keys, [first, first, first, first, second, second], "in order, each under one key");
    assert_eq!(posted[0].1, posted[3].1, "and with the same words");
    let text = posted[5].1.to_string();
    let places: Vec<usize> =
        (1..=20).map(|number| text.find(&format!("event {number}\"")).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
    let events = app.get("/events?kind=channel_failing,channel_ok").await.json();
    let kinds: Vec<&str> =
        events.as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["channel_ok", "channel_failing"]);
}

#[tokio::test]
async fn what_is_refused_for_good_can_be_sent_again() {
    let (app, admin) = server().await;
    let receiver = Receiver::start().await;
    receiver.answers([401]);
    let channel = hook(&app, &admin, "Hook", &receiver.url).await;
    let body = json!({"name": "All", "channels": [channel], "group_for_ms": 0});
    id(&app.post("/subscriptions", body.to_string()).await);
    tell(&app, Severity::Warning, "one").await;
    let dead = log(&app, |log| log.first().is_some_and(|first| first["status"] == "dead")).await;
    assert!(dead[0]["error"].as_str().unwrap().contains("401"), "{dead:?}");
    let place = format!("/channels/{channel}/deliveries?status=dead");
    assert_eq!(app.get(&place).await.json().as_array().unwrap().len(), 1);
    let again = app.post(&format!("/deliveries/{}/retry", dead[0]["id"].as_str().unwrap()), "").await;
    assert_eq!(again.status, 200, "{}", again.text);
    let all = app.post(&format!("/channels/{channel}/retry"), "").await;
    assert!(all.json()["notices"].as_u64().unwrap() <= 1, "{}", all.text);
    log(&app, |log| log[0]["status"] == "delivered").await;
    let posted = receiver.posted(2).await;
    assert_eq!(posted[0].0["webhook-id"], posted[1].0["webhook-id"]);
    assert_eq!(posted[0].1, posted[1].1);
}

#[tokio::test]
async fn a_channel_can_be_tried_out() {
    let (app, admin) = server().await;
    let receiver = Receiver::start().await;
    receiver.answers([200, 500]);
    let channel = hook(&app, &admin, "Hook", &receiver.url).await;
    let place = format!("/channels/{channel}/test");
    let well = app.ask(&admin, "POST", &place, &Value::Null).await;
    assert_eq!((well.status.as_u16(), &well.json()["status"]), (200, &json!("delivered")), "{}", well.text);
    assert!(well.json()["answer"].as_str().unwrap().contains("heard"), "{}", well.text);
    let badly = app.ask(&admin, "POST", &place, &Value::Null).await.json();
    assert_eq!((&badly["status"], &badly["test"]), (&json!("dead"), &json!(true)));
    assert!(badly["error"].as_str().unwrap().contains("500"), "{badly}");
    let again = app.post(&format!("/deliveries/{}/retry", badly["id"].as_str().unwrap()), "").await;
    assert_eq!(again.status, 409, "{}", again.text);
    assert_eq!(app.get("/deliveries").await.json().as_array().unwrap().len(), 2);
    let state = app.ask(&admin, "GET", &format!("/channels/{channel}"), &Value::Null).await.json();
    assert_eq!((&state["failures"], &state["failing"]), (&json!(0), &json!(false)));
    assert!(state["delivered_at"].is_string());
    let missing = format!("/channels/{}/test", uuid::Uuid::nil());
    assert_eq!(app.ask(&admin, "POST", &missing, &Value::Null).await.status, 404);
}
