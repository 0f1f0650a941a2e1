//! Watching networks: what a worker is told to sweep, and what it says it has seen.

pub mod order;
pub mod ranges;
pub mod report;
pub mod sighting;
pub mod span;

/// The kind of assignment that sweeps a network; its body is an [`order::SweepOrder`], its reports are
/// [`report::WatchReport`]s.
pub const SWEEP: &str = "sweep";
