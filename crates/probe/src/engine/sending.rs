//! From the deciders' queues to the kernel.

use std::cmp::Reverse;
use std::io;

use super::flight::Handle;
use super::pace::is_capped;
use super::ports;
use super::preparing::Stop;
use super::state::{Held, State};
use crate::decide::{Event, Probe, Time};
use crate::net::clock;
use crate::net::socket;

/// Packets sent in one turn at most, before answers are read again: a receive buffer holds many times as many.
const TURN: usize = 128;
/// Probes taken from one work before the next one's turn.
const SHARE: usize = 32;
/// How long sending through a socket rests when the kernel's queue is full, in nanoseconds.
const REST: u64 = 200_000;
/// Targets whose gaps are remembered before those that are over are forgotten.
const MOST_GAPS: usize = 1 << 16;
/// How often a send is tried again that failed by an error an earlier packet had caused.
const TRIES: usize = 3;

/// Why no more was taken of a work's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It had its share, or is empty.
    Taken,
    /// The rate cap holds the next one up.
    Capped,
    /// The kernel's queue is full.
    Blocked,
}

impl State {
    /// Sends what may be sent now.
    pub(super) fn send_some(&mut self, now: u64) {
        self.release_held(now);
        self.flush_all(now);
        let granted = self.pace.allowance(now);
        let (mut room, mut tokens) = (TURN, granted);
        // How many works in a row had nothing that the rate cap lets go.
        let mut held_up = 0;
        while room > 0
            && held_up < self.line.len()
            && let Some(index) = self.line.front().copied()
        {
            let (taken, end) = self.take_share(index, room.min(SHARE), &mut tokens, now);
            room -= taken;
            held_up = if end == End::Capped && taken == 0 { held_up + 1 } else { 0 };
            if end == End::Blocked {
                break;
            }
        }
        self.capped = held_up > 0;
        self.counters.delayed += u64::from(self.capped);
        self.pace.spend(now, granted - tokens);
        self.flush_all(now);
    }

    /// Prepares some probes of the work at the head of the line, which then goes to its end.
    fn take_share(&mut self, index: u32, share: usize, tokens: &mut u64, now: u64) -> (usize, End) {
        for taken in 0..share {
            let Some(probe) = self.work(index).and_then(|work| work.queue.front().copied()) else {
                self.leave_line(index, false);
                return (taken, End::Taken);
            };
            let capped = is_capped(probe.to);
            if capped && *tokens == 0 {
                self.leave_line(index, true);
                return (taken, End::Capped);
            }
            if let Some(work) = self.work(index) {
                work.queue.pop_front();
            }
            if self.must_wait(index, probe, now) {
                continue;
            }
            if let Err(Stop::Blocked) = self.prepare(index, probe, now) {
                return (taken, End::Blocked);
            }
            *tokens -= u64::from(capped);
        }
        let more = self.work(index).is_some_and(|work| !work.queue.is_empty());
        self.leave_line(index, more);
        (share, End::Taken)
    }

    /// Takes the first in line out of it, or to its end.
    fn leave_line(&mut self, index: u32, again: bool) {
        self.line.pop_front();
        if again {
            self.line.push_back(index);
        }
        if let Some(work) = self.work(index) {
            work.in_line = again;
        }
    }

    /// Holds a probe back whose target was sent to too recently.
    fn must_wait(&mut self, index: u32, probe: Probe, now: u64) -> bool {
        if self.target_gap == 0 {
            return false;
        }
        if self.gaps.len() > MOST_GAPS {
            self.gaps.retain(|_, gap| gap.next > now);
        }
        let gap = self.gaps.entry(probe.to).or_default();
        let at = gap.next.max(now);
        gap.next = at + self.target_gap;
        if at <= now {
            return false;
        }
        self.counters.delayed += 1;
        let number = self.counters.delayed;
        let id = self.work(index).map_or(0, |work| work.id);
        let Probe { key, to, ttl, flow } = probe;
        self.held.push(Reverse(Held { until: at, number, work: index, id, key, to, ttl, flow }));
        true
    }

    /// Sends the probes whose targets may be sent to again.
    fn release_held(&mut self, now: u64) {
        while self.held.peek().is_some_and(|Reverse(held)| held.until <= now) {
            let Some(Reverse(mut held)) = self.held.pop() else { break };
            let earliest = self.gaps.get(&held.to).map_or(0, |gap| gap.left + self.target_gap);
            if earliest > now {
                // The one before it left later than was planned.
                held.until = earliest;
                self.held.push(Reverse(held));
                continue;
            }
            if self.work(held.work).is_none_or(|work| work.id != held.id) {
                continue;
            }
            let probe = Probe { key: held.key, to: held.to, ttl: held.ttl, flow: held.flow };
            if self.prepare(held.work, probe, now).is_err() {
                // It was put to the front of its work's queue, from where the next turn takes it.
                break;
            }
            // It is in its batch and leaves with it; another one that is due as well must not leave beside it.
            self.gaps.entry(probe.to).or_default().left = now;
            self.pace.spend(now, u64::from(is_capped(probe.to)));
        }
    }

