//! When each cycle of each flow begins.

use std::collections::VecDeque;
use std::time::Duration;

use crate::decide::Time;

/// Flows of one cycle start this far apart at most, because routers limit how many errors they send to one address.
const STAGGER: Duration = Duration::from_millis(25);

/// While it is not known how far the way goes, cycles are at least this far apart, so that a short interval does
/// not flood what lies beyond the target.
const UNDISCOVERED: Duration = Duration::from_millis(500);

/// When each cycle of each flow begins.
#[derive(Debug)]
pub(crate) struct Schedule {
    cycles: u32,
    flows: u8,
    interval: Duration,
    begun: u32,
    latest: Time,
    starts: VecDeque<(Time, u32, u8)>,
}

impl Schedule {
    /// Nothing has begun.
    pub(crate) fn new(cycles: u32, flows: u8, interval: Duration) -> Self {
        Self { cycles, flows, interval, begun: 0, latest: Time::default(), starts: VecDeque::new() }
    }

    /// How many cycles have begun.
    pub(crate) fn begun(&self) -> u32 {
        self.begun
    }

    /// True once no flow has anything left to begin.
    pub(crate) fn is_over(&self) -> bool {
        self.begun >= self.cycles && self.starts.is_empty()
    }

    /// The next flow that is due, as its cycle and number.
    pub(crate) fn pop_due(&mut self, now: Time, discovered: bool) -> Option<(u32, u8)> {
        if self.next_cycle(discovered).is_some_and(|at| at <= now) {
            self.begin(now);
        }
        let (at, cycle, flow) = *self.starts.front()?;
        (at <= now).then(|| {
            self.starts.pop_front();
            (cycle, flow)
        })
    }

    /// When something is due next.
    pub(crate) fn next(&self, discovered: bool) -> Option<Time> {
        let flow = self.starts.front().map(|(at, _, _)| *at);
        [flow, self.next_cycle(discovered)].into_iter().flatten().min()
    }

    fn next_cycle(&self, discovered: bool) -> Option<Time> {
        let gap = match self.begun {
            0 => return (self.cycles > 0).then_some(Time::default()),
            begun if begun >= self.cycles => return None,
            _ if discovered => self.interval,
            _ => self.interval.max(UNDISCOVERED),
        };
        Some(self.latest + gap)
    }

    /// Begins a cycle. A wake that comes a little late does not shift the later cycles; a long delay does.
    fn begin(&mut self, now: Time) {
        let planned = self.latest + self.interval;
        let late = now - planned > self.interval / 2;
        self.latest = if self.begun == 0 || late { now } else { planned };
        let apart = STAGGER.min(self.interval / u32::from(self.flows.max(1)));
        for flow in 0..self.flows {
            self.starts.push_back((self.latest + apart * u32::from(flow), self.begun, flow));
        }
        self.begun += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time(ms * 1_000_000)
    }

    #[test]
    fn cycles_keep_their_pace_when_wakes_come_late() {
        let mut schedule = Schedule::new(3, 1, Duration::from_millis(20));
        assert_eq!(schedule.pop_due(at(1000), false), Some((0, 0)));
        assert_eq!(schedule.next(true), Some(at(1020)));
        assert_eq!(schedule.pop_due(at(1026), true), Some((1, 0)));
        assert_eq!(schedule.next(true), Some(at(1040)));
        assert_eq!(schedule.pop_due(at(1900), true), Some((2, 0)));
        assert!(schedule.is_over());
        assert_eq!((schedule.pop_due(at(5000), true), schedule.next(true)), (None, None));
    }

    #[test]
    fn the_second_cycle_waits_a_while_for_the_first_to_find_the_end() {
        let mut schedule = Schedule::new(2, 1, Duration::from_millis(20));
        schedule.pop_due(at(0), false);
        assert_eq!(schedule.next(false), Some(at(500)));
        assert_eq!(schedule.pop_due(at(100), false), None);
        assert_eq!(schedule.pop_due(at(500), false), Some((1, 0)));
    }

    #[test]
    fn flows_start_one_after_the_other() {
        let mut schedule = Schedule::new(1, 3, Duration::from_millis(30));
        assert_eq!(schedule.pop_due(at(5), false), Some((0, 0)));
        assert_eq!(schedule.pop_due(at(5), false), None);
        assert_eq!(schedule.next(false), Some(at(15)));
        assert_eq!(schedule.pop_due(at(30), false), Some((0, 1)));
        assert_eq!(schedule.pop_due(at(30), false), Some((0, 2)));
        assert!(schedule.is_over());
    }
}
