//! Operations, their expected results and the outbox.
//!
//! Every change of a result raises the version of its operation in the same transaction and is
//! stamped on the result, so that who watches an operation asks for what is newer than it has seen.

mod apply;
mod create;
pub(crate) mod entity;
mod expire;
mod outbox;
mod query;
mod resolve;
mod touch;

pub use self::apply::{Applied, ResultNews};
pub use self::create::{Created, OperationDraft};
pub(crate) use self::expire::end_of_worker;
pub use self::outbox::OutboxMessage;
pub use self::query::OperationFilter;

use uuid::Uuid;

/// An operation that has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub operation_id: Uuid,
    /// Its version now.
    pub version: i64,
    /// True when nothing more is to come.
    pub is_final: bool,
}
