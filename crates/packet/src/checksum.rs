//! The Internet checksum (RFC 1071), pseudo headers, and payloads made to fit a wanted checksum.

use std::net::IpAddr;

/// A running ones' complement sum of 16-bit big-endian words.
///
/// ```
/// use netwark_packet::checksum::Sum;
/// // The example of RFC 1071, section 3.
/// assert_eq!(Sum::default().bytes(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]).folded(), 0xddf2);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum(u64);

impl Sum {
    /// Adds one word.
    #[must_use]
    pub fn word(self, word: u16) -> Sum {
        Sum(self.0 + u64::from(word))
    }

    /// Adds bytes that begin at an even offset; an odd last byte counts as the high half of a word.
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Sum {
        let (words, rest) = bytes.as_chunks::<4>();
        let mut sum = self.0;
        for word in words {
            sum += u64::from(u32::from_be_bytes(*word));
        }
        let mut last = [0; 4];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        // Halving keeps the sum far from overflow whatever is added next; folding is congruent modulo 0xffff.
        let sum = sum + u64::from(u32::from_be_bytes(last));
        Sum((sum & 0xffff_ffff) + (sum >> 32))
    }

    /// The pseudo header of UDP, TCP (RFC 768, RFC 9293) and ICMPv6 (RFC 8200, section 8.1).
    /// The addresses are of one family; `length` is the length of header and payload above IP.
    #[must_use]
    pub fn pseudo_header(source: IpAddr, destination: IpAddr, protocol: u8, length: u32) -> Sum {
        Sum::default()
            .address(source)
            .address(destination)
            .word(u16::from(protocol))
            .bytes(&length.to_be_bytes())
    }

    fn address(self, address: IpAddr) -> Sum {
        match address {
            IpAddr::V4(v4) => self.bytes(&v4.octets()),
            IpAddr::V6(v6) => self.bytes(&v6.octets()),
        }
    }

    /// The sum as one word, carries added back.
    #[must_use]
    pub fn folded(self) -> u16 {
        let sum = (self.0 & 0xffff_ffff) + (self.0 >> 32);
        let sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
        let sum = (sum & 0xffff) + (sum >> 16);
        u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap_or(u16::MAX)
    }

    /// The checksum to write into a header whose checksum field was zero when it was summed.
    #[must_use]
    pub fn checksum(self) -> u16 {
        !self.folded()
    }

    /// The word that, put at an even offset into the summed bytes, makes [`Sum::folded`] equal `wanted`
    /// (or its other zero). This keeps the checksum of a Paris flow constant while its sequence varies.
    #[must_use]
    pub fn filler(self, wanted: u16) -> u16 {
        Sum::default().word(wanted).word(!self.folded()).folded()
    }
}

/// The checksum of `bytes`; 0 when they contain a right checksum already.
#[must_use]
pub fn of(bytes: &[u8]) -> u16 {
    Sum::default().bytes(bytes).checksum()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    /// RFC 1071 word by word, with nothing clever.
    fn plain(bytes: &[u8]) -> u16 {
        let mut sum: u32 = 0;
        for pair in bytes.chunks(2) {
            sum += u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&low| u32::from(low));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        u16::try_from(sum).unwrap()
    }

    #[test]
    fn pseudo_headers_of_both_families_count_every_field() {
        let four = Sum::pseudo_header(
            Ipv4Addr::new(192, 0, 2, 1).into(),
            Ipv4Addr::new(198, 51, 100, 7).into(),
            17,
            20,
        );
        assert_eq!(four.folded(), plain(&[192, 0, 2, 1, 198, 51, 100, 7, 0, 17, 0, 20]));
        let from = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
        let six = Sum::pseudo_header(from.into(), Ipv6Addr::LOCALHOST.into(), 58, 0x0001_0002);
        let mut bytes = Vec::from(from.octets());
        bytes.extend(Ipv6Addr::LOCALHOST.octets());
        bytes.extend([0, 1, 0, 2, 0, 0, 0, 58]);
        assert_eq!(six.folded(), plain(&bytes));
    }

    proptest! {
        #[test]
        fn the_fast_sum_is_the_plain_sum(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert_eq!(Sum::default().bytes(&bytes).folded(), plain(&bytes));
        }

        #[test]
        fn a_written_checksum_verifies(mut bytes in proptest::collection::vec(any::<u8>(), 4..200)) {
            bytes[2..4].fill(0);
            let checksum = of(&bytes);
            bytes[2..4].copy_from_slice(&checksum.to_be_bytes());
            prop_assert_eq!(of(&bytes), 0);
        }

        #[test]
        fn the_filler_gives_the_wanted_sum(bytes in proptest::collection::vec(any::<u8>(), 2..200), wanted: u16) {
            let sum = Sum::default().bytes(&bytes);
            let got = sum.word(sum.filler(wanted)).folded();
            prop_assert!(got == wanted || (got == 0xffff && wanted == 0), "{got:04x} for {wanted:04x}");
        }
    }
}
