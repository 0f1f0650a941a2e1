//! Events: lines of the timeline.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something got better.
    Ok,
    /// Good to know.
    Info,
    /// Worth a look.
    Warning,
    /// Somebody should act.
    Alert,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Info, Self::Warning, Self::Alert];

    /// Its word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Alert => "alert",
        }
    }

    /// The severity of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == word)
    }
}

/// A line of the timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// How much it matters.
    pub severity: Severity,
    /// What kind it is.
    #[schema(example = "worker_offline")]
    pub kind: String,
    /// The worker it is about.
    pub worker_id: Option<Uuid>,
    /// The name that worker had.
    pub worker: Option<String>,
    /// What happened, in a sentence.
    #[schema(example = "paris-1 is offline: nothing heard for 50 s")]
    pub text: String,
    /// The network it is about.
    pub network_id: Option<Uuid>,
    /// The name that network had.
    pub network: Option<String>,
    /// The device it is about.
    pub device_id: Option<Uuid>,
    /// What that device was shown as.
    pub device: Option<String>,
    /// The figures behind the text, by kind.
    #[schema(value_type = Option<Object>)]
    pub data: Option<Value>,
    /// When somebody said that it was seen to.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub acknowledged_at: Option<Timestamp>,
    /// Who said so.
    pub acknowledged_by: Option<String>,
}
