//! What the kernel knows of links, addresses, routes and neighbours, asked by rtnetlink (RFC 3549).

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ipnet::IpNet;
use socket2::{Domain, Protocol, Socket, Type};

/// linux/netlink.h.
const NETLINK_ROUTE: i32 = 0;
const REQUEST_DUMP: u16 = 0x0301;
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// linux/rtnetlink.h.
const NEW_LINK: u16 = 16;
const GET_LINK: u16 = 18;
const NEW_ADDRESS: u16 = 20;
const GET_ADDRESS: u16 = 22;
const NEW_ROUTE: u16 = 24;
const GET_ROUTE: u16 = 26;
const NEW_NEIGHBOUR: u16 = 28;
const GET_NEIGHBOUR: u16 = 30;
/// linux/if.h.
const UP: u32 = 1 << 0;
const LOOPBACK: u32 = 1 << 3;
const NO_ARP: u32 = 1 << 7;
const LOWER_UP: u32 = 1 << 16;
/// linux/if_arp.h.
const ETHERNET: u16 = 1;
/// linux/neighbour.h: reachable, stale, delay, probe, permanent. Others say nothing of somebody being there.
const THERE: u16 = 0x02 | 0x04 | 0x08 | 0x10 | 0x80;
const REACHABLE: u16 = 0x02;
const ROUTER: u8 = 0x80;
/// Room for one answer; the kernel fills at most 32 KiB at once.
const ROOM: usize = 64 * 1024;
/// Answers of one dump at most, so that it ends whatever comes.
const MOST_ANSWERS: usize = 4_096;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// An interface of this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interface {
    pub(crate) index: u32,
    pub(crate) name: String,
    /// Its hardware address, when it is one of Ethernet.
    pub(crate) mac: Option<[u8; 6]>,
    /// It is switched on and has a carrier.
    pub(crate) up: bool,
    pub(crate) loopback: bool,
    /// ARP and neighbour discovery are spoken on it.
    pub(crate) resolves: bool,
    /// Its own addresses with the length of their prefixes.
    pub(crate) addresses: Vec<IpNet>,
}

/// What the kernel knows of a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Neighbour {
    pub(crate) address: IpAddr,
    pub(crate) mac: [u8; 6],
    pub(crate) router: bool,
    /// It was heard of just now.
    pub(crate) reachable: bool,
}

/// The way to everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DefaultRoute {
    pub(crate) interface: u32,
    pub(crate) gateway: IpAddr,
    pub(crate) metric: u32,
}

/// Interfaces with their addresses, by index.
///
/// # Errors
/// What the kernel says.
pub(crate) fn interfaces() -> io::Result<Vec<Interface>> {
    let mut all = Vec::new();
    dump(NETLINK_ROUTE, GET_LINK, &[0; 16], |kind, body| all.extend(interface(kind, body)))?;
    dump(NETLINK_ROUTE, GET_ADDRESS, &[0; 8], |kind, body| {
        if let Some((index, own)) = own_address(kind, body)
            && let Some(interface) = all.iter_mut().find(|one: &&mut Interface| one.index == index)
        {
            interface.addresses.push(own);
        }
    })?;
    Ok(all)
}

/// Default routes with a gateway, the preferred first.
///
/// # Errors
/// What the kernel says.
pub(crate) fn default_routes() -> io::Result<Vec<DefaultRoute>> {
    let mut all = Vec::new();
    dump(NETLINK_ROUTE, GET_ROUTE, &[0; 12], |kind, body| all.extend(default_route(kind, body)))?;
    all.sort_by_key(|route| route.metric);
    Ok(all)
}

/// Neighbours that were there when they were last heard of.
///
/// # Errors
/// What the kernel says.
pub(crate) fn neighbours() -> io::Result<Vec<Neighbour>> {
    let mut all = Vec::new();
    dump(NETLINK_ROUTE, GET_NEIGHBOUR, &[0; 12], |kind, body| all.extend(neighbour(kind, body)))?;
    Ok(all)
}

/// Asks a protocol of netlink for everything of a kind.
///
/// # Errors
/// What the kernel says.
pub(super) fn dump(
    protocol: i32,
    kind: u16,
    body: &[u8],
    mut each: impl FnMut(u16, &[u8]),
) -> io::Result<()> {
    let mut socket =
        Socket::new(Domain::from(libc::AF_NETLINK), Type::RAW.cloexec(), Some(Protocol::from(protocol)))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let length = 16 + body.len();
    let mut request = Vec::with_capacity(length);
    request.extend(u32::try_from(length).unwrap_or(0).to_ne_bytes());
    request.extend(kind.to_ne_bytes());
    request.extend(REQUEST_DUMP.to_ne_bytes());
    // Neither a number of this request nor an address of ours is needed.
    request.extend([0; 8]);
    request.extend(body);
    socket.write_all(&request)?;
    let mut room = vec![0; ROOM];
    for _ in 0..MOST_ANSWERS {
        let read = socket.read(&mut room)?;
        if let Some(end) = messages(room.get(..read).unwrap_or_default(), &mut each) {
            return end;
        }
    }
    Err(io::Error::other("the kernel's answer does not end"))
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Hands out the messages of an answer; tells how the dump ended when it did.
fn messages(mut bytes: &[u8], each: &mut impl FnMut(u16, &[u8])) -> Option<io::Result<()>> {
    while let (Some(length), Some(kind)) = (u32_at(bytes, 0), u16_at(bytes, 4)) {
        let length = usize::try_from(length).ok()?;
        let body = bytes.get(16..length)?;
        match kind {
            DONE => return Some(Ok(())),
            ERROR => {
                let code = u32_at(body, 0).map_or(0, |code| (code as i32).wrapping_neg());
                return Some(Err(io::Error::from_raw_os_error(code)));
            }
            _ => each(kind, body),
        }
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    None
}

/// Hands out the attributes behind a message's fixed part.
pub(super) fn attributes(body: &[u8], fixed: usize, mut each: impl FnMut(u16, &[u8])) {
    let mut bytes = body.get(fixed..).unwrap_or_default();
    while let (Some(length), Some(kind)) = (u16_at(bytes, 0), u16_at(bytes, 2)) {
        let length = usize::from(length);
        let Some(data) = bytes.get(4..length) else { return };
        each(kind & 0x3fff, data);
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}

fn address(data: &[u8]) -> Option<IpAddr> {
    match data.len() {
        4 => data.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets).into()),
        16 => data.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets).into()),
        _ => None,
    }
}

