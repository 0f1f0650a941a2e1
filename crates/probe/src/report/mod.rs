//! Reports: outcomes in the shape the API gives, and as text the way `ping` and `mtr --report` print it.

mod mtr;
mod ping;
mod provider;

pub use mtr::{mtr_outcome, mtr_text, mtr_time};
pub use ping::{ping_outcome, ping_text};
pub use provider::{Circumstances, mtr_for_provider, ping_for_provider};
