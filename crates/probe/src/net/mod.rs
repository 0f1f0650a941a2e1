//! The operating system below the engine: sockets, their options and filters, batches of packets, clocks.

#![expect(
    unsafe_code,
    reason = "system calls that no safe wrapper offers: sendmmsg, recvmmsg, socket options, madvise, mallopt"
)]

pub(crate) mod clock;
pub(crate) mod connect;
pub(crate) mod control;
pub(crate) mod filter;
pub(crate) mod memory;
pub(crate) mod netlink;
mod options;
pub(crate) mod packet;
pub(crate) mod receive;
pub(crate) mod send;
pub(crate) mod socket;
pub(crate) mod wireless;

pub(crate) use options::wake_precisely;
