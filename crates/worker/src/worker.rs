//! A worker's life: hello, take, report, goodbye.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netwark_bus::{BusError, Consumer, WorkerBus};
use netwark_model::messages::{Delivery, Hello, News, Order, Report, VERSION, control, inbox};
use netwark_model::workers::{Capabilities, MissingCapability};
use netwark_probe::engine;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::run;
use crate::tools::{Context, Toolbox};

/// How often a worker says that it is still here.
const ALIVE: Duration = Duration::from_secs(15);
/// How long runs under way are waited for when a worker ends.
const DRAIN: Duration = Duration::from_secs(3);
/// Cancelled operations that are remembered, so that work which arrives after its cancellation is not begun.
const CANCELLED: usize = 4096;

/// Runs that have ended and whose outcome is kept, for another queue that named the same operation.
const ENDED: usize = 32;

/// What a worker is.
#[derive(Clone, Debug)]
pub struct WorkerSettings {
    /// Its id, the same across restarts.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The site it stands at.
    pub site: String,
    /// Where that is, for people.
    pub location: String,
    /// Free words to select it by.
    pub tags: Vec<String>,
    /// Queues it listens on, besides its inbox.
    pub queues: Vec<String>,
    /// Most operations it runs at the same time.
    pub concurrency: usize,
    /// True when it runs inside the server's process.
    pub embedded: bool,
}

/// Why a worker did not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The server does not want it.
    #[error("the server refused this worker: {0}")]
    Refused(String),
}

/// A worker that takes work.
#[derive(Debug)]
pub struct RunningWorker {
    stop: CancellationToken,
    tasks: JoinSet<()>,
    shared: Arc<Shared>,
}

/// What the tasks of one worker share.
pub(crate) struct Shared {
    pub(crate) settings: WorkerSettings,
    pub(crate) bus: Arc<dyn WorkerBus>,
    pub(crate) tools: Toolbox,
    pub(crate) context: Context,
    pub(crate) running: AtomicU32,
    runs: Mutex<Runs>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Operations under way and those that were cancelled.
#[derive(Default)]
struct Runs {
    under_way: HashMap<Uuid, run::Handle>,
    /// Runs that have ended lately, oldest first: another queue may still name their operation.
    ended: VecDeque<(Uuid, run::Handle)>,
    cancelled: HashSet<Uuid>,
    cancelled_order: VecDeque<Uuid>,
}

/// What a worker does with an order to run.
pub(crate) enum Entry {
    /// Run it; the token tells when to stop.
    Run(run::Handle),
    /// It is run already, for another queue that named it, or because it was delivered twice.
    Join(run::Handle),
    /// It was cancelled before it arrived.
    Cancelled,
}

impl Shared {
    fn runs(&self) -> MutexGuard<'_, Runs> {
        // Every change is one call on a map, so a panic elsewhere leaves it whole.
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(&self, operation_id: Uuid) -> Entry {
        let mut runs = self.runs();
        if runs.cancelled.contains(&operation_id) {
            return Entry::Cancelled;
        }
        let ended = || runs.ended.iter().find(|(id, _)| *id == operation_id).map(|(_, handle)| handle);
        if let Some(handle) = runs.under_way.get(&operation_id).or_else(ended) {
            return Entry::Join(handle.clone());
        }
        let handle = run::Handle::default();
        runs.under_way.insert(operation_id, handle.clone());
        Entry::Run(handle)
    }

    pub(crate) fn leave(&self, operation_id: Uuid) {
        let mut runs = self.runs();
        if let Some(handle) = runs.under_way.remove(&operation_id) {
            runs.ended.push_back((operation_id, handle));
            if runs.ended.len() > ENDED {
                runs.ended.pop_front();
            }
        }
    }

    /// Forgets a run that did not begin.
    pub(crate) fn forget(&self, operation_id: Uuid) {
        self.runs().under_way.remove(&operation_id);
    }

    fn cancel(&self, operation_id: Uuid) {
        let mut runs = self.runs();
        if let Some(handle) = runs.under_way.get(&operation_id) {
            handle.cancel();
        }
        if runs.cancelled.insert(operation_id) {
            runs.cancelled_order.push_back(operation_id);
            if runs.cancelled_order.len() > CANCELLED
                && let Some(oldest) = runs.cancelled_order.pop_front()
            {
                runs.cancelled.remove(&oldest);
            }
        }
    }

