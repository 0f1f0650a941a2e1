//! Messaging and storage without measuring: a server with a tool that does nothing, workers that have only it,
//! and a load of operations. `benches/` runs it.
//!
//!     messaging serve --database URL [--broker URL] --directory DIR --workers N --amqp-workers M [--embedded]
//!     messaging swarm --server URL [--broker URL] --directory DIR
//!     messaging load --server URL --token TOKEN --operations N --at-once M
//!     messaging broadcast --server URL --token TOKEN --rounds N

#![expect(clippy::print_stdout, reason = "what was measured is printed")]

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use jiff::Timestamp;
use netwark_bus::amqp::{AmqpOptions, AmqpServerBus, AmqpWorkerBus};
use netwark_bus::signing::SigningKey;
use netwark_bus::websocket::{WebSocketBus, WebSocketOptions};
use netwark_bus::{ServerBus, WorkerBus, local};
use netwark_lookup::dns::Resolver;
use netwark_model::auth::Role;
use netwark_model::error::FieldError;
use netwark_model::queues;
use netwark_model::tools::{Registry, Tool, ToolText};
use netwark_model::workers::WorkerOverrides;
use netwark_probe::engine::{Engine, EngineOptions};
use netwark_server::auth::{self, Auth, AuthSettings, Site, SiteSettings};
use netwark_server::{App, Listener, ServerSettings};
use netwark_store::workers::{Credential, NewWorker};
use netwark_store::{Store, StoreOptions};
use netwark_worker::{Context, Policy, RunningWorker, Toolbox, WorkerSettings};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tracing_subscriber::EnvFilter;
use utoipa::ToSchema;
use uuid::Uuid;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Parser)]
enum Command {
    /// Serve, and enrol workers.
    Serve {
        #[arg(long)]
        database: String,
        #[arg(long)]
        broker: Option<String>,
        #[arg(long)]
        directory: PathBuf,
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        #[arg(long, default_value_t = 0)]
        workers: usize,
        #[arg(long, default_value_t = 0)]
        amqp_workers: usize,
        #[arg(long)]
        embedded: bool,
    },
    /// Be all enrolled workers.
    Swarm {
        #[arg(long)]
        server: String,
        #[arg(long)]
        broker: Option<String>,
        #[arg(long)]
        directory: PathBuf,
    },
    /// Post operations for any one worker, and wait for their end.
    Load {
        #[arg(long)]
        server: String,
        #[arg(long)]
        token: String,
        #[arg(long)]
        operations: usize,
        #[arg(long)]
        at_once: usize,
    },
    /// Post operations for every worker, one after the other.
    Broadcast {
        #[arg(long)]
        server: String,
        #[arg(long)]
        token: String,
        #[arg(long)]
        rounds: usize,
    },
}

/// A tool that does nothing.
struct Noop;

/// It has no options.
#[derive(Debug, Default, Serialize, Deserialize, clap::Args, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct NoopOptions {}

impl Tool for Noop {
    type Options = NoopOptions;
    const TEXT: ToolText =
        ToolText { name: "noop", title: "Nothing", summary: "Does nothing.", target: "Any name." };

    fn check(_: &NoopOptions) -> Vec<FieldError> {
        Vec::new()
    }

    fn longest_ms(_: &NoopOptions) -> u64 {
        1000
    }
}

/// A worker that was enrolled.
#[derive(Serialize, Deserialize)]
struct Enrolled {
    id: Uuid,
    token: String,
    amqp: bool,
}

#[tokio::main]
async fn main() -> Outcome {
    rustls::crypto::aws_lc_rs::default_provider().install_default().map_err(|_| "a provider is installed")?;
    // Nothing is said unless RUST_LOG asks for it: what is measured would pay for it.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match Command::parse() {
        Command::Serve { database, broker, directory, listen, workers, amqp_workers, embedded } => {
            let numbers = (workers, amqp_workers);
            serve(&database, broker.as_deref(), &directory, listen, numbers, embedded).await
        }
        Command::Swarm { server, broker, directory } => swarm(&server, broker.as_deref(), &directory).await,
        Command::Load { server, token, operations, at_once } => {
            load(&server, &token, operations, at_once).await
        }
        Command::Broadcast { server, token, rounds } => broadcast(&server, &token, rounds).await,
    }
}