    /// Sends every batch that has something in it.
    fn flush_all(&mut self, now: u64) {
        for index in 0..self.ports.count() {
            if self.ports.get(index).is_some_and(|port| !port.batch.is_empty()) {
                self.flush(index, now);
            }
        }
    }

    /// Sends one socket's batch, unless the kernel's queue is full.
    pub(super) fn flush(&mut self, index: usize, now: u64) {
        let mut tries = 0;
        while let Some(port) = self.ports.get_mut(index).filter(|port| !port.batch.is_empty()) {
            if port.blocked_until > now {
                return;
            }
            let before = clock::monotonic();
            match port.send() {
                Ok(count) => self.departed(index, count, before),
                Err(error) => match error.raw_os_error() {
                    Some(libc::EAGAIN | libc::ENOBUFS) => {
                        port.blocked_until = before + REST;
                        self.counters.delayed += 1;
                        return;
                    }
                    Some(libc::EINTR) => {}
                    // An ICMP error that an earlier packet met is told once to whoever calls next.
                    _ if port.errors && tries < TRIES => {
                        tries += 1;
                        self.read_errors(index);
                    }
                    _ => {
                        tries = 0;
                        self.refused(index, &error);
                    }
                },
            }
        }
    }

    /// The first packets of a batch have left, between `before` and now.
    fn departed(&mut self, index: usize, count: usize, before: u64) {
        let after = clock::monotonic();
        self.counters.sent += count as u64;
        let step = (after - before) / (count as u64).max(1);
        let mut at = before;
        let mut stamped = false;
        for _ in 0..count {
            let Some(port) = self.ports.get_mut(index) else { return };
            let Some((handle, stamp)) = port.pending.pop_front() else { break };
            if stamp {
                port.expected.push(handle, at);
                stamped = true;
            }
            self.left(handle, before, at);
            at += step;
        }
        if stamped {
            // Most devices stamp before the call returns; reading now saves a wake-up for each stamp.
            self.read_errors(index);
        }
    }

    fn left(&mut self, handle: Handle, begun: u64, at: u64) {
        let Some(probe) = self.flight.get_mut(handle) else { return };
        probe.leave(begun, at);
        let (index, key, to, length) = (probe.work, probe.key, probe.to, probe.length);
        if self.target_gap > 0 {
            let gap = self.gaps.entry(to).or_default();
            gap.left = at;
            gap.next = gap.next.max(at + self.target_gap);
        }
        let Some(work) = self.works.get_mut(index as usize).and_then(Option::as_mut) else { return };
        work.traffic.add_sent(length.into());
        work.waiting.push_back(handle);
        let deadline = at + work.timeout;
        if work.alarm.is_none_or(|alarm| deadline < alarm) {
            self.arm(index, deadline);
        }
        self.deliver(index, at, Event::Sent { key, at: Time(at) });
    }

    /// The first packet of a batch was refused.
    fn refused(&mut self, index: usize, error: &io::Error) {
        let now = clock::monotonic();
        let Some(port) = self.ports.get_mut(index) else { return };
        port.batch.skip();
        let Some((handle, stamp)) = port.pending.pop_front() else { return };
        let key = port.key.clone();
        if stamp {
            self.renumber(index);
        }
        let Some(probe) = self.flight.get(handle).copied() else { return };
        self.flight.remove(handle);
        let reason = ports::unsent(&key, probe.to, error);
        self.unsent(probe.work, probe.key, reason, now);
    }

    /// Kernels differ in whether a refused packet was numbered for its stamp, so numbering begins anew.
    fn renumber(&mut self, index: usize) {
        self.read_errors(index);
        if let Some(port) = self.ports.get_mut(index) {
            port.expected.restart();
            if let Err(error) = socket::number_stamps(port.fd()) {
                tracing::warn!(%error, "failed to number send stamps anew; round trips are measured without them");
            }
        }
    }

    /// When something that waits may be sent; nothing when nothing waits.
    pub(super) fn next_sending(&self) -> Option<u64> {
        let blocked = self.ports.all().filter(|(_, port)| !port.batch.is_empty());
        let blocked = blocked.map(|(_, port)| port.blocked_until).min();
        let held = self.held.peek().map(|Reverse(held)| held.until);
        // While a batch is stuck, those in line would only be stuck behind it.
        let line = if self.line.is_empty() || blocked.is_some() {
            None
        } else {
            Some(if self.capped { self.pace.next() } else { 0 })
        };
        [blocked, held, line].into_iter().flatten().min()
    }
}
