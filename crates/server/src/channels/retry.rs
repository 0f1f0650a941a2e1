//! When a notice that was not taken is tried again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Pause before the second try.
const FIRST: Duration = Duration::from_secs(30);
/// Longest pause, unless the other side asks for a longer one.
const LONGEST: Duration = Duration::from_secs(3600);
/// Shortest pause, when the other side asks for one.
const SHORTEST: Duration = Duration::from_secs(1);
/// Tries after which a shorter pause is granted no more when it is asked for: it did not help.
const GRANTED: u32 = 5;
/// How long it is tried before it is given up: a week.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(7 * 24);

/// When to try again after `attempts` tries that failed, the first of them at `began`; none to give it up. Pauses
/// double, and `share`, from 0 to 1, keeps apart those that failed together. `asked` is how long the other side asks to
/// be left alone; at first that counts also where it is shorter.
pub(super) fn next(
    attempts: u32,
    began: Timestamp,
    asked: Option<Duration>,
    share: f64,
    now: Timestamp,
) -> Option<Timestamp> {
    // What was granted is not held against it.
    let counted = if asked.is_some() { attempts.saturating_sub(GRANTED) } else { attempts };
    let doubled = FIRST.saturating_mul(1 << counted.saturating_sub(1).min(16)).min(LONGEST);
    let pause = doubled.mul_f64(1.0 + share.clamp(0.0, 1.0) / 4.0);
    let pause = match asked {
        None => pause,
        Some(asked) if attempts <= GRANTED => asked.max(SHORTEST),
        Some(asked) => asked.max(pause),
    };
    let pause = SignedDuration::try_from(pause).ok()?;
    let last = began.checked_add(GIVEN_UP).ok()?;
    now.checked_add(pause).ok().filter(|next| *next <= last)
}

/// Until when a channel rests after so many tries in a row that have failed, the last of which gave a notice up.
pub(super) fn rest(failures: u32, share: f64, now: Timestamp) -> Timestamp {
    next(failures, now, None, share, now).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let pause = |attempts, asked, share| {
            let next = next(attempts, now, asked, share, now).unwrap();
            next.duration_since(now).as_secs()
        };
        let pauses: Vec<i64> = (1..10).map(|attempts| pause(attempts, None, 0.0)).collect();
        assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!(pause(1, None, 1.0), 37);
        assert_eq!(pause(1, Some(Duration::from_secs(5)), 0.0), 5);
        assert_eq!(pause(1, Some(Duration::ZERO), 0.0), 1);
        assert_eq!(pause(6, Some(Duration::from_secs(5)), 0.0), 30);
        assert_eq!(pause(8, Some(Duration::from_secs(5)), 0.0), 120);
        assert_eq!(pause(1, Some(Duration::from_secs(7200)), 0.0), 7200);
        assert_eq!(pause(u32::MAX, None, 0.0), 3600);
    }

    #[test]
    fn after_a_week_it_is_given_up() {
        let began = Timestamp::from_second(1_800_000_000).unwrap();
        let week = SignedDuration::from_hours(7 * 24);
        let before = began + week - SignedDuration::from_secs(3600);
        assert!(next(200, began, None, 0.0, before).is_some());
        assert_eq!(next(200, began, None, 0.0, before + SignedDuration::from_secs(1)), None);
    }
}
