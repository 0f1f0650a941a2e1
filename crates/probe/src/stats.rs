//! Running numbers over round trips.

use std::time::Duration;

/// A duration in milliseconds, to the nanosecond.
pub(crate) fn ms(duration: Duration) -> f64 {
    round(duration.as_secs_f64() * 1000.0)
}

/// Rounds milliseconds to whole nanoseconds, so that derived numbers are no longer than measured ones.
pub(crate) fn round(ms: f64) -> f64 {
    (ms * 1e6).round() / 1e6
}

/// Share of `part` in `whole`, in percent; 0 when there is no whole.
pub(crate) fn percentage(part: u32, whole: u32) -> f64 {
    if whole == 0 { 0.0 } else { (f64::from(part) / f64::from(whole) * 1e8).round() / 1e6 }
}

/// The value at or below which `percent` of the sorted values lie: the nearest-rank percentile.
pub(crate) fn nearest_rank<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// Mean, spread and jitter in one pass (Welford's method), in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread {
    count: u32,
    last: f64,
    best: f64,
    worst: f64,
    mean: f64,
    /// Sum of squared distances from the mean.
    squares: f64,
    /// Sum of the differences of successive values.
    steps: f64,
    /// How many differences.
    step_count: u32,
}

impl Spread {
    /// Takes one more value.
    pub(crate) fn add(&mut self, value: f64) {
        if self.count == 0 {
            (self.best, self.worst) = (value, value);
        } else {
            self.steps += (value - self.last).abs();
            self.step_count += 1;
            self.best = self.best.min(value);
            self.worst = self.worst.max(value);
        }
        self.count += 1;
        self.last = value;
        let distance = value - self.mean;
        self.mean += distance / f64::from(self.count);
        self.squares += distance * (value - self.mean);
    }

    /// Adds the values of another run; its last value counts as the latest if it is `newer`. No difference is
    /// taken between values of different runs.
    pub(crate) fn merge(&mut self, other: &Self, newer: bool) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (mine, theirs) = (f64::from(self.count), f64::from(other.count));
        let distance = other.mean - self.mean;
        self.squares += other.squares + distance * distance * mine * theirs / (mine + theirs);
        self.mean += distance * theirs / (mine + theirs);
        self.count += other.count;
        self.steps += other.steps;
        self.step_count += other.step_count;
        self.best = self.best.min(other.best);
        self.worst = self.worst.max(other.worst);
        if newer {
            self.last = other.last;
        }
    }

    /// How many values.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// The latest value.
    pub(crate) fn last(&self) -> f64 {
        self.last
    }

    /// The smallest value; 0 without values, as all below.
    pub(crate) fn best(&self) -> f64 {
        self.best
    }

    /// The largest value.
    pub(crate) fn worst(&self) -> f64 {
        self.worst
    }

    /// The mean.
    pub(crate) fn average(&self) -> f64 {
        round(self.mean)
    }

    /// Standard deviation over all values (not an estimate for a larger population).
    pub(crate) fn stddev(&self) -> f64 {
        if self.count == 0 { 0.0 } else { round((self.squares / f64::from(self.count)).max(0.0).sqrt()) }
    }

    /// Mean difference of successive values.
    pub(crate) fn jitter(&self) -> f64 {
        if self.step_count == 0 { 0.0 } else { round(self.steps / f64::from(self.step_count)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_that_of_the_textbook() {
        let mut spread = Spread::default();
        for value in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            spread.add(value);
        }
        assert_eq!(spread.count(), 8);
        assert_eq!((spread.best(), spread.worst(), spread.last()), (2.0, 9.0, 9.0));
        assert_eq!((spread.average(), spread.stddev(), spread.jitter()), (5.0, 2.0, 1.0));
    }

    #[test]
    fn runs_that_are_merged_are_one_run() {
        let (mut first, mut second) = (Spread::default(), Spread::default());
        [2.0, 4.0, 4.0, 4.0].into_iter().for_each(|value| first.add(value));
        [5.0, 5.0, 7.0, 9.0].into_iter().for_each(|value| second.add(value));
        first.merge(&second, true);
        first.merge(&Spread::default(), true);
        assert_eq!((first.count(), first.last()), (8, 9.0));
        assert_eq!((first.average(), first.stddev(), first.jitter()), (5.0, 2.0, 1.0));
    }

    #[test]
    fn nothing_and_one_value_are_no_division_by_zero() {
        let mut spread = Spread::default();
        assert_eq!((spread.average(), spread.stddev(), spread.jitter()), (0.0, 0.0, 0.0));
        spread.add(3.5);
        assert_eq!((spread.average(), spread.stddev(), spread.jitter()), (3.5, 0.0, 0.0));
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let hundred: Vec<u32> = (1..=100).collect();
        assert_eq!(nearest_rank(&hundred, 50), Some(50));
        assert_eq!(nearest_rank(&hundred, 95), Some(95));
        assert_eq!(nearest_rank(&[7, 8, 9], 99), Some(9));
        assert_eq!(nearest_rank(&[7, 8], 50), Some(7));
        assert_eq!(nearest_rank::<u32>(&[], 50), None);
    }

    #[test]
    fn durations_keep_their_nanoseconds() {
        assert_eq!(ms(Duration::from_nanos(15_234)), 0.015_234);
        assert_eq!(percentage(1, 3), 33.333_333);
        assert_eq!(percentage(0, 0), 0.0);
    }
}
