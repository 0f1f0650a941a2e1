//! A server on a port of loopback, and workers that are linked to it.

use std::sync::Arc;
use std::time::Duration;

use netwark_bus::local::{self, LocalWorkerBus};
use netwark_bus::websocket::{Timing, WebSocketBus, WebSocketOptions};
use netwark_bus::{BusError, Consumer, IncomingDelivery, LinkState, ServerBus, WorkerBus};
use netwark_model::auth::Role;
use netwark_model::messages::{
    End, Hello, News, Order, Report, RunOrder, Unwelcome, Welcome, control, inbox, mark,
};
use netwark_model::tools::Registry;
use netwark_model::workers::WorkerOverrides;
use netwark_server::auth::{self, Auth, AuthSettings, Site, SiteSettings};
use netwark_server::{App, Listener, Running, ServerSettings};
use netwark_store::Store;
use netwark_store::workers::{Credential, NewWorker};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use uuid::Uuid;

/// No step of a test takes so long unless something is stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn within<T>(step: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, step).await.unwrap()
}

/// A server that answers.
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) url: String,
    /// Token of an operator.
    pub(crate) token: String,
    pub(crate) running: Running,
    /// The other side of its bus.
    pub(crate) bus: LocalWorkerBus,
}

impl Server {
    pub(crate) async fn on(store: Store) -> Self {
        let (server_bus, bus) = local::pair();
        Self::with_bus(store, Arc::new(server_bus), bus).await
    }

    pub(crate) async fn with_bus(store: Store, server_bus: Arc<dyn ServerBus>, bus: LocalWorkerBus) -> Self {
        store.declare_queues(&[]).await.unwrap();
        let name = format!("test-{}", Uuid::now_v7());
        let (_, token) = auth::add_token(&store, &name, Role::Operator).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let site = SiteSettings { listen: vec![address], ..SiteSettings::default() };
        let auth = Auth::new(store.clone(), AuthSettings::default(), Site::new(&site).unwrap());
        let app = App::new(store, server_bus, Registry::standard(), auth, ServerSettings::default());
        let running = netwark_server::run(app.clone(), vec![Listener::tcp(listener)]).await.unwrap();
        let url = format!("http://{address}");
        Self { app, url, token: token.reveal().to_owned(), running, bus }
    }

    /// Enrols a worker; returns its id and token.
    pub(crate) async fn enrol(&self, name: &str) -> (Uuid, String) {
        self.enrol_with(name, None).await
    }

    /// The same, with the public half of the key it will sign with.
    pub(crate) async fn enrol_with(&self, name: &str, public_key: Option<String>) -> (Uuid, String) {
        let id = Uuid::now_v7();
        let token = format!("nww_{}_{}", id.simple(), Uuid::new_v4().simple());
        let overrides = WorkerOverrides { name: Some(name.into()), ..WorkerOverrides::default() };
        let new = NewWorker { id, overrides, public_key, by: "the test".into() };
        let credential = Credential::Token(Sha256::digest(token.as_bytes()).into());
        self.app.store.enrol_worker(new, credential, jiff::Timestamp::now()).await.unwrap();
        (id, token)
    }

    /// Asks for a ping by any worker of the queue; returns the id of the operation.
    pub(crate) async fn operation(&self, queue: &str) -> String {
        self.operation_within(queue, 60_000).await
    }

