//! A worker's life: hello, take, report, goodbye.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netwark_bus::{BusError, Consumer, IncomingDelivery, WorkerBus};
use netwark_model::messages::{
    Delivery, End, News, Order, Report, Unwelcome, VERSION, Welcome, inbox, mark, understood,
};
use netwark_model::workers::Coordinates;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::clock::Clock;
use crate::draining::Draining;
use crate::policy::Policy;
use crate::self_test::Health;
use crate::spool::Spool;
use crate::standing::Standing;
use crate::tools::{Context, Toolbox};
use crate::usage::Usage;
use crate::{delivery, presence, run, self_test};

/// How long goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);
/// Most bytes of reports that wait on the disk when nobody says otherwise.
pub const SPOOL_BYTES: u64 = 256 << 20;
/// How long until a self-test that found something is made again when nobody says otherwise.
const RETEST_EVERY: Duration = Duration::from_secs(180);
/// Cancelled operations that are remembered, so that work which arrives after its cancellation is not begun.
const CANCELLED: usize = 4096;

/// Runs that have ended and whose outcome is kept, for another queue that named the same operation.
const ENDED: usize = 32;

/// What a worker is.
#[derive(Clone, Debug, Default)]
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
    /// Latitude and longitude.
    pub coordinates: Option<Coordinates>,
    /// Country as ISO 3166-1 alpha-2 has it; empty when nobody said.
    pub country: String,
    /// Number of the autonomous system it stands in.
    pub asn: Option<u32>,
    /// Which life of the worker this is; see [`crate::next_boot`].
    pub boot: u32,
    /// What it keeps on its disk.
    pub keeping: Keeping,
}

/// What a worker keeps on its disk.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// Directory of its spool, its standing orders and what its tools have used; `None` keeps nothing
    /// and takes no standing orders.
    pub directory: Option<PathBuf>,
    /// Most bytes of reports that wait there, at least 64 KiB.
    pub spool_bytes: u64,
    /// Most bytes its tools may send and receive in a month.
    pub monthly_cap: Option<u64>,
    /// Host that it connects to, which is the server, the broker, or a proxy on the way to the server; the self-test looks
    /// it up. `None` when there is none to look up.
    pub server_host: Option<String>,
    /// How long until a self-test that found something is made again.
    pub retest_every: Duration,
}

impl Keeping {
    /// The usual limits, in this directory.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: Some(directory.into()), ..Self::default() }
    }
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            directory: None,
            spool_bytes: SPOOL_BYTES,
            monthly_cap: None,
            server_host: None,
            retest_every: RETEST_EVERY,
        }
    }
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
    /// Reports of this life so far.
    sequence: AtomicU32,
    /// Held while something is said of the worker itself: such news must not overtake each other, because
    /// a server refuses what bears a lower mark than what it has heard already.
    pub(crate) telling: tokio::sync::Mutex<()>,
    /// The server's latest answer to a hello.
    pub(crate) welcome: watch::Sender<Option<Welcome>>,
    /// Whether it takes new work.
    pub(crate) draining: watch::Sender<Draining>,
    /// What is known of the server's clock.
    pub(crate) clock: watch::Sender<Clock>,
    /// Why it has to end, once it has to.
    pub(crate) ended: watch::Sender<Option<Unwelcome>>,
    /// Reports that wait on the disk; none when there is no place for them.
    pub(crate) spool: Option<Spool>,
    /// Its standing orders; none when it takes none.
    pub(crate) standing: Option<Arc<Standing>>,
    /// What it has found out about itself.
    pub(crate) health: Health,
    /// What its tools have sent and received.
    pub(crate) usage: Arc<Usage>,
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

    pub(crate) fn cancel(&self, operation_id: Uuid) {
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
        self.bus.report(self.marked(news)).await
    }

    /// Reports news of the worker itself, one after the other.
    pub(crate) async fn tell(&self, news: News) -> Result<(), BusError> {
        let _telling = self.telling.lock().await;
        self.report(news).await
    }

    /// News with the next mark.
    pub(crate) fn marked(&self, news: News) -> Report {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        Report::new(self.settings.id, mark(self.settings.boot, sequence), news)
    }
}

