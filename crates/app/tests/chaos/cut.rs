//! A worker at another site, played by a network namespace whose link is cut for longer than all time-outs, or
//! slow and lossy.
//!
//! Needs root for the namespace, and nft. Where `CI` is set, their absence is a failure.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::chaos::detour::Detour;
use crate::chaos::process::{Process, free_port, netwark, output, until};

/// How much each piece is held back on a slow link, each way.
const DELAY: Duration = Duration::from_millis(150);
/// Packets of a hundred that are lost on a lossy link, each way.
const LOST: u32 = 15;

/// A namespace with one link to here.
struct Site {
    name: String,
    here: String,
    number: u32,
}

impl Site {
    /// Makes it, or says why not.
    fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            assert!(std::env::var_os("CI").is_none(), "network namespaces need root");
            eprintln!("skipped: network namespaces need root");
            return None;
        }
        static SITES: AtomicU32 = AtomicU32::new(0);
        let number = std::process::id() * 2 + SITES.fetch_add(1, Ordering::Relaxed);
        let site = Self { name: format!("nw-site-{number}"), here: format!("nws{number}"), number };
        let (name, here) = (&site.name, &site.here);
        let address = |end| format!("{}/30", site.address(end));
        for line in [
            format!("netns add {name}"),
            format!("link add {here} type veth peer name up netns {name}"),
            format!("address add {} dev {here}", address(1)),
            format!("link set {here} up"),
            format!("-n {name} address add {} dev up", address(2)),
            format!("-n {name} link set dev up up"),
            format!("-n {name} link set lo up"),
        ] {
            output(Command::new("ip").args(line.split_whitespace()));
        }
        Some(site)
    }

    /// An address of the link: 1 is this end, 2 the other.
    fn address(&self, end: u32) -> String {
        // A /30 of the block for benchmarks (RFC 2544), one of 16,000 by the number of this process.
        let base = (self.number % 16_000) * 4 + end;
        format!("198.19.{}.{}", base >> 8 & 0xff, base & 0xff)
    }

    fn link(&self, state: &str) {
        output(Command::new("ip").args(["link", "set", &self.here, state]));
    }

    /// Loses packets of the link, both ways.
    fn lose(&self) {
        self.nft("add table ip lossy");
        for (hook, by) in [("input", "iifname"), ("output", "oifname")] {
            self.nft(&format!("add chain ip lossy {hook} {{ type filter hook {hook} priority 0; }}"));
            self.nft(&format!(
                "add rule ip lossy {hook} {by} up numgen random mod 100 < {LOST} counter drop"
            ));
        }
    }

    /// How many packets were lost.
    fn lost(&self) -> u64 {
        let rules = self.nft("list table ip lossy");
        let mut words = rules.split_whitespace();
        let mut number = 0;
        while words.by_ref().any(|word| word == "packets") {
            number += words.next().unwrap().parse::<u64>().unwrap();
        }
        number
    }

    fn nft(&self, line: &str) -> String {
        output(Command::new("ip").args(["netns", "exec", &self.name, "nft", line]))
    }

    /// The binary inside.
    fn netwark(&self, data: &Path) -> Command {
        let inner = netwark(data);
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(inner.get_program());
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("HOME", data).env("NETWARK_DATA_DIR", data);
        command
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
        let _ =
            Command::new("ip").args(["link", "del", &self.here]).stderr(std::process::Stdio::null()).status();
    }
}

/// A server here and a worker at the site.
struct Scene {
    base: String,
    client: reqwest::Client,
    _server: Process,
    _worker: Process,
    _directory: TempDir,
}

