//! Notices for the tests of bodies.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use netwark_model::channels::Notice;
use netwark_model::events::{Event, Severity};
use serde_json::json;
use uuid::Uuid;

use crate::view::View;

pub(crate) fn event(number: u128, severity: Severity, text: &str) -> Event {
    let at: Timestamp = "2026-03-04T05:06:07Z".parse().unwrap();
    Event {
        id: Uuid::from_u128(number),
        at: at + jiff::SignedDuration::from_secs(i64::try_from(number).unwrap()),
        severity,
        kind: "device_up".into(),
        worker_id: None,
        worker: Some("paris-1".into()),
        text: text.into(),
        network_id: Some(Uuid::from_u128(7)),
        network: Some("office".into()),
        device_id: None,
        device: Some("printer".into()),
        data: Some(json!({"address": "192.0.2.7"})),
        acknowledged_at: None,
        acknowledged_by: None,
    }
}

pub(crate) fn notice(events: Vec<Event>) -> Notice {
    Notice {
        key: Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001),
        made_at: "2026-03-04T05:06:08Z".parse().unwrap(),
        subscription: Some("nights".into()),
        test: false,
        worst: events.iter().map(|event| event.severity).max().unwrap_or(Severity::Info),
        events,
        more: 0,
        link: Some("https://netwark.example.org/events?a=1&b=2".parse().unwrap()),
    }
}

fn view(notice: &Notice) -> View {
    View::of(notice, &TimeZone::get("Europe/Paris").unwrap())
}

/// One event.
pub(crate) fn one() -> View {
    view(&notice(vec![event(1, Severity::Warning, "unknown device printer is up")]))
}

/// Somebody tries a channel.
pub(crate) fn test() -> View {
    view(&Notice { test: true, subscription: None, link: None, ..notice(Vec::new()) })
}

/// Names that would do harm where they are not escaped.
pub(crate) fn mean() -> View {
    let mut first =
        event(1, Severity::Alert, "<script>alert(1)</script> & \"co\" is <!channel> @everyone *up*");
    first.device = Some("<b>\r\nBcc: all@example.org</b>".into());
    first.network = Some("[net](https://evil.example) `x`".into());
    let second = event(2, Severity::Ok, "\u{202e}\u{1b}[2J{{ 7 * 7 }} </td>");
    view(&Notice { subscription: Some("<i>s</i>".into()), ..notice(vec![first, second]) })
}

/// More than fits anywhere.
pub(crate) fn storm() -> View {
    let text = "\"é\" <&> ".repeat(200);
    let events = (0..100).map(|number| event(number, Severity::Info, &text)).collect();
    view(&Notice { more: 4321, worst: Severity::Alert, ..notice(events) })
}
