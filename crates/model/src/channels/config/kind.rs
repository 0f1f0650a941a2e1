//! Kinds of channels.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A kind of channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// Mail over SMTP.
    Mail,
    /// JSON to a URL.
    Webhook,
    /// Slack.
    Slack,
    /// Microsoft Teams.
    Teams,
    /// Discord.
    Discord,
    /// Telegram.
    Telegram,
    /// Matrix.
    Matrix,
    /// ntfy.
    Ntfy,
    /// Gotify.
    Gotify,
    /// PagerDuty.
    Pagerduty,
    /// Syslog.
    Syslog,
}

impl ChannelKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Mail,
        Self::Webhook,
        Self::Slack,
        Self::Teams,
        Self::Discord,
        Self::Telegram,
        Self::Matrix,
        Self::Ntfy,
        Self::Gotify,
        Self::Pagerduty,
        Self::Syslog,
    ];

    /// Its word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Discord => "discord",
            Self::Telegram => "telegram",
            Self::Matrix => "matrix",
            Self::Ntfy => "ntfy",
            Self::Gotify => "gotify",
            Self::Pagerduty => "pagerduty",
            Self::Syslog => "syslog",
        }
    }

    /// The kind of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}
