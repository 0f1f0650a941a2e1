//! Operations: made, published, reported on, watched, ended.

pub mod api;
pub mod create;
mod csv;
pub mod events;
pub mod export;
pub mod places;
pub mod publish;
pub mod reports;
pub mod select;
pub mod sweeper;
