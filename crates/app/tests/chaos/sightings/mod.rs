//! A thousand sightings a second from several workers, with a server that is killed in between: each is taken in, once
//! and in its order. `NETWARK_SIGHTINGS_SECONDS` says for how long.
//!
//! The workers are played from here, by the link and the messages of real ones.

mod teller;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use self::teller::{STATIONS, Teller, marker};
use crate::chaos::process::{Process, free_port, netwark, output, until};
use crate::chaos::services::{self, Postgres};

/// Workers, each with a network of its own, and sightings that each tells of in a second.
const WORKERS: u32 = 4;
const EACH: u64 = 250;
/// Beyond this what is told would not fit into one page of each list.
const LONGEST: u64 = 900;

fn seconds() -> u64 {
    let given = std::env::var("NETWARK_SIGHTINGS_SECONDS").ok().and_then(|text| text.parse().ok());
    given.unwrap_or(20).clamp(2, LONGEST)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_sightings_a_second_are_taken_in_by_sqlite() {
    told_and_taken_in(Server::start(None).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_sightings_a_second_are_taken_in_by_postgresql() {
    if let Some((place, _)) = services::given() {
        told_and_taken_in(Server::start(Some(place.url(place.port))).await).await;
    } else if services::are_installed() {
        let directory = tempfile::tempdir().unwrap();
        output(Command::new("chmod").arg("755").arg(directory.path()));
        let mut postgres = Postgres::start(directory.path().join("postgres")).await;
        let place = postgres.place();
        told_and_taken_in(Server::start(Some(place.url(place.port))).await).await;
        postgres.kill();
    }
}

/// A server without a worker of its own.
struct Server {
    data: PathBuf,
    database: Option<String>,
    listen: String,
    process: Option<Process>,
    client: reqwest::Client,
    _directory: TempDir,
}

impl Server {
    async fn start(database: Option<String>) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("server");
        std::fs::create_dir_all(&data).unwrap();
        let listen = format!("127.0.0.1:{}", free_port());
        let client = reqwest::Client::new();
        let mut server = Self { data, database, listen, process: None, client, _directory: directory };
        server.start_again().await;
        let token = output(server.command().args(["token", "create", "test", "--role", "admin"]));
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        server.client = reqwest::Client::builder().default_headers(headers).no_proxy().build().unwrap();
        server
    }

    fn command(&self) -> Command {
        let mut command = netwark(&self.data);
        command.env("NETWARK_WORKER__EMBEDDED", "false");
        if let Some(url) = &self.database {
            command.env("NETWARK_DATABASE__URL", url);
        }
        command
    }

    fn base(&self) -> String {
        format!("http://{}", self.listen)
    }

    async fn start_again(&mut self) {
        let mut command = self.command();
        command.args(["serve", "--listen", &self.listen]);
        self.process = Some(Process::spawn(&mut command, &self.data.join("log")));
        let alive = format!("{}/healthz", self.base());
        until("the server answers", || async { reqwest::get(&alive).await.is_ok() }).await;
    }

    fn kill(&mut self) {
        self.process = None;
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}/api/v1{path}", self.base())).send().await.unwrap();
        let status = answer.status();
        let said = answer.json().await.unwrap_or_default();
        assert!(status.is_success(), "{path}: {status}: {said}");
        said
    }

    /// A worker with a network of its own; returns the worker and the id of the network.
    async fn with_worker(&self, number: u32) -> (Teller, String) {
        let name = format!("site-{number}");
        let token = output(self.command().args(["workers", "create", &name]));
        let teller = Teller::enter(&self.base(), &token, &name, number).await;
        let body = json!({
            "name": name, "prefixes": [format!("10.0.{number}.0/24")], "from": format!("worker:{name}"),
            "interval_ms": 10_000,
        });
        let request = self.client.post(format!("{}/api/v1/networks", self.base())).json(&body);
        let made: Value = request.send().await.unwrap().json().await.unwrap();
        (teller, made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned())
    }
}

async fn told_and_taken_in(mut server: Server) {
    let mut sites = Vec::new();
    let mut networks = Vec::new();
    for number in 0..WORKERS {
        let (mut teller, network) = server.with_worker(number).await;
        teller.assigned().await;
        sites.push(teller);
        networks.push(network);
    }
    let (rounds, began) = (seconds(), Instant::now());
    let telling: Vec<_> = sites.into_iter().map(|teller| tokio::spawn(teller.tell(rounds))).collect();
    tokio::time::sleep(Duration::from_secs(rounds) / 2).await;
    server.kill();
    server.start_again().await;
    let mut again = 0;
    for told in telling {
        again += told.await.unwrap();
    }
    let took = began.elapsed().as_secs_f64();
    let sightings = rounds * EACH * u64::from(WORKERS);
    eprintln!("{sightings} sightings in {took:.1} s, {again} reports sent again");
    for (number, network) in (0..).zip(&networks) {
        judge(&server, network, number, rounds).await;
    }
}

/// Nothing is missing, and nothing was taken in twice.
async fn judge(server: &Server, network: &str, number: u32, rounds: u64) {
    let sweeps = server.get(&format!("/networks/{network}/sweeps?per_page=1000")).await;
    let sweeps = sweeps.as_array().unwrap();
    assert_eq!(sweeps.len() as u64, rounds);
    let whole = |sweep: &Value| sweep["complete"] == true && sweep["hosts"] == STATIONS;
    assert!(sweeps.iter().all(whole), "{sweeps:#?}");

    // Each sweep gave one device a new name, which tells their order.
    let found = server.get(&format!("/devices?network={network}&q={}", marker(number, rounds))).await;
    let id = found[0]["id"].as_str().unwrap_or_else(|| panic!("{found:#}"));
    let history = server.get(&format!("/devices/{id}/history?per_page=1000")).await;
    let names: Vec<&str> =
        history.as_array().unwrap().iter().filter_map(|change| change["new"].as_str()).collect();
    let expected: Vec<String> = (2..=rounds).rev().map(|round| marker(number, round)).collect();
    assert_eq!(names, expected);

    // And each second a device spoke that nobody had seen.
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    let mut newcomers = 0;
    let mut before = String::new();
    loop {
        let events = server.get(&format!("/events?network={network}&per_page=1000{before}")).await;
        let Some(last) = events.as_array().unwrap().last() else { break };
        before = format!("&before={}", last["id"].as_str().unwrap());
        for event in events.as_array().unwrap() {
            *kinds.entry(event["kind"].as_str().unwrap().to_owned()).or_default() += 1;
            newcomers += u64::from(event["kind"] == "device_new");
        }
    }
    assert_eq!(newcomers, u64::from(STATIONS) + rounds, "{kinds:?}");
    let network = server.get(&format!("/networks/{network}")).await;
    assert_eq!(network["devices"], u64::from(STATIONS) + rounds, "{network:#}");
    let down = kinds.get("device_down").copied().unwrap_or_default();
    assert_eq!(
        network["up"].as_u64().unwrap() + down,
        u64::from(STATIONS) + rounds,
        "{kinds:?}: {network:#}"
    );
}
