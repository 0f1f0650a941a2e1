//! Batches of incoming packets: one system call for many.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::control::{self, Notes};
use super::send::{BATCH, empty_header};

/// What is read of a packet. An ICMP error is at most 576 bytes (IPv6: 1,280); of an echo reply the beginning suffices.
pub(crate) const LENGTH: usize = 1_280;
/// Room for a stamp (64), a lost count (24), a hop limit (24) and an error with its offender (64).
const CONTROL: usize = 192;
const NAME: usize = 32;

#[repr(align(8))]
struct Room {
    control: [u8; CONTROL],
    name: [u8; NAME],
    data: [u8; LENGTH],
}

#[derive(Clone, Copy, Default)]
struct Lengths {
    control: usize,
    name: usize,
    data: usize,
}

/// Which of a socket's two queues is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    /// Packets.
    Data,
    /// Send stamps and ICMP errors.
    Errors,
}

/// Buffers for one batch.
pub(crate) struct Batch {
    rooms: Vec<Room>,
    lengths: [Lengths; BATCH],
    count: usize,
}

/// One packet of a batch.
pub(crate) struct Packet<'a> {
    /// Its beginning.
    pub(crate) bytes: &'a [u8],
    /// Its whole length where the socket tells it: datagram sockets of ICMP do not.
    pub(crate) length: usize,
    /// Who sent it; on the error queue, where the packet that failed was going.
    pub(crate) name: Option<SocketAddr>,
    /// What the kernel says beside it.
    pub(crate) notes: Notes,
}

impl Batch {
    pub(crate) fn new() -> Self {
        let rooms = (0..BATCH).map(|_| Room { control: [0; _], name: [0; _], data: [0; _] }).collect();
        Self { rooms, lengths: [Lengths::default(); _], count: 0 }
    }

    /// Reads what is there, and tells whether there may be more.
    ///
    /// # Errors
    /// Whatever the kernel says but that the queue is empty. An ICMP error that waits on the error queue is told
    /// here too, once, and is no reason to stop reading.
    pub(crate) fn receive(&mut self, socket: BorrowedFd<'_>, queue: Queue) -> io::Result<bool> {
        self.count = 0;
        let mut vectors = [libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; BATCH];
        let mut headers = [const { empty_header() }; BATCH];
        for ((room, vector), header) in self.rooms.iter_mut().zip(&mut vectors).zip(&mut headers) {
            *vector = libc::iovec { iov_base: room.data.as_mut_ptr().cast(), iov_len: LENGTH };
            header.msg_hdr.msg_name = room.name.as_mut_ptr().cast();
            header.msg_hdr.msg_namelen = NAME as libc::socklen_t;
            header.msg_hdr.msg_iov = ptr::from_mut(vector);
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = room.control.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = CONTROL as _;
        }
        let flags = match queue {
            // The length of a packet is told even where its end is cut off.
            Queue::Data => libc::MSG_DONTWAIT | libc::MSG_TRUNC,
            Queue::Errors => libc::MSG_DONTWAIT | libc::MSG_ERRQUEUE,
        };
        // SAFETY: every header points to a name, a vector and a control buffer of the lengths given beside them, in
        // `self.rooms` and `vectors`, which neither move nor end before the call returns; there is no timeout.
        let count = unsafe {
            libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), BATCH as u32, flags, ptr::null_mut())
        };
        let Ok(count) = usize::try_from(count) else {
            let error = io::Error::last_os_error();
            let empty = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted);
            return if empty { Ok(false) } else { Err(error) };
        };
        for (lengths, header) in self.lengths.iter_mut().zip(&headers).take(count) {
            *lengths = Lengths {
                control: length(header.msg_hdr.msg_controllen),
                name: length(header.msg_hdr.msg_namelen),
                data: length(header.msg_len),
            };
        }
        self.count = count;
        Ok(count == BATCH)
    }

    /// How many packets were read.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The packets that were read.
    pub(crate) fn packets(&self) -> impl Iterator<Item = Packet<'_>> {
        self.rooms.iter().zip(&self.lengths).take(self.count).map(|(room, lengths)| Packet {
            bytes: &room.data[..lengths.data.min(LENGTH)],
            length: lengths.data,
            name: control::address(&room.name[..lengths.name.min(NAME)]),
            notes: Notes::parse(&room.control[..lengths.control.min(CONTROL)]),
        })
    }
}

/// A length of the C library, whose type differs among libraries.
fn length(length: impl TryInto<usize>) -> usize {
    length.try_into().unwrap_or(0)
}
