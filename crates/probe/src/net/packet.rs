//! Packet sockets: whole frames of one Ethernet interface.

use std::io;
use std::mem::size_of;
use std::os::fd::AsFd;

use socket2::{Domain, SockAddr, SockAddrStorage, Socket, Type};

use super::control::{STAMP_RECEIVING, STAMP_SOFTWARE};
use super::{filter, options, socket};

/// Every protocol (linux/if_ether.h).
const EVERYTHING: u16 = 0x0003;
/// Frames that this machine sends are not received (linux/if_packet.h).
const PACKET_IGNORE_OUTGOING: libc::c_int = 23;
/// Room for answers that come at once, in bytes: those of a /16 whose hosts all answer.
const RECEIVE_BUFFER: usize = 16 << 20;

/// What is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hears {
    /// Answers, and what comes to this machine anyway.
    Answers,
    /// Also what is sent to groups, with what devices say of themselves in it.
    Everything,
}

/// Whether this process may open packet sockets at all.
///
/// # Errors
/// What the kernel says.
pub(crate) fn possible() -> io::Result<()> {
    Socket::new(Domain::PACKET, Type::RAW.cloexec(), None).map(drop)
}

/// A socket for the frames of an interface. Needs CAP_NET_RAW.
///
/// # Errors
/// What the kernel says.
pub(crate) fn open(interface: u32, hears: Hears) -> io::Result<Socket> {
    // Without a protocol it hears nothing until it is bound, when its filter is in place.
    let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking().cloexec(), None)?;
    let fd = socket.as_fd();
    filter::attach_link(fd, hears == Hears::Everything)?;
    socket::enlarge(&socket, RECEIVE_BUFFER);
    options::set(fd, libc::SOL_PACKET, libc::PACKET_AUXDATA, 1i32)?;
    options::set(fd, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1i32)?;
    options::set(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPING, STAMP_RECEIVING | STAMP_SOFTWARE)?;
    // Kernels before 4.20 do not know it; then our own frames are passed over by their source.
    let _ = options::set(fd, libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, 1i32);
    if hears == Hears::Everything {
        let request = libc::packet_mreq {
            mr_ifindex: i32::try_from(interface).map_err(io::Error::other)?,
            mr_type: libc::PACKET_MR_ALLMULTI as libc::c_ushort,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        options::set(fd, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, request)?;
    }
    socket.bind(&place(interface)?)?;
    Ok(socket)
}

/// All frames of an interface.
fn place(interface: u32) -> io::Result<SockAddr> {
    let name = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as libc::c_ushort,
        sll_protocol: EVERYTHING.to_be(),
        sll_ifindex: i32::try_from(interface).map_err(io::Error::other)?,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: the storage is larger than every address of a socket and as well aligned, and an address of this kind
    // is integers only.
    unsafe { *storage.view_as::<libc::sockaddr_ll>() = name };
    // SAFETY: the storage holds an address of the family that it names, in as many bytes.
    Ok(unsafe { SockAddr::new(storage, size_of::<libc::sockaddr_ll>() as libc::socklen_t) })
}
