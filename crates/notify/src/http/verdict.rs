//! What an answer means.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use serde_json::Value;
use url::Url;

use crate::outcome::Failure;
use crate::text::clip_bytes;

/// Status and text of an answer in a line.
pub(super) fn said(status: StatusCode, text: &str) -> String {
    // Pages say nothing in their first lines.
    let text = text.trim();
    match text.is_empty() || text.starts_with("<!") || text.starts_with("<html") {
        true => status.to_string(),
        false => format!("{status}: {}", clip_bytes(text, 2000)),
    }
}

/// What a status other than those of success means.
pub(super) fn judge(
    host: &str,
    status: StatusCode,
    after: Option<Duration>,
    location: Option<&HeaderValue>,
    text: &str,
) -> Failure {
    if status.is_redirection() {
        // Where it leads is told without its path, which may hold a secret.
        let to = location
            .and_then(|location| location.to_str().ok())
            .and_then(|location| Url::parse(location).ok())
            .map(|url| format!(" to {}", url.origin().ascii_serialization()))
            .unwrap_or_default();
        let redirect = format!("{host} redirects{to} ({status}); redirects are not followed");
        return Failure::never(format!("{redirect}, give the address that takes notices"));
    }
    let text_of = format!("{host} answers {}", said(status, text));
    match status.as_u16() {
        429 => Failure::later_after(after.or_else(|| told_wait(text)), text_of),
        408 | 425 => Failure::later_after(after, text_of),
        500.. => Failure::later_after(after, text_of),
        _ => Failure::never(text_of),
    }
}

/// `Retry-After`: seconds, or a date.
pub(super) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()?;
    Duration::try_from(date.duration_since(Timestamp::now())).ok()
}

/// How long Telegram, Discord and Matrix ask to be left alone, in the places where each says it.
fn told_wait(text: &str) -> Option<Duration> {
    let json: Value = serde_json::from_str(text).ok()?;
    let seconds = json.pointer("/parameters/retry_after").or_else(|| json.get("retry_after"));
    let seconds = seconds.and_then(Value::as_f64);
    let milliseconds = json.get("retry_after_ms").and_then(Value::as_f64).map(|wait| wait / 1000.0);
    Duration::try_from_secs_f64(seconds.or(milliseconds)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureKind::{Later, Never};

    #[test]
    fn what_is_worth_another_try() {
        let kind =
            |status: u16| judge("a.example", StatusCode::from_u16(status).unwrap(), None, None, "").kind;
        for status in [408, 425, 429, 500, 502, 503, 504] {
            assert_eq!(kind(status), Later { after: None }, "{status}");
        }
        for status in [301, 302, 304, 400, 401, 403, 404, 410, 413, 422] {
            assert_eq!(kind(status), Never, "{status}");
        }
    }

    #[test]
    fn waits_are_read_wherever_they_stand() {
        let headers =
            |text: &'static str| HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
        assert_eq!(wait(&headers("120")), Some(Duration::from_secs(120)));
        assert_eq!(wait(&headers("Wed, 21 Oct 2015 07:28:00 GMT")), None);
        assert!(wait(&headers("Wed, 21 Oct 2065 07:28:00 GMT")).is_some());
        for wrong in ["soon", "-1", "NaN", "1e99"] {
            assert_eq!(wait(&headers(wrong)), None, "{wrong}");
        }
        let told = |text: &str| told_wait(text).map(|wait| wait.as_millis());
        assert_eq!(told(r#"{"ok":false,"parameters":{"retry_after":7}}"#), Some(7000));
        assert_eq!(told(r#"{"retry_after":0.25,"global":false}"#), Some(250));
        assert_eq!(told(r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":1500}"#), Some(1500));
        assert_eq!(told(r#"{"retry_after":-5}"#), None);
        assert_eq!(told("<html>"), None);
    }

    #[test]
    fn a_redirect_is_told_without_its_path() {
        let location = HeaderValue::from_static("https://elsewhere.example/secret?token=1");
        let failure = judge("a.example", StatusCode::FOUND, None, Some(&location), "");
        assert!(failure.text.contains("to https://elsewhere.example (302"), "{failure}");
        assert!(!failure.text.contains("secret"), "{failure}");
    }
}
