//! ARP for IPv4 over Ethernet (RFC 826, RFC 5227).

use std::net::Ipv4Addr;

use crate::{Malformed, head};

const WHAT: &str = "ARP packet";
/// Length in bytes.
pub const LENGTH: usize = 28;
/// Ethernet, IPv4, and the lengths of their addresses.
const KIND: [u8; 6] = [0, 1, 8, 0, 6, 4];

/// What an ARP packet does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It asks.
    Request,
    /// It answers.
    Reply,
}

/// An ARP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// What it does.
    pub operation: Operation,
    /// Hardware address of the sender.
    pub sender_mac: [u8; 6],
    /// Address of the sender; unspecified while it looks whether an address is free.
    pub sender: Ipv4Addr,
    /// Hardware address of who is asked; meaningless in a request.
    pub target_mac: [u8; 6],
    /// Address that is asked for.
    pub target: Ipv4Addr,
}

impl Arp {
    /// Whether it tells that its sender has an address: so do replies, and requests that do not just look whether it
    /// is free.
    #[must_use]
    pub fn claims(&self) -> bool {
        !self.sender.is_unspecified()
    }

    /// Appends the packet.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend(KIND);
        out.extend(match self.operation {
            Operation::Request => [0, 1],
            Operation::Reply => [0, 2],
        });
        out.extend(self.sender_mac);
        out.extend(self.sender.octets());
        out.extend(self.target_mac);
        out.extend(self.target.octets());
    }
}

/// Reads a packet.
///
/// # Errors
/// When it is cut, is about other kinds of addresses, or neither asks nor answers.
pub fn parse(bytes: &[u8]) -> Result<Arp, Malformed> {
    let (fixed, _) = head::<LENGTH>(bytes, WHAT)?;
    if fixed[..6] != KIND {
        return Err(Malformed::Field { what: WHAT, field: "kind of addresses" });
    }
    let operation = match [fixed[6], fixed[7]] {
        [0, 1] => Operation::Request,
        [0, 2] => Operation::Reply,
        _ => return Err(Malformed::Field { what: WHAT, field: "operation" }),
    };
    let mac =
        |at: usize| [fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3], fixed[at + 4], fixed[at + 5]];
    let address = |at: usize| Ipv4Addr::new(fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]);
    Ok(Arp { operation, sender_mac: mac(8), sender: address(14), target_mac: mac(18), target: address(24) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_hardware_and_operations_are_refused() {
        let mut bytes = Vec::new();
        let arp = Arp {
            operation: Operation::Request,
            sender_mac: [1; 6],
            sender: Ipv4Addr::UNSPECIFIED,
            target_mac: [0; 6],
            target: [192, 0, 2, 1].into(),
        };
        arp.write(&mut bytes);
        assert_eq!(parse(&bytes), Ok(arp));
        assert!(!arp.claims());
        for (at, value) in [(1, 6), (3, 9), (4, 8), (5, 16), (7, 0), (7, 3)] {
            let mut wrong = bytes.clone();
            wrong[at] = value;
            assert!(parse(&wrong).is_err(), "{at}");
        }
        assert!(parse(&bytes[..27]).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            reply: bool, sender_mac: [u8; 6], sender: [u8; 4], target_mac: [u8; 6], target: [u8; 4],
        ) {
            let operation = if reply { Operation::Reply } else { Operation::Request };
            let (sender, target) = (sender.into(), target.into());
            let arp = Arp { operation, sender_mac, sender, target_mac, target };
            let mut bytes = Vec::new();
            arp.write(&mut bytes);
            prop_assert_eq!(parse(&bytes), Ok(arp));
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = parse(&bytes);
        }
    }
}
