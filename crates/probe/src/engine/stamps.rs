//! Kernel stamps: when they may be trusted, and which packet each belongs to.
//!
//! They are in CLOCK_REALTIME, which steps. Both clocks are run at the same rate, so the distance between them changes
//! only by a step, and a step is seen whenever the distance is measured again. A stamp is moved to the monotonic clock by that
//! distance; a round trip whose two stamps lie on two sides of a step is not measured by them.

use std::collections::VecDeque;

use super::flight::Handle;
use crate::net::clock;

/// How much the measured distance of the clocks may vary by itself, in nanoseconds.
const JITTER: u64 = 20_000;
/// How long after a step stamps from before it may still be read, in nanoseconds.
const DOUBT: u64 = 100_000_000;
/// How far outside the monotonic pair around them kernel stamps may lie, in nanoseconds: what the clocks' distance
/// may be wrong by.
const SLACK: u64 = 2 * JITTER;

/// Watches the distance between the clocks.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    offset: i64,
    doubt_until: u64,
    /// How many steps were seen, modulo 256.
    pub(super) steps: u8,
}

impl Clocks {
    pub(super) fn new(now: u64) -> Self {
        let mut clocks = Self { offset: clock::realtime_offset().0, ..Self::default() };
        clocks.doubt_until = now;
        clocks
    }

    /// Measures the distance; to be called before stamps are read.
    pub(super) fn look(&mut self, now: u64) {
        let (offset, uncertainty) = clock::realtime_offset();
        self.compare(now, offset, uncertainty);
    }

    fn compare(&mut self, now: u64, offset: i64, uncertainty: u64) {
        if offset.abs_diff(self.offset) > JITTER + uncertainty {
            self.offset = offset;
            self.steps = self.steps.wrapping_add(1);
            self.doubt_until = now + DOUBT;
        }
    }

    /// A kernel stamp on the monotonic clock; nothing when it may be from before a step.
    pub(super) fn to_monotonic(&self, stamp: u64, now: u64) -> Option<u64> {
        if now < self.doubt_until {
            return None;
        }
        u64::try_from((stamp as i64).checked_sub(self.offset)?).ok()
    }
}

/// The four times of a round trip, monotonic nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoundTrip {
    /// When the probe's batch was handed to the kernel.
    pub(super) begun: u64,
    /// When the probe left by our own clock.
    pub(super) sent: u64,
    /// When the answer was read.
    pub(super) read: u64,
    /// Both kernel stamps, when both are there and no step lies between them.
    pub(super) stamps: Option<(u64, u64)>,
}

impl RoundTrip {
    /// When it began, how long it took in nanoseconds, and whether this is by kernel stamps.
    pub(super) fn measure(self) -> (u64, u64, bool) {
        match self.stamps {
            Some((left, arrived))
                if self.begun <= left + SLACK && left <= arrived && arrived <= self.read + SLACK =>
            {
                (left, arrived - left, true)
            }
            _ => (self.sent, self.read.saturating_sub(self.sent), false),
        }
    }
}

/// Which packets of one socket still wait for their send stamp. The kernel numbers stamped packets from zero.
#[derive(Debug, Default)]
pub(super) struct Expected {
    first: u32,
    packets: VecDeque<(Handle, u64)>,
}

impl Expected {
    /// A stamped packet has left.
    pub(super) fn push(&mut self, handle: Handle, now: u64) {
        self.packets.push_back((handle, now));
    }

    /// The packet with this number. Those before it are given up: stamps come in order.
    pub(super) fn take(&mut self, number: u32) -> Option<Handle> {
        let position = usize::try_from(number.wrapping_sub(self.first)).ok()?;
        if position >= self.packets.len() {
            return None;
        }
        self.packets.drain(..position);
        self.first = number.wrapping_add(1);
        self.packets.pop_front().map(|(handle, _)| handle)
    }

    /// Gives up packets that left before `then`: a device need not stamp.
    pub(super) fn forget_before(&mut self, then: u64) {
        while self.packets.front().is_some_and(|(_, left)| *left < then) {
            self.packets.pop_front();
            self.first = self.first.wrapping_add(1);
        }
    }

    /// Numbering begins anew.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn a_step_of_the_clock_is_seen_and_doubted_for_a_while() {
        let mut clocks = Clocks { offset: 100 * SECOND, ..Clocks::default() };
        let stamp = 103 * SECOND as u64;
        clocks.compare(10, 100 * SECOND + 9_000, 300);
        assert_eq!((clocks.steps, clocks.to_monotonic(stamp, 10)), (0, Some(3 * SECOND as u64)));
        clocks.compare(20, 100 * SECOND + 50_000, 300);
        assert_eq!((clocks.steps, clocks.to_monotonic(stamp, 20)), (1, None));
        assert_eq!(clocks.to_monotonic(stamp, 20 + DOUBT), Some(3 * SECOND as u64 - 50_000));
        clocks.compare(20 + DOUBT, -5 * SECOND, 300);
        assert_eq!((clocks.steps, clocks.to_monotonic(stamp, 21 + DOUBT)), (2, None));
    }

    #[test]
    fn the_two_pairs_are_never_mixed() {
        let trip = RoundTrip {
            begun: 4_000_000,
            sent: 5_000_000,
            read: 25_000_000,
            stamps: Some((4_500_000, 15_500_000)),
        };
        assert_eq!(trip.measure(), (4_500_000, 11_000_000, true));
        let (early, late) = ((3_900_000, 15_500_000), (4_500_000, 25_100_000));
        for wrong in [None, Some((4_500_000, 4_400_000)), Some(early), Some(late)] {
            assert_eq!(
                RoundTrip { stamps: wrong, ..trip }.measure(),
                (5_000_000, 20_000_000, false),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn stamps_find_their_packets_when_some_are_missing() {
        let handle = |slot| Handle { slot, secret: 1 };
        let mut expected = Expected::default();
        for slot in 0..5 {
            expected.push(handle(slot), u64::from(slot));
        }
        assert_eq!(expected.take(1), Some(handle(1)));
        assert_eq!(expected.take(0), None, "given up");
        assert_eq!(expected.take(9), None);
        expected.forget_before(4);
        assert_eq!(expected.take(4), Some(handle(4)));
        assert!(expected.is_empty());
        expected.restart();
        expected.push(handle(7), 9);
        assert_eq!(expected.take(0), Some(handle(7)));
    }
}
