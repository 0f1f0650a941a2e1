//! Questions answered at once: names and addresses.

pub mod dns;
