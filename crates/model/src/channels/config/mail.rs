//! Mail over SMTP.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
