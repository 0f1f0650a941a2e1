//! The IPv6 header and its extension headers (RFC 8200).

use std::net::Ipv6Addr;

use crate::ip::Packet;
use crate::{Malformed, head};

const WHAT: &str = "IPv6 header";
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
/// More than any sane packet has; bounds the work on an absurd one.
const MOST_EXTENSIONS: usize = 16;

pub(crate) fn parse(bytes: &[u8]) -> Result<Packet<'_>, Malformed> {
    let (header, rest) = head::<40>(bytes, WHAT)?;
    let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let rest = rest.get(..length).unwrap_or(rest);
    let (protocol, later_fragment, payload) = skip_extensions(header[6], rest)?;
    let (source, destination) = addresses(header);
    Ok(Packet {
        source: source.into(),
        destination: destination.into(),
        protocol,
        ttl: header[7],
        traffic_class: header[0] << 4 | header[1] >> 4,
        identification: 0,
        later_fragment,
        payload,
    })
}

fn addresses(header: &[u8; 40]) -> (Ipv6Addr, Ipv6Addr) {
    let mut source = [0; 16];
    let mut destination = [0; 16];
    source.copy_from_slice(&header[8..24]);
    destination.copy_from_slice(&header[24..40]);
    (source.into(), destination.into())
}

/// Walks to the first header that is no extension: its protocol, whether the walk met a later fragment, its bytes.
fn skip_extensions(mut protocol: u8, mut bytes: &[u8]) -> Result<(u8, bool, &[u8]), Malformed> {
    const WHAT: &str = "IPv6 extension header";
    for _ in 0..MOST_EXTENSIONS {
        let length = match protocol {
            HOP_BY_HOP | ROUTING | DESTINATION | MOBILITY => 8 + 8 * extension_length(bytes)?,
            FRAGMENT => 8,
            AUTHENTICATION => 8 + 4 * extension_length(bytes)?,
            _ => return Ok((protocol, false, bytes)),
        };
        let (header, rest) = bytes.split_at_checked(length).ok_or(Malformed::Short {
            what: WHAT,
            have: bytes.len(),
            need: length,
        })?;
        let later = protocol == FRAGMENT && (header[2] != 0 || header[3] & 0xf8 != 0);
        protocol = header[0];
        bytes = rest;
        if later {
            return Ok((protocol, true, bytes));
        }
    }
    Err(Malformed::Field { what: WHAT, field: "number" })
}

fn extension_length(bytes: &[u8]) -> Result<usize, Malformed> {
    let (header, _) = head::<2>(bytes, "IPv6 extension header")?;
    Ok(usize::from(header[1]))
}

pub(crate) fn write(
    packet: &Packet<'_>,
    source: Ipv6Addr,
    destination: Ipv6Addr,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let length = u16::try_from(packet.payload.len())
        .map_err(|_| Malformed::Field { what: WHAT, field: "payload length" })?;
    let mut header = [0; 40];
    header[0] = 0x60 | packet.traffic_class >> 4;
    header[1] = packet.traffic_class << 4;
    header[4..6].copy_from_slice(&length.to_be_bytes());
    header[6] = packet.protocol;
    header[7] = packet.ttl;
    header[8..24].copy_from_slice(&source.octets());
    header[24..40].copy_from_slice(&destination.octets());
    out.extend(header);
    out.extend(packet.payload);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(next: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let packet = Packet {
            source: Ipv6Addr::LOCALHOST.into(),
            destination: Ipv6Addr::LOCALHOST.into(),
            protocol: next,
            ttl: 3,
            traffic_class: 0xb8,
            identification: 0,
            later_fragment: false,
            payload,
        };
        write(&packet, Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn extension_headers_are_passed_over() {
        let chain = [
            [60, 0, 1, 4, 0, 0, 0, 0].as_slice(), // hop by hop, then destination options of 16 bytes
            &[51, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // then authentication of 12 bytes
            &[44, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // then a first fragment
            &[58, 0, 0, 1, 0, 0, 0, 9],           // then ICMPv6
            &[128, 0, 1, 2],
        ]
        .concat();
        let bytes = packet(HOP_BY_HOP, &chain);
        let read = parse(&bytes).unwrap();
        assert_eq!(
            (read.protocol, read.payload, read.later_fragment),
            (58, [128, 0, 1, 2].as_slice(), false)
        );
        assert_eq!((read.ttl, read.traffic_class), (3, 0xb8));
    }

    #[test]
    fn a_cut_extension_is_an_error() {
        assert!(parse(&packet(HOP_BY_HOP, &[58, 4, 0, 0, 0, 0, 0, 0])).is_err());
        assert!(parse(&packet(ROUTING, &[58])).is_err());
    }

    #[test]
    fn later_fragments_are_told() {
        let bytes = packet(FRAGMENT, &[17, 0, 0, 0xb8, 0, 0, 0, 9, 1, 2, 3]);
        let read = parse(&bytes).unwrap();
        assert!(read.later_fragment);
        assert_eq!((read.protocol, read.payload), (17, [1, 2, 3].as_slice()));
    }

    #[test]
    fn an_endless_chain_ends() {
        let bytes = packet(HOP_BY_HOP, &[0; 8 * 20]);
        assert_eq!(parse(&bytes), Err(Malformed::Field { what: "IPv6 extension header", field: "number" }));
    }
}
