//! The probes in flight, and how an answer finds its probe.
//!
//! A probe has a slot and a 32-bit secret made for this one probe; both together are the token that its payload
//! carries. A slot is used again as late as possible, and never by the same secret, so an answer to a forgotten probe
//! finds nobody. Where an answer cannot carry the token (short payloads, short quotes) it has the 16-bit identity, which
//! is made of the slot: as ICMP sequence, UDP checksum, or half of a TCP sequence number.

use std::collections::VecDeque;
use std::net::IpAddr;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// A freed slot rests until so many others have been freed after it.
const REST: usize = 4096;

/// Bytes of a token.
pub(super) const TOKEN: usize = 8;

/// Names one probe for as long as it is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handle {
    pub(super) slot: u32,
    pub(super) secret: u32,
}

impl Handle {
    pub(super) fn token(self) -> [u8; TOKEN] {
        (u64::from(self.slot) << 32 | u64::from(self.secret)).to_be_bytes()
    }

    /// The handle that the beginning of a payload names, when it is long enough.
    pub(super) fn from_token(payload: &[u8]) -> Option<Self> {
        let token = u64::from_be_bytes(*payload.first_chunk()?);
        Some(Self { slot: (token >> 32) as u32, secret: token as u32 })
    }
}

/// Where a probe stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not sent yet.
    Queued,
    /// Sent, no answer yet, still in time.
    Waiting,
    /// Answered.
    Answered,
    /// Its timeout is over and no answer has come.
    Expired,
}

/// A probe in flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct InFlight {
    /// The decider's name for it.
    pub(super) key: u64,
    /// Index of the work it belongs to.
    pub(super) work: u32,
    secret: u32,
    /// When its batch was handed to the kernel, monotonic nanoseconds: it did not leave before.
    pub(super) begun: u64,
    /// When it left by our own clock: the packets of a batch are spread evenly over the time the batch took.
    pub(super) sent: u64,
    /// When the kernel gave it to the device, monotonic nanoseconds; 0 when not known.
    pub(super) stamp: u64,
    /// Where to.
    pub(super) to: IpAddr,
    /// Protocol above IP.
    pub(super) protocol: u8,
    /// Bytes of the packet, header of IP included.
    pub(super) length: u16,
    /// How many steps of the realtime clock had been seen when `stamp` was taken.
    pub(super) steps: u8,
    pub(super) state: State,
}

impl InFlight {
    pub(super) fn is_waiting(&self) -> bool {
        self.state == State::Waiting
    }

    /// Takes note that it has left.
    pub(super) fn leave(&mut self, begun: u64, at: u64) {
        self.begun = begun;
        self.sent = at;
        self.state = State::Waiting;
    }

    /// Takes note that its timeout is over.
    pub(super) fn expire(&mut self) {
        self.state = State::Expired;
    }
}

/// All probes in flight.
pub(super) struct Flight {
    slots: Vec<InFlight>,
    free: VecDeque<u32>,
    live: usize,
    mask: u16,
    random: StdRng,
}

impl Flight {
    pub(super) fn new() -> Self {
        let mut random = StdRng::from_rng(&mut rand::rng());
        let mask = random.next_u32() as u16;
        Self { slots: Vec::new(), free: VecDeque::new(), live: 0, mask, random }
    }

    /// How many probes are remembered.
    pub(super) fn len(&self) -> usize {
        self.live
    }

    pub(super) fn insert(&mut self, work: u32, key: u64, to: IpAddr, protocol: u8) -> Handle {
        // Zero is the secret of a free slot.
        let secret = self.random.next_u32().max(1);
        let state = State::Queued;
        let probe = InFlight {
            key,
            work,
            secret,
            begun: 0,
            sent: 0,
            stamp: 0,
            to,
            protocol,
            length: 0,
            steps: 0,
            state,
        };
        self.live += 1;
        let rested = if self.free.len() > REST { self.free.pop_front() } else { None };
        if let Some((slot, place)) = rested.and_then(|slot| Some((slot, self.slots.get_mut(slot as usize)?)))
        {
            *place = probe;
            return Handle { slot, secret };
        }
        self.slots.push(probe);
        Handle { slot: (self.slots.len() - 1) as u32, secret }
    }

    pub(super) fn get(&self, handle: Handle) -> Option<&InFlight> {
        self.slots
            .get(handle.slot as usize)
            .filter(|probe| probe.secret == handle.secret && handle.secret != 0)
    }

    pub(super) fn get_mut(&mut self, handle: Handle) -> Option<&mut InFlight> {
        self.slots
            .get_mut(handle.slot as usize)
            .filter(|probe| probe.secret == handle.secret && handle.secret != 0)
    }

    pub(super) fn remove(&mut self, handle: Handle) {
        if let Some(probe) = self.get_mut(handle) {
            probe.secret = 0;
            self.live -= 1;
            self.free.push_back(handle.slot);
        }
    }

    /// The 16 bits that tell probes apart where a token does not fit.
    pub(super) fn identity(&self, handle: Handle) -> u16 {
        handle.slot as u16 ^ self.mask
    }

    /// Every probe that has this identity: one for each 65,536 slots in use at most.
    pub(super) fn with_identity(&self, identity: u16) -> impl Iterator<Item = (Handle, &InFlight)> {
        let first = identity ^ self.mask;
        let slots = (usize::from(first)..self.slots.len()).step_by(1 << 16);
        slots.filter_map(|slot| {
            let probe = self.slots.get(slot).filter(|probe| probe.secret != 0)?;
            Some((Handle { slot: slot as u32, secret: probe.secret }, probe))
        })
    }

    /// Every probe that is remembered.
    pub(super) fn all(&self) -> impl Iterator<Item = (Handle, &InFlight)> {
        self.slots
            .iter()
            .enumerate()
            .filter(|(_, probe)| probe.secret != 0)
            .map(|(slot, probe)| (Handle { slot: slot as u32, secret: probe.secret }, probe))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TO: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_token_names_its_probe_and_no_later_one() {
        let mut flight = Flight::new();
        let old = flight.insert(0, 7, TO, 1);
        assert_eq!(Handle::from_token(&old.token()), Some(old));
        assert_eq!(flight.get(old).unwrap().key, 7);
        flight.remove(old);
        assert!(flight.get(old).is_none());
        for key in 0..2 * REST as u64 {
            let next = flight.insert(0, key, TO, 1);
            assert!(key >= REST as u64 || next.slot != old.slot, "slot used again after {key} others");
            flight.remove(next);
        }
        assert!(flight.get(old).is_none());
        assert_eq!(flight.len(), 0);
    }

    #[test]
    fn a_free_slot_has_no_token() {
        let mut flight = Flight::new();
        let handle = flight.insert(0, 1, TO, 1);
        flight.remove(handle);
        assert!(flight.get(Handle { slot: handle.slot, secret: 0 }).is_none());
        assert!(Handle::from_token(&[1, 2, 3, 4, 5, 6, 7]).is_none());
    }

    #[test]
    fn more_than_sixteen_bits_of_probes_are_told_apart() {
        let mut flight = Flight::new();
        let handles: Vec<_> = (0..150_000).map(|key| flight.insert(0, key, TO, 1)).collect();
        let wanted = handles[70_000];
        let found: Vec<_> =
            flight.with_identity(flight.identity(wanted)).map(|(_, probe)| probe.key).collect();
        assert_eq!(found, [70_000 - 65_536, 70_000, 70_000 + 65_536]);
        assert_eq!(flight.all().count(), 150_000);
    }
}
