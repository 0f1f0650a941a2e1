//! The table that comes with the program.
//!
//! `vendors.bin` was made by `cargo run -p netwark-lookup --example pack_vendors` from files of the registries of IEEE,
//! of which it holds prefixes, names and addresses. IEEE does not assert copyright in its public listings nor restrict
//! their distribution; it encourages everybody to fetch them from IEEE, which `netwark update oui` does. How the files
//! were obtained says `scripts/vendor-csv`, and [`About::origin`] names them.

use std::sync::OnceLock;

use super::format;
use super::table::{About, Table};

static PACKED: &[u8] = include_bytes!("vendors.bin");

impl Table {
    /// The table that comes with the program. It is unpacked when it is first asked for, which takes some hundredths
    /// of a second and a few megabytes.
    pub fn built_in() -> &'static Self {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| {
            format::read(PACKED).unwrap_or_else(|error| {
                // A test reads it, so this is a damaged binary: everything else may still work.
                tracing::error!(%error, "no vendor is known");
                let about = About { date: None, origin: "none".into() };
                Self::build(about, Vec::new(), "", 0)
                    .unwrap_or_else(|| unreachable!("an empty table is whole"))
            })
        })
    }
}
