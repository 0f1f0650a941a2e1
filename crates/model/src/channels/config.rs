//! How a channel is set up, without its secrets: it is stored and shown as it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::secret::SecretField;

/// Where Telegram's bots are served.
pub const TELEGRAM: &str = "https://api.telegram.org";
/// Where ntfy is served for everybody.
pub const NTFY: &str = "https://ntfy.sh";
/// Where PagerDuty takes events. Accounts in Europe use `https://events.eu.pagerduty.com`.
pub const PAGERDUTY: &str = "https://events.pagerduty.com";

/// Where notices go, and in what shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ChannelConfig {
    /// Mail over SMTP. Secret: `password`, when there is a user name.
    Mail(Mail),
    /// JSON to a URL. Secrets: `signing_key`, when it signs; `authorization`, the value of that header.
    Webhook(Webhook),
    /// An incoming webhook of Slack, or of what speaks alike, such as Mattermost. Secret: `url`.
    Slack(Slack),
    /// A workflow of Microsoft Teams that is started by a webhook. Secret: `url`.
    Teams(Teams),
    /// A webhook of Discord. Secret: `url`.
    Discord(Discord),
    /// A bot of Telegram. Secret: `token`.
    Telegram(Telegram),
    /// A user of Matrix. Secret: `token`, its access token.
    Matrix(Matrix),
    /// A topic of ntfy. Secret: `token`, where the topic is not open to all.
    Ntfy(Ntfy),
    /// An application of Gotify. Secret: `token`.
    Gotify(Gotify),
    /// A service of PagerDuty, by its Events API v2. Secret: `key`, its integration key.
    Pagerduty(Pagerduty),
    /// A syslog server, by RFC 5424. No secret.
    Syslog(Syslog),
}

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

/// How a connection to a mail server is kept private.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// TLS from the first byte, usually on port 465.
    #[default]
    Tls,
    /// TLS once the server was asked for it, usually on port 587. Without it nothing is sent.
    Starttls,
    /// Not at all, usually on port 25. No password is sent this way but to this machine itself.
    None,
}

/// Mail over SMTP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The mail server: a name or an address.
    #[schema(example = "mail.example.org")]
    pub server: String,
    /// Its port. Usually 465 with `tls`, 587 with `starttls`, 25 with `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the connection is kept private.
    #[serde(default)]
    pub security: MailSecurity,
    /// Who signs in. Nobody does when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Who the mail is from.
    #[schema(example = "Netwark <netwark@example.org>")]
    pub from: String,
    /// Who it goes to, 1 to 50.
    #[schema(example = json!(["noc@example.org"]))]
    pub to: Vec<String>,
    /// A template of the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// A template of the plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// A template of the HTML; what is put in is escaped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

impl Mail {
    /// The port it connects to.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            MailSecurity::Tls => 465,
            MailSecurity::Starttls => 587,
            MailSecurity::None => 25,
        })
    }
}

/// JSON to a URL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where it is posted to.
    #[schema(example = "https://hooks.example.org/netwark")]
    pub url: String,
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

/// How syslog messages travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SyslogTransport {
    /// One datagram a message (RFC 5426), usually to port 514. Nobody learns when one is lost.
    #[default]
    Udp,
    /// A connection with octets counted (RFC 6587), usually to port 601.
    Tcp,
    /// The same inside TLS (RFC 5425), usually to port 6514.
    Tls,
}

/// What part of a system a syslog message comes from, as RFC 5424 numbers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Facility {
    /// What users run.
    User = 1,
    /// Services.
    #[default]
    Daemon = 3,
    /// Security.
    Auth = 4,
    /// Security that not everybody may read.
    Authpriv = 10,
    /// For local use.
    Local0 = 16,
    /// For local use.
    Local1 = 17,
    /// For local use.
    Local2 = 18,
    /// For local use.
    Local3 = 19,
    /// For local use.
    Local4 = 20,
    /// For local use.
    Local5 = 21,
    /// For local use.
    Local6 = 22,
    /// For local use.
    Local7 = 23,
}

