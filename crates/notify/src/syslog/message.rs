//! Messages of RFC 5424.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use netwark_model::channels::config::Facility;
use netwark_model::events::Severity;

use crate::text::clip_bytes;
use crate::view::{EventView, View};

/// Most characters of a host name (RFC 5424 section 6).
const LONGEST_HOST: usize = 255;
/// Most characters of what kind a message is (RFC 5424 section 6).
const LONGEST_KIND: usize = 32;

/// The messages of a notice, oldest event first, each of at most `longest` bytes.
pub(super) fn messages(view: &View, facility: Facility, hostname: &str, longest: usize) -> Vec<String> {
    let written = |severity, at, kind: &str, body: &str| {
        let priority = facility as u8 * 8 + level(severity);
        let (host, kind) = (printable(hostname, LONGEST_HOST), printable(kind, LONGEST_KIND));
        let version = env!("CARGO_PKG_VERSION");
        let origin = format!("[origin software=\"Netwark\" swVersion=\"{version}\"]");
        // The mark says that UTF-8 follows (RFC 5424 section 6.4). Many servers show it, so it stands only where it has
        // something to say.
        let mark = if body.is_ascii() { "" } else { "\u{feff}" };
        let whole = format!("<{priority}>1 {} {host} netwark - {kind} {origin} {mark}{body}", stamp(at));
        clip_bytes(&whole, longest).to_owned()
    };
    let event = |event: &EventView| written(event.weight, event.happened, &event.kind, &body(event));
    let mut messages: Vec<String> = view.events.iter().map(event).collect();
    if view.events.is_empty() {
        messages.push(written(view.worst, view.opened, "notice", &view.headline));
    }
    if view.more > 0 {
        let s = if view.more == 1 { "" } else { "s" };
        let more = format!("{} more event{s} happened in this time", view.more);
        messages.push(written(view.worst, view.opened, "more", &more));
    }
    messages
}

/// What happened, and behind it the names as pairs, so that a program can find them.
fn body(event: &EventView) -> String {
    let mut body = event.text.clone();
    for (name, value) in [("network", &event.network), ("device", &event.device), ("worker", &event.worker)] {
        if let Some(value) = value {
            body.push_str(&format!(" {name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")));
        }
    }
    format!("{body} event={}", event.id)
}

/// The level of a severity (RFC 5424 table 2).
fn level(severity: Severity) -> u8 {
    match severity {
        Severity::Alert => 1,
        Severity::Warning => 4,
        Severity::Ok => 5,
        Severity::Info => 6,
    }
}

fn stamp(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// What may stand in the head: ASCII without blanks, `-` for nothing.
fn printable(text: &str, most: usize) -> String {
    let kept: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if kept.is_empty() { "-".into() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn bodies() {
        let version = format!("swVersion=\"{}\"", env!("CARGO_PKG_VERSION"));
        let lines = |view| {
            let messages = messages(&view, Facility::Local4, "netwark.example.org", 2048);
            messages.join("\n").replace(&version, "swVersion=\"VERSION\"")
        };
        insta::assert_snapshot!("syslog_one", lines(sample::one()));
        insta::assert_snapshot!("syslog_test", lines(sample::test()));
        insta::assert_snapshot!("syslog_mean", lines(sample::mean()));
    }

    #[test]
    fn a_storm_is_bounded() {
        let messages = messages(&sample::storm(), Facility::Daemon, "a host\n", 480);
        assert_eq!(messages.len(), 101);
        for message in messages {
            assert!(message.len() <= 480 && message.starts_with('<') && !message.contains('\n'), "{message}");
        }
    }
}
