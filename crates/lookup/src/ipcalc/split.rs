//! A network cut into smaller ones.

use ipnet::IpNet;
use serde::Serialize;
use utoipa::ToSchema;

use super::numbers::{Family, Range, one_more};

/// Most subnets that are listed at once.
pub const MOST_AT_ONCE: usize = 1000;

/// Most numbers of hosts that a network is cut for at once.
pub const MOST_HOSTS: usize = 256;

/// How a network is to be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SplitBy {
    /// Into networks of this prefix length.
    Length(u8),
    /// Into so many networks of one size; when that is no power of two, there are some to spare.
    Parts(u128),
    /// Into one network for each of these numbers of hosts, each as small as can be on a link of any kind: a /30 or
    /// /126 for two.
    Hosts(Vec<u128>),
}

/// Why a network cannot be cut so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// The prefix length is not one of a part.
    #[error("must be from {least} to {most} for {network}, got {got}")]
    Length {
        /// The network.
        network: IpNet,
        /// Its own length.
        least: u8,
        /// Bits of an address.
        most: u8,
        /// What was asked for.
        got: u8,
    },
    /// There are not so many addresses.
    #[error("must be from 1 to {most} for {network}, got {got}")]
    Parts {
        /// The network.
        network: IpNet,
        /// How many addresses it has, in digits.
        most: String,
        /// What was asked for.
        got: u128,
    },
    /// The number of hosts is none.
    #[error("must be numbers of hosts, from 1 to {most} of them, each at least 1", most = MOST_HOSTS)]
    Hosts,
    /// There is no room.
    #[error("must fit into {network}: there is no room left for {hosts} hosts")]
    Full {
        /// The network.
        network: IpNet,
        /// The number of hosts that does not fit.
        hosts: u128,
    },
}

/// A network that was cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = NetworkSplit)]
pub struct Split {
    /// The network.
    #[schema(value_type = String, example = "192.0.2.0/24")]
    pub network: IpNet,
    /// The prefix length of all parts, when they are of one size.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 26)]
    pub cidr: Option<u8>,
    /// How many parts there are, in digits.
    #[schema(example = "4")]
    pub total: String,
    /// How many parts come before those that are listed, in digits.
    #[schema(example = "0")]
    pub offset: String,
    /// The parts, or some of them.
    pub subnets: Vec<Part>,
    /// What is left of the network, when it was cut for numbers of hosts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub free: Vec<IpNet>,
}

/// A part of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = NetworkPart)]
pub struct Part {
    /// The part.
    #[schema(value_type = String, example = "192.0.2.64/26")]
    pub prefix: IpNet,
    /// The first address that a host may have.
    #[schema(value_type = String, example = "192.0.2.65")]
    pub first_ip: std::net::IpAddr,
    /// The last address that a host may have.
    #[schema(value_type = String, example = "192.0.2.126")]
    pub last_ip: std::net::IpAddr,
    /// How many addresses hosts may have, in digits.
    #[schema(example = "62")]
    pub usable_ips: String,
    /// The number of hosts it was cut for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "50")]
    pub hosts: Option<String>,
}

/// Cuts a network. Of parts of one size, `limit` are listed from the one at `offset` on; `limit` is at most
/// [`MOST_AT_ONCE`].
///
/// # Errors
/// When the network cannot be cut so.
pub fn split(network: IpNet, by: &SplitBy, offset: u128, limit: usize) -> Result<Split, SplitError> {
    let family = Family::of(network.addr());
    match by {
        SplitBy::Length(length) => {
            let (least, most) = (network.prefix_len(), family.width());
            if !(least..=most).contains(length) {
                return Err(SplitError::Length { network, least, most, got: *length });
            }
            Ok(even(network, *length, offset, limit))
        }
        SplitBy::Parts(parts) => {
            let more = Range::from(network).more();
            if *parts == 0 || parts - 1 > more {
                return Err(SplitError::Parts { network, most: one_more(more), got: *parts });
            }
            // As many bits as the number of the last part has.
            let bits = 128 - (parts - 1).leading_zeros() as u8;
            Ok(even(network, network.prefix_len() + bits, offset, limit))
        }
        SplitBy::Hosts(hosts) => for_hosts(network, hosts),
    }
}

