//! Carries a sweep over one link: a packet socket, a pace, and a thread for as long as it takes.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::Socket;

use super::frames::{self, Identity};
use super::{LinkSweep, Next};
use crate::decide::Time;
use crate::engine::Traffic;
use crate::engine::pace::Pace;
use crate::net::receive::{self, Queue};
use crate::net::{clock, packet, send, wake_precisely};

/// Frames that are sent before answers are looked for.
const AT_ONCE: u64 = 32;
/// A sweep that is to be slower is not made slower than this, in frames a second.
const SLOW: u32 = 2_000;
/// How long a full queue of the kernel is given to empty, in nanoseconds.
const BREATH: u64 = 300_000;
/// It is looked this often whether to stop, in nanoseconds.
const LOOK_UP: u64 = 20_000_000;

/// What one link's thread is told.
pub(crate) struct Carriage {
    /// Number of the interface.
    pub(crate) interface: u32,
    pub(crate) own: Identity,
    /// Frames a second.
    pub(crate) rate: u32,
    /// Ends the sweep early.
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) progress_every: Duration,
}

/// How a sweep ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    /// Nobody stopped it.
    pub(crate) complete: bool,
    /// Frames that were sent.
    pub(crate) sent: u64,
    /// Frames that the kernel lost because they came faster than they were read.
    pub(crate) lost: u32,
}

/// Sweeps until done or stopped; blocks the calling thread.
///
/// # Errors
/// When the socket cannot be opened, or the interface goes away.
pub(crate) fn carry(
    sweep: &mut LinkSweep,
    told: &Carriage,
    mut on_progress: impl FnMut(&LinkSweep),
) -> io::Result<Carried> {
    wake_precisely();
    let mut line = Line::open(told)?;
    let pace = Pace::new(told.rate);
    let mut next_look = 0;
    let (mut looked_at, every) = (clock::monotonic(), told.progress_every.as_nanos() as u64);
    loop {
        line.receive(sweep)?;
        let now = clock::monotonic();
        if told.stop.load(Ordering::Relaxed) {
            return Ok(Carried { complete: false, ..line.carried });
        }
        if now.saturating_sub(looked_at) >= every {
            looked_at = now;
            on_progress(sweep);
        }
        let mut due = None;
        if now >= next_look {
            // Each frame counts as many.
            let counts = u64::from((1 << sweep.slowed()).min(told.rate / SLOW).max(1));
            let allowed = pace.allowance(now).min(AT_ONCE).div_ceil(counts);
            due = line.fill(sweep, now, allowed);
            if due == Some(Due::Done) && line.batch.is_empty() {
                return Ok(Carried { complete: true, ..line.carried });
            }
            let before = line.carried.sent;
            let blocked = line.send()?;
            pace.spend(now, (line.carried.sent - before) * counts);
            next_look = match blocked {
                true => now + BREATH,
                false if due.is_none() => pace.next(),
                false => now,
            };
        }
        let until = match due {
            Some(Due::At(time)) => time,
            _ => next_look,
        };
        line.wait(until.min(clock::monotonic() + LOOK_UP))?;
    }
}

/// When there is something to send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    At(u64),
    Done,
}

struct Line<'a> {
    told: &'a Carriage,
    socket: Socket,
    batch: send::Batch,
    incoming: receive::Batch,
    carried: Carried,
}

impl<'a> Line<'a> {
    fn open(told: &'a Carriage) -> io::Result<Self> {
        let socket = packet::open(told.interface, packet::Hears::Answers)?;
        let (batch, incoming) = (send::Batch::default(), receive::Batch::new());
        Ok(Self { told, socket, batch, incoming, carried: Carried::default() })
    }

    /// Reads everything that has come.
    fn receive(&mut self, sweep: &mut LinkSweep) -> io::Result<()> {
        loop {
            let more = match self.incoming.receive(self.socket.as_fd(), Queue::Data) {
                Ok(more) => more,
                // The interface was switched off; it may come back, and if not sending says so.
                Err(error) if error.raw_os_error() == Some(libc::ENETDOWN) => false,
                Err(error) => return Err(error),
            };
            let now = clock::monotonic();
            let (offset, _) = clock::realtime_offset();
            for packet in self.incoming.packets() {
                self.told.traffic.add_received(packet.length as u64);
                self.carried.lost = packet.notes.lost.unwrap_or(self.carried.lost);
                let at = packet.notes.stamp.map(|stamp| (stamp as i64).wrapping_sub(offset) as u64);
                // A stamp from before the last breath, or from the future, is one from before a step of the clock.
                let at = at.filter(|at| *at <= now && now - *at < 1_000_000_000).unwrap_or(now);
                if let Some(heard) = frames::read(packet.bytes, packet.notes.vlan, &self.told.own) {
                    sweep.heard(Time(at), heard);
                }
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// Fills the batch up to so many frames; says why it did not come to that many.
    fn fill(&mut self, sweep: &mut LinkSweep, now: u64, allowed: u64) -> Option<Due> {
        while (self.batch.len() as u64) < allowed && !self.batch.is_full() {
            match sweep.next(Time(now)) {
                Next::Ask(question) => {
                    let own = &self.told.own;
                    self.batch.push_frame(|out| own.write(question, out));
                }
                Next::Wait(until) => return Some(Due::At(until.0)),
                Next::Done => return Some(Due::Done),
            }
        }
        None
    }

    /// Sends the batch; true when the kernel's queue is full.
    fn send(&mut self) -> io::Result<bool> {
        while !self.batch.is_empty() {
            match self.batch.send(self.socket.as_fd()) {
                Ok(sent) => {
                    self.carried.sent += sent as u64;
                    self.told.traffic.add_sent(sent as u64 * netwark_packet::ethernet::SHORTEST as u64);
                }
                Err(error) => match error.raw_os_error() {
                    Some(libc::EINTR) => {}
                    Some(libc::ENOBUFS | libc::EAGAIN) => return Ok(true),
                    _ => return Err(error),
                },
            }
        }
        Ok(false)
    }

    /// Sleeps until there is something to read, but no longer than until this time.
    fn wait(&self, until: u64) -> io::Result<()> {
        let left = until.saturating_sub(clock::monotonic());
        if left == 0 {
            return Ok(());
        }
        let timeout =
            Timespec { tv_sec: (left / 1_000_000_000) as i64, tv_nsec: (left % 1_000_000_000) as _ };
        let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
