//! The client against a real name server: BIND with a small private root, signed zones and broken ones.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

mod lab;
mod questions;
mod security;
mod walk;