/// Begins a worker's life. It says hello by itself, as often as it takes.
pub fn start(
    settings: WorkerSettings,
    bus: Arc<dyn WorkerBus>,
    tools: Toolbox,
    context: Context,
) -> RunningWorker {
    let spool = open_spool(&settings);
    let standing = match (&settings.keeping.directory, &spool) {
        (Some(directory), Some(spool)) => Some(Arc::new(Standing::open(directory, spool.clone()))),
        _ => None,
    };
    let usage = Arc::new(Usage::open(settings.keeping.directory.as_deref(), settings.keeping.monthly_cap));
    let shared = Arc::new(Shared {
        settings,
        bus,
        tools,
        context,
        running: AtomicU32::new(0),
        sequence: AtomicU32::new(0),
        telling: tokio::sync::Mutex::default(),
        welcome: watch::Sender::new(None),
        draining: watch::Sender::default(),
        clock: watch::Sender::default(),
        ended: watch::Sender::new(None),
        spool: spool.clone(),
        standing: standing.clone(),
        health: Health::default(),
        usage: Arc::clone(&usage),
        runs: Mutex::default(),
    });
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(presence::lead(Arc::clone(&shared), stop.clone()));
    tasks.spawn(take_work(Arc::clone(&shared), stop.clone()));
    tasks.spawn(presence::stay_alive(Arc::clone(&shared), stop.clone()));
    tasks.spawn(self_test::keep(Arc::clone(&shared), stop.clone()));
    tasks.spawn(usage.keep(stop.clone()));
    if let Some(spool) = spool {
        tasks.spawn(delivery::deliver(Arc::clone(&shared), spool, stop.clone()));
    }
    if let Some(standing) = standing {
        tasks.spawn(standing.carry_out(Arc::clone(&shared), stop.clone()));
    }
    RunningWorker { stop, tasks, shared }
}

/// The spool in the worker's directory. Without it the worker measures all the same, and says so.
fn open_spool(settings: &WorkerSettings) -> Option<Spool> {
    let directory = settings.keeping.directory.as_ref()?.join("spool");
    match Spool::open(&directory, settings.keeping.spool_bytes, settings.id) {
        Ok(spool) => Some(spool),
        Err(error) => {
            tracing::error!(%error, "reports cannot wait on the disk; while the link is down work is not ended");
            None
        }
    }
}

impl RunningWorker {
    /// Ends once the worker may take work.
    ///
    /// # Errors
    /// When the server does not want it.
    pub async fn ready(&self) -> Result<(), Unwelcome> {
        let mut welcome = self.shared.welcome.subscribe();
        let mut ended = self.shared.ended.subscribe();
        tokio::select! {
            _ = welcome.wait_for(Option::is_some) => Ok(()),
            reason = ended.wait_for(Option::is_some) => match reason.ok().and_then(|reason| reason.clone()) {
                Some(reason) => Err(reason),
                None => Ok(()),
            },
        }
    }

