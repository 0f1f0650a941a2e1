//! Between the model's types and what stands in columns.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;

/// Milliseconds since the epoch.
pub(crate) fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// A time from milliseconds since the epoch; what is out of range is the epoch.
pub(crate) fn time(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or_default()
}

/// A duration in milliseconds as a column holds it.
pub(crate) fn duration(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX)
}

/// A structure as JSON text. PostgreSQL's text cannot hold NUL, so it is left out of strings.
pub(crate) fn to_text<T: Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    let text =
        serde_json::to_string(value).map_err(|e| StoreError::Content { what, detail: e.to_string() })?;
    Ok(if text.contains("\\u0000") { without_nul(&text) } else { text })
}

/// A structure from JSON text.
pub(crate) fn from_text<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Content { what, detail: e.to_string() })
}

/// Removes the escape of NUL, but not an escaped backslash in front of the same letters.
fn without_nul(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        if let Some(behind) = escape.strip_prefix("\\u0000") {
            rest = behind;
            continue;
        }
        // A backslash in JSON text is always followed by one ASCII character that it escapes.
        let (pair, behind) = escape.split_at(escape.len().min(2));
        out.push_str(pair);
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_left_out_and_nothing_else() {
        let value = ["a\0b", "\\u0000", "\\", "\n"];
        let text = to_text("test", &value).unwrap();
        assert_eq!(from_text::<Vec<String>>("test", &text).unwrap(), ["ab", "\\u0000", "\\", "\n"]);
    }
}
