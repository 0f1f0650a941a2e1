//! Cutting the links of workers that are not wanted any more.

use std::collections::HashSet;
use std::time::Duration;

use netwark_model::messages::Unwelcome;
use uuid::Uuid;

use crate::app::App;

/// How often every link is looked at; this bounds what a lost notice can do, and is how a server on SQLite
/// learns what another program did to the database.
pub const EVERY: Duration = Duration::from_secs(5);

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
    }
    let linked = app.links.tokens().into_iter().any(|(worker, _)| changed.contains(&worker));
    if linked {
        look_at_all(app).await;
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
