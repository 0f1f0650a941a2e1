//! Everything that is told of one address, prefix or range.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use netwark_model::mac::Mac;
use serde::Serialize;
use utoipa::ToSchema;

use super::input::{Form, InputError, Question, read};
use super::numbers::{Family, Range, number, one_more};
use super::reverse::{Reverse, reverse};
use super::v6::{V6Answer, v6};
use crate::special::{self, Special};

/// From here on a number of JSON is not exact in every program that reads it: 2^53.
const INEXACT: u128 = 1 << 53;

/// What an address is, and the network it stands in.
///
/// The fields up to `broadcast` are those of an older API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = IpAnswer)]
pub struct Answer {
    /// The first address of the network, which names it.
    #[schema(value_type = String, example = "192.0.2.0")]
    pub network: IpAddr,
    /// Its netmask; of IPv4.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "255.255.255.0")]
    pub netmask: Option<Ipv4Addr>,
    /// Its prefix length.
    #[schema(example = 24, maximum = 128)]
    pub cidr: u8,
    /// How many addresses hosts may have. Of IPv4 all but the first and the last; of IPv6 all but the first, which is
    /// that of the routers (RFC 4291 §2.6.1); 2 in a /31 (RFC 3021) and a /127 (RFC 6164), 1 in a /32 and a /128.
    /// Exact, and so more than many programs read from a JSON number: see `usable_ips_text`.
    #[schema(example = 254)]
    pub usable_ips: u128,
    /// The same in digits, where it is more than 2^53.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "18446744073709551615")]
    pub usable_ips_text: Option<String>,
    /// The first address that a host may have.
    #[schema(value_type = String, example = "192.0.2.1")]
    pub first_ip: IpAddr,
    /// The last address that a host may have.
    #[schema(value_type = String, example = "192.0.2.254")]
    pub last_ip: IpAddr,
    /// Its broadcast address; of IPv4, and not of a /31 or /32.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "192.0.2.255")]
    pub broadcast: Option<Ipv4Addr>,
    /// 4 or 6.
    pub version: u8,
    /// How the question was understood.
    pub read_as: Form,
    /// The address that was asked about; the first one of a range.
    #[schema(value_type = String, example = "192.0.2.77")]
    pub address: IpAddr,
    /// The network as a prefix.
    #[schema(value_type = String, example = "192.0.2.0/24")]
    pub prefix: IpNet,
    /// The last address of the network.
    #[schema(value_type = String, example = "192.0.2.255")]
    pub end: IpAddr,
    /// How many addresses the network has, in digits.
    #[schema(example = "256")]
    pub addresses: String,
    /// The address as a number, in digits.
    #[schema(example = "3221226061")]
    pub integer: String,
    /// The address in hexadecimal.
    #[schema(example = "0xc000024d")]
    pub hex: String,
    /// Address and mask in bits.
    pub binary: Binary,
    /// The kind of the network in a few words.
    #[schema(example = "Documentation (TEST-NET-1)")]
    pub kind: &'static str,
    /// The special-purpose block that holds the whole network (registries of IANA).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub special: Option<Special>,
    /// Special-purpose blocks that are parts of the network.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub special_parts: Vec<Special>,
    /// Whether the address is one of the public Internet.
    pub public: bool,
    /// Names in the reverse tree of DNS.
    pub reverse: Reverse,
    /// The network of the same size before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "192.0.1.0/24")]
    pub previous: Option<IpNet>,
    /// The network of the same size after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "192.0.3.0/24")]
    pub next: Option<IpNet>,
    /// The network twice its size that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "192.0.2.0/23")]
    pub parent: Option<IpNet>,
    /// The Ethernet address that packets to this multicast address are sent to (RFC 1112, RFC 2464).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "01:00:5e:00:00:fb")]
    pub multicast_mac: Option<String>,
    /// What is told of IPv4 alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<V4Answer>,
    /// What is told of IPv6 alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<V6Answer>,
    /// The range that was asked for; the rest tells of the smallest network that holds all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<RangeAnswer>,
}

