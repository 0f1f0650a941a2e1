//! DHCP for IPv4 (RFC 2131, RFC 2132): what can be overheard of it.

use std::net::Ipv4Addr;

use crate::{Malformed, head};

const WHAT: &str = "DHCP message";
const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// Port of servers.
pub const SERVER_PORT: u16 = 67;
/// Port of clients.
pub const CLIENT_PORT: u16 = 68;
/// Options that are read.
const MOST_OPTIONS: usize = 128;

/// What a message is about (option 53).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A client looks for servers.
    Discover,
    /// A server offers an address.
    Offer,
    /// A client asks for an address.
    Request,
    /// A server gives an address.
    Acknowledge,
    /// A server refuses.
    Refuse,
    /// Anything else.
    Other(u8),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is about.
    pub kind: Kind,
    /// The client's hardware address.
    pub client: [u8; 6],
    /// The address the client says it has.
    pub has: Option<Ipv4Addr>,
    /// The address the server gives, or the client asks for (option 50).
    pub address: Option<Ipv4Addr>,
    /// The server, as it names itself (option 54).
    pub server: Option<Ipv4Addr>,
    /// The client's name (option 12, or the one for the DNS, option 81).
    pub host_name: Option<String>,
    /// What makes the client known (option 61), at most 255 bytes.
    pub client_id: Vec<u8>,
    /// What kind of client it says it is (option 60).
    pub vendor_class: Option<String>,
    /// Gateways that are handed out (option 3), at most eight.
    pub gateways: Vec<Ipv4Addr>,
    /// Resolvers that are handed out (option 6), at most eight.
    pub resolvers: Vec<Ipv4Addr>,
}

impl Message {
    /// Whether a server sent it.
    #[must_use]
    pub fn is_from_server(&self) -> bool {
        matches!(self.kind, Kind::Offer | Kind::Acknowledge | Kind::Refuse)
    }
}

/// Reads the payload of a datagram.
///
/// # Errors
/// When it is cut, is BOOTP without DHCP, or is about other hardware than Ethernet.
pub fn parse(bytes: &[u8]) -> Result<Message, Malformed> {
    let wrong = |field| Malformed::Field { what: WHAT, field };
    let (fixed, rest) = head::<236>(bytes, WHAT)?;
    let (cookie, options) = head::<4>(rest, WHAT)?;
    if *cookie != COOKIE {
        return Err(wrong("cookie"));
    }
    if [fixed[1], fixed[2]] != [1, 6] {
        return Err(wrong("kind of hardware"));
    }
    let address = |at: usize| {
        let address = Ipv4Addr::new(fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]);
        (!address.is_unspecified()).then_some(address)
    };
    let mut client = [0; 6];
    client.copy_from_slice(&fixed[28..34]);
    let mut message = Message {
        kind: Kind::Other(0),
        client,
        has: address(12),
        address: address(16),
        server: None,
        host_name: None,
        client_id: Vec::new(),
        vendor_class: None,
        gateways: Vec::new(),
        resolvers: Vec::new(),
    };
    read_options(options, &mut message);
    match message.kind {
        Kind::Other(0) => Err(wrong("message type")),
        _ => Ok(message),
    }
}

fn read_options(mut bytes: &[u8], message: &mut Message) {
    for _ in 0..MOST_OPTIONS {
        let Some((code, rest)) = bytes.split_first() else { return };
        match code {
            0 => {
                bytes = rest;
                continue;
            }
            255 => return,
            _ => {}
        }
        let Some((length, rest)) = rest.split_first() else { return };
        let Some((body, rest)) = rest.split_at_checked(usize::from(*length)) else { return };
        take(*code, body, message);
        bytes = rest;
    }
}

fn take(code: u8, body: &[u8], message: &mut Message) {
    let address = || body.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets));
    let addresses = || {
        body.chunks_exact(4)
            .take(8)
            .filter_map(<[u8]>::first_chunk::<4>)
            .map(|octets| Ipv4Addr::from(*octets))
            .collect()
    };
    let text =
        |bytes: &[u8]| Some(String::from_utf8_lossy(bytes).into_owned()).filter(|text| !text.is_empty());
    match code {
        3 => message.gateways = addresses(),
        6 => message.resolvers = addresses(),
        12 => message.host_name = text(body),
        50 => message.address = message.address.or_else(address),
        53 => {
            message.kind = match body.first().copied().unwrap_or(0) {
                1 => Kind::Discover,
                2 => Kind::Offer,
                3 => Kind::Request,
                5 => Kind::Acknowledge,
                6 => Kind::Refuse,
                other => Kind::Other(other),
            };
        }
        54 => message.server = address(),
        60 => message.vendor_class = text(body),
        61 => message.client_id = body.to_vec(),
        // Flags and two codes stand before the name, which is in labels when bit 2 is set (RFC 4702).
        81 => {
            if let (Some([flags, _, _]), Some(name)) = (body.first_chunk::<3>(), body.get(3..)) {
                let name = if flags & 4 != 0 { labels(name) } else { text(name) };
                message.host_name = name.or(message.host_name.take());
            }
        }
        _ => {}
    }
}

/// A name in labels, without pointers.
fn labels(mut bytes: &[u8]) -> Option<String> {
    let mut parts = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        if *length == 0 {
            break;
        }
        let (label, rest) = rest.split_at_checked(usize::from(*length))?;
        parts.push(String::from_utf8_lossy(label).into_owned());
        bytes = rest;
    }
    (!parts.is_empty()).then(|| parts.join("."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(options: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 236];
        bytes[..3].copy_from_slice(&[1, 1, 6]);
        bytes[28..34].copy_from_slice(&[0, 0, 0x5e, 0, 0x53, 1]);
        bytes.extend(COOKIE);
        bytes.extend(options);
        bytes
    }

    #[test]
    fn a_client_tells_its_name() {
        let mut options = vec![53, 1, 3, 0, 12, 6];
        options.extend(b"laptop");
        options.extend([50, 4, 192, 0, 2, 7, 61, 7, 1, 0, 0, 0x5e, 0, 0x53, 1, 60, 4]);
        options.extend(b"MSFT");
        options.push(255);
        let read = parse(&message(&options)).unwrap();
        assert_eq!((read.kind, read.host_name.as_deref()), (Kind::Request, Some("laptop")));
        assert_eq!((read.address, read.client_id.len()), (Some([192, 0, 2, 7].into()), 7));
        assert_eq!(read.vendor_class.as_deref(), Some("MSFT"));
        assert!(!read.is_from_server());
    }

    #[test]
    fn a_server_tells_what_it_hands_out() {
        let options =
            [53, 1, 2, 54, 4, 192, 0, 2, 1, 3, 4, 192, 0, 2, 254, 6, 8, 192, 0, 2, 53, 192, 0, 2, 54];
        let read = parse(&message(&options)).unwrap();
        assert!(read.is_from_server());
        assert_eq!(
            (read.server, read.gateways.len(), read.resolvers.len()),
            (Some([192, 0, 2, 1].into()), 1, 2)
        );
        let mut named = vec![53, 1, 1, 81, 11, 4, 0, 0, 2];
        named.extend(b"pc\x03lan\0");
        named[4] = 10;
        assert_eq!(parse(&message(&named)).unwrap().host_name.as_deref(), Some("pc.lan"));
        assert!(parse(&message(&[])).is_err(), "BOOTP");
        assert!(parse(&[0; 300]).is_err());
    }

    proptest! {
        #[test]
        fn any_options_are_survived(options in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(read) = parse(&message(&options)) {
                prop_assert!(read.gateways.len() <= 8 && read.client_id.len() <= 255);
            }
        }
    }
}
