//! Messages of the DNS as devices exchange them on a link: mDNS (RFC 6762) and LLMNR (RFC 4795).
//!
//! Only what tells names is read. Whoever asks name servers uses the client of the DNS, not this.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Malformed, head};

const WHAT: &str = "DNS message";
/// Port of mDNS.
pub const MDNS_PORT: u16 = 5353;
/// Port of LLMNR.
pub const LLMNR_PORT: u16 = 5355;
/// The group of mDNS.
pub const MDNS_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
/// The group of LLMNR.
pub const LLMNR_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 252);

/// Types of records.
pub mod kind {
    /// An IPv4 address.
    pub const A: u16 = 1;
    /// A name.
    pub const PTR: u16 = 12;
    /// Text.
    pub const TXT: u16 = 16;
    /// An IPv6 address.
    pub const AAAA: u16 = 28;
    /// A service.
    pub const SRV: u16 = 33;
}

/// Records that are read.
const MOST_RECORDS: usize = 256;
/// Labels of a name, and jumps within it: more would be a circle.
const MOST_LABELS: usize = 64;
/// Bytes of a name.
const LONGEST_NAME: usize = 255;

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// What tells answers apart.
    pub id: u16,
    /// It answers, and does not ask.
    pub response: bool,
    /// Names that are asked for, with the type of records.
    pub questions: Vec<(String, u16)>,
    /// Records of all sections.
    pub records: Vec<Record>,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is, without a dot at its end.
    pub name: String,
    /// Its data.
    pub data: Data,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// An address.
    Address(IpAddr),
    /// A name that it points to.
    Name(String),
    /// The host that offers a service.
    Service(String),
    /// Something else.
    Other(u16),
}

/// Reads a message. Bytes that are no UTF-8 are replaced; what is behind 256 records is left.
///
/// # Errors
/// When it is cut or a name in it is none.
pub fn parse(bytes: &[u8]) -> Result<Message, Malformed> {
    let (header, _) = head::<12>(bytes, WHAT)?;
    let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let mut message = Message { id: word(0), response: header[2] & 0x80 != 0, ..Message::default() };
    let mut at = 12;
    for _ in 0..usize::from(word(4)).min(MOST_RECORDS) {
        let name = name(bytes, &mut at)?;
        let fixed = fixed::<4>(bytes, &mut at)?;
        message.questions.push((name, u16::from_be_bytes([fixed[0], fixed[1]])));
    }
    let records = usize::from(word(6)) + usize::from(word(8)) + usize::from(word(10));
    for _ in 0..records.min(MOST_RECORDS) {
        let name = name(bytes, &mut at)?;
        let fixed = fixed::<10>(bytes, &mut at)?;
        let length = usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
        let end = at + length;
        let data = bytes.get(at..end).ok_or(Malformed::Short { what: WHAT, have: bytes.len(), need: end })?;
        let kind = u16::from_be_bytes([fixed[0], fixed[1]]);
        message.records.push(Record { name, data: read_data(bytes, at, kind, data)? });
        at = end;
    }
    Ok(message)
}

fn read_data(bytes: &[u8], mut at: usize, kind: u16, data: &[u8]) -> Result<Data, Malformed> {
    Ok(match kind {
        kind::A => match <[u8; 4]>::try_from(data) {
            Ok(octets) => Data::Address(Ipv4Addr::from(octets).into()),
            Err(_) => Data::Other(kind),
        },
        kind::AAAA => match <[u8; 16]>::try_from(data) {
            Ok(octets) => Data::Address(Ipv6Addr::from(octets).into()),
            Err(_) => Data::Other(kind),
        },
        kind::PTR => Data::Name(name(bytes, &mut at)?),
        kind::SRV => {
            at += 6;
            Data::Service(name(bytes, &mut at)?)
        }
        _ => Data::Other(kind),
    })
}

fn fixed<'a, const N: usize>(bytes: &'a [u8], at: &mut usize) -> Result<&'a [u8; N], Malformed> {
    let short = || Malformed::Short { what: WHAT, have: bytes.len(), need: *at + N };
    let found = bytes.get(*at..).and_then(<[u8]>::first_chunk::<N>).ok_or_else(short)?;
    *at += N;
    Ok(found)
}

