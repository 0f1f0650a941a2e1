//! Notices of a real server, killed in the middle, to receivers that fail now and then: nothing is lost, and what is
//! sent twice bears the same key.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

mod mail;
mod receiver;

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use self::mail::MailServer;
use self::receiver::{Manner, Receiver, Taken};

/// Long enough for a debug build on a busy machine; nothing is timed by it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Times a network is started or stopped, each of which is an event.
const TURNS: usize = 40;

/// A server process; killed when it goes out of scope.
struct Server {
    process: Child,
    base: String,
    client: reqwest::Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn netwark(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netwark"));
    command.env("NETWARK_DATA_DIR", data).env("HOME", data).env_remove("NETWARK_CONFIG");
    command
}

/// A place to live in, with the token of an administrator.
fn home() -> (TempDir, reqwest::Client) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let home = tempfile::tempdir().unwrap();
    let token = netwark(home.path()).args(["token", "create", "test", "--role", "admin"]).output().unwrap();
    assert!(token.status.success(), "{}", String::from_utf8_lossy(&token.stderr));
    let token = String::from_utf8(token.stdout).unwrap();
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("authorization", format!("Bearer {}", token.trim()).parse().unwrap());
    (home, reqwest::Client::builder().default_headers(headers).no_proxy().build().unwrap())
}

