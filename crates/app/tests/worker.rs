//! A worker in a process of its own, from its pairing to its end.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]
#![expect(clippy::print_stderr, reason = "who runs the tests should see what was skipped")]

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[expect(dead_code, reason = "the tests of the bus use the rest")]
#[path = "../../bus/tests/support/broker.rs"]
mod broker;

/// Long enough for a debug build on a busy machine; nothing is timed by it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process; killed when it goes out of scope.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    fn tell(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Waits until it has ended; returns what it said.
    async fn end(&mut self) -> (ExitStatus, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let mut said = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status, said)
    }
}

fn netwark(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netwark"));
    command.env("NETWARK_DATA_DIR", data).env("HOME", data).env_remove("NETWARK_CONFIG");
    command
}

fn start(data: &Path, args: &[&str]) -> Process {
    let mut command = netwark(data);
    Process(command.args(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
}

struct Site {
    base: String,
    client: Client,
    token: String,
}

impl Site {
    async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        let request = self.client.request(method, format!("{}/api/v1/{path}", self.base));
        let answer = request.bearer_auth(&self.token).json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    async fn serving(&self) {
        let began = Instant::now();
        while self.client.get(format!("{}/readyz", self.base)).send().await.is_err() {
            assert!(began.elapsed() < PATIENCE, "the server does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the only worker is in this state; returns it.
    async fn worker(&self, state: &str) -> Value {
        let began = Instant::now();
        loop {
            let workers = self.ask(Method::GET, "workers", json!({})).await;
            if workers[0]["state"] == state {
                return workers[0].clone();
            }
            assert!(began.elapsed() < PATIENCE, "the worker is not {state}: {workers}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the only worker has a fitting value; returns that.
    async fn worker_with(&self, key: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let workers = self.ask(Method::GET, "workers", json!({})).await;
            if fits(&workers[0][key]) {
                return workers[0][key].clone();
            }
            assert!(began.elapsed() < PATIENCE, "{key} does not fit: {workers}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Measures, and returns the status of the result.
    async fn measure(&self) -> String {
        let operation = self.begin(1).await;
        self.result(&operation, |status| !matches!(status, "pending" | "progress")).await
    }

    /// Asks for a ping of so many fifths of a second; returns where the operation is.
    async fn begin(&self, fifths: u32) -> String {
        let options = json!({"count": fifths, "interval_ms": 200});
        let asked = json!({"type": "ping", "target": "127.0.0.1", "options": options, "queues": ["netwark"]});
        let made = self.ask(Method::POST, "operations", asked).await;
        format!("operations/{}", made["operation_id"].as_str().unwrap())
    }

    /// Waits until the status of the only result is as it should be; returns it.
    async fn result(&self, operation: &str, is: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let results = self.ask(Method::GET, operation, json!({})).await["results"].clone();
            let status = results[0]["status"].as_str().unwrap().to_owned();
            if is(&status) {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "nobody measures: {results}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A server on a free port of loopback that measures nothing by itself, with these lines in its configuration.
async fn serve(home: &Path, more: &str) -> (Site, Process) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    std::fs::create_dir_all(home.join(".config/netwark")).unwrap();
    let lines = format!("{more}\n[worker]\nembedded = false\n");
    std::fs::write(home.join(".config/netwark/netwark.toml"), lines).unwrap();
    let token = netwark(home).args(["token", "create", "test", "--role", "admin"]).output().unwrap();
    assert!(token.status.success(), "{}", String::from_utf8_lossy(&token.stderr));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let site = Site {
        base: format!("http://127.0.0.1:{port}"),
        client: Client::new(),
        token: String::from_utf8(token.stdout).unwrap().trim().to_owned(),
    };
    let server = start(home, &["serve", "--listen", &format!("127.0.0.1:{port}")]);
    site.serving().await;
    (site, server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_code_to_a_revocation() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (site, server) = serve(here.path(), "").await;
    let paired = site.ask(Method::POST, "workers/pairings", json!({"name": "paris-1"})).await;
    let code = paired["code"].as_str().unwrap();
    let worker = start(there.path(), &["worker", "--server", &site.base, "--code", code]);
    let seen = site.worker("online").await;
    assert_eq!((seen["name"].as_str(), seen["link"].as_str()), (Some("paris-1"), Some("websocket")));
    assert_eq!(site.measure().await, "done");

    // Killed, and started again with what it kept.
    drop(worker);
    let mut worker = start(there.path(), &["worker"]);
    assert_eq!(site.measure().await, "done");

    // The server goes and comes back.
    drop(server);
    let listen = site.base.strip_prefix("http://").unwrap();
    let _server = start(here.path(), &["serve", "--listen", listen]);
    site.serving().await;
    assert_eq!(site.measure().await, "done");

    worker.tell(Signal::USR1);
    site.worker("draining").await;
    worker.tell(Signal::USR1);
    site.worker("online").await;
    worker.tell(Signal::TERM);
    let (status, said) = worker.end().await;
    assert_eq!(status.code(), Some(0), "{said}");
    let seen = site.worker("offline").await;

    let mut worker = start(there.path(), &["worker"]);
    site.worker("online").await;
    let path = format!("workers/{}/revoke", seen["id"].as_str().unwrap());
    site.ask(Method::POST, &path, json!({})).await;
    let (status, said) = worker.end().await;
    assert_eq!(status.code(), Some(4), "{said}");
    assert!(said.contains("revoked"), "{said}");
    let (status, said) = start(there.path(), &["worker"]).end().await;
    assert_eq!(status.code(), Some(4), "{said}");
    assert!(said.contains("revoked"), "{said}");
}

/// The private RabbitMQ of the tests, if there is one.
fn broker() -> Option<String> {
    let url = std::env::var("NETWARK_TEST_AMQP_URL").ok();
    assert!(url.is_some() || std::env::var_os("CI").is_none(), "NETWARK_TEST_AMQP_URL has to be set");
    if url.is_none() {
        eprintln!("skipped: NETWARK_TEST_AMQP_URL is not set (scripts/with-rabbitmq sets it)");
    }
    url
}

/// A worker is refused, corrected, drained by a signal, told by the shell to go on, and revoked by the shell.
async fn corrected_resumed_and_revoked(broker: Option<&str>) {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let lines = broker.map(|url| format!("[broker]\nurl = \"{url}\"\n")).unwrap_or_default();
    let (site, _server) = serve(here.path(), &lines).await;
    let mut stranger = netwark(there.path());
    stranger.args(["worker", "--server", &site.base, "--code", "AAAA-AAAA"]);
    let mut stranger = Process(stranger.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let (status, said) = stranger.end().await;
    assert_eq!(status.code(), Some(4), "{said}");
    assert!(said.contains("does not want this worker: the code is wrong"), "{said}");

    let paired = site.ask(Method::POST, "workers/pairings", json!({"name": "paris-1"})).await;
    let by_broker: Vec<&str> = broker.iter().flat_map(|url| ["--broker", url]).collect();
    let first = ["worker", "--server", &site.base, "--code", paired["code"].as_str().unwrap()];
    let mut command = netwark(there.path());
    command.args(first).args(&by_broker).env("NETWARK_WORKER__QUEUES", "nosuch");
    let mut refused = Process(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let (status, said) = refused.end().await;
    assert_eq!(status.code(), Some(4), "{said}");
    assert!(said.contains("nosuch' is no queue"), "{said}");

    let mut worker = start(there.path(), &[&["worker"], &by_broker[..]].concat());
    let seen = site.worker("online").await;
    assert_eq!(seen["link"], if broker.is_some() { "amqp" } else { "websocket" });
    assert_eq!(site.measure().await, "done");
    let offset = site.worker_with("clock_offset_ms", |offset| !offset.is_null()).await;
    assert!(offset.as_i64().unwrap().abs() <= 101, "both have the same clock: {offset}");

    worker.tell(Signal::USR1);
    site.worker("draining").await;
    let shell = |arguments: &[&str]| {
        let told = netwark(here.path()).arg("workers").args(arguments).output().unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    };
    shell(&["drain", "paris-1", "--resume"]);
    site.worker("online").await;
    assert_eq!(site.measure().await, "done", "what is online takes work");

    shell(&["revoke", "paris-1"]);
    let (status, said) = worker.end().await;
    assert_eq!(status.code(), Some(4), "{said}");
    assert!(said.contains("revoked"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_over_a_link_is_corrected_resumed_and_revoked() {
    corrected_resumed_and_revoked(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_at_the_broker_is_corrected_resumed_and_revoked() {
    if let Some(url) = broker() {
        corrected_resumed_and_revoked(Some(&url)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_worker_reads_its_configuration_again() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (site, _server) = serve(here.path(), "").await;
    let paired = site.ask(Method::POST, "workers/pairings", json!({"name": "paris-1"})).await;
    let config = there.path().join("netwark.toml");
    let write = |filter: &str, file: &str, list: &str| {
        let list_path = there.path().join("list.toml");
        std::fs::write(&list_path, list).unwrap();
        let (file, list) = (there.path().join(file), list_path.display());
        let log = format!("[log]\nfilter = \"{filter}\"\nfile = \"{}\"\n", file.display());
        std::fs::write(&config, format!("{log}[worker]\npolicy_file = \"{list}\"\n")).unwrap();
        file
    };
    let first = write("warn", "first.log", "allow = ['127.0.0.0/8']");
    let config_file = config.to_str().unwrap();
    let code = paired["code"].as_str().unwrap();
    let arguments = ["worker", "--config", config_file, "--server", &site.base, "--code", code];
    let worker = start(there.path(), &arguments);
    let seen = site.worker("online").await;
    assert_eq!(seen["policy"], "127.0.0.0/8");
    assert_eq!(site.measure().await, "done");

    let second = write("info", "second.log", "allow = ['192.0.2.0/24']");
    worker.tell(Signal::HUP);
    site.worker_with("policy", |policy| policy == "192.0.2.0/24").await;
    assert_eq!(site.measure().await, "error", "the new list forbids it");
    let lines = std::fs::read_to_string(&second).unwrap();
    assert!(lines.contains("INFO the configuration was read again"), "{lines}");
    assert!(!std::fs::read_to_string(first).unwrap().contains("INFO"), "the first filter lets less through");

    // A mistake changes nothing.
    write("info", "third.log", "allow = ['127.0.0.0/8']");
    let wrong = std::fs::read_to_string(&config).unwrap() + "no_such_key = 1\n";
    std::fs::write(&config, wrong).unwrap();
    worker.tell(Signal::HUP);
    let began = Instant::now();
    while !std::fs::read_to_string(&second).unwrap().contains("no_such_key") {
        assert!(began.elapsed() < PATIENCE, "the mistake is not told");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(site.measure().await, "error");
    assert!(!there.path().join("third.log").exists());
}

/// A proxy that leads everybody to one place, whatever they ask for, and says what that was.
async fn proxy_to(port: u16) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    let (said, asked) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let line = String::from_utf8_lossy(&head).lines().next().unwrap().to_owned();
            said.send(line).unwrap();
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
            let mut server = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut stream, &mut server).await });
        }
    });
    (own, asked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_behind_a_proxy_knows_no_names() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let told = |arguments: &[&str]| {
        let output = netwark(here.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let token = told(&["token", "create", "test", "--role", "admin"]);
    let worker_token = told(&["workers", "create", "inside"]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let site = Site { base: format!("http://{listen}"), client: Client::new(), token };
    let mut serve = netwark(here.path());
    serve.env("NETWARK_SERVER__PUBLIC_URLS", "http://netwark.invalid:6543");
    serve.env("NETWARK_WORKER__EMBEDDED", "false").args(["serve", "--listen", &listen]);
    let _server = Process(serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    site.serving().await;

    let (proxy, mut asked) = proxy_to(port).await;
    let mut worker = netwark(there.path());
    worker
        .env("HTTP_PROXY", format!("http://127.0.0.1:{proxy}"))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy");
    worker.args(["worker", "--server", "http://netwark.invalid:6543", "--token", &worker_token]);
    let _worker = Process(worker.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    assert_eq!(asked.recv().await.unwrap(), "CONNECT netwark.invalid:6543 HTTP/1.1");
    let tested = site.worker("online").await["self_test"].to_string();
    assert!(!tested.contains("netwark.invalid"), "the self-test asks for the proxy alone: {tested}");
    assert_eq!(site.measure().await, "done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_broker_from_an_enrolment_to_a_revocation() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let Some(broker) = broker::given() else { return };
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::create_dir_all(here.path().join(".config/netwark")).unwrap();
    std::fs::write(here.path().join(".config/netwark/netwark.toml"), format!("[broker]\nurl = '{broker}'\n"))
        .unwrap();
    let told = netwark(here.path()).args(["token", "create", "t", "--role", "admin"]).output().unwrap();
    let listen =
        format!("127.0.0.1:{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let _server = start(here.path(), &["serve", "--listen", &listen]);
    let site = Site {
        base: format!("http://{listen}"),
        client: Client::new(),
        token: String::from_utf8(told.stdout).unwrap().trim().to_owned(),
    };
    site.serving().await;

    let made = site.ask(Method::POST, "workers", json!({"name": "paris-1"})).await;
    let token = made["token"].as_str().unwrap();
    let enrolled =
        netwark(there.path()).args(["worker", "enrol", "--server", &site.base, "--token", token]).output();
    let enrolled = enrolled.unwrap();
    let text = String::from_utf8_lossy(&enrolled.stdout);
    let id = made["worker"]["id"].as_str().unwrap();
    assert!(enrolled.status.success() && text.contains(id) && text.contains("set_permissions"), "{text}");

    let live = ["worker", "--broker", &broker];
    let mut worker = start(there.path(), &live);
    let seen = site.worker("online").await;
    assert_eq!((seen["name"].as_str(), seen["link"].as_str()), (Some("paris-1"), Some("amqp")));
    assert_eq!(site.measure().await, "done");

    // While it drains, what runs ends and what is new waits.
    let running = site.begin(15).await;
    site.result(&running, |status| status == "progress").await;
    worker.tell(Signal::USR1);
    site.worker("draining").await;
    let waiting = site.begin(1).await;
    assert_eq!(site.result(&running, |status| !matches!(status, "pending" | "progress")).await, "done");
    assert_eq!(site.result(&waiting, |_| true).await, "pending");
    worker.tell(Signal::USR1);
    site.worker("online").await;
    assert_eq!(site.result(&waiting, |status| status != "pending" && status != "progress").await, "done");
    worker.tell(Signal::TERM);
    let (status, said) = worker.end().await;
    assert_eq!(status.code(), Some(0), "{said}");
    site.worker("offline").await;

    let mut worker = start(there.path(), &live);
    site.worker("online").await;
    site.ask(Method::POST, &format!("workers/{id}/revoke"), json!({})).await;
    for _ in 0..2 {
        let (status, said) = worker.end().await;
        assert_eq!(status.code(), Some(4), "{said}");
        assert!(said.contains("revoked"), "{said}");
        worker = start(there.path(), &live);
    }
}

#[test]
fn a_worker_that_nobody_enrolled_says_what_to_do() {
    let there = tempfile::tempdir().unwrap();
    let told = netwark(there.path()).arg("worker").output().unwrap();
    let text = String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(2), "{text}");
    assert!(text.contains("--server") && text.contains("--code"), "{text}");
    let told =
        netwark(there.path()).args(["worker", "--server", "https://x", "--token", "nwk_x"]).output().unwrap();
    let text = String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(2), "{text}");
    assert!(text.contains("nww_"), "{text}");
}