fn even(network: IpNet, length: u8, offset: u128, limit: usize) -> Split {
    let family = Family::of(network.addr());
    let whole = Range::from(network);
    let size = family.hosts(length);
    // Less one, as every count here, since ::/0 has 2^128 parts of one address.
    let more = whole.more().checked_shr(u32::from(family.width() - length)).unwrap_or(0);
    let (first, last) = whole.numbers();
    let mut subnets = Vec::new();
    let mut next = (offset <= more).then(|| first + (size.wrapping_add(1)).wrapping_mul(offset));
    while let Some(at) = next.filter(|_| subnets.len() < limit.min(MOST_AT_ONCE)) {
        subnets.push(part(family.block(at, length), None));
        next = (last - at > size).then(|| at + size + 1);
    }
    Split {
        network,
        cidr: Some(length),
        total: one_more(more),
        offset: offset.to_string(),
        subnets,
        free: Vec::new(),
    }
}

/// The largest first, so that each begins where the one before ends and is aligned by itself.
fn for_hosts(network: IpNet, hosts: &[u128]) -> Result<Split, SplitError> {
    if hosts.is_empty() || hosts.len() > MOST_HOSTS || hosts.contains(&0) {
        return Err(SplitError::Hosts);
    }
    let family = Family::of(network.addr());
    let (first, last) = Range::from(network).numbers();
    let mut order: Vec<usize> = (0..hosts.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(hosts[*at]));
    let mut parts = vec![None; hosts.len()];
    let mut next = Some(first);
    for at in order {
        let full = || SplitError::Full { network, hosts: hosts[at] };
        let begin = next.ok_or_else(full)?;
        let length = length_for(family, hosts[at], network.prefix_len())
            .filter(|length| *length >= network.prefix_len());
        let length = length.ok_or_else(full)?;
        let end = begin.checked_add(family.hosts(length)).filter(|end| *end <= last).ok_or_else(full)?;
        parts[at] = Some(part(family.block(begin, length), Some(hosts[at])));
        next = (end < last).then(|| end + 1);
    }
    let free = next.map(|next| Range::of_numbers(family, next, last).prefixes().collect());
    Ok(Split {
        network,
        cidr: None,
        total: hosts.len().to_string(),
        offset: "0".into(),
        subnets: parts.into_iter().flatten().collect(),
        free: free.unwrap_or_default(),
    })
}

/// The longest prefix whose network has room for so many hosts, on a link of any kind: networks of two addresses are
/// for links between two routers (RFC 3021, RFC 6164), so they are not taken unless there is nothing else.
fn length_for(family: Family, hosts: u128, whole: u8) -> Option<u8> {
    let besides = match (hosts, family) {
        (1, _) => 0,
        (2, _) if whole == family.width() - 1 => 0,
        (_, Family::V4) => 2,
        (_, Family::V6) => 1,
    };
    let more = hosts.checked_add(besides)? - 1;
    family.width().checked_sub(128 - more.leading_zeros() as u8)
}

