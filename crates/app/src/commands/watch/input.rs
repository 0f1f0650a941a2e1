//! Words of the command line that mean values of the API.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp, Unit};
use netwark_model::events::Severity;
use netwark_model::tools::args;
use serde_json::Value;

/// The word that empties something.
pub const NONE: &str = "none";

/// A text, or null for `none`.
pub fn text_or_none(text: &str) -> Result<Value, String> {
    Ok(if text == NONE { Value::Null } else { text.into() })
}

/// A whole number, or null for `none`. Its bounds are the server's to know.
pub fn number_or_none(text: &str) -> Result<Value, String> {
    if text == NONE {
        return Ok(Value::Null);
    }
    text.parse::<i64>().map(Value::from).map_err(|_| "write a whole number, or none".into())
}

/// Bits a second, or null for `none`.
pub fn bits_or_none(text: &str) -> Result<Value, String> {
    if text == NONE {
        return Ok(Value::Null);
    }
    args::bits(text).map(Value::from)
}

/// A list whose only entry `none` empties it.
pub fn list(entries: &[String]) -> Value {
    match entries {
        [only] if only == NONE => Value::Array(Vec::new()),
        entries => entries.into(),
    }
}

/// A length of time such as `7m`, `90s` or `1h 30m`, in milliseconds.
pub fn milliseconds(text: &str) -> Result<i64, String> {
    let wrong = || "write a length of time, as 90s, 7m or 1h30m".to_owned();
    let span: Span = text.parse().map_err(|_| wrong())?;
    let total = span.total((Unit::Millisecond, SpanRelativeTo::days_are_24_hours()));
    let total = total.map_err(|_| wrong())?;
    // Longest is checked by the server; beyond a hundred years there is no reason to ask it.
    if !(0.0..=3.2e12).contains(&total) {
        return Err(wrong());
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range has been checked")]
    Ok(total.round() as i64)
}

/// A time: as RFC 3339 writes it, a day of this machine's time zone, or a length of time before now.
pub fn when(text: &str) -> Result<Timestamp, String> {
    let wrong = || {
        "write a time such as 2026-11-26T08:00:00Z, a day such as 2026-11-26, or how long ago, such as 2h"
            .to_owned()
    };
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(day) = text.parse::<Date>() {
        return day.to_zoned(TimeZone::system()).map(|time| time.timestamp()).map_err(|_| wrong());
    }
    let ago = milliseconds(text).map_err(|_| wrong())?;
    Timestamp::now().checked_sub(jiff::SignedDuration::from_millis(ago)).map_err(|_| wrong())
}

/// A severity, or null for `usual`.
pub fn severity_or_usual(text: &str) -> Result<Value, String> {
    let known = Severity::from_word(text).map(|severity| Value::from(severity.as_str()));
    match text {
        "usual" => Ok(Value::Null),
        _ => known.ok_or_else(|| format!("must be one of {}, usual", words())),
    }
}

/// A severity.
pub fn severity(text: &str) -> Result<Severity, String> {
    Severity::from_word(text).ok_or_else(|| format!("must be one of {}", words()))
}

fn words() -> String {
    Severity::ALL.map(Severity::as_str).join(", ")
}

/// What a situation is to matter: `known_down=alert`; `usual` takes that back.
pub fn situation(text: &str) -> Result<(String, Value), String> {
    let (situation, severity) =
        text.split_once('=').ok_or("write a situation and how much it matters, as known_down=alert")?;
    let situation = situation.trim().replace('-', "_");
    Ok((situation, severity_or_usual(severity.trim())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        for (text, read) in [("7m", 420_000), ("90s", 90_000), ("1h30m", 5_400_000), ("1d", 86_400_000)] {
            assert_eq!(milliseconds(text), Ok(read), "{text}");
        }
        for wrong in ["", "7", "x", "-7m", "99999999h"] {
            assert!(milliseconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_matters_is_a_situation_with_a_severity() {
        assert_eq!(situation("known-down=alert"), Ok(("known_down".into(), "alert".into())));
        assert_eq!(situation("known_up = usual"), Ok(("known_up".into(), Value::Null)));
        assert!(situation("known_up").is_err() && situation("known_up=loud").is_err());
    }

    #[test]
    fn times_are_moments_days_or_how_long_ago() {
        assert_eq!(when("2026-11-26T08:00:00Z"), Ok("2026-11-26T08:00:00Z".parse().unwrap()));
        assert!(when("2026-11-26").is_ok() && when("2h").is_ok());
        assert!(when("soon").is_err());
    }
}
