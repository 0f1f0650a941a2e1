//! Where requests come in: TCP ports, with or without TLS, and Unix sockets.

pub mod certificate;
mod serve;
#[cfg(test)]
mod tests;
mod tls;

use std::net::{IpAddr, SocketAddr};

use tokio::net::{TcpListener, UnixListener};

pub(crate) use self::serve::{Room, serve};
pub use self::tls::Tls;

/// Who is at the other end of a connection, as [`axum::extract::ConnectInfo`] of its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address; none at the other end of a Unix socket.
    pub address: Option<SocketAddr>,
    /// True when the connection itself is encrypted.
    pub tls: bool,
}

impl Peer {
    /// Its address without the port, IPv4 as itself however it came.
    pub(crate) fn ip(self) -> Option<IpAddr> {
        self.address.map(|address| address.ip().to_canonical())
    }
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self { address: Some(address), tls: false }
    }
}

/// A place where connections come in.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    tls: Option<Tls>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// A TCP port that speaks HTTP.
    pub fn tcp(listener: TcpListener) -> Self {
        Self { socket: Socket::Tcp(listener), tls: None }
    }

    /// A TCP port that speaks HTTPS.
    pub fn tls(listener: TcpListener, tls: Tls) -> Self {
        Self { socket: Socket::Tcp(listener), tls: Some(tls) }
    }

    /// A Unix socket that speaks HTTP.
    pub fn unix(listener: UnixListener) -> Self {
        Self { socket: Socket::Unix(listener), tls: None }
    }
}
