//! The nouns that cross a wall: tools, operations, workers, sign-in, wire messages.
//!
//! Everything here is data and the rules that belong to it. Nothing here does I/O or knows another
//! crate of the workspace.

pub mod assignments;
pub mod auth;
pub mod channels;
pub mod error;
pub mod events;
pub mod mac;
pub mod messages;
pub mod operations;
pub mod queues;
pub mod selector;
pub mod subscriptions;
pub mod target;
pub mod tools;
pub mod watch;
pub mod workers;
