//! Everything the server remembers: entities, migrations and the only home of SQL.
//!
//! One file per noun. A use case is one method and one transaction. The same code runs on SQLite
//! and PostgreSQL: ids are UUIDs, times are BIGINT milliseconds since the epoch, structures that
//! are never searched are JSON text.

#![expect(
    unreachable_pub,
    reason = "the derives of sea-orm need public items in private modules of entities"
)]

pub mod assignments;
pub mod channels;
mod convert;
pub mod copy;
mod error;
pub mod events;
mod lane;
mod leadership;
mod locks;
mod migrations;
mod names;
pub mod notices;
mod open;
pub mod operations;
mod patience;
mod place;
mod postgres;
pub mod queue_changes;
pub mod queues;
mod rows;
mod schema;
pub mod sessions;
mod settings;
pub mod setup_codes;
mod sqlite;
pub mod streams;
mod tokens;
pub mod user_changes;
pub mod users;
pub mod watch;
pub mod workers;
mod write;

pub use self::error::StoreError;
pub use self::leadership::Leadership;
pub use self::open::{Connections, Store, StoreOptions};
pub use self::patience::Reader;
