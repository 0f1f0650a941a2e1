//! `/updates`: how old the data of look-ups is, and keeping it new where a schedule is set.
//!
//! Each server has a data directory of its own, so each sees to its own data; on the timeline its name tells them
//! apart.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use jiff::civil::Date;
use netwark_lookup::update::{
    self, Asked, BuiltIn, Changes, Failure, Outcome, Report, Schedule, Source, UpdateError, directory,
};
use netwark_model::events::Severity;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::app::App;

/// How often it is looked whether another process has updated something.
const LOOK: Duration = Duration::from_secs(2);
/// How many looks lie between two at what is due.
const DUE: u32 = 15;

/// A source, and how often this server asks it.
#[derive(Clone, Debug)]
pub struct Scheduled {
    /// The source.
    pub source: Arc<dyn Source>,
    /// How often.
    pub schedule: Schedule,
}

/// What is known of the data of one source.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SourceStatus {
    /// Its name in `netwark update`.
    #[schema(example = "oui")]
    pub name: String,
    /// What it is, for people.
    #[schema(example = "MAC vendors")]
    pub title: String,
    /// Whose data it is and under which terms.
    pub terms: String,
    /// What came with the program.
    pub built_in: Option<BuiltIn>,
    /// Whether what an update brought is in use, and not what came with the program.
    pub updated: bool,
    /// The day the data in use is of.
    #[schema(value_type = Option<String>, format = Date)]
    pub date: Option<Date>,
    /// How many entries the data in use has.
    pub entries: u64,
    /// When an update last brought something.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub fetched_at: Option<Timestamp>,
    /// When the source last answered, also if it had nothing new.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub checked_at: Option<Timestamp>,
    /// Where the data is from, without secrets.
    pub from: Vec<String>,
    /// What the last update that brought something changed.
    pub changes: Option<Changes>,
    /// Why the last attempt failed; absent after one that did not.
    pub failure: Option<Failure>,
    /// How often this server asks by itself: `off`, `daily`, `weekly`, `monthly`, or hours or days such as `7d`.
    #[schema(example = "weekly")]
    pub schedule: String,
    /// When it will ask next.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Timestamp>,
}

/// Lists the sources of look-up data: how old it is, and how it is kept new.
#[utoipa::path(
    get, path = "/updates", operation_id = "list_updates", tag = "Look-ups",
    responses((status = 200, description = "Every source", body = Vec<SourceStatus>)),
)]
pub(crate) async fn list_updates(State(app): State<App>) -> Json<Vec<SourceStatus>> {
    let settings = &app.settings.lookups;
    let started = app.started_at;
    Json(settings.updates.iter().map(|one| status(one, settings.data_dir.as_deref(), started)).collect())
}

fn status(one: &Scheduled, data_dir: Option<&Path>, started: Timestamp) -> SourceStatus {
    let source = &one.source;
    let state = data_dir.map_or_else(update::State::default, |data_dir| {
        update::State::read(&directory(data_dir, source.name()))
    });
    let built_in = source.built_in();
    // A program that is newer than the last update brings better data itself.
    let newer = |built_in: &BuiltIn| state.date.is_none_or(|date| date < built_in.date);
    let updated = !state.files.is_empty() && !built_in.as_ref().is_some_and(newer);
    let (date, entries) = match &built_in {
        Some(built_in) if !updated => (Some(built_in.date), built_in.entries),
        _ => (state.date, state.entries),
    };
    SourceStatus {
        name: source.name().into(),
        title: source.title().into(),
        terms: source.terms().into(),
        updated,
        date,
        entries,
        built_in,
        fetched_at: state.fetched_at,
        checked_at: state.checked_at,
        from: state.parts.values().map(|part| part.location.clone()).collect(),
        next_at: data_dir
            .and_then(|data_dir| one.schedule.next(&state, started, spread(data_dir, source.name()))),
        changes: state.fetched_at.map(|_| state.changes),
        failure: state.failure,
        schedule: one.schedule.to_string(),
    }
}

/// A number that keeps apart servers with the same schedule, and stays the same for each.
fn spread(data_dir: &Path, source: &str) -> u64 {
    let host = rustix::system::uname();
    let parts = [host.nodename().to_bytes(), data_dir.as_os_str().as_encoded_bytes(), source.as_bytes()];
    // FNV-1a: what matters is only that it differs.
    parts
        .concat()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Takes over what updates bring, and makes those that are due, until stopped.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    let Some(data_dir) = app.settings.lookups.data_dir.clone() else { return };
    let mut tick = tokio::time::interval(LOOK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut turn = 0_u32;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        take_over(&app).await;
        if turn.is_multiple_of(DUE) {
            for one in app.settings.lookups.updates.iter().filter(|one| is_due(&app, one, &data_dir)) {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = update(&app, one, &data_dir) => {}
                }
            }
        }
        turn = turn.wrapping_add(1);
    }
}

async fn take_over(app: &App) {
    let lookups = app.lookups.clone();
    if let Err(error) = tokio::task::spawn_blocking(move || lookups.refresh()).await {
        tracing::error!(%error, "what an update brought could not be taken over");
    }
}

fn is_due(app: &App, one: &Scheduled, data_dir: &Path) -> bool {
    let state = update::State::read(&directory(data_dir, one.source.name()));
    let next = one.schedule.next(&state, app.started_at, spread(data_dir, one.source.name()));
    next.is_some_and(|next| next <= Timestamp::now())
}

async fn update(app: &App, one: &Scheduled, data_dir: &Path) {
    let source = &one.source;
    let directory = directory(data_dir, source.name());
    let failed_before = update::State::read(&directory).failure.is_some();
    let outcome = update::update(source, data_dir, &Asked::default()).await;
    take_over(app).await;
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let title = source.title();
    let told = match outcome {
        Ok(report) if report.outcome == Outcome::Updated => Some((
            Severity::Info,
            "data_updated",
            format!("{host}: {title} were updated: {}", changed(&report)),
        )),
        Ok(_) if failed_before => Some((
            Severity::Ok,
            "data_updated",
            format!("{host}: {title} can be fetched again; nothing is new"),
        )),
        Ok(_) => None,
        // Somebody makes this very update by hand, and is told there.
        Err(UpdateError::Busy(_)) => None,
        Err(error) => {
            tracing::warn!(source = source.name(), %error, "an update failed");
            // One line for a row of failures is enough: the page of sources has the last.
            let text = format!("{host}: {title} could not be updated, what was there stays: {error}");
            (!failed_before).then_some((Severity::Warning, "data_update_failed", text))
        }
    };
    if let Some((severity, kind, text)) = told
        && let Err(error) = app.store.tell(severity, kind, text, Timestamp::now()).await
    {
        tracing::error!(%error, "an event could not be stored");
    }
}

fn changed(report: &Report) -> String {
    let Changes { added, changed, removed, .. } = report.changes;
    let of = report.date.map_or_else(String::new, |date| format!(" of {date}"));
    format!("{} entries{of}; {added} added, {changed} changed, {removed} removed", report.entries)
}
