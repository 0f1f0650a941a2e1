//! The sockets in use. A few serve all work; those with a source, an interface or a flow of their own are closed
//! when nobody uses them any more.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};

use netwark_packet::ip::Family;
use socket2::Socket;

use super::flight::Handle;
use super::stamps::Expected;
use crate::net::filter::{self, Ours};
use crate::net::send;
use crate::net::socket::{self, Key, Kind};

/// An open socket and what waits to be sent through it.
pub(super) struct Port {
    pub(super) key: Key,
    socket: Socket,
    pub(super) batch: send::Batch,
    /// The probes in `batch`, and whether each is to be stamped.
    pub(super) pending: VecDeque<(Handle, bool)>,
    /// Packets whose send stamp has not come yet.
    pub(super) expected: Expected,
    /// ICMP errors come on its error queue.
    pub(super) errors: bool,
    /// It only sends.
    pub(super) deaf: bool,
    /// Its own port or id, host byte order; 0 for raw sockets.
    pub(super) number: u16,
    /// Until when the kernel's queue is taken to be full, monotonic nanoseconds.
    pub(super) blocked_until: u64,
    /// Answers it has lost so far.
    pub(super) lost: u32,
    users: usize,
}

impl Port {
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Sends what waits; see [`send::Batch::send`].
    pub(super) fn send(&mut self) -> io::Result<usize> {
        self.batch.send(self.socket.as_fd())
    }
}

/// All open sockets.
pub(super) struct Ports {
    list: Vec<Option<Port>>,
    by_key: HashMap<Key, usize>,
    ours: Ours,
    receive_buffer: usize,
}

impl Ports {
    pub(super) fn new(icmp_ids: u16, tcp_ports: u16, receive_buffer: usize) -> Self {
        let ours = Ours { icmp_ids, tcp_ports, udp_ports: Vec::new() };
        Self { list: Vec::new(), by_key: HashMap::new(), ours, receive_buffer }
    }

    /// First of the block of ids that are ours.
    pub(super) fn icmp_ids(&self) -> u16 {
        self.ours.icmp_ids
    }

    /// First of the block of TCP ports that are ours.
    pub(super) fn tcp_ports(&self) -> u16 {
        self.ours.tcp_ports
    }

    /// Whether a UDP port is one of ours.
    pub(super) fn is_udp_port(&self, port: u16) -> bool {
        self.ours.udp_ports.contains(&port)
    }

