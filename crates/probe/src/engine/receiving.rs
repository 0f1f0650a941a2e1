//! From the kernel to the deciders.

use super::flight::{Handle, InFlight, State as ProbeState};
use super::recognise::{Found, Useless};
use super::stamps::RoundTrip;
use super::state::State;
use super::traffic;
use crate::decide::{Answer, AnswerKind, Event, Time};
use crate::net::clock;
use crate::net::control::Notes;
use crate::net::receive::{self, Queue};

/// Batches read from one socket before others get their turn.
const MOST_BATCHES: usize = 64;
/// A send stamp that has not come after so long will not come, in nanoseconds.
const STAMP_PATIENCE: u64 = 1_000_000_000;

impl State {
    /// Reads what has arrived at these sockets, or at all.
    pub(super) fn receive(&mut self, readable: Option<&[(usize, bool)]>) {
        match readable {
            Some(readable) => readable.iter().for_each(|(index, errors)| self.read_port(*index, *errors)),
            None => (0..self.ports.count()).for_each(|index| self.read_port(index, false)),
        }
    }

    fn read_port(&mut self, index: usize, errors: bool) {
        let Some(port) = self.ports.get(index) else { return };
        let deaf = port.deaf;
        if errors || port.errors {
            self.read_errors(index);
        }
        if deaf {
            return;
        }
        for _ in 0..MOST_BATCHES {
            if !self.read_batch(index) {
                break;
            }
        }
    }

    /// Reads one batch of packets, and tells whether there may be more.
    fn read_batch(&mut self, index: usize) -> bool {
        let Some(port) = self.ports.get(index) else { return false };
        let kind = (port.key.family, port.key.kind);
        let mut incoming = self.incoming.take().unwrap_or_else(receive::Batch::new);
        // An error told here is one that the error queue holds as well.
        let more = incoming.receive(port.fd(), Queue::Data).unwrap_or(true);
        if incoming.len() > 0 {
            let read = clock::monotonic();
            self.clocks.look(read);
            if self.ports.any_expected() {
                // A probe's stamp is there before its answer is.
                self.read_all_stamps();
            }
            for packet in incoming.packets() {
                self.note_lost(index, packet.notes);
                let from = packet.name.map(|name| name.ip());
                let found = self.recognise(kind, packet.bytes, from, packet.notes);
                if let Ok(found) = &found {
                    self.count_received(found.handle, |probe| {
                        let asked = (found.kind == AnswerKind::EchoReply).then_some(probe.length);
                        traffic::received(kind, packet.length, asked)
                    });
                }
                self.settle(found, packet.notes, read);
            }
        }
        let more = more && incoming.len() > 0;
        self.incoming = Some(incoming);
        more
    }

    fn read_all_stamps(&mut self) {
        for index in 0..self.ports.count() {
            if self.ports.get(index).is_some_and(|port| !port.expected.is_empty()) {
                self.read_errors(index);
            }
        }
    }

    /// Reads a socket's error queue: send stamps, and ICMP errors where it was asked for them.
    pub(super) fn read_errors(&mut self, index: usize) {
        let mut queued = self.queued.take().unwrap_or_else(receive::Batch::new);
        for _ in 0..MOST_BATCHES {
            let Some(port) = self.ports.get(index) else { break };
            let kind = (port.key.family, port.key.kind);
            let more = queued.receive(port.fd(), Queue::Errors).unwrap_or(false);
            if queued.len() == 0 {
                break;
            }
            let read = clock::monotonic();
            self.clocks.look(read);
            for packet in queued.packets() {
                if let (Some(number), Some(stamp)) = (packet.notes.stamped, packet.notes.stamp) {
                    self.stamp(index, number, stamp, read);
                } else if let Some(error) = packet.notes.error {
                    let to = packet.name.map(|name| name.ip());
                    let found = self.recognise_queued(kind, error, packet.bytes, to);
                    if let Ok(found) = &found {
                        self.count_received(found.handle, |_| traffic::received_error(kind, packet.length));
                    }
                    self.settle(found, packet.notes, read);
                }
            }
            if !more {
                break;
            }
        }
        self.queued = Some(queued);
        if let Some(port) = self.ports.get_mut(index).filter(|port| !port.expected.is_empty()) {
            port.expected.forget_before(clock::monotonic().saturating_sub(STAMP_PATIENCE));
        }
    }

    fn stamp(&mut self, index: usize, number: u32, stamp: u64, read: u64) {
        let Some(handle) = self.ports.get_mut(index).and_then(|port| port.expected.take(number)) else {
            return;
        };
        let (Some(left), Some(probe)) = (self.clocks.to_monotonic(stamp, read), self.flight.get_mut(handle))
        else {
            return;
        };
        probe.stamp = left;
        probe.steps = self.clocks.steps;
    }

    /// Counts a packet for the task whose probe it answers.
    fn count_received(&self, handle: Handle, length: impl Fn(&InFlight) -> u64) {
        let Some(probe) = self.flight.get(handle) else { return };
        if let Some(Some(work)) = self.works.get(probe.work as usize) {
            work.traffic.add_received(length(probe));
        }
    }

    fn note_lost(&mut self, index: usize, notes: Notes) {
        if let (Some(lost), Some(port)) = (notes.lost, self.ports.get_mut(index)) {
            self.counters.kernel_drops += u64::from(lost.wrapping_sub(port.lost));
            port.lost = lost;
        }
    }

    /// Counts what is of no use, and gives an answer to its decider.
    fn settle(&mut self, found: Result<Found, Useless>, notes: Notes, read: u64) {
        match found {
            Ok(found) => self.answer(found, notes, read),
            Err(Useless::Foreign) => self.counters.dropped_foreign += 1,
            Err(Useless::BadToken) => self.counters.bad_token += 1,
            Err(Useless::Malformed) => self.counters.malformed += 1,
        }
    }

    fn answer(&mut self, found: Found, notes: Notes, read: u64) {
        let Some(probe) = self.flight.get(found.handle).copied() else { return };
        let index = probe.work;
        let Some((timeout, linger)) = self.work(index).map(|work| (work.timeout, work.linger)) else {
            return;
        };
        let arrived = notes.stamp.and_then(|stamp| self.clocks.to_monotonic(stamp, read));
        let stamped = probe.stamp != 0 && probe.steps == self.clocks.steps;
        let stamps = arrived.filter(|_| stamped).map(|arrived| (probe.stamp, arrived));
        let (sent, rtt, kernel) = RoundTrip { begun: probe.begun, sent: probe.sent, read, stamps }.measure();
        let late = probe.state == ProbeState::Expired || rtt > timeout;
        let first = probe.state != ProbeState::Answered;
        self.counters.received += 1;
        self.counters.duplicates += u64::from(!first);
        self.counters.unstamped += u64::from(!kernel);
        if late && probe.is_waiting() {
            // It came before its timer went off, but too late all the same.
            self.expire(index, found.handle, read);
            if linger == 0 {
                return;
            }
        } else if probe.is_waiting() {
            self.linger(index, found.handle, read);
        }
        if let Some(probe) = self.flight.get_mut(found.handle) {
            probe.state = ProbeState::Answered;
        }
        let answer = Answer {
            key: probe.key,
            from: found.from,
            sent: Time(sent),
            rtt: std::time::Duration::from_nanos(rtt),
            kernel,
            ttl: found.ttl,
            first,
            late,
            kind: found.kind,
            labels: found.labels,
        };
        self.deliver(index, read, Event::Answer(answer));
    }
}