/// A syslog server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Syslog {
    /// The server: a name or an address.
    #[schema(example = "syslog.example.org")]
    pub server: String,
    /// Its port. Usually 514 with `udp`, 601 with `tcp`, 6514 with `tls`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How messages travel.
    #[serde(default)]
    pub transport: SyslogTransport,
    /// What part of a system they come from.
    #[serde(default)]
    pub facility: Facility,
}

impl Syslog {
    /// The port it sends to.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.transport {
            SyslogTransport::Udp => 514,
            SyslogTransport::Tcp => 601,
            SyslogTransport::Tls => 6514,
        })
    }
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

impl ChannelConfig {
    /// Its kind.
    pub fn kind(&self) -> ChannelKind {
        match self {
            Self::Mail(_) => ChannelKind::Mail,
            Self::Webhook(_) => ChannelKind::Webhook,
            Self::Slack(_) => ChannelKind::Slack,
            Self::Teams(_) => ChannelKind::Teams,
            Self::Discord(_) => ChannelKind::Discord,
            Self::Telegram(_) => ChannelKind::Telegram,
            Self::Matrix(_) => ChannelKind::Matrix,
            Self::Ntfy(_) => ChannelKind::Ntfy,
            Self::Gotify(_) => ChannelKind::Gotify,
            Self::Pagerduty(_) => ChannelKind::Pagerduty,
            Self::Syslog(_) => ChannelKind::Syslog,
        }
    }

    /// The secrets it takes. All others are refused.
    pub fn secrets(&self) -> &'static [SecretField] {
        const PASSWORD: &[SecretField] = &[SecretField::needed("password")];
        const URL: &[SecretField] = &[SecretField::needed("url")];
        const TOKEN: &[SecretField] = &[SecretField::needed("token")];
        const KEY: &[SecretField] = &[SecretField::needed("key")];
        const MAYBE_TOKEN: &[SecretField] = &[SecretField::optional("token")];
        const MAYBE_AUTHORIZATION: &[SecretField] = &[SecretField::optional("authorization")];
        const SIGNED: &[SecretField] =
            &[SecretField::needed("signing_key"), SecretField::optional("authorization")];
        match self {
            Self::Mail(mail) if mail.username.is_some() => PASSWORD,
            Self::Mail(_) | Self::Syslog(_) => &[],
            Self::Webhook(webhook) if webhook.sign => SIGNED,
            Self::Webhook(_) => MAYBE_AUTHORIZATION,
            Self::Slack(_) | Self::Teams(_) | Self::Discord(_) => URL,
            Self::Telegram(_) | Self::Matrix(_) | Self::Gotify(_) => TOKEN,
            Self::Ntfy(_) => MAYBE_TOKEN,
            Self::Pagerduty(_) => KEY,
        }
    }

    /// Whom its secrets are shown to, and how well they are kept on the way. When it changes, they have to be given
    /// again, so that whoever may edit a channel cannot send its secrets to a place of their own.
    pub fn destination(&self) -> String {
        let origin = |text: &str| match url::Url::parse(text) {
            Ok(url) => url.origin().ascii_serialization(),
            Err(_) => text.to_owned(),
        };
        match self {
            Self::Mail(mail) => {
                let security = match mail.security {
                    MailSecurity::Tls => "smtps",
                    MailSecurity::Starttls => "smtp+starttls",
                    MailSecurity::None => "smtp",
                };
                format!("{security}://{}:{}", mail.server.to_ascii_lowercase(), mail.port())
            }
            Self::Webhook(webhook) => origin(&webhook.url),
            Self::Slack(_) | Self::Teams(_) | Self::Discord(_) => self.kind().as_str().to_owned(),
            Self::Telegram(telegram) => origin(&telegram.server),
            Self::Matrix(matrix) => origin(&matrix.homeserver),
            Self::Ntfy(ntfy) => origin(&ntfy.server),
            Self::Gotify(gotify) => origin(&gotify.server),
            Self::Pagerduty(pagerduty) => origin(&pagerduty.server),
            Self::Syslog(syslog) => format!("syslog://{}:{}", syslog.server, syslog.port()),
        }
    }
}
