//! How a channel is set up, without its secrets: it is stored and shown as it is.

mod http;
mod kind;
mod mail;
mod syslog;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::http::{
    Discord, Gotify, Matrix, NTFY, Ntfy, PAGERDUTY, Pagerduty, Slack, TELEGRAM, Teams, Telegram, Webhook,
};
pub use self::kind::ChannelKind;
pub use self::mail::{Mail, MailSecurity};
pub use self::syslog::{Facility, Syslog, SyslogTransport};
use super::secret::{Secret, SecretField, Secrets};

/// Characters at the end of a URL that are told although it is a secret.
const TOLD_OF_URL: usize = 4;

/// Where notices go, and in what shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ChannelConfig {
    /// Mail over SMTP. Secret: `password`, when there is a user name.
    Mail(Mail),
    /// JSON to a URL. Secrets: `url`; `signing_key`, when it signs; `authorization`, the value of that header.
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
        const HOOK: &[SecretField] = &[SecretField::needed("url"), SecretField::optional("authorization")];
        const SIGNED: &[SecretField] = &[
            SecretField::needed("url"),
            SecretField::needed("signing_key"),
            SecretField::optional("authorization"),
        ];
        match self {
            Self::Mail(mail) if mail.username.is_some() => PASSWORD,
            Self::Mail(_) | Self::Syslog(_) => &[],
            Self::Webhook(webhook) if webhook.sign => SIGNED,
            Self::Webhook(_) => HOOK,
            Self::Slack(_) | Self::Teams(_) | Self::Discord(_) => URL,
            Self::Telegram(_) | Self::Matrix(_) | Self::Gotify(_) => TOKEN,
            Self::Ntfy(_) => MAYBE_TOKEN,
            Self::Pagerduty(_) => KEY,
        }
    }

    /// Whom its secrets are shown to, and how well they are kept on the way. When it changes, they have to be given
    /// again, so that whoever may edit a channel cannot send its secrets to a place of their own.
    pub fn destination(&self, secrets: &Secrets) -> String {
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
            Self::Webhook(_) | Self::Slack(_) | Self::Teams(_) | Self::Discord(_) => secrets
                .get("url")
                .and_then(|url| url::Url::parse(url.reveal()).ok())
                .map_or_else(|| self.kind().as_str().to_owned(), |url| url.origin().ascii_serialization()),
            Self::Telegram(telegram) => origin(&telegram.server),
            Self::Matrix(matrix) => origin(&matrix.homeserver),
            Self::Ntfy(ntfy) => origin(&ntfy.server),
            Self::Gotify(gotify) => origin(&gotify.server),
            Self::Pagerduty(pagerduty) => origin(&pagerduty.server),
            Self::Syslog(syslog) => format!("syslog://{}:{}", syslog.server, syslog.port()),
        }
    }

    /// Where it leads, for those who manage it. Of a URL that is a secret these are the server and the last characters,
    /// by which who knows it recognises it.
    pub fn leads_to(&self, secrets: &Secrets) -> String {
        let mut place = self.destination(secrets);
        if let Some(url) = secrets.get("url").map(Secret::reveal) {
            let behind = url.split_once("://").map_or("", |(_, rest)| rest).chars();
            let behind: Vec<char> = behind.skip_while(|c| *c != '/').collect();
            place.push_str("/…");
            // Of a short one they would be most of it.
            if behind.len() >= 4 * TOLD_OF_URL {
                place.extend(&behind[behind.len() - TOLD_OF_URL..]);
            }
        }
        place
    }
}
