//! Watched networks: which there are, what was seen on them, the devices behind it, and the access list.
//!
//! Reports come as those of any standing order ([`crate::streams`]) and are taken in with the number of the report, in
//! one transaction: a report is either known with all that follows from it, or not at all. What follows is decided in
//! [`fold`], which sees no database.

pub mod access;
mod columns;
pub mod devices;
pub(crate) mod entity;
mod fold;
pub mod forget;
mod load;
pub mod networks;
pub mod offers;
pub mod plan;
pub mod presence;
mod report;
mod save;
pub mod statistics;
pub mod sweeps;

use std::sync::Arc;

use netwark_model::mac::Mac;

pub(crate) use self::report::{Reports, take_in};

/// Tells to whom a hardware address is assigned.
#[derive(Clone)]
pub struct Vendors(Arc<dyn Fn(Mac) -> Option<String> + Send + Sync>);

impl Vendors {
    /// Asks this.
    pub fn new(ask: impl Fn(Mac) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    /// To whom an address is assigned, as far as that is known.
    pub fn of(&self, mac: Mac) -> Option<String> {
        (self.0)(mac)
    }
}

impl Default for Vendors {
    /// Knows nobody.
    fn default() -> Self {
        Self::new(|_| None)
    }
}

impl std::fmt::Debug for Vendors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vendors")
    }
}
