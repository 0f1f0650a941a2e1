//! The IPv4 header (RFC 791).

use std::net::Ipv4Addr;

use crate::ip::Packet;
use crate::{Malformed, checksum, head};

const WHAT: &str = "IPv4 header";

pub(crate) fn parse(bytes: &[u8]) -> Result<Packet<'_>, Malformed> {
    let (header, _) = head::<20>(bytes, WHAT)?;
    let length = usize::from(header[0] & 0x0f) * 4;
    if length < 20 {
        return Err(Malformed::Field { what: WHAT, field: "header length" });
    }
    let rest = bytes.get(length..).ok_or(Malformed::Short { what: WHAT, have: bytes.len(), need: length })?;
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    // A length of 0 is left by segmentation offload; then everything that is there counts.
    let payload = if total >= length { rest.get(..total - length).unwrap_or(rest) } else { rest };
    Ok(Packet {
        source: Ipv4Addr::new(header[12], header[13], header[14], header[15]).into(),
        destination: Ipv4Addr::new(header[16], header[17], header[18], header[19]).into(),
        protocol: header[9],
        ttl: header[8],
        traffic_class: header[1],
        identification: u16::from_be_bytes([header[4], header[5]]),
        later_fragment: u16::from_be_bytes([header[6], header[7]]) & 0x1fff != 0,
        payload,
    })
}

pub(crate) fn write(
    packet: &Packet<'_>,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let total = u16::try_from(packet.payload.len() + 20)
        .map_err(|_| Malformed::Field { what: WHAT, field: "total length" })?;
    let mut header = [0; 20];
    header[0] = 0x45;
    header[1] = packet.traffic_class;
    header[2..4].copy_from_slice(&total.to_be_bytes());
    header[4..6].copy_from_slice(&packet.identification.to_be_bytes());
    header[8] = packet.ttl;
    header[9] = packet.protocol;
    header[12..16].copy_from_slice(&source.octets());
    header[16..20].copy_from_slice(&destination.octets());
    let checksum = checksum::of(&header);
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
    out.extend(header);
    out.extend(packet.payload);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [u8; 20] =
        [0x45, 0xb8, 0, 24, 0x12, 0x34, 0x40, 0, 57, 1, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2];

    #[test]
    fn every_field_is_read() {
        let mut bytes = Vec::from(HEADER);
        bytes.extend([1, 2, 3, 4, 5]);
        let packet = parse(&bytes).unwrap();
        assert_eq!(packet.source.to_string(), "192.0.2.1");
        assert_eq!(packet.destination.to_string(), "198.51.100.2");
        assert_eq!(
            (packet.protocol, packet.ttl, packet.traffic_class, packet.identification),
            (1, 57, 0xb8, 0x1234)
        );
        assert!(!packet.later_fragment);
        assert_eq!(packet.payload, [1, 2, 3, 4], "the length field ends the payload");
    }

    #[test]
    fn options_are_passed_over() {
        let mut bytes = Vec::from(HEADER);
        bytes[0] = 0x46;
        bytes[3] = 26;
        bytes.extend([7, 7, 7, 7, 9, 8]);
        assert_eq!(parse(&bytes).unwrap().payload, [9, 8]);
        assert_eq!(parse(&bytes[..22]), Err(Malformed::Short { what: WHAT, have: 22, need: 24 }));
    }

    #[test]
    fn a_header_shorter_than_itself_is_refused() {
        let mut bytes = HEADER;
        bytes[0] = 0x44;
        assert_eq!(parse(&bytes), Err(Malformed::Field { what: WHAT, field: "header length" }));
    }

    #[test]
    fn later_fragments_are_told() {
        let mut bytes = HEADER;
        bytes[7] = 1;
        assert!(parse(&bytes).unwrap().later_fragment);
    }
}
