//! Addresses and hardware addresses as columns hold them.

use std::net::{IpAddr, Ipv6Addr};

use netwark_model::mac::Mac;
use netwark_model::watch::device::Access;

/// The word of the worker in the column `standing`.
const WORKER: &str = "self";

/// An address as 16 bytes; one of IPv4 is mapped into IPv6 (RFC 4291, section 2.5.5.2).
pub(crate) fn address_bytes(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The family of an address, and how many of its bits are told.
pub(crate) fn family(address: IpAddr) -> (i32, i32) {
    match address {
        IpAddr::V4(_) => (4, 32),
        IpAddr::V6(_) => (6, 128),
    }
}

/// The address of a column; none when it does not hold one.
pub(crate) fn address(bytes: &[u8], family: i32) -> Option<IpAddr> {
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    let address = Ipv6Addr::from(bytes);
    if family == 4 { address.to_ipv4_mapped().map(IpAddr::V4) } else { Some(IpAddr::V6(address)) }
}

/// The hardware address of a column; none when it does not hold one.
pub(crate) fn mac(bytes: &[u8]) -> Option<Mac> {
    Some(Mac::new(bytes.try_into().ok()?))
}

/// What the column `standing` holds of what the access list says. The worker has a word of its own there.
pub(crate) fn access_word(access: Access) -> &'static str {
    match access {
        Access::Worker => WORKER,
        listed => listed.as_str(),
    }
}

/// What the access list says by the column `standing`.
pub(crate) fn access(word: &str) -> Access {
    match word {
        WORKER => Access::Worker,
        listed => Access::from_word(listed).unwrap_or(Access::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"] {
            let written: IpAddr = text.parse().unwrap();
            assert_eq!(address(&address_bytes(written), family(written).0), Some(written), "{text}");
        }
        assert_eq!(address(&[1, 2], 4), None);
        assert_eq!(mac(&[1, 2]), None);
    }
}