    pub(super) fn get(&self, index: usize) -> Option<&Port> {
        self.list.get(index)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Port> {
        self.list.get_mut(index)?.as_mut()
    }

    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &Port)> {
        self.list.iter().enumerate().filter_map(|(index, port)| Some((index, port.as_ref()?)))
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Port> {
        self.list.iter_mut().flatten()
    }

    /// The socket for this key, opened if need be; [`Ports::release`] gives it back. `raw` says that raw ICMP sockets
    /// hear the errors, so that error queues need not.
    ///
    /// # Errors
    /// When it cannot be opened, with what the kernel says.
    pub(super) fn acquire(&mut self, key: &Key, raw: bool) -> io::Result<usize> {
        if raw {
            // Whatever is sent, errors come here; and so do the answers to sockets that only send.
            self.open(&Key::plain(key.family, Kind::RawIcmp), raw)?;
        }
        if key.kind == Kind::RawTcp {
            self.open(&Key::plain(key.family, Kind::RawTcp), raw)?;
        }
        let index = self.open(key, raw)?;
        if let Some(port) = self.get_mut(index) {
            port.users += 1;
        }
        Ok(index)
    }

    fn open(&mut self, key: &Key, raw: bool) -> io::Result<usize> {
        if let Some(index) = self.by_key.get(key) {
            return Ok(*index);
        }
        let errors = match key.kind {
            Kind::RawIcmp | Kind::RawTcp => false,
            Kind::IcmpDatagram => true,
            Kind::Udp { .. } => !raw,
        };
        let socket = socket::open(key, self.receive_buffer, errors)?;
        let number = match key.kind {
            Kind::RawIcmp | Kind::RawTcp => 0,
            _ => socket.local_addr()?.as_socket().map_or(0, |local| local.port()),
        };
        let plain = *key == Key::plain(key.family, key.kind);
        let deaf = matches!(key.kind, Kind::RawIcmp | Kind::RawTcp) && !plain;
        if deaf {
            filter::attach_deaf(socket.as_fd())?;
        }
        let port = Port {
            key: key.clone(),
            socket,
            batch: send::Batch::default(),
            pending: VecDeque::new(),
            expected: Expected::default(),
            errors,
            deaf,
            number,
            blocked_until: 0,
            lost: 0,
            users: 0,
        };
        let index = self.list.iter().position(Option::is_none).unwrap_or(self.list.len());
        if index == self.list.len() {
            self.list.push(None);
        }
        if let Some(place) = self.list.get_mut(index) {
            *place = Some(port);
        }
        self.by_key.insert(key.clone(), index);
        self.refilter(key)?;
        Ok(index)
    }

    /// Gives a socket back, and closes it when it was asked for by nobody else and is of no common use.
    pub(super) fn release(&mut self, index: usize) {
        let Some(port) = self.get_mut(index) else { return };
        port.users = port.users.saturating_sub(1);
        let common = port.key.source.is_none()
            && port.key.interface.is_none()
            && !matches!(port.key.kind, Kind::Udp { flow: 1.. });
        if port.users > 0 || common {
            return;
        }
        let key = port.key.clone();
        self.by_key.remove(&key);
        if let Some(place) = self.list.get_mut(index) {
            *place = None;
        }
        if let Err(error) = self.refilter(&key) {
            tracing::warn!(%error, "failed to replace a socket filter; foreign packets are dropped later than need be");
        }
    }

    /// Lets the filters know what has become ours, or is no longer.
    fn refilter(&mut self, changed: &Key) -> io::Result<()> {
        let udp = |port: &Port| matches!(port.key.kind, Kind::Udp { .. }).then_some(port.number);
        self.ours.udp_ports = self.list.iter().flatten().filter_map(udp).collect();
        for port in self.list.iter().flatten().filter(|port| !port.deaf) {
            match (port.key.kind, changed.kind) {
                (Kind::RawIcmp, Kind::RawIcmp | Kind::Udp { .. }) => {
                    filter::attach_icmp(port.fd(), port.key.family, &self.ours)?;
                }
                (Kind::RawTcp, Kind::RawTcp) => filter::attach_tcp(port.fd(), port.key.family, &self.ours)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether any packet still waits for its stamp.
    pub(super) fn any_expected(&self) -> bool {
        self.list.iter().flatten().any(|port| !port.expected.is_empty())
    }
}

/// Why a socket could not be opened, for people.
pub(super) fn refusal(key: &Key, error: &io::Error) -> String {
    match (error.raw_os_error(), &key.interface, key.source) {
        (Some(libc::ENODEV), Some(interface), _) => format!("there is no interface {interface}"),
        (Some(libc::EADDRNOTAVAIL), _, Some(source)) => {
            format!("source address {source} does not belong to this machine")
        }
        (Some(libc::EINVAL | libc::EAFNOSUPPORT), _, Some(source)) if Family::of(source) != key.family => {
            format!("source address {source} is of the other IP version than the target")
        }
        (Some(libc::EAFNOSUPPORT), ..) => "this machine has no such IP version".into(),
        _ => format!("no socket: {error}"),
    }
}

/// Why a packet could not be sent, for people.
pub(super) fn unsent(key: &Key, to: IpAddr, error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EMSGSIZE) => match socket::mtu(key, to) {
            Ok(mtu) => format!("message too long, mtu {mtu}"),
            Err(_) => "message too long".into(),
        },
        Some(libc::ENETUNREACH) => "network is unreachable: no route from this machine".into(),
        Some(libc::EHOSTUNREACH) => "no route to host".into(),
        Some(libc::EPERM) => "not permitted: a firewall on this machine forbids it".into(),
        Some(libc::EACCES) => "not permitted: a broadcast address, or forbidden by a route".into(),
        Some(libc::EADDRNOTAVAIL) => "this machine has no address to send from".into(),
        Some(libc::EINVAL) if is_link_local(to) && key.interface.is_none() => {
            "a link-local address needs an interface".into()
        }
        Some(libc::EINVAL) if key.source.is_some() => "not possible from this source address".into(),
        _ => error.to_string(),
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}
