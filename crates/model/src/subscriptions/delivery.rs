//! Deliveries: what became of each notice.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::events::Severity;

/// How far a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryStatus {
    /// It waits for more events, for the end of quiet hours or for its turn; nothing was sent yet.
    Gathering,
    /// It is being sent, and tried again until the other side takes it. What it says is settled.
    Due,
    /// A try failed, and quiet hours have begun since; it is tried again at their end. What it says is settled.
    Held,
    /// The other side has taken it.
    Delivered,
    /// It was given up; it can be sent again.
    Dead,
}

impl DeliveryStatus {
    /// All there are.
    pub const ALL: [Self; 5] = [Self::Gathering, Self::Due, Self::Held, Self::Delivered, Self::Dead];

    /// Its word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gathering => "gathering",
            Self::Due => "due",
            Self::Held => "held",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// The status of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// A notice on its way to a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Delivery {
    /// Its id, a UUIDv7. Every try carries it, so that the other side knows one it has already.
    pub id: Uuid,
    /// The channel it goes to.
    pub channel_id: Uuid,
    /// The name of that channel.
    #[schema(example = "On-call mail")]
    pub channel: String,
    /// The subscription it comes from; none for a test.
    pub subscription_id: Option<Uuid>,
    /// The name that subscription had.
    pub subscription: Option<String>,
    /// Somebody tries the channel out.
    pub test: bool,
    /// How far it is.
    pub status: DeliveryStatus,
    /// The worst of its events.
    pub worst: Severity,
    /// How many events it tells of.
    pub events: u64,
    /// The first of the worst of them.
    #[schema(example = "New station 192.0.2.7 (00:00:5e:00:53:07, ICANN) on Office")]
    pub summary: String,
    /// When its first event came.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    /// When it is sent, or tried again; absent once that is over.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was first tried.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub began_at: Option<Timestamp>,
    /// When it was delivered or given up.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Why the last try failed.
    #[schema(example = "mail.example.org:587: connection refused")]
    pub error: Option<String>,
    /// What the other side said when it took it.
    #[schema(example = "250 2.0.0 Ok: queued as 4bNx")]
    pub answer: Option<String>,
}
