//! `[history]`: how long what was measured is kept.

use super::layers::{Key, Layers};

/// How long what was measured is kept.
#[derive(Clone, Debug)]
pub struct History {
    /// Days that operations, events, sweeps, presence and notices are kept after their end.
    pub days: u32,
}

const DAYS: Key = Key {
    name: "history.days",
    takes: "a number from 1 to 3650",
    default: "90",
    about: "Days that operations with their results, events, sweeps, presence of devices and notices are kept.",
};

impl History {
    /// Its keys.
    pub const KEYS: [&Key; 1] = [&DAYS];

    pub(super) fn read(layers: &mut Layers) -> Self {
        Self {
            days: layers.checked(&DAYS, 90, |n: &u32| match n {
                1..=3650 => Ok(()),
                n => Err(format!("{n} is out of range")),
            }),
        }
    }
}
