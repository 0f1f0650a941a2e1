//! What the engine's thread owns, and how events reach the deciders.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use super::capabilities::Capabilities;
use super::counters::{Counters, Shared};
use super::error::EngineError;
use super::flight::{Flight, Handle};
use super::options::EngineOptions;
use super::pace::{Pace, StampBudget};
use super::ports::Ports;
use super::stamps::Clocks;
use super::work::{Mood, Work};
use crate::decide::{Event, Probe};
use crate::net::receive;

/// A probe that waits until its target may be sent to again.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Held {
    pub(super) until: u64,
    /// Keeps the order among equals.
    pub(super) number: u64,
    pub(super) work: u32,
    pub(super) id: u64,
    pub(super) key: u64,
    pub(super) to: IpAddr,
    pub(super) ttl: u8,
    pub(super) flow: u8,
}

/// A target that must not be sent to too often.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gap {
    /// When the next probe that is asked for may leave.
    pub(super) next: u64,
    /// When the last probe has left.
    pub(super) left: u64,
}

/// The state of the engine's thread.
pub(super) struct State {
    pub(super) capabilities: Arc<Capabilities>,
    pub(super) works: Vec<Option<Work>>,
    pub(super) by_id: HashMap<u64, u32>,
    pub(super) flight: Flight,
    pub(super) ports: Ports,
    pub(super) pace: Pace,
    pub(super) stamp_budget: StampBudget,
    pub(super) clocks: Clocks,
    /// Works with something to send, each once.
    pub(super) line: VecDeque<u32>,
    /// True while all of them wait for the rate cap.
    pub(super) capped: bool,
    /// Timers: time, index of the work, its id.
    alarms: BinaryHeap<Reverse<(u64, u32, u64)>>,
    pub(super) held: BinaryHeap<Reverse<Held>>,
    /// Targets sent to lately, when a gap is to be kept.
    pub(super) gaps: HashMap<IpAddr, Gap>,
    pub(super) target_gap: u64,
    /// Buffers for incoming packets; lent out while they are read.
    pub(super) incoming: Option<receive::Batch>,
    /// The same for error queues.
    pub(super) queued: Option<receive::Batch>,
    pub(super) counters: Counters,
    pub(super) shared: Arc<Shared>,
}

impl State {
    pub(super) fn new(
        options: &EngineOptions,
        pace: Pace,
        capabilities: Arc<Capabilities>,
        shared: Arc<Shared>,
        ports: Ports,
        now: u64,
    ) -> Self {
        Self {
            capabilities,
            works: Vec::new(),
            by_id: HashMap::new(),
            flight: Flight::new(),
            ports,
            pace,
            stamp_budget: StampBudget::new(options.stamps_up_to),
            clocks: Clocks::new(now),
            line: VecDeque::new(),
            capped: false,
            alarms: BinaryHeap::new(),
            held: BinaryHeap::new(),
            gaps: HashMap::new(),
            target_gap: u64::try_from(options.target_gap.as_nanos()).unwrap_or(u64::MAX / 4),
            incoming: None,
            queued: None,
            counters: Counters::default(),
            shared,
        }
    }

    pub(super) fn work(&mut self, index: u32) -> Option<&mut Work> {
        self.works.get_mut(index as usize)?.as_mut()
    }

    /// Takes in a task and starts it.
    pub(super) fn begin(&mut self, work: Work, now: u64) {
        let free = self.works.iter().position(Option::is_none).unwrap_or(self.works.len());
        let index = free as u32;
        self.by_id.insert(work.id, index);
        if free == self.works.len() {
            self.works.push(Some(work));
        } else if let Some(place) = self.works.get_mut(free) {
            *place = Some(work);
        }
        self.deliver(index, now, Event::Start);
    }

    /// Gives an event to a work's decider, and sees to what it asks for.
    pub(super) fn deliver(&mut self, index: u32, now: u64, event: Event) {
        let Some(work) = self.works.get_mut(index as usize).and_then(Option::as_mut) else { return };
        match work.on_event(now, event) {
            Mood::Running => {
                if !work.in_line && !work.queue.is_empty() {
                    work.in_line = true;
                    self.line.push_back(index);
                }
                let wake = work.wake.into_iter().chain(work.snapshot_due()).min();
                if let Some(wake) = wake {
                    // Never at once: a decider that asks to be woken all the time must not stop everybody else.
                    self.arm(index, wake.max(now + 1));
                }
            }
            Mood::Done => self.end(index, None),
            Mood::Panicked => self.end(index, Some(EngineError::Panicked)),
        }
    }