/// Address and mask in bits: octets with dots (IPv4), groups of sixteen with colons (IPv6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = IpBits)]
pub struct Binary {
    /// The address.
    #[schema(example = "11000000.00000000.00000010.01001101")]
    pub address: String,
    /// The mask: a one for each bit of the network.
    #[schema(example = "11111111.11111111.11111111.00000000")]
    pub mask: String,
}

/// What is told of an IPv4 address besides what both families have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Ipv4Answer)]
pub struct V4Answer {
    /// The wildcard mask, as access lists of routers have it.
    #[schema(value_type = String, example = "0.0.0.255")]
    pub wildcard: Ipv4Addr,
    /// The netmask in hexadecimal.
    #[schema(example = "0xffffff00")]
    pub netmask_hex: String,
    /// The class it had before there were prefixes (RFC 791): A to E.
    #[schema(value_type = String, example = "C")]
    pub class: char,
    /// The prefix length that the address stands for when it is itself read as a netmask.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 24)]
    pub as_netmask: Option<u8>,
    /// The address among IPv6 addresses (RFC 4291 §2.5.5.2).
    #[schema(value_type = String, example = "::ffff:192.0.2.77")]
    pub mapped: Ipv6Addr,
    /// Its network in 6to4 (RFC 3056).
    #[schema(value_type = String, example = "2002:c000:24d::/48")]
    pub six_to_four: IpNet,
    /// The address behind the well-known prefix of NAT64 (RFC 6052).
    #[schema(value_type = String, example = "64:ff9b::c000:24d")]
    pub nat64: Ipv6Addr,
}

/// A range and the prefixes it is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = IpRange)]
pub struct RangeAnswer {
    /// Its first address.
    #[schema(value_type = String, example = "192.0.2.1")]
    pub first: IpAddr,
    /// Its last address.
    #[schema(value_type = String, example = "192.0.2.6")]
    pub last: IpAddr,
    /// How many addresses it has, in digits.
    #[schema(example = "6")]
    pub addresses: String,
    /// The fewest prefixes that hold its addresses and no others: at most 62 of IPv4 and 254 of IPv6.
    #[schema(value_type = Vec<String>, example = json!(["192.0.2.1/32", "192.0.2.2/31", "192.0.2.4/31", "192.0.2.6/32"]))]
    pub prefixes: Vec<IpNet>,
}

/// Reads a question and answers it.
///
/// # Errors
/// Says what is wrong with the question.
pub fn calculate(text: &str) -> Result<Answer, InputError> {
    Ok(answer(&read(text)?, None))
}

/// Answers a question. With a MAC address the IPv6 address it makes in the network is told, too.
pub fn answer(question: &Question, mac: Option<Mac>) -> Answer {
    let Question { form, address, network, range } = *question;
    let (family, length) = (Family::of(address), network.prefix_len());
    let whole = Range::from(network);
    let (first, last) = whole.numbers();
    let bits = number(address);
    let mask = family.last() ^ family.hosts(length);
    let special = special::of_range(network.network(), network.broadcast());
    let (usable, first_host, last_host) = usable(family, length, first, last);
    let v4_mask = Ipv4Addr::from_bits(mask as u32);
    let (ipv4, ipv6, broadcast) = match address {
        IpAddr::V4(v4) => {
            (Some(of_v4(v4, v4_mask)), None, (length < 31).then(|| Ipv4Addr::from_bits(last as u32)))
        }
        IpAddr::V6(v6_address) => (None, Some(v6(v6_address, network, mac)), None),
    };
    let size = whole.more();
    Answer {
        network: network.network(),
        netmask: ipv4.is_some().then_some(v4_mask),
        cidr: length,
        usable_ips: usable,
        usable_ips_text: (usable > INEXACT).then(|| usable.to_string()),
        first_ip: family.address(first_host),
        last_ip: family.address(last_host),
        broadcast,
        version: family.version(),
        read_as: form,
        address,
        prefix: network,
        end: whole.last(),
        addresses: one_more(size),
        integer: bits.to_string(),
        hex: format!("{bits:#0width$x}", width = usize::from(family.width()) / 4 + 2),
        binary: Binary { address: binary(family, bits), mask: binary(family, mask) },
        kind: special.map_or_else(|| ordinary(network), |special| special.name),
        special: special.copied(),
        special_parts: special::within(network).copied().collect(),
        public: special::is_public(address),
        reverse: reverse(address, whole, length),
        previous: first.checked_sub(1).map(|before| family.block(before, length)),
        next: last
            .checked_add(1)
            .filter(|next| *next <= family.last())
            .map(|next| family.block(next, length)),
        parent: length.checked_sub(1).map(|length| family.block(first, length)),
        multicast_mac: address.is_multicast().then(|| multicast_mac(address)),
        ipv4,
        ipv6,
        range: range.map(|range| RangeAnswer {
            first: range.first(),
            last: range.last(),
            addresses: range.count(),
            prefixes: range.prefixes().collect(),
        }),
    }
}

