//! Mail over SMTP: a plain and an HTML part, the same Message-ID however often it is tried.

mod conversation;
mod message;
mod recipients;
mod stream;

use jiff::Timestamp;
use lettre::message::Mailbox;
use netwark_model::channels::Secrets;
use netwark_model::channels::config::Mail;

use crate::outcome::{Accepted, Failure};
use crate::sender::Options;
use crate::tls::Tls;
use crate::view::View;

pub(crate) use message::broken_templates;

/// An address with or without a name before it.
///
/// # Errors
/// Says what is wrong with it.
pub(crate) fn mailbox(text: &str) -> Result<Mailbox, String> {
    let mailbox: Mailbox = text.parse().map_err(|_| {
        format!("must be an address such as noc@example.org or NOC <noc@example.org>, got '{text}'")
    })?;
    if AsRef::<str>::as_ref(&mailbox.email).is_ascii() {
        return Ok(mailbox);
    }
    Err("must hold ASCII only before and behind the @; write the domain in its xn-- form".into())
}

pub(crate) async fn deliver(
    config: &Mail,
    secrets: &Secrets,
    view: &View,
    options: &Options,
    tls: &Tls,
) -> Result<Accepted, Failure> {
    let letter = message::letter(config, view, Timestamp::now()).map_err(Failure::never)?;
    conversation::send(config, secrets, &letter, view.opened, options, tls).await
}