    /// Ends a task and forgets all about it.
    pub(super) fn end(&mut self, index: u32, failure: Option<EngineError>) {
        let Some(work) = self.works.get_mut(index as usize).and_then(Option::take) else { return };
        self.by_id.remove(&work.id);
        self.shared.publish(&self.counters);
        for handle in work.waiting.iter().chain(work.lingering.iter().map(|(_, handle)| handle)) {
            self.flight.remove(*handle);
        }
        for port in self.ports.all_mut() {
            // What is about to leave leaves, but nobody waits for it.
            for (handle, _) in &port.pending {
                if self.flight.get(*handle).is_some_and(|probe| probe.work == index) {
                    self.flight.remove(*handle);
                }
            }
        }
        for (_, _, port) in &work.ports {
            self.ports.release(*port);
        }
        work.finish(failure);
    }

    /// Sees to it that the work is looked after at this time or earlier.
    pub(super) fn arm(&mut self, index: u32, at: u64) {
        let Some(work) = self.work(index) else { return };
        if work.alarm.is_none_or(|alarm| at < alarm) {
            work.alarm = Some(at);
            let id = work.id;
            self.alarms.push(Reverse((at, index, id)));
        }
    }

    /// When the next timer goes off.
    pub(super) fn next_alarm(&self) -> Option<u64> {
        self.alarms.peek().map(|Reverse((at, ..))| *at)
    }

    /// Lets all timers go off whose time has come.
    pub(super) fn fire(&mut self, now: u64) {
        while let Some(Reverse((at, index, id))) = self.alarms.peek().copied() {
            if at > now {
                break;
            }
            self.alarms.pop();
            // A later timer of the same work, or one of a work that is gone, means nothing.
            if let Some(work) = self.work(index).filter(|work| work.id == id && work.alarm == Some(at)) {
                work.alarm = None;
                self.look_after(index, id, now);
            }
        }
    }

    /// Everything about one work whose time has come.
    fn look_after(&mut self, index: u32, id: u64, now: u64) {
        while let Some(handle) = self.next_expired(index, id, now) {
            self.expire(index, handle, now);
        }
        while let Some(work) = self.work(index).filter(|work| work.id == id)
            && let Some((until, handle)) = work.lingering.front().copied()
            && until <= now
        {
            work.lingering.pop_front();
            self.flight.remove(handle);
        }
        if let Some(work) = self.work(index).filter(|work| work.id == id)
            && work.wake.is_some_and(|wake| wake <= now)
        {
            work.wake = None;
            self.deliver(index, now, Event::Wake);
        }
        if let Some(work) = self.work(index).filter(|work| work.id == id) {
            work.publish(now);
        }
        self.rearm(index, id);
    }

    /// The oldest probe whose timeout is over. Probes that need no timeout any more are passed over.
    fn next_expired(&mut self, index: u32, id: u64, now: u64) -> Option<Handle> {
        let work = self.works.get_mut(index as usize)?.as_mut().filter(|work| work.id == id)?;
        while let Some(handle) = work.waiting.front().copied() {
            if let Some(probe) = self.flight.get(handle).filter(|probe| probe.is_waiting()) {
                if probe.sent + work.timeout > now {
                    return None;
                }
                work.waiting.pop_front();
                return Some(handle);
            }
            work.waiting.pop_front();
        }
        None
    }

    /// The timeout of a probe is over.
    pub(super) fn expire(&mut self, index: u32, handle: Handle, now: u64) {
        let Some(probe) = self.flight.get_mut(handle) else { return };
        let key = probe.key;
        probe.expire();
        self.linger(index, handle, now);
        self.deliver(index, now, Event::Expired { key });
    }

    /// Remembers a probe that is over for its linger time.
    pub(super) fn linger(&mut self, index: u32, handle: Handle, now: u64) {
        let Some(work) = self.work(index) else { return };
        if work.linger == 0 {
            self.flight.remove(handle);
            return;
        }
        let until = now + work.linger;
        work.lingering.push_back((until, handle));
        self.arm(index, until);
    }

    fn rearm(&mut self, index: u32, id: u64) {
        let Some(work) = self.works.get(index as usize).and_then(Option::as_ref) else { return };
        if work.id != id {
            return;
        }
        let expiry = work.waiting.front().map(|handle| match self.flight.get(*handle) {
            Some(probe) => probe.sent + work.timeout,
            None => 0,
        });
        let lingering = work.lingering.front().map(|(until, _)| *until);
        let times = [expiry, lingering, work.wake, work.snapshot_due()];
        if let Some(next) = times.into_iter().flatten().min() {
            self.arm(index, next);
        }
    }

    /// Puts a probe back to the front of its work's queue.
    pub(super) fn put_back(&mut self, index: u32, probe: Probe) {
        if let Some(work) = self.work(index) {
            work.queue.push_front(probe);
        }
    }
}
