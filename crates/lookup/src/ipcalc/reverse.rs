//! Names in the reverse tree of DNS.

use std::net::IpAddr;

use serde::Serialize;
use utoipa::ToSchema;

use super::numbers::{Family, Range, number};

/// Where an address and its network stand in the reverse tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReverseNames)]
pub struct Reverse {
    /// The name that holds the PTR record of the address (RFC 1035 §3.5, RFC 3596 §2.5).
    #[schema(example = "5.2.0.192.in-addr.arpa")]
    pub name: String,
    /// The zones of the network, cut at octets (IPv4) or nibbles (IPv6): at most 128. Of a network that
    /// holds less than a /24, or a few IPv6 addresses, the zone of the /24 or /64 it stands in.
    #[schema(example = json!(["2.0.192.in-addr.arpa"]))]
    pub zones: Vec<String>,
    /// How an IPv4 network that is smaller than /24 is delegated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegation: Option<Delegation>,
}

/// Delegation of a part of a zone (RFC 2317): the parent zone has a CNAME for each address, which leads into a zone of
/// its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReverseDelegation)]
pub struct Delegation {
    /// The zone of the network, as RFC 2317 names it.
    #[schema(example = "64/26.2.0.192.in-addr.arpa")]
    pub zone: String,
    /// The same without a slash, which some software does not take.
    #[schema(example = "64-127.2.0.192.in-addr.arpa")]
    pub zone_without_slash: String,
    /// The zone that delegates it.
    #[schema(example = "2.0.192.in-addr.arpa")]
    pub parent: String,
    /// The record of the address in the parent zone.
    #[schema(example = "70.2.0.192.in-addr.arpa. CNAME 70.64/26.2.0.192.in-addr.arpa.")]
    pub record: String,
}

/// Where an address and its network stand.
pub fn reverse(address: IpAddr, network: Range, length: u8) -> Reverse {
    let family = Family::of(address);
    let step = step(family);
    let name = name(family, number(address), family.width());
    let (first, last) = network.numbers();
    // A zone ends at a whole octet or nibble, and nobody makes one for a single address.
    let cut = match (family, length.div_ceil(step) * step) {
        (Family::V4, 32) => 24,
        (Family::V6, 128) => 64,
        (_, cut) => cut,
    };
    let size = family.hosts(cut);
    let zones = if cut <= length {
        vec![self::name(family, first, cut)]
    } else {
        let count = ((last - first) >> (family.width() - cut)) + 1;
        let each = |at: u128| self::name(family, first + at * (size + 1), cut);
        (0..count).map(each).collect()
    };
    let delegation = (family == Family::V4 && (25..32).contains(&length))
        .then(|| delegation(&name, number(address), first, last, length));
    Reverse { name, zones, delegation }
}

fn delegation(name: &str, address: u128, first: u128, last: u128, length: u8) -> Delegation {
    let parent = self::name(Family::V4, first, 24);
    let octet = |number: u128| number & 0xff;
    let zone = format!("{}/{length}.{parent}", octet(first));
    Delegation {
        record: format!("{name}. CNAME {}.{zone}.", octet(address)),
        zone_without_slash: format!("{}-{}.{parent}", octet(first), octet(last)),
        zone,
        parent,
    }
}

/// Bits that a label stands for.
fn step(family: Family) -> u8 {
    match family {
        Family::V4 => 8,
        Family::V6 => 4,
    }
}

/// The name of the first bits of an address, a multiple of the bits of a label.
fn name(family: Family, number: u128, bits: u8) -> String {
    let (step, width) = (step(family), family.width());
    let mut name = String::with_capacity(80);
    let mut rest = number.checked_shr(u32::from(width - bits)).unwrap_or(0);
    for _ in 0..bits / step {
        match family {
            Family::V4 => octet(&mut name, rest as u8),
            Family::V6 => name.extend(char::from_digit(rest as u32 & 0xf, 16)),
        }
        name.push('.');
        rest >>= step;
    }
    name.push_str(match family {
        Family::V4 => "in-addr.arpa",
        Family::V6 => "ip6.arpa",
    });
    name
}

/// Writes an octet in decimal. A short prefix has a hundred zones, and formatting would take most of their time.
fn octet(text: &mut String, octet: u8) {
    let digit = |number: u8| char::from(b'0' + number % 10);
    if octet >= 100 {
        text.push(digit(octet / 100));
    }
    if octet >= 10 {
        text.push(digit(octet / 10));
    }
    text.push(digit(octet));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipcalc::read;

    fn of(text: &str) -> Reverse {
        let question = read(text).unwrap();
        reverse(question.address, question.network.into(), question.network.prefix_len())
    }

    #[test]
    fn zones_are_cut_at_octets() {
        assert_eq!(of("192.0.2.5").name, "5.2.0.192.in-addr.arpa");
        for (network, zones) in [
            ("0.0.0.0/0", vec!["in-addr.arpa"]),
            ("10.0.0.0/8", vec!["10.in-addr.arpa"]),
            ("10.2.0.0/15", vec!["2.10.in-addr.arpa", "3.10.in-addr.arpa"]),
            ("192.0.2.0/24", vec!["2.0.192.in-addr.arpa"]),
            ("192.0.2.0/23", vec!["2.0.192.in-addr.arpa", "3.0.192.in-addr.arpa"]),
            ("192.0.2.128/25", vec!["2.0.192.in-addr.arpa"]),
            ("192.0.2.5", vec!["2.0.192.in-addr.arpa"]),
        ] {
            assert_eq!(of(network).zones, zones, "{network}");
        }
        assert_eq!(of("10.0.0.0/9").zones.len(), 128);
        assert_eq!(of("10.0.0.0/17").zones.last().unwrap(), "127.0.10.in-addr.arpa");
    }

    #[test]
    fn zones_are_cut_at_nibbles() {
        assert_eq!(
            of("2001:db8::1").name,
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        );
        assert_eq!(of("::/0").zones, ["ip6.arpa"]);
        assert_eq!(of("2001:db8::/32").zones, ["8.b.d.0.1.0.0.2.ip6.arpa"]);
        let zones = of("2001:db8::/29").zones;
        assert_eq!(zones.len(), 8);
        assert_eq!(zones[7], "f.b.d.0.1.0.0.2.ip6.arpa");
        assert_eq!(of("2001:db8::/123").zones.len(), 2);
        for within in ["2001:db8::1", "2001:db8::/127"] {
            assert_eq!(of(within).zones, ["0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"], "{within}");
        }
    }

    #[test]
    fn parts_of_a_zone_are_delegated() {
        let delegation = of("192.0.2.70/26").delegation.unwrap();
        assert_eq!(delegation.zone, "64/26.2.0.192.in-addr.arpa");
        assert_eq!(delegation.zone_without_slash, "64-127.2.0.192.in-addr.arpa");
        assert_eq!(delegation.parent, "2.0.192.in-addr.arpa");
        assert_eq!(delegation.record, "70.2.0.192.in-addr.arpa. CNAME 70.64/26.2.0.192.in-addr.arpa.");
        for network in ["192.0.2.0/24", "192.0.2.0/32", "2001:db8::/33"] {
            assert_eq!(of(network).delegation, None, "{network}");
        }
    }
}
