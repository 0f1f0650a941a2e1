//! Networks this worker watches: each is swept when it is due, and listened to in between.
//!
//! A sweep is a task of its own, so that one that takes long keeps no other from beginning; of one network there is one
//! at a time. What comes of it goes to the spool, whether or not a server can be reached.

mod look;
mod report;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use netwark_model::assignments::{Assignment, StreamReport};
use netwark_model::messages::News;
use netwark_model::watch::order::SweepOrder;
use netwark_model::watch::report::WatchReport;
use netwark_probe::sweep::listen::{ListenPlan, Listener};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::worker::Shared;

/// How long it takes until listening is tried again that could not begin or has ended.
const LISTEN_AGAIN: Duration = Duration::from_secs(60);

/// Addresses that were there at the last sweep.
type Expected = Arc<Mutex<HashSet<IpAddr>>>;

/// What is done for the orders that are held.
#[derive(Default)]
pub(crate) struct Watching {
    networks: HashMap<(Uuid, u64), Network>,
}

#[derive(Default)]
struct Network {
    expected: Expected,
    sweep: Option<Aborted>,
    listening: Option<Aborted>,
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
        for assignment in held.iter().filter(|one| one.kind == netwark_model::watch::SWEEP) {
            let network = self.networks.entry((assignment.id, assignment.epoch)).or_default();
            let Ok(order) = read(assignment) else { continue };
            if order.passive && network.listening.is_none() {
                let (shared, assignment) = (Arc::clone(shared), assignment.clone());
                network.listening = Some(Aborted(tokio::spawn(listen(shared, assignment, order))));
            }
        }
    }

    /// Begins a sweep, unless one is under way.
    pub(crate) fn sweep(&mut self, shared: &Arc<Shared>, assignment: &Assignment) {
        let network = self.networks.entry((assignment.id, assignment.epoch)).or_default();
        if network.sweep.as_ref().is_some_and(|sweep| !sweep.0.is_finished()) {
            tracing::debug!(assignment = %assignment.id, "the sweep before this one has not ended");
            return;
        }
        let (shared, assignment) = (Arc::clone(shared), assignment.clone());
        let expected = Arc::clone(&network.expected);
        network.sweep = Some(Aborted(tokio::spawn(async move {
            let reports = match read(&assignment) {
                Ok(order) => look::at(&shared, &order, &expected).await,
                Err(error) => vec![report::failed(Timestamp::now(), &error)],
            };
            for report in reports {
                keep(&shared, &assignment, WatchReport::Sweep(Box::new(report))).await;
            }
        })));
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

/// Addresses that are expected, and what they become with a sweep that was complete.
fn expected(of: &Expected) -> HashSet<IpAddr> {
    of.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
