//! Results completed with autonomous systems and places, where the server has files that know them.
//!
//! It is done once when a report is applied, so that a result says what was known when it was measured, and again
//! for what is still absent when it is shown: a file may have come later.

use netwark_lookup::geoip;
use netwark_model::operations::OperationDetail;
use serde_json::Value;

use crate::app::App;

/// Completes a payload that a worker reports.
pub async fn complete(app: &App, payload: &mut Value) {
    complete_all(app, vec![payload]).await;
}

/// Completes the results of an operation that is shown.
pub async fn complete_detail(app: &App, detail: &mut OperationDetail) {
    complete_all(app, detail.results.iter_mut().filter_map(|result| result.payload.as_mut()).collect()).await;
}

async fn complete_all(app: &App, mut payloads: Vec<&mut Value>) {
    payloads.retain(|payload| payload.get("trace").is_some() || payload.get("reports").is_some());
    if payloads.is_empty() || app.lookups.geoip.is_empty() {
        return;
    }
    // Copies, since a result must not be lost when the process ends in between.
    let mut copies: Vec<Value> = payloads.iter().map(|payload| Value::clone(payload)).collect();
    let geoip = app.lookups.geoip.clone();
    // What is not in memory comes from the disk, and nobody else should wait for that.
    let completed = tokio::task::spawn_blocking(move || {
        copies.iter_mut().for_each(|payload| {
            geoip::complete(payload, &geoip);
        });
        copies
    });
    match completed.await {
        Ok(completed) => payloads.into_iter().zip(completed).for_each(|(payload, new)| *payload = new),
        Err(error) => tracing::error!(%error, "results could not be completed"),
    }
}
