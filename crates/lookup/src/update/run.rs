//! One update, from asking to having.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use utoipa::ToSchema;

use super::state::{PartState, State};
use super::{Changes, Fresh, Part, Prepared, Source, Work, directory};
use crate::fetch::{self, FetchError, Fetched, Location, fetch};

/// Holds what is not complete yet.
const STAGING: &str = "new";

/// How an update is made.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Where from, instead of where the configuration says.
    pub from: Option<Location>,
    /// Fetch and check, but change nothing.
    pub dry_run: bool,
}

/// How an update ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UpdateOutcome)]
pub enum Outcome {
    /// New data is in place.
    Updated,
    /// The source has what is there already.
    Unchanged,
    /// New data could be put in place; nothing was changed, as was asked.
    Available,
}

/// What an update did.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = UpdateReport)]
pub struct Report {
    /// The source.
    #[schema(example = "oui")]
    pub source: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Where the data is from, without secrets.
    pub from: Vec<String>,
    /// The day the data is of.
    #[schema(value_type = Option<String>, format = Date)]
    pub date: Option<Date>,
    /// How many entries there are.
    pub entries: u64,
    /// What differs from before.
    pub changes: Changes,
}

/// Why an update brought nothing. The last good data is untouched.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// Another process, or another task, updates the same source.
    #[error("another update of {0} is under way")]
    Busy(&'static str),
    /// Where it should come from makes no sense for this source.
    #[error("{0}")]
    From(String),
    /// A part was not brought.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What was brought is not what it should be.
    #[error("what was fetched is not used: {0}")]
    Insane(String),
    /// The data directory cannot be written.
    #[error("{path}: {error}")]
    Disk {
        /// Which file or directory.
        path: String,
        /// Why.
        error: io::Error,
    },
}

impl UpdateError {
    /// Whether it says something about the source, and not only about who asked.
    fn counts(&self) -> bool {
        !matches!(self, Self::Busy(_) | Self::From(_))
    }
}

/// Brings the data of a source into the data directory: asks for each part, lets the source check what is new, and
/// puts it in the place of what was there. A failure is noted in the state of the source.
///
/// # Errors
/// When a part cannot be brought, is not sane, or cannot be written. The last good data is untouched then.
pub async fn update(source: &Arc<dyn Source>, data_dir: &Path, asked: &Asked) -> Result<Report, UpdateError> {
    let directory = directory(data_dir, source.name());
    fs::create_dir_all(&directory).map_err(disk(&directory))?;
    let lock = directory.join("lock");
    let lock = File::create(&lock).map_err(disk(&lock))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(UpdateError::Busy(source.name())),
        Err(TryLockError::Error(error)) => return Err(disk(&directory)(error)),
    }
    let staging = directory.join(STAGING);
    let outcome = {
        let run = Run { source, asked, directory: &directory, staging: &staging };
        run.bring().await
    };
    let _ = fs::remove_dir_all(&staging);
    if let (Err(error), false) = (&outcome, asked.dry_run)
        && error.counts()
    {
        let mut state = State::read(&directory);
        state.failed(Timestamp::now(), error.to_string());
        if let Err(error) = state.write(&directory) {
            tracing::warn!(%error, directory = %directory.display(), "a failed update cannot be noted");
        }
    }
    outcome
}

/// How many bytes of an update that is under way are there, by its parts: those of which all is there, too.
pub fn brought_so_far(data_dir: &Path, source: &str) -> u64 {
    let entries = fs::read_dir(directory(data_dir, source).join(STAGING));
    let files = entries.into_iter().flatten().flatten().filter_map(|entry| entry.metadata().ok());
    files.map(|file| file.len()).sum()
}

struct Run<'a> {
    source: &'a Arc<dyn Source>,
    asked: &'a Asked,
    directory: &'a Path,
    staging: &'a Path,
}

/// What asking for all parts gave.
#[derive(Default)]
struct Brought {
    fresh: Vec<Fresh>,
    /// All parts that there are, also those that did not change.
    parts: Vec<(String, PartState)>,
}

