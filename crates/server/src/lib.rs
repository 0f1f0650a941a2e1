//! REST API, web UI, scheduler and sweeper.
//!
//! A folder per noun holds its routes, its requests and answers and its logic. [`router`] is the
//! table of contents; [`run`] is the server's life.

mod answers;
pub mod app;
mod asked;
mod assignments;
pub mod auth;
pub mod channels;
mod csv;
pub mod error;
mod events;
mod extract;
mod linger;
pub mod listen;
mod live;
pub mod lookups;
mod metrics;
mod operations;
mod prefix;
mod process;
mod router;
mod run;
mod system;
mod tools;
mod ui;
mod watch;
pub mod workers;

pub use self::app::{App, ServerSettings};
pub use self::listen::Listener;
pub use self::router::{description, router};
pub use self::run::{Running, run};
pub use self::workers::embedded::EmbeddedBus;
