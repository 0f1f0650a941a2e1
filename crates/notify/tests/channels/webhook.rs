//! Webhooks: templates, signatures, and the key that stays.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use netwark_notify::{FailureKind, new_signing_key};
use serde_json::json;

use crate::receiver::{Receiver, Reply};
use crate::setting::{KEY, config, notice, secrets, sender};

#[tokio::test]
async fn a_signature_can_be_verified() {
    let receiver = Receiver::start([]).await;
    let config = config(json!({"kind": "webhook", "sign": true}));
    let key = new_signing_key();
    let secrets = secrets(&[("url", &receiver.url()), ("signing_key", key.reveal())]);
    sender().deliver(&config, &secrets, &notice()).await.unwrap();
    let got = receiver.only();
    let key = STANDARD.decode(key.reveal().strip_prefix("whsec_").unwrap()).unwrap();
    let mut signed =
        format!("{}.{}.", got.header("webhook-id"), got.header("webhook-timestamp")).into_bytes();
    signed.extend_from_slice(&got.body);
    let signature = STANDARD.decode(got.header("webhook-signature").strip_prefix("v1,").unwrap()).unwrap();
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), &signed, &signature).unwrap();
    assert_eq!(got.header("webhook-id"), KEY);
}

#[tokio::test]
async fn the_key_stays_the_same_over_retries() {
    let receiver = Receiver::start([Reply::new(503, ""), Reply::new(500, "oops"), Reply::new(200, "")]).await;
    let (config, secrets) = (config(json!({"kind": "webhook"})), secrets(&[("url", &receiver.url())]));
    let (sender, notice) = (sender(), notice());
    let mut tries = 0;
    while sender.deliver(&config, &secrets, &notice).await.is_err() {
        tries += 1;
    }
    assert_eq!(tries, 2);
    let received = receiver.received();
    assert!(
        received.iter().all(|got| got.header("webhook-id") == KEY && got.header("idempotency-key") == KEY)
    );
    assert!(received.windows(2).all(|pair| pair[0].body == pair[1].body));
}

#[tokio::test]
async fn a_template_and_headers_of_ones_own() {
    let receiver = Receiver::start([]).await;
    let config = config(json!({
        "kind": "webhook", "headers": {"X-Team": "noc"},
        "template": "{\"message\": {{ title }}, \"device\": {{ events[0].device }}, \"n\": {{ count }}}",
    }));
    let secrets = secrets(&[("url", &format!("{}/x?y=1", receiver.url()))]);
    sender().deliver(&config, &secrets, &notice()).await.unwrap();
    let got = receiver.only();
    assert_eq!((got.uri.to_string().as_str(), got.header("x-team")), ("/x?y=1", "noc"));
    assert_eq!(got.json()["device"], "<b>printer</b>");
    assert_eq!(got.json()["n"], 5);
    assert!(got.header("webhook-signature").is_empty());
}

#[tokio::test]
async fn a_broken_template_sends_nothing() {
    let receiver = Receiver::start([]).await;
    let config = config(json!({"kind": "webhook", "template": "{\"a\": {{ nothing }}}"}));
    let secrets = secrets(&[("url", &receiver.url())]);
    let failure = sender().deliver(&config, &secrets, &notice()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Never);
    assert!(failure.text.contains("line 1"), "{failure}");
    assert!(receiver.received().is_empty());
}
