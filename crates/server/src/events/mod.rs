//! Events: the timeline.

pub mod acknowledge;
pub mod api;
pub mod stream;