/// How many addresses hosts may have, the first and the last of them.
pub(super) fn usable(family: Family, length: u8, first: u128, last: u128) -> (u128, u128, u128) {
    match (family, family.width() - length) {
        (_, 0) => (1, first, last),
        (_, 1) => (2, first, last),
        (Family::V4, _) => (last - first - 1, first + 1, last - 1),
        (Family::V6, _) => (last - first, first + 1, last),
    }
}

fn of_v4(address: Ipv4Addr, mask: Ipv4Addr) -> V4Answer {
    let [a, b, c, d] = address.octets();
    let bits = address.to_bits();
    let ones = bits.leading_ones();
    let is_mask = ones > 0 && bits.trailing_zeros() + ones == 32;
    let high = u128::from(bits);
    V4Answer {
        wildcard: Ipv4Addr::from_bits(!mask.to_bits()),
        netmask_hex: format!("{:#010x}", mask.to_bits()),
        class: match a {
            0..128 => 'A',
            128..192 => 'B',
            192..224 => 'C',
            224..240 => 'D',
            _ => 'E',
        },
        as_netmask: is_mask.then_some(ones as u8),
        mapped: address.to_ipv6_mapped(),
        six_to_four: Family::V6.block(0x2002 << 112 | high << 80, 48),
        nat64: Ipv6Addr::new(
            0x64,
            0xff9b,
            0,
            0,
            0,
            0,
            u16::from_be_bytes([a, b]),
            u16::from_be_bytes([c, d]),
        ),
    }
}

/// What a network is that no registry of special purposes names.
fn ordinary(network: IpNet) -> &'static str {
    if special::within(network).next().is_some() {
        return "Several kinds";
    }
    match network.network() {
        IpAddr::V4(_) => "Global Unicast",
        IpAddr::V6(v6) if v6.segments()[0] & 0xe000 == 0x2000 && network.prefix_len() >= 3 => {
            "Global Unicast"
        }
        IpAddr::V6(_) => "Reserved by IETF",
    }
}

fn multicast_mac(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [_, b, c, d] = v4.octets();
            Mac::new([0x01, 0x00, 0x5e, b & 0x7f, c, d]).to_string()
        }
        IpAddr::V6(v6) => {
            let [.., a, b, c, d] = v6.octets();
            Mac::new([0x33, 0x33, a, b, c, d]).to_string()
        }
    }
}

fn binary(family: Family, bits: u128) -> String {
    let (group, separator) = match family {
        Family::V4 => (8, '.'),
        Family::V6 => (16, ':'),
    };
    let mut text = String::with_capacity(136);
    for bit in (0..family.width()).rev() {
        text.push(if (bits >> bit) & 1 == 1 { '1' } else { '0' });
        if bit > 0 && bit % group == 0 {
            text.push(separator);
        }
    }
    text
}
