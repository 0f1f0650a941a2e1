//! Reports: outcomes in the shape the API gives, and as text the way `ping` and `mtr --report` print it.

mod mtr;
mod ping;

pub use mtr::{mtr_outcome, mtr_text, mtr_time};
pub use ping::{ping_outcome, ping_text};
