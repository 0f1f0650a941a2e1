//! What an update changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many changes are spelled out.
const EXAMPLES: usize = 10;

/// What an update changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = UpdateChanges)]
pub struct Changes {
    /// Entries that were not there before.
    pub added: u64,
    /// Entries that are gone.
    pub removed: u64,
    /// Entries that say something else.
    pub changed: u64,
    /// A few of them, for people.
    #[serde(default)]
    pub examples: Vec<String>,
}

impl Changes {
    /// True when nothing differs.
    pub fn is_none(&self) -> bool {
        (self.added, self.removed, self.changed) == (0, 0, 0)
    }

    /// Compares what is known under each key; up to ten differences are spelled out.
    pub fn between<K: Ord, V: PartialEq>(
        before: &BTreeMap<K, V>,
        after: &BTreeMap<K, V>,
        key: impl Fn(&K) -> String,
        value: impl Fn(&V) -> String,
    ) -> Self {
        let mut changes = Self::default();
        let mut told = Vec::new();
        let mut tell = |text: String| {
            if told.len() < EXAMPLES {
                told.push(text);
            }
        };
        for (at, now) in after {
            match before.get(at) {
                None => {
                    changes.added += 1;
                    tell(format!("+ {} {}", key(at), value(now)));
                }
                Some(then) if then != now => {
                    changes.changed += 1;
                    tell(format!("~ {} {}, before {}", key(at), value(now), value(then)));
                }
                Some(_) => {}
            }
        }
        for (at, then) in before.iter().filter(|(at, _)| !after.contains_key(at)) {
            changes.removed += 1;
            tell(format!("- {} {}", key(at), value(then)));
        }
        Self { examples: told, ..changes }
    }
}
