//! What workers report, from the bus to the store.

use std::sync::Arc;

use jiff::Timestamp;
use netwark_bus::{BusError, Proof, signing};
use netwark_model::messages::{End, News, Report, VERSION, understood};
use netwark_store::StoreError;
use netwark_store::operations::{Applied, ResultNews};
use netwark_store::streams::StreamNews;
use serde_json::Value;
use tokio::sync::Semaphore;
use tracing::Instrument;
use uuid::Uuid;

use crate::app::App;
use crate::assignments;
use crate::operations::places;
use crate::workers::presence;

/// Most reports that are applied at the same time; the store groups their writes.
const AT_ONCE: usize = 256;

/// Applies reports until the bus is closed.
pub async fn run(app: App) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(incoming) = app.bus.next_report().await {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let app = app.clone();
        tokio::spawn(async move {
            let (report, again) = (incoming.report.clone(), incoming.redelivered);
            let result = match prove(&app, report.worker_id, incoming.proof.clone()).await {
                Ok(link) => take_in(&app, report, link, again).await,
                Err(error) => counted(&app, report.worker_id, again, Err(error)),
            };
            incoming.settle(result);
            drop(permit);
        });
    }
}

/// Applies a report of a worker that is known to be the one it names, and counts what became of it.
///
/// # Errors
/// When it is refused, or could not be stored.
pub async fn receive(app: &App, report: Report, link: &'static str) -> Result<(), BusError> {
    take_in(app, report, link, false).await
}

async fn take_in(app: &App, report: Report, link: &'static str, again: bool) -> Result<(), BusError> {
    let worker_id = report.worker_id;
    let span = tracing::info_span!("report", worker = %worker_id, operation = tracing::field::Empty);
    let result = apply(app, report, link, again).instrument(span.clone()).await;
    let _entered = span.entered();
    counted(app, worker_id, again, result)
}

fn counted(app: &App, worker_id: Uuid, again: bool, result: Result<(), BusError>) -> Result<(), BusError> {
    let fate = match &result {
        Ok(()) => "applied",
        // A broker that restarts gives out again what it does not know to be done.
        Err(BusError::Refused(reason)) if reason == presence::REPLAYED && again => {
            tracing::debug!(worker = %worker_id, "a report was given out again");
            "replayed"
        }
        // Work is given out again when its worker was not heard to have done it.
        Err(BusError::Refused(reason)) if reason == OVER => {
            tracing::debug!(worker = %worker_id, "a run was begun again that has ended");
            "refused"
        }
        Err(BusError::Refused(reason)) => {
            tracing::warn!(worker = %worker_id, %reason, "a report was refused");
            "refused"
        }
        Err(error) => {
            tracing::warn!(worker = %worker_id, %error, "a report was not stored");
            "not_stored"
        }
    };
    app.metrics.report(fate);
    result
}

/// Makes sure that a report is from the worker it names; returns how that worker is linked.
async fn prove(app: &App, id: Uuid, proof: Proof) -> Result<&'static str, BusError> {
    let Proof::Signature { body, signature } = proof else { return Ok(presence::EMBEDDED) };
    let card = app.directory.card(&app.store, id).await.map_err(not_stored)?;
    let key = card.as_ref().and_then(|card| card.public_key.as_deref());
    let Some(key) = key else {
        return Err(BusError::Refused("no key is registered for this worker; enrol it with its key".into()));
    };
    match signing::verify(key, &body, &signature) {
        Ok(()) => Ok(presence::AMQP),
        Err(forged) => Err(BusError::Refused(forged.to_string())),
    }
}

