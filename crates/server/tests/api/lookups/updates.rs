//! Data that updates bring while the server runs.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use netwark_lookup::fetch::Location;
use netwark_lookup::geoip::{GeoFiles, Provider};
use netwark_lookup::oui::{Ieee, NAME, Registry, Table};
use netwark_lookup::update::{Asked, State, directory, update};
use netwark_server::ServerSettings;
use netwark_server::auth::secret_key::SecretKey;
use netwark_server::lookups::LookupSettings;
use netwark_server::lookups::updates::Scheduled;
use netwark_server::lookups::updates::account;
use netwark_store::{Store, StoreOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::TestApp;

async fn server(data_dir: &Path, mirror: &Path, schedule: &str) -> TestApp {
    server_from(data_dir, Location::File(mirror.to_owned()), schedule).await
}

async fn server_from(data_dir: &Path, mirror: Location, schedule: &str) -> TestApp {
    let source = Ieee::source(Some(mirror));
    let updates = vec![Scheduled { source, schedule: schedule.parse().unwrap() }];
    let lookups =
        LookupSettings { data_dir: Some(data_dir.to_owned()), updates, ..LookupSettings::default() };
    TestApp::with(ServerSettings { lookups, ..ServerSettings::default() }).await
}

/// The file of all medium blocks, and one more.
fn write_medium(directory: &TempDir) {
    let mut text = String::from("Registry,Assignment,Organization Name,Organization Address\n");
    text += "MA-M,0000001,Netwark Test,Here\n";
    for entry in Table::built_in().iter().filter(|entry| entry.registry == Registry::MaM) {
        text += &format!("MA-M,{},\"{}\",\n", entry.assignment(), entry.name.replace('"', "\"\""));
    }
    std::fs::write(directory.path().join("mam.csv"), text).unwrap();
}

/// What the API answers once it says so.
async fn until(app: &TestApp, path: &str, enough: impl Fn(&Value) -> bool) -> Value {
    loop {
        let answer = app.get(path).await.json();
        if enough(&answer) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_another_process_brings_is_taken_over() {
    let (data, mirror) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_medium(&mirror);
    let app = server(data.path(), mirror.path(), "off").await;
    let before = app.get("/updates").await.json();
    assert_eq!((&before[0]["name"], &before[0]["updated"]), (&"oui".into(), &false.into()));
    assert_eq!((&before[0]["date"], &before[0]["next_at"]), (&"2026-08-26".into(), &Value::Null));
    assert!(app.get("/mac-oui/00:00:00:1f:ff:ff").await.json()["orgname"] != "Netwark Test");

    let from = Some(Location::File(mirror.path().join("mam.csv")));
    update(&Ieee::source(None), data.path(), &Asked { from, dry_run: false }).await.unwrap();
    until(&app, "/mac-oui/00:00:00:1f:ff:ff", |answer| answer["orgname"] == "Netwark Test").await;
    let after = app.get("/updates").await.json();
    assert_eq!((&after[0]["updated"], &after[0]["changes"]["added"]), (&true.into(), &1.into()));
    assert_eq!(after[0]["failure"], Value::Null);
}

#[tokio::test]
async fn what_is_due_is_fetched_and_a_failure_is_an_event() {
    let (data, mirror) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(mirror.path().join("oui.csv"), "<html>").unwrap();
    let place = directory(data.path(), NAME);
    std::fs::create_dir_all(&place).unwrap();
    State { checked_at: Some(Timestamp::UNIX_EPOCH), ..State::default() }.write(&place).unwrap();
    let app = server(data.path(), mirror.path(), "daily").await;
    let events = until(&app, "/events", |events| events[0]["kind"] == "data_update_failed").await;
    assert_eq!(events[0]["severity"], "warning");
    let text = events[0]["text"].as_str().unwrap();
    assert!(text.contains("MAC vendors") && text.contains("it does not begin with Registry"), "{text}");
    let status = app.get("/updates").await.json();
    assert_eq!(status[0]["failure"]["attempts"], 1);
    assert_eq!(status[0]["schedule"], "daily");
    let next: Timestamp = status[0]["next_at"].as_str().unwrap().parse().unwrap();
    let failed: Timestamp = status[0]["failure"]["at"].as_str().unwrap().parse().unwrap();
    assert!(next > failed);
    assert_eq!(app.get("/mac-oui/00000c").await.json()["orgname"], "Cisco Systems, Inc");
}

#[tokio::test]
async fn an_administrator_fetches_now_and_reads_the_end_in_the_timeline() {
    let (data, mirror) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_medium(&mirror);
    std::fs::copy(mirror.path().join("mam.csv"), data.path().join("mam.csv")).unwrap();
    let app = server(data.path(), &data.path().join("mam.csv"), "off").await;
    let admin = app.admin().await;
    assert_eq!(app.get("/updates").await.json()[0]["run"], Value::Null);
    assert_eq!(app.post("/updates/oui", "").await.status, 403, "an operator may not");
    assert_eq!(app.ask(&admin, "POST", "/updates/cats", &Value::Null).await.status, 404);

    let begun = app.ask(&admin, "POST", "/updates/oui", &Value::Null).await;
    assert_eq!(begun.status, 202, "{}", begun.text);
    assert!(begun.json()["run"]["by"].as_str().unwrap().starts_with("token admin-"), "{}", begun.text);
    let ended = until(&app, "/updates", |all| !all[0]["run"]["ended_at"].is_null()).await;
    assert_eq!((&ended[0]["run"]["state"], &ended[0]["changes"]["added"]), (&"updated".into(), &1.into()));
    assert_eq!(app.get("/mac-oui/00:00:00:1f:ff:ff").await.json()["orgname"], "Netwark Test");
    let events = until(&app, "/events", |events| events[0]["kind"] == "data_updated").await;
    let text = events[0]["text"].as_str().unwrap();
    assert!(text.contains("MAC vendors were updated, as token admin-"), "{text}");

    // What brought nothing new is told too, since somebody waits for it.
    app.ask(&admin, "POST", "/updates/oui", &Value::Null).await;
    let events = until(&app, "/events", |events| events[0]["text"] != text).await;
    assert!(events[0]["text"].as_str().unwrap().ends_with("asked: nothing is new"), "{}", events[0]);
    std::fs::write(data.path().join("mam.csv"), "<html>").unwrap();
    app.ask(&admin, "POST", "/updates/oui", &Value::Null).await;
    let events = until(&app, "/events", |events| events[0]["kind"] == "data_update_failed").await;
    assert_eq!(events[0]["severity"], "warning");
    let failed = app.get("/updates").await.json();
    assert_eq!(failed[0]["run"]["state"], "failed");
    assert!(failed[0]["run"]["detail"].as_str().unwrap().ends_with("what was there stays"), "{failed}");
}

#[tokio::test]
async fn one_update_of_a_source_waits_for_nobody_but_itself() {
    let data = tempfile::tempdir().unwrap();
    // A mirror that accepts and says nothing, so that the update stays under way.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mirror = format!("http://{}/mam.csv", silent.local_addr().unwrap()).parse().unwrap();
    let app = server_from(data.path(), mirror, "off").await;
    let admin = app.admin().await;
    assert_eq!(app.ask(&admin, "POST", "/updates/oui", &Value::Null).await.status, 202);
    let again = app.ask(&admin, "POST", "/updates/oui", &Value::Null).await;
    assert_eq!(
        (again.status.as_u16(), again.json()["title"].as_str()),
        (409, Some("Something stands in the way"))
    );
}

async fn with_accounts(data: &TempDir, provider: Provider) -> (TestApp, SecretKey) {
    let url = format!("sqlite://{}/key.db", data.path().display());
    let store = Store::open(&StoreOptions::new(url)).await.unwrap();
    let secret_key = SecretKey::open(&data.path().join("secret.key"), &store).await.unwrap();
    let schedule = "off".parse().unwrap();
    let updates = vec![
        Scheduled { source: Ieee::source(None), schedule },
        Scheduled { source: GeoFiles::source(provider, None), schedule },
    ];
    let lookups =
        LookupSettings { data_dir: Some(data.path().to_owned()), updates, ..LookupSettings::default() };
    let settings =
        ServerSettings { lookups, secret_key: Some(secret_key.clone()), ..ServerSettings::default() };
    (TestApp::with(settings).await, secret_key)
}

#[tokio::test]
async fn an_account_is_sealed_and_its_key_never_told() {
    let data = tempfile::tempdir().unwrap();
    let (app, secret_key) = with_accounts(&data, Provider::DbIp).await;
    let admin = app.admin().await;
    let place = "/updates/geoip/account";
    let before = app.get("/updates").await.json();
    assert_eq!(before[0]["account"], Value::Null);
    assert_eq!(
        (&before[1]["account"]["number"], &before[1]["account"]["stored"]),
        (&Value::Null, &false.into())
    );

    let given = json!({ "number": "4711", "key": "hush-hush" });
    assert_eq!(app.ask(&app.token, "PUT", place, &given).await.status, 403);
    let told = app.ask(&admin, "PUT", place, &given).await;
    assert_eq!(told.status, 200, "{}", told.text);
    assert_eq!(
        told.json()["account"],
        json!({ "provider": "MaxMind, for GeoLite2", "number": "4711", "stored": true })
    );
    assert!(!told.text.contains("hush") && !app.get("/updates").await.text.contains("hush"));
    let stored = app.app.store.setting("updates.geoip.account").await.unwrap().unwrap();
    assert!(stored.contains("4711") && !stored.contains("hush"), "{stored}");

    let source = GeoFiles::source(Provider::DbIp, None);
    let applied = account::with_stored(&app.app.store, Some(&secret_key), &source).await.unwrap();
    let from = applied.parts()[0].locations[0].to_string();
    assert!(from.starts_with("https://download.maxmind.com/"), "{from}");
    // The key of one account does not open beside the number of another.
    let other = stored.replace("4711", "4712");
    app.app.store.replace_setting("updates.geoip.account", &other).await.unwrap();
    let wrong = account::with_stored(&app.app.store, Some(&secret_key), &source).await.unwrap_err();
    assert!(wrong.to_string().contains("give it again"), "{wrong}");

    let forgotten = app.ask(&admin, "DELETE", place, &Value::Null).await;
    assert_eq!((forgotten.status.as_u16(), &forgotten.json()["account"]["stored"]), (200, &false.into()));
    assert_eq!(app.app.store.setting("updates.geoip.account").await.unwrap(), None);
}

#[tokio::test]
async fn an_account_that_cannot_be_is_refused_by_field() {
    let data = tempfile::tempdir().unwrap();
    let (app, _) = with_accounts(&data, Provider::DbIp).await;
    let admin = app.admin().await;
    let refused = |body: Value| {
        let (app, admin) = (&app, &admin);
        async move { app.ask(admin, "PUT", "/updates/geoip/account", &body).await }
    };
    let wrong = refused(json!({ "number": "x", "key": "two words" })).await;
    assert_eq!(wrong.status, 400);
    let fields: Vec<_> =
        wrong.json()["errors"].as_array().unwrap().iter().map(|e| e["name"].clone()).collect();
    assert_eq!(fields, ["number", "key"]);
    assert!(!wrong.text.contains("two words"));
    assert_eq!(refused(json!({ "number": "1" })).await.status, 400);
    assert_eq!(refused(json!({ "number": "1", "key": "k", "more": 1 })).await.status, 400);
    let other = app.ask(&admin, "PUT", "/updates/oui/account", &json!({ "number": "1", "key": "k" })).await;
    assert_eq!(
        (other.status.as_u16(), other.json()["detail"].as_str()),
        (409, Some("oui is asked without an account"))
    );
}
