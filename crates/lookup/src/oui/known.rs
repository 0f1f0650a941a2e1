//! Addresses that mean something beyond their vendor: virtual machines, redundancy protocols, groups.

use std::net::{Ipv4Addr, Ipv6Addr};

use netwark_model::mac::Mac;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of meaning an address has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MacMeaningKind)]
pub enum MeaningKind {
    /// The interface of a virtual machine or a container.
    Virtual,
    /// The shared address of a redundancy or load-balancing protocol.
    Redundancy,
    /// A group that a protocol sends to.
    Group,
    /// Reserved, for documentation for example.
    Reserved,
}

/// A meaning that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = MacMeaning)]
pub struct Meaning {
    /// What kind it is.
    pub kind: MeaningKind,
    /// What uses it.
    #[schema(example = "VRRP, IPv4")]
    pub name: String,
    /// What the remaining bits say: the number of a virtual router, the IP addresses of a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "virtual router 10")]
    pub detail: Option<String>,
    /// Where that is laid down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "RFC 9568")]
    pub reference: Option<String>,
}

/// How the bits behind a known beginning are read.
#[derive(Clone, Copy)]
enum Rest {
    Nothing,
    /// The last byte is the number of a virtual router.
    Router,
    /// The last bits are the number of a group.
    Group(u32),
    /// Ten bits of group, eight of forwarder.
    Glbp,
    /// The last 23 bits of an IPv4 group.
    Ipv4Group,
    /// The last 32 bits of an IPv6 group.
    Ipv6Group,
    /// The last four bytes are an IPv4 address.
    Ipv4,
}

