//! The engine's thread: one loop that owns all state.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use rand::Rng;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::signal::Signal;
use super::state::State;
use super::traffic::Traffic;
use super::work::{Runner, Work};
use crate::decide::Shape;
use crate::net::clock;
use crate::net::wake_precisely;

/// What the engine's handle asks of its thread.
pub(super) enum Command {
    /// Run a task.
    Begin {
        /// The caller's name for it.
        id: u64,
        /// Its decider.
        runner: Box<dyn Runner>,
        /// What its probes have in common.
        shape: Shape,
        /// How often snapshots are published at most; none when absent.
        progress_every: Option<Duration>,
        /// Where its bytes are counted.
        traffic: Arc<Traffic>,
    },
    /// End a task; what it has measured so far is its result.
    Cancel(u64),
}

/// What woke the thread.
enum Woken {
    /// Sockets, by index, that have something to read, and whether their error queue has.
    Readable(Vec<(usize, bool)>),
    /// Nothing was waited for: every socket may have something.
    AtOnce,
}

/// Runs until the handles of the engine are gone.
pub(super) fn run(mut state: State, commands: &Receiver<Command>, signal: &Arc<Signal>) {
    wake_precisely();
    let mut random = rand::rng();
    let mut woken = Woken::AtOnce;
    loop {
        match woken {
            Woken::Readable(readable) => state.receive(Some(&readable)),
            Woken::AtOnce => state.receive(None),
        }
        state.fire(clock::monotonic());
        if signal.taken() {
            loop {
                match commands.try_recv() {
                    Ok(command) => obey(&mut state, command, random.next_u32() as u16),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
        }
        let now = clock::monotonic();
        state.send_some(now);
        state.shared.publish(&state.counters);
        woken = wait(&state, signal);
    }
}

fn obey(state: &mut State, command: Command, seed: u16) {
    let now = clock::monotonic();
    match command {
        Command::Begin { id, runner, shape, progress_every, traffic } => {
            state.begin(Work::new(runner, id, shape, progress_every, traffic, seed), now);
        }
        Command::Cancel(id) => {
            if let Some(index) = state.by_id.get(&id).copied() {
                state.end(index, None);
            }
        }
    }
}

/// Waits for packets, commands and the next time at which something is to be done.
fn wait(state: &State, signal: &Signal) -> Woken {
    let due = state.next_alarm().into_iter().chain(state.next_sending()).min();
    let now = clock::monotonic();
    if due.is_some_and(|due| due <= now) {
        return Woken::AtOnce;
    }
    let timeout = due.map(|due| timespec(due - now));
    let mut indices = Vec::with_capacity(8);
    let mut fds = Vec::with_capacity(9);
    fds.push(PollFd::from_borrowed_fd(signal.fd(), PollFlags::IN));
    for (index, port) in state.ports.all() {
        let wanted = if port.deaf { PollFlags::empty() } else { PollFlags::IN };
        fds.push(PollFd::from_borrowed_fd(port.fd(), wanted));
        indices.push(index);
    }
    if poll(&mut fds, timeout.as_ref()).is_err() {
        return Woken::AtOnce;
    }
    let ready = fds.iter().skip(1).zip(&indices).filter(|(fd, _)| !fd.revents().is_empty());
    Woken::Readable(ready.map(|(fd, index)| (*index, fd.revents().contains(PollFlags::ERR))).collect())
}

fn timespec(nanoseconds: u64) -> Timespec {
    Timespec { tv_sec: (nanoseconds / 1_000_000_000) as i64, tv_nsec: (nanoseconds % 1_000_000_000) as _ }
}
