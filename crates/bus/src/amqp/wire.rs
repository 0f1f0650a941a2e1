//! Messages as bytes, and the broker's errors in words.

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use netwark_model::messages::{Delivery, LARGEST, News, Order, Report, VERSION};
use serde::Deserialize;
use uuid::Uuid;

use crate::BusError;

/// The header that carries a report's signature, in base64.
pub(super) const SIGNATURE: &str = "netwark-signature";
/// The header that says whose report it is, for people who look at the broker. What counts is in
/// the signed bytes.
pub(super) const WORKER: &str = "netwark-worker";
/// How much of a message that cannot be read is shown.
const SHOWN: usize = 200;

/// What is left of a message whose version is not known.
#[derive(Deserialize)]
struct Envelope {
    version: u16,
    #[serde(default)]
    worker_id: Uuid,
    #[serde(default)]
    mark: u64,
}

/// Reads a delivery. One of a later version whose order is not understood is an unknown order, so
/// that the worker can name both versions.
pub(super) fn read_delivery(body: &[u8]) -> Result<Delivery, String> {
    within_bounds(body)?;
    serde_json::from_slice(body).or_else(|error| match serde_json::from_slice::<Envelope>(body) {
        Ok(Envelope { version, .. }) if version > VERSION => {
            Ok(Delivery { version, order: Order::Unknown, expires_at_ms: None })
        }
        _ => Err(error.to_string()),
    })
}

/// Reads a report, in the same way.
pub(super) fn read_report(body: &[u8]) -> Result<Report, String> {
    within_bounds(body)?;
    serde_json::from_slice(body).or_else(|error| match serde_json::from_slice::<Envelope>(body) {
        Ok(Envelope { version, worker_id, mark }) if version > VERSION => {
            Ok(Report { version, worker_id, mark, news: News::Unknown })
        }
        _ => Err(error.to_string()),
    })
}

/// The bytes of a message.
pub(super) fn write<T: serde::Serialize>(message: &T) -> Result<Vec<u8>, BusError> {
    let body = serde_json::to_vec(message).map_err(|error| BusError::Refused(error.to_string()))?;
    within_bounds(&body).map_err(BusError::Refused)?;
    Ok(body)
}

fn within_bounds(body: &[u8]) -> Result<(), String> {
    match body.len() {
        n if n > LARGEST => Err(format!("the message has {n} bytes; {LARGEST} are allowed")),
        _ => Ok(()),
    }
}

/// The beginning of a message that cannot be read, fit for a line of the log.
pub(super) fn excerpt(body: &[u8]) -> String {
    let shown = body.get(..SHOWN).unwrap_or(body).escape_ascii().to_string();
    if body.len() > SHOWN { format!("{shown}...") } else { shown }
}

/// True when a queue or exchange is not there.
pub(super) fn is_missing(error: &lapin::Error) -> bool {
    soft(error) == Some(&AMQPSoftError::NOTFOUND)
}

/// True when a queue or exchange is there, with other arguments.
pub(super) fn is_different(error: &lapin::Error) -> bool {
    soft(error) == Some(&AMQPSoftError::PRECONDITIONFAILED)
}

/// True when the user may not do this.
pub(super) fn is_forbidden(error: &lapin::Error) -> bool {
    soft(error) == Some(&AMQPSoftError::ACCESSREFUSED)
}

fn soft(error: &lapin::Error) -> Option<&AMQPSoftError> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => match error.kind() {
            AMQPErrorKind::Soft(soft) => Some(soft),
            AMQPErrorKind::Hard(_) => None,
        },
        _ => None,
    }
}

/// An error of the broker, in words; what it says itself where it says something.
pub(super) fn words(error: &lapin::Error) -> String {
    match error.kind() {
        ErrorKind::ProtocolError(error) => error.get_message().to_string(),
        ErrorKind::IOError(error) => error.to_string(),
        ErrorKind::MissingHeartbeatError => "it was silent for too long".into(),
        ErrorKind::InvalidConnectionState(_) | ErrorKind::InvalidChannelState(..) => {
            "the connection has ended".into()
        }
        _ => error.to_string(),
    }
}

/// An error of the broker as the bus has it.
pub(super) fn unavailable(error: &lapin::Error) -> BusError {
    BusError::Unavailable(words(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_version_is_recognised_and_nonsense_is_not() {
        let later = br#"{"version": 9, "order": ["quite", "different"], "more": 1}"#;
        assert_eq!(
            read_delivery(later),
            Ok(Delivery { version: 9, order: Order::Unknown, expires_at_ms: None })
        );
        let order = br#"{"version": 9, "order": {"order": "cancel", "operation_id": "00000000-0000-0000-0000-000000000001"}}"#;
        assert!(matches!(read_delivery(order), Ok(Delivery { version: 9, order: Order::Cancel { .. }, .. })));
        let report =
            br#"{"version": 9, "worker_id": "00000000-0000-0000-0000-000000000001", "mark": 3, "news": 4}"#;
        let report = read_report(report).unwrap();
        assert_eq!((report.version, report.mark, report.news), (9, 3, News::Unknown));
        for nonsense in [&b""[..], b"{", b"null", b"[]", b"\xff\xfe", br#"{"version": 2, "order": 7}"#] {
            assert!(read_delivery(nonsense).is_err());
            assert!(read_report(nonsense).is_err());
        }
    }

    #[test]
    fn what_is_too_large_is_not_read() {
        let mut body = br#"{"version":2,"order":{"order":"introduce"}}"#.to_vec();
        assert!(read_delivery(&body).is_ok());
        body.resize(LARGEST + 1, b' ');
        assert!(read_delivery(&body).unwrap_err().contains("1048577"));
        assert!(read_report(&body).unwrap_err().contains("1048577"));
    }

    #[test]
    fn an_excerpt_is_short_and_has_no_line_breaks() {
        assert_eq!(excerpt(b"a\n\x1b[2Jb\xff"), "a\\n\\x1b[2Jb\\xff");
        let long = excerpt(&[b'x'; 5000]);
        assert!(long.ends_with("...") && long.len() < 300, "{long}");
    }
}
