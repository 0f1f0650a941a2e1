//! Questions answered at once: names and addresses.

pub mod dns;
pub mod fetch;
pub mod outbound;
pub mod special;
