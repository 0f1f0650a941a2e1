//! What is known of the data of a source.

use jiff::Timestamp;
use jiff::civil::Date;
use netwark_lookup::update::{self, Accounts, BuiltIn, Changes, Failure, directory};
use serde::Serialize;
use utoipa::ToSchema;

use super::runs::{RunState, UpdateRun};
use super::{Scheduled, spread};
use crate::app::App;

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
    /// The latest update by this server since it was started.
    pub run: Option<UpdateRun>,
    /// The account it is asked with; absent where there are no accounts.
    pub account: Option<SourceAccount>,
}

/// The account a source is asked with. Its key is never shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SourceAccount {
    /// Who gives accounts, and for what.
    #[schema(example = "MaxMind, for GeoLite2")]
    pub provider: String,
    /// The number of the account in use; without one, files that need none are fetched.
    #[schema(example = "123456")]
    pub number: Option<String>,
    /// Whether it was given to the server, and not by the configuration.
    pub stored: bool,
}

/// What is known of a source. Where the server was given an account, `stored` is its number.
pub(super) fn of(app: &App, one: &Scheduled, stored: Option<String>) -> SourceStatus {
    let (source, data_dir) = (&one.source, app.settings.lookups.data_dir.as_deref());
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
            .and_then(|data_dir| one.schedule.next(&state, app.started_at, spread(data_dir, source.name()))),
        changes: state.fetched_at.map(|_| state.changes),
        failure: state.failure,
        schedule: one.schedule.to_string(),
        run: run(app, source.name()),
        account: source.as_with_account().map(|source| account(source.accounts(), stored)),
    }
}

/// The latest update, with what it has fetched so far.
fn run(app: &App, source: &str) -> Option<UpdateRun> {
    let run = app.lookups.runs.of(source)?;
    let data_dir = app.settings.lookups.data_dir.as_ref().filter(|_| run.state == RunState::Running);
    let bytes = data_dir.map(|data_dir| update::brought_so_far(data_dir, source));
    Some(UpdateRun { bytes, ..run })
}

fn account(accounts: Accounts<'_>, stored: Option<String>) -> SourceAccount {
    let is_stored = stored.is_some();
    let number = stored.or_else(|| accounts.number.map(str::to_owned));
    SourceAccount { provider: accounts.provider.into(), number, stored: is_stored }
}
