//! Wire formats of the protocols Netwark speaks. No I/O.
//!
//! Every parser takes a byte slice as it came from the network or out of a quoted packet, which may be cut anywhere,
//! borrows from it, and answers [`Malformed`] instead of panicking.

pub mod arp;
pub mod checksum;
pub mod dhcp;
pub mod dns;
pub mod ethernet;
pub mod extension;
pub mod icmp;
pub mod ip;
mod ipv4;
mod ipv6;
pub mod ndp;
pub mod netbios;
pub mod ssdp;
pub mod tcp;
pub mod udp;
pub mod wireless;

/// Numbers of the protocols above IP.
pub mod protocol {
    /// ICMP for IPv4 (RFC 792).
    pub const ICMP: u8 = 1;
    /// TCP (RFC 9293).
    pub const TCP: u8 = 6;
    /// UDP (RFC 768).
    pub const UDP: u8 = 17;
    /// ICMP for IPv6 (RFC 4443).
    pub const ICMPV6: u8 = 58;
}

/// Why bytes are no packet of the kind that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It ends before its own header does.
    #[error("the {what} ends after {have} of {need} bytes")]
    Short {
        /// What was read.
        what: &'static str,
        /// Bytes that are there.
        have: usize,
        /// Bytes that must be there.
        need: usize,
    },
    /// A field has a value that the format forbids.
    #[error("the {what} has an impossible {field}")]
    Field {
        /// What was read.
        what: &'static str,
        /// Which field.
        field: &'static str,
    },
}

/// The first `N` bytes of `bytes`, or an error that names `what`.
fn head<'a, const N: usize>(
    bytes: &'a [u8],
    what: &'static str,
) -> Result<(&'a [u8; N], &'a [u8]), Malformed> {
    bytes.split_first_chunk::<N>().ok_or(Malformed::Short { what, have: bytes.len(), need: N })
}
