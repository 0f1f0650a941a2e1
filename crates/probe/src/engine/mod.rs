//! The engine: one thread that owns the sockets and carries the probes of all tasks.
//!
//! ```no_run
//! # async fn example(decider: impl netwark_probe::decide::Decider<Output = u32>) {
//! use netwark_probe::engine::{Engine, EngineOptions};
//!
//! let engine = Engine::start(EngineOptions::default()).expect("an engine");
//! let task = engine.run(decider, None);
//! let measured = task.finished().await;
//! # }
//! ```
//!
//! A task is a [`Decider`]; it costs no thread and, unless it asks for a source, an interface or a flow of its own, no
//! socket. Round trips are the difference of two kernel stamps wherever both are there and the clock did not step between
//! them, else of two readings of the monotonic clock, and [`crate::decide::Answer::kernel`] says which.

mod capabilities;
mod counters;
mod error;
mod flight;
mod options;
pub(crate) mod pace;
mod ports;
mod preparing;
mod receiving;
mod recognise;
mod run;
mod sending;
mod signal;
mod stamps;
mod state;
mod traffic;
mod wire;
mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rand::Rng;
use tokio::sync::{oneshot, watch};

pub use self::capabilities::{Ability, Capabilities};
pub use self::counters::Counters;
pub use self::error::EngineError;
pub use self::options::EngineOptions;
use self::pace::Pace;
pub use self::pace::Pacer;
pub(crate) use self::recognise::kind_of_queued;
use self::run::Command;
use self::signal::Signal;
pub use self::traffic::Traffic;
use self::work::Run;
use crate::decide::{Decider, Time};
use crate::net::clock;
use crate::net::filter::BLOCK;

/// A handle of an engine; cheap to clone. The engine stops when its last handle and the last [`Task`] are gone.
#[derive(Clone, Debug)]
pub struct Engine {
    inner: Arc<Inner>,
    /// What its tasks send and receive is counted here.
    traffic: Arc<Traffic>,
}

#[derive(Debug)]
struct Inner {
    commands: Option<mpsc::Sender<Command>>,
    signal: Arc<Signal>,
    capabilities: Arc<Capabilities>,
    counters: Arc<counters::Shared>,
    pacer: Pacer,
    next: AtomicU64,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.commands = None;
        self.signal.raise();
    }
}

impl Inner {
    fn order(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // A thread that is gone shows itself to whoever waits for a result.
            let _ = commands.send(command);
            self.signal.raise();
        }
    }
}

impl Engine {
    /// Starts an engine in the calling thread's network namespace.
    ///
    /// # Errors
    /// When the thread cannot be made. Missing privileges are no error: see [`Engine::capabilities`].
    pub fn start(options: EngineOptions) -> Result<Self, EngineError> {
        let signal = Signal::new().map_err(|source| EngineError::Start { what: "event counter", source })?;
        let signal = Arc::new(signal);
        let capabilities = Arc::new(Capabilities::probe());
        let counters = Arc::new(counters::Shared::default());
        let pace = Pace::new(options.rate);
        let pacer = Pacer::new(pace.clone());
        let (commands, inbox) = mpsc::channel();
        let mut random = rand::rng();
        let icmp_ids = random.next_u32() as u16 & !(BLOCK - 1);
        // Above the well-known ports and what is commonly registered.
        let tcp_ports = 32_768 + ((random.next_u32() as u16 % 28_000) & !(BLOCK - 1));
        let (thread_capabilities, thread_counters, thread_signal) =
            (Arc::clone(&capabilities), Arc::clone(&counters), Arc::clone(&signal));
        thread::Builder::new()
            .name("netwark-engine".into())
            .spawn(move || {
                let ports = ports::Ports::new(icmp_ids, tcp_ports, options.receive_buffer);
                let now = clock::monotonic();
                let state =
                    state::State::new(&options, pace, thread_capabilities, thread_counters, ports, now);
                run::run(state, &inbox, &thread_signal);
            })
            .map_err(|source| EngineError::Start { what: "thread", source })?;
        let next = AtomicU64::new(0);
        let inner = Inner { commands: Some(commands), signal, capabilities, counters, pacer, next };
        Ok(Self { inner: Arc::new(inner), traffic: Arc::default() })
    }

    /// A handle of the same engine that counts here what its tasks send and receive. Clones of it count there too.
    #[must_use]
    pub fn metered(&self, traffic: Arc<Traffic>) -> Self {
        Self { inner: Arc::clone(&self.inner), traffic }
    }

    /// Runs a task. With `progress_every` the task's snapshots follow what it measures, no more often than this.
    pub fn run<D>(&self, decider: D, progress_every: Option<Duration>) -> Task<D::Output>
    where
        D: Decider,
        D::Output: Sync,
    {
        let id = self.inner.next.fetch_add(1, Ordering::Relaxed);
        let (snapshots, watching) = watch::channel(Arc::new(decider.output()));
        let (done, finished) = oneshot::channel();
        let shape = decider.shape();
        let runner = Box::new(Run { decider, snapshots, done });
        let traffic = Arc::clone(&self.traffic);
        self.inner.order(Command::Begin { id, runner, shape, progress_every, traffic });
        Task { id, inner: Arc::clone(&self.inner), finished: Some(finished), watching }
    }

    /// What this process may do here.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.inner.capabilities
    }

    /// The pace at which packets may leave, for those that the system sends for us.
    #[must_use]
    pub fn pacer(&self) -> Pacer {
        self.inner.pacer.clone()
    }

    /// What was counted since the start.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.inner.counters.read()
    }

    /// Where this handle counts.
    pub(crate) fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(&self.traffic)
    }

    /// Now, on the clock of [`crate::decide::Event`]s and answers.
    #[must_use]
    pub fn now(&self) -> Time {
        Time(clock::monotonic())
    }
}

/// A running task. Dropping it cancels the task.
#[derive(Debug)]
pub struct Task<Output> {
    id: u64,
    inner: Arc<Inner>,
    finished: Option<oneshot::Receiver<Result<Output, EngineError>>>,
    watching: watch::Receiver<Arc<Output>>,
}

impl<Output> Task<Output> {
    /// What the task measured, once it is done or cancelled.
    ///
    /// # Errors
    /// When the engine or the task's decider has failed.
    pub async fn finished(mut self) -> Result<Output, EngineError> {
        let Some(finished) = &mut self.finished else { return Err(EngineError::Stopped) };
        let result = finished.await.unwrap_or(Err(EngineError::Stopped));
        self.finished = None;
        result
    }

    /// What the task has measured so far, as it changes. The first value is what the decider knew before it began.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<Arc<Output>> {
        self.watching.clone()
    }

    /// Ends the task; [`Task::finished`] then gives what was measured so far.
    pub fn cancel(&self) {
        self.inner.order(Command::Cancel(self.id));
    }
}

impl<Output> Drop for Task<Output> {
    fn drop(&mut self) {
        if self.finished.is_some() {
            self.cancel();
        }
    }
}
