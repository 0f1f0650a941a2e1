//! ICMP (RFC 792, RFC 1812) and ICMPv6 (RFC 4443) behind one face, with the extensions of RFC 4884.

use crate::checksum::Sum;
use crate::extension::Extension;
use crate::ip::Family;
use crate::{Malformed, head};

/// Length of the header in bytes.
pub const HEADER: usize = 8;
/// Where an extension begins when the router does not say so (RFC 4884, section 5.5).
const UNANNOUNCED: usize = 128;

/// An echo request or reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo<'a> {
    /// Identifier.
    pub id: u16,
    /// Sequence number.
    pub sequence: u16,
    /// Payload, as far as it is there.
    pub payload: &'a [u8],
}

/// What went wrong with the quoted packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Time to live exceeded: code 0 in transit, 1 in reassembly.
    TimeExceeded {
        /// Code.
        code: u8,
    },
    /// Destination unreachable; the code's meaning depends on the family.
    Unreachable {
        /// Code.
        code: u8,
    },
    /// IPv6's packet too big, IPv4's fragmentation needed (RFC 1191).
    TooBig {
        /// The next link's MTU in bytes, 0 when not told.
        mtu: u32,
    },
    /// Any other error message.
    Other {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
    },
}

/// An ICMP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Echo request.
    EchoRequest(Echo<'a>),
    /// Echo reply.
    EchoReply(Echo<'a>),
    /// An error about a packet that is quoted.
    Error {
        /// What went wrong.
        fault: Fault,
        /// The beginning of the packet it speaks of, from its IP header on.
        quoted: &'a [u8],
        /// What the router appended.
        extension: Option<Extension<'a>>,
    },
    /// Something else: neighbour discovery, timestamps and the like.
    Other {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
    },
}

/// The type of an echo request.
#[must_use]
pub fn echo_request_type(family: Family) -> u8 {
    match family {
        Family::V4 => 8,
        Family::V6 => 128,
    }
}

/// The type of an echo reply.
#[must_use]
pub fn echo_reply_type(family: Family) -> u8 {
    match family {
        Family::V4 => 0,
        Family::V6 => 129,
    }
}

/// What an error of this type and code says; `rest` is the header's last 4 bytes. Nothing when it is no error.
#[must_use]
pub fn fault(family: Family, kind: u8, code: u8, rest: [u8; 4]) -> Option<Fault> {
    match (family, kind, code) {
        (Family::V4, 3, 4) => Some(Fault::TooBig { mtu: u32::from(u16::from_be_bytes([rest[2], rest[3]])) }),
        (Family::V6, 2, _) => Some(Fault::TooBig { mtu: u32::from_be_bytes(rest) }),
        (Family::V4, 3, _) | (Family::V6, 1, _) => Some(Fault::Unreachable { code }),
        (Family::V4, 11, _) | (Family::V6, 3, _) => Some(Fault::TimeExceeded { code }),
        (Family::V4, 4 | 5 | 12, _) | (Family::V6, 4..=127, _) => Some(Fault::Other { kind, code }),
        _ => None,
    }
}

/// Reads a message. The checksum is not looked at: ICMPv6's needs addresses, and kernels check it anyway.
///
/// # Errors
/// When there are less than 8 bytes.
pub fn parse(family: Family, bytes: &[u8]) -> Result<Message<'_>, Malformed> {
    let (header, body) = head::<HEADER>(bytes, "ICMP header")?;
    let (kind, code) = (header[0], header[1]);
    let echo = Echo {
        id: u16::from_be_bytes([header[4], header[5]]),
        sequence: u16::from_be_bytes([header[6], header[7]]),
        payload: body,
    };
    if (kind, code) == (echo_request_type(family), 0) {
        return Ok(Message::EchoRequest(echo));
    }
    if (kind, code) == (echo_reply_type(family), 0) {
        return Ok(Message::EchoReply(echo));
    }
    let rest = [header[4], header[5], header[6], header[7]];
    Ok(match fault(family, kind, code, rest) {
        Some(fault) => {
            let (quoted, extension) = split_extension(quoted_length(family, kind, rest), body);
            Message::Error { fault, quoted, extension }
        }
        None => Message::Other { kind, code },
    })
}

/// Length of the quoted packet in bytes as the header says it (RFC 4884, sections 4.1 to 4.5), 0 when it does not.
fn quoted_length(family: Family, kind: u8, rest: [u8; 4]) -> usize {
    match (family, kind) {
        (Family::V4, 3 | 11 | 12) => usize::from(rest[1]) * 4,
        (Family::V6, 1 | 3) => usize::from(rest[0]) * 8,
        _ => 0,
    }
}

fn split_extension(announced: usize, body: &[u8]) -> (&[u8], Option<Extension<'_>>) {
    if announced > 0 {
        return match body.split_at_checked(announced) {
            Some((quoted, after)) => (quoted, Extension::parse(after).ok()),
            None => (body, None),
        };
    }
    body.split_at_checked(UNANNOUNCED)
        .and_then(|(quoted, after)| Some((quoted, Some(Extension::parse_unannounced(after)?))))
        .unwrap_or((body, None))
}

/// The header of an echo request. `sum` is what the checksum covers beside the header: the payload, for
/// ICMPv6 the pseudo header too (or nothing, where the kernel fills the checksum in).
#[must_use]
pub fn echo_request(family: Family, id: u16, sequence: u16, sum: Sum) -> [u8; HEADER] {
    let kind = echo_request_type(family);
    let checksum = sum.word(u16::from(kind) << 8).word(id).word(sequence).checksum().to_be_bytes();
    let (id, sequence) = (id.to_be_bytes(), sequence.to_be_bytes());
    [kind, 0, checksum[0], checksum[1], id[0], id[1], sequence[0], sequence[1]]
}

#[cfg(test)]
#[path = "icmp_tests.rs"]
mod tests;
