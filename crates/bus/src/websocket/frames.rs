//! What the two ends of a link say to each other.

use netwark_model::messages::{Delivery, LARGEST, Report, Unwelcome};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::BusError;

/// Bytes a frame may be larger than the message in it.
const ENVELOPE: usize = 4 * 1024;
/// Most bytes of a frame.
pub const LARGEST_FRAME: usize = LARGEST + ENVELOPE;

/// What a worker says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromWorker {
    /// A report; the answer is [`FromServer::Settled`] with the same id.
    Report {
        /// Chosen by the worker, unique on this connection.
        id: u64,
        /// What is said.
        report: Box<Report>,
    },
    /// Messages from these addresses are wanted.
    Listen {
        /// Chosen by the worker, unique on this connection.
        id: u64,
        /// Queues, the worker's own inbox and control address.
        addresses: Vec<String>,
        /// Most that are held without being acknowledged; at least 1.
        most: usize,
    },
    /// No more messages are wanted for this [`FromWorker::Listen`].
    Unlisten {
        /// Its id.
        id: u64,
    },
    /// A message has been taken care of.
    Ack {
        /// The tag of the message.
        tag: u64,
    },
    /// A message goes back to its address.
    Back {
        /// The tag of the message.
        tag: u64,
    },
}

/// What a server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromServer {
    /// What became of a report.
    Settled {
        /// The id of the report.
        id: u64,
        /// Why it is not stored; none when it is.
        error: Option<NotSettled>,
    },
    /// A message.
    Delivery {
        /// The id of the [`FromWorker::Listen`] that wanted it.
        listen: u64,
        /// To acknowledge it by, or to give it back; unique on this connection.
        tag: u64,
        /// True when it may have been taken before by somebody who went away.
        redelivered: bool,
        /// What is said.
        delivery: Box<Delivery>,
    },
    /// The link ends, and the worker must not come back.
    End(Unwelcome),
}

/// Why a report is not stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotSettled {
    /// It never will be.
    Refused(String),
    /// It can be sent again.
    NotStored(String),
}

impl From<BusError> for NotSettled {
    fn from(error: BusError) -> Self {
        match error {
            BusError::Refused(reason) => Self::Refused(reason),
            BusError::NotStored(reason) => Self::NotStored(reason),
            other => Self::NotStored(other.to_string()),
        }
    }
}

impl From<NotSettled> for BusError {
    fn from(error: NotSettled) -> Self {
        match error {
            NotSettled::Refused(reason) => Self::Refused(reason),
            NotSettled::NotStored(reason) => Self::NotStored(reason),
        }
    }
}

/// Writes a message as the text of a frame.
///
/// # Errors
/// [`BusError::Refused`] for a message that is too large for the link.
pub fn write<T: Serialize>(message: &T) -> Result<String, BusError> {
    let text = serde_json::to_string(message).map_err(|error| BusError::Refused(error.to_string()))?;
    if text.len() > LARGEST_FRAME {
        return Err(BusError::Refused(format!(
            "the message has {} bytes, more than the {LARGEST} that are allowed",
            text.len()
        )));
    }
    Ok(text)
}

/// Reads the text of a frame.
///
/// # Errors
/// Says what cannot be understood.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use netwark_model::messages::{News, Order};
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn frames_look_as_documented() {
        let report = Box::new(Report::new(Uuid::nil(), 7, News::Goodbye));
        let shapes = [
            (
                FromWorker::Report { id: 1, report: report.clone() },
                json!({"report": {"id": 1, "report": report}}),
            ),
            (
                FromWorker::Listen { id: 2, addresses: vec!["netwark".into()], most: 3 },
                json!({"listen": {"id": 2, "addresses": ["netwark"], "most": 3}}),
            ),
            (FromWorker::Unlisten { id: 2 }, json!({"unlisten": {"id": 2}})),
            (FromWorker::Ack { tag: 4 }, json!({"ack": {"tag": 4}})),
            (FromWorker::Back { tag: 5 }, json!({"back": {"tag": 5}})),
        ];
        for (frame, expected) in shapes {
            assert_eq!(serde_json::to_value(&frame).unwrap(), expected);
            assert_eq!(read::<FromWorker>(&expected.to_string()).unwrap(), frame);
        }
        let delivery = Box::new(Delivery::new(Order::Introduce));
        let shapes = [
            (FromServer::Settled { id: 1, error: None }, json!({"settled": {"id": 1, "error": null}})),
            (
                FromServer::Settled { id: 1, error: Some(NotSettled::Refused("no".into())) },
                json!({"settled": {"id": 1, "error": {"refused": "no"}}}),
            ),
            (
                FromServer::Delivery { listen: 2, tag: 3, redelivered: true, delivery: delivery.clone() },
                json!({"delivery": {"listen": 2, "tag": 3, "redelivered": true, "delivery": delivery}}),
            ),
            (
                FromServer::End(Unwelcome { revoked: true, reason: "why".into() }),
                json!({"end": {"revoked": true, "reason": "why"}}),
            ),
        ];
        for (frame, expected) in shapes {
            assert_eq!(serde_json::to_value(&frame).unwrap(), expected);
            assert_eq!(read::<FromServer>(&expected.to_string()).unwrap(), frame);
        }
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let news = News::Progress {
            operation_id: Uuid::nil(),
            result_id: Uuid::nil(),
            payload: json!("x".repeat(LARGEST_FRAME)),
        };
        let frame = FromWorker::Report { id: 1, report: Box::new(Report::new(Uuid::nil(), 1, news)) };
        assert!(matches!(write(&frame), Err(BusError::Refused(_))));
    }

    #[test]
    fn nonsense_is_said_to_be_nonsense() {
        for text in ["", "null", "[]", "{\"report\":{}}", "{\"ack\":{\"tag\":-1}}", "{\"dance\":{}}"] {
            assert!(read::<FromWorker>(text).is_err(), "{text}");
        }
    }
}
