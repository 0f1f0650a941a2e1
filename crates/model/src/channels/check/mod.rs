//! What is wrong with a channel, field by field. Templates and mail addresses are looked into where they are used.

#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::net::IpAddr;

use url::{Host, Url};

use super::config::{ChannelConfig, Mail, MailSecurity, Matrix, Ntfy, Telegram, Webhook};
use super::secret::{LONGEST_SECRET, Secrets};
use crate::error::FieldError;

/// Most recipients of a mail.
const MOST_RECIPIENTS: usize = 50;
/// Most further headers of a webhook.
const MOST_HEADERS: usize = 20;
/// Most bytes of a template.
pub const LONGEST_TEMPLATE: usize = 16 * 1024;
/// Most bytes of a URL.
const LONGEST_URL: usize = 2048;
/// Most bytes of other texts.
const LONGEST_TEXT: usize = 500;
/// Most bytes of the name of a header.
const LONGEST_NAME: usize = 100;
/// Shortest key that requests are signed with, in bytes.
const SHORTEST_KEY: usize = 16;
/// Headers that are the business of the protocol, of the signature or of a secret.
const TAKEN: &[&str] = &[
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "idempotency-key",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
];

/// What was found to be wrong.
#[derive(Default)]
struct Wrong(Vec<FieldError>);

impl Wrong {
    fn config(&mut self, field: impl Display, description: impl Into<String>) {
        self.0.push(FieldError::body(format!("config.{field}"), description));
    }

    fn secret(&mut self, name: &str, description: impl Into<String>) {
        self.0.push(FieldError::body(format!("secrets.{name}"), description));
    }

    /// A text that has to be there, in one line.
    fn line(&mut self, field: &str, text: &str, most: usize) -> bool {
        match line(text, most) {
            Ok(()) => true,
            Err(why) => {
                self.config(field, why);
                false
            }
        }
    }

    fn url(&mut self, field: &str, text: &str) {
        if let Err(why) = url(text) {
            self.config(field, why);
        }
    }

    fn template(&mut self, field: &str, text: Option<&String>, most: usize) {
        match text {
            Some(text) if text.trim().is_empty() => {
                self.config(field, "must not be empty; leave it out for the usual one");
            }
            Some(text) if text.len() > most => {
                self.config(field, format!("must have at most {most} bytes, got {}", text.len()));
            }
            _ => {}
        }
    }

    fn host(&mut self, text: &str) {
        let address = text.parse::<IpAddr>().is_ok();
        if self.line("server", text, 253) && !address && !matches!(Host::parse(text), Ok(Host::Domain(_))) {
            let example = "a name such as mail.example.org or an address";
            self.config("server", format!("must be {example}, without port or scheme, got '{text}'"));
        }
    }

    fn port(&mut self, port: Option<u16>) {
        if port == Some(0) {
            self.config("port", "must be from 1 to 65535, got 0");
        }
    }
}

fn line(text: &str, most: usize) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("must not be empty".into());
    }
    if text.len() > most {
        return Err(format!("must have at most {most} bytes, got {}", text.len()));
    }
    if text.chars().any(char::is_control) {
        return Err("must not hold control characters".into());
    }
    Ok(())
}

