//! Events: the timeline.

pub mod api;
