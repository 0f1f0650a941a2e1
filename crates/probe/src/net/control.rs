//! Control messages: what travels beside a packet to and from the kernel.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use netwark_packet::ip::Family;

/// Ask for a software send stamp (linux/net_tstamp.h).
pub(super) const STAMP_SENDING: u32 = 1 << 1;
/// Software receive stamps.
pub(super) const STAMP_RECEIVING: u32 = 1 << 3;
/// Report software stamps.
pub(super) const STAMP_SOFTWARE: u32 = 1 << 4;
/// Number the stamped packets.
pub(super) const STAMP_NUMBERED: u32 = 1 << 7;
/// Return send stamps without the packet.
pub(super) const STAMP_ALONE: u32 = 1 << 11;

/// The error queue's origins (linux/errqueue.h).
const FROM_ICMP: u8 = 2;
const FROM_ICMPV6: u8 = 3;
const FROM_STAMPING: u8 = 4;

const WORD: usize = size_of::<usize>();
const HEADER: usize = WORD + 8;

const fn padded(length: usize) -> usize {
    length.next_multiple_of(WORD)
}

/// Control messages of one outgoing packet: three at most.
#[repr(align(8))]
#[derive(Clone, Copy)]
pub(crate) struct Outgoing {
    bytes: [u8; 3 * padded(HEADER + 4)],
    length: usize,
}

impl Default for Outgoing {
    fn default() -> Self {
        Self { bytes: [0; _], length: 0 }
    }
}

impl Outgoing {
    /// What this packet wants other than its socket does: time to live, traffic class, a send stamp.
    pub(crate) fn new(family: Family, ttl: Option<u8>, traffic_class: u8, stamp: bool) -> Self {
        let mut control = Self::default();
        let (level, ttl_name, class_name) = match family {
            Family::V4 => (libc::IPPROTO_IP, libc::IP_TTL, libc::IP_TOS),
            Family::V6 => (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT, libc::IPV6_TCLASS),
        };
        if let Some(ttl) = ttl {
            control.push(level, ttl_name, u32::from(ttl));
        }
        if traffic_class != 0 {
            control.push(level, class_name, u32::from(traffic_class));
        }
        if stamp {
            control.push(libc::SOL_SOCKET, libc::SO_TIMESTAMPING, STAMP_SENDING);
        }
        control
    }

    fn push(&mut self, level: i32, name: i32, value: u32) {
        let Some((_, room)) = self.bytes.split_at_mut_checked(self.length) else { return };
        let Some(room) = room.get_mut(..padded(HEADER + 4)) else { return };
        room[..WORD].copy_from_slice(&(HEADER + 4).to_ne_bytes());
        room[WORD..WORD + 4].copy_from_slice(&level.to_ne_bytes());
        room[WORD + 4..HEADER].copy_from_slice(&name.to_ne_bytes());
        room[HEADER..HEADER + 4].copy_from_slice(&value.to_ne_bytes());
        self.length += padded(HEADER + 4);
    }

    pub(super) fn filled(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.length).unwrap_or_default()
    }
}

/// An ICMP error as the error queue tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueuedError {
    /// ICMP type.
    pub(crate) kind: u8,
    /// ICMP code.
    pub(crate) code: u8,
    /// MTU, where the error tells one.
    pub(crate) info: u32,
    /// Who sent it.
    pub(crate) offender: Option<IpAddr>,
}

/// What the kernel says beside an incoming packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// Software stamp, nanoseconds of CLOCK_REALTIME.
    pub(crate) stamp: Option<u64>,
    /// Time to live it arrived with.
    pub(crate) ttl: Option<u8>,
    /// Packets the socket has lost for want of room since it was opened.
    pub(crate) lost: Option<u32>,
    /// The ICMP error, on the error queue.
    pub(crate) error: Option<QueuedError>,
    /// The number of the sent packet whose stamp this is, on the error queue.
    pub(crate) stamped: Option<u32>,
    /// The VLAN of a frame whose tag the kernel took off.
    pub(crate) vlan: Option<u16>,
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

impl Notes {
    /// Reads the control messages in `bytes`.
    pub(crate) fn parse(mut bytes: &[u8]) -> Self {
        let mut notes = Self::default();
        while let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() {
            let Some(length) = header.first_chunk().map(|length| usize::from_ne_bytes(*length)) else {
                break;
            };
            let (Some(level), Some(name)) = (u32_at(header, WORD), u32_at(header, WORD + 4)) else { break };
            let Some(data) = length.checked_sub(HEADER).and_then(|length| rest.get(..length)) else { break };
            notes.take(level as i32, name as i32, data);
            bytes = bytes.get(padded(length)..).unwrap_or_default();
        }
        notes
    }

