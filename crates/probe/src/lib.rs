//! The measuring engine: ping and trace, and what is measured over connections.
//!
//! Three layers. [`decide`] is the contract of the state machines that decide what to send and what an answer means
//! ([`ping`], [`trace`], [`sweep_ping`]); they see neither sockets nor clocks. [`engine`] carries their packets, all of
//! them on one thread. `net` is the operating system below it and the only home of unsafe code.
//!
//! [`sweep`] asks who is there; on the link it sends its own frames, on a thread of its own.
//!
//! [`dial`] opens connections for the tools that need them, such as [`tcp`], [`tls`] and [`http`]; their verdicts are pure functions, too.

mod counted;
pub mod decide;
pub mod dial;
pub mod engine;
pub mod http;
mod net;
pub mod ping;
pub mod report;
pub mod resolve;
pub mod runner;
mod stats;
pub mod sweep;
pub mod sweep_ping;
pub mod tcp;
pub mod tls;
pub mod trace;
pub mod verdict;
mod words;

pub use net::memory::{let_go_of_code, share_one_arena};
