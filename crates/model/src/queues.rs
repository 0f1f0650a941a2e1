//! Queues: named addresses for work.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The queue that any one worker takes work from.
pub const ANY: &str = "netwark";
/// The queue that every worker belongs to.
pub const BROADCAST: &str = "netwark.broadcast";
/// What the name of every other queue begins with.
pub const PREFIX: &str = "netwark.";
/// Longest name in bytes, prefix included.
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

/// The full name of a queue: the prefix is added when left out.
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
    let full =
        if name == ANY || name.starts_with(PREFIX) { name.to_owned() } else { format!("{PREFIX}{name}") };
    if full.len() > LONGEST {
        return Err(format!("a queue name has at most {LONGEST} bytes, prefix included"));
    }
    if full == PREFIX {
        return Err("a queue needs a name behind its prefix".into());
    }
    Ok(full)
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
    }

    #[test]
    fn bad_names_are_refused() {
        for name in ["", "a,b", "a b", "a\0", "netwark.", &"x".repeat(200), "é"] {
            assert!(full_name(name).is_err(), "{name:?}");
        }
    }
}