async fn apply(app: &App, report: Report, link: &'static str, again: bool) -> Result<(), BusError> {
    if !understood(report.version) {
        return Err(BusError::Refused(format!(
            "the report has version {}, this server understands up to {VERSION}; update the server",
            report.version
        )));
    }
    let Report { worker_id: id, mark, news, .. } = report;
    let (operation_id, result_id, news) = match news {
        News::Hello(hello) => return presence::hello(app, id, *hello, (mark, again), link).await,
        News::Alive(alive) => return presence::alive(app, id, alive, mark).await,
        News::Goodbye => return presence::goodbye(app, id, mark).await,
        News::Started { operation_id, result_id, redelivered } => {
            (operation_id, result_id, ResultNews::Started { redelivered })
        }
        News::Progress { operation_id, result_id, mut payload } => {
            places::complete(app, &mut payload).await;
            (operation_id, result_id, ResultNews::Progress { payload, mark })
        }
        News::Final { operation_id, result_id, mut end } => {
            if let Some(payload) = measured(&mut end) {
                places::complete(app, payload).await;
            }
            (operation_id, result_id, ResultNews::Final(end))
        }
        news => return standing(app, id, news).await,
    };
    // Every line that is written on the way carries it.
    tracing::Span::current().record("operation", tracing::field::display(operation_id));
    let name = name_of(app, id).await?;
    let end = match &news {
        ResultNews::Final(end) => Some(word(end)),
        _ => None,
    };
    let applied = app.store.apply_report((id, name), operation_id, result_id, news, Timestamp::now()).await;
    match applied.map_err(not_stored)? {
        Applied::Changed(change) => {
            end.into_iter().for_each(|status| app.metrics.result(status));
            app.live.changed(change);
            Ok(())
        }
        Applied::Known => Ok(()),
        Applied::Over => Err(BusError::Refused(OVER.into())),
        Applied::Refused => {
            Err(BusError::Refused(format!("result {result_id} is not this worker's to report on")))
        }
    }
}

/// Said to who begins a run that has ended.
const OVER: &str = "this result has ended already";

/// What a run had measured when it ended.
fn measured(end: &mut End) -> Option<&mut Value> {
    match end {
        End::Done { payload } => Some(payload),
        End::Timeout { payload } | End::Cancelled { payload } => payload.as_mut(),
        End::Error { .. } => None,
    }
}

/// How a run ended, as the status of its result has it.
fn word(end: &End) -> &'static str {
    match end {
        End::Done { .. } => "done",
        End::Error { .. } => "error",
        End::Timeout { .. } => "timeout",
        End::Cancelled { .. } => "cancelled",
    }
}

/// News of standing orders.
async fn standing(app: &App, id: Uuid, news: News) -> Result<(), BusError> {
    let name = name_of(app, id).await?;
    let news = match news {
        News::Stream(report) => StreamNews::Report(report),
        News::Gap { stream, epoch, from, to, reason } => StreamNews::Gap { stream, epoch, from, to, reason },
        News::Assigned { revision } => return assignments::confirmed(app, id, revision).await,
        News::Released { assignment_id, epoch } => {
            return assignments::released(app, id, assignment_id, epoch).await;
        }
        _ => return Err(BusError::Refused("this server does not know such news; update it".into())),
    };
    assignments::brought(app, (id, name), news).await
}

/// The name of a worker that may report.
async fn name_of(app: &App, id: Uuid) -> Result<String, BusError> {
    let mut card = app.directory.card(&app.store, id).await.map_err(not_stored)?;
    if card.as_ref().is_some_and(|card| !card.introduced) {
        // Another server may have heard its hello since; a result that is refused is lost.
        app.directory.forget(id).await;
        card = app.directory.card(&app.store, id).await.map_err(not_stored)?;
    }
    match card {
        Some(card) if card.revoked => Err(BusError::Refused(presence::REVOKED.into())),
        Some(card) if card.introduced => Ok(card.name.clone()),
        _ => Err(BusError::Refused("say hello first".into())),
    }
}

/// What a failing store means to a worker: it may try again, unless what it says contradicts what is stored.
#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
pub fn not_stored(error: StoreError) -> BusError {
    if error.is_conflict() {
        BusError::Refused(error.to_string())
    } else {
        BusError::NotStored(error.to_string())
    }
}
