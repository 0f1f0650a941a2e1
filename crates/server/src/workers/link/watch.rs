//! Cutting the links of workers that are not wanted any more, and telling those that are to drain, whoever
//! said so.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use netwark_model::messages::Unwelcome;
use netwark_store::workers::WorkerCard;
use uuid::Uuid;

use crate::app::App;
use crate::workers::presence::{self, AMQP, ANSWER_WITHIN};

/// How often every link is looked at; this bounds what a lost notice can do.
pub const EVERY: Duration = Duration::from_secs(5);

/// The orders to drain that workers have been told, or learn when they are here; none before the first look.
#[derive(Debug, Default)]
pub struct Drains(Option<HashMap<Uuid, u64>>);

impl Drains {
    /// Tells workers what is new since the last look. A server tells what was said there by itself; this is for
    /// what a program said that has ended, and hearing it twice changes nothing.
    pub async fn look(&mut self, app: &App) {
        let orders = match app.store.drain_orders().await {
            Ok(orders) => orders,
            Err(error) => {
                tracing::debug!(%error, "orders to drain cannot be looked at");
                return;
            }
        };
        let now = orders.iter().map(|(id, order)| (*id, order.revision)).collect();
        let Some(before) = self.0.replace(now) else { return };
        for (id, order) in orders {
            if before.get(&id).is_none_or(|revision| *revision < order.revision) {
                app.directory.forget(id).await;
                presence::tell_to_drain(app, id, order).await;
            }
        }
    }
}

/// Follows what a notice says of workers: `WORKER` has changed, or `WORKER@LINK` is linked anew.
pub async fn noticed(app: &App, payload: &str) {
    let mut changed = HashSet::new();
    for item in payload.split(',') {
        match item.split_once('@') {
            None => changed.extend(item.parse::<Uuid>()),
            Some((worker, link)) => {
                if let (Ok(worker), Ok(link)) = (worker.parse(), link.parse()) {
                    app.links.replaced(worker, link);
                }
            }
        }
    }
    for id in &changed {
        app.directory.forget(*id).await;
        if app
            .directory
            .card(&app.store, *id)
            .await
            .is_ok_and(|card| card.is_some_and(|card| is_cut_off(&card)))
        {
            farewell(app, *id).await;
        }
    }
    let linked = app.links.tokens().into_iter().any(|(worker, _)| changed.contains(&worker));
    if linked {
        look_at_all(app).await;
    }
}

/// True for a revoked worker that may still listen at the broker, where there is no link to cut.
fn is_cut_off(card: &WorkerCard) -> bool {
    card.revoked && card.link == AMQP
}

/// Tells a revoked worker to end.
async fn farewell(app: &App, id: Uuid) {
    // One that is not here now hears it when it says hello.
    presence::tell(app, id, presence::revoked(), ANSWER_WITHIN).await;
}

/// Tells those workers at the broker that were revoked since then, as another program may have done in the database
/// alone. Telling one twice does no harm.
pub async fn look_at_the_broker(app: &App, since: Timestamp) {
    match app.store.workers_revoked_since(since, AMQP).await {
        Ok(revoked) => {
            for id in revoked {
                app.directory.forget(id).await;
                farewell(app, id).await;
            }
        }
        Err(error) => tracing::debug!(%error, "revoked workers cannot be looked for"),
    }
}

/// Cuts the links whose token is not good any more.
pub async fn look_at_all(app: &App) {
    let linked = app.links.tokens();
    if linked.is_empty() {
        return;
    }
    let credentials = match app.store.worker_credentials().await {
        Ok(credentials) => credentials,
        Err(error) => {
            tracing::debug!(%error, "links cannot be looked at");
            return;
        }
    };
    for (worker, token_hash) in linked {
        let (revoked, reason) = match credentials.get(&worker) {
            Some(found) if found.revoked => (true, "this worker was revoked by an administrator"),
            Some(found) if found.token_hash.as_deref() == Some(token_hash.as_slice()) => continue,
            Some(_) => (false, "the token of this worker was replaced; start it with the new one"),
            None => (true, "this worker was deleted by an administrator"),
        };
        tracing::info!(%worker, reason, "a worker's link is cut");
        app.directory.forget(worker).await;
        app.links.cut(worker, Unwelcome { revoked, reason: reason.into() });
    }
}