    pub(crate) async fn report(&self, news: News) -> Result<(), BusError> {
        self.bus.report(Report::new(self.settings.id, news)).await
    }
}

/// Says hello and begins to take work.
///
/// # Errors
/// When the server refuses the worker. While the server cannot be reached, hello is tried again.
pub async fn start(
    settings: WorkerSettings,
    bus: Arc<dyn WorkerBus>,
    tools: Toolbox,
    context: Context,
) -> Result<RunningWorker, StartError> {
    let shared = Arc::new(Shared {
        settings,
        bus,
        tools,
        context,
        running: AtomicU32::new(0),
        runs: Mutex::default(),
    });
    say_hello(&shared).await?;
    let id = shared.settings.id;
    let mut addresses = vec![inbox(id)];
    addresses.extend(shared.settings.queues.iter().cloned());
    let work = shared.bus.listen(addresses);
    let orders = shared.bus.listen(vec![control(id)]);
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(take_work(Arc::clone(&shared), work, stop.clone()));
    tasks.spawn(take_orders(Arc::clone(&shared), orders, stop.clone()));
    tasks.spawn(stay_alive(Arc::clone(&shared), stop.clone()));
    Ok(RunningWorker { stop, tasks, shared })
}

impl RunningWorker {
    /// Takes no more work, waits a little for what runs, says goodbye and ends.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::info!("runs were still under way and were cut");
        }
        self.tasks.shutdown().await;
        if let Err(error) = self.shared.report(News::Goodbye).await {
            tracing::debug!(%error, "goodbye was not heard");
        }
    }
}

async fn say_hello(shared: &Shared) -> Result<(), StartError> {
    let mut wait = Duration::from_millis(100);
    loop {
        match shared.report(News::Hello(hello(shared))).await {
            Ok(()) => return Ok(()),
            Err(BusError::Refused(reason)) => return Err(StartError::Refused(reason)),
            Err(error) => {
                tracing::warn!(%error, "hello was not heard; trying again");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(10));
            }
        }
    }
}

fn hello(shared: &Shared) -> Hello {
    let settings = shared.settings.clone();
    Hello {
        name: settings.name,
        site: settings.site,
        location: settings.location,
        tags: settings.tags,
        version: env!("CARGO_PKG_VERSION").into(),
        queues: settings.queues,
        capabilities: capabilities(&shared.tools, shared.context.prober.engine().capabilities()),
        policy: shared.context.policy.describe(),
        embedded: settings.embedded,
    }
}

/// What the engine can do, in the words of the API.
fn capabilities(tools: &Toolbox, engine: &engine::Capabilities) -> Capabilities {
    let mut missing = Vec::new();
    let mut note = |what: &str, why: Option<String>| {
        if let Some(why) = why {
            let (why, remedy) =
                why.split_once(": ").map_or((why.as_str(), ""), |(why, remedy)| (why, remedy));
            missing.push(MissingCapability { what: what.into(), why: why.into(), remedy: remedy.into() });
        }
    };
    note("IPv4 ping and ICMP traces", engine.why_no_icmp(false));
    note("IPv6 ping and ICMP traces", engine.why_no_icmp(true));
    note("UDP traces", engine.udp_errqueue.reason.clone());
    note("TCP traces", engine.tcp_syn.reason.clone());
    // Addresses of documentation: whether there is a way to anywhere. Nothing is sent.
    let anywhere =
        [Ipv4Addr::new(192, 0, 2, 1).into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()];
    let reach = netwark_probe::runner::reach(&anywhere);
    Capabilities {
        tools: tools.names(),
        ipv4: reach.v4,
        ipv6: reach.v6,
        raw_sockets: engine.raw_v4.available,
        missing,
    }
}

async fn stay_alive(shared: Arc<Shared>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(ALIVE);
    tick.tick().await;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let running = shared.running.load(Ordering::Relaxed);
        match shared.report(News::Alive { running }).await {
            Ok(()) => {}
            // A server that was restored from a backup may not know this worker any more.
            Err(BusError::Refused(_)) => {
                if let Err(error) = say_hello(&shared).await {
                    tracing::error!(%error, "this worker is not wanted");
                    return;
                }
            }
            Err(error) => tracing::warn!(%error, "the server does not hear this worker"),
        }
    }
}

async fn take_orders(shared: Arc<Shared>, mut orders: Box<dyn Consumer>, stop: CancellationToken) {
    loop {
        let incoming = tokio::select! {
            () = stop.cancelled() => return,
            incoming = orders.next() => incoming,
        };
        let Some(incoming) = incoming else { return };
        if let Order::Cancel { operation_id } = incoming.delivery.order {
            shared.cancel(operation_id);
        }
        incoming.acknowledge();
    }
}

async fn take_work(shared: Arc<Shared>, mut work: Box<dyn Consumer>, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(shared.settings.concurrency.max(1)));
    let mut runs = JoinSet::new();
    loop {
        let next = async {
            // A permit first: work that cannot be run at once is left for another worker.
            let permit = Arc::clone(&permits).acquire_owned().await.ok()?;
            Some((permit, work.next().await?))
        };
        let taken = tokio::select! {
            () = stop.cancelled() => break,
            taken = next => taken,
            Some(_) = runs.join_next(), if !runs.is_empty() => continue,
        };
        let Some((permit, incoming)) = taken else { break };
        let Delivery { version, order } = &incoming.delivery;
        if *version > VERSION {
            tracing::error!(
                version,
                understood = VERSION,
                "work of a newer server cannot be understood; update this worker"
            );
            incoming.acknowledge();
            continue;
        }
        let Order::Run(order) = order.clone() else {
            incoming.acknowledge();
            continue;
        };
        let shared = Arc::clone(&shared);
        runs.spawn(async move {
            run::run(&shared, order).await;
            incoming.acknowledge();
            drop(permit);
        });
    }
    while runs.join_next().await.is_some() {}
}