async fn serve(
    database: &str,
    broker: Option<&str>,
    directory: &Path,
    listen: SocketAddr,
    (workers, amqp_workers): (usize, usize),
    embedded: bool,
) -> Outcome {
    std::fs::create_dir_all(directory)?;
    let store = Store::open(&StoreOptions::new(database)).await?;
    store.declare_queues(&[]).await?;
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let (_, token) = auth::add_token(&store, &format!("bench-{}", Uuid::now_v7()), Role::Operator).await?;
    let mut enrolled = Vec::new();
    for number in 0..workers + amqp_workers {
        enrolled.push(enrol(&store, directory, number, number >= workers).await?);
    }
    std::fs::write(directory.join("workers.json"), serde_json::to_vec(&enrolled)?)?;

    let (local_bus, worker_bus) = local::pair();
    let bus: Arc<dyn ServerBus> = match broker {
        Some(url) => Arc::new(AmqpServerBus::connect(&AmqpOptions::new(url))?),
        None => Arc::new(local_bus),
    };
    let site = Site::new(&SiteSettings { listen: vec![address], ..SiteSettings::default() });
    let site = site.map_err(|mistakes| mistakes.join("; "))?;
    let auth = Auth::new(store.clone(), AuthSettings::default(), site);
    let own = Uuid::now_v7();
    let settings = ServerSettings { embedded_worker: embedded.then_some(own), ..ServerSettings::default() };
    let app = App::new(store, bus, Registry::standard().with::<Noop>(), auth, settings);
    let _running = netwark_server::run(app, vec![Listener::tcp(listener)]).await?;
    let worker = embedded.then(|| start(own, "own".into(), Arc::new(worker_bus), &engine(), true));
    if let Some(worker) = &worker {
        worker.ready().await.map_err(|unwelcome| unwelcome.reason)?;
    }
    println!("{}", json!({ "server": format!("http://{address}"), "token": token.reveal() }));
    std::future::pending().await
}

async fn enrol(store: &Store, directory: &Path, number: usize, amqp: bool) -> Outcome<Enrolled> {
    let id = Uuid::now_v7();
    let token = format!("nww_{}_{}", id.simple(), Uuid::new_v4().simple());
    let public_key = match amqp {
        true => Some(SigningKey::load_or_create(&directory.join(format!("{id}.key")))?.public_key()),
        false => None,
    };
    let name = Some(format!("worker-{number:04}"));
    let overrides = WorkerOverrides { name, ..WorkerOverrides::default() };
    let new = NewWorker { id, overrides, public_key, by: "bench".into() };
    let credential = Credential::Token(Sha256::digest(token.as_bytes()).into());
    store.enrol_worker(new, credential, Timestamp::now()).await?;
    Ok(Enrolled { id, token, amqp })
}

fn engine() -> Outcome<Engine> {
    Ok(Engine::start(EngineOptions::default())?)
}

fn start(
    id: Uuid,
    name: String,
    bus: Arc<dyn WorkerBus>,
    engine: &Outcome<Engine>,
    embedded: bool,
) -> RunningWorker {
    let Ok(engine) = engine else { std::process::exit(1) };
    let context = Context::new(engine.clone(), Resolver::with_servers(&[]), Policy::default(), &name);
    let settings = WorkerSettings {
        id,
        name,
        queues: vec![queues::ANY.into(), queues::BROADCAST.into()],
        concurrency: 64,
        embedded,
        boot: 1,
        ..WorkerSettings::default()
    };
    let tools = Toolbox::default().with("noop", |_, _, _| Box::pin(async { Ok(json!({})) }));
    netwark_worker::start(settings, bus, tools, context)
}