fn part(prefix: IpNet, hosts: Option<u128>) -> Part {
    let family = Family::of(prefix.addr());
    let (first, last) = Range::from(prefix).numbers();
    let (usable, first, last) = super::answer::usable(family, prefix.prefix_len(), first, last);
    Part {
        prefix,
        first_ip: family.address(first),
        last_ip: family.address(last),
        usable_ips: usable.to_string(),
        hosts: hosts.map(|hosts| hosts.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::numbers::number;
    use super::*;

    fn cut(network: &str, by: &SplitBy) -> Result<Vec<String>, String> {
        let split = split(network.parse().unwrap(), by, 0, 10).map_err(|error| error.to_string())?;
        Ok(split.subnets.iter().map(|part| part.prefix.to_string()).collect())
    }

    #[test]
    fn into_equal_parts() {
        let halves = ["192.0.2.0/25", "192.0.2.128/25"].map(str::to_owned).to_vec();
        assert_eq!(cut("192.0.2.0/24", &SplitBy::Length(25)), Ok(halves.clone()));
        assert_eq!(cut("192.0.2.0/24", &SplitBy::Parts(2)), Ok(halves));
        assert_eq!(cut("192.0.2.0/24", &SplitBy::Parts(1)), Ok(vec!["192.0.2.0/24".into()]));
        assert_eq!(cut("192.0.2.0/24", &SplitBy::Parts(3)).unwrap().len(), 4);
        assert_eq!(cut("192.0.2.4/30", &SplitBy::Parts(4)).unwrap()[3], "192.0.2.7/32");
        assert_eq!(
            cut("255.255.255.254/31", &SplitBy::Length(32)).unwrap(),
            ["255.255.255.254/32", "255.255.255.255/32"]
        );
        let wrong = cut("192.0.2.0/24", &SplitBy::Length(23));
        assert_eq!(wrong.unwrap_err(), "must be from 24 to 32 for 192.0.2.0/24, got 23");
        for parts in [0, 257] {
            let wrong = cut("192.0.2.0/24", &SplitBy::Parts(parts)).unwrap_err();
            assert_eq!(wrong, format!("must be from 1 to 256 for 192.0.2.0/24, got {parts}"));
        }
    }

    #[test]
    fn the_largest_split_is_listed_from_anywhere() {
        let all: IpNet = "::/0".parse().unwrap();
        let most = split(all, &SplitBy::Length(128), u128::MAX, 10).unwrap();
        assert_eq!(most.total, "340282366920938463463374607431768211456");
        assert_eq!(most.subnets.len(), 1);
        assert_eq!(most.subnets[0].prefix.to_string(), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
        assert_eq!(split(all, &SplitBy::Length(0), 0, 10).unwrap().subnets.len(), 1);
        assert_eq!(
            split(all, &SplitBy::Parts(u128::MAX), 3, 2).unwrap().subnets[1].prefix.to_string(),
            "::4/128"
        );
        let beyond = split("10.0.0.0/8".parse().unwrap(), &SplitBy::Length(9), 2, 10).unwrap();
        assert_eq!((beyond.total.as_str(), beyond.subnets.len()), ("2", 0));
        let many = split("10.0.0.0/8".parse().unwrap(), &SplitBy::Length(32), 0, usize::MAX).unwrap();
        assert_eq!(many.subnets.len(), MOST_AT_ONCE);
    }

    #[test]
    fn for_numbers_of_hosts() {
        let by = SplitBy::Hosts(vec![10, 100, 2, 1]);
        let split = split("192.0.2.0/24".parse().unwrap(), &by, 0, 10).unwrap();
        let parts: Vec<String> = split.subnets.iter().map(|part| part.prefix.to_string()).collect();
        assert_eq!(parts, ["192.0.2.128/28", "192.0.2.0/25", "192.0.2.144/30", "192.0.2.148/32"]);
        let free: Vec<String> = split.free.iter().map(ToString::to_string).collect();
        assert_eq!(
            free,
            ["192.0.2.149/32", "192.0.2.150/31", "192.0.2.152/29", "192.0.2.160/27", "192.0.2.192/26"]
        );
        for (network, expected) in [
            ("192.0.2.0/24", "192.0.2.0/30"),
            ("2001:db8::/64", "2001:db8::/126"),
            ("192.0.2.4/31", "192.0.2.4/31"),
            ("2001:db8::/127", "2001:db8::/127"),
        ] {
            assert_eq!(self::cut(network, &SplitBy::Hosts(vec![2])), Ok(vec![expected.into()]));
        }
        let cut = |hosts: &[u128]| cut("192.0.2.0/24", &SplitBy::Hosts(hosts.to_vec()));
        assert_eq!(cut(&[254]), Ok(vec!["192.0.2.0/24".into()]));
        let full = "must fit into 192.0.2.0/24: there is no room left for";
        assert_eq!(cut(&[255]).unwrap_err(), format!("{full} 255 hosts"));
        assert_eq!(cut(&[126, 126, 1]).unwrap_err(), format!("{full} 1 hosts"));
        assert!(cut(&[u128::MAX]).is_err() && cut(&[]).is_err() && cut(&[0]).is_err());
        assert!(cut(&[1; MOST_HOSTS + 1]).is_err());
    }

    proptest! {
        #[test]
        fn parts_for_hosts_do_not_touch_each_other(hosts in prop::collection::vec(1..5000_u128, 1..40)) {
            let network: IpNet = "10.0.0.0/14".parse().unwrap();
            let split = split(network, &SplitBy::Hosts(hosts.clone()), 0, 10).unwrap();
            let mut parts: Vec<IpNet> = split.subnets.iter().map(|part| part.prefix).chain(split.free).collect();
            for (part, hosts) in split.subnets.iter().zip(hosts) {
                prop_assert!(part.usable_ips.parse::<u128>().unwrap() >= hosts);
            }
            parts.sort();
            let mut at = number(network.network());
            for part in parts {
                prop_assert_eq!(number(part.network()), at);
                at = number(part.broadcast()) + 1;
            }
            prop_assert_eq!(at, number(network.broadcast()) + 1);
        }
    }
}