fn interface(kind: u16, body: &[u8]) -> Option<Interface> {
    if kind != NEW_LINK {
        return None;
    }
    let (hardware, index, flags) = (u16_at(body, 2)?, u32_at(body, 4)?, u32_at(body, 8)?);
    let mut found = Interface {
        index,
        up: flags & UP != 0 && flags & LOWER_UP != 0,
        loopback: flags & LOOPBACK != 0,
        resolves: hardware == ETHERNET && flags & NO_ARP == 0,
        ..Interface::default()
    };
    attributes(body, 16, |kind, data| match kind {
        1 if hardware == ETHERNET => found.mac = data.try_into().ok(),
        3 => found.name = String::from_utf8_lossy(data).trim_end_matches('\0').to_owned(),
        _ => {}
    });
    Some(found)
}

fn own_address(kind: u16, body: &[u8]) -> Option<(u32, IpNet)> {
    if kind != NEW_ADDRESS {
        return None;
    }
    let (length, index) = (*body.get(1)?, u32_at(body, 4)?);
    let (mut peer, mut local) = (None, None);
    attributes(body, 8, |kind, data| match kind {
        1 => peer = address(data),
        2 => local = address(data),
        _ => {}
    });
    Some((index, IpNet::new(local.or(peer)?, length).ok()?))
}

fn default_route(kind: u16, body: &[u8]) -> Option<DefaultRoute> {
    // Unicast routes to everywhere.
    if kind != NEW_ROUTE || *body.get(1)? != 0 || *body.get(7)? != 1 {
        return None;
    }
    let (mut gateway, mut interface, mut metric) = (None, None, 0);
    attributes(body, 12, |kind, data| match kind {
        4 => interface = u32_at(data, 0),
        5 => gateway = address(data),
        6 => metric = u32_at(data, 0).unwrap_or(0),
        _ => {}
    });
    Some(DefaultRoute { interface: interface?, gateway: gateway?, metric })
}

fn neighbour(kind: u16, body: &[u8]) -> Option<Neighbour> {
    if kind != NEW_NEIGHBOUR || u16_at(body, 8)? & THERE == 0 {
        return None;
    }
    let (mut found, mut mac) = (None, None);
    attributes(body, 12, |kind, data| match kind {
        1 => found = address(data),
        2 => mac = <[u8; 6]>::try_from(data).ok(),
        _ => {}
    });
    let router = body.get(10)? & ROUTER != 0;
    let reachable = u16_at(body, 8)? & REACHABLE != 0;
    Some(Neighbour { address: found?, mac: mac?, router, reachable })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attribute(kind: u16, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + data.len()).unwrap();
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn this_machine_has_a_loopback() {
        let all = interfaces().unwrap();
        let loopback = all.iter().find(|one| one.loopback).expect("a loopback interface");
        assert!(!loopback.resolves && !loopback.name.is_empty());
        default_routes().unwrap();
        neighbours().unwrap();
    }

    #[test]
    fn a_neighbour_counts_when_it_was_there() {
        let body = |state: u16| {
            let mut body = vec![2, 0, 0, 0, 7, 0, 0, 0];
            body.extend(state.to_ne_bytes());
            body.extend([ROUTER, 0]);
            body.extend(attribute(1, &[192, 0, 2, 1]));
            body.extend(attribute(2, &[0, 0, 0x5e, 0, 0x53, 1]));
            body
        };
        let found = neighbour(NEW_NEIGHBOUR, &body(0x02)).unwrap();
        assert_eq!((found.address, found.router, found.reachable), ([192, 0, 2, 1].into(), true, true));
        assert_eq!(neighbour(NEW_NEIGHBOUR, &body(0x20)), None, "failed");
        assert_eq!(neighbour(NEW_NEIGHBOUR, &body(0x01)), None, "incomplete");
    }

    #[test]
    fn an_error_ends_a_dump() {
        let mut bytes = [20_u32.to_ne_bytes(), [2, 0, 0, 0], [0; 4], [0; 4]].concat();
        bytes.extend((-1_i32).to_ne_bytes());
        let end = messages(&bytes, &mut |_, _| {});
        assert_eq!(end.unwrap().unwrap_err().raw_os_error(), Some(1));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(kind in 14u16..32, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = messages(&bytes, &mut |_, _| {});
            let _ = interface(kind, &bytes);
            let _ = own_address(kind, &bytes);
            let _ = default_route(kind, &bytes);
            let _ = neighbour(kind, &bytes);
        }
    }
}
