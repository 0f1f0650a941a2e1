//! JSON to any URL: the notice as it is, or what a template makes of it; signed by the Standard Webhooks convention.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use netwark_model::channels::config::Webhook;
use netwark_model::channels::{Secret, Secrets};
use serde_json::json;

use crate::http::{Http, Request, url};
use crate::kinds::secret;
use crate::outcome::{Accepted, Failure};
use crate::template::{self, Format};
use crate::view::View;

/// What a key begins with whose rest is base64.
const KEY_PREFIX: &str = "whsec_";

pub(crate) async fn deliver(
    config: &Webhook,
    secrets: &Secrets,
    view: &View,
    http: &Http,
) -> Result<Accepted, Failure> {
    let now = Timestamp::now().as_second();
    Ok(http.send(request(config, secrets, view, now)?).await?.accepted())
}

fn request(config: &Webhook, secrets: &Secrets, view: &View, now: i64) -> Result<Request, Failure> {
    let body = body(config, view).map_err(Failure::never)?;
    let mut request = Request::post_text(url(secret(secrets, "url")?)?, body);
    for (name, value) in &config.headers {
        request = request.with(name, value)?;
    }
    request = request.with("webhook-id", &view.key)?.with("idempotency-key", &view.key)?;
    request = request.with("webhook-timestamp", &now.to_string())?;
    if let Some(authorization) = secrets.get("authorization").map(Secret::reveal) {
        request = request.with_secret("authorization", authorization)?;
    }
    if config.sign {
        let key = key(secret(secrets, "signing_key")?).map_err(Failure::never)?;
        let signature = sign(&key, &view.key, now, request.body());
        request = request.with("webhook-signature", &format!("v1,{signature}"))?;
    }
    Ok(request)
}

/// What is posted.
///
/// # Errors
/// Says what is wrong with the template.
pub(crate) fn body(config: &Webhook, view: &View) -> Result<String, String> {
    let Some(source) = &config.template else {
        return Ok(json!({"type": "netwark.notice", "timestamp": view.made_at, "data": view}).to_string());
    };
    let text = template::render(source, Format::Json, view)?;
    match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(not_json(&text, &error)),
    }
}

fn not_json(text: &str, error: &serde_json::Error) -> String {
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let line = crate::text::clip(&crate::text::clean(line), 120);
    format!(
        "what it makes is no JSON, at line {}, column {}: {line}; values bring their own quotes, so write \
         {{{{ title }}}} without quotes around it",
        error.line(),
        error.column()
    )
}

/// The bytes of a key: base64 behind `whsec_`, otherwise the text as it is.
///
/// # Errors
/// When there is no base64 behind `whsec_`.
pub(crate) fn key(text: &str) -> Result<Vec<u8>, String> {
    match text.strip_prefix(KEY_PREFIX) {
        None => Ok(text.as_bytes().to_vec()),
        Some(rest) => match STANDARD.decode(rest) {
            Ok(key) if key.len() >= 16 => Ok(key),
            Ok(_) => Err(format!("must hold at least 16 bytes in base64 behind {KEY_PREFIX}")),
            Err(_) => Err(format!("must hold base64 behind {KEY_PREFIX}")),
        },
    }
}

/// A new key of 32 random bytes to sign webhooks with, as libraries that verify Standard Webhooks take it.
pub fn new_signing_key() -> Secret {
    let bytes: [u8; 32] = rand::random();
    Secret::new(format!("{KEY_PREFIX}{}", STANDARD.encode(bytes)))
}

fn sign(key: &[u8], id: &str, now: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    context.update(format!("{id}.{now}.").as_bytes());
    context.update(body);
    STANDARD.encode(context.sign())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;
    use crate::sample;

    fn config(template: Option<&str>) -> Webhook {
        Webhook {
            headers: BTreeMap::from([("X-Team".into(), "noc".into())]),
            template: template.map(str::to_owned),
            sign: true,
        }
    }

    #[test]
    fn the_whole_notice() {
        let body = |view| -> Value { serde_json::from_str(&body(&config(None), &view).unwrap()).unwrap() };
        insta::assert_json_snapshot!("webhook_one", body(sample::one()));
        insta::assert_json_snapshot!("webhook_test", body(sample::test()));
        insta::assert_json_snapshot!("webhook_mean", body(sample::mean()));
    }

    #[test]
    fn a_template_cannot_be_broken_out_of() {
        let template = r#"{
            "text": {{ title }},
            "all": [{% for event in events %}{{ event.text ~ " at " ~ event.at }}{% if not loop.last %},{% endif %}{% endfor %}],
            "where": {{ events[0].network if events else none }}, "link": {{ link }}
        }"#;
        for view in [sample::one(), sample::mean(), sample::storm(), sample::test()] {
            let text = body(&config(Some(template)), &view).unwrap();
            let json: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(json["text"], view.title);
            assert_eq!(json["all"].as_array().unwrap().len(), view.events.len());
        }
    }

    #[test]
    fn what_is_no_json_is_explained() {
        let error = body(&config(Some("{\n\"a\": \"{{ title }}\"}")), &sample::one()).unwrap_err();
        assert!(error.contains("line 2") && error.contains("without quotes"), "{error}");
        let error = body(&config(Some("{\n{% if %}}")), &sample::one()).unwrap_err();
        assert!(error.contains("line 2"), "{error}");
        let error = body(&config(Some("{\n\n{{ titel }}}")), &sample::one()).unwrap_err();
        assert!(error.contains("line 3"), "{error}");
    }

    #[test]
    fn keys() {
        assert_eq!(key("a key of some length"), Ok(b"a key of some length".to_vec()));
        assert_eq!(key("whsec_MDEyMzQ1Njc4OWFiY2RlZg==").unwrap(), b"0123456789abcdef");
        assert!(key("whsec_***").is_err());
        assert!(key("whsec_MDEy").is_err());
        assert_eq!(key(new_signing_key().reveal()).unwrap().len(), 32);
    }

    #[test]
    fn a_known_signature() {
        // The example that the convention's own documentation gives.
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signature = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_request_is_signed_over_what_is_sent() {
        let secrets: Secrets = [
            ("url", Secret::new("https://hooks.example.org/netwark")),
            ("signing_key", Secret::new("a key of some length")),
            ("authorization", Secret::new("Bearer x")),
        ]
        .into_iter()
        .collect();
        let view = sample::one();
        let request = request(&config(None), &secrets, &view, 1_700_000_000).unwrap();
        let expected = sign(b"a key of some length", &view.key, 1_700_000_000, request.body());
        let told = format!("{request:?}");
        assert!(told.contains(&format!("v1,{expected}")), "{told}");
        assert!(told.contains("Sensitive") && !told.contains("Bearer x"), "{told}");
    }
}
