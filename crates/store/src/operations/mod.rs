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

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::lane::Lane;
use crate::write::Writer;

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

/// How long the note that a message is published may wait for others. Work that is begun by then has no message
/// any more, so there is nothing to note and no disk to wait for.
const NOTED_WITHIN: Duration = Duration::from_millis(100);

/// The writes of an operation's life, of which there are many at once.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    create: Lane<(OperationDraft, Timestamp), Created>,
    apply: Lane<apply::ResultReport, Applied>,
    publish: Lane<(Vec<Uuid>, Timestamp), ()>,
}

impl Lanes {
    pub(crate) fn start(writer: &Writer) -> Self {
        Self {
            create: Lane::start(writer.clone(), |transaction, drafts| {
                Box::pin(create::create(transaction, drafts))
            }),
            apply: Lane::start(writer.clone(), |transaction, reports| {
                Box::pin(apply::apply(transaction, reports))
            }),
            publish: Lane::start_gathering(
                writer.clone(),
                |transaction, notes| Box::pin(outbox::note(transaction, notes)),
                NOTED_WITHIN,
            ),
        }
    }
}
