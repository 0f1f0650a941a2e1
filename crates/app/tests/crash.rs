//! `kill -9` of a server in the middle of its work: nothing acknowledged is lost.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const OPERATIONS: usize = 100;
/// How many measurements the worker runs at once.
const PLACES: usize = 8;
/// Long enough for a debug build on a busy machine; nothing is timed by it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server process; killed when it goes out of scope.
struct Server {
    process: Child,
    base: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn netwark(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netwark"));
    command.env("NETWARK_DATA_DIR", data).env("HOME", data).env_remove("NETWARK_CONFIG");
    command
}

async fn serve(data: &Path) -> Server {
    let port = free_port();
    let process = netwark(data)
        .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = Server { process, base: format!("http://127.0.0.1:{port}") };
    let began = Instant::now();
    while reqwest::get(format!("{}/readyz", server.base)).await.is_err() {
        assert!(began.elapsed() < PATIENCE, "the server does not answer");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server
}

async fn list(client: &reqwest::Client, server: &Server) -> Vec<Value> {
    let url = format!("{}/api/v1/operations?per_page=1000", server.base);
    client.get(url).send().await.unwrap().json().await.unwrap()
}

async fn workers_online(client: &reqwest::Client, server: &Server) {
    let began = Instant::now();
    loop {
        let workers: Value =
            client.get(format!("{}/api/v1/workers", server.base)).send().await.unwrap().json().await.unwrap();
        if workers.as_array().unwrap().iter().any(|worker| worker["online"] == true) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "the worker does not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn is_final(operation: &Value) -> bool {
    !matches!(operation["status"].as_str(), Some("pending" | "progress"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_ends_with_its_reason() {
    // `make soak` asks for more.
    let rounds =
        std::env::var("NETWARK_SOAK_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    for _ in 0..rounds {
        kill_in_the_middle().await;
    }
}

async fn kill_in_the_middle() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join(".config/netwark")).unwrap();
    let config = format!("[worker]\nconcurrency = {PLACES}\n");
    std::fs::write(directory.path().join(".config/netwark/netwark.toml"), config).unwrap();
    let token =
        netwark(directory.path()).args(["token", "create", "crash", "--role", "operator"]).output().unwrap();
    assert!(token.status.success(), "{}", String::from_utf8_lossy(&token.stderr));
    let token = String::from_utf8(token.stdout).unwrap();
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("authorization", format!("Bearer {}", token.trim()).parse().unwrap());
    let client = reqwest::Client::builder().default_headers(headers).build().unwrap();

    let server = serve(directory.path()).await;
    workers_online(&client, &server).await;
    let mut made = Vec::new();
    for number in 0..OPERATIONS {
        let queue = if number % 2 == 0 { "netwark" } else { "netwark.broadcast" };
        // The first take all the places until the server dies, so that the others wait however slow this machine is.
        let options = if number < PLACES { "-c 100 -i 0.2" } else { "-c 2 -i 0.2" };
        let body = json!({"type": "ping", "target": "127.0.0.1", "options": options, "queues": [queue]});
        let answer =
            client.post(format!("{}/api/v1/operations", server.base)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        made.push(answer.json::<Value>().await.unwrap()["operation_id"].as_str().unwrap().to_owned());
    }
    let ended_before = list(&client, &server).await.iter().filter(|o| is_final(o)).count();
    drop(server);

    let server = serve(directory.path()).await;
    let began = Instant::now();
    let operations = loop {
        let operations = list(&client, &server).await;
        if operations.iter().all(is_final) {
            break operations;
        }
        assert!(began.elapsed() < PATIENCE, "not every operation ended");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(operations.len(), OPERATIONS, "none lost, none doubled");
    let mut fates: BTreeMap<String, usize> = BTreeMap::new();
    for id in &made {
        let url = format!("{}/api/v1/operations/{id}", server.base);
        let detail: Value = client.get(url).send().await.unwrap().json().await.unwrap();
        let results = detail["results"].as_array().unwrap();
        assert_eq!(results.len(), 1, "{detail}");
        let cause = results[0]["payload"]["cause"].as_str().unwrap_or_default();
        let status = results[0]["status"].as_str().unwrap();
        *fates.entry(format!("{status} {cause}").trim().to_owned()).or_default() += 1;
    }
    let restarted = fates.get("error server restarted").copied().unwrap_or(0);
    assert!((1..=PLACES).contains(&restarted), "what had begun ends with its reason: {fates:?}");
    assert_eq!(fates.values().sum::<usize>(), OPERATIONS);
    assert!(ended_before < OPERATIONS - PLACES, "work was still waiting when the server died");
    assert!(fates.len() <= 2, "what had not begun was run: {fates:?}");

    let checked = netwark(directory.path()).args(["doctor", "--json"]).output().unwrap();
    let checked = String::from_utf8(checked.stdout).unwrap();
    assert!(checked.contains("sound"), "the database is intact: {checked}");
}
