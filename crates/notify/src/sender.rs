//! Sending a notice over a channel.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use netwark_model::channels::{ChannelConfig, Notice, Secrets};
use rustls::pki_types::CertificateDer;

use crate::http::Http;
use crate::kinds::{discord, gotify, matrix, ntfy, pagerduty, slack, teams, telegram, webhook};
use crate::outcome::{Accepted, Failure};
use crate::tls::Tls;
use crate::view::View;
use crate::{mail, syslog};

/// How notices are sent, whatever the channel.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long the other side may take until it has the whole notice; once more as long for its answer.
    pub timeout: Duration,
    /// What the sender calls itself towards HTTP servers.
    pub user_agent: String,
    /// The name of this machine, towards mail and syslog servers.
    pub hostname: String,
    /// The time zone that times are written in.
    pub zone: TimeZone,
    /// Authorities that are trusted besides those of the system.
    pub authorities: Vec<CertificateDer<'static>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            user_agent: concat!("netwark/", env!("CARGO_PKG_VERSION")).into(),
            hostname: "localhost".into(),
            zone: TimeZone::UTC,
            authorities: Vec::new(),
        }
    }
}

/// Sends notices. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sender(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: Options,
    tls: Tls,
    http: Http,
}

impl Sender {
    /// Sends as these options say. The authorities of the system are read when they are needed first.
    pub fn new(options: Options) -> Self {
        let tls = Tls::new(options.authorities.clone());
        let http = Http::new(&options, tls.clone());
        Self(Arc::new(Inner { options, tls, http }))
    }

    /// Tries once to send a notice over a channel. It ends by itself within twice [`Options::timeout`] and ten
    /// seconds, and follows no redirect. The other side is told the key of the notice in the way its protocol has for
    /// it, so that it can know one that it was sent before.
    ///
    /// # Errors
    /// When the other side did not take it, or what was configured cannot be used.
    pub async fn deliver(
        &self,
        config: &ChannelConfig,
        secrets: &Secrets,
        notice: &Notice,
    ) -> Result<Accepted, Failure> {
        let outcome = self.attempt(config, secrets, notice).await;
        // Some servers repeat in their answers what they were sent.
        match outcome {
            Ok(Accepted { answer }) => Ok(Accepted { answer: without_secrets(answer, secrets) }),
            Err(Failure { kind, text }) => Err(Failure { kind, text: without_secrets(text, secrets) }),
        }
    }

    async fn attempt(
        &self,
        config: &ChannelConfig,
        secrets: &Secrets,
        notice: &Notice,
    ) -> Result<Accepted, Failure> {
        let Inner { options, tls, http } = &*self.0;
        let view = View::of(notice, &options.zone);
        match config {
            ChannelConfig::Mail(it) => mail::deliver(it, secrets, &view, options, tls).await,
            ChannelConfig::Webhook(it) => webhook::deliver(it, secrets, &view, http).await,
            ChannelConfig::Slack(_) => slack::deliver(secrets, &view, http).await,
            ChannelConfig::Teams(_) => teams::deliver(secrets, &view, http).await,
            ChannelConfig::Discord(_) => discord::deliver(secrets, &view, http).await,
            ChannelConfig::Telegram(it) => telegram::deliver(it, secrets, &view, http).await,
            ChannelConfig::Matrix(it) => matrix::deliver(it, secrets, &view, http).await,
            ChannelConfig::Ntfy(it) => ntfy::deliver(it, secrets, &view, http).await,
            ChannelConfig::Gotify(it) => gotify::deliver(it, secrets, &view, http).await,
            ChannelConfig::Pagerduty(it) => pagerduty::deliver(it, secrets, &view, options, http).await,
            ChannelConfig::Syslog(it) => syslog::deliver(it, &view, options, tls).await,
        }
    }
}

/// A text in which no secret stands, nor the part of a URL behind its host.
fn without_secrets(mut text: String, secrets: &Secrets) -> String {
    for (_, secret) in secrets.iter() {
        let whole = secret.reveal();
        let path = whole.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
        // Very short ones would make holes in words, and are no secrets anyway.
        for (part, least) in [(Some(whole), 4), (path, 8)] {
            if let Some(part) = part.filter(|part| part.len() >= least) {
                text = text.replace(part, "[secret]");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use netwark_model::channels::Secret;

    use super::*;

    #[test]
    fn secrets_do_not_come_back() {
        let secrets: Secrets = [
            ("url", Secret::new("https://hooks.example/services/T0/B0/xyz")),
            ("token", Secret::new("hunter2")),
        ]
        .into_iter()
        .collect();
        let text = "no such hook: /services/T0/B0/xyz (hunter2) at https://hooks.example/services/T0/B0/xyz";
        assert_eq!(without_secrets(text.into(), &secrets), "no such hook: /[secret] ([secret]) at [secret]");
    }
}
