//! Queues: named addresses for work.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::selector::KEYWORDS;

/// The queue that any one worker takes work from.
pub const ANY: &str = "netwark";
/// The queue that every worker belongs to.
pub const BROADCAST: &str = "netwark.broadcast";
/// What the name of every other queue begins with.
pub const PREFIX: &str = "netwark.";
/// Longest name in bytes, without its prefix.
pub const LONGEST: usize = 200;

/// A queue as the API shows it. The first four fields are those of the older API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Queue {
    /// Its name, prefix included.
    #[schema(example = "netwark.broadcast")]
    pub queue: String,
    /// Its label for people.
    #[schema(example = "Every worker")]
    pub name: String,
    /// Where it leads, for people.
    pub location: String,
    /// True when every member gets a copy, false when any one of them takes the work.
    pub broadcast: bool,
    /// True for the two that always exist.
    pub builtin: bool,
    /// Where it is declared.
    pub origin: QueueOrigin,
    /// How many workers listen.
    pub workers: u32,
    /// How many of them are online.
    pub online: u32,
}

/// Where a queue is declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum QueueOrigin {
    /// It always exists.
    Builtin,
    /// In the configuration; changed there only.
    #[default]
    Configuration,
    /// By an administrator, in the UI or the API.
    Ui,
}

impl QueueOrigin {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::Configuration => "configuration",
            Self::Ui => "ui",
        }
    }

    /// The origin of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Builtin, Self::Configuration, Self::Ui].into_iter().find(|origin| origin.as_str() == word)
    }
}

/// A queue as the configuration declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueDefinition {
    /// Its name; the prefix `netwark.` is added when left out.
    pub name: String,
    /// Its label for people; the name when left out.
    #[serde(default)]
    pub label: Option<String>,
    /// Where it leads, for people.
    #[serde(default)]
    pub location: String,
    /// True when every member gets a copy.
    #[serde(default)]
    pub broadcast: bool,
}

/// The two queues that always exist.
pub fn builtin() -> [QueueDefinition; 2] {
    let queue = |name: &str, label: &str, broadcast| QueueDefinition {
        name: name.into(),
        label: Some(label.into()),
        location: String::new(),
        broadcast,
    };
    [queue(ANY, "Any one worker", false), queue(BROADCAST, "Every worker", true)]
}

/// The queues there are, by full name. Names that differ only in letter case are the same name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known(BTreeMap<String, (String, bool)>);

impl Known {
    /// The queue of this full name, as it is spelled, and true when every member gets a copy.
    pub fn get(&self, full: &str) -> Option<(&str, bool)> {
        self.0.get(&full.to_ascii_lowercase()).map(|(name, broadcast)| (name.as_str(), *broadcast))
    }

    /// Their names in order, whatever their case.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|(name, _)| name.as_str())
    }

    /// True when there are none, which a server that has started never finds.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, bool)> for Known {
    fn from_iter<I: IntoIterator<Item = (String, bool)>>(queues: I) -> Self {
        let folded = |(name, broadcast): (String, bool)| (name.to_ascii_lowercase(), (name, broadcast));
        Self(queues.into_iter().map(folded).collect())
    }
}

/// The full name of a queue: the prefix is added when left out. Letters keep their case, but for those of the
/// prefix.
///
/// # Errors
/// Says what is wrong with the name.
pub fn full_name(name: &str) -> Result<String, String> {
    let name = name.trim();
    if name.is_empty() {
        return Err("a queue needs a name".into());
    }
    if let Some(odd) =
        name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':')))
    {
        return Err(format!("a queue name cannot hold {odd:?}; letters, digits and - _ . : are allowed"));
    }
    if name.eq_ignore_ascii_case(ANY) {
        return Ok(ANY.into());
    }
    let full = format!("{PREFIX}{}", short_name(name));
    if full.len() > PREFIX.len() + LONGEST {
        return Err(format!("a queue name has at most {LONGEST} characters, without its prefix"));
    }
    if full == PREFIX {
        return Err("a queue needs a name behind its prefix".into());
    }
    Ok(full)
}

/// The full name of a queue that is to be made.
///
/// # Errors
/// Those of [`full_name`], and names that a selector or a command would understand as something else.
pub fn new_name(name: &str) -> Result<String, String> {
    if name.trim().starts_with('@') {
        return Err("a queue name cannot begin with '@'; selectors name operations so".into());
    }
    let full = full_name(name)?;
    let short = short_name(&full);
    if let Some(word) = KEYWORDS.into_iter().find(|word| short.eq_ignore_ascii_case(word)) {
        return Err(format!(
            "a queue cannot be named '{word}'; the word has a meaning of its own in selectors"
        ));
    }
    if short.starts_with('-') {
        return Err("a queue name cannot begin with '-'; a command would take it for an option".into());
    }
    Ok(full)
}

/// A name without the prefix.
fn short_name(name: &str) -> &str {
    let has_prefix = name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
    if has_prefix { &name[PREFIX.len()..] } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_is_added_once() {
        assert_eq!(full_name("netwark").unwrap(), "netwark");
        assert_eq!(full_name("broadcast").unwrap(), "netwark.broadcast");
        assert_eq!(full_name("netwark.paris").unwrap(), "netwark.paris");
        assert_eq!(full_name("netwarkish").unwrap(), "netwark.netwarkish");
        assert_eq!(full_name("NETWARK").unwrap(), "netwark");
        assert_eq!(full_name("Netwark.Paris").unwrap(), "netwark.Paris");
    }

    #[test]
    fn a_queue_is_known_in_letters_of_either_case() {
        let known: Known = [("netwark.Paris".to_owned(), true)].into_iter().collect();
        assert_eq!(known.get("netwark.pARIS"), Some(("netwark.Paris", true)));
        assert_eq!(known.get("netwark.paris-1"), None);
    }

    #[test]
    fn what_a_selector_or_a_shell_reads_otherwise_is_no_new_name() {
        for name in ["all", "ALL", "netwark.all", "or", "@last", "@paris", "-x", "netwark.-x", "a b"] {
            assert!(new_name(name).is_err(), "{name:?}");
        }
        assert_eq!(new_name("overall").unwrap(), "netwark.overall");
        assert_eq!(full_name("all").unwrap(), "netwark.all", "one that is there can be named, to be deleted");
    }

    #[test]
    fn bad_names_are_refused() {
        for name in ["", "a,b", "a b", "a\0", "netwark.", &"x".repeat(201), "é"] {
            assert!(full_name(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn the_prefix_takes_nothing_from_the_length_of_a_name() {
        let longest = "x".repeat(200);
        let full = full_name(&longest).unwrap();
        assert_eq!(full, format!("netwark.{longest}"));
        assert_eq!(full_name(&full), Ok(full), "nor when it is there already");
    }
}