fn url(text: &str) -> Result<(), String> {
    line(text, LONGEST_URL)?;
    let url = Url::parse(text).map_err(|_| "must be a URL such as https://example.org/".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("must begin with https:// or http://, not {}:", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or a password".into());
    }
    if url.fragment().is_some() {
        return Err("must not hold a fragment: it is never sent".into());
    }
    if url.port() == Some(0) {
        return Err("has port 0; a port is a number from 1 to 65535".into());
    }
    Ok(())
}

impl ChannelConfig {
    /// What is wrong with it; nothing when it is fit to be used.
    pub fn problems(&self) -> Vec<FieldError> {
        let mut wrong = Wrong::default();
        match self {
            Self::Mail(it) => mail(it, &mut wrong),
            Self::Webhook(it) => webhook(it, &mut wrong),
            Self::Slack(_) | Self::Teams(_) | Self::Discord(_) => {}
            Self::Telegram(it) => telegram(it, &mut wrong),
            Self::Matrix(it) => matrix(it, &mut wrong),
            Self::Ntfy(it) => ntfy(it, &mut wrong),
            Self::Gotify(it) => wrong.url("server", &it.server),
            Self::Pagerduty(it) => wrong.url("server", &it.server),
            Self::Syslog(it) => {
                wrong.host(&it.server);
                wrong.port(it.port);
            }
        }
        wrong.0
    }

    /// What is wrong with the secrets it is to be used with: those that are missing, those it does not take, and those
    /// that cannot be right.
    pub fn problems_of_secrets(&self, secrets: &Secrets) -> Vec<FieldError> {
        let mut wrong = Wrong::default();
        let fields = self.secrets();
        for (name, secret) in secrets.iter() {
            if fields.iter().all(|field| field.name != name) {
                wrong.secret(
                    name,
                    format!("is not taken by a channel of this kind ({})", self.kind().as_str()),
                );
                continue;
            }
            // What is wrong is said without repeating the secret.
            if let Err(why) = secret_problem(name, secret.reveal()) {
                wrong.secret(name, why);
            }
        }
        for field in fields {
            if field.needed && secrets.get(field.name).is_none() {
                wrong.secret(field.name, "is missing");
            }
        }
        wrong.0
    }
}

fn secret_problem(name: &str, text: &str) -> Result<(), String> {
    if name == "url" {
        return url(text);
    }
    line(text, LONGEST_SECRET)?;
    match name {
        "password" => Ok(()),
        "signing_key" if text.len() < SHORTEST_KEY => {
            Err(format!("must have at least {SHORTEST_KEY} characters"))
        }
        "authorization" if !text.is_ascii() => Err("must hold ASCII only, as the value of a header".into()),
        "token" | "key" if !text.chars().all(|c| c.is_ascii_graphic()) => {
            Err("must not hold blanks or characters beyond ASCII".into())
        }
        _ => Ok(()),
    }
}

fn mail(mail: &Mail, wrong: &mut Wrong) {
    wrong.host(&mail.server);
    wrong.port(mail.port);
    if let Some(username) = &mail.username
        && wrong.line("username", username, LONGEST_TEXT)
        && mail.security == MailSecurity::None
        && !is_this_machine(&mail.server)
    {
        wrong.config(
            "security",
            "must be tls or starttls where there is a user name: the password could be read on the way",
        );
    }
    wrong.line("from", &mail.from, LONGEST_TEXT);
    if !(1..=MOST_RECIPIENTS).contains(&mail.to.len()) {
        wrong.config("to", format!("must hold 1 to {MOST_RECIPIENTS} addresses, got {}", mail.to.len()));
    }
    for (at, to) in mail.to.iter().take(MOST_RECIPIENTS).enumerate() {
        wrong.line(&format!("to[{at}]"), to, LONGEST_TEXT);
    }
    wrong.template("subject", mail.subject.as_ref(), LONGEST_TEXT);
    wrong.template("text", mail.text.as_ref(), LONGEST_TEMPLATE);
    wrong.template("html", mail.html.as_ref(), LONGEST_TEMPLATE);
}

fn is_this_machine(server: &str) -> bool {
    server.eq_ignore_ascii_case("localhost")
        || server.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

fn webhook(webhook: &Webhook, wrong: &mut Wrong) {
    if webhook.headers.len() > MOST_HEADERS {
        let count = webhook.headers.len();
        wrong.config("headers", format!("must be at most {MOST_HEADERS}, got {count}"));
    }
    for (name, value) in webhook.headers.iter().take(MOST_HEADERS) {
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let field = format!("headers.{}", name.chars().take(LONGEST_NAME).collect::<String>());
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(token) {
            wrong.config(field, format!("must be the name of a header, of at most {LONGEST_NAME} bytes"));
        } else if name.eq_ignore_ascii_case("authorization") {
            wrong.config(field, "belongs to the secrets, as authorization");
        } else if TAKEN.iter().any(|taken| name.eq_ignore_ascii_case(taken)) {
            wrong.config(field, "is set by Netwark itself");
        } else if value.len() > LONGEST_TEXT || !value.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
            wrong.config(field, format!("must be at most {LONGEST_TEXT} printable ASCII characters"));
        }
    }
    wrong.template("template", webhook.template.as_ref(), LONGEST_TEMPLATE);
}

fn telegram(telegram: &Telegram, wrong: &mut Wrong) {
    wrong.url("server", &telegram.server);
    let chat = telegram.chat_id.as_str();
    let name = chat.strip_prefix('@').is_some_and(|name| {
        !name.is_empty() && name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    if !name && (chat.len() > 20 || chat.parse::<i64>().is_err()) {
        wrong.config("chat_id", "must be a number such as -1001234567890, or @name of a public channel");
    }
}

fn matrix(matrix: &Matrix, wrong: &mut Wrong) {
    wrong.url("homeserver", &matrix.homeserver);
    // Room ids of newer rooms name no server.
    let id = matrix.room.strip_prefix('!').is_some_and(|id| !id.is_empty());
    let alias = matrix.room.strip_prefix('#').is_some_and(|alias| {
        alias.split_once(':').is_some_and(|(name, server)| !name.is_empty() && !server.is_empty())
    });
    if wrong.line("room", &matrix.room, 255) && !id && !alias {
        wrong.config("room", "must be an id such as !abc:example.org, or a name such as #noc:example.org");
    }
}

fn ntfy(ntfy: &Ntfy, wrong: &mut Wrong) {
    wrong.url("server", &ntfy.server);
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !(1..=64).contains(&ntfy.topic.len()) || !ntfy.topic.chars().all(fits) {
        wrong.config("topic", "must be 1 to 64 letters, digits, - and _");
    }
}
