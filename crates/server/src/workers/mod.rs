//! Workers: who they are, whether they are here, and the queues they listen on.

pub mod api;
pub mod directory;
pub mod presence;
