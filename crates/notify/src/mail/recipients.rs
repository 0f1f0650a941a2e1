//! What a mail server says of each recipient, and what that means for the mail.
//!
//! A mail goes to all of its recipients at once or not at all, since nobody shall get it twice because of another. A
//! recipient who is refused for good does not hold up the others; one who is deferred does, but not for ever.

use jiff::{SignedDuration, Timestamp};

use crate::outcome::Failure;

/// How long the others wait for a recipient who is deferred, from when the notice was opened.
const PATIENCE: SignedDuration = SignedDuration::from_hours(1);

/// What a server said of a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// It takes mail for them.
    Taken,
    /// Not now (4xx).
    Deferred(String),
    /// Never (5xx).
    Refused(String),
}

/// Whether the mail is sent.
///
/// # Errors
/// When nobody is left to send it to, or it is better to wait.
pub(super) fn judge(words: &[(String, Word)], opened: Timestamp, now: Timestamp) -> Result<(), Failure> {
    let taken = words.iter().any(|(_, word)| *word == Word::Taken);
    let deferred = words.iter().any(|(_, word)| matches!(word, Word::Deferred(_)));
    match (taken, deferred) {
        (true, false) => Ok(()),
        (true, true) if now.duration_since(opened) >= PATIENCE => Ok(()),
        (_, true) => Err(Failure::later(format!("the mail server defers {}", missing(words)))),
        (false, false) => Err(Failure::never(format!("the mail server refuses {}", missing(words)))),
    }
}

/// Who does not get the mail, and why; empty when everybody does.
pub(super) fn missing(words: &[(String, Word)]) -> String {
    let told = |(to, word): &(String, Word)| match word {
        Word::Taken => None,
        Word::Deferred(why) | Word::Refused(why) => Some(format!("{to} ({why})")),
    };
    words.iter().filter_map(told).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureKind;

    fn words(words: &[Word]) -> Vec<(String, Word)> {
        words.iter().enumerate().map(|(at, word)| (format!("r{at}@example.org"), word.clone())).collect()
    }

    #[test]
    fn who_holds_up_whom() {
        let deferred = || Word::Deferred("450 greylisted".into());
        let refused = || Word::Refused("550 unknown".into());
        let (opened, hour) = (Timestamp::UNIX_EPOCH, SignedDuration::from_hours(1));
        let at = |list: &[Word], now| judge(&words(list), opened, now).map_err(|failure| failure.kind);
        let later = Err(FailureKind::Later { after: None });
        assert_eq!(at(&[Word::Taken, refused()], opened), Ok(()));
        assert_eq!(at(&[refused(), refused()], opened), Err(FailureKind::Never));
        assert_eq!(at(&[refused(), deferred()], opened + hour), later);
        assert_eq!(at(&[Word::Taken, deferred()], opened), later);
        assert_eq!(at(&[Word::Taken, deferred()], opened + hour), Ok(()));
        let told = missing(&words(&[Word::Taken, refused(), deferred()]));
        assert_eq!(told, "r1@example.org (550 unknown), r2@example.org (450 greylisted)");
    }
}
