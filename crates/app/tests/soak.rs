//! What `make soak` runs for minutes and `make test` for seconds.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]
#![expect(clippy::print_stderr, reason = "who runs it should see the seed and what became of the operations")]

#[expect(dead_code, reason = "the tests of the bus use the rest")]
#[path = "../../bus/tests/support/broker.rs"]
mod broker;
mod chaos;
mod laboratory;
