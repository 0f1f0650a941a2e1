//! Sockets for connections of TCP, with the ICMP errors that end them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::control::QueuedError;
use super::options;
use super::receive::{Batch, Queue};

/// A socket that does not block and keeps the ICMP errors that it meets, bound to a source address if there is one.
pub(crate) fn open(to: SocketAddr, source: Option<IpAddr>) -> io::Result<Socket> {
    let domain = if to.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::STREAM.nonblocking().cloexec(), Some(Protocol::TCP))?;
    keep_errors(&socket, to.is_ipv4(), true)?;
    if let Some(source) = source {
        socket.bind(&SockAddr::from(SocketAddr::new(source, 0)))?;
    }
    Ok(socket)
}

/// Whether ICMP errors are kept. A connection that has come about must not end at any of them, as it would.
pub(crate) fn keep_errors(socket: &Socket, v4: bool, keep: bool) -> io::Result<()> {
    let (level, name) = match v4 {
        true => (libc::IPPROTO_IP, libc::IP_RECVERR),
        false => (libc::IPPROTO_IPV6, libc::IPV6_RECVERR),
    };
    options::set(socket.as_fd(), level, name, i32::from(keep))
}

/// The latest ICMP error that was kept.
pub(crate) fn kept_error(socket: &Socket) -> Option<QueuedError> {
    let mut batch = Batch::new();
    // Whatever else the queue says, the connection itself says too.
    let _ = batch.receive(socket.as_fd(), Queue::Errors);
    batch.packets().filter_map(|packet| packet.notes.error).last()
}
