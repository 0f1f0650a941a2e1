//! When a source is asked again.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::state::State;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// The shortest and the longest interval, in seconds.
const RANGE: std::ops::RangeInclusive<u64> = HOUR..=365 * DAY;
/// How long after a first failure it is tried again; each further one doubles it.
const AGAIN: u64 = HOUR;
/// An update that was never made is not made in the first seconds of a server, when it has other things to do.
const FIRST: u64 = 30;

/// How often a source is asked. An interval rather than a time of the day, so that the servers of this world do not
/// all ask at midnight, and one that was off at the time asks when it is back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// Never by itself.
    #[default]
    Off,
    /// This long after the last time, from an hour to a year.
    Every(Duration),
}

impl Schedule {
    /// When the source is to be asked, by what is known of it. `spread` keeps apart the many who have the same
    /// interval: any number that stays the same.
    pub fn next(self, state: &State, started: Timestamp, spread: u64) -> Option<Timestamp> {
        let Self::Every(every) = self else { return None };
        let every = every.as_secs();
        let later = |at: Timestamp, seconds: u64| {
            let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
            at.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
        };
        if let Some(failure) = &state.failure {
            let doubled = AGAIN << failure.attempts.saturating_sub(1).min(16);
            return Some(later(failure.at, doubled.min(every) + spread % (AGAIN / 4)));
        }
        match state.checked_at {
            Some(at) => Some(later(at, every + spread % (every / 10).max(1))),
            None => Some(later(started, FIRST + spread % FIRST)),
        }
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let seconds = match text {
            "off" | "none" | "" => return Ok(Self::Off),
            "daily" => DAY,
            "weekly" => 7 * DAY,
            "monthly" => 30 * DAY,
            other => interval(other).ok_or_else(|| format!("'{other}' is no schedule"))?,
        };
        if !RANGE.contains(&seconds) {
            return Err(format!("'{text}' is not between 1h and 365d"));
        }
        Ok(Self::Every(Duration::from_secs(seconds)))
    }
}

/// `12h` or `7d`, in seconds.
fn interval(text: &str) -> Option<u64> {
    let unit = match text.chars().last()? {
        'h' => HOUR,
        'd' => DAY,
        _ => return None,
    };
    let digits = text.get(..text.len() - 1)?;
    let number: u32 = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    Some(u64::from(number) * unit)
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Every(every) = self else { return f.write_str("off") };
        match every.as_secs() {
            seconds if seconds == DAY => f.write_str("daily"),
            seconds if seconds == 7 * DAY => f.write_str("weekly"),
            seconds if seconds == 30 * DAY => f.write_str("monthly"),
            seconds if seconds.is_multiple_of(DAY) => write!(f, "{}d", seconds / DAY),
            seconds => write!(f, "{}h", seconds / HOUR),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::Failure;
    use super::*;

    #[test]
    fn intervals_are_words_or_numbers() {
        for (text, shown) in [
            ("off", "off"),
            ("daily", "daily"),
            ("24h", "daily"),
            ("weekly", "weekly"),
            ("7d", "weekly"),
            ("30d", "monthly"),
            ("10d", "10d"),
            ("36h", "36h"),
        ] {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), shown);
        }
        for wrong in
            ["0h", "0d", "366d", "5", "h", "d", "-1d", "+1d", "1.5d", "1w", "hourly", "99999999999d", "1é"]
        {
            assert!(wrong.parse::<Schedule>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn it_is_asked_again_sooner_after_a_failure() {
        let weekly: Schedule = "weekly".parse().unwrap();
        let at: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let next = |state: &State| weekly.next(state, at, 0).unwrap().as_second() - at.as_second();
        let mut state = State::default();
        assert_eq!(Schedule::Off.next(&state, at, 0), None);
        assert_eq!(next(&state), 30);
        state.checked_at = Some(at);
        assert_eq!(next(&state), 7 * 86_400);
        for (attempts, hours) in [(1, 1), (2, 2), (5, 16), (9, 168), (u32::MAX, 168)] {
            state.failure = Some(Failure { at, why: "no".into(), attempts });
            assert_eq!(next(&state), hours * 3600, "{attempts}");
        }
    }
}