    /// Ends when the server does not want the worker any more, with the reason.
    pub async fn unwelcome(&self) -> Unwelcome {
        let mut ended = self.shared.ended.subscribe();
        loop {
            if let Some(reason) = ended.borrow_and_update().clone() {
                return reason;
            }
            if ended.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Takes no new work by its own wish, or ends that wish; what runs goes on. While the server wants it to drain
    /// it does so all the same. The server is told as soon as it can be.
    pub fn drain(&self, draining: bool) {
        self.shared.draining.send_if_modified(|now| std::mem::replace(&mut now.own, draining) != draining);
    }

    /// Goes by another list of what it may touch from now on, and tells the server. A bound on packets stays as it
    /// was until the next start. Runs that have begun go on.
    pub fn change_policy(&self, policy: Policy) {
        self.shared.context.policy.send_if_modified(|now| {
            if policy.packets_per_second() != now.packets_per_second() {
                tracing::warn!("another packets_per_second counts at the next start");
            }
            let policy = policy.at_the_rate_of(now);
            std::mem::replace(now, policy.clone()) != policy
        });
    }

    /// True while it takes no new work by its own wish.
    pub fn wants_to_drain(&self) -> bool {
        self.shared.draining.borrow().own
    }

    /// True while it takes no new work, whoever wants that.
    pub fn is_draining(&self) -> bool {
        self.shared.draining.borrow().is_on()
    }

    /// How many operations it runs.
    pub fn running(&self) -> u32 {
        self.shared.running.load(Ordering::Relaxed)
    }

    /// Takes no more work, waits at most `drain` for what runs, says goodbye and ends.
    pub async fn stop(mut self, drain: Duration) {
        self.stop.cancel();
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(drain, drained).await.is_err() {
            tracing::info!("runs were still under way and were cut");
        }
        self.tasks.shutdown().await;
        Arc::clone(&self.shared.usage).save().await;
        if self.shared.ended.borrow().is_some() {
            return;
        }
        let goodbye = tokio::time::timeout(GOODBYE, self.shared.tell(News::Goodbye)).await;
        if !matches!(goodbye, Ok(Ok(()))) {
            tracing::debug!("goodbye was not heard");
        }
    }
}

/// Takes work as long as it may: not before it is welcome, and not while it drains.
async fn take_work(shared: Arc<Shared>, stop: CancellationToken) {
    let most = shared.settings.concurrency.max(1);
    let permits = Arc::new(Semaphore::new(most));
    let mut welcome = shared.welcome.subscribe();
    let mut draining = shared.draining.subscribe();
    let mut runs = JoinSet::new();
    let mut listening: Option<(Vec<String>, Box<dyn Consumer>)> = None;
    loop {
        let wanted = match (draining.borrow_and_update().is_on(), &*welcome.borrow_and_update()) {
            (false, Some(welcome)) => {
                let mut addresses = vec![inbox(shared.settings.id)];
                addresses.extend(welcome.listen.as_ref().unwrap_or(&welcome.queues).iter().cloned());
                Some(addresses)
            }
            _ => None,
        };
        if listening.as_ref().map(|(addresses, _)| addresses) != wanted.as_ref() {
            listening = wanted.map(|addresses| (addresses.clone(), shared.bus.listen(addresses, most)));
        }
        let next = async {
            let Some((_, work)) = &mut listening else { return std::future::pending().await };
            // A permit first: work that cannot be run at once is left for another worker.
            let permit = Arc::clone(&permits).acquire_owned().await.ok()?;
            Some((permit, work.next().await?))
        };
        let taken = tokio::select! {
            () = stop.cancelled() => break,
            _ = welcome.changed() => continue,
            _ = draining.changed() => continue,
            taken = next => taken,
            Some(_) = runs.join_next(), if !runs.is_empty() => continue,
        };
        let Some((permit, incoming)) = taken else { break };
        let shared = Arc::clone(&shared);
        runs.spawn(async move {
            attend(&shared, incoming).await;
            drop(permit);
        });
    }
    drop(listening);
    while runs.join_next().await.is_some() {}
}

/// Does what a message says, and acknowledges it once what came of it is safe.
async fn attend(shared: &Arc<Shared>, incoming: IncomingDelivery) {
    let Delivery { version, order, .. } = &incoming.delivery;
    match order {
        Order::Run(order) if understood(*version) => {
            run::run(shared, order.clone(), incoming.redelivered).await;
        }
        Order::Run(order) => {
            let cause = format!(
                "the order has version {version}, this worker understands up to {VERSION}; update the worker"
            );
            tracing::error!(
                version,
                understood = VERSION,
                "an order cannot be understood; update this worker"
            );
            run::conclude(shared, order.operation_id, order.result_id, End::Error { cause }).await;
        }
        _ => tracing::warn!(version, "an order that is no work came where only work is expected"),
    }
    incoming.acknowledge();
}
