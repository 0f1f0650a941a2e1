//! Everything the server remembers: entities, migrations and the only home of SQL.
//!
//! One file per noun. A use case is one method and one transaction. The same code runs on SQLite
//! and PostgreSQL: ids are UUIDs, times are BIGINT milliseconds since the epoch, structures that
//! are never searched are JSON text.

#![expect(
    unreachable_pub,
    reason = "the derives of sea-orm need public items in private modules of entities"
)]

mod convert;
mod error;
mod migrations;
mod open;
pub mod operations;
pub mod queues;
pub mod sessions;
mod settings;
pub mod setup_codes;
mod tokens;
pub mod user_changes;
pub mod users;
pub mod workers;
mod write;

pub use self::error::StoreError;
pub use self::open::{Store, StoreOptions};
