//! Networks, devices, the access list and the timeline from the shell, through a server whose own worker watches.

mod channels;
mod workers;

use std::io::{BufRead, BufReader, Write};
use std::process::{Output, Stdio};

use jiff::Timestamp;
use netwark_model::assignments::StreamReport;
use netwark_model::messages::Hello;
use netwark_store::streams::StreamNews;
use netwark_store::workers::Arrival;
use netwark_store::{Store, StoreOptions};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::server::{Server, block_on};
use super::{home, netwark, run, text};

/// A server and the right to ask it.
struct Site {
    home: TempDir,
    server: Server,
    token: String,
}

impl Site {
    fn new() -> Self {
        let home = home();
        let server = Server::start(&home);
        let token = text(&run(&home, &["token", "create", "ops", "--role", "operator"]).stdout);
        Self { home, server, token: token.trim().into() }
    }

    /// The same with the right to set up channels.
    fn of_an_administrator() -> Self {
        let site = Self::new();
        let token = text(&run(&site.home, &["token", "create", "boss", "--role", "admin"]).stdout);
        Self { token: token.trim().into(), ..site }
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = netwark(self.home.path(), arguments);
        command.env("NETWARK_URL", self.server.url()).env("NETWARK_TOKEN", &self.token).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What a command prints that ends well and is given these lines.
    fn given(&self, lines: &str, arguments: &[&str]) -> String {
        let mut command = self.command(arguments);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        process.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let output = process.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// What a command prints that ends well.
    fn told(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.told(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// The exit code and the complaint of one that does not.
    fn refused(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.run(arguments);
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
        (output.status.code(), text(&output.stderr))
    }
}

#[test]
fn networks_are_managed_from_the_shell() {
    let site = Site::new();
    let add = ["networks", "add", "Office", "192.0.2.0/24", "2001:db8::/64", "--stopped", "--every", "90s"];
    let rates = ["--rate-bps", "500k", "--share", "5"];
    let told = site.told(
        &[&add[..], &rates, &["--vlan", "7", "--interface", "eth0", "--severity", "known_down=alert"]]
            .concat(),
    );
    assert!(told.contains("Office is there"), "{told}");
    let network = site.json(&["networks", "show", "office"]);
    assert_eq!((&network["interval_ms"], &network["vlan"]), (&90_000.into(), &7.into()));
    assert_eq!(network["severities"]["known_down"], "alert");
    assert_eq!((&network["rate_bps"], &network["share"]), (&500_000.into(), &5.into()));
    let shown = site.told(&["networks", "show", "office"]);
    assert!(shown.contains("500000 bits/s, 5% of the link"), "{shown}");
    let (code, why) = site.refused(&["networks", "edit", "Office", "--share", "101"]);
    assert!(code == Some(2) && why.contains("share must be from 1 to 100, got 101"), "{why}");

    let edit = ["networks", "edit", "Office", "--vlan", "none", "--severity", "known_up=ok", "--name", "Lab"];
    assert!(site.told(&edit).contains("Lab is changed"));
    let id = network["id"].as_str().unwrap();
    let changed = site.json(&["networks", "show", id]);
    assert_eq!((&changed["name"], &changed["vlan"]), (&"Lab".into(), &Value::Null));
    assert_eq!(changed["severities"].as_object().unwrap().len(), 2, "what was not named stays");
    assert!(site.told(&["networks", "list"]).contains("Lab   stopped  192.0.2.0/24 +1"));
    let shown = site.told(&["networks", "show", "Lab"]);
    assert!(shown.contains("severities") && shown.contains("1 min 30 s"), "{shown}");

    let (code, why) = site.refused(&["networks", "add", "Lab", "192.0.2.0/33"]);
    assert!(code == Some(2) && why.contains("prefixes[0] must be a prefix"), "{why}");
    let (code, why) = site.refused(&["networks", "add", "Lab", "192.0.2.0/24", "--stopped"]);
    assert!(code == Some(1) && why.contains("exists already"), "{why}");
    let (code, why) = site.refused(&["networks", "edit", "Lab"]);
    assert!(code == Some(2) && why.contains("nothing to change"), "{why}");
    let (code, why) = site.refused(&["networks", "sweep", "Lab"]);
    assert!(code == Some(1) && why.contains("is stopped"), "{why}");
    let (code, why) = site.refused(&["networks", "show", "Attic"]);
    assert!(code == Some(1) && why.contains("no network 'Attic'"), "{why}");

    assert!(site.told(&["networks", "remove", "Lab", "--dry-run"]).contains("and with it nothing else"));
    let (code, why) = site.refused(&["networks", "remove", "Lab"]);
    assert!(
        code == Some(2) && why.contains("Delete Lab, and with it nothing else?") && why.contains("--yes"),
        "{why}"
    );
    assert!(site.told(&["networks", "remove", "Lab", "--yes"]).contains("Lab is deleted"));
    assert_eq!(site.json(&["networks", "list"]), Value::Array(Vec::new()));
}

#[test]
fn the_access_list_is_managed_from_the_shell() {
    let site = Site::new();
    site.told(&["networks", "add", "Office", "192.0.2.0/24", "--stopped"]);
    let add = ["access-list", "add", "allow", "00-00-5E-00-53-01", "--note", "Anna", "--network", "office"];
    assert_eq!(site.told(&add), "00:00:5e:00:53:01 is allowed\n");
    let (code, why) = site.refused(&["access-list", "add", "deny", "0000.5e00.5301"]);
    assert!(code == Some(1) && why.contains("is allowed already, on Office"), "{why}");
    let (code, why) = site.refused(&["access-list", "add", "deny", "00:00:5f", "--expires", "2h"]);
    assert!(code == Some(2) && why.contains("2027-01-31"), "{why}");
    site.told(&["access-list", "add", "deny", "00:00:5f", "--expires", "2100-01-31"]);
    let shown = site.told(&["access-list", "list"]);
    assert!(shown.contains("00:00:5e:00:53:01  allow   Office") && shown.contains("00:00:5f"), "{shown}");
    assert_eq!(site.json(&["access-list", "list", "--action", "deny"]).as_array().unwrap().len(), 1);

    let file = site.home.path().join("list.csv");
    std::fs::write(&file, site.told(&["access-list", "export"]) + "deny,00:00,bad,,\r\n").unwrap();
    let output = site.run(&["access-list", "import", file.to_str().unwrap()]);
    let complaint = text(&output.stderr);
    assert_eq!(
        (output.status.code(), text(&output.stdout).as_str()),
        (Some(1), "0 entries added, 2 there already, 1 refused\n")
    );
    assert!(complaint.starts_with("line 4: mac: must be a MAC address"), "{complaint}");
    assert_eq!(
        site.told(&["access-list", "remove", "00005e005301"]),
        "00:00:5e:00:53:01 is not allowed any more\n"
    );
    let (code, why) = site.refused(&["access-list", "remove", "00:00:5e:00:53:01"]);
    assert!(code == Some(1) && why.contains("has no entry for 00:00:5e:00:53:01"), "{why}");
}

#[test]
fn the_timeline_is_read_followed_and_acknowledged() {
    let site = Site::new();
    let mut follow =
        site.command(&["events", "--follow", "--json", "--kind", "network_started,network_stopped"]);
    let mut follow = follow.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    site.told(&["networks", "add", "Office", "192.0.2.0/24", "--from", "worker:nobody"]);
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(next()["kind"], "network_started");
    assert!(site.told(&["networks", "stop", "Office"]).contains("is not watched any more"));
    assert_eq!(next()["kind"], "network_stopped");
    let pid = rustix::process::Pid::from_child(&follow);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(follow.wait().unwrap().code(), Some(130));

    let shown = site.told(&["events", "--network", "Office", "--severity", "ok,info,warning"]);
    let (started, stopped) = (shown.find("started").unwrap(), shown.find("stopped").unwrap());
    assert!(started < stopped, "the newest is the last: {shown}");
    assert_eq!(site.told(&["events", "--network", "Office", "--acknowledge"]), "2 events acknowledged\n");
    assert_eq!(site.json(&["events", "--network", "Office", "--open"]), Value::Array(Vec::new()));
    let (code, why) = site.refused(&["events", "--severity", "loud"]);
    assert!(code == Some(2) && why.contains("must be one of ok, info, warning, alert"), "{why}");
    let stranger =
        netwark(site.home.path(), &["events"]).env("NETWARK_URL", site.server.url()).output().unwrap();
    assert_eq!(stranger.status.code(), Some(1));
    assert!(text(&stranger.stderr).contains("NETWARK_TOKEN"), "{}", text(&stranger.stderr));
}

/// What a worker of another place would have told of a network: these hardware addresses with these addresses.
async fn told_of(site: &Site, network: &str, seen: &[(&str, &str)]) {
    let file = site.home.path().join(".local/state/netwark/netwark.db");
    let url = format!("sqlite:{}", file.display());
    let store = Store::open(&StoreOptions::new(url)).await.unwrap();
    let stream = store.network_order(network.parse().unwrap()).await.unwrap().unwrap();
    let epoch = store.holding(stream).await.unwrap().unwrap().epoch;
    let now = Timestamp::now();
    let sightings: Vec<Value> = seen
        .iter()
        .map(|(mac, address)| json!({ "at": now, "address": address, "mac": mac, "source": "arp" }))
        .collect();
    let body = json!({
        "what": "sweep", "sweep": Uuid::now_v7(), "started_at": now, "ended_at": now, "complete": true,
        "part": 1, "parts": 1, "probed": 254, "sightings": sightings,
    });
    let report = StreamReport { stream, epoch, sequence: 1, at_ms: 0, body };
    let worker = store.workers().await.unwrap().into_iter().find(|worker| worker.name == "paris-1").unwrap();
    store.apply_stream((worker.id, worker.name), StreamNews::Report(report), now).await.unwrap();
    store.close().await;
}

/// Lets a worker say hello that is in no process.
async fn enter(site: &Site) {
    let file = site.home.path().join(".local/state/netwark/netwark.db");
    let url = format!("sqlite:{}", file.display());
    let store = Store::open(&StoreOptions::new(url)).await.unwrap();
    let hello = Hello { name: "paris-1".into(), queues: vec!["netwark".into()], ..Hello::default() };
    let (id, link) = (Uuid::now_v7(), "embedded");
    let arrival = Arrival { id, hello, unknown_queues: Vec::new(), link, mark: 0, again: false, enter: true };
    store.worker_hello(arrival, Timestamp::now()).await.unwrap();
    store.close().await;
}

#[test]
fn devices_are_managed_from_the_shell() {
    let site = Site::new();
    block_on(enter(&site));
    let network = site.json(&["networks", "add", "Office", "192.0.2.0/24", "--from", "worker:paris-1"]);
    let seen = [("00:00:5e:00:53:01", "192.0.2.1"), ("00:00:5e:00:53:02", "192.0.2.2")];
    block_on(told_of(&site, network["id"].as_str().unwrap(), &seen));

    let shown = site.told(&["devices", "list", "--network", "Office", "--sort", "address"]);
    assert!(shown.starts_with("NAME") && shown.lines().count() == 3, "{shown}");
    assert!(shown.contains("192.0.2.1") && shown.contains("00:00:5e:00:53:02"), "{shown}");
    assert!(site.told(&["devices", "allow", "0000.5e00.5301"]).contains("is allowed"));
    let edit =
        ["devices", "edit", "192.0.2.1", "--name", "Printer", "--tag", "floor-2", "--when-down", "alert"];
    assert_eq!(site.told(&edit), "Printer is changed\n");
    let device = site.json(&["devices", "show", "printer"]);
    assert_eq!((&device["access"], &device["tags"][0]), (&"known".into(), &"floor-2".into()));
    assert_eq!(device["severities"]["down"], "alert");
    let shown = site.told(&["devices", "show", "Printer"]);
    assert!(shown.contains("00:00:5e:00:53:01 on Office") && shown.contains("192.0.2.1 ("), "{shown}");
    assert!(site.told(&["devices", "show", "Printer", "--history"]).contains("name"));
    site.told(&["devices", "edit", "Printer", "--tag", "none"]);
    assert_eq!(site.json(&["devices", "list", "--access", "known"])[0]["tags"], json!([]));
    assert!(site.told(&["devices", "deny", "192.0.2.2"]).contains("is denied"));
    assert!(site.told(&["devices", "unlist", "192.0.2.2"]).contains("no more"));

    assert_eq!(site.told(&["devices", "merge", "Printer", "192.0.2.2"]), "Printer has 2 interfaces now\n");
    assert!(site.told(&["devices", "split", "Printer", "00:00:5e:00:53:02"]).contains("a device of its own"));
    let (code, why) = site.refused(&["devices", "show", "print"]);
    assert!(code == Some(1) && why.contains("near it are Printer"), "{why}");
    let (code, why) = site.refused(&["devices", "show", "192.0.2.77"]);
    assert!(code == Some(1) && why.contains("there is no device '192.0.2.77'"), "{why}");
    let (code, why) = site.refused(&["devices", "remove", "Printer"]);
    assert!(code == Some(2) && why.contains("Its entries in the access list stay"), "{why}");
    assert!(site.told(&["devices", "forget", "Printer", "--yes"]).contains("is deleted"));
    assert_eq!(site.json(&["devices", "list"]).as_array().unwrap().len(), 1);
}
