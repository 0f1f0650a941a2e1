//! A worker at another site, played by a network namespace whose link is cut for longer than all time-outs.
//!
//! Needs root for the namespace. Where `CI` is set, its absence is a failure.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{Process, free_port, netwark, output, until};

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
        let number = std::process::id();
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

    /// The binary inside.
    fn netwark(&self, data: &std::path::Path) -> Command {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_measured_while_the_link_was_cut_arrives_late() {
    let _turn = crate::TURN.lock().await;
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let Some(site) = Site::new() else { return };
    let directory = tempfile::tempdir().unwrap();
    let (server_data, worker_data) = (directory.path().join("server"), directory.path().join("worker"));
    std::fs::create_dir_all(&server_data).unwrap();
    std::fs::create_dir_all(&worker_data).unwrap();
    let listen = format!("{}:{}", site.address(1), free_port());
    let base = format!("http://{listen}");
    let mut serve = netwark(&server_data);
    serve.env("NETWARK_WORKER__EMBEDDED", "false").args(["serve", "--listen", &listen]);
    let _server = Process::spawn(&mut serve, &server_data.join("log"));
    until("the server answers", || async { reqwest::get(format!("{base}/healthz")).await.is_ok() }).await;
    let token = output(netwark(&server_data).args(["token", "create", "test", "--role", "operator"]));
    let worker_token = output(netwark(&server_data).args(["workers", "create", "far"]));
    let mut worker = site.netwark(&worker_data);
    worker.args(["worker", "--server", &base, "--token", &worker_token]);
    let _worker = Process::spawn(&mut worker, &worker_data.join("log"));

    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    let client = reqwest::Client::builder().default_headers(headers).no_proxy().build().unwrap();
    let get = |path: String| {
        let request = client.get(format!("{base}/api/v1{path}"));
        async move { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    until("the worker comes", || async { get("/workers".into()).await[0]["online"] == true }).await;

    // Four seconds of work in two seconds of time: it ends without its worker.
    let body = json!({
        "type": "ping", "target": "127.0.0.1", "options": {"count": 20, "interval_ms": 200},
        "queues": ["netwark.broadcast"], "run_within_ms": 2_000,
    });
    let made = client.post(format!("{base}/api/v1/operations")).json(&body).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    let path = format!("/operations/{}", made["operation_id"].as_str().unwrap());
    until("it begins", || async { get(path.clone()).await["status"] == "progress" }).await;
    site.link("down");
    until("its time ends", || async { get(path.clone()).await["status"] == "timeout" }).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    site.link("up");
    until("what was measured arrives", || async { get(path.clone()).await["results"][0]["late"] == true })
        .await;
    let late = get(path).await;
    assert_eq!(late["status"], "timeout", "a late report changes no status");
    assert!(late["results"][0]["payload"].is_object(), "{late}");

    let body = json!({"type": "ping", "target": "127.0.0.1", "options": {"count": 1}, "queues": ["netwark"]});
    let made = client.post(format!("{base}/api/v1/operations")).json(&body).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let path = format!("/operations/{}", made["operation_id"].as_str().unwrap());
    until("the worker works again", || async { get(path.clone()).await["status"] == "done" }).await;
}