    fn take(&mut self, level: i32, name: i32, data: &[u8]) {
        match (level, name) {
            (libc::SOL_SOCKET, libc::SO_TIMESTAMPING) => self.stamp = stamp(data),
            (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => self.lost = u32_at(data, 0),
            (libc::SOL_PACKET, libc::PACKET_AUXDATA) => self.vlan = vlan(data),
            (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                self.ttl = u32_at(data, 0).and_then(|ttl| u8::try_from(ttl).ok());
            }
            (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => {
                self.error(data);
            }
            _ => {}
        }
    }

    /// `struct sock_extended_err` and the offender's address behind it.
    fn error(&mut self, data: &[u8]) {
        let Some((error, offender)) = data.split_first_chunk::<16>() else { return };
        let info = u32_at(error, 8).unwrap_or(0);
        match error[4] {
            FROM_ICMP | FROM_ICMPV6 => {
                let offender = address(offender).map(|offender| offender.ip());
                self.error = Some(QueuedError { kind: error[5], code: error[6], info, offender });
            }
            // 0 is SCM_TSTAMP_SND, the stamp taken when the packet went to the device.
            FROM_STAMPING if info == 0 => self.stamped = u32_at(error, 12),
            _ => {}
        }
    }
}

/// The VLAN in a `struct tpacket_auxdata`, whose status says whether there is one.
fn vlan(data: &[u8]) -> Option<u16> {
    const VALID: u32 = 1 << 4;
    let tag = u16::from_ne_bytes(*data.get(16..)?.first_chunk()?);
    (u32_at(data, 0)? & VALID != 0).then_some(tag & 0x0fff)
}

/// The first of three `struct timespec`, the software stamp; zero means that there is none.
fn stamp(data: &[u8]) -> Option<u64> {
    let half = data.len() / 6;
    let (seconds, nanoseconds) = match half {
        8 => (i64::from_ne_bytes(*data.first_chunk()?), i64::from_ne_bytes(*data.get(8..)?.first_chunk()?)),
        4 => (i64::from(u32_at(data, 0)?), i64::from(u32_at(data, 4)?)),
        _ => return None,
    };
    let stamp = u64::try_from(seconds).ok()?.checked_mul(1_000_000_000)? + u64::try_from(nanoseconds).ok()?;
    (stamp != 0).then_some(stamp)
}

/// Reads a `struct sockaddr_in` or `sockaddr_in6`.
pub(super) fn address(bytes: &[u8]) -> Option<SocketAddr> {
    let family = i32::from(u16::from_ne_bytes(*bytes.first_chunk()?));
    let port = u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?);
    let ip: IpAddr = match family {
        libc::AF_INET => Ipv4Addr::from(*bytes.get(4..)?.first_chunk::<4>()?).into(),
        libc::AF_INET6 => Ipv6Addr::from(*bytes.get(8..)?.first_chunk::<16>()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(level: i32, name: i32, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::from((HEADER + data.len()).to_ne_bytes());
        bytes.extend(level.to_ne_bytes());
        bytes.extend(name.to_ne_bytes());
        bytes.extend(data);
        bytes.resize(padded(bytes.len()), 0);
        bytes
    }

    #[test]
    fn what_goes_out_is_read_alike() {
        let mut control = Outgoing::new(Family::V4, Some(7), 0xb8, true);
        let bytes = control.filled();
        assert_eq!(bytes.len(), 3 * padded(HEADER + 4));
        assert_eq!(Notes::parse(bytes), Notes { ttl: Some(7), ..Notes::default() });
        assert_eq!(Notes::parse(Outgoing::new(Family::V6, Some(255), 0, false).filled()).ttl, Some(255));
        assert!(Outgoing::new(Family::V6, None, 0, false).filled().is_empty());
    }

    #[test]
    fn an_icmp_error_and_its_offender_are_read() {
        let mut data = vec![113, 0, 0, 0, FROM_ICMP, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        data.extend((libc::AF_INET as u16).to_ne_bytes());
        data.extend([0, 0, 192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0]);
        let notes = Notes::parse(&message(libc::IPPROTO_IP, libc::IP_RECVERR, &data));
        let offender = Some([192, 0, 2, 7].into());
        assert_eq!(notes.error, Some(QueuedError { kind: 11, code: 0, info: 0, offender }));
    }

    #[test]
    fn a_send_stamp_comes_with_its_number() {
        let mut times = [0u8; 48];
        times[..8].copy_from_slice(&5i64.to_ne_bytes());
        times[8..16].copy_from_slice(&6i64.to_ne_bytes());
        let mut bytes = message(libc::SOL_SOCKET, libc::SO_TIMESTAMPING, &times);
        let error = [42, 0, 0, 0, FROM_STAMPING, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0];
        bytes.extend(message(libc::IPPROTO_IPV6, libc::IPV6_RECVERR, &error));
        let notes = Notes::parse(&bytes);
        assert_eq!(
            (notes.stamp, notes.stamped),
            (Some(5_000_000_006), Some(u32::from_ne_bytes([9, 0, 0, 0])))
        );
    }

    #[test]
    fn a_tag_that_was_taken_off_is_told() {
        let mut data = [0; 20];
        data[16..18].copy_from_slice(&0x6064_u16.to_ne_bytes());
        let notes = |data: &[u8]| Notes::parse(&message(libc::SOL_PACKET, libc::PACKET_AUXDATA, data));
        assert_eq!(notes(&data).vlan, None, "the status says that there is none");
        data[0..4].copy_from_slice(&0x10_u32.to_ne_bytes());
        assert_eq!(notes(&data).vlan, Some(100));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Notes::parse(&bytes);
            let _ = address(&bytes);
            let _ = stamp(&bytes);
        }
    }
}
