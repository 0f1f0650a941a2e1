//! `netwark serve`: the server and the worker inside it.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use netwark_bus::ServerBus;
use netwark_bus::amqp::{AmqpOptions, AmqpServerBus};
use netwark_bus::local::{self, LocalWorkerBus};
use netwark_lookup::geoip::{GeoIpSettings, Hold};
use netwark_model::tools::Registry;
use netwark_server::auth::secret_key::SecretKey;
use netwark_server::auth::{self, Auth, AuthSettings, Site, SiteSettings};
use netwark_server::{App, EmbeddedBus, ServerSettings};
use netwark_store::Store;
use netwark_worker::RunningWorker;
use tokio::signal::unix::{Signal, SignalKind, signal};
use uuid::Uuid;

use crate::config::server::Listen;
use crate::config::{Config, Flags};
use crate::failure::{Failure, Outcome};
use crate::listening::{self, Listening};
use crate::reload::{Reload, Started};
use crate::{logging, measuring, output};

/// How long runs of the embedded worker are waited for when the server ends.
const DRAIN: Duration = Duration::from_secs(3);
/// How long a database that is not there or still starting is waited for.
const DATABASE_WAIT: Duration = Duration::from_secs(30);

/// Serve the page and the API, and measure from here.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address and port to listen on, or unix:/PATH; several with commas [default: 127.0.0.1:6543]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    #[command(flatten)]
    flags: Flags,
}

