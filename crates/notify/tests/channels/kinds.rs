//! Every kind that speaks HTTP: where it sends, how it says who it is and what it sends, and what it takes for yes.

use std::time::Duration;

use netwark_model::channels::{ChannelConfig, Secrets};
use netwark_notify::FailureKind;
use serde_json::json;

use crate::receiver::{Receiver, Reply};
use crate::setting::{KEY, config, notice, secrets, sender};

const TOKEN: &str = "s3cret-t0ken";

/// A kind with what a receiver of it answers.
struct Case {
    config: ChannelConfig,
    secrets: Secrets,
    yes: Reply,
    /// Whether another answer of success means that something else answered.
    proves: bool,
}

/// Every kind that speaks HTTP, set up for a receiver at `base`.
fn cases(base: &str) -> Vec<Case> {
    let url = format!("{base}/hooks/{TOKEN}");
    let token = || secrets(&[("token", TOKEN)]);
    let ok = |body: &str, proves| (Reply::new(200, body), proves);
    let case = |json, secrets, (yes, proves)| Case { config: config(json), secrets, yes, proves };
    vec![
        case(
            json!({"kind": "webhook", "sign": true}),
            secrets(&[
                ("url", &format!("{base}/in")),
                ("signing_key", "a key of some length"),
                ("authorization", &format!("Bearer {TOKEN}")),
            ]),
            (Reply::new(204, ""), false),
        ),
        case(json!({"kind": "slack"}), secrets(&[("url", &url)]), ok("ok", false)),
        case(json!({"kind": "teams"}), secrets(&[("url", &url)]), (Reply::new(202, ""), false)),
        case(json!({"kind": "discord"}), secrets(&[("url", &url)]), ok(r#"{"id": "1100"}"#, true)),
        case(
            json!({"kind": "telegram", "chat_id": "-1001", "server": base}),
            token(),
            ok(r#"{"ok": true, "result": {"message_id": 5}}"#, true),
        ),
        case(
            json!({"kind": "matrix", "homeserver": base, "room": "!room:example.org"}),
            token(),
            ok(r#"{"event_id": "$1"}"#, true),
        ),
        case(json!({"kind": "ntfy", "server": base, "topic": "noc"}), token(), ok(r#"{"id": "x"}"#, true)),
        case(json!({"kind": "gotify", "server": base}), token(), ok(r#"{"id": 25}"#, true)),
        case(
            json!({"kind": "pagerduty", "server": base}),
            secrets(&[("key", TOKEN)]),
            (Reply::new(202, r#"{"status": "success", "message": "Event processed"}"#), true),
        ),
    ]
}

/// Tries each kind once against a receiver that answers with `reply`, or with yes.
async fn each(
    reply: impl Fn(&Case) -> Reply,
    look: impl Fn(&Case, &Receiver, Result<netwark_notify::Accepted, netwark_notify::Failure>),
) {
    let count = cases("http://127.0.0.1").len();
    for at in 0..count {
        let receiver = Receiver::start([reply(&cases("http://127.0.0.1")[at])]).await;
        let case = cases(&receiver.url()).swap_remove(at);
        let outcome = sender().deliver(&case.config, &case.secrets, &notice()).await;
        look(&case, &receiver, outcome);
    }
}

#[tokio::test]
async fn what_is_taken() {
    each(
        |case| case.yes.clone(),
        |case, receiver, outcome| {
            let kind = case.config.kind();
            outcome.unwrap_or_else(|failure| panic!("{kind:?}: {failure}"));
            let got = receiver.only();
            let text = format!("{} {:?} {}", got.uri, got.headers, String::from_utf8_lossy(&got.body));
            assert!(text.contains(KEY), "{kind:?} does not tell the key: {text}");
            assert!(text.contains(TOKEN), "{kind:?} does not show its secret: {text}");
            assert_eq!(got.header("content-type"), "application/json", "{kind:?}");
            assert!(got.header("user-agent").starts_with("netwark/"), "{kind:?}");
            got.json();
        },
    )
    .await;
}

#[tokio::test]
async fn places_and_credentials() {
    each(
        |case| case.yes.clone(),
        |case, receiver, _| {
            let got = receiver.only();
            let path = got.uri.to_string();
            let bearer = format!("Bearer {TOKEN}");
            match &case.config {
                ChannelConfig::Webhook(_) => {
                    assert_eq!((path.as_str(), got.header("authorization")), ("/in", bearer.as_str()));
                }
                ChannelConfig::Discord(_) => assert_eq!(path, format!("/hooks/{TOKEN}?wait=true")),
                ChannelConfig::Telegram(_) => assert_eq!(path, format!("/bot{TOKEN}/sendMessage")),
                ChannelConfig::Matrix(_) => {
                    let room = "/_matrix/client/v3/rooms/!room:example.org/send/m.room.message/";
                    assert_eq!(path, format!("{room}{KEY}"));
                    assert_eq!((got.method.as_str(), got.header("authorization")), ("PUT", bearer.as_str()));
                }
                ChannelConfig::Ntfy(_) => {
                    assert_eq!((path.as_str(), got.header("authorization")), ("/", bearer.as_str()));
                }
                ChannelConfig::Gotify(_) => {
                    assert_eq!((path.as_str(), got.header("x-gotify-key")), ("/message", TOKEN));
                }
                ChannelConfig::Pagerduty(_) => {
                    assert_eq!(path, "/v2/enqueue");
                    assert_eq!(
                        (&got.json()["dedup_key"], &got.json()["routing_key"]),
                        (&json!(KEY), &json!(TOKEN))
                    );
                }
                _ => assert_eq!(path, format!("/hooks/{TOKEN}")),
            }
        },
    )
    .await;
}

#[tokio::test]
async fn what_time_may_mend() {
    for status in [429, 503] {
        each(
            |_| Reply::new(status, "busy").with("retry-after", "7"),
            |case, _, outcome| {
                let failure = outcome.unwrap_err();
                let after = Some(Duration::from_secs(7));
                assert_eq!(failure.kind, FailureKind::Later { after }, "{:?}: {failure}", case.config.kind());
                assert!(failure.text.contains(&status.to_string()), "{failure}");
            },
        )
        .await;
    }
}

#[tokio::test]
async fn what_waiting_does_not_mend() {
    for status in [400, 401, 403, 404, 410] {
        each(
            |_| Reply::new(status, "no"),
            |case, _, outcome| {
                let failure = outcome.unwrap_err();
                assert_eq!(failure.kind, FailureKind::Never, "{:?}: {failure}", case.config.kind());
            },
        )
        .await;
    }
}

#[tokio::test]
async fn a_page_is_no_yes() {
    each(
        |_| Reply::new(200, "<!doctype html><title>Welcome</title>"),
        |case, _, outcome| match case.proves {
            false => assert!(outcome.is_ok()),
            true => {
                let failure = outcome.unwrap_err();
                assert_eq!(failure.kind, FailureKind::Never, "{failure}");
                assert!(failure.text.contains("is the address right?"), "{failure}");
            }
        },
    )
    .await;
}

#[tokio::test]
async fn redirects_are_not_followed() {
    each(
        |_| Reply::new(307, "").with("location", "/elsewhere"),
        |case, receiver, outcome| {
            let failure = outcome.unwrap_err();
            assert_eq!(failure.kind, FailureKind::Never, "{:?}: {failure}", case.config.kind());
            receiver.only();
        },
    )
    .await;
}

#[tokio::test]
async fn secrets_do_not_come_back_in_what_is_said() {
    for status in [400, 200] {
        each(
            |_| Reply { echo: true, ..Reply::new(status, "") },
            |case, _, outcome| {
                let told = match outcome {
                    Ok(accepted) => accepted.answer,
                    Err(failure) => failure.text,
                };
                assert!(!told.contains(TOKEN), "{:?}: {told}", case.config.kind());
                assert!(told.chars().count() <= netwark_notify::LONGEST_ANSWER, "{told}");
            },
        )
        .await;
    }
}

#[tokio::test]
async fn a_room_of_matrix_by_its_name() {
    let replies =
        [Reply::new(200, r#"{"room_id": "!r1:example.org"}"#), Reply::new(200, r#"{"event_id": "$1"}"#)];
    let receiver = Receiver::start(replies).await;
    let config = config(json!({"kind": "matrix", "homeserver": receiver.url(), "room": "#noc:example.org"}));
    sender().deliver(&config, &secrets(&[("token", TOKEN)]), &notice()).await.unwrap();
    let received = receiver.received();
    assert_eq!(received[0].uri.path(), "/_matrix/client/v3/directory/room/%23noc:example.org");
    assert!(received[1].uri.path().contains("/rooms/!r1:example.org/send/"), "{received:?}");
}

#[tokio::test]
async fn waits_that_stand_in_the_answer() {
    let receiver =
        Receiver::start([Reply::new(429, r#"{"ok": false, "parameters": {"retry_after": 11}}"#)]).await;
    let config = config(json!({"kind": "telegram", "chat_id": "1", "server": receiver.url()}));
    let failure = sender().deliver(&config, &secrets(&[("token", TOKEN)]), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Later { after: Some(Duration::from_secs(11)) });
}

#[tokio::test]
async fn a_channel_without_its_secret_says_so() {
    let base = "http://127.0.0.1:9";
    for case in cases(base) {
        let none = Secrets::default();
        if case.config.secrets().iter().any(|field| field.needed) {
            let failure = sender().deliver(&case.config, &none, &notice()).await.unwrap_err();
            assert_eq!(failure.kind, FailureKind::Never, "{failure}");
            assert!(failure.text.contains("give it one"), "{failure}");
        }
    }
}
