//! Makes the updates that are asked for and those that are due, one after another, and takes over what they bring.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use netwark_lookup::update::{self, Asked, Changes, Outcome, Report, UpdateError, directory};
use netwark_model::events::Severity;
use tokio_util::sync::CancellationToken;

use super::runs::{RunState, Turn};
use super::{Scheduled, account, spread};
use crate::app::App;

/// How often it is looked whether another process has updated something.
const LOOK: Duration = Duration::from_secs(2);
/// How many looks lie between two at what is due.
const DUE: u32 = 15;

/// Takes over what updates bring, and makes those that are asked for or due, until stopped.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    let Some(data_dir) = app.settings.lookups.data_dir.clone() else { return };
    let runs = &app.lookups.runs;
    let mut tick = tokio::time::interval(LOOK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut turn = 0_u32;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = runs.wanted() => {}
            _ = tick.tick() => {
                take_over(&app).await;
                if turn.is_multiple_of(DUE) {
                    let sources = app.settings.lookups.updates.iter();
                    sources.filter(|one| is_due(&app, one, &data_dir)).for_each(|one| runs.due(one.source.name()));
                }
                turn = turn.wrapping_add(1);
            }
        }
        while let Some(turn) = runs.next() {
            let sources = &app.settings.lookups.updates;
            let Some(one) = sources.iter().find(|one| one.source.name() == turn.source) else { continue };
            tokio::select! {
                () = stop.cancelled() => return,
                () = make(&app, one, &data_dir, &turn) => {}
            }
        }
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

/// How an update ended: well, or why not, and whether that is news to a schedule.
struct End {
    state: RunState,
    /// What is said to whoever asked.
    detail: String,
    severity: Severity,
    /// Whether the timeline is told although nobody asked for it.
    news: bool,
}

async fn make(app: &App, one: &Scheduled, data_dir: &Path, turn: &Turn) {
    let end = update(app, one, data_dir).await;
    take_over(app).await;
    let (title, state) = (one.source.title(), end.state);
    if state == RunState::Failed {
        tracing::warn!(source = one.source.name(), error = end.detail, "an update failed");
    }
    app.lookups.runs.ended(turn.source, state, end.detail.clone(), Timestamp::now());
    if turn.by.is_none() && !end.news {
        return;
    }
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let asked = turn.by.as_ref().map_or_else(String::new, |by| format!(", as {by} asked"));
    let (kind, verb) = match state {
        RunState::Failed => ("data_update_failed", "could not be updated"),
        RunState::Updated => ("data_updated", "were updated"),
        _ => ("data_updated", "were asked for"),
    };
    let text = format!("{host}: {title} {verb}{asked}: {}", end.detail);
    if let Err(error) = app.store.tell(end.severity, kind, text, Timestamp::now()).await {
        tracing::error!(%error, "an event could not be stored");
    }
}

async fn update(app: &App, one: &Scheduled, data_dir: &Path) -> End {
    let failed =
        |detail: String, news| End { state: RunState::Failed, detail, severity: Severity::Warning, news };
    let source = match account::applied(app, &one.source).await {
        Ok(source) => source,
        Err(error) => return failed(error.to_string(), false),
    };
    let failed_before = update::State::read(&directory(data_dir, source.name())).failure.is_some();
    match update::update(&source, data_dir, &Asked::default()).await {
        Ok(report) if report.outcome == Outcome::Updated => {
            End { state: RunState::Updated, detail: changed(&report), severity: Severity::Info, news: true }
        }
        Ok(_) => {
            let severity = if failed_before { Severity::Ok } else { Severity::Info };
            End { state: RunState::Unchanged, detail: "nothing is new".into(), severity, news: failed_before }
        }
        // Somebody makes this very update by hand, and is told there.
        Err(error @ UpdateError::Busy(_)) => failed(error.to_string(), false),
        // One line for a row of failures is enough: the page of sources has the last.
        Err(error) => failed(format!("{error}; what was there stays"), !failed_before),
    }
}

fn changed(report: &Report) -> String {
    let Changes { added, changed, removed, .. } = report.changes;
    let of = report.date.map_or_else(String::new, |date| format!(" of {date}"));
    format!("{} entries{of}; {added} added, {changed} changed, {removed} removed", report.entries)
}