/// Serves until it is told to stop.
///
/// # Errors
/// Those of the configuration, the data directory, the port, the database and the key.
pub async fn run(args: Args, tools: Registry) -> Outcome {
    let flags = Flags { listen: args.listen, ..args.flags };
    let config = Config::load(&flags)?;
    let log = logging::start(&config.log)?;
    super::make_data_dir(&config)?;
    let _lock = super::lock(&config.data_dir)?;
    let Listening { listeners, places, tls, sockets: _sockets } = listening::listen(&config.server).await?;
    let store = super::open_store_within(&config, DATABASE_WAIT).await?;
    store.declare_queues(&config.queues).await.map_err(Failure::failed)?;
    // Opened at every start, so that a wrong key is found before something has to be unsealed.
    let secret_key = SecretKey::open(&config.secret_key_file(), &store).await.map_err(Failure::failed)?;

    let (server_bus, worker_bus) = buses(&config)?;
    let settings = ServerSettings { secret_key: Some(secret_key), ..settings(&config)? };
    let app = App::new(store.clone(), server_bus, tools, sign_in(&config, &store, &places)?, settings);
    // Before the first request is answered: who has seen an answer may end the server properly.
    let signals = Signals::new().map_err(Failure::failed)?;
    let running = netwark_server::run(app.clone(), listeners).await.map_err(Failure::failed)?;
    let worker = match app.settings.embedded_worker {
        Some(id) => Some(start_worker(&config, id, &app, worker_bus, addresses(&places).collect()).await?),
        None => None,
    };
    announce(&config, &store, &places).await?;

    let started = Started { flags, effective: config.effective.clone(), log };
    let reload = Reload { started, tls, app };
    wait_for_signal(signals, reload, worker.as_ref()).await;
    tracing::info!("stopping");
    if let Some(worker) = worker {
        worker.stop(DRAIN).await;
    }
    running.stop().await;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

fn sign_in(config: &Config, store: &Store, places: &[Listen]) -> Result<Auth, Failure> {
    let days = |days: u32| u16::try_from(days).unwrap_or(u16::MAX);
    let settings = AuthSettings {
        anonymous_role: config.auth.anonymous_role,
        session_days: days(config.auth.session_days),
        session_max_days: days(config.auth.session_max_days),
        viewers_may_ask: config.lookups.viewers_may_ask,
    };
    let site = Site::new(&SiteSettings {
        listen: addresses(places).collect(),
        public_urls: config.server.public_urls.clone(),
        trusted_proxies: config.server.trusted_proxies.clone(),
    });
    let site = site.map_err(|mistakes| Failure::Usage(mistakes.join("\n")))?;
    Ok(Auth::new(store.clone(), settings, site))
}

fn settings(config: &Config) -> Result<ServerSettings, Failure> {
    let embedded_worker = match config.worker.embedded {
        true => Some(netwark_worker::worker_id(&config.data_dir).map_err(Failure::failed)?),
        false => None,
    };
    let defaults = ServerSettings::default();
    Ok(ServerSettings {
        secret_key: None,
        embedded_worker,
        broker: config.broker.amqp.as_ref().map_or(defaults.broker, AmqpOptions::place),
        timezone: config.server.timezone(),
        history_days: config.history.days,
        shutdown_deadline: config.server.shutdown_deadline,
        link_keepalive: config.server.link_keepalive,
        lookups: config.lookup_settings(Hold::Copy(GeoIpSettings::directory(&config.data_dir))),
    })
}

/// The server's own bus, and the one of the worker inside it when no broker is needed for that.
fn buses(config: &Config) -> Result<(Arc<dyn ServerBus>, Option<LocalWorkerBus>), Failure> {
    match &config.broker.amqp {
        Some(options) => {
            let bus = AmqpServerBus::connect(options).map_err(|error| Failure::Usage(error.to_string()))?;
            Ok((Arc::new(bus), None))
        }
        None => {
            let (server, worker) = local::pair();
            Ok((Arc::new(server), Some(worker)))
        }
    }
}

/// Starts the worker inside this process. One that the server refuses makes no sense, but a broker that is
/// away must not keep the server from serving.
async fn start_worker(
    config: &Config,
    id: Uuid,
    app: &App,
    bus: Option<LocalWorkerBus>,
    listeners: Arc<[SocketAddr]>,
) -> Result<RunningWorker, Failure> {
    let Some(bus) = bus else {
        return measuring::start(config, id, true, None, Arc::new(EmbeddedBus::new(app.clone())), listeners);
    };
    let worker = measuring::start(config, id, true, None, Arc::new(bus), listeners)?;
    worker.ready().await.map_err(|unwelcome| {
        Failure::Failed(format!("the server refused its own worker: {}", unwelcome.reason))
    })?;
    Ok(worker)
}

/// Says where it is served, and how the first administrator gets in.
async fn announce(config: &Config, store: &Store, places: &[Listen]) -> Result<(), Failure> {
    let base = config.server.base_url(places);
    let listen: Vec<String> = places.iter().map(ToString::to_string).collect();
    tracing::info!(listen = listen.join(", "), url = %base, "serving");
    let terminal = io::stdout().is_terminal();
    if terminal {
        output::line(format!("Netwark is at {base}"));
    }
    let code = auth::make_setup_code(store).await.map_err(Failure::failed)?;
    let path = config.data_dir.join("setup-link");
    let Some(code) = code else {
        // Left from before there was a user; its code is dead, and a file that looks like a key should not lie about.
        let _ = std::fs::remove_file(path);
        return Ok(());
    };
    let link = auth::setup_link(&base, &code);
    if !terminal {
        write_private(&path, &link)?;
        tracing::info!(file = %path.display(), "the link that makes the first administrator is in a file");
        return Ok(());
    }
    let loopback = addresses(places).next().filter(|address| address.ip().is_loopback());
    if let (Some(address), Some(_)) = (loopback, std::env::var_os("SSH_CONNECTION")) {
        let port = address.port();
        output::line("From your own machine, first open a tunnel to this one:");
        output::line(format!("  ssh -L {port}:{address} {}@{}", user_name(), config.worker.name));
    }
    output::line("Make the first administrator within 30 minutes at:");
    output::line(format!("  {link}"));
    Ok(())
}

/// The TCP addresses among them.
fn addresses(places: &[Listen]) -> impl Iterator<Item = SocketAddr> {
    places.iter().filter_map(|place| match place {
        Listen::Tcp(address) => Some(*address),
        Listen::Unix(_) => None,
    })
}

fn user_name() -> String {
    std::env::var("USER").unwrap_or_else(|_| "USER".into())
}

/// Writes a file that only its owner can read, in the place of an earlier one.
fn write_private(path: &PathBuf, text: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Failed(format!("{} cannot be written: {error}", path.display()));
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(format!("{text}\n").as_bytes()).map_err(failed)
}

/// What a server listens to besides its clients.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

/// Waits until it is told to stop, and reads the configuration again whenever it is told so.
async fn wait_for_signal(mut signals: Signals, mut reload: Reload, worker: Option<&RunningWorker>) {
    let unwelcome = async {
        match worker {
            Some(worker) => worker.unwelcome().await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(unwelcome);
    let mut is_welcome = true;
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => return,
            _ = signals.interrupt.recv() => return,
            unwelcome = &mut unwelcome, if is_welcome => {
                is_welcome = false;
                tracing::error!(reason = %unwelcome.reason, "nothing is measured from here: the server refused its own worker");
            }
            _ = signals.hangup.recv() => reload.run(worker).await,
        }
    }
}
