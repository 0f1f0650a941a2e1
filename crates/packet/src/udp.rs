//! The UDP header (RFC 768).

use crate::checksum::Sum;
use crate::{Malformed, head};

/// Length of the header in bytes.
pub const HEADER: usize = 8;

/// A UDP header and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Source port.
    pub source: u16,
    /// Destination port.
    pub destination: u16,
    /// Length of header and payload as the header says it.
    pub length: u16,
    /// Checksum as it stands in the header; 0 when there is none (IPv4 only).
    pub checksum: u16,
    /// The payload, as far as it is there.
    pub payload: &'a [u8],
}

/// Reads a datagram, possibly cut.
///
/// # Errors
/// When there are less than 8 bytes, or the length is less than the header's.
pub fn parse(bytes: &[u8]) -> Result<Datagram<'_>, Malformed> {
    let (header, rest) = head::<HEADER>(bytes, "UDP header")?;
    let length = u16::from_be_bytes([header[4], header[5]]);
    let Some(said) = usize::from(length).checked_sub(HEADER) else {
        return Err(Malformed::Field { what: "UDP header", field: "length" });
    };
    Ok(Datagram {
        source: u16::from_be_bytes([header[0], header[1]]),
        destination: u16::from_be_bytes([header[2], header[3]]),
        length,
        checksum: u16::from_be_bytes([header[6], header[7]]),
        payload: rest.get(..said).unwrap_or(rest),
    })
}

/// The header for `payload`. `pseudo` is the pseudo header's sum for the whole length ([`Sum::pseudo_header`]).
///
/// # Errors
/// When the payload is longer than the length field can say.
pub fn header(source: u16, destination: u16, payload: &[u8], pseudo: Sum) -> Result<[u8; HEADER], Malformed> {
    let length = u16::try_from(payload.len() + HEADER)
        .map_err(|_| Malformed::Field { what: "UDP header", field: "length" })?;
    let sum = pseudo.word(source).word(destination).word(length).bytes(payload);
    // A computed 0 is sent as all ones, for 0 means that there is none.
    let checksum = if sum.checksum() == 0 { 0xffff } else { sum.checksum() };
    let mut header = [0; HEADER];
    header[0..2].copy_from_slice(&source.to_be_bytes());
    header[2..4].copy_from_slice(&destination.to_be_bytes());
    header[4..6].copy_from_slice(&length.to_be_bytes());
    header[6..8].copy_from_slice(&checksum.to_be_bytes());
    Ok(header)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_length_below_the_header_is_refused() {
        assert!(parse(&[0, 1, 0, 2, 0, 7, 0, 0]).is_err());
        assert!(parse(&[0; 7]).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_verifies(
            source: u16, destination: u16, payload in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            let length = u32::try_from(payload.len() + HEADER).unwrap();
            let pseudo = Sum::pseudo_header(Ipv4Addr::LOCALHOST.into(), Ipv4Addr::BROADCAST.into(), 17, length);
            let mut bytes = Vec::from(header(source, destination, &payload, pseudo).unwrap());
            bytes.extend(&payload);
            let read = parse(&bytes).unwrap();
            prop_assert_eq!((read.source, read.destination, read.payload), (source, destination, payload.as_slice()));
            prop_assert_eq!(pseudo.bytes(&bytes).checksum(), 0);
            prop_assert_ne!(read.checksum, 0);
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = parse(&bytes);
        }
    }
}
