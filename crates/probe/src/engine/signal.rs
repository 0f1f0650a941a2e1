//! Wakes the engine's thread when there are commands for it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{EventfdFlags, eventfd};

/// A flag that a thread can sleep on.
#[derive(Debug)]
pub(super) struct Signal {
    raised: AtomicBool,
    event: OwnedFd,
}

impl Signal {
    pub(super) fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { raised: AtomicBool::new(false), event })
    }

    /// Raises the flag and wakes the sleeper.
    pub(super) fn raise(&self) {
        if !self.raised.swap(true, Ordering::AcqRel) {
            // Adding to an eventfd fails only when it is about to overflow, and then the sleeper is awake anyway.
            let _ = rustix::io::write(&self.event, &1u64.to_ne_bytes());
        }
    }

    /// Takes the flag down, and tells whether it was raised.
    pub(super) fn taken(&self) -> bool {
        if !self.raised.load(Ordering::Acquire) {
            return false;
        }
        // The event first: a flag raised between the two then finds the thread awake or wakes it again.
        let _ = rustix::io::read(&self.event, &mut [0; 8]);
        self.raised.swap(false, Ordering::AcqRel)
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raised_flag_is_taken_once() {
        let signal = Signal::new().unwrap();
        assert!(!signal.taken());
        signal.raise();
        signal.raise();
        assert!(signal.taken());
        assert!(!signal.taken());
        signal.raise();
        assert!(signal.taken());
    }
}
