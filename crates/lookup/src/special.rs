//! Addresses with a purpose of their own: the special-purpose registries of IANA.
//!
//! Source: <https://www.iana.org/assignments/iana-ipv4-special-registry> and its IPv6 sibling (RFC 6890, RFC 8190),
//! typed from the RFCs as of November 2026, with the multicast and site-local blocks that stand in other registries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::IpNet;
use serde::Serialize;
use utoipa::ToSchema;

/// A block of addresses with a purpose of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Special {
    /// The block.
    #[schema(example = "100.64.0.0/10")]
    pub block: &'static str,
    /// What IANA calls it.
    #[schema(example = "Shared Address Space")]
    pub name: &'static str,
    /// Where it is defined.
    #[schema(example = "RFC 6598")]
    pub rfc: &'static str,
    /// Whether packets for it may cross the Internet.
    pub globally_reachable: bool,
}

const fn local(block: &'static str, name: &'static str, rfc: &'static str) -> Special {
    Special { block, name, rfc, globally_reachable: false }
}

const fn global(block: &'static str, name: &'static str, rfc: &'static str) -> Special {
    Special { block, name, rfc, globally_reachable: true }
}

/// Every block, the two families one after the other.
pub const BLOCKS: &[Special] = &[
    local("0.0.0.0/8", "This network", "RFC 791"),
    local("0.0.0.0/32", "This host on this network", "RFC 1122"),
    local("10.0.0.0/8", "Private-Use", "RFC 1918"),
    local("100.64.0.0/10", "Shared Address Space", "RFC 6598"),
    local("127.0.0.0/8", "Loopback", "RFC 1122"),
    local("169.254.0.0/16", "Link Local", "RFC 3927"),
    local("172.16.0.0/12", "Private-Use", "RFC 1918"),
    local("192.0.0.0/24", "IETF Protocol Assignments", "RFC 6890"),
    local("192.0.0.0/29", "IPv4 Service Continuity Prefix", "RFC 7335"),
    local("192.0.0.8/32", "IPv4 dummy address", "RFC 7600"),
    global("192.0.0.9/32", "Port Control Protocol Anycast", "RFC 7723"),
    global("192.0.0.10/32", "Traversal Using Relays around NAT Anycast", "RFC 8155"),
    local("192.0.0.170/31", "NAT64/DNS64 Discovery", "RFC 8880"),
    local("192.0.2.0/24", "Documentation (TEST-NET-1)", "RFC 5737"),
    global("192.31.196.0/24", "AS112-v4", "RFC 7535"),
    global("192.52.193.0/24", "AMT", "RFC 7450"),
    local("192.88.99.0/24", "Deprecated (6to4 Relay Anycast)", "RFC 7526"),
    local("192.88.99.2/32", "6a44-relay anycast address", "RFC 6751"),
    local("192.168.0.0/16", "Private-Use", "RFC 1918"),
    global("192.175.48.0/24", "Direct Delegation AS112 Service", "RFC 7534"),
    local("198.18.0.0/15", "Benchmarking", "RFC 2544"),
    local("198.51.100.0/24", "Documentation (TEST-NET-2)", "RFC 5737"),
    local("203.0.113.0/24", "Documentation (TEST-NET-3)", "RFC 5737"),
    local("224.0.0.0/4", "Multicast", "RFC 5771"),
    local("240.0.0.0/4", "Reserved", "RFC 1112"),
    local("255.255.255.255/32", "Limited Broadcast", "RFC 8190"),
    local("::/128", "Unspecified Address", "RFC 4291"),
    local("::1/128", "Loopback Address", "RFC 4291"),
    local("::ffff:0:0/96", "IPv4-mapped Address", "RFC 4291"),
    global("64:ff9b::/96", "IPv4-IPv6 Translation", "RFC 6052"),
    local("64:ff9b:1::/48", "IPv4-IPv6 Translation", "RFC 8215"),
    local("100::/64", "Discard-Only Address Block", "RFC 6666"),
    local("100:0:0:1::/64", "Dummy IPv6 Prefix", "RFC 9780"),
    local("2001::/23", "IETF Protocol Assignments", "RFC 2928"),
    local("2001::/32", "TEREDO", "RFC 4380"),
    global("2001:1::1/128", "Port Control Protocol Anycast", "RFC 7723"),
    global("2001:1::2/128", "Traversal Using Relays around NAT Anycast", "RFC 8155"),
    global("2001:1::3/128", "DNS-SD Service Registration Protocol Anycast", "RFC 9665"),
    local("2001:2::/48", "Benchmarking", "RFC 5180"),
    global("2001:3::/32", "AMT", "RFC 7450"),
    global("2001:4:112::/48", "AS112-v6", "RFC 7535"),
    local("2001:10::/28", "Deprecated (previously ORCHID)", "RFC 4843"),
    global("2001:20::/28", "ORCHIDv2", "RFC 7343"),
    global("2001:30::/28", "Drone Remote ID Protocol Entity Tags (DETs) Prefix", "RFC 9374"),
    local("2001:db8::/32", "Documentation", "RFC 3849"),
    local("2002::/16", "6to4", "RFC 3056"),
    global("2620:4f:8000::/48", "Direct Delegation AS112 Service", "RFC 7534"),
    local("3fff::/20", "Documentation", "RFC 9637"),
    local("5f00::/16", "Segment Routing (SRv6) SIDs", "RFC 9602"),
    local("fc00::/7", "Unique-Local", "RFC 4193"),
    local("fe80::/10", "Link-Local Unicast", "RFC 4291"),
    local("fec0::/10", "Site-Local Unicast (deprecated)", "RFC 3879"),
    local("ff00::/8", "Multicast", "RFC 4291"),
];

