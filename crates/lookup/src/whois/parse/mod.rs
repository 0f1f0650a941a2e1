//! From the text of a registry to the one shape, whatever the registry.
//!
//! Registries write in a few manners: keys and values, sections with lines below their head, objects of a database
//! apart by blank lines, keys in brackets. One reader knows all of them, so a registry needs no rules of its own as
//! long as its words are known (`keys.rs`).

mod keys;
mod lines;
mod network;
mod people;
mod reader;
pub(super) mod referral;
mod time;
mod verdict;

#[cfg(test)]
mod fixtures;

pub(in crate::whois) use self::people::said;
pub use self::verdict::Verdict;

use super::shape::Record;

/// Most lines that are read of an answer.
const MOST_LINES: usize = 5_000;
/// Most values that are kept of one field.
const MOST_VALUES: usize = 64;
/// The longest value, in bytes.
const LONGEST_VALUE: usize = 500;

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// Whether it is an answer.
    pub verdict: Verdict,
    /// What it says; empty unless it is one.
    pub record: Record,
}

/// Reads an answer. Nothing in it can fail: what is not understood is left out.
pub fn parse(text: &str) -> Parsed {
    let record = reader::read(text);
    let verdict = verdict::of(text, &record);
    let record = if verdict == Verdict::Found { record } else { Record::default() };
    Parsed { verdict, record }
}

/// The time that a text tells, RFC 3339 in UTC, or a date alone.
pub(super) fn time(text: &str) -> Option<String> {
    match time::read(text)? {
        time::When::At(at) => Some(at),
        time::When::Before(_) => None,
    }
}
