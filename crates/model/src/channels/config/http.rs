//! Channels that speak HTTP.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where Telegram's bots are served.
pub const TELEGRAM: &str = "https://api.telegram.org";
/// Where ntfy is served for everybody.
pub const NTFY: &str = "https://ntfy.sh";
/// Where PagerDuty takes events. Accounts in Europe use `https://events.eu.pagerduty.com`.
pub const PAGERDUTY: &str = "https://events.pagerduty.com";

/// JSON to a URL.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Further headers, at most 20.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// A template of the JSON; values put in bring their own quotes. Without one the whole notice is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Signs every request, so that the receiver knows who it is from.
    #[serde(default)]
    pub sign: bool,
}

/// An incoming webhook of Slack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Slack {}

/// A workflow of Microsoft Teams.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Teams {}

/// A webhook of Discord.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Discord {}

/// A bot of Telegram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Telegram {
    /// The chat: its number, or `@name` of a public channel.
    #[schema(example = "-1001234567890")]
    pub chat_id: String,
    /// The topic of a forum, by the number of its thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<i64>,
    /// The server of the bots.
    #[serde(default = "telegram")]
    #[schema(default = "https://api.telegram.org")]
    pub server: String,
}

fn telegram() -> String {
    TELEGRAM.into()
}

/// A user of Matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// The home server of the user.
    #[schema(example = "https://matrix.example.org")]
    pub homeserver: String,
    /// The room: its id, or one of its names.
    #[schema(example = "#noc:example.org")]
    pub room: String,
}

/// A topic of ntfy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ntfy {
    /// The server.
    #[serde(default = "ntfy")]
    #[schema(default = "https://ntfy.sh")]
    pub server: String,
    /// The topic: 1 to 64 letters, digits, `-` and `_`.
    #[schema(example = "netwark-noc")]
    pub topic: String,
}

fn ntfy() -> String {
    NTFY.into()
}

/// An application of Gotify.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Gotify {
    /// The server.
    #[schema(example = "https://gotify.example.org")]
    pub server: String,
}

/// A service of PagerDuty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pagerduty {
    /// Where events are taken; accounts in Europe use `https://events.eu.pagerduty.com`.
    #[serde(default = "pagerduty")]
    #[schema(default = "https://events.pagerduty.com")]
    pub server: String,
}

fn pagerduty() -> String {
    PAGERDUTY.into()
}