/// The same blocks as networks, in the same order.
static NETWORKS: LazyLock<Vec<(IpNet, &'static Special)>> = LazyLock::new(|| {
    let read = |special: &'static Special| Some((special.block.parse().ok()?, special));
    BLOCKS.iter().filter_map(read).collect()
});

/// The narrowest block that holds an address; `None` for ordinary ones.
pub fn of(address: IpAddr) -> Option<&'static Special> {
    of_range(address, address)
}

/// The narrowest block that holds a whole range of addresses of one family, if there is one.
pub fn of_range(first: IpAddr, last: IpAddr) -> Option<&'static Special> {
    let holding = NETWORKS.iter().filter(|(block, _)| block.contains(&first) && block.contains(&last));
    holding.max_by_key(|(block, _)| block.prefix_len()).map(|(_, special)| *special)
}

/// The blocks that are parts of a network, but not all of it.
pub fn within(network: IpNet) -> impl Iterator<Item = &'static Special> {
    let parts = NETWORKS.iter().filter(move |(block, _)| network.contains(block) && network != *block);
    parts.map(|(_, special)| *special)
}

/// True when an address is one of the public Internet: unicast, and reachable from everywhere. An IPv6 address that
/// carries an IPv4 address is what that one is; tunnels (6to4, Teredo) are not, since they lead to an address that is
/// not checked.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    of(address.into()).is_none_or(|special| special.globally_reachable)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(v4) = address.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let segments = address.segments();
    if segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        let [.., a, b, c, d] = address.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // Only 2000::/3 is given out as global unicast (RFC 4291, IANA).
    segments[0] & 0xe000 == 0x2000 && of(address.into()).is_none_or(|special| special.globally_reachable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(address: &str) -> Option<&'static str> {
        of(address.parse().unwrap()).map(|special| special.block)
    }

    #[test]
    fn every_block_is_a_network() {
        for special in BLOCKS {
            let network: IpNet = special.block.parse().unwrap();
            assert_eq!(network.trunc(), network, "{}", special.block);
        }
    }

    #[test]
    fn the_narrowest_block_counts() {
        for (address, expected) in [
            ("192.0.0.9", Some("192.0.0.9/32")),
            ("192.0.0.171", Some("192.0.0.170/31")),
            ("192.0.0.200", Some("192.0.0.0/24")),
            ("100.127.255.255", Some("100.64.0.0/10")),
            ("100.128.0.0", None),
            ("8.8.8.8", None),
            ("255.255.255.255", Some("255.255.255.255/32")),
            ("2001:20::1", Some("2001:20::/28")),
            ("2001:1ff::1", Some("2001::/23")),
            ("2001:200::1", None),
            ("3fff:fff::1", Some("3fff::/20")),
            ("5f00::1", Some("5f00::/16")),
        ] {
            assert_eq!(block(address), expected, "{address}");
        }
    }

    #[test]
    fn a_range_is_within_one_block_or_in_none() {
        let block = |first: &str, last: &str| {
            of_range(first.parse().unwrap(), last.parse().unwrap()).map(|special| special.block)
        };
        assert_eq!(block("192.0.0.8", "192.0.0.8"), Some("192.0.0.8/32"));
        assert_eq!(block("192.0.0.0", "192.0.0.8"), Some("192.0.0.0/24"));
        assert_eq!(block("10.255.255.255", "11.0.0.0"), None);
    }

    #[test]
    fn networks_hold_blocks() {
        let parts =
            |network: &str| within(network.parse().unwrap()).map(|special| special.block).collect::<Vec<_>>();
        assert_eq!(parts("198.0.0.0/8"), ["198.18.0.0/15", "198.51.100.0/24"]);
        assert_eq!(parts("192.0.2.0/24"), [""; 0]);
        assert_eq!(parts("0.0.0.0/0").len() + parts("::/0").len(), BLOCKS.len());
    }

    #[test]
    fn what_is_public() {
        let public =
            ["1.1.1.1", "192.0.0.9", "2606:4700::1111", "2001:20::1", "64:ff9b::808:808", "::ffff:8.8.8.8"];
        for address in public {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        let not_public = [
            "10.0.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "127.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:0:1::",
            "2001:db8::1",
            "4000::1",
            "64:ff9b:1::808:808",
        ];
        for address in not_public {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }
}
