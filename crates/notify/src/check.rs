//! Whether a channel can work, before it is saved: what the model says of its fields, its mail addresses, and whether
//! its templates make what they should of a few notices.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use netwark_model::channels::config::{Mail, Webhook};
use netwark_model::channels::{ChannelConfig, Notice, Secret, Secrets};
use netwark_model::error::FieldError;
use netwark_model::events::{Event, Severity};
use uuid::Uuid;

use crate::mail;
use crate::view::View;

/// What is wrong with a channel and the secrets it is to be used with; nothing when it is fit to be used. Fields are
/// named `config.FIELD` and `secrets.NAME`.
pub fn check(config: &ChannelConfig, secrets: &Secrets) -> Vec<FieldError> {
    let mut problems = config.problems();
    if problems.is_empty() {
        match config {
            ChannelConfig::Mail(it) => check_mail(it, &mut problems),
            ChannelConfig::Webhook(it) => check_webhook(it, &mut problems),
            _ => {}
        }
    }
    problems.extend(config.problems_of_secrets(secrets));
    if let Some(Err(why)) = secrets.get("signing_key").map(Secret::reveal).map(crate::kinds::webhook::key) {
        problems.push(FieldError::body("secrets.signing_key", why));
    }
    problems
}

fn check_mail(config: &Mail, problems: &mut Vec<FieldError>) {
    let addresses = std::iter::once(("from".to_owned(), &config.from));
    let to = config.to.iter().enumerate().map(|(at, to)| (format!("to[{at}]"), to));
    for (field, address) in addresses.chain(to) {
        if let Err(why) = mail::mailbox(address) {
            problems.push(FieldError::body(format!("config.{field}"), why));
        }
    }
    for view in samples() {
        let broken = mail::broken_templates(config, &view);
        if !broken.is_empty() {
            problems.extend(
                broken.into_iter().map(|(field, why)| FieldError::body(format!("config.{field}"), why)),
            );
            return;
        }
    }
}

fn check_webhook(config: &Webhook, problems: &mut Vec<FieldError>) {
    for view in samples() {
        if let Err(why) = crate::kinds::webhook::body(config, &view) {
            problems.push(FieldError::body("config.template", why));
            return;
        }
    }
}

/// Notices that a template has to cope with: one with all there is, one with as little as there can be, and a trial.
fn samples() -> [View; 3] {
    let event = Event {
        id: Uuid::nil(),
        at: Timestamp::UNIX_EPOCH,
        severity: Severity::Alert,
        kind: "device_up".into(),
        worker_id: Some(Uuid::nil()),
        worker: Some("paris-1".into()),
        text: "\"quoted\" <device> is up & well\\".into(),
        network_id: Some(Uuid::nil()),
        network: Some("office".into()),
        device_id: Some(Uuid::nil()),
        device: Some("printer".into()),
        data: Some(serde_json::json!({"address": "192.0.2.1"})),
        acknowledged_at: None,
        acknowledged_by: None,
    };
    let bare = Event {
        worker_id: None,
        worker: None,
        network_id: None,
        network: None,
        device_id: None,
        device: None,
        data: None,
        ..event.clone()
    };
    let full = Notice {
        key: Uuid::nil(),
        made_at: Timestamp::UNIX_EPOCH,
        subscription: Some("nights".into()),
        test: false,
        events: vec![event, bare.clone()],
        more: 1,
        worst: Severity::Alert,
        link: url::Url::parse("https://netwark.example.org/events").ok(),
    };
    let least = Notice { subscription: None, events: vec![bare], more: 0, link: None, ..full };
    let trial = Notice { test: true, events: Vec::new(), worst: Severity::Info, ..least.clone() };
    [full, least, trial].map(|notice| View::of(&notice, &TimeZone::UTC))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::new_signing_key;

    fn problems(json: Value) -> Vec<String> {
        let config = serde_json::from_value(json).unwrap();
        check(&config, &Secrets::default()).into_iter().map(|problem| problem.to_string()).collect()
    }

    #[test]
    fn templates_are_tried() {
        let hook = |template: &str| {
            let config = serde_json::from_value(json!({"kind": "webhook", "template": template})).unwrap();
            let url = [("url", Secret::new("https://example.org/"))].into_iter().collect();
            check(&config, &url).into_iter().map(|problem| problem.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(hook("{\"text\": {{ title }}, \"n\": {{ count }}}"), [""; 0]);
        let wrong = hook("{\"text\": {{ title }},\n \"first\": {{ events[0].nothing }}}");
        assert!(wrong[0].starts_with("config.template: line 2"), "{wrong:?}");
        // A trial has no events.
        let wrong = hook("{\"first\": {{ events[0].text }}}");
        assert!(wrong[0].starts_with("config.template: line 1"), "{wrong:?}");
        assert_eq!(hook("{\"first\": {{ events[0].text if events else headline }}}"), [""; 0]);
    }

    #[test]
    fn mail_is_tried() {
        let wrong = problems(json!({
            "kind": "mail", "server": "mail.example.org", "from": "nobody", "to": ["a@example.org", "b@"],
            "subject": "{{ titel }}", "html": "<p>\n{{ events | nothing }}</p>",
        }));
        for expected in ["config.from: ", "config.to[1]: ", "config.subject: line 1", "config.html: line 2"] {
            assert!(wrong.iter().any(|problem| problem.starts_with(expected)), "{expected}: {wrong:?}");
        }
        assert_eq!(wrong.len(), 4, "{wrong:?}");
    }

    #[test]
    fn keys_are_tried() {
        let hook = json!({"kind": "webhook", "sign": true});
        let config: ChannelConfig = serde_json::from_value(hook).unwrap();
        let with = |key: &str| {
            let url = ("url", Secret::new("https://example.org/"));
            let secrets = [url, ("signing_key", Secret::new(key))].into_iter().collect();
            check(&config, &secrets).into_iter().map(|problem| problem.name).collect::<Vec<_>>()
        };
        assert_eq!(with("whsec_not base64 at all"), ["secrets.signing_key"]);
        assert_eq!(with(new_signing_key().reveal()), [""; 0]);
    }
}
