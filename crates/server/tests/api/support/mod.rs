//! A whole server in one call: its real router, a database of its own, and a worker played by the test.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use futures::StreamExt;
use netwark_bus::local::{self, LocalWorkerBus};
use netwark_bus::{BusError, Consumer, WorkerBus};
use netwark_model::auth::Role;
use netwark_model::error::FieldError;
use netwark_model::messages::{End, Hello, News, Order, Report, RunOrder, control, inbox, mark};
use netwark_model::tools::{Registry, Tool, ToolText};
use netwark_model::workers::Capabilities;
use netwark_server::auth::{self, Auth, AuthSettings, Site, SiteSettings};
use netwark_server::listen::Peer;
use netwark_server::{App, Running, ServerSettings, router};
use netwark_store::{Store, StoreOptions};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::ServiceExt;
use utoipa::ToSchema;
use uuid::Uuid;

/// A tool that exists in tests only.
pub(crate) struct Echo;

/// Options of the made-up tool.
#[derive(Debug, Default, Serialize, Deserialize, clap::Args, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EchoOptions {
    /// How often it is repeated.
    #[arg(short = 'r', long, default_value_t = 0, value_name = "N")]
    #[schema(minimum = 0, maximum = 9, default = 0)]
    pub repeat: u8,
    /// In capitals.
    #[arg(long)]
    #[schema(default = false)]
    pub loud: bool,
}

impl Tool for Echo {
    type Options = EchoOptions;
    const TEXT: ToolText =
        ToolText { name: "echo", title: "Echo", summary: "Says its target again.", target: "Any name." };

    fn check(options: &EchoOptions) -> Vec<FieldError> {
        if options.loud && options.repeat == 9 {
            return vec![FieldError::body("options.loud", "is too much with repeat 9")];
        }
        Vec::new()
    }

    fn longest_ms(_: &EchoOptions) -> u64 {
        1000
    }
}

/// A server under test.
pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) bus: LocalWorkerBus,
    pub(crate) token: String,
    _running: Running,
    directory: Arc<tempfile::TempDir>,
}

/// An answer that was read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

impl TestApp {
    /// A server on a fresh database, with a token of an operator.
    pub(crate) async fn new() -> Self {
        Self::with(ServerSettings::default()).await
    }

    /// The same with other settings.
    pub(crate) async fn with(settings: ServerSettings) -> Self {
        Self::on(Arc::new(tempfile::tempdir().unwrap()), settings).await
    }

    async fn on(directory: Arc<tempfile::TempDir>, settings: ServerSettings) -> Self {
        let url = format!("sqlite://{}/test.db", directory.path().display());
        let store = Store::open(&StoreOptions::new(url)).await.unwrap();
        store.declare_queues(&[]).await.unwrap();
        let name = format!("test-{}", Uuid::now_v7());
        let (_, secret) = auth::add_token(&store, &name, Role::Operator).await.unwrap();
        let site = Site::new(&SiteSettings {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 6543))],
            public_urls: Vec::new(),
            trusted_proxies: Vec::new(),
        });
        let auth = Auth::new(store.clone(), AuthSettings::default(), site.unwrap());
        let (server_bus, bus) = local::pair();
        let tools = Registry::standard().with::<Echo>();
        let app = App::new(store, Arc::new(server_bus), tools, auth, settings);
        let running = netwark_server::run(app.clone(), Vec::new()).await.unwrap();
        Self { app, bus, token: secret.reveal().to_owned(), _running: running, directory }
    }

    /// The same database under a new server, as after `kill -9`: nothing of the old one is told to stop. The worker
    /// of this id runs inside it.
    pub(crate) async fn restarted(self, embedded_worker: Uuid) -> Self {
        let directory = Arc::clone(&self.directory);
        drop(self);
        let settings = ServerSettings { embedded_worker: Some(embedded_worker), ..ServerSettings::default() };
        Self::on(directory, settings).await
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Response {
        request.extensions_mut().insert(ConnectInfo(Peer::from(SocketAddr::from(([192, 0, 2, 9], 40_000)))));
        let headers = request.headers_mut();
        headers.entry("host").or_insert("127.0.0.1:6543".parse().unwrap());
        if !headers.contains_key("authorization") {
            headers.insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        }
        router(&self.app).oneshot(request).await.unwrap()
    }

    pub(crate) async fn answer(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.send(request).await.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 24).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.answer(Request::get(format!("/api/v1{path}")).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<String>) -> Answer {
        let request = Request::post(format!("/api/v1{path}")).header("content-type", "application/json");
        self.answer(request.body(Body::from(body.into())).unwrap()).await
    }

    /// The token of an administrator.
    pub(crate) async fn admin(&self) -> String {
        let name = format!("admin-{}", Uuid::now_v7());
        auth::add_token(&self.app.store, &name, Role::Admin).await.unwrap().1.reveal().to_owned()
    }

    /// What a method of the API answers to the holder of a token.
    pub(crate) async fn ask(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let request = request.header("authorization", format!("Bearer {token}"));
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = request.header("content-type", "application/json").body(body).unwrap();
        self.answer(request).await
    }

    /// Makes an operation and returns its id.
    pub(crate) async fn operation(&self, body: Value) -> String {
        let made = self.post("/operations", body.to_string()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        made.json()["operation_id"].as_str().unwrap().to_owned()
    }

    /// Events of a stream until `enough` says so, as (event, id, data).
    pub(crate) async fn events(
        &self,
        request: Request<Body>,
        enough: impl Fn(&[(String, String, Value)]) -> bool,
    ) -> Vec<(String, String, Value)> {
        let response = self.send(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        let mut stream = response.into_body().into_data_stream();
        let mut text = String::new();
        let mut events = Vec::new();
        while !enough(&events) {
            let Some(bytes) = stream.next().await else { break };
            text.push_str(std::str::from_utf8(&bytes.unwrap()).unwrap());
            while let Some((block, rest)) = text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = block.lines().find_map(|line| line.strip_prefix(name));
                    line.map(|value| value.trim().to_owned()).unwrap_or_default()
                };
                let data = field("data:");
                if !data.is_empty() {
                    events.push((field("event:"), field("id:"), serde_json::from_str(&data).unwrap()));
                }
                text = rest.to_owned();
            }
        }
        events
    }
}

