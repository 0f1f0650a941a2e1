//! Networks this worker watches: each is swept when it is due, and listened to in between.
//!
//! A sweep is a task of its own, so that one that takes long keeps no other from beginning; of one network there is one
//! at a time. What comes of it goes to the spool, whether or not a server can be reached.

mod expected;
mod look;
mod report;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use netwark_model::assignments::{Assignment, StreamReport};
use netwark_model::messages::News;
use netwark_model::watch::order::SweepOrder;
use netwark_model::watch::report::WatchReport;
use netwark_probe::sweep::listen::{ListenPlan, Listener};
use tokio::task::JoinHandle;
use uuid::Uuid;

use self::expected::Expected;
use crate::worker::Shared;

/// How long it takes until listening is tried again that could not begin or has ended.
const LISTEN_AGAIN: Duration = Duration::from_secs(60);

/// What is done for the orders that are held.
#[derive(Default)]
pub(crate) struct Watching {
    networks: HashMap<(Uuid, u64), Network>,
    /// The orders of which something may be remembered.
    remembered: Option<HashSet<Uuid>>,
}

struct Network {
    expected: Arc<Expected>,
    turn: Arc<Mutex<Turn>>,
    sweep: Option<Aborted>,
    listening: Option<Aborted>,
}

impl Network {
    fn new(directory: Option<&Path>, order: Uuid) -> Self {
        let expected = Arc::new(Expected::open(directory, order));
        Self { expected, turn: Arc::default(), sweep: None, listening: None }
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a network is being swept. One that is wanted meanwhile follows, since what is under way has looked at some
/// hosts already; it may even be told before its task ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Turn {
    #[default]
    Rests,
    Sweeps,
    SweepsAndAgain,
}

impl Turn {
    /// A sweep is wanted; true when it begins now.
    fn begins(&mut self, hurried: bool) -> bool {
        let rests = *self == Self::Rests;
        if rests {
            *self = Self::Sweeps;
        } else if hurried {
            *self = Self::SweepsAndAgain;
        }
        rests
    }

    /// A sweep has ended; true when another follows.
    fn follows(&mut self) -> bool {
        let again = *self == Self::SweepsAndAgain;
        *self = if again { Self::Sweeps } else { Self::Rests };
        again
    }
}

/// A task that ends with who holds it.
struct Aborted(JoinHandle<()>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Watching {
    /// Lets go what is held no longer, and listens where that is wanted.
    pub(crate) fn follow(&mut self, shared: &Arc<Shared>, held: &[Assignment]) {
        let still: HashSet<_> = held.iter().map(|order| (order.id, order.epoch)).collect();
        self.networks.retain(|order, _| still.contains(order));
        let directory = shared.settings.keeping.directory.as_deref();
        let orders: HashSet<Uuid> = still.iter().map(|(id, _)| *id).collect();
        if self.remembered.as_ref() != Some(&orders) {
            Expected::retain(directory, &orders);
            self.remembered = Some(orders);
        }
        for assignment in held.iter().filter(|one| one.kind == netwark_model::watch::SWEEP) {
            let network = self.network(directory, assignment);
            let Ok(order) = read(assignment) else { continue };
            if order.passive && network.listening.is_none() {
                let (shared, assignment) = (Arc::clone(shared), assignment.clone());
                network.listening = Some(Aborted(tokio::spawn(listen(shared, assignment, order))));
            }
        }
    }

    fn network(&mut self, directory: Option<&Path>, order: &Assignment) -> &mut Network {
        self.networks.entry((order.id, order.epoch)).or_insert_with(|| Network::new(directory, order.id))
    }

    /// Begins a sweep. While one is under way, one that somebody waits for follows it, and one that is due is left out.
    pub(crate) fn sweep(&mut self, shared: &Arc<Shared>, assignment: &Assignment, hurried: bool) {
        let network = self.network(shared.settings.keeping.directory.as_deref(), assignment);
        if network.sweep.as_ref().is_some_and(|sweep| sweep.0.is_finished()) {
            // One that panicked has not said so.
            *network.turn() = Turn::Rests;
        }
        if !network.turn().begins(hurried) {
            tracing::debug!(assignment = %assignment.id, "the sweep before this one has not ended");
            return;
        }
        let (shared, assignment) = (Arc::clone(shared), assignment.clone());
        let (expected, turn) = (Arc::clone(&network.expected), Arc::clone(&network.turn));
        network.sweep = Some(Aborted(tokio::spawn(async move {
            loop {
                sweep_once(&shared, &assignment, &expected).await;
                if !turn.lock().unwrap_or_else(PoisonError::into_inner).follows() {
                    return;
                }
            }
        })));
    }
}

async fn sweep_once(shared: &Arc<Shared>, assignment: &Assignment, expected: &Arc<Expected>) {
    let reports = match read(assignment) {
        Ok(order) => look::at(shared, &order, expected).await,
        Err(error) => vec![report::failed(Timestamp::now(), &error)],
    };
    for report in reports {
        keep(shared, assignment, WatchReport::Sweep(Box::new(report))).await;
    }
}

fn read(assignment: &Assignment) -> Result<SweepOrder, String> {
    serde_json::from_value(assignment.body.clone()).map_err(|error| {
        format!("this worker does not understand the order ({error}); update the older of worker and server")
    })
}

/// Tells what devices say by themselves.
async fn listen(shared: Arc<Shared>, assignment: Assignment, order: SweepOrder) {
    let plan = ListenPlan { interface: order.interface, vlan: order.vlan, prefixes: order.prefixes };
    let mut told = false;
    loop {
        match Listener::start(&plan) {
            Ok(mut listener) => {
                while let Some(heard) = listener.next().await {
                    keep(&shared, &assignment, WatchReport::Heard(heard)).await;
                }
            }
            Err(error) if !told => {
                told = true;
                tracing::warn!(assignment = %assignment.id, %error, "devices cannot be listened to");
            }
            Err(_) => {}
        }
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}

/// Puts a report into the spool.
async fn keep(shared: &Arc<Shared>, assignment: &Assignment, report: WatchReport) {
    let Some(spool) = shared.spool.clone() else { return };
    let (stream, epoch, at_ms) = (assignment.id, assignment.epoch, Timestamp::now().as_millisecond());
    let body = match serde_json::to_value(report) {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(assignment = %stream, %error, "what was seen cannot be written down");
            return;
        }
    };
    let sender = Arc::clone(shared);
    let make =
        move |sequence| sender.marked(News::Stream(StreamReport { stream, epoch, sequence, at_ms, body }));
    if let Err(error) = spool.keep_next(stream, epoch, make).await {
        tracing::error!(assignment = %stream, %error, "a report of a watched network is lost");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_that_is_wanted_while_one_is_under_way_follows_it() {
        let mut turn = Turn::default();
        assert!(turn.begins(false));
        assert!(!turn.begins(false), "one that is due is left out");
        assert!(!turn.follows());
        assert!(turn.begins(true));
        assert!(!turn.begins(true) && !turn.begins(true));
        assert!(turn.follows());
        assert!(!turn.follows(), "once, however often it was wanted");
        assert_eq!(turn, Turn::Rests);
    }
}
