//! Data that is brought from elsewhere: fetched when somebody asks for it or by a schedule, checked before it
//! counts, and put in the place of the last good data at once.
//!
//! A [`Source`] says where its parts come from and what a sane one looks like; [`update`] does the rest. What is
//! known of a source stands in its directory beside the data, in a [`State`] that is written last, so whoever
//! watches that one file ([`Kept`]) sees new data only when all of it is there.

mod account;
mod changes;
mod kept;
mod run;
mod schedule;
mod state;
#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::account::{Account, Accounts, WithAccount};
pub use self::changes::Changes;
pub use self::kept::{Kept, Loaded};
pub use self::run::{Asked, Outcome, Report, UpdateError, brought_so_far, day, update};
pub use self::schedule::Schedule;
pub use self::state::{Failure, PartState, State};
use crate::fetch::Location;

/// One file that a source is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is called within its source: letters, digits and dashes.
    pub name: String,
    /// Where it may be; the next is asked when one answers that there is no such file.
    pub locations: Vec<Location>,
    /// Most bytes it can have.
    pub largest: u64,
    /// Whether the others count when this one is nowhere.
    pub optional: bool,
}

/// A part that was fetched and waits for its check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// The name of the part.
    pub name: String,
    /// The file as it was fetched.
    pub path: PathBuf,
    /// When its source changed it last, where that is known.
    pub modified: Option<Timestamp>,
}

/// What was fetched, and where to put what is made of it.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// The parts that are new. Those that did not change are not among them: what was made of them still stands.
    pub fresh: &'a [Fresh],
    /// The directory with the last good files.
    pub present: &'a Path,
    /// An empty directory on the same disk, for what is to be put in place.
    pub staging: &'a Path,
}

/// What a source made of its parts: whole, checked, and ready to be put in place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prepared {
    /// Names of the files in the staging directory, in the order they are put in place.
    pub files: Vec<String>,
    /// The day the data is of.
    pub date: Option<Date>,
    /// How many entries there are now.
    pub entries: u64,
    /// What differs from what was there before.
    pub changes: Changes,
}

/// Data that came with the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = BuiltInData)]
pub struct BuiltIn {
    /// The day it is of.
    #[schema(value_type = String, format = Date, example = "2026-07-01")]
    pub date: Date,
    /// How many entries it has.
    pub entries: u64,
    /// Where it is from.
    pub origin: String,
}

/// A kind of data that updates bring.
pub trait Source: Debug + Send + Sync {
    /// Its name in commands, in the configuration and on disk: lower-case letters.
    fn name(&self) -> &'static str;

    /// What it is, for people.
    fn title(&self) -> &'static str;

    /// Whose data it is and under which terms, in a sentence.
    fn terms(&self) -> &'static str;

    /// What is fetched when nobody says where from.
    fn parts(&self) -> Vec<Part>;

    /// What is fetched when somebody does: a mirror, a directory or a single file.
    ///
    /// # Errors
    /// Says what cannot be there.
    fn parts_from(&self, from: &Location) -> Result<Vec<Part>, String>;

    /// The same source as one that takes an account, where its provider gives such.
    fn as_with_account(&self) -> Option<&dyn WithAccount> {
        None
    }

    /// What is known without any update.
    fn built_in(&self) -> Option<BuiltIn> {
        None
    }

    /// Reads the new parts, says whether they are whole and sane, and writes the files that are to count. It may
    /// take long, so it is not called on a thread of the runtime.
    ///
    /// # Errors
    /// Says what is wrong with which part; nothing counts then.
    fn prepare(&self, work: Work<'_>) -> Result<Prepared, String>;
}

/// The directory of a source within the data directory.
pub fn directory(data_dir: &Path, source: &str) -> PathBuf {
    data_dir.join("lookups").join(source)
}
