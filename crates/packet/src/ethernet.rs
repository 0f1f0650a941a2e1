//! Ethernet II frames with the tags of IEEE 802.1Q.

use crate::{Malformed, head};

const WHAT: &str = "Ethernet header";
/// The shortest frame without its check sequence; shorter ones are filled up.
pub const SHORTEST: usize = 60;
/// The address everybody on a link listens to.
pub const BROADCAST: [u8; 6] = [0xff; 6];
/// Tags a frame may bear: a customer's within a provider's.
const MOST_TAGS: usize = 2;

/// What frames carry.
pub mod ethertype {
    /// IPv4.
    pub const IPV4: u16 = 0x0800;
    /// ARP.
    pub const ARP: u16 = 0x0806;
    /// A tag of IEEE 802.1Q.
    pub const VLAN: u16 = 0x8100;
    /// A provider's tag, IEEE 802.1ad.
    pub const PROVIDER_VLAN: u16 = 0x88a8;
    /// IPv6.
    pub const IPV6: u16 = 0x86dd;
}

/// A frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Who it is for.
    pub destination: [u8; 6],
    /// Who sent it.
    pub source: [u8; 6],
    /// The VLAN of the innermost tag, 0 to 4095; none when there is no tag.
    pub vlan: Option<u16>,
    /// What it carries, see [`ethertype`].
    pub kind: u16,
    /// What is behind the header, filling included.
    pub payload: &'a [u8],
}

/// Reads a frame.
///
/// # Errors
/// When it ends within its header.
pub fn parse(bytes: &[u8]) -> Result<Frame<'_>, Malformed> {
    let (header, mut payload) = head::<14>(bytes, WHAT)?;
    let mut kind = u16::from_be_bytes([header[12], header[13]]);
    let mut vlan = None;
    for _ in 0..MOST_TAGS {
        if !matches!(kind, ethertype::VLAN | ethertype::PROVIDER_VLAN) {
            break;
        }
        let (tag, rest) = head::<4>(payload, WHAT)?;
        vlan = Some(u16::from_be_bytes([tag[0], tag[1]]) & 0x0fff);
        kind = u16::from_be_bytes([tag[2], tag[3]]);
        payload = rest;
    }
    let (mut destination, mut source) = ([0; 6], [0; 6]);
    destination.copy_from_slice(&header[..6]);
    source.copy_from_slice(&header[6..12]);
    Ok(Frame { destination, source, vlan, kind, payload })
}

/// Appends a frame's header, with a tag when there is a VLAN.
pub fn write_header(destination: [u8; 6], source: [u8; 6], vlan: Option<u16>, kind: u16, out: &mut Vec<u8>) {
    out.extend(destination);
    out.extend(source);
    if let Some(vlan) = vlan {
        out.extend(ethertype::VLAN.to_be_bytes());
        out.extend((vlan & 0x0fff).to_be_bytes());
    }
    out.extend(kind.to_be_bytes());
}

/// The multicast address of Ethernet that stands for one of IPv6 (RFC 2464, section 7).
#[must_use]
pub fn multicast_v6(group: std::net::Ipv6Addr) -> [u8; 6] {
    let [.., a, b, c, d] = group.octets();
    [0x33, 0x33, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_are_passed_over() {
        let mut bytes = [[1; 6], [2; 6]].concat();
        bytes.extend([0x88, 0xa8, 0x00, 0x07, 0x81, 0x00, 0xe0, 0x64, 0x08, 0x06, 9, 9]);
        let frame = parse(&bytes).unwrap();
        assert_eq!((frame.vlan, frame.kind, frame.payload), (Some(100), ethertype::ARP, [9, 9].as_slice()));
        assert!(parse(&bytes[..17]).is_err());
        assert_eq!(multicast_v6("ff02::1:ff00:7".parse().unwrap()), [0x33, 0x33, 0xff, 0, 0, 7]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(destination: [u8; 6], source: [u8; 6], vlan in proptest::option::of(0u16..4096)) {
            let mut bytes = Vec::new();
            write_header(destination, source, vlan, ethertype::ARP, &mut bytes);
            bytes.extend([5, 6]);
            let frame = parse(&bytes).unwrap();
            prop_assert_eq!((frame.destination, frame.source, frame.vlan), (destination, source, vlan));
            prop_assert_eq!((frame.kind, frame.payload), (ethertype::ARP, [5, 6].as_slice()));
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes);
        }
    }
}
