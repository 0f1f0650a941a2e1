//! Data that updates bring while the server runs.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use netwark_lookup::fetch::Location;
use netwark_lookup::oui::{Ieee, NAME, Registry, Table};
use netwark_lookup::update::{Asked, State, directory, update};
use netwark_server::ServerSettings;
use netwark_server::lookups::LookupSettings;
use netwark_server::lookups::updates::Scheduled;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::TestApp;

async fn server(data_dir: &Path, mirror: &Path, schedule: &str) -> TestApp {
    let source = Ieee::source(Some(Location::File(mirror.to_owned())));
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
