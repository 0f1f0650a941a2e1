//! What workers report, from the bus to the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use netwark_bus::{BusError, IncomingReport};
use netwark_model::messages::{Hello, News, Report, VERSION};
use netwark_model::queues::full_name;
use netwark_store::operations::{Applied, ResultNews};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::app::App;

/// Most reports that are applied at the same time; the store groups their writes.
const AT_ONCE: usize = 256;

/// Names of workers that have said hello to this server.
type Names = Arc<Mutex<HashMap<Uuid, String>>>;

/// Applies reports until the bus is closed.
pub async fn run(app: App) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let names = Names::default();
    while let Some(incoming) = app.bus.next_report().await {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let app = app.clone();
        let names = Arc::clone(&names);
        tokio::spawn(async move {
            settle(&app, &names, incoming).await;
            drop(permit);
        });
    }
}

async fn settle(app: &App, names: &Names, incoming: IncomingReport) {
    let result = apply(app, names, incoming.report.clone()).await;
    let fate = match &result {
        Ok(()) => "applied",
        Err(BusError::Refused(reason)) => {
            tracing::warn!(worker = %incoming.report.worker_id, %reason, "a report was refused");
            "refused"
        }
        Err(error) => {
            tracing::warn!(worker = %incoming.report.worker_id, %error, "a report was not stored");
            "not_stored"
        }
    };
    app.metrics.report(fate);
    incoming.settle(result);
}

async fn apply(app: &App, names: &Names, report: Report) -> Result<(), BusError> {
    let not_stored = |error: netwark_store::StoreError| {
        if error.is_conflict() {
            BusError::Refused(error.to_string())
        } else {
            BusError::NotStored(error.to_string())
        }
    };
    if report.version > VERSION {
        return Err(BusError::Refused(format!(
            "the report has version {}, this server understands up to {VERSION}; update the server",
            report.version
        )));
    }
    let id = report.worker_id;
    let now = Timestamp::now();
    let (operation_id, result_id, news) = match report.news {
        News::Hello(hello) => {
            let hello = checked(app, hello).await?;
            let name = hello.name.clone();
            app.store.worker_hello(id, hello, now).await.map_err(not_stored)?;
            tracing::info!(worker = %name, "a worker is here");
            names.lock().unwrap_or_else(PoisonError::into_inner).insert(id, name);
            return Ok(());
        }
        News::Alive { running } => {
            let known = app.store.worker_alive(id, running, now).await.map_err(not_stored)?;
            return if known { Ok(()) } else { Err(BusError::Refused("say hello first".into())) };
        }
        News::Goodbye => return app.store.worker_gone(id).await.map_err(not_stored),
        News::Started { operation_id, result_id } => (operation_id, result_id, ResultNews::Started),
        News::Progress { operation_id, result_id, payload } => {
            (operation_id, result_id, ResultNews::Progress(payload))
        }
        News::Final { operation_id, result_id, end } => (operation_id, result_id, ResultNews::Final(end)),
    };
    let name = names.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
    let name = name.ok_or_else(|| BusError::Refused("say hello first".into()))?;
    match app.store.apply_report((id, name), operation_id, result_id, news, now).await.map_err(not_stored)? {
        Applied::Changed(change) => {
            app.live.changed(change);
            Ok(())
        }
        Applied::Known => Ok(()),
        Applied::Refused => {
            Err(BusError::Refused(format!("result {result_id} is not this worker's to report on")))
        }
    }
}

/// What a worker says of itself, bounded, with the queues that exist.
async fn checked(app: &App, mut hello: Hello) -> Result<Hello, BusError> {
    let name_fits = !hello.name.trim().is_empty()
        && hello.name.chars().count() <= 100
        && !hello.name.chars().any(char::is_control);
    if !name_fits {
        return Err(BusError::Refused(
            "a worker's name has 1 to 100 characters, none of them control characters".into(),
        ));
    }
    for text in [&mut hello.site, &mut hello.location, &mut hello.policy] {
        *text = text.chars().filter(|c| !c.is_control()).take(500).collect();
    }
    hello.tags.truncate(100);
    let kinds = app.store.queue_kinds().await.map_err(|error| BusError::NotStored(error.to_string()))?;
    let mut granted = Vec::new();
    for queue in &hello.queues {
        match full_name(queue) {
            Ok(full) if kinds.contains_key(&full) => {
                if !granted.contains(&full) {
                    granted.push(full);
                }
            }
            _ => {
                return Err(BusError::Refused(format!("'{queue}' is no queue of this server")));
            }
        }
    }
    hello.queues = granted;
    Ok(hello)
}
