//! Takes work, runs probes, reports.
//!
//! A worker listens on its queues and its own inbox, runs each operation once, tells the server of
//! its progress, and acknowledges work only once the final report is safe. It has a list of what it
//! may touch, which the server cannot overrule.

mod clock;
mod delivery;
mod draining;
mod gateways;
mod identity;
mod policy;
mod presence;
mod resolver;
mod run;
mod self_test;
mod spool;
mod standing;
mod sweeping;
mod tools;
mod usage;
mod watching;
mod worker;

pub use self::identity::{IdentityError, next_boot, worker_id};
pub use self::policy::{Policy, PolicyError};
pub use self::resolver::NameResolver;
pub use self::tools::{Context, Need, RunError, Runner, Snapshots, Toolbox};
pub use self::worker::{Keeping, RunningWorker, SPOOL_BYTES, WorkerSettings, start};