impl Scene {
    /// Starts both and waits until the worker is there. It reaches the server at `detour`, or where it listens,
    /// and they say to each other every so many seconds that they are there.
    async fn start(site: &Site, listen: &str, detour: Option<&str>, keepalive: u8) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let directory = tempfile::tempdir().unwrap();
        let (server_data, worker_data) = (directory.path().join("server"), directory.path().join("worker"));
        std::fs::create_dir_all(&server_data).unwrap();
        std::fs::create_dir_all(&worker_data).unwrap();
        let base = format!("http://{listen}");
        let reached = detour.map_or_else(|| base.clone(), |detour| format!("http://{detour}"));
        let mut serve = netwark(&server_data);
        serve.env("NETWARK_WORKER__EMBEDDED", "false").env("NETWARK_SERVER__PUBLIC_URLS", &reached);
        serve.env("NETWARK_SERVER__LINK_KEEPALIVE", keepalive.to_string());
        let server = Process::spawn(serve.args(["serve", "--listen", listen]), &server_data.join("log"));
        until("the server answers", || async { reqwest::get(format!("{base}/healthz")).await.is_ok() }).await;
        let token = output(netwark(&server_data).args(["token", "create", "test", "--role", "operator"]));
        let worker_token = output(netwark(&server_data).args(["workers", "create", "far"]));
        let mut worker = site.netwark(&worker_data);
        worker.args(["worker", "--server", &reached, "--token", &worker_token]);
        let worker = Process::spawn(&mut worker, &worker_data.join("log"));

        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        let client = reqwest::Client::builder().default_headers(headers).no_proxy().build().unwrap();
        let scene = Self { base, client, _server: server, _worker: worker, _directory: directory };
        until("the worker comes", || async { scene.get("/workers").await[0]["online"] == true }).await;
        scene
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}/api/v1{path}", self.base));
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Asks for a ping; returns the path of the operation.
    async fn ping(&self, more: &Value) -> String {
        let mut body = json!({"type": "ping", "target": "127.0.0.1"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made =
            self.client.post(format!("{}/api/v1/operations", self.base)).json(&body).send().await.unwrap();
        assert_eq!(made.status(), 201);
        let made: Value = made.json().await.unwrap();
        format!("/operations/{}", made["operation_id"].as_str().unwrap())
    }

    async fn is(&self, path: &str, status: &str) -> bool {
        self.get(path).await["status"] == status
    }

    /// What happened to the worker, oldest first, without the rest.
    async fn comings_and_goings(&self) -> Vec<String> {
        let events = self.get("/events").await;
        let kinds =
            events.as_array().unwrap().iter().rev().map(|event| event["kind"].as_str().unwrap().to_owned());
        kinds.filter(|kind| matches!(kind.as_str(), "worker_online" | "worker_offline")).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_measured_while_the_link_was_cut_arrives_late() {
    let Some(site) = Site::new() else { return };
    let scene = Scene::start(&site, &format!("{}:{}", site.address(1), free_port()), None, 1).await;
    assert_eq!(scene.comings_and_goings().await, ["worker_online"]);

    // Four seconds of work in two seconds of time: it ends without its worker.
    let options = json!({"count": 20, "interval_ms": 200});
    let body = json!({"options": options, "queues": ["netwark.broadcast"], "run_within_ms": 2_000});
    let path = scene.ping(&body).await;
    until("it begins", || scene.is(&path, "progress")).await;
    site.link("down");
    until("its time ends", || scene.is(&path, "timeout")).await;
    // Both ends give the link up after some seconds of silence, and the worker is offline some seconds later.
    until("the worker is offline", || async { scene.comings_and_goings().await.len() == 2 }).await;
    assert_eq!(scene.comings_and_goings().await, ["worker_online", "worker_offline"]);
    let still = scene.get(&path).await;
    assert_eq!(
        (&still["status"], &still["results"][0]["late"]),
        (&"timeout".into(), &false.into()),
        "{still}"
    );

    site.link("up");
    until("what was measured arrives", || async { scene.get(&path).await["results"][0]["late"] == true })
        .await;
    let late = scene.get(&path).await;
    assert_eq!(late["status"], "timeout", "a late report changes no status");
    assert!(late["results"][0]["payload"]["transmitted"].as_u64().is_some_and(|sent| sent > 0), "{late}");
    assert_eq!(scene.comings_and_goings().await, ["worker_online", "worker_offline", "worker_online"]);

    let path = scene.ping(&json!({"options": {"count": 1}, "queues": ["netwark"]})).await;
    until("the worker works again", || scene.is(&path, "done")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_end_over_a_slow_and_lossy_link() {
    let Some(site) = Site::new() else { return };
    if !Path::new("/usr/sbin/nft").exists() {
        assert!(std::env::var_os("CI").is_none(), "install nftables");
        eprintln!("skipped: nft is missing");
        return;
    }
    site.lose();
    let port = free_port();
    let detour = Detour::start(&format!("{}:0", site.address(1)), port).await;
    detour.delay(DELAY);
    let reached = detour.address().to_string();
    let scene = Scene::start(&site, &format!("127.0.0.1:{port}"), Some(&reached), 20).await;
    let mut paths = Vec::new();
    for number in 0..20 {
        let queue = ["netwark", "netwark.broadcast"][number % 2];
        let options = json!({"count": 3, "interval_ms": 200});
        paths.push(scene.ping(&json!({"options": options, "queues": [queue]})).await);
    }
    for path in &paths {
        let ended = || async { !scene.is(path, "pending").await && !scene.is(path, "progress").await };
        until("it ends", ended).await;
        let detail = scene.get(path).await;
        let results = detail["results"].as_array().unwrap();
        assert!(results.len() == 1 && results[0]["status"] == "done", "{detail}");
        // What is lost on the way to the server is not what is measured.
        assert_eq!(results[0]["payload"]["received"], 3, "{detail}");
    }
    assert!(site.lost() > 0, "packets were lost");
}
