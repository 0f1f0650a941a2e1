//! Senders, channels and notices for the tests.

use std::time::Duration;

use netwark_model::channels::{ChannelConfig, Notice, Secret, Secrets};
use netwark_model::events::{Event, Severity};
use netwark_notify::{Options, Sender};
use serde_json::Value;
use uuid::Uuid;

pub(crate) const KEY: &str = "01980000-0000-7000-8000-0000000000aa";

pub(crate) fn options() -> Options {
    Options { hostname: "netwark.example.org".into(), ..Options::default() }
}

pub(crate) fn sender() -> Sender {
    Sender::new(options())
}

/// One that loses patience soon.
pub(crate) fn hasty() -> Sender {
    Sender::new(Options { timeout: Duration::from_millis(300), ..options() })
}

pub(crate) fn config(json: Value) -> ChannelConfig {
    serde_json::from_value(json).unwrap()
}

pub(crate) fn secrets(pairs: &[(&str, &str)]) -> Secrets {
    pairs.iter().map(|(name, text)| (*name, Secret::new(*text))).collect()
}

pub(crate) fn event(severity: Severity, text: &str) -> Event {
    Event {
        id: Uuid::from_u128(1),
        at: "2026-03-04T05:06:07Z".parse().unwrap(),
        severity,
        kind: "device_up".into(),
        worker_id: None,
        worker: Some("paris-1".into()),
        text: text.into(),
        network_id: None,
        network: Some("office".into()),
        device_id: None,
        device: Some("<b>printer</b>".into()),
        data: None,
        acknowledged_at: None,
        acknowledged_by: None,
    }
}

pub(crate) fn notice() -> Notice {
    Notice {
        key: KEY.parse().unwrap(),
        made_at: jiff::Timestamp::now(),
        subscription: Some("nights".into()),
        test: false,
        events: vec![
            event(Severity::Alert, "rogue DHCP server <script>alert(1)</script> & co"),
            event(Severity::Info, "known device is up"),
        ],
        more: 3,
        worst: Severity::Alert,
        link: Some("https://netwark.example.org/events".parse().unwrap()),
    }
}
