//! Neighbour discovery for IPv6 (RFC 4861), with the resolvers of RFC 8106.

use std::net::Ipv6Addr;

use crate::checksum::Sum;
use crate::ip::{self, Packet};
use crate::{Malformed, head, protocol};

const WHAT: &str = "neighbour discovery message";
const ROUTER_SOLICITATION: u8 = 133;
const ROUTER_ADVERTISEMENT: u8 = 134;
const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
const SOURCE_LINK_ADDRESS: u8 = 1;
const TARGET_LINK_ADDRESS: u8 = 2;
const PREFIX: u8 = 3;
const RESOLVERS: u8 = 25;
/// What messages of neighbour discovery travel with: less, and a router has passed them on.
pub const HOP_LIMIT: u8 = 255;
/// Options that are looked at.
const MOST_OPTIONS: usize = 64;
/// Every node of a link.
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Somebody looks for routers.
    RouterSolicitation {
        /// The sender's hardware address, when it says.
        mac: Option<[u8; 6]>,
    },
    /// A router says what it is.
    RouterAdvertisement(Advertisement),
    /// Somebody looks for a neighbour, or looks whether an address is free when it has none yet.
    NeighbourSolicitation {
        /// The address that is looked for.
        target: Ipv6Addr,
        /// The sender's hardware address, when it says.
        mac: Option<[u8; 6]>,
    },
    /// A neighbour says that it has an address.
    NeighbourAdvertisement {
        /// The address.
        target: Ipv6Addr,
        /// Its hardware address, when it says.
        mac: Option<[u8; 6]>,
        /// It is a router.
        router: bool,
        /// It was asked.
        solicited: bool,
    },
}

/// What a router says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advertisement {
    /// How long it offers to be the default router, in seconds; 0 when it does not.
    pub lifetime: u16,
    /// Its hardware address, when it says.
    pub mac: Option<[u8; 6]>,
    /// Prefixes of the link, with their lengths of at most 128.
    pub prefixes: Vec<(Ipv6Addr, u8)>,
    /// Resolvers.
    pub resolvers: Vec<Ipv6Addr>,
}

fn address(bytes: &[u8]) -> Option<Ipv6Addr> {
    bytes.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets))
}

/// Reads an ICMPv6 message. None when it is no neighbour discovery. The checksum is not looked at: it needs addresses.
///
/// # Errors
/// When it is cut, or an option has no length.
pub fn parse(bytes: &[u8]) -> Result<Option<Message>, Malformed> {
    let (header, body) = head::<8>(bytes, WHAT)?;
    let need = |need| Malformed::Short { what: WHAT, have: bytes.len(), need };
    match (header[0], header[1]) {
        (ROUTER_SOLICITATION, 0) => {
            let mac = link_address(body, SOURCE_LINK_ADDRESS)?;
            Ok(Some(Message::RouterSolicitation { mac }))
        }
        (ROUTER_ADVERTISEMENT, 0) => {
            let lifetime = u16::from_be_bytes([header[6], header[7]]);
            let options = body.get(8..).ok_or_else(|| need(16))?;
            Ok(Some(Message::RouterAdvertisement(advertisement(lifetime, options)?)))
        }
        (kind @ (NEIGHBOUR_SOLICITATION | NEIGHBOUR_ADVERTISEMENT), 0) => {
            let target = address(body).ok_or_else(|| need(24))?;
            if target.is_multicast() {
                return Err(Malformed::Field { what: WHAT, field: "target" });
            }
            let options = body.get(16..).unwrap_or_default();
            Ok(Some(match kind {
                NEIGHBOUR_SOLICITATION => Message::NeighbourSolicitation {
                    target,
                    mac: link_address(options, SOURCE_LINK_ADDRESS)?,
                },
                _ => Message::NeighbourAdvertisement {
                    target,
                    mac: link_address(options, TARGET_LINK_ADDRESS)?,
                    router: header[4] & 0x80 != 0,
                    solicited: header[4] & 0x40 != 0,
                },
            }))
        }
        _ => Ok(None),
    }
}

/// Calls `each` with the kind and the body of every option.
fn options(mut bytes: &[u8], mut each: impl FnMut(u8, &[u8])) -> Result<(), Malformed> {
    for _ in 0..MOST_OPTIONS {
        let Some(([kind, length], _)) = bytes.split_first_chunk::<2>() else { break };
        let length = usize::from(*length) * 8;
        if length == 0 {
            return Err(Malformed::Field { what: WHAT, field: "option length" });
        }
        let Some((option, rest)) = bytes.split_at_checked(length) else { break };
        each(*kind, option.get(2..).unwrap_or_default());
        bytes = rest;
    }
    Ok(())
}

fn link_address(bytes: &[u8], wanted: u8) -> Result<Option<[u8; 6]>, Malformed> {
    let mut mac = None;
    options(bytes, |kind, body| {
        if kind == wanted && body.len() == 6 {
            mac = body.first_chunk::<6>().copied();
        }
    })?;
    Ok(mac)
}

fn advertisement(lifetime: u16, bytes: &[u8]) -> Result<Advertisement, Malformed> {
    let mut said = Advertisement { lifetime, ..Advertisement::default() };
    options(bytes, |kind, body| match kind {
        SOURCE_LINK_ADDRESS if body.len() == 6 => said.mac = body.first_chunk::<6>().copied(),
        PREFIX => {
            let length = body.first().copied().filter(|length| *length <= 128);
            said.prefixes.extend(body.get(14..).and_then(address).zip(length));
        }
        RESOLVERS => {
            let addresses = body.get(6..).unwrap_or_default();
            said.resolvers.extend(addresses.chunks_exact(16).filter_map(address));
        }
        _ => {}
    })?;
    Ok(said)
}

