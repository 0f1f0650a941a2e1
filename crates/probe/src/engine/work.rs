//! One task inside the engine: its decider, its queue, and what it waits for.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use netwark_packet::ip::Family;
use tokio::sync::{oneshot, watch};

use super::error::EngineError;
use super::flight::Handle;
use super::traffic::Traffic;
use super::wire::Recipe;
use crate::decide::{Decider, Event, Network, Probe, Shape, Time};

/// How long the kernel's choice of a source address is believed, in nanoseconds.
pub(super) const SOURCE_LIFETIME: u64 = 2_000_000_000;

/// A decider and those who wait for what it measures.
pub(super) trait Runner: Send {
    fn on_event(&mut self, now: Time, event: Event, network: &mut dyn Network);
    fn is_done(&self) -> bool;
    fn publish(&self);
    fn finish(self: Box<Self>, failure: Option<EngineError>);
}

pub(super) struct Run<D: Decider> {
    pub(super) decider: D,
    pub(super) snapshots: watch::Sender<Arc<D::Output>>,
    pub(super) done: oneshot::Sender<Result<D::Output, EngineError>>,
}

impl<D: Decider> Runner for Run<D>
where
    D::Output: Sync,
{
    fn on_event(&mut self, now: Time, event: Event, network: &mut dyn Network) {
        self.decider.on_event(now, event, network);
    }

    fn is_done(&self) -> bool {
        self.decider.is_done()
    }

    fn publish(&self) {
        self.snapshots.send_replace(Arc::new(self.decider.output()));
    }

    fn finish(self: Box<Self>, failure: Option<EngineError>) {
        let result = match failure {
            Some(failure) => Err(failure),
            None => Ok(self.decider.output()),
        };
        // Nobody waits any more when the task's handle was dropped.
        let _ = self.done.send(result);
    }
}

/// When snapshots are wanted, and whether one is due.
#[derive(Debug)]
pub(super) struct Progress {
    every: u64,
    next: u64,
    changed: bool,
}

/// What a decider is given as its network: everything is queued.
struct Outlet<'a> {
    queue: &'a mut VecDeque<Probe>,
    wake: &'a mut Option<u64>,
}

impl Network for Outlet<'_> {
    fn send(&mut self, probe: Probe) {
        self.queue.push_back(probe);
    }

    fn wake_at(&mut self, at: Time) {
        *self.wake = Some(at.0);
    }
}

/// How a decider took an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Running,
    Done,
    Panicked,
}

pub(super) struct Work {
    runner: Box<dyn Runner>,
    /// The caller's name for this task.
    pub(super) id: u64,
    pub(super) shape: Shape,
    /// The shape's timeout and linger time in nanoseconds.
    pub(super) timeout: u64,
    pub(super) linger: u64,
    pub(super) recipe: Recipe,
    /// Probes the decider wants to be sent.
    pub(super) queue: VecDeque<Probe>,
    /// Probes sent, oldest first; those that were answered are passed over.
    pub(super) waiting: VecDeque<Handle>,
    /// Probes that are only remembered, and until when.
    pub(super) lingering: VecDeque<(u64, Handle)>,
    pub(super) wake: Option<u64>,
    /// When the next timer for this work goes off.
    pub(super) alarm: Option<u64>,
    /// True while it stands in the line of those that have something to send.
    pub(super) in_line: bool,
    /// Indices of its sockets by family and flow.
    pub(super) ports: Vec<(Family, u8, usize)>,
    /// Source addresses the kernel has chosen, and when.
    pub(super) sources: HashMap<IpAddr, (IpAddr, u64)>,
    pub(super) traffic: Arc<Traffic>,
    progress: Option<Progress>,
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 4).min(u64::MAX / 4)
}

impl Work {
    pub(super) fn new(
        runner: Box<dyn Runner>,
        id: u64,
        shape: Shape,
        progress_every: Option<Duration>,
        traffic: Arc<Traffic>,
        seed: u16,
    ) -> Self {
        let progress =
            progress_every.map(|every| Progress { every: nanoseconds(every), next: 0, changed: false });
        Self {
            runner,
            id,
            timeout: nanoseconds(shape.timeout),
            linger: nanoseconds(shape.linger),
            recipe: Recipe::new(shape.payload, seed),
            shape,
            queue: VecDeque::new(),
            waiting: VecDeque::new(),
            lingering: VecDeque::new(),
            wake: None,
            alarm: None,
            in_line: false,
            ports: Vec::new(),
            sources: HashMap::new(),
            traffic,
            progress,
        }
    }

    /// Gives an event to the decider. A panic there ends its own task only.
    pub(super) fn on_event(&mut self, now: u64, event: Event) -> Mood {
        let Self { runner, queue, wake, .. } = self;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            runner.on_event(Time(now), event, &mut Outlet { queue, wake });
            if runner.is_done() { Mood::Done } else { Mood::Running }
        }));
        if let Some(progress) = &mut self.progress {
            progress.changed = true;
        }
        outcome.unwrap_or(Mood::Panicked)
    }

    /// When a snapshot is due.
    pub(super) fn snapshot_due(&self) -> Option<u64> {
        self.progress.as_ref().filter(|progress| progress.changed).map(|progress| progress.next)
    }

    /// Publishes a snapshot if one is due.
    pub(super) fn publish(&mut self, now: u64) {
        if self.snapshot_due().is_none_or(|due| due > now) {
            return;
        }
        if let Some(progress) = &mut self.progress {
            progress.changed = false;
            progress.next = now + progress.every;
        }
        self.runner.publish();
    }

    /// Hands over what was measured.
    pub(super) fn finish(self, failure: Option<EngineError>) {
        self.runner.finish(failure);
    }
}
