//! Whether a device is there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::mac::Mac;

/// Whether a device is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// It was seen.
    Up,
    /// It was looked for and not seen for longer than the grace time.
    Down,
    /// Nobody looks: its networks are stopped, or no sweep came for a while.
    Unknown,
}

impl Presence {
    /// Its word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }

    /// The presence of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Up, Self::Down, Self::Unknown].into_iter().find(|presence| presence.as_str() == word)
    }
}

/// A time during which an interface of a device was there without a break longer than the grace time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PresenceSession {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// The network it was seen on.
    pub network_id: Uuid,
    /// The hardware address that was seen; absent beyond the link.
    pub mac: Option<Mac>,
    /// When it was first seen.
    #[schema(value_type = String, format = DateTime)]
    pub began_at: Timestamp,
    /// When it was last seen; absent while it is there.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
}
