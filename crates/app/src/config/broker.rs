//! `[broker]`: what carries messages between servers and workers.

use super::database::masked;
use super::layers::{Key, Layers};

const URL: Key = Key {
    name: "broker.url",
    takes: "nothing: this version has only the queues inside the server's own process",
    default: "queues inside the process",
    about: "What carries messages between servers and workers. This version has only the queues inside the server's own process, so it cannot be set.",
};

/// Its keys.
pub const KEYS: [&Key; 1] = [&URL];

/// Refuses whatever is given; there is nothing to choose yet.
pub(super) fn read(layers: &mut Layers) {
    layers.checked(&URL, None, |url: &Option<String>| match url {
        Some(url) => Err(format!("'{}' is no broker it knows", masked(url))),
        None => Ok(()),
    });
}
