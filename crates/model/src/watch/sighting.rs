//! Sightings: one address or announcement seen, by a sweep or overheard.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::mac::Mac;

/// Longest name that is kept, in bytes: that of the DNS.
pub const LONGEST_NAME: usize = 253;
/// Most names of one sighting.
pub const MOST_NAMES: usize = 16;

/// How an address was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// It answered an ARP request.
    Arp,
    /// It answered a neighbour solicitation or an echo to all nodes of the link (RFC 4861).
    Ndp,
    /// It answered an ICMP echo request.
    Icmp,
    /// It accepted or refused a TCP connection.
    Tcp,
    /// The kernel of the worker knows it as a neighbour.
    NeighbourTable,
    /// It spoke ARP without being asked.
    ArpHeard,
    /// It spoke neighbour discovery without being asked.
    NdpHeard,
    /// It asked for an address by DHCP.
    Dhcp,
    /// It answered or announced by mDNS.
    Mdns,
    /// It answered NetBIOS.
    Netbios,
    /// It answered LLMNR.
    Llmnr,
    /// It answered or announced by SSDP.
    Ssdp,
}

/// Where a name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameSource {
    /// The reverse zone of the DNS.
    Dns,
    /// The device itself by mDNS (RFC 6762).
    Mdns,
    /// The device itself by NetBIOS (RFC 1002).
    Netbios,
    /// The device itself by LLMNR (RFC 4795).
    Llmnr,
    /// The device itself by SSDP: the product it says it is.
    Ssdp,
    /// The device itself when it asked for an address (option 12 of RFC 2132, option 81 of RFC 4702).
    Dhcp,
}

/// A name of a device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct Name {
    /// Where it comes from.
    pub source: NameSource,
    /// The name; [`clean`].
    #[schema(example = "printer.local")]
    pub text: String,
    /// When it was heard, when not with the sighting itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
}

impl Name {
    /// A name heard at this time; none when nothing of it can be kept.
    pub fn new(source: NameSource, text: &str, at: Timestamp) -> Option<Self> {
        Some(Self { source, text: clean(text)?, at: Some(at) })
    }
}

/// What of a name from the network is kept: without control and other invisible characters, blanks and dots at its
/// ends, and what is beyond [`LONGEST_NAME`] bytes. None when nothing is left.
pub fn clean(text: &str) -> Option<String> {
    let mut kept = String::new();
    for c in text.chars().filter(|c| is_visible(*c)) {
        if kept.len() + c.len_utf8() > LONGEST_NAME {
            break;
        }
        kept.push(c);
    }
    let kept = kept.trim_start().trim_end_matches(|c: char| c.is_whitespace() || c == '.');
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// False for what would hide in a line of text or turn its order around.
fn is_visible(c: char) -> bool {
    let turns =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !(c.is_control() || turns || c == char::REPLACEMENT_CHARACTER)
}

/// One address or announcement seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sighting {
    /// When, by the worker's clock.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The address; absent when a device spoke that has none.
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// The hardware address; absent beyond the link.
    pub mac: Option<Mac>,
    /// How it was seen.
    pub source: Source,
    /// From the question to the answer, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_us: Option<u32>,
    /// The VLAN it was seen in, 1 to 4094.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// It says that it forwards packets (RFC 4861).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub router: bool,
    /// Names that are known of it, at most [`MOST_NAMES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Name>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_lose_what_does_not_belong_there() {
        assert_eq!(clean(" printer.local. \0").as_deref(), Some("printer.local"));
        assert_eq!(clean("a\u{202e}b\r\nc").as_deref(), Some("abc"));
        assert_eq!(clean("\0\0 . "), None);
        assert_eq!(clean("<b>x</b>").as_deref(), Some("<b>x</b>"), "who shows it escapes it");
        assert_eq!(clean(&"ä".repeat(300)).map(|text| text.len()), Some(252));
    }

    proptest! {
        #[test]
        fn names_are_bounded_and_clean_stays_clean(text in ".*") {
            if let Some(kept) = clean(&text) {
                prop_assert!(kept.len() <= LONGEST_NAME && !kept.is_empty());
                prop_assert!(!kept.chars().any(char::is_control));
                prop_assert_eq!(clean(&kept), Some(kept));
            }
        }
    }
}
