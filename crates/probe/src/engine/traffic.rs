//! How many bytes tasks have sent and received.

use std::sync::atomic::{AtomicU64, Ordering};

use netwark_packet::ip::Family;
use netwark_packet::udp;

use crate::net::receive;
use crate::net::socket::Kind;

/// Length of an IPv4 header without options; longer ones are told by the packet itself where it can be seen.
const IPV4: usize = 20;
const IPV6: usize = 40;
const ICMP: usize = 8;

/// Bytes that the tasks of one engine handle have sent and received, headers of IP included, those of the link not. What
/// is received is what was matched to a probe; a packet in fragments is counted as if it were whole.
#[derive(Debug, Default)]
pub struct Traffic {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Traffic {
    /// Bytes sent so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Bytes received so far.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Counts bytes that were sent.
    pub fn add_sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that were received.
    pub fn add_received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
    }
}

fn ip(family: Family) -> usize {
    match family {
        Family::V4 => IPV4,
        Family::V6 => IPV6,
    }
}

/// Length of an IP packet of which `written` bytes were handed to a socket of this kind.
pub(super) fn sent((family, kind): (Family, Kind), written: usize) -> u16 {
    let transport = if matches!(kind, Kind::Udp { .. }) { udp::HEADER } else { 0 };
    u16::try_from(ip(family) + transport + written).unwrap_or(u16::MAX)
}

/// Length of an IP packet of which a socket of this kind gave `read` bytes. `asked` is the length of the probe that it
/// answers by an echo reply, if it does: that is as long where the socket does not tell what was cut off.
pub(super) fn received((family, kind): (Family, Kind), read: usize, asked: Option<u16>) -> u64 {
    let headers = match kind {
        // The only sockets that give the IP header.
        Kind::RawIcmp | Kind::RawTcp if family == Family::V4 => 0,
        Kind::Udp { .. } => ip(family) + udp::HEADER,
        Kind::RawIcmp | Kind::RawTcp | Kind::IcmpDatagram => ip(family),
    };
    let cut = asked.filter(|_| read == receive::LENGTH).map_or(0, usize::from);
    (headers + read).max(cut) as u64
}

/// Length of an ICMP error of which the error queue of such a socket gave `quoted` bytes of our packet.
pub(super) fn received_error((family, kind): (Family, Kind), quoted: usize) -> u64 {
    let transport = if matches!(kind, Kind::Udp { .. }) { udp::HEADER } else { 0 };
    (ip(family) + ICMP + ip(family) + transport + quoted) as u64
}
