//! The server itself: health, status, metrics, the description of the API.

pub mod health;
pub mod openapi;
pub mod status;