/// The name at `at`, which is moved behind it.
fn name(bytes: &[u8], at: &mut usize) -> Result<String, Malformed> {
    let broken = Malformed::Field { what: WHAT, field: "name" };
    let (mut text, mut place, mut jumped) = (String::new(), *at, false);
    for _ in 0..MOST_LABELS {
        let length = *bytes.get(place).ok_or(broken)?;
        match length {
            0 => {
                if !jumped {
                    *at = place + 1;
                }
                return Ok(text);
            }
            1..=63 => {
                let label = bytes.get(place + 1..place + 1 + usize::from(length)).ok_or(broken)?;
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(&String::from_utf8_lossy(label));
                if text.len() > LONGEST_NAME * 3 {
                    return Err(broken);
                }
                place += 1 + usize::from(length);
            }
            0xc0.. => {
                let low = *bytes.get(place + 1).ok_or(broken)?;
                if !jumped {
                    *at = place + 2;
                }
                jumped = true;
                place = usize::from(length & 0x3f) << 8 | usize::from(low);
            }
            _ => return Err(broken),
        }
    }
    Err(broken)
}

/// The name under which the name of an address stands.
#[must_use]
pub fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            let mut text: String = nibbles.map(|nibble| format!("{nibble:x}.")).collect();
            text.push_str("ip6.arpa");
            text
        }
    }
}

/// A message that asks for records of a name; `unicast` asks an mDNS responder not to answer to everybody.
///
/// # Errors
/// When a part of the name is empty or longer than 63 bytes.
pub fn question(id: u16, name: &str, kind: u16, unicast: bool) -> Result<Vec<u8>, Malformed> {
    let mut out = Vec::with_capacity(64);
    out.extend(id.to_be_bytes());
    out.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| matches!(length, 1..=63));
        out.push(length.ok_or(Malformed::Field { what: WHAT, field: "name" })?);
        out.extend(label.as_bytes());
    }
    out.push(0);
    out.extend(kind.to_be_bytes());
    out.extend(if unicast { [0x80, 1] } else { [0, 1] });
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An answer whose record's name and data point back to the question.
    fn answer() -> Vec<u8> {
        let mut bytes = question(7, "1.2.0.192.in-addr.arpa", kind::PTR, false).unwrap();
        bytes[2] = 0x84;
        bytes[7] = 1;
        bytes.extend([0xc0, 12, 0, 12, 0x80, 1, 0, 0, 0, 10, 0, 15]);
        bytes.extend([7]);
        bytes.extend(b"printer");
        bytes.extend([5]);
        bytes.extend(b"local");
        bytes.push(0);
        bytes
    }

    #[test]
    fn an_answer_is_read() {
        let message = parse(&answer()).unwrap();
        assert!(message.response && message.id == 7);
        assert_eq!(message.questions, [("1.2.0.192.in-addr.arpa".to_owned(), kind::PTR)]);
        let record =
            Record { name: "1.2.0.192.in-addr.arpa".into(), data: Data::Name("printer.local".into()) };
        assert_eq!(message.records, [record]);
    }

    #[test]
    fn a_circle_of_pointers_ends() {
        let mut bytes = answer();
        let at = bytes.len() - 15;
        bytes[at] = 0xc0;
        bytes[at + 1] = u8::try_from(at).unwrap();
        assert!(parse(&bytes).is_err());
    }

    #[test]
    fn reverse_names_are_as_the_dns_has_them() {
        assert_eq!(reverse_name([192, 0, 2, 1].into()), "1.2.0.192.in-addr.arpa");
        let v6 = reverse_name("2001:db8::1".parse().unwrap());
        assert!(v6.starts_with("1.0.0.0.") && v6.ends_with("8.b.d.0.1.0.0.2.ip6.arpa"), "{v6}");
        assert!(question(0, "a..b", 1, true).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn damage_is_survived(at in 0usize..70, value: u8) {
            let mut bytes = answer();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            if let Ok(message) = parse(&bytes) {
                for record in message.records {
                    prop_assert!(record.name.len() <= LONGEST_NAME * 4);
                }
            }
        }
    }
}
