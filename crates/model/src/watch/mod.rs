//! Watching networks: what a worker is told to sweep and says it has seen, and the devices behind it.

pub mod access;
pub mod device;
pub mod kind;
pub mod network;
pub mod offer;
pub mod order;
pub mod presence;
pub mod ranges;
pub mod report;
pub mod sighting;
pub mod span;

/// The kind of assignment that sweeps a network; its body is an [`order::SweepOrder`], its reports are
/// [`report::WatchReport`]s.
pub const SWEEP: &str = "sweep";
