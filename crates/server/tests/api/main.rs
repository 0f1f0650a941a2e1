//! The API as its callers see it: every route, every role, and what is written down of it.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod access;
mod assignments;
mod dns;
mod lookups;
mod notices;
mod openapi;
mod operations;
mod selectors;
mod support;
mod watch;
mod workers;
