//! Good channels and bad ones.

use serde_json::{Value, json};

use super::*;
use crate::channels::{ChannelKind, Secret};

fn config(json: Value) -> ChannelConfig {
    serde_json::from_value(json).unwrap()
}

fn fields(json: Value) -> Vec<String> {
    config(json).problems().into_iter().map(|problem| problem.name).collect()
}

#[test]
fn the_least_of_every_kind() {
    let least = [
        json!({"kind": "mail", "server": "mail.example.org", "from": "a@example.org", "to": ["b@example.org"]}),
        json!({"kind": "webhook"}),
        json!({"kind": "slack"}),
        json!({"kind": "teams"}),
        json!({"kind": "discord"}),
        json!({"kind": "telegram", "chat_id": "-1001234567890"}),
        json!({"kind": "matrix", "homeserver": "https://matrix.example.org", "room": "#noc:example.org"}),
        json!({"kind": "ntfy", "topic": "noc"}),
        json!({"kind": "gotify", "server": "https://gotify.example.org"}),
        json!({"kind": "pagerduty"}),
        json!({"kind": "syslog", "server": "2001:db8::1"}),
    ];
    assert_eq!(least.len(), ChannelKind::ALL.len());
    for (json, kind) in least.into_iter().zip(ChannelKind::ALL) {
        let config = config(json);
        assert_eq!(config.kind(), kind);
        assert_eq!(config.problems(), [], "{kind:?}");
        assert_eq!(ChannelKind::from_word(kind.as_str()), Some(kind));
        let written = serde_json::to_value(&config).unwrap();
        assert_eq!(written["kind"], kind.as_str());
        assert_eq!(serde_json::from_value::<ChannelConfig>(written).unwrap(), config);
    }
}

#[test]
fn what_is_not_known_is_refused() {
    for json in [
        json!({"kind": "pigeon"}),
        json!({"kind": "slack", "url": "https://example.org"}),
        json!({"kind": "syslog", "server": "a", "facility": "local9"}),
        json!({"kind": "mail", "server": "a", "from": "a@b", "to": [], "password": "x"}),
    ] {
        assert!(serde_json::from_value::<ChannelConfig>(json.clone()).is_err(), "{json}");
    }
}

#[test]
fn every_problem_names_its_field() {
    let mail = json!({
        "kind": "mail", "server": "smtp://x", "port": 0, "security": "none", "username": "me",
        "from": "", "to": [], "subject": " ",
    });
    let named: Vec<_> = ["server", "port", "security", "from", "to", "subject"]
        .iter()
        .map(|name| format!("config.{name}"))
        .collect();
    assert_eq!(fields(mail), named);
    let hook = json!({
        "kind": "webhook",
        "headers": {"Authorization": "x", "Host": "x", "X-A": "a\nb", "x y": "z", "X-Team": "noc"},
    });
    assert_eq!(
        fields(hook),
        ["config.headers.Authorization", "config.headers.Host", "config.headers.X-A", "config.headers.x y",]
    );
    for (json, field) in [
        (json!({"kind": "telegram", "chat_id": "noc"}), "chat_id"),
        (json!({"kind": "matrix", "homeserver": "https://m.example", "room": "noc"}), "room"),
        (json!({"kind": "matrix", "homeserver": "m.example", "room": "!a:m.example"}), "homeserver"),
        (json!({"kind": "ntfy", "topic": "a/b"}), "topic"),
        (json!({"kind": "gotify", "server": "ftp://gotify.example"}), "server"),
        (json!({"kind": "pagerduty", "server": "https://x.example/#a"}), "server"),
        (json!({"kind": "syslog", "server": "a b"}), "server"),
    ] {
        assert_eq!(fields(json), [format!("config.{field}")]);
    }
}

#[test]
fn a_password_goes_unprotected_to_this_machine_alone() {
    let with = |server: &str| {
        fields(json!({
            "kind": "mail", "server": server, "security": "none", "username": "me", "from": "a@b.example",
            "to": ["c@d.example"],
        }))
    };
    assert_eq!(with("localhost"), [""; 0]);
    assert_eq!(with("::1"), [""; 0]);
    assert_eq!(with("192.0.2.1"), ["config.security"]);
}

#[test]
fn secrets_are_checked_and_not_repeated() {
    let slack = config(json!({"kind": "slack"}));
    assert_eq!(slack.problems_of_secrets(&Secrets::default())[0].to_string(), "secrets.url: is missing");
    let secrets: Secrets =
        [("url", Secret::new("hunter2")), ("token", Secret::new("hunter2"))].into_iter().collect();
    let problems = slack.problems_of_secrets(&secrets);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(!format!("{problems:?}").contains("hunter2"));
    let hook = config(json!({"kind": "webhook", "sign": true}));
    let short: Secrets = [("signing_key", Secret::new("short"))].into_iter().collect();
    assert_eq!(hook.problems_of_secrets(&short)[0].name, "secrets.signing_key");
    let gotify = config(json!({"kind": "gotify", "server": "https://g.example"}));
    let broken: Secrets = [("token", Secret::new("a\r\nb: c"))].into_iter().collect();
    assert_eq!(gotify.problems_of_secrets(&broken)[0].name, "secrets.token");
}

#[test]
fn another_destination_is_noticed() {
    let at = |json: Value| config(json).destination(&Secrets::default());
    let url = |url: &str| -> Secrets { [("url", Secret::new(url))].into_iter().collect() };
    let hook = |text: &str| config(json!({"kind": "webhook"})).destination(&url(text));
    assert_eq!(hook("https://example.org/a"), hook("https://EXAMPLE.org:443/b"));
    assert_ne!(hook("https://example.org/a"), hook("http://example.org/a"));
    let mail = |security: &str| {
        at(json!({
            "kind": "mail", "server": "mail.example.org", "port": 587, "security": security,
            "from": "a@b.example", "to": ["c@d.example"],
        }))
    };
    assert_ne!(mail("starttls"), mail("none"));
}

#[test]
fn of_a_url_that_is_a_secret_little_is_told() {
    let slack = config(json!({"kind": "slack"}));
    let told = |url: &str| slack.leads_to(&[("url", Secret::new(url))].into_iter().collect());
    let whole = "https://hooks.example.org/services/T000/B000/abcdefgh";
    assert_eq!(told(whole), "https://hooks.example.org/…efgh");
    assert_eq!(told("http://192.0.2.7:8080/hook"), "http://192.0.2.7:8080/…");
    assert_eq!(told("https://hooks.example.org?key=abcdefghijklmnop"), "https://hooks.example.org/…");
    assert_eq!(slack.leads_to(&Secrets::default()), "slack");
    let gotify = config(json!({"kind": "gotify", "server": "https://g.example/sub"}));
    let token: Secrets = [("token", Secret::new("hunter2"))].into_iter().collect();
    assert_eq!(gotify.leads_to(&token), "https://g.example");
}
