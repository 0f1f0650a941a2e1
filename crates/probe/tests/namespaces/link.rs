//! Links between namespaces: one thread moves packets from TUN device to TUN device, late, twice or not at all.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{Read, Write};
use std::net::Ipv6Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// What a link does to packets, in each direction.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Link {
    /// How long each packet takes.
    pub(crate) delay: Duration,
    /// Every so many packets towards the target one is lost.
    pub(crate) lose_every: Option<u32>,
    /// Every so many packets towards the target one arrives twice.
    pub(crate) double_every: Option<u32>,
    /// Before each echo reply a forged one arrives: same addresses, id, sequence and checksum, another token.
    pub(crate) forge: bool,
    /// MTU, when it is not the usual one.
    pub(crate) mtu: Option<u32>,
}

impl Link {
    pub(crate) fn of(milliseconds: u64) -> Self {
        Self { delay: Duration::from_millis(milliseconds), ..Self::default() }
    }
}

/// One direction of a link.
struct Lane {
    from: usize,
    to: usize,
    link: Link,
    forward: bool,
    /// What it carries was sent just now, not sent on.
    begins: bool,
    seen: u32,
}

/// A link's two ends, the nearer first.
pub(crate) struct Cable {
    pub(crate) near: File,
    pub(crate) far: File,
    pub(crate) link: Link,
    /// Its nearer end is the source, where packets begin.
    pub(crate) first: bool,
}

/// A packet under way: when it is due, its number to keep order among equals, the file it goes to, its bytes.
type Parcel = (Instant, u64, usize, Vec<u8>);

/// Moves packets until it is told to stop.
pub(crate) fn run(cables: Vec<Cable>, stop: &Arc<AtomicBool>) {
    let mut files = Vec::new();
    let mut lanes = Vec::new();
    for cable in cables {
        let (near, far) = (files.len(), files.len() + 1);
        files.extend([cable.near, cable.far]);
        let lane =
            Lane { from: near, to: far, link: cable.link, forward: true, begins: cable.first, seen: 0 };
        lanes.push(Lane { from: far, to: near, forward: false, begins: false, ..lane });
        lanes.push(lane);
    }
    let mut waiting: BinaryHeap<Reverse<Parcel>> = BinaryHeap::new();
    let mut number = 0;
    let mut buffer = [0; 65_536];
    // Packets are sent on while they are delivered, so what is read next came when they were due. Were it counted from
    // when this thread woke up, every link would add its lateness to the delays.
    let mut delivered = None;
    while !stop.load(Ordering::Relaxed) {
        let ready = sleep(&files, waiting.peek().map(|Reverse((due, ..))| *due));
        let sent_on = delivered.take();
        for lane in lanes.iter_mut().filter(|lane| ready[lane.from]) {
            let arrived = sent_on.filter(|_| !lane.begins).unwrap_or_else(Instant::now);
            while let Ok(length @ 1..) = (&files[lane.from]).read(&mut buffer) {
                let packet = &buffer[..length];
                let forged = if lane.link.forge && !lane.forward { forged(packet) } else { None };
                let copies = (0..lane.copies(packet)).map(|_| packet.to_vec());
                for packet in forged.into_iter().chain(copies) {
                    number += 1;
                    waiting.push(Reverse((arrived + lane.link.delay, number, lane.to, packet)));
                }
            }
        }
        while waiting.peek().is_some_and(|Reverse((due, ..))| *due <= Instant::now()) {
            let Some(Reverse((due, _, to, packet))) = waiting.pop() else { break };
            delivered = Some(due);
            // A full or closed device loses the packet, as a full queue would.
            let _ = (&files[to]).write(&packet);
        }
    }
}

impl Lane {
    /// How many copies of the next packet arrive. What IPv6 sends by itself on a new link is not counted: when it does
    /// so is chance, and "every fifth" would not mean the fifth probe.
    fn copies(&mut self, packet: &[u8]) -> u32 {
        if !self.forward || is_housekeeping(packet) {
            return 1;
        }
        self.seen += 1;
        let hit = |every: Option<u32>| every.is_some_and(|every| self.seen.is_multiple_of(every));
        if hit(self.link.lose_every) {
            0
        } else if hit(self.link.double_every) {
            2
        } else {
            1
        }
    }
}

/// Whether the packet is router or listener discovery, which come from link-local or unspecified addresses alone.
fn is_housekeeping(packet: &[u8]) -> bool {
    let source = packet.get(8..24).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()).map(Ipv6Addr::from);
    packet.first().is_some_and(|byte| byte >> 4 == 6)
        && source.is_some_and(|source| source.is_unspecified() || source.is_unicast_link_local())
}

/// An echo reply with two words of its payload exchanged, which leaves every checksum right.
fn forged(packet: &[u8]) -> Option<Vec<u8>> {
    let payload = match (packet.first()? >> 4, packet.get(20), packet.get(40)) {
        (4, Some(0), _) => 28,
        (6, _, Some(129)) => 48,
        _ => return None,
    };
    let mut forged = packet.to_vec();
    let token = forged.get_mut(payload..payload + 8)?;
    token.swap(2, 6);
    token.swap(3, 7);
    Some(forged)
}

/// Sleeps until there is a packet to read or to deliver, but looks up now and then whether it is to stop. Says which files
/// have something to read.
fn sleep(files: &[File], due: Option<Instant>) -> Vec<bool> {
    let longest = Duration::from_millis(20);
    let wait = due.map_or(longest, |due| due.saturating_duration_since(Instant::now()).min(longest));
    let mut fds: Vec<_> = files.iter().map(|file| PollFd::new(file, PollFlags::IN)).collect();
    let timeout = Timespec { tv_sec: 0, tv_nsec: wait.subsec_nanos().into() };
    let _ = poll(&mut fds, Some(&timeout));
    fds.iter().map(|fd| !fd.revents().is_empty()).collect()
}
