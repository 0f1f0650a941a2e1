//! What is written in a mail.

use std::time::SystemTime;

use jiff::Timestamp;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use netwark_model::channels::config::Mail;
use netwark_model::events::Severity;

use crate::mail::mailbox;
use crate::template::{Format, render};
use crate::text::{clean, clip};
use crate::view::View;

const SUBJECT: &str = "[Netwark] {{ title }}";
const TEXT: &str = include_str!("text.txt");
const HTML: &str = include_str!("html.html");
/// Most characters of a subject.
const LONGEST_SUBJECT: usize = 200;

/// A mail that is ready to be sent.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) from: Address,
    pub(super) to: Vec<Address>,
    pub(super) bytes: Vec<u8>,
}

/// Writes a mail.
///
/// # Errors
/// When a template or an address is broken.
pub(super) fn letter(config: &Mail, view: &View, now: Timestamp) -> Result<Letter, String> {
    let from = mailbox(&config.from)?;
    let to = config.to.iter().map(|to| mailbox(to)).collect::<Result<Vec<Mailbox>, _>>()?;
    let mut builder = Message::builder()
        .message_id(Some(format!("<{}@{}>", view.key, from.email.domain())))
        .date(SystemTime::from(now))
        .from(from.clone())
        .subject(subject(config, view)?);
    for to in &to {
        builder = builder.to(to.clone());
    }
    let parts = MultiPart::alternative()
        .singlepart(SinglePart::plain(text(config, view)?))
        .singlepart(SinglePart::html(html(config, view)?));
    let mut message =
        builder.multipart(parts).map_err(|error| format!("the mail cannot be written: {error}"))?;
    let mut set = |name, value: &str| {
        message.headers_mut().insert_raw(HeaderValue::new(name, value.to_owned()));
    };
    // RFC 3834: nobody who is away shall answer.
    set(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated");
    set(HeaderName::new_from_ascii_str("X-Auto-Response-Suppress"), "All");
    if view.worst == Severity::Alert && !view.test {
        set(HeaderName::new_from_ascii_str("Importance"), "high");
    }
    let to = to.into_iter().map(|to| to.email).collect();
    Ok(Letter { from: from.email, to, bytes: message.formatted() })
}

fn subject(config: &Mail, view: &View) -> Result<String, String> {
    let subject = render(config.subject.as_deref().unwrap_or(SUBJECT), Format::Text, view)?;
    Ok(clip(&clean(&subject), LONGEST_SUBJECT))
}

fn text(config: &Mail, view: &View) -> Result<String, String> {
    render(config.text.as_deref().unwrap_or(TEXT), Format::Text, view)
}

fn html(config: &Mail, view: &View) -> Result<String, String> {
    render(config.html.as_deref().unwrap_or(HTML), Format::Html, view)
}

/// The templates that do not work, with what is wrong with each.
pub(crate) fn broken_templates(config: &Mail, view: &View) -> Vec<(&'static str, String)> {
    let tried =
        [("subject", subject(config, view)), ("text", text(config, view)), ("html", html(config, view))];
    tried.into_iter().filter_map(|(field, made)| made.err().map(|why| (field, why))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn config() -> Mail {
        serde_json::from_value(serde_json::json!({
            "server": "mail.example.org", "from": "Netwark <netwark@example.org>",
            "to": ["Nöc <noc@example.org>", "boss@example.org"],
        }))
        .unwrap()
    }

    #[test]
    fn parts() {
        for (name, view) in [("one", sample::one()), ("test", sample::test()), ("mean", sample::mean())] {
            insta::assert_snapshot!(format!("mail_subject_{name}"), subject(&config(), &view).unwrap());
            insta::assert_snapshot!(format!("mail_text_{name}"), text(&config(), &view).unwrap());
            insta::assert_snapshot!(format!("mail_html_{name}"), html(&config(), &view).unwrap());
        }
    }

    #[test]
    fn markup_in_a_name_stays_text() {
        let html = html(&config(), &sample::mean()).unwrap();
        for markup in ["<script", "<b>", "<i>", "</td> "] {
            assert!(!html.contains(markup), "{markup} in {html}");
        }
        let own = Mail { html: Some("<p>{{ events[0].device }}</p>".into()), ..config() };
        let html = super::html(&own, &sample::mean()).unwrap();
        assert!(html.starts_with("<p>&lt;b&gt;") && html.ends_with("</p>"), "{html}");
    }

    #[test]
    fn a_letter() {
        let now = "2026-03-04T05:06:09Z".parse().unwrap();
        let letter = letter(&config(), &sample::mean(), now).unwrap();
        let text = String::from_utf8(letter.bytes).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap();
        for line in [
            "Message-ID: <01980000-0000-7000-8000-000000000001@example.org>",
            "Date: Wed, 04 Mar 2026 05:06:09 +0000",
            "Auto-Submitted: auto-generated",
            "Importance: high",
        ] {
            assert!(head.lines().any(|found| found == line), "{line} in {head}");
        }
        assert!(!head.contains("\nBcc:"), "{head}");
        assert_eq!(letter.to.len(), 2);
    }

    #[test]
    fn a_storm_is_bounded() {
        let letter = letter(&config(), &sample::storm(), Timestamp::UNIX_EPOCH).unwrap();
        assert!(letter.bytes.len() < 600_000, "{}", letter.bytes.len());
        let longest = letter.bytes.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap();
        assert!(longest <= 999, "{longest}");
    }
}
