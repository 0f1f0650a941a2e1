//! How an attempt ended.

use std::error::Error;
use std::time::Duration;

use crate::text;

/// Most characters that are kept of what the other side said.
pub const LONGEST_ANSWER: usize = 500;
/// Longest wait that the other side may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// The other side has taken the notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What it said, at most [`LONGEST_ANSWER`] characters.
    pub answer: String,
}

impl Accepted {
    pub(crate) fn new(answer: &str) -> Self {
        Self { answer: text::clip(&text::clean(answer), LONGEST_ANSWER) }
    }
}

/// The notice was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// Whether it is worth trying again.
    pub kind: FailureKind,
    /// What happened, at most [`LONGEST_ANSWER`] characters, without any secret.
    pub text: String,
}

/// Whether a failed attempt is worth another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Time may mend it.
    Later {
        /// How long the other side asks to be left alone.
        after: Option<Duration>,
    },
    /// Only somebody who changes something can mend it.
    Never,
}

impl Failure {
    pub(crate) fn later(text: impl AsRef<str>) -> Self {
        Self::of(FailureKind::Later { after: None }, text.as_ref())
    }

    pub(crate) fn later_after(after: Option<Duration>, text: impl AsRef<str>) -> Self {
        Self::of(FailureKind::Later { after: after.map(|after| after.min(LONGEST_WAIT)) }, text.as_ref())
    }

    pub(crate) fn never(text: impl AsRef<str>) -> Self {
        Self::of(FailureKind::Never, text.as_ref())
    }

    fn of(kind: FailureKind, text: &str) -> Self {
        Self { kind, text: text::clip(&text::clean(text), LONGEST_ANSWER) }
    }
}

/// An error with what lies behind it, since the first line of a client's errors says little.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
