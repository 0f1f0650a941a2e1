//! A server here and one worker at a site.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::chaos::process::{Process, netwark, output, until};
use crate::chaos::site::Site;

/// A server here and a worker at the site.
pub(crate) struct Scene {
    base: String,
    client: reqwest::Client,
    _server: Process,
    worker: Option<Process>,
    /// Where the worker reaches the server, and with what it shows who it is.
    reached: String,
    worker_token: String,
    directory: TempDir,
}

impl Scene {
    /// Starts both and waits until the worker is there. It reaches the server at `detour`, or where it listens,
    /// and they say to each other every so many seconds that they are there.
    pub(crate) async fn start(site: &Site, listen: &str, detour: Option<&str>, keepalive: u8) -> Self {
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
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        let client = reqwest::Client::builder().default_headers(headers).no_proxy().build().unwrap();
        let mut scene =
            Self { base, client, _server: server, worker: None, reached, worker_token, directory };
        scene.start_worker(site);
        until("the worker comes", || async { scene.get("/workers").await[0]["online"] == true }).await;
        scene
    }

    /// Starts the worker, whether or not the server can be reached.
    pub(crate) fn start_worker(&mut self, site: &Site) {
        let data = self.directory.path().join("worker");
        let mut worker = site.netwark(&data);
        worker.args(["worker", "--server", &self.reached, "--token", &self.worker_token]);
        self.worker = Some(Process::spawn(&mut worker, &data.join("log")));
    }

    /// Ends the worker without warning.
    pub(crate) fn kill_worker(&mut self) {
        self.worker = None;
    }

    /// What server and worker logged, for a test that fails.
    pub(crate) fn logs(&self) -> String {
        let log = |of: &str| {
            std::fs::read_to_string(self.directory.path().join(of).join("log")).unwrap_or_default()
        };
        format!("== server\n{}\n== worker\n{}", log("server"), log("worker"))
    }

    /// What the server says to something that is asked of it.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}/api/v1{path}", self.base)).json(body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let said: Value = answer.json().await.unwrap_or_default();
        assert!(status.is_success(), "{path}: {status}: {said}");
        said
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}/api/v1{path}", self.base));
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Asks for a ping; returns the path of the operation.
    pub(crate) async fn ping(&self, more: &Value) -> String {
        let mut body = json!({"type": "ping", "target": "127.0.0.1"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = self.post("/operations", &body).await;
        format!("/operations/{}", made["operation_id"].as_str().unwrap())
    }

    pub(crate) async fn is(&self, path: &str, status: &str) -> bool {
        self.get(path).await["status"] == status
    }

    /// What happened to the worker, oldest first, without the rest.
    pub(crate) async fn comings_and_goings(&self) -> Vec<String> {
        let events = self.get("/events").await;
        let kinds =
            events.as_array().unwrap().iter().rev().map(|event| event["kind"].as_str().unwrap().to_owned());
        kinds.filter(|kind| matches!(kind.as_str(), "worker_online" | "worker_offline")).collect()
    }
}
