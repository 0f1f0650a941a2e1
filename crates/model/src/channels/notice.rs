//! What is told over a channel.

use jiff::Timestamp;
use url::Url;
use uuid::Uuid;

use crate::events::{Event, Severity};

/// Events that are told together.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// What it is known by to the other side. It stays the same however often the notice is tried.
    pub key: Uuid,
    /// When it was opened.
    pub made_at: Timestamp,
    /// The name of the subscription it belongs to.
    pub subscription: Option<String>,
    /// Somebody tries the channel, and nothing has happened.
    pub test: bool,
    /// What happened, oldest first, at most [`crate::subscriptions::MOST_TOLD`].
    pub events: Vec<Event>,
    /// How many events there were beyond those.
    pub more: u64,
    /// The worst severity of all its events, of those beyond as well.
    pub worst: Severity,
    /// The page that shows them.
    pub link: Option<Url>,
}

impl Notice {
    /// How many events it tells of.
    pub fn total(&self) -> u64 {
        self.events.len() as u64 + self.more
    }
}