/// How often a worker was begun in this process.
static BOOTS: AtomicU32 = AtomicU32::new(0);

/// A worker played by the test.
pub(crate) struct TestWorker {
    pub(crate) id: Uuid,
    bus: LocalWorkerBus,
    work: Box<dyn Consumer>,
    orders: Box<dyn Consumer>,
    /// Which life this is: rises from worker to worker, so that a later one of the same id is a later life.
    boot: u32,
    /// Reports so far.
    said: AtomicU32,
}

impl TestWorker {
    /// A worker that has said hello.
    pub(crate) async fn new(app: &TestApp, name: &str) -> Self {
        Self::with_id(app, name, Uuid::now_v7(), false).await
    }

    pub(crate) async fn with_id(app: &TestApp, name: &str, id: Uuid, embedded: bool) -> Self {
        let mut worker = Self::silent(app, id);
        worker.report(News::Hello(Box::new(Self::hello(name, embedded)))).await.unwrap();
        match worker.order().await {
            Order::Welcome(welcome) => assert_eq!(welcome.name, name),
            other => panic!("{other:?}"),
        }
        worker
    }

    /// A worker that has said nothing yet.
    pub(crate) fn silent(app: &TestApp, id: Uuid) -> Self {
        let addresses = vec![inbox(id), "netwark".to_owned(), "netwark.broadcast".to_owned()];
        Self {
            id,
            bus: app.bus.clone(),
            work: app.bus.listen(addresses, 100),
            orders: app.bus.listen(vec![control(id)], 100),
            boot: BOOTS.fetch_add(1, Ordering::Relaxed) + 1,
            said: AtomicU32::new(0),
        }
    }

    /// What a worker of this name says of itself.
    pub(crate) fn hello(name: &str, embedded: bool) -> Hello {
        Hello {
            name: name.into(),
            site: "lab".into(),
            location: "Bench 3".into(),
            tags: vec!["test".into()],
            version: "0.0.0".into(),
            queues: vec!["netwark".to_owned(), "netwark.broadcast".to_owned()],
            capabilities: Capabilities { tools: vec!["echo".into()], ipv4: true, ..Capabilities::default() },
            policy: "all unicast addresses".into(),
            embedded,
            ..Hello::default()
        }
    }

    /// Takes the next order to run, and forgets it at once.
    pub(crate) async fn take(&mut self) -> RunOrder {
        let incoming = self.work.next().await.unwrap();
        let order = incoming.delivery.order.clone();
        incoming.acknowledge();
        match order {
            Order::Run(order) => order,
            other => panic!("{other:?}"),
        }
    }

    /// Takes the next order at the control address.
    pub(crate) async fn order(&mut self) -> Order {
        let incoming = self.orders.next().await.unwrap();
        let order = incoming.delivery.order.clone();
        incoming.acknowledge();
        order
    }

    /// The operation the next order cancels.
    pub(crate) async fn cancelled(&mut self) -> Uuid {
        match self.order().await {
            Order::Cancel { operation_id } => operation_id,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn report(&self, news: News) -> Result<(), BusError> {
        let said = self.said.fetch_add(1, Ordering::Relaxed) + 1;
        self.bus.report(Report::new(self.id, mark(self.boot, said), news)).await
    }

    pub(crate) async fn started(&self, order: &RunOrder) {
        let RunOrder { operation_id, result_id, .. } = *order;
        self.report(News::Started { operation_id, result_id, redelivered: false }).await.unwrap();
    }

    pub(crate) async fn done(&self, order: &RunOrder, payload: Value) {
        let RunOrder { operation_id, result_id, .. } = *order;
        self.report(News::Final { operation_id, result_id, end: End::Done { payload } }).await.unwrap();
    }
}