/// A beginning: its digits, what it means, where that stands, and how to go on.
type Row = (&'static str, MeaningKind, &'static str, &'static str, Rest);

use MeaningKind::{Group, Redundancy, Reserved, Virtual};

/// Beginnings of addresses, as digits. The longest that fits counts. From the documents named and from the
/// documentation of the products, looked at in 2026.
const ROWS: &[Row] = &[
    ("000000000000", Reserved, "Null address", "", Rest::Nothing),
    ("00005E0053", Reserved, "Documentation", "RFC 9542", Rest::Nothing),
    ("01005E9010", Reserved, "Documentation, group", "RFC 9542", Rest::Nothing),
    ("00005E0001", Redundancy, "VRRP or CARP, IPv4", "RFC 9568", Rest::Router),
    ("00005E0002", Redundancy, "VRRP, IPv6", "RFC 9568", Rest::Router),
    ("00005E005213", Reserved, "Proxy Mobile IPv6", "RFC 6543", Rest::Nothing),
    ("00000C07AC", Redundancy, "HSRP version 1", "RFC 2281", Rest::Group(8)),
    ("00000C9FF", Redundancy, "HSRP version 2, IPv4", "", Rest::Group(12)),
    ("000573A00", Redundancy, "HSRP version 2, IPv6", "", Rest::Group(12)),
    ("0007B40", Redundancy, "GLBP", "", Rest::Glbp),
    ("02BF", Redundancy, "Microsoft NLB, unicast", "", Rest::Ipv4),
    ("03BF", Redundancy, "Microsoft NLB, multicast", "", Rest::Ipv4),
    ("000569", Virtual, "VMware", "", Rest::Nothing),
    ("000C29", Virtual, "VMware", "", Rest::Nothing),
    ("001C14", Virtual, "VMware", "", Rest::Nothing),
    ("005056", Virtual, "VMware", "", Rest::Nothing),
    ("525400", Virtual, "QEMU/KVM", "", Rest::Nothing),
    ("FE5400", Virtual, "QEMU/KVM, the host's end of an interface (libvirt)", "", Rest::Nothing),
    ("080027", Virtual, "VirtualBox", "", Rest::Nothing),
    ("0A0027", Virtual, "VirtualBox, host-only network", "", Rest::Nothing),
    ("00155D", Virtual, "Hyper-V", "", Rest::Nothing),
    ("0003FF", Virtual, "Microsoft Virtual PC", "", Rest::Nothing),
    ("001DD8B71C", Virtual, "System Center Virtual Machine Manager", "", Rest::Nothing),
    ("00163E", Virtual, "Xen", "", Rest::Nothing),
    ("0242", Virtual, "Docker", "", Rest::Ipv4),
    ("001C42", Virtual, "Parallels", "", Rest::Nothing),
    ("001851", Virtual, "OpenVZ", "", Rest::Nothing),
    ("001A4A", Virtual, "oVirt", "", Rest::Nothing),
    ("566F", Virtual, "oVirt", "", Rest::Nothing),
    ("0021F6", Virtual, "Oracle VM", "", Rest::Nothing),
    ("00144F", Virtual, "Oracle VM Server for SPARC", "", Rest::Nothing),
    ("589CFC", Virtual, "bhyve", "", Rest::Nothing),
    ("BC2411", Virtual, "Proxmox VE", "", Rest::Nothing),
    ("4201", Virtual, "Google Compute Engine", "", Rest::Ipv4),
    ("00FF", Virtual, "TAP adapter of Windows", "", Rest::Nothing),
    ("02004C4F4F50", Virtual, "Loopback adapter of Windows", "", Rest::Nothing),
    ("FFFFFFFFFFFF", Group, "Broadcast", "IEEE 802.3", Rest::Nothing),
    ("0180C2000000", Group, "Spanning tree (STP, RSTP, MSTP)", "IEEE 802.1Q", Rest::Nothing),
    ("0180C2000001", Group, "Flow control (pause)", "IEEE 802.3", Rest::Nothing),
    ("0180C2000002", Group, "Slow protocols (LACP, OAM)", "IEEE 802.3", Rest::Nothing),
    ("0180C2000003", Group, "Port access control (802.1X), LLDP", "IEEE 802.1X", Rest::Nothing),
    ("0180C2000008", Group, "Spanning tree of provider bridges", "IEEE 802.1Q", Rest::Nothing),
    ("0180C200000E", Group, "LLDP, PTP between neighbours", "IEEE 802.1AB", Rest::Nothing),
    ("0180C2000014", Group, "IS-IS, level 1", "ISO 10589", Rest::Nothing),
    ("0180C2000015", Group, "IS-IS, level 2", "ISO 10589", Rest::Nothing),
    ("0180C2000020", Group, "MMRP", "IEEE 802.1Q", Rest::Nothing),
    ("0180C2000021", Group, "MVRP", "IEEE 802.1Q", Rest::Nothing),
    ("0180C200000", Group, "Reserved for bridges, not forwarded", "IEEE 802.1Q", Rest::Nothing),
    ("011B19000000", Group, "PTP", "IEEE 1588", Rest::Nothing),
    ("01000CCCCCCC", Group, "CDP, VTP, DTP, PAgP, UDLD", "", Rest::Nothing),
    ("01000CCCCCCD", Group, "PVST+", "", Rest::Nothing),
    ("010CCD01", Group, "GOOSE", "IEC 61850", Rest::Nothing),
    ("010CCD04", Group, "Sampled values", "IEC 61850", Rest::Nothing),
    ("010ECF", Group, "PROFINET", "IEC 61158", Rest::Nothing),
    ("01005E900001", Group, "BFD on the links of a LAG", "RFC 7130", Rest::Nothing),
    ("01005E8", Group, "MPLS multicast", "RFC 5332", Rest::Nothing),
    ("01005E", Group, "IPv4 multicast", "RFC 1112", Rest::Ipv4Group),
    ("3333", Group, "IPv6 multicast", "RFC 2464", Rest::Ipv6Group),
];

/// Digits of a whole address.
const WHOLE: usize = 12;

/// What is known of an address of which the first `digits` are given: what holds for all that begin so.
pub(super) fn of(mac: Mac, digits: usize) -> Option<Meaning> {
    let text = format!("{:012X}", mac.bits());
    let fits = |row: &&Row| row.0.len() <= digits && text.starts_with(row.0) && has_meaning(row, mac, digits);
    let (_, kind, name, reference, rest) =
        ROWS.iter().filter(fits).max_by_key(|(prefix, ..)| prefix.len())?;
    let detail = if digits == WHOLE { detail(*rest, mac) } else { None };
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Some(Meaning { kind: *kind, name: (*name).into(), detail, reference: said(reference) })
}

/// Whether the rest of the address can be what the beginning says.
fn has_meaning((prefix, _, _, _, rest): &Row, mac: Mac, digits: usize) -> bool {
    match (*prefix, rest) {
        ("01005E" | "0242" | "4201", _) | (_, Rest::Glbp) if digits < WHOLE => false,
        // Only the lower half of the block is for IPv4 groups.
        ("01005E", _) => mac.bits() & 1 << 23 == 0,
        // Behind 02:42 Docker writes the address of the container, from its private pools.
        ("0242" | "4201", _) => ipv4(mac).is_private(),
        // Behind the 24 bits of Cisco come six zeros.
        (_, Rest::Glbp) => mac.bits() >> 18 & 0x3f == 0,
        _ => true,
    }
}

fn ipv4(mac: Mac) -> Ipv4Addr {
    let [_, _, a, b, c, d] = mac.bytes();
    Ipv4Addr::new(a, b, c, d)
}

fn detail(rest: Rest, mac: Mac) -> Option<String> {
    let bits = |count: u32| mac.bits() & ((1 << count) - 1);
    match rest {
        Rest::Nothing => None,
        Rest::Ipv4Group | Rest::Ipv6Group => group(rest, mac),
        Rest::Router => Some(format!("virtual router {}", bits(8))),
        Rest::Group(count) => Some(format!("group {}", bits(count))),
        Rest::Glbp => Some(format!("group {}, forwarder {}", bits(18) >> 8, bits(8))),
        Rest::Ipv4 => Some(format!("made from {}", ipv4(mac))),
    }
}

/// IPv4 groups that have a name (IANA's registry of multicast addresses), by the bits that reach the Ethernet address.
const IPV4_GROUPS: &[(u32, &str)] = &[
    (0x00_0001, "all systems"),
    (0x00_0002, "all routers"),
    (0x00_0005, "OSPF routers"),
    (0x00_0006, "OSPF designated routers"),
    (0x00_0009, "RIPv2"),
    (0x00_000a, "EIGRP"),
    (0x00_000d, "PIM"),
    (0x00_0012, "VRRP"),
    (0x00_0016, "IGMPv3"),
    (0x00_0066, "HSRPv2, GLBP"),
    (0x00_006b, "PTP peer delay"),
    (0x00_00fb, "mDNS"),
    (0x00_00fc, "LLMNR"),
    (0x00_0181, "PTP"),
    (0x7f_fffa, "SSDP"),
];

/// The same for IPv6, by the last 32 bits.
const IPV6_GROUPS: &[(u32, &str)] = &[
    (0x0000_0001, "all nodes"),
    (0x0000_0002, "all routers"),
    (0x0000_0005, "OSPF routers"),
    (0x0000_0006, "OSPF designated routers"),
    (0x0000_0009, "RIPng"),
    (0x0000_000a, "EIGRP"),
    (0x0000_000c, "SSDP"),
    (0x0000_000d, "PIM"),
    (0x0000_0012, "VRRP"),
    (0x0000_0016, "MLDv2"),
    (0x0000_0066, "HSRPv2"),
    (0x0000_00fb, "mDNS"),
    (0x0001_0002, "DHCPv6 servers and relays"),
    (0x0001_0003, "LLMNR"),
];

fn group(rest: Rest, mac: Mac) -> Option<String> {
    let low = (mac.bits() & 0xffff_ffff) as u32;
    let named = |groups: &[(u32, &'static str)], bits: u32| {
        groups.iter().find(|(group, _)| *group == bits).map(|(_, name)| *name)
    };
    match rest {
        Rest::Ipv4Group => {
            let bits = low & 0x7f_ffff;
            let [_, b, c, d] = bits.to_be_bytes();
            // 224.0.0.x and 239.255.255.250 are where the named groups are; the others share these bits.
            let first =
                if b == 0x7f { Ipv4Addr::new(239, 0x80 | b, c, d) } else { Ipv4Addr::new(224, b, c, d) };
            let name = named(IPV4_GROUPS, bits).map_or_else(String::new, |name| format!(" ({name})"));
            Some(format!("{first}{name}, or one of the 31 other groups with the same last 23 bits"))
        }
        Rest::Ipv6Group if low >> 24 == 0xff => {
            let address = Ipv6Addr::from(0xff02_0000_0000_0000_0000_0001_0000_0000 | u128::from(low));
            Some(format!("{address} (neighbours whose address ends in these 24 bits)"))
        }
        Rest::Ipv6Group => {
            let address = Ipv6Addr::from(0xff02 << 112 | u128::from(low));
            let name = named(IPV6_GROUPS, low).map_or_else(String::new, |name| format!(" ({name})"));
            Some(format!("{address}{name}, or another group that ends in the same 32 bits"))
        }
        _ => None,
    }
}