/// The group in which who has an address is asked for it (RFC 4291, section 2.7.1).
#[must_use]
pub fn solicited_group(target: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = target.octets();
    let mut group = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0];
    group[13..].copy_from_slice(&[a, b, c]);
    group.into()
}

/// Appends an IPv6 packet that asks who has `target`, from an address with this hardware address.
pub fn write_solicitation(source: Ipv6Addr, mac: [u8; 6], target: Ipv6Addr, out: &mut Vec<u8>) {
    let mut message = vec![NEIGHBOUR_SOLICITATION, 0, 0, 0, 0, 0, 0, 0];
    message.extend(target.octets());
    if !source.is_unspecified() {
        message.extend([SOURCE_LINK_ADDRESS, 1]);
        message.extend(mac);
    }
    write_message(source, solicited_group(target), HOP_LIMIT, &mut message, out);
}

/// Appends an IPv6 packet with an ICMPv6 message whose checksum is filled in.
pub fn write_message(
    source: Ipv6Addr,
    destination: Ipv6Addr,
    hop_limit: u8,
    message: &mut [u8],
    out: &mut Vec<u8>,
) {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let pseudo = Sum::pseudo_header(source.into(), destination.into(), protocol::ICMPV6, length);
    if let Some(place) = message.get_mut(2..4) {
        place.fill(0);
    }
    let checksum = pseudo.bytes(message).checksum();
    if let Some(place) = message.get_mut(2..4) {
        place.copy_from_slice(&checksum.to_be_bytes());
    }
    let packet = Packet {
        source: source.into(),
        destination: destination.into(),
        protocol: protocol::ICMPV6,
        ttl: hop_limit,
        traffic_class: 0,
        identification: 0,
        later_fragment: false,
        payload: message,
    };
    // It fails only for payloads that no ICMPv6 message of ours reaches; then there is no packet.
    let _ = ip::write(&packet, out);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_router_says_what_it_is() {
        let mut bytes = vec![134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([1, 1, 0, 0, 0x5e, 0, 0x53, 1]);
        bytes.extend([3, 4, 64, 0xc0, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 0]);
        bytes.extend("2001:db8::".parse::<Ipv6Addr>().unwrap().octets());
        bytes.extend([25, 3, 0, 0, 0, 0, 0, 9]);
        bytes.extend("2001:db8::53".parse::<Ipv6Addr>().unwrap().octets());
        let said = Advertisement {
            lifetime: 0x0708,
            mac: Some([0, 0, 0x5e, 0, 0x53, 1]),
            prefixes: vec![("2001:db8::".parse().unwrap(), 64)],
            resolvers: vec!["2001:db8::53".parse().unwrap()],
        };
        assert_eq!(parse(&bytes), Ok(Some(Message::RouterAdvertisement(said))));
        bytes[17] = 0;
        assert!(parse(&bytes).is_err(), "an option without a length would be read for ever");
        assert!(parse(&bytes[..12]).is_err());
    }

    #[test]
    fn what_is_asked_is_read_and_verifies() {
        let (source, target): (Ipv6Addr, Ipv6Addr) =
            ("fe80::1".parse().unwrap(), "fe80::2:3".parse().unwrap());
        let mut bytes = Vec::new();
        write_solicitation(source, [2; 6], target, &mut bytes);
        let packet = ip::parse(&bytes).unwrap();
        assert_eq!((packet.destination, packet.ttl), (solicited_group(target).into(), HOP_LIMIT));
        let asked = Message::NeighbourSolicitation { target, mac: Some([2; 6]) };
        assert_eq!(parse(packet.payload), Ok(Some(asked)));
        let length = u32::try_from(packet.payload.len()).unwrap();
        let pseudo = Sum::pseudo_header(packet.source, packet.destination, protocol::ICMPV6, length);
        assert_eq!(pseudo.bytes(packet.payload).checksum(), 0);
        assert_eq!(solicited_group(target), "ff02::1:ff02:3".parse::<Ipv6Addr>().unwrap());
        assert_eq!(parse(&[128, 0, 0, 0, 0, 0, 0, 0]), Ok(None), "an echo request");
    }

    #[test]
    fn an_advertisement_says_whether_it_is_a_router() {
        let mut bytes = vec![136, 0, 0, 0, 0xe0, 0, 0, 0];
        bytes.extend("fe80::7".parse::<Ipv6Addr>().unwrap().octets());
        bytes.extend([2, 1, 1, 2, 3, 4, 5, 6]);
        let said = Message::NeighbourAdvertisement {
            target: "fe80::7".parse().unwrap(),
            mac: Some([1, 2, 3, 4, 5, 6]),
            router: true,
            solicited: true,
        };
        assert_eq!(parse(&bytes), Ok(Some(said)));
        bytes[8] = 0xff;
        assert!(parse(&bytes).is_err(), "nobody has a multicast address");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(kind in 132u8..138, bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = parse(&[&[kind, 0], bytes.as_slice()].concat());
            let _ = parse(&bytes);
        }
    }
}
