//! How far the worker's clock is from the server's, asked as NTP does (RFC 5905, section 8).

use tokio::time::{Duration, Instant};

/// The largest error of an offset that is told, in milliseconds.
const GOOD: i64 = 100;
/// An offset that is so many times its error is told all the same: the clock is wrong by far.
const BY_FAR: i64 = 10;
/// An offset that is older gives way to any good one: clocks drift and are set.
const STALE: Duration = Duration::from_secs(60 * 60);

/// What is known of the server's clock.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// The report that asked last, and when.
    asked: Option<(u64, Instant)>,
    best: Option<Sample>,
}

#[derive(Debug)]
struct Sample {
    /// The worker's clock minus the server's, in milliseconds.
    offset: i64,
    /// The offset is right within so many milliseconds.
    error: i64,
    at: Instant,
}

/// The server's clock as it read it, in milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    /// Mark of the report that asked.
    pub(crate) to: u64,
    /// When it heard the question.
    pub(crate) heard_at_ms: i64,
    /// When it sent the answer.
    pub(crate) sent_at_ms: i64,
}

impl Clock {
    /// True when the server is to be asked.
    pub(crate) fn is_wanted(&self, now: Instant) -> bool {
        self.best.as_ref().is_none_or(|best| now.duration_since(best.at) > STALE)
    }

    /// The report with this mark asks now.
    pub(crate) fn ask(&mut self, mark: u64, now: Instant) {
        self.asked = Some((mark, now));
    }

    /// Takes in an answer; `wall_ms` is this machine's clock at the moment `now`.
    pub(crate) fn answered(&mut self, answer: Answer, wall_ms: i64, now: Instant) {
        let Some((_, asked_at)) = self.asked.take_if(|(mark, _)| *mark == answer.to) else { return };
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        let round_trip = millis(now.duration_since(asked_at));
        let within_server = answer.sent_at_ms.saturating_sub(answer.heard_at_ms).clamp(0, round_trip);
        // All of the rest may have been spent on one of the two ways. A clock in milliseconds is off by one more.
        let error = (round_trip - within_server) / 2 + 1;
        let middle = answer.sent_at_ms.saturating_sub(within_server / 2);
        let offset = wall_ms.saturating_sub(round_trip / 2).saturating_sub(middle);
        let is_good = error <= GOOD || offset.saturating_abs() / BY_FAR >= error;
        let is_better = self.is_wanted(now) || self.best.as_ref().is_none_or(|best| error <= best.error);
        if is_good && is_better {
            self.best = Some(Sample { offset, error, at: now });
        }
    }

    /// The worker's clock minus the server's, in milliseconds; none while it is not known well enough.
    pub(crate) fn offset_ms(&self) -> Option<i64> {
        self.best.as_ref().map(|best| best.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worker's clock when it asks.
    const ASKED: i64 = 1_000_000;

    /// Asks at `asked`; the way there, the time within the server and the way back take so many milliseconds,
    /// and the worker's clock is `ahead` of the server's.
    fn exchange(clock: &mut Clock, asked: Instant, took: [i64; 3], ahead: i64) {
        let [there, within, back] = took;
        clock.ask(7, asked);
        let heard_at_ms = ASKED - ahead + there;
        let answer = Answer { to: 7, heard_at_ms, sent_at_ms: heard_at_ms + within };
        let total = there + within + back;
        clock.answered(answer, ASKED + total, asked + Duration::from_millis(total.unsigned_abs()));
    }

    #[test]
    fn what_the_server_takes_is_no_part_of_the_way() {
        let mut clock = Clock::default();
        exchange(&mut clock, Instant::now(), [4, 900, 4], 25);
        assert_eq!(clock.offset_ms(), Some(25));
    }

    #[test]
    fn an_answer_that_lay_about_says_nothing_until_a_better_one_comes() {
        let (mut clock, now) = (Clock::default(), Instant::now());
        exchange(&mut clock, now, [2, 3, 490], 0);
        assert_eq!(clock.offset_ms(), None, "half of what is not known would be taken for an offset");
        assert!(clock.is_wanted(now));
        exchange(&mut clock, now, [2, 3, 60], 0);
        assert_eq!(clock.offset_ms(), Some(29));
        exchange(&mut clock, now, [2, 3, 2], 0);
        assert_eq!(clock.offset_ms(), Some(0));
        exchange(&mut clock, now, [2, 3, 60], 0);
        assert_eq!(clock.offset_ms(), Some(0), "the shortest way tells most");
    }

    #[test]
    fn a_clock_that_is_wrong_by_far_is_told_over_any_way() {
        let mut clock = Clock::default();
        exchange(&mut clock, Instant::now(), [300, 0, 300], -3_600_000);
        assert_eq!(clock.offset_ms(), Some(-3_600_000));
    }

    #[test]
    fn an_old_offset_gives_way() {
        let (mut clock, now) = (Clock::default(), Instant::now());
        exchange(&mut clock, now, [1, 0, 1], 0);
        let later = now + STALE + Duration::from_secs(1);
        assert!(!clock.is_wanted(now) && clock.is_wanted(later));
        exchange(&mut clock, later, [20, 0, 20], 500);
        assert_eq!(clock.offset_ms(), Some(500));
    }

    #[test]
    fn only_the_answer_to_the_last_question_counts() {
        let (mut clock, now) = (Clock::default(), Instant::now());
        clock.ask(7, now);
        clock.ask(8, now);
        clock.answered(Answer { to: 7, heard_at_ms: 0, sent_at_ms: 0 }, 5, now);
        assert_eq!(clock.offset_ms(), None);
        clock.answered(Answer { to: 8, heard_at_ms: 0, sent_at_ms: 0 }, 5, now);
        clock.answered(Answer { to: 8, heard_at_ms: 0, sent_at_ms: 0 }, 9, now);
        assert_eq!(clock.offset_ms(), Some(5));
    }
}
