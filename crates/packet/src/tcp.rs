//! The TCP header (RFC 9293), as far as a prober needs it.

use crate::checksum::Sum;
use crate::{Malformed, head};

/// Length of a header without options in bytes.
pub const HEADER: usize = 20;

/// Flag: no more data from sender.
pub const FIN: u8 = 0x01;
/// Flag: synchronise sequence numbers.
pub const SYN: u8 = 0x02;
/// Flag: reset the connection.
pub const RST: u8 = 0x04;
/// Flag: the acknowledgement field counts.
pub const ACK: u8 = 0x10;

/// The first 8 bytes of a segment, which every ICMP error quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// Source port.
    pub source: u16,
    /// Destination port.
    pub destination: u16,
    /// Sequence number.
    pub sequence: u32,
}

/// A whole header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Ports and sequence number.
    pub beginning: Beginning,
    /// Acknowledgement number.
    pub acknowledgement: u32,
    /// Flags: [`FIN`], [`SYN`], [`RST`], [`ACK`] and the rest of that byte.
    pub flags: u8,
    /// Window, unscaled.
    pub window: u16,
}

/// Reads the part of a segment that every ICMP error quotes.
///
/// # Errors
/// When there are less than 8 bytes.
pub fn parse_beginning(bytes: &[u8]) -> Result<Beginning, Malformed> {
    let (header, _) = head::<8>(bytes, "TCP header")?;
    Ok(Beginning {
        source: u16::from_be_bytes([header[0], header[1]]),
        destination: u16::from_be_bytes([header[2], header[3]]),
        sequence: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
    })
}

/// Reads a header; options and payload are not looked at.
///
/// # Errors
/// When it is cut or its data offset is impossible.
pub fn parse(bytes: &[u8]) -> Result<Segment, Malformed> {
    let (header, _) = head::<HEADER>(bytes, "TCP header")?;
    if header[12] >> 4 < 5 {
        return Err(Malformed::Field { what: "TCP header", field: "data offset" });
    }
    Ok(Segment {
        beginning: parse_beginning(bytes)?,
        acknowledgement: u32::from_be_bytes([header[8], header[9], header[10], header[11]]),
        flags: header[13],
        window: u16::from_be_bytes([header[14], header[15]]),
    })
}

/// The option that tells the largest segment we take (RFC 9293, section 3.7.1).
#[must_use]
pub fn maximum_segment_size(size: u16) -> [u8; 4] {
    let size = size.to_be_bytes();
    [2, 4, size[0], size[1]]
}

/// The header of a segment without payload; `options` follow it on the wire and are a multiple of 4 bytes, at most 40.
/// `pseudo` is the pseudo header's sum for header and options ([`Sum::pseudo_header`]).
#[must_use]
pub fn header(segment: &Segment, options: &[u8], pseudo: Sum) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[0..2].copy_from_slice(&segment.beginning.source.to_be_bytes());
    header[2..4].copy_from_slice(&segment.beginning.destination.to_be_bytes());
    header[4..8].copy_from_slice(&segment.beginning.sequence.to_be_bytes());
    header[8..12].copy_from_slice(&segment.acknowledgement.to_be_bytes());
    header[12] = (5 + u8::try_from(options.len() / 4).unwrap_or(10).min(10)) << 4;
    header[13] = segment.flags;
    header[14..16].copy_from_slice(&segment.window.to_be_bytes());
    let checksum = pseudo.bytes(&header).bytes(options).checksum();
    header[16..18].copy_from_slice(&checksum.to_be_bytes());
    header
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_impossible_offset_is_refused() {
        let mut bytes = [0; 20];
        bytes[12] = 4 << 4;
        assert!(parse(&bytes).is_err());
        assert!(parse(&bytes[..19]).is_err());
        assert!(parse_beginning(&bytes[..7]).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_verifies(
            source: u16, destination: u16, sequence: u32, acknowledgement: u32, flags: u8, window: u16,
            size: u16,
        ) {
            let beginning = Beginning { source, destination, sequence };
            let segment = Segment { beginning, acknowledgement, flags, window };
            let options = maximum_segment_size(size);
            let pseudo = Sum::pseudo_header(Ipv6Addr::LOCALHOST.into(), Ipv6Addr::UNSPECIFIED.into(), 6, 24);
            let mut bytes = Vec::from(header(&segment, &options, pseudo));
            bytes.extend(options);
            prop_assert_eq!(parse(&bytes), Ok(segment));
            prop_assert_eq!(bytes[12] >> 4, 6);
            prop_assert_eq!(parse_beginning(&bytes[..8]), Ok(beginning));
            prop_assert_eq!(pseudo.bytes(&bytes).checksum(), 0);
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = parse(&bytes);
        }
    }
}
