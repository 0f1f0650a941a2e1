//! What is known of a source: a small JSON file beside its data.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changes;

/// Name of the file.
const FILE: &str = "state.json";
/// Most bytes of it that are read.
const LARGEST: u64 = 256 * 1024;

/// What is known of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The files that count, in the same directory.
    pub files: Vec<String>,
    /// The day the data is of.
    pub date: Option<Date>,
    /// How many entries there are.
    pub entries: u64,
    /// When the data was brought.
    pub fetched_at: Option<Timestamp>,
    /// When the source was last asked successfully, also if it had nothing new.
    pub checked_at: Option<Timestamp>,
    /// What the last update that brought something changed.
    pub changes: Changes,
    /// Where each part is from.
    pub parts: BTreeMap<String, PartState>,
    /// Why the last attempt failed; absent after one that did not.
    pub failure: Option<Failure>,
}

/// Where a part is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartState {
    /// The place, without secrets.
    pub location: String,
    /// The mark by which its server knows it again.
    pub etag: Option<String>,
    /// When it was changed there.
    pub modified: Option<Timestamp>,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = UpdateFailure)]
pub struct Failure {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What went wrong.
    pub why: String,
    /// How many attempts have failed one after another.
    pub attempts: u32,
}

impl State {
    /// Reads the state of a source. One that is not there, or cannot be understood, is that of a source that was
    /// never asked: the data is fetched again then, which does no harm.
    pub fn read(directory: &Path) -> Self {
        let path = Self::path(directory);
        let small = fs::metadata(&path).is_ok_and(|file| file.len() <= LARGEST);
        let text = if small { fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
        if text.is_empty() {
            return Self::default();
        }
        serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(path = %path.display(), %error, "the state of a source is not understood");
            Self::default()
        })
    }

    /// Writes it in the place of the one before.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        let new = directory.join(format!("{FILE}.new"));
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, Self::path(directory))?;
        File::open(directory)?.sync_all()
    }

    /// The file it stands in.
    pub fn path(directory: &Path) -> PathBuf {
        directory.join(FILE)
    }

    /// True when there is data, and every file of it.
    pub fn is_whole(&self, directory: &Path) -> bool {
        !self.files.is_empty() && self.files.iter().all(|file| directory.join(file).is_file())
    }

    /// Notes that an attempt failed.
    pub(super) fn failed(&mut self, at: Timestamp, why: String) {
        let attempts = self.failure.as_ref().map_or(0, |failure| failure.attempts).saturating_add(1);
        self.failure = Some(Failure { at, why, attempts });
    }
}