impl Server {
    async fn start(home: &TempDir, client: &reqwest::Client) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = netwark(home.path())
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, base: format!("http://127.0.0.1:{port}"), client: client.clone() };
        let began = Instant::now();
        while server.client.get(format!("{}/readyz", server.base)).send().await.is_err() {
            assert!(began.elapsed() < PATIENCE, "the server does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server
    }

    async fn get(&self, path: &str) -> Value {
        self.client.get(format!("{}/api/v1{path}", self.base)).send().await.unwrap().json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}/api/v1{path}", self.base)).json(body);
        let answer = request.send().await.unwrap();
        let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    async fn made(&self, path: &str, body: &Value) -> String {
        self.post(path, body).await["id"].as_str().unwrap().to_owned()
    }

    /// A network that nobody watches.
    async fn network(&self, name: &str) -> String {
        let body =
            json!({"name": name, "prefixes": ["192.0.2.0/30"], "from": "worker:nobody", "start": false});
        self.made("/networks", &body).await
    }

    /// A subscription to what happens to that network.
    async fn subscribe(&self, channel: &str, network: &str, group_for_ms: u64) {
        let body = json!({
            "name": "All", "channels": [channel], "networks": [network], "severities": [],
            "group_for_ms": group_for_ms, "most_per_hour": 3600,
        });
        self.made("/subscriptions", &body).await;
    }

    /// Starts the network, or stops it: one event each.
    async fn turn(&self, network: &str, number: usize) {
        let verb = if number.is_multiple_of(2) { "start" } else { "stop" };
        self.post(&format!("/networks/{network}/{verb}"), &json!({})).await;
    }

    /// The ids of all events about a network, in their order.
    async fn events(&self, network: &str) -> Vec<String> {
        let events = self.get(&format!("/events?per_page=1000&network={network}")).await;
        events
            .as_array()
            .unwrap()
            .iter()
            .rev()
            .map(|event| event["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// A channel that leads to a receiver.
fn webhook(receiver: &Receiver) -> Value {
    json!({"name": "Hook", "config": {"kind": "webhook"}, "secrets": {"url": receiver.url}})
}

/// The ids of the events of a notice.
fn told(taken: &Taken) -> Vec<String> {
    let events = taken.body["data"]["events"].as_array().unwrap();
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_what_comes_twice_bears_the_same_key() {
    let (home, client) = home();
    let receiver = Receiver::start();
    let mut server = Server::start(&home, &client).await;
    let channel = webhook(&receiver);
    let channel = server.made("/channels", &channel).await;
    let network = server.network("Office").await;
    server.subscribe(&channel, &network, 0).await;
    let mut deaths = Vec::new();
    for number in 0..TURNS {
        if [TURNS / 3, 2 * TURNS / 3].contains(&number) {
            receiver.set(Manner::TakesAndIsSilent);
            server.turn(&network, number).await;
            let silent = |taken: &[Taken]| taken.iter().filter(|one| !one.answered).count();
            let taken = receiver.wait("a notice", |taken| silent(taken) > deaths.len());
            deaths.extend(taken.iter().rev().find(|one| !one.answered).map(|one| one.key.clone()));
            // The other side has it, and nobody has noted that.
            drop(server);
            receiver.set(Manner::NowAndThen);
            server = Server::start(&home, &client).await;
        } else {
            server.turn(&network, number).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let events = server.events(&network).await;
    assert!(events.len() >= TURNS, "{}", events.len());
    let all: BTreeSet<String> = events.iter().cloned().collect();
    let taken =
        receiver.wait("the last event", |taken| taken.iter().flat_map(told).collect::<BTreeSet<_>>() == all);

    let mut by_key: BTreeMap<&str, Vec<&Taken>> = BTreeMap::new();
    for one in &taken {
        by_key.entry(&one.key).or_default().push(one);
    }
    for (key, same) in &by_key {
        assert!(same.iter().all(|one| one.body == same[0].body), "{key} says two things");
        let expected = 1 + deaths.iter().filter(|death| death == key).count();
        assert_eq!(same.len(), expected, "{key}; killed at {deaths:?}");
    }
    let mut seen = BTreeSet::new();
    let firsts: Vec<&Taken> = taken.iter().filter(|one| seen.insert(one.key.as_str())).collect();
    let order: Vec<String> = firsts.into_iter().flat_map(told).collect();
    assert_eq!(order, events, "every event once, in its order");
    // It is noted a moment after the receiver has the last one.
    let mut log = json!(null);
    for _ in 0..100 {
        log = server.get("/deliveries?per_page=1000").await;
        if log.as_array().unwrap().iter().all(|one| one["status"] == "delivered") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not all are noted as delivered: {log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_while_the_channel_is_down_is_few_notices() {
    let (home, client) = home();
    let receiver = Receiver::start();
    receiver.set(Manner::Down);
    let server = Server::start(&home, &client).await;
    let channel = webhook(&receiver);
    let channel = server.made("/channels", &channel).await;
    let network = server.network("Office").await;
    server.subscribe(&channel, &network, 0).await;
    server.turn(&network, 0).await;
    receiver.wait_for_more(0);
    for number in 1..150 {
        server.turn(&network, number).await;
    }
    // Not even a restart in the middle loses what waits.
    drop(server);
    let server = Server::start(&home, &client).await;
    receiver.set(Manner::NowAndThen);
    server.post(&format!("/channels/{channel}/retry"), &json!({})).await;
    let number = |one: &Taken| one.body["data"]["count"].as_u64().unwrap();
    let taken = receiver.wait("all events", |taken| taken.iter().map(number).sum::<u64>() == 150);
    assert!(taken.len() <= 3, "{} notices", taken.len());
    assert_eq!(taken.iter().flat_map(told).count(), 101, "the first, and at most a hundred of the others");
    assert_eq!(taken.last().unwrap().body["data"]["more"], 49);
    let kinds: Vec<String> = ["channel_ok", "channel_failing"].map(str::to_owned).to_vec();
    let told = server.get("/events?kind=channel_ok,channel_failing").await;
    let told: Vec<&str> =
        told.as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert!(told.is_empty() || told == kinds, "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_reaches_a_real_mail_server_with_markup_escaped() {
    let (home, client) = home();
    let server = Server::start(&home, &client).await;
    // The port is known before the mail server is there, so the first tries meet nobody.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let channel = json!({"name": "Mail", "config": {
        "kind": "mail", "server": "127.0.0.1", "port": port, "security": "none",
        "from": "Netwark <netwark@example.org>", "to": ["noc@example.org"],
    }});
    let channel = server.made("/channels", &channel).await;
    let network = server.network("<script>alert(1)</script> & co").await;
    server.subscribe(&channel, &network, 0).await;
    server.turn(&network, 0).await;
    let began = Instant::now();
    let waiting = loop {
        let log = server.get("/deliveries").await;
        if log[0]["attempts"] == 1 {
            break log[0].clone();
        }
        assert!(began.elapsed() < PATIENCE, "it was never tried: {log}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(waiting["status"], "due", "{waiting}");
    assert!(waiting["error"].is_string(), "{waiting}");
    let key = waiting["id"].as_str().unwrap();

    let mut mails = MailServer::start(port).await;
    server.post(&format!("/deliveries/{key}/retry"), &json!({})).await;
    let mail = mails.mail().await;
    assert_eq!(mail["to"], json!(["noc@example.org"]));
    assert_eq!(mail["headers"]["message-id"], format!("<{key}@example.org>"));
    let (plain, html) = (mail["plain"].as_str().unwrap(), mail["html"].as_str().unwrap());
    assert!(plain.contains("<script>alert(1)</script> & co"), "{plain}");
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script"), "{html}");
}
