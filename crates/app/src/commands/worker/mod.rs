//! `netwark worker`: measures from here for a server elsewhere.

mod enrol;
pub mod identity;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use netwark_bus::WorkerBus;
use netwark_bus::amqp::AmqpWorkerBus;
use netwark_bus::websocket::{WebSocketBus, WebSocketOptions};
use netwark_worker::RunningWorker;
use tokio::signal::unix::{Signal, SignalKind, signal};
use uuid::Uuid;

use self::identity::Identity;
use crate::config::layers::Key;
use crate::config::{Config, Flags, broker, worker};
use crate::failure::{Failure, Outcome};
use crate::reload::Started;
use crate::{logging, measuring, output};

/// Measure from here for a server elsewhere.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Signals: SIGTERM ends it once what runs has ended, a second one at once; SIGUSR1 lets it take no new work, or \
take work again; SIGHUP reads the settings of the log and the list of\nwhat it may touch again.
Exit codes: 0 stopped, 1 failed, 2 not understood, 4 the server does not want this worker.

Example: netwark worker --server https://netwark.example --code K7TM-3XWQ")]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    place: Place,
    /// Code from the server, exchanged for a token that is kept in the data directory
    #[arg(long, value_name = "CODE", conflicts_with_all = ["token", "token_file"])]
    code: Option<String>,
    /// RabbitMQ to take work from instead of the server; the worker must be enrolled
    #[arg(long, value_name = "URL", env = "NETWARK_WORKER_BROKER", hide_env_values = true)]
    broker: Option<String>,
    /// Its name [default: the host name]
    #[arg(long)]
    name: Option<String>,
    /// The list of what it may touch
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Register this machine's key at the server and keep token and server in the data directory
    Enrol(Place),
}

