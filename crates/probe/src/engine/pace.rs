//! How fast packets may leave: the global rate cap, and the rate up to which send stamps are taken.

/// What may leave at once after a pause, in nanoseconds of the rate.
const BURST: u64 = 5_000_000;
/// Width of the windows in which the rate of sending is measured, in nanoseconds.
const WINDOW: u64 = 10_000_000;

/// A token bucket, kept as the time at which it would be empty.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Nanoseconds a packet.
    cost: u64,
    /// When the packets that have left would have left at an even pace.
    due: u64,
}

impl Pace {
    /// `rate` is packets a second, at least 1.
    pub(crate) fn new(rate: u32) -> Self {
        Self { cost: 1_000_000_000 / u64::from(rate.max(1)), due: 0 }
    }

    /// How many packets may leave now.
    pub(crate) fn allowance(&self, now: u64) -> u64 {
        // Even the slowest pace lets one packet go when it is due.
        let room = (now + BURST.max(self.cost)).saturating_sub(self.due.max(now));
        room.checked_div(self.cost).unwrap_or(u64::MAX)
    }

    /// Takes note of packets that leave now.
    pub(crate) fn spend(&mut self, now: u64, packets: u64) {
        self.due = self.due.max(now) + packets * self.cost;
    }

    /// When the next packet may leave.
    pub(crate) fn next(&self) -> u64 {
        (self.due + self.cost).saturating_sub(BURST.max(self.cost))
    }
}

/// Decides whether a packet is worth a send stamp: it costs about a quarter of what sending and receiving cost.
#[derive(Debug)]
pub(super) struct StampBudget {
    /// Packets in a window up to which stamps are on.
    most: u64,
    window: u64,
    in_window: u64,
    in_last: u64,
}

impl StampBudget {
    /// `rate` is packets a second.
    pub(super) fn new(rate: u32) -> Self {
        Self { most: u64::from(rate) * WINDOW / 1_000_000_000, window: 0, in_window: 0, in_last: 0 }
    }

    /// Counts a packet that leaves now, and says whether it is to be stamped.
    pub(super) fn stamp(&mut self, now: u64) -> bool {
        let window = now / WINDOW;
        if window != self.window {
            self.in_last = if window == self.window + 1 { self.in_window } else { 0 };
            self.in_window = 0;
            self.window = window;
        }
        self.in_window += 1;
        self.in_window <= self.most && self.in_last <= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn no_second_sees_more_than_rate_and_burst() {
        for rate in [1, 10, 1_000, 100_000] {
            let mut pace = Pace::new(rate);
            let (mut now, mut left) = (5 * SECOND, 0);
            while now < 7 * SECOND {
                let allowed = pace.allowance(now);
                pace.spend(now, allowed);
                left += allowed;
                now = pace.next().max(now + 1);
            }
            let rate = u64::from(rate);
            let burst = 1 + rate * BURST / SECOND;
            assert!((2 * rate..=2 * rate + burst).contains(&left), "{left} packets in 2 s at {rate}/s");
        }
    }

    #[test]
    fn what_was_spent_is_not_allowed_again() {
        let mut pace = Pace::new(1_000);
        let all = pace.allowance(SECOND);
        assert_eq!(all, 5);
        pace.spend(SECOND, all);
        assert_eq!(pace.allowance(SECOND), 0);
        assert_eq!(pace.next(), SECOND + 1_000_000);
        assert_eq!(pace.allowance(pace.next()), 1);
    }

    #[test]
    fn stamps_stop_above_their_rate_and_come_back() {
        let mut budget = StampBudget::new(1_000);
        let on = |budget: &mut StampBudget, now: u64, packets: u64| {
            (0..packets).filter(|_| budget.stamp(now)).count()
        };
        assert_eq!(on(&mut budget, SECOND, 10), 10);
        assert_eq!(on(&mut budget, SECOND, 5), 0);
        assert_eq!(on(&mut budget, SECOND + WINDOW, 3), 0, "the window after a burst");
        assert_eq!(on(&mut budget, SECOND + 2 * WINDOW, 3), 3);
    }
}
