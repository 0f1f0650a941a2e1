//! The two clocks: monotonic for everything, realtime because kernel stamps are in it.

use rustix::time::{ClockId, clock_gettime};

/// A reading of both clocks is taken again when the clocks were further apart than this, in nanoseconds.
const PREEMPTED: u64 = 5_000;

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// Nanoseconds of CLOCK_MONOTONIC.
pub(crate) fn monotonic() -> u64 {
    nanoseconds(ClockId::Monotonic)
}

/// What must be taken from a realtime stamp to have it on the monotonic clock, in nanoseconds, and how far off that
/// may be.
pub(crate) fn realtime_offset() -> (i64, u64) {
    let mut best = (0, u64::MAX);
    for _ in 0..4 {
        let before = monotonic();
        let real = nanoseconds(ClockId::Realtime);
        let span = monotonic() - before;
        if span < best.1 {
            best = ((real as i64).wrapping_sub((before + span / 2) as i64), span);
        }
        if span < PREEMPTED {
            break;
        }
    }
    best
}