    /// The same, to be taken within so many milliseconds.
    pub(crate) async fn operation_within(&self, queue: &str, take_within_ms: u64) -> String {
        let asked = json!({
            "type": "ping", "target": "127.0.0.1", "queues": [queue], "take_within_ms": take_within_ms,
        });
        let request = reqwest::Client::new().post(format!("{}/api/v1/operations", self.url));
        let answer = within(request.bearer_auth(&self.token).json(&asked).send()).await.unwrap();
        let status = answer.status();
        let body: Value = within(answer.json()).await.unwrap();
        assert_eq!(status, 201, "{body}");
        body["operation_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn cancel(&self, operation: &str) {
        let request =
            reqwest::Client::new().post(format!("{}/api/v1/operations/{operation}/cancel", self.url));
        let answer = within(request.bearer_auth(&self.token).json(&json!({})).send()).await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    pub(crate) async fn results(&self, operation: &str) -> Value {
        self.detail(operation).await["results"].clone()
    }

    /// Everything the API says of an operation.
    pub(crate) async fn detail(&self, operation: &str) -> Value {
        let request = reqwest::Client::new().get(format!("{}/api/v1/operations/{operation}", self.url));
        let answer = within(request.bearer_auth(&self.token).send()).await.unwrap();
        within(answer.json::<Value>()).await.unwrap()
    }

    /// A number of `/metrics`, by its name with its labels; 0 while nothing was counted.
    pub(crate) async fn counted(&self, series: &str) -> u64 {
        let request = reqwest::Client::new().get(format!("{}/metrics", self.url));
        let answer = within(request.bearer_auth(&self.token).send()).await.unwrap();
        assert_eq!(answer.status(), 200);
        let text = within(answer.text()).await.unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map_or(0, |value| value.trim().parse().unwrap())
    }
}

/// A worker over a WebSocket, played by the test.
pub(crate) struct Player {
    pub(crate) id: Uuid,
    pub(crate) bus: WebSocketBus,
    orders: Box<dyn Consumer>,
    sequence: u32,
    boot: u32,
}

impl Player {
    pub(crate) fn connect(server: &Server, id: Uuid, token: &str) -> Self {
        let mut options = WebSocketOptions::new(&server.url, token, "0.0.0");
        options.timing = Timing { longest_pause: Duration::from_millis(400), ..Timing::default() };
        let bus = WebSocketBus::connect(&options).unwrap();
        let orders = bus.listen(vec![control(id)], usize::MAX);
        // Later lives have higher numbers.
        let boot = u32::try_from(jiff::Timestamp::now().as_millisecond() & 0x7fff_ffff).unwrap();
        Self { id, bus, orders, sequence: 0, boot }
    }

    /// Connects and says hello; what it is welcomed with.
    pub(crate) async fn arrive(server: &Server, id: Uuid, token: &str) -> (Self, Welcome) {
        let mut player = Self::connect(server, id, token);
        player.up().await;
        let welcome = player.hello().await;
        (player, welcome)
    }

    pub(crate) async fn up(&self) {
        within(self.bus.state().wait_for(|state| *state == LinkState::Up)).await.unwrap();
    }

    /// Waits until the link has ended for good.
    pub(crate) async fn ended(&self) -> Unwelcome {
        let mut state = self.bus.state();
        let ended = within(state.wait_for(|state| matches!(state, LinkState::Ended(_)))).await.unwrap();
        match &*ended {
            LinkState::Ended(unwelcome) => unwelcome.clone(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn marked(&mut self, news: News) -> Report {
        self.sequence += 1;
        Report::new(self.id, mark(self.boot, self.sequence), news)
    }

    pub(crate) async fn report(&mut self, news: News) -> Result<(), BusError> {
        let report = self.marked(news);
        within(self.bus.report(report)).await
    }

    pub(crate) async fn hello(&mut self) -> Welcome {
        let hello = Hello {
            name: format!("player-{}", self.id),
            queues: vec!["netwark".into(), "netwark.broadcast".into()],
            ..Hello::default()
        };
        let report = self.marked(News::Hello(Box::new(hello)));
        let mark = report.mark;
        within(self.bus.report(report)).await.unwrap();
        loop {
            let incoming = within(self.orders.next()).await.unwrap();
            let order = incoming.delivery.order.clone();
            incoming.acknowledge();
            if let Order::Welcome(welcome) = order
                && welcome.answers == mark
            {
                return welcome;
            }
        }
    }

    /// Listens for work on its inbox and these queues.
    pub(crate) fn work(&self, queues: &[&str], most: usize) -> Box<dyn Consumer> {
        let queues = queues.iter().map(|queue| (*queue).to_owned());
        self.bus.listen([inbox(self.id)].into_iter().chain(queues).collect(), most)
    }

    /// Reports that an order was run.
    pub(crate) async fn done(&mut self, order: &RunOrder) {
        let RunOrder { operation_id, result_id, .. } = *order;
        self.report(News::Started { operation_id, result_id, redelivered: false }).await.unwrap();
        let end = End::Done { payload: json!({}) };
        self.report(News::Final { operation_id, result_id, end }).await.unwrap();
    }
}

/// The order to run something.
pub(crate) fn run_order(incoming: &IncomingDelivery) -> RunOrder {
    match &incoming.delivery.order {
        Order::Run(order) => order.clone(),
        other => panic!("{other:?}"),
    }
}