/// Where the server is, and who asks.
#[derive(Debug, clap::Args)]
struct Place {
    /// URL of the server
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Token of the worker; better in the environment or a file, where others do not see it
    #[arg(long, env = "NETWARK_WORKER_TOKEN", hide_env_values = true, conflicts_with = "token_file")]
    token: Option<String>,
    /// File that holds the token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

impl Place {
    /// The flags, those that set keys of the configuration among them.
    fn flags(self, more: [(&'static str, &'static Key, Option<String>); 3]) -> Flags {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let own = [
            ("--server", &worker::SERVER, self.server),
            ("--token", &worker::TOKEN, self.token.filter(|token| !token.trim().is_empty())),
            ("--token-file", &worker::TOKEN_FILE, self.token_file.map(text)),
        ];
        let given = own.into_iter().chain(more);
        let more = given.filter_map(|(flag, key, text)| Some((flag, key, text?))).collect();
        Flags { more, ..self.flags }
    }
}

/// Measures until it is told to stop, or that it is not wanted.
///
/// # Errors
/// Those of the configuration, the data directory and the sockets, and a server that does not want it.
pub async fn run(args: Args) -> Outcome {
    if let Some(Action::Enrol(place)) = args.action {
        return enrol(place).await;
    }
    let broker = args.broker;
    let is_broker_given = broker.is_some();
    let policy = args.policy.map(|path| path.to_string_lossy().into_owned());
    let flags = args.place.flags([
        ("--broker", &broker::URL, broker),
        ("--name", &worker::NAME, args.name),
        ("--policy", &worker::POLICY_FILE, policy),
    ]);
    let config = Config::load(&flags)?;
    let log = logging::start(&config.log)?;
    super::make_data_dir(&config)?;
    let _lock = super::lock(&config.data_dir)?;
    let identity = match args.code {
        Some(code) => Some(pair(&config, &code).await?),
        None => given(&config)?,
    };
    let id = match &identity {
        Some(identity) => identity::worker_of(&identity.token)?,
        None => return Err(Failure::Usage(UNKNOWN.into())),
    };
    // A machine may have both sections; the broker is taken when the server is not named.
    let by_broker = is_broker_given || (config.broker.amqp.is_some() && config.worker.server.is_none());
    let (bus, server_host) = match identity {
        Some(identity) if !by_broker => websocket(&config, identity)?,
        _ => amqp(&config, id)?,
    };
    let worker = measuring::start(&config, id, false, server_host, bus, Arc::default())?;
    let drain = config.worker.drain;
    live(worker, &Started { flags, effective: config.effective, log }, drain).await
}

/// Said when nobody has told the worker who it is.
const UNKNOWN: &str = "this worker is not enrolled: give --server with --code or --token, which the server's page \
                       Workers makes";

/// Token and server as the configuration has them, else as enrolling left them.
fn given(config: &Config) -> Result<Option<Identity>, Failure> {
    let kept = Identity::load(&config.data_dir)?;
    let server = config.worker.server.clone().or_else(|| kept.as_ref().map(|kept| kept.server.clone()));
    let token = config.worker.token.as_ref().map(|token| token.0.clone());
    let Some(token) = token.or_else(|| kept.map(|kept| kept.token)) else { return Ok(None) };
    Ok(Some(Identity { server: server.unwrap_or_default(), token }))
}

fn server_of(config: &Config) -> Result<&str, Failure> {
    let server = config.worker.server.as_deref();
    server.ok_or_else(|| Failure::Usage("say where the server is: --server https://HOST".into()))
}

async fn pair(config: &Config, code: &str) -> Result<Identity, Failure> {
    let key = identity::signing_key(&config.data_dir)?;
    let server = enrol::Server::new(server_of(config)?, config.worker.ca_file.as_deref())?;
    let (identity, name) = server.pair(code, &key.public_key()).await?;
    identity.keep(&config.data_dir)?;
    tracing::info!(%name, "paired; from now on this worker starts without a code");
    Ok(identity)
}

async fn enrol(place: Place) -> Outcome {
    logging::start_quiet();
    let none = |flag, key| (flag, key, None);
    let flags = place.flags([
        none("--broker", &broker::URL),
        none("--name", &worker::NAME),
        none("--policy", &worker::POLICY_FILE),
    ]);
    let config = Config::load(&flags)?;
    super::make_data_dir(&config)?;
    let Some(token) = config.worker.token.as_ref().map(|token| token.0.clone()) else {
        return Err(Failure::Usage(
            "give the worker's token: --token-file FILE, or NETWARK_WORKER_TOKEN".into(),
        ));
    };
    let id = identity::worker_of(&token)?;
    let key = identity::signing_key(&config.data_dir)?;
    let url = server_of(&config)?.trim_end_matches('/').to_owned();
    enrol::Server::new(&url, config.worker.ca_file.as_deref())?.register(&token, &key.public_key()).await?;
    Identity { server: url, token }.keep(&config.data_dir)?;
    output::line(format!("Enrolled as {id}. From now on `netwark worker` needs no token."));
    output::line("To work over RabbitMQ, give it a user of its own there with these permissions:");
    output::line(format!(
        r"  rabbitmqctl set_permissions -p VHOST USER '^$' '^nw\.reports$' '^nw\.(inbox|control)\.{id}$|^nw\.netwark(\..*)?$'"
    ));
    Ok(ExitCode::SUCCESS)
}

/// A way to the server, and the host that is connected to for it.
type Linked = (Arc<dyn WorkerBus>, Option<String>);

fn websocket(config: &Config, identity: Identity) -> Result<Linked, Failure> {
    if identity.server.is_empty() {
        return Err(Failure::Usage("say where the server is: --server https://HOST".into()));
    }
    let url = reqwest::Url::parse(&identity.server).ok();
    let host = url.as_ref().and_then(|url| url.host_str()).map(str::to_owned);
    let is_open = url.as_ref().is_some_and(|url| url.scheme() == "http");
    let is_here = host.as_deref().is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
    if is_open && !is_here {
        tracing::warn!(
            server = identity.server,
            "the link is not encrypted: who is on the way reads the token"
        );
    }
    let mut options = WebSocketOptions::new(identity.server, identity.token, env!("CARGO_PKG_VERSION"));
    options.ca_file.clone_from(&config.worker.ca_file);
    let bus = WebSocketBus::connect(&options).map_err(|error| Failure::Usage(error.to_string()))?;
    // Behind a proxy only the proxy needs to know the server's name.
    let host = bus.first_hop().to_owned();
    Ok((Arc::new(bus), Some(host)))
}

fn amqp(config: &Config, id: Uuid) -> Result<Linked, Failure> {
    let Some(options) = &config.broker.amqp else {
        return Err(Failure::Usage(UNKNOWN.into()));
    };
    let key = identity::signing_key(&config.data_dir)?;
    let bus = AmqpWorkerBus::connect(options, id, key).map_err(|error| Failure::Usage(error.to_string()))?;
    let broker = reqwest::Url::parse(&options.place()).ok();
    let host = broker.and_then(|url| url.host_str().map(str::to_owned));
    Ok((Arc::new(bus), host))
}

/// Follows signals until it is stopped or unwelcome.
async fn live(worker: RunningWorker, started: &Started, patience: Duration) -> Outcome {
    let listen = |kind: SignalKind| signal(kind).map_err(Failure::failed);
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut hangup = listen(SignalKind::hangup())?;
    let mut drain = listen(SignalKind::user_defined1())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            unwelcome = worker.unwelcome() => {
                worker.stop(Duration::ZERO).await;
                return Err(Failure::Unwelcome(unwelcome.reason));
            }
            _ = hangup.recv() => started.reload_worker(&worker),
            _ = drain.recv() => {
                let draining = !worker.wants_to_drain();
                worker.drain(draining);
                if !draining && worker.is_draining() {
                    tracing::info!("told by a signal to take work again, but the server wants this worker to drain");
                } else {
                    tracing::info!(draining, "told by a signal");
                }
            }
        }
    }
    stop(worker, patience, &mut terminate, &mut interrupt).await;
    Ok(ExitCode::SUCCESS)
}

/// Stops once what runs has ended, or at once when told again.
async fn stop(worker: RunningWorker, patience: Duration, terminate: &mut Signal, interrupt: &mut Signal) {
    tracing::info!(running = worker.running(), "stopping");
    tokio::select! {
        () = worker.stop(patience) => {}
        _ = terminate.recv() => tracing::info!("stopped at once"),
        _ = interrupt.recv() => tracing::info!("stopped at once"),
    }
}