impl Run<'_> {
    async fn bring(&self) -> Result<Report, UpdateError> {
        let parts = match &self.asked.from {
            Some(from) => self.source.parts_from(from).map_err(UpdateError::From)?,
            None => self.source.parts(),
        };
        // What an update that was cut off has left is of no use.
        let _ = fs::remove_dir_all(self.staging);
        fs::create_dir(self.staging).map_err(disk(self.staging))?;
        let mut state = State::read(self.directory);
        let brought = self.fetch_all(&parts, &state).await?;
        let now = Timestamp::now();
        let from = brought.parts.iter().map(|(_, part)| part.location.clone()).collect();
        if brought.fresh.is_empty() {
            state.checked_at = Some(now);
            state.failure = None;
            self.note(&state)?;
            let changes = Changes::default();
            return Ok(self.report(Outcome::Unchanged, from, state.date, state.entries, changes));
        }
        let prepared = self.prepare(brought.fresh).await?;
        let unchanged = prepared.changes.is_none() && state.is_whole(self.directory);
        let outcome = match (unchanged, self.asked.dry_run) {
            (true, _) => Outcome::Unchanged,
            (false, true) => Outcome::Available,
            (false, false) => Outcome::Updated,
        };
        let Prepared { files, date, entries, changes } = prepared;
        if !self.asked.dry_run {
            for file in &files {
                fetch::put_in_place(&self.staging.join(file), &self.directory.join(file))?;
            }
            state.files = files;
            state.entries = entries;
            state.date = date.or(state.date);
            state.checked_at = Some(now);
            state.failure = None;
            state.parts.extend(brought.parts);
            if !unchanged {
                state.fetched_at = Some(now);
                state.changes = changes.clone();
            }
            self.note(&state)?;
        }
        Ok(self.report(outcome, from, date.or(state.date), entries, changes))
    }

    async fn fetch_all(&self, parts: &[Part], state: &State) -> Result<Brought, UpdateError> {
        let mut brought = Brought::default();
        let whole = state.is_whole(self.directory);
        let mut missing = None;
        for part in parts {
            let into = self.staging.join(format!("{}.fetched", part.name));
            match fetch_part(part, state.parts.get(&part.name).filter(|_| whole), &into).await {
                Ok((known, fresh)) => {
                    if fresh {
                        let (name, modified) = (part.name.clone(), known.modified);
                        brought.fresh.push(Fresh { name, path: into, modified });
                    }
                    brought.parts.push((part.name.clone(), known));
                }
                Err(error) if part.optional && is_absent(&error) => missing = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        match missing {
            Some(error) if brought.parts.is_empty() => Err(error.into()),
            _ => Ok(brought),
        }
    }

    async fn prepare(&self, fresh: Vec<Fresh>) -> Result<Prepared, UpdateError> {
        let (source, present, staging) =
            (Arc::clone(self.source), self.directory.to_owned(), self.staging.to_owned());
        let prepared = tokio::task::spawn_blocking(move || {
            source.prepare(Work { fresh: &fresh, present: &present, staging: &staging })
        });
        match prepared.await {
            Ok(prepared) => prepared.map_err(UpdateError::Insane),
            Err(error) => Err(UpdateError::Insane(format!("reading it broke off: {error}"))),
        }
    }

    fn note(&self, state: &State) -> Result<(), UpdateError> {
        match self.asked.dry_run {
            true => Ok(()),
            false => state.write(self.directory).map_err(disk(self.directory)),
        }
    }

    fn report(
        &self,
        outcome: Outcome,
        from: Vec<String>,
        date: Option<Date>,
        entries: u64,
        changes: Changes,
    ) -> Report {
        Report { source: self.source.name().into(), outcome, from, date, entries, changes }
    }
}

/// Fetches a part from the first of its locations that has it; true when it is new.
async fn fetch_part(
    part: &Part,
    known: Option<&PartState>,
    into: &Path,
) -> Result<(PartState, bool), FetchError> {
    let mut absent = None;
    for location in &part.locations {
        let place = location.to_string();
        // A mark is one of the place that gave it.
        let known = known.filter(|known| known.location == place);
        let mark = known.and_then(|known| known.etag.as_deref());
        match (fetch(location, mark, into, part.largest).await, known) {
            (Ok(Fetched::Unchanged), Some(known)) => return Ok((known.clone(), false)),
            (Ok(Fetched::Unchanged), None) => {}
            (Ok(Fetched::New { bytes, etag, modified }), _) => {
                let modified = match location {
                    Location::Web(_) => modified.as_deref().and_then(http_date),
                    Location::File(path) => file_date(path),
                };
                return Ok((PartState { location: place, etag, modified, bytes }, true));
            }
            (Err(error), _) if is_absent(&error) => absent = Some(error),
            (Err(error), _) => return Err(error),
        }
    }
    Err(absent.unwrap_or_else(|| FetchError::Empty(part.name.clone())))
}

/// True when there is no such file where it was asked for, so that another place is worth a try.
fn is_absent(error: &FetchError) -> bool {
    match error {
        FetchError::Status { status, .. } => matches!(status.as_u16(), 404 | 410),
        FetchError::File { error, .. } => error.kind() == io::ErrorKind::NotFound,
        _ => false,
    }
}

/// A time as HTTP writes it (RFC 9110, section 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|time| time.timestamp())
}

fn file_date(path: &Path) -> Option<Timestamp> {
    Timestamp::try_from(fs::metadata(path).ok()?.modified().ok()?).ok()
}

/// The day of a time, in UTC.
pub fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

fn disk(path: &Path) -> impl Fn(io::Error) -> UpdateError + use<> {
    let path: PathBuf = path.into();
    move |error| UpdateError::Disk { path: path.display().to_string(), error }
}
