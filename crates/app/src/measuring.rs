//! Starting a worker, in the server's process or in one of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use netwark_bus::WorkerBus;
use netwark_lookup::dns::Resolver;
use netwark_model::queues;
use netwark_probe::engine::{Engine, EngineOptions};
use netwark_worker::{Context, Keeping, Policy, RunningWorker, Toolbox, WorkerSettings};
use uuid::Uuid;

use crate::config::Config;
use crate::failure::Failure;

/// A worker has started by then, unless its network is in need.
const SETTLED: Duration = Duration::from_secs(3);

/// Starts a worker as the configuration describes it. It says hello by itself. `listeners` are those of the server in
/// this process.
///
/// # Errors
/// When the machine gives no sockets, or the data directory cannot be written.
pub fn start(
    config: &Config,
    id: Uuid,
    embedded: bool,
    server_host: Option<String>,
    bus: Arc<dyn WorkerBus>,
    listeners: Arc<[SocketAddr]>,
) -> Result<RunningWorker, Failure> {
    let worker = &config.worker;
    let policy = policy(config);
    let mut options = EngineOptions::default();
    if let Some(rate) = policy.packets_per_second() {
        options.rate = rate;
    }
    let engine = Engine::start(options).map_err(Failure::failed)?;
    let mut heard = worker.queues.clone();
    if worker.listen_builtin {
        heard.extend([queues::ANY.to_owned(), queues::BROADCAST.to_owned()]);
    }
    let settings = WorkerSettings {
        id,
        name: worker.name.clone(),
        site: worker.site.clone(),
        location: worker.location.clone(),
        tags: worker.tags.clone(),
        queues: heard,
        concurrency: worker.concurrency as usize,
        embedded,
        coordinates: worker.coordinates,
        country: worker.country.clone(),
        asn: worker.asn,
        boot: netwark_worker::next_boot(&config.data_dir).map_err(Failure::failed)?,
        keeping: Keeping {
            directory: Some(config.data_dir.clone()),
            spool_bytes: worker.spool_bytes,
            monthly_cap: worker.monthly_cap,
            server_host,
            ..Keeping::default()
        },
    };
    let registries = config.lookups.kept_registries(&config.data_dir);
    let mut context = Context::new(engine, Resolver::system(), policy, &settings.name)
        .with_registries(registries, &config.lookups.registry_places);
    context.listeners = listeners;
    context.dns = Arc::clone(&config.lookups.trust);
    tokio::spawn(let_go_of_the_start());
    Ok(netwark_worker::start(settings, bus, Toolbox::standard(), context))
}

/// Gives memory back once the worker has tested itself and sent its first messages.
async fn let_go_of_the_start() {
    tokio::time::sleep(SETTLED).await;
    if let Err(error) = netwark_probe::let_go_of_code() {
        tracing::debug!(%error, "code that only the start needed stays in memory");
    }
}

/// What the configuration lets the worker touch. A list that cannot be used allows nothing, which is logged.
pub fn policy(config: &Config) -> Policy {
    let policy = match &config.worker.policy_file {
        Some(file) => Policy::from_file(file),
        None => Policy::default(),
    };
    if let Some(reason) = policy.broken_reason() {
        tracing::error!(%reason, "the worker's list of allowed targets cannot be used; nothing is allowed");
    }
    policy
}