async fn swarm(server: &str, broker: Option<&str>, directory: &Path) -> Outcome {
    let enrolled: Vec<Enrolled> = serde_json::from_slice(&std::fs::read(directory.join("workers.json"))?)?;
    let engine = engine();
    let mut running = Vec::new();
    for worker in enrolled {
        let bus: Arc<dyn WorkerBus> = match (worker.amqp, broker) {
            (true, Some(url)) => {
                let key = SigningKey::load(&directory.join(format!("{}.key", worker.id)))?;
                Arc::new(AmqpWorkerBus::connect(&AmqpOptions::new(url), worker.id, key)?)
            }
            _ => Arc::new(WebSocketBus::connect(&WebSocketOptions::new(server, worker.token, "0.0.0"))?),
        };
        running.push(start(worker.id, worker.id.to_string(), bus, &engine, false));
    }
    for worker in &running {
        worker.ready().await.map_err(|unwelcome| unwelcome.reason)?;
    }
    println!("{}", json!({ "ready": running.len() }));
    std::future::pending().await
}

fn client(token: &str) -> Outcome<reqwest::Client> {
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse()?);
    Ok(reqwest::Client::builder().default_headers(headers).no_proxy().build()?)
}

async fn post(client: &reqwest::Client, server: &str, queue: &str) -> Outcome<String> {
    let body = json!({ "type": "noop", "target": "nothing", "queues": [queue] });
    let answer = client.post(format!("{server}/api/v1/operations")).json(&body).send().await?;
    let status = answer.status();
    let answer: Value = answer.json().await?;
    match answer["operation_id"].as_str() {
        Some(id) if status.is_success() => Ok(id.to_owned()),
        _ => Err(format!("{status}: {answer}").into()),
    }
}

async fn is_done(client: &reqwest::Client, server: &str, id: &str) -> Outcome<bool> {
    let detail: Value = client.get(format!("{server}/api/v1/operations/{id}")).send().await?.json().await?;
    match detail["status"].as_str() {
        Some("pending" | "progress") => Ok(false),
        Some("done") => Ok(true),
        _ => Err(detail.to_string().into()),
    }
}

/// How many operations have this status.
async fn open(client: &reqwest::Client, server: &str, status: &str) -> Outcome<u64> {
    let url = format!("{server}/api/v1/operations?status={status}&per_page=1");
    let answer = client.get(url).send().await?;
    let count = answer.headers().get("x-total-count").and_then(|count| count.to_str().ok()?.parse().ok());
    count.ok_or_else(|| "the list has no count".into())
}

async fn load(server: &str, token: &str, operations: usize, at_once: usize) -> Outcome {
    let client = client(token)?;
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..at_once {
        let (client, next, server) = (client.clone(), Arc::clone(&next), server.to_owned());
        tasks.spawn(async move {
            let mut made: Vec<String> = Vec::new();
            while next.fetch_add(1, Ordering::Relaxed) < operations {
                made.push(post(&client, &server, queues::ANY).await?);
            }
            Outcome::Ok(made)
        });
    }
    let mut made = Vec::new();
    while let Some(task) = tasks.join_next().await {
        made.extend(task??);
    }
    let posted = began.elapsed();
    while open(&client, server, "pending").await? + open(&client, server, "progress").await? > 0 {
        if began.elapsed() > Duration::from_secs(600) {
            return Err("it takes too long".into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let done = began.elapsed();
    println!(
        "{}",
        json!({
            "operations": made.len(),
            "posted_s": posted.as_secs_f64(),
            "done_s": done.as_secs_f64(),
            "per_second": made.len() as f64 / done.as_secs_f64(),
        })
    );
    Ok(())
}

async fn broadcast(server: &str, token: &str, rounds: usize) -> Outcome {
    let client = client(token)?;
    let mut took = Vec::new();
    let mut results = 0;
    for _ in 0..rounds {
        let began = Instant::now();
        let id = post(&client, server, queues::BROADCAST).await?;
        while !is_done(&client, server, &id).await? {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        took.push(began.elapsed().as_secs_f64());
        let detail: Value =
            client.get(format!("{server}/api/v1/operations/{id}")).send().await?.json().await?;
        results = detail["counts"]["done"].as_u64().unwrap_or(0);
    }
    println!("{}", json!({ "results": results, "seconds": took }));
    Ok(())
}
