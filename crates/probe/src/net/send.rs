//! Batches of outgoing packets: one system call for many.

use std::io;
use std::mem::size_of;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::control;

/// Packets in a batch at most.
pub(crate) const BATCH: usize = 64;
/// Bytes of packets in a batch, unless one packet alone is longer.
const ARENA: usize = 128 * 1024;

#[derive(Clone, Copy)]
enum Name {
    /// The socket is bound to where its packets go.
    None,
    V4(libc::sockaddr_in),
    V6(libc::sockaddr_in6),
}

impl Name {
    fn new(to: SocketAddr) -> Self {
        match to {
            SocketAddr::V4(to) => Name::V4(libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: to.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(to.ip().octets()) },
                sin_zero: [0; 8],
            }),
            SocketAddr::V6(to) => Name::V6(libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: to.port().to_be(),
                sin6_flowinfo: 0,
                sin6_addr: libc::in6_addr { s6_addr: to.ip().octets() },
                sin6_scope_id: to.scope_id(),
            }),
        }
    }

    fn pointer(&mut self) -> (*mut libc::c_void, libc::socklen_t) {
        match self {
            Name::None => (ptr::null_mut(), 0),
            Name::V4(name) => (ptr::from_mut(name).cast(), size_of::<libc::sockaddr_in>() as libc::socklen_t),
            Name::V6(name) => {
                (ptr::from_mut(name).cast(), size_of::<libc::sockaddr_in6>() as libc::socklen_t)
            }
        }
    }
}

struct Packet {
    name: Name,
    control: control::Outgoing,
    start: usize,
    end: usize,
}

/// Packets that wait to be sent through one socket, in order.
#[derive(Default)]
pub(crate) struct Batch {
    packets: Vec<Packet>,
    /// Packets before this one have left.
    sent: usize,
    arena: Vec<u8>,
}

impl Batch {
    /// Appends a packet that `write` appends to the buffer it is given, and tells how many bytes that were.
    pub(crate) fn push(
        &mut self,
        to: SocketAddr,
        control: control::Outgoing,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> usize {
        self.append(Name::new(to), control, write)
    }

    /// Appends a frame for a packet socket, which leaves by the interface that the socket is bound to.
    pub(crate) fn push_frame(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        self.append(Name::None, control::Outgoing::default(), write)
    }

    fn append(&mut self, name: Name, control: control::Outgoing, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        let start = self.arena.len();
        write(&mut self.arena);
        let end = self.arena.len();
        self.packets.push(Packet { name, control, start, end });
        end - start
    }

    /// How many packets wait.
    pub(crate) fn len(&self) -> usize {
        self.packets.len() - self.sent
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// True when it should be sent before more is appended.
    pub(crate) fn is_full(&self) -> bool {
        self.packets.len() >= BATCH || self.arena.len() >= ARENA
    }

    /// Gives up the first packet that has not left; clears the batch when it was the last.
    pub(crate) fn skip(&mut self) {
        self.advance(1);
    }

    fn advance(&mut self, packets: usize) {
        self.sent += packets;
        if self.sent >= self.packets.len() {
            self.packets.clear();
            self.arena.clear();
            self.sent = 0;
        }
    }

    /// Sends what waits, and tells how many packets left before the kernel stopped.
    ///
    /// # Errors
    /// When the first packet that waits could not be sent.
    pub(crate) fn send(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        let mut vectors = [libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; BATCH];
        let mut headers = [const { empty_header() }; BATCH];
        let mut count = 0;
        let waiting = self.packets.get_mut(self.sent..).unwrap_or_default();
        for ((packet, vector), header) in waiting.iter_mut().zip(&mut vectors).zip(&mut headers) {
            let Some(bytes) = self.arena.get_mut(packet.start..packet.end) else { break };
            *vector = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
            let (name, name_length) = packet.name.pointer();
            let control = packet.control.filled();
            header.msg_hdr.msg_name = name;
            header.msg_hdr.msg_namelen = name_length;
            header.msg_hdr.msg_iov = ptr::from_mut(vector);
            header.msg_hdr.msg_iovlen = 1;
            if !control.is_empty() {
                header.msg_hdr.msg_control = control.as_mut_ptr().cast();
                header.msg_hdr.msg_controllen = control.len() as _;
            }
            count += 1;
        }
        if count == 0 {
            return Ok(0);
        }
        // SAFETY: the first `count` headers point to names, vectors and control messages of the lengths given beside
        // them, in `self` and in `vectors`, none of which moves or ends before the call returns.
        let sent = unsafe {
            libc::sendmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                count,
                libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
            )
        };
        let sent = usize::try_from(sent).map_err(|_| io::Error::last_os_error())?;
        self.advance(sent);
        Ok(sent)
    }
}

pub(super) const fn empty_header() -> libc::mmsghdr {
    // SAFETY: a message header is integers and pointers, for all of which zero is a valid value.
    unsafe { std::mem::zeroed() }
}
