//! Messages of the DNS as they travel (RFC 1035): read without trust, kept to the byte, shown as people write them.
//!
//! Records keep their data as it was signed, names written out, so that a signature can be checked over it; and a
//! record that cannot be understood is shown as it came and hides none of the others.

pub mod base;
pub mod kind;
pub mod message;
pub mod name;
pub mod rdata;
pub(super) mod reader;
