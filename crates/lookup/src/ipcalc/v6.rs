//! What is told of IPv6 addresses alone.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use netwark_model::mac::Mac;
use serde::Serialize;
use utoipa::ToSchema;

use super::inside::{Inside, inside};

/// What is told of an IPv6 address besides what both families have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Ipv6Answer)]
pub struct V6Answer {
    /// The address with all its digits.
    #[schema(example = "2001:0db8:0000:0000:0000:0000:0000:0001")]
    pub expanded: String,
    /// The multicast address that is asked for its link-layer address (RFC 4291 §2.7.1); of unicast addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "ff02::1:ff00:1")]
    pub solicited_node: Option<Ipv6Addr>,
    /// The last 64 bits of a unicast address (RFC 4291 §2.5.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0000:0000:0000:0001")]
    pub interface_id: Option<String>,
    /// How far a multicast address reaches (RFC 7346).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "link-local")]
    pub multicast_scope: Option<&'static str>,
    /// The MAC address in the address, or the address that was made from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eui64: Option<Eui64>,
    /// IPv4 addresses that stand inside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<Inside>,
}

/// An address that is made from a MAC address by modified EUI-64 (RFC 4291, appendix A).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Eui64 {
    /// The MAC address.
    #[schema(example = "00:00:5e:00:53:01")]
    pub mac: String,
    /// The address.
    #[schema(value_type = String, example = "2001:db8::200:5eff:fe00:5301")]
    pub address: Ipv6Addr,
    /// True when a manufacturer gave the MAC address, false when it was made up where it is used.
    pub universal: bool,
}

/// What is told of an address. With a MAC address the one that it makes in the network is told, if that leaves room
/// for it.
pub fn v6(address: Ipv6Addr, network: IpNet, mac: Option<Mac>) -> V6Answer {
    let unicast = !address.is_multicast() && !address.is_unspecified();
    let eui64 = match (mac, network.network()) {
        (Some(mac), IpAddr::V6(prefix)) if network.prefix_len() <= 64 => Some(made(prefix, mac)),
        _ => found(address).filter(|_| unicast),
    };
    let bits = address.to_bits();
    let interface = bits as u64;
    let group = |shift: u32| (interface >> shift) & 0xffff;
    V6Answer {
        expanded: expanded(address),
        solicited_node: unicast
            .then(|| Ipv6Addr::from_bits(0xff02_0000_0000_0000_0000_0001_ff00_0000 | bits & 0xff_ffff)),
        interface_id: unicast
            .then(|| format!("{:04x}:{:04x}:{:04x}:{:04x}", group(48), group(32), group(16), group(0))),
        multicast_scope: address.is_multicast().then(|| scope(address)),
        eui64,
        inside: inside(address),
    }
}

fn expanded(address: Ipv6Addr) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(39);
    for (at, segment) in address.segments().into_iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{}{segment:04x}", if at == 0 { "" } else { ":" });
    }
    text
}

fn made(prefix: Ipv6Addr, mac: Mac) -> Eui64 {
    let [a, b, c, d, e, f] = mac.bytes();
    let interface = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    Eui64 {
        mac: mac.to_string(),
        address: Ipv6Addr::from_bits(prefix.to_bits() | u128::from(interface)),
        universal: a & 2 == 0,
    }
}

fn found(address: Ipv6Addr) -> Option<Eui64> {
    let [.., a, b, c, 0xff, 0xfe, d, e, f] = address.octets() else { return None };
    let mac = Mac::new([a ^ 2, b, c, d, e, f]);
    Some(Eui64 { mac: mac.to_string(), address, universal: a & 2 != 0 })
}

fn scope(address: Ipv6Addr) -> &'static str {
    match address.octets()[1] & 0xf {
        0x1 => "interface-local",
        0x2 => "link-local",
        0x3 => "realm-local",
        0x4 => "admin-local",
        0x5 => "site-local",
        0x8 => "organization-local",
        0xe => "global",
        0x0 | 0xf => "reserved",
        _ => "unassigned",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str, network: &str, mac: Option<&str>) -> V6Answer {
        v6(address.parse().unwrap(), network.parse().unwrap(), mac.map(|mac| mac.parse().unwrap()))
    }

    #[test]
    fn addresses_from_macs_and_back() {
        for mac in ["00:00:5E:00:53:01", "00-00-5e-00-53-01", "0000.5e00.5301", "00005e005301"] {
            let made = of("2001:db8::", "2001:db8::/64", Some(mac)).eui64.unwrap();
            assert_eq!(made.address.to_string(), "2001:db8::200:5eff:fe00:5301");
            assert_eq!((made.mac.as_str(), made.universal), ("00:00:5e:00:53:01", true));
            let back = of("2001:db8::200:5eff:fe00:5301", "2001:db8::/64", None).eui64.unwrap();
            assert_eq!(back, made);
        }
        assert!(!of("fe80::ff:fe00:1", "fe80::/64", None).eui64.unwrap().universal);
        assert_eq!(of("2001:db8::", "2001:db8::/65", Some("00:00:5e:00:53:01")).eui64, None);
        assert_eq!(of("ff02::200:5eff:fe00:5301", "ff02::/16", None).eui64, None);
    }

    #[test]
    fn parts_of_unicast_and_multicast() {
        let unicast = of("2001:db8::aaaa:1234:5678", "2001:db8::/32", None);
        assert_eq!(unicast.expanded, "2001:0db8:0000:0000:0000:aaaa:1234:5678");
        assert_eq!(unicast.solicited_node.unwrap().to_string(), "ff02::1:ff34:5678");
        assert_eq!(unicast.interface_id.unwrap(), "0000:aaaa:1234:5678");
        assert_eq!(unicast.multicast_scope, None);
        let multicast = of("ff05::1:3", "ff05::1:3/128", None);
        assert_eq!((multicast.solicited_node, multicast.interface_id), (None, None));
        assert_eq!(multicast.multicast_scope, Some("site-local"));
    }
}
