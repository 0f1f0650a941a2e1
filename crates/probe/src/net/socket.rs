//! The kinds of socket the engine sends and receives with.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};

use netwark_packet::ip::Family;
use netwark_packet::protocol;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::control::{STAMP_ALONE, STAMP_NUMBERED, STAMP_RECEIVING, STAMP_SOFTWARE};
use super::options;

/// linux/icmp.h, linux/icmpv6.h: both are option 1 of their level.
const ICMP_FILTER: i32 = 1;
const SOL_RAW: i32 = 255;

/// What a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Raw ICMP; needs CAP_NET_RAW.
    RawIcmp,
    /// ICMP datagrams; needs a group in `net.ipv4.ping_group_range`.
    IcmpDatagram,
    /// UDP from a port of its own, one for each flow.
    Udp {
        /// Which flow.
        flow: u8,
    },
    /// Raw TCP; needs CAP_NET_RAW.
    RawTcp,
}

/// What tells sockets apart. Work that agrees in all of it shares a socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) family: Family,
    pub(crate) kind: Kind,
    pub(crate) source: Option<IpAddr>,
    pub(crate) interface: Option<String>,
    pub(crate) dont_fragment: bool,
}

impl Key {
    /// The key of a socket that nothing special was asked of.
    pub(crate) fn plain(family: Family, kind: Kind) -> Self {
        Self { family, kind, source: None, interface: None, dont_fragment: false }
    }
}

fn domain(family: Family) -> Domain {
    match family {
        Family::V4 => Domain::IPV4,
        Family::V6 => Domain::IPV6,
    }
}

fn unspecified(family: Family) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
        Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// Makes the bare socket: this alone tells whether we may.
pub(crate) fn create(family: Family, kind: Kind) -> io::Result<Socket> {
    let icmp = match family {
        Family::V4 => Protocol::ICMPV4,
        Family::V6 => Protocol::ICMPV6,
    };
    let (kind, protocol) = match kind {
        Kind::RawIcmp => (Type::RAW, icmp),
        Kind::IcmpDatagram => (Type::DGRAM, icmp),
        Kind::Udp { .. } => (Type::DGRAM, Protocol::UDP),
        Kind::RawTcp => (Type::RAW, Protocol::from(i32::from(protocol::TCP))),
    };
    Socket::new(domain(family), kind.nonblocking().cloexec(), Some(protocol))
}

/// Makes a socket and prepares it. `errors` asks for ICMP errors on its error queue.
pub(crate) fn open(key: &Key, receive_buffer: usize, errors: bool) -> io::Result<Socket> {
    let socket = create(key.family, key.kind)?;
    let fd = socket.as_fd();
    enlarge(&socket, receive_buffer);
    let (level, ttl, recverr, discover) = match key.family {
        Family::V4 => (libc::IPPROTO_IP, libc::IP_RECVTTL, libc::IP_RECVERR, libc::IP_MTU_DISCOVER),
        Family::V6 => {
            (libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT, libc::IPV6_RECVERR, libc::IPV6_MTU_DISCOVER)
        }
    };
    options::set(fd, level, ttl, 1i32)?;
    options::set(fd, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1i32)?;
    if errors {
        options::set(fd, level, recverr, 1i32)?;
    }
    // The values of IPv4 and IPv6 are alike: probe sets DF and ignores what is known of the path's MTU.
    let mode = match (key.dont_fragment, key.family) {
        (true, _) => libc::IP_PMTUDISC_PROBE,
        (false, Family::V4) => libc::IP_PMTUDISC_DONT,
        (false, Family::V6) => libc::IPV6_PMTUDISC_WANT,
    };
    options::set(fd, level, discover, mode)?;
    if key.dont_fragment && key.family == Family::V6 {
        options::set(fd, level, libc::IPV6_DONTFRAG, 1i32)?;
    }
    if key.kind == Kind::RawIcmp {
        receive_answers_only(fd, key.family)?;
    }
    place(&socket, key)?;
    number_stamps(fd)?;
    Ok(socket)
}

/// Ties a socket to the interface and source address it was asked for.
fn place(socket: &Socket, key: &Key) -> io::Result<()> {
    if let Some(interface) = &key.interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    if key.source.is_some() || matches!(key.kind, Kind::Udp { .. }) {
        let source = key.source.unwrap_or_else(|| unspecified(key.family));
        socket.bind(&SockAddr::from(SocketAddr::new(source, 0)))?;
    }
    Ok(())
}

/// The kernel doubles what it is asked for, to make up for its own book-keeping.
pub(super) fn enlarge(socket: &Socket, bytes: usize) {
    let half = i32::try_from(bytes / 2).unwrap_or(i32::MAX / 2);
    if options::set(socket.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, half).is_err() {
        // Without CAP_NET_ADMIN up to net.core.rmem_max; the engine reads between any two batches it sends.
        let _ = socket.set_recv_buffer_size(bytes / 2);
    }
}

/// Tells the kernel which ICMP types a raw socket wants: replies and errors.
fn receive_answers_only(socket: BorrowedFd<'_>, family: Family) -> io::Result<()> {
    match family {
        Family::V4 => {
            let wanted: u32 = [0, 3, 4, 5, 11, 12].iter().map(|kind| 1u32 << kind).sum();
            options::set(socket, SOL_RAW, ICMP_FILTER, !wanted)
        }
        Family::V6 => {
            let mut blocked = [u32::MAX; 8];
            for kind in [1usize, 2, 3, 4, 129] {
                blocked[kind / 32] &= !(1 << (kind % 32));
            }
            options::set(socket, libc::IPPROTO_ICMPV6, ICMP_FILTER, blocked)
        }
    }
}

/// Turns stamps on and begins to number the stamped packets at zero.
pub(crate) fn number_stamps(socket: BorrowedFd<'_>) -> io::Result<()> {
    options::set(socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPING, 0u32)?;
    let flags = STAMP_RECEIVING | STAMP_SOFTWARE | STAMP_NUMBERED | STAMP_ALONE;
    options::set(socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPING, flags)
}

/// A UDP socket that is connected to `to` and placed as `key` says; it sends nothing.
fn connected(key: &Key, to: IpAddr) -> io::Result<Socket> {
    let socket = create(key.family, Kind::Udp { flow: 0 })?;
    place(&socket, &Key { kind: Kind::Udp { flow: 0 }, ..key.clone() })?;
    // The port plays no part in choosing a route.
    socket.connect(&SockAddr::from(SocketAddr::new(to, 9)))?;
    Ok(socket)
}

/// The address the kernel would send from.
pub(crate) fn source_for(key: &Key, to: IpAddr) -> io::Result<IpAddr> {
    let local = connected(key, to)?.local_addr()?;
    local.as_socket().map(|local| local.ip()).ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}

/// The MTU of the way to `to` as far as it is known, in bytes.
pub(crate) fn mtu(key: &Key, to: IpAddr) -> io::Result<u32> {
    let socket = connected(key, to)?;
    let (level, name) = match key.family {
        Family::V4 => (libc::IPPROTO_IP, libc::IP_MTU),
        Family::V6 => (libc::IPPROTO_IPV6, libc::IPV6_MTU),
    };
    options::get(socket.as_fd(), level, name)?.try_into().map_err(io::Error::other)
}
