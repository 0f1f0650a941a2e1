//! Channels: where notices go, and the notices themselves.

pub mod check;
pub mod config;
pub mod notice;
pub mod secret;

pub use config::{ChannelConfig, ChannelKind};
pub use notice::Notice;
pub use secret::{Secret, SecretField, Secrets};
