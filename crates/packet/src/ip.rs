//! IPv4 and IPv6 headers behind one face.

use std::net::IpAddr;

use crate::{Malformed, ipv4, ipv6};

/// One of the two families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Family {
        if address.is_ipv4() { Family::V4 } else { Family::V6 }
    }
}

/// What an IP header says, extension headers of IPv6 already passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Sender.
    pub source: IpAddr,
    /// Receiver.
    pub destination: IpAddr,
    /// Protocol of the payload, as in [`crate::protocol`].
    pub protocol: u8,
    /// Time to live (IPv6: hop limit).
    pub ttl: u8,
    /// The DSCP and ECN byte (IPv4: type of service, IPv6: traffic class).
    pub traffic_class: u8,
    /// IPv4's identification; 0 for IPv6.
    pub identification: u16,
    /// True for every fragment but the first: its payload begins in the middle of something.
    pub later_fragment: bool,
    /// What follows the headers, as far as it is there: at most what the length field says, less when cut.
    pub payload: &'a [u8],
}

/// Reads a packet, possibly cut, of either family.
///
/// # Errors
/// When the version is neither 4 nor 6, or the headers are cut.
pub fn parse(bytes: &[u8]) -> Result<Packet<'_>, Malformed> {
    match bytes.first().map(|first| first >> 4) {
        Some(4) => ipv4::parse(bytes),
        Some(6) => ipv6::parse(bytes),
        Some(_) => Err(Malformed::Field { what: "IP header", field: "version" }),
        None => Err(Malformed::Short { what: "IP header", have: 0, need: 20 }),
    }
}

/// Appends header and payload to `out`. Lengths and IPv4's checksum are filled in.
///
/// # Errors
/// When the addresses are of two families or the payload is longer than the length field can say.
pub fn write(packet: &Packet<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    match (packet.source, packet.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => ipv4::write(packet, source, destination, out),
        (IpAddr::V6(source), IpAddr::V6(destination)) => ipv6::write(packet, source, destination, out),
        _ => Err(Malformed::Field { what: "IP header", field: "mix of families" }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn addresses() -> impl Strategy<Value = (IpAddr, IpAddr)> {
        prop_oneof![
            any::<([u8; 4], [u8; 4])>().prop_map(|(a, b)| (a.into(), b.into())),
            any::<([u8; 16], [u8; 16])>().prop_map(|(a, b)| (a.into(), b.into())),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            (source, destination) in addresses(), ttl: u8, traffic_class: u8, identification: u16,
            payload in proptest::collection::vec(any::<u8>(), 0..100), cut in 0..200usize,
        ) {
            let identification = if source.is_ipv4() { identification } else { 0 };
            let packet = Packet {
                source, destination, protocol: crate::protocol::UDP, ttl, traffic_class, identification,
                later_fragment: false, payload: &payload,
            };
            let mut bytes = Vec::new();
            write(&packet, &mut bytes).unwrap();
            bytes.extend([0xee; 7]);
            prop_assert_eq!(parse(&bytes), Ok(packet));

            let header = bytes.len() - payload.len() - 7;
            let kept = cut.min(bytes.len());
            match parse(&bytes[..kept]) {
                Ok(short) => prop_assert_eq!(short.payload, &payload[..(kept - header).min(payload.len())]),
                Err(_) => prop_assert!(kept < header),
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }

    #[test]
    fn families_are_not_mixed() {
        let packet = Packet {
            source: [192, 0, 2, 1].into(),
            destination: [0; 16].into(),
            protocol: 1,
            ttl: 1,
            traffic_class: 0,
            identification: 0,
            later_fragment: false,
            payload: &[],
        };
        assert!(write(&packet, &mut Vec::new()).is_err());
    }
}
