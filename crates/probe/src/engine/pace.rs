//! How fast packets may leave: the global rate cap, and the rate up to which send stamps are taken.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::net::clock;

/// What may leave at once after a pause, in nanoseconds of the rate.
const BURST: u64 = 5_000_000;
/// Width of the windows in which the rate of sending is measured, in nanoseconds.
const WINDOW: u64 = 10_000_000;

/// A token bucket, kept as the time at which it would be empty. All clones are one bucket.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    /// Nanoseconds a packet.
    cost: u64,
    /// When the packets that have left would have left at an even pace.
    due: Arc<AtomicU64>,
}

impl Pace {
    /// `rate` is packets a second, at least 1.
    pub(crate) fn new(rate: u32) -> Self {
        Self { cost: 1_000_000_000 / u64::from(rate.max(1)), due: Arc::default() }
    }

    fn due(&self) -> u64 {
        self.due.load(Ordering::Relaxed)
    }

    /// From when the next packets are reckoned, given how far those before them go. Who is late by less than a packet
    /// makes up for it: at a slow pace every timer that fires late would lower the rate else. Who is later has paused.
    fn base(&self, due: u64, now: u64) -> u64 {
        if now.saturating_sub(due) < self.cost { due } else { now }
    }

    /// How many packets may leave now.
    pub(crate) fn allowance(&self, now: u64) -> u64 {
        // Even the slowest pace lets one packet go when it is due.
        let room = (now + BURST.max(self.cost)).saturating_sub(self.base(self.due(), now));
        room.checked_div(self.cost).unwrap_or(u64::MAX)
    }

    /// Takes note of packets that leave now, and says when the first of them was due.
    pub(crate) fn spend(&self, now: u64, packets: u64) -> u64 {
        let spent = packets.saturating_mul(self.cost);
        let later = |due: u64| Some(self.base(due, now).saturating_add(spent));
        // It is never refused.
        let before = self.due.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later).unwrap_or_default();
        self.first_after(self.base(before, now))
    }

    /// When the next packet may leave.
    pub(crate) fn next(&self) -> u64 {
        self.first_after(self.due())
    }

    fn first_after(&self, due: u64) -> u64 {
        due.saturating_add(self.cost).saturating_sub(BURST.max(self.cost))
    }
}

/// The rate cap is for packets that leave the machine.
pub(super) fn is_capped(to: IpAddr) -> bool {
    !to.is_loopback()
}

/// A pace, most often the engine's, for packets that the system sends for us: those of connections. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pacer {
    pace: Pace,
    /// Whoever waits stands here, so that who gives up has spent no more than one place.
    line: Arc<Mutex<()>>,
}

impl Pacer {
    /// `pace` is that of the engine.
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, line: Arc::default() }
    }

    /// A pace besides the engine's, for one piece of work; `rate` is packets a second, at least 1.
    pub(crate) fn at_rate(rate: u32) -> Self {
        Self::new(Pace::new(rate))
    }

    /// Waits until packets to an address may leave, and takes note of this many; returns how long that took.
    pub(crate) async fn turn(&self, to: IpAddr, packets: u64) -> Duration {
        if !is_capped(to) {
            return Duration::ZERO;
        }
        let begin = clock::monotonic();
        let _first = self.line.lock().await;
        let now = clock::monotonic();
        let at = self.pace.spend(now, packets);
        tokio::time::sleep(Duration::from_nanos(at.saturating_sub(now))).await;
        Duration::from_nanos(clock::monotonic().saturating_sub(begin))
    }

    /// Takes note of packets that have left already, for which all that come later wait.
    pub(crate) fn note(&self, to: IpAddr, packets: u64) {
        if is_capped(to) {
            self.pace.spend(clock::monotonic(), packets);
        }
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
            let pace = Pace::new(rate);
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

    /// When packets leave in some seconds if whoever sends them wakes up late by what `late` says.
    fn departures(rate: u32, seconds: u64, mut late: impl FnMut() -> u64) -> Vec<u64> {
        let pace = Pace::new(rate);
        let (mut now, mut left) = (5 * SECOND, Vec::new());
        while now < (5 + seconds) * SECOND {
            let allowed = pace.allowance(now);
            pace.spend(now, allowed);
            left.extend((0..allowed).map(|_| now));
            now = pace.next().max(now) + late();
        }
        left
    }

    #[test]
    fn timers_that_fire_late_do_not_lower_the_rate() {
        for rate in [1, 7, 50, 150, 199, 200, 333] {
            let cost = SECOND / u64::from(rate);
            // Never on time, by up to almost a packet.
            let mut step = 0;
            let left = departures(rate, 60, || {
                step += 1;
                cost * (1 + step % 9) / 10
            });
            let wanted = 60 * u64::from(rate);
            assert!((wanted - 1..=wanted + 2).contains(&(left.len() as u64)), "{} at {rate}/s", left.len());
            let burst = u64::from(rate) * BURST / SECOND;
            let in_a_second =
                |from: usize| left[from..].partition_point(|at| *at < left[from] + SECOND) as u64;
            let most = (0..left.len()).map(in_a_second).max();
            assert!(most <= Some(u64::from(rate) + burst + 2), "{most:?} in a second at {rate}/s");
        }
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        let pace = Pace::new(50);
        pace.spend(SECOND, 1);
        let now = 60 * SECOND;
        assert_eq!(pace.allowance(now), 1);
        pace.spend(now, 1);
        assert_eq!(pace.allowance(now), 0);
        assert_eq!(pace.next(), now + 20_000_000);
    }

    #[test]
    fn what_was_spent_is_not_allowed_again() {
        let pace = Pace::new(1_000);
        let all = pace.allowance(SECOND);
        assert_eq!(all, 5);
        pace.spend(SECOND, all);
        assert_eq!(pace.allowance(SECOND), 0);
        assert_eq!(pace.next(), SECOND + 1_000_000);
        assert_eq!(pace.allowance(pace.next()), 1);
    }

    #[test]
    fn who_takes_more_than_there_is_holds_up_the_next() {
        let pace = Pace::new(100);
        let other = pace.clone();
        let now = 7 * SECOND;
        assert_eq!(pace.spend(now, 3), now, "the first need not wait");
        assert_eq!(other.spend(now, 3), now + 30_000_000, "clones are one bucket");
        assert_eq!(pace.next(), now + 60_000_000);
        assert_eq!(pace.allowance(now), 0);
        assert_eq!(pace.spend(8 * SECOND, u64::MAX), 8 * SECOND);
        assert_eq!(pace.allowance(9 * SECOND), 0, "no sum overflows");
    }

    #[tokio::test]
    async fn connections_wait_for_their_turn_and_loopback_does_not() {
        let pacer = Pacer::new(Pace::new(100));
        let far = "192.0.2.1".parse().unwrap();
        let begin = std::time::Instant::now();
        for _ in 0..3 {
            pacer.turn(far, 3).await;
        }
        // 9 packets at 100 a second, of which the last three may follow when their turn has come.
        assert!(begin.elapsed() >= Duration::from_millis(60), "{:?}", begin.elapsed());
        pacer.note(far, 1_000_000);
        assert_eq!(pacer.turn("127.0.0.1".parse().unwrap(), 3).await, Duration::ZERO);
        assert_eq!(pacer.turn("::1".parse().unwrap(), 3).await, Duration::ZERO);
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
