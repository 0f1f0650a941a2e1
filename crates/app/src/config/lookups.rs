//! `[lookups]`: questions that the server answers.

use super::layers::{Key, Layers};

/// Questions that the server answers.
#[derive(Clone, Debug)]
pub struct Lookups {
    /// Viewers may let the server ask others, too.
    pub viewers_may_ask: bool,
}

const VIEWERS_MAY_ASK: Key = Key {
    name: "lookups.viewers_may_ask",
    takes: "true or false",
    default: "false",
    about: "Let viewers ask for what the server has to ask others (DNS, WHOIS, RDAP), which otherwise takes an operator.",
};

impl Lookups {
    /// Its keys.
    pub const KEYS: [&Key; 1] = [&VIEWERS_MAY_ASK];

    pub(super) fn read(layers: &mut Layers) -> Self {
        Self { viewers_may_ask: layers.value(&VIEWERS_MAY_ASK, false) }
    }
}
