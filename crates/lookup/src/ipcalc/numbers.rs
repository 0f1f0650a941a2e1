//! Addresses as numbers, blocks as ranges of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// How many addresses IPv6 has: the one count that a `u128` cannot hold.
const ALL_OF_V6: &str = "340282366920938463463374607431768211456";

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// 32 bits.
    V4,
    /// 128 bits.
    V6,
}

impl Family {
    /// That of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// Bits of an address.
    pub fn width(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// Its number: 4 or 6.
    pub fn version(self) -> u8 {
        match self {
            Self::V4 => 4,
            Self::V6 => 6,
        }
    }

    /// The address that is written with the low bits of a number.
    pub fn address(self, number: u128) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::from_bits(number as u32).into(),
            Self::V6 => Ipv6Addr::from_bits(number).into(),
        }
    }

    /// The bits after a prefix of this length, all set: how many addresses follow the first one.
    pub fn hosts(self, length: u8) -> u128 {
        u128::MAX.checked_shr(128 - u32::from(self.width().saturating_sub(length))).unwrap_or(0)
    }

    /// The last address of all.
    pub fn last(self) -> u128 {
        self.hosts(0)
    }

    /// The block of this length that holds an address.
    pub fn block(self, number: u128, length: u8) -> IpNet {
        let length = length.min(self.width());
        let block = match self {
            Self::V4 => Ipv4Net::new(Ipv4Addr::from_bits(number as u32), length).map(IpNet::from),
            Self::V6 => Ipv6Net::new(Ipv6Addr::from_bits(number), length).map(IpNet::from),
        };
        block.expect("the length is at most the width").trunc()
    }
}

/// An address as a number.
pub fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// Addresses from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    family: Family,
    first: u128,
    last: u128,
}

impl Range {
    /// From one address to another of the same family that is not before it; `None` otherwise.
    pub fn new(first: IpAddr, last: IpAddr) -> Option<Self> {
        let family = Family::of(first);
        let range = Self { family, first: number(first), last: number(last) };
        (family == Family::of(last) && range.first <= range.last).then_some(range)
    }

    pub(super) fn of_numbers(family: Family, first: u128, last: u128) -> Self {
        debug_assert!(first <= last && last <= family.last());
        Self { family, first, last }
    }

    /// Its family.
    pub fn family(self) -> Family {
        self.family
    }

    /// Its first address.
    pub fn first(self) -> IpAddr {
        self.family.address(self.first)
    }

    /// Its last address.
    pub fn last(self) -> IpAddr {
        self.family.address(self.last)
    }

    pub(super) fn numbers(self) -> (u128, u128) {
        (self.first, self.last)
    }

    /// How many addresses follow the first one.
    pub fn more(self) -> u128 {
        self.last - self.first
    }

    /// How many addresses it has, in digits.
    pub fn count(self) -> String {
        one_more(self.more())
    }

    /// The fewest prefixes that hold these addresses and no others, in order: at most 2 × width - 2.
    pub fn prefixes(self) -> impl Iterator<Item = IpNet> {
        let (family, width) = (self.family, u32::from(self.family.width()));
        let mut next = Some(self.first);
        std::iter::from_fn(move || {
            let first = next?;
            // As large as the alignment of its first address and the rest of the range allow.
            let aligned = first.trailing_zeros().min(width);
            let rest = self.last - first;
            let fits = rest.checked_add(1).map_or(128, u128::ilog2);
            let length = family.width() - aligned.min(fits) as u8;
            let end = first + family.hosts(length);
            next = (end < self.last).then(|| end + 1);
            Some(family.block(first, length))
        })
    }

    /// The smallest block that holds all of it.
    pub fn cover(self) -> IpNet {
        let same = (self.first ^ self.last).leading_zeros() as u8 - (128 - self.family.width());
        self.family.block(self.first, same)
    }
}

impl From<IpNet> for Range {
    fn from(block: IpNet) -> Self {
        let family = Family::of(block.addr());
        let first = number(block.network());
        Self { family, first, last: first | family.hosts(block.prefix_len()) }
    }
}

/// One more than a number, in digits.
pub fn one_more(number: u128) -> String {
    number.checked_add(1).map_or_else(|| ALL_OF_V6.to_owned(), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(first: &str, last: &str) -> Range {
        Range::new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
    }

    fn prefixes(first: &str, last: &str) -> Vec<String> {
        range(first, last).prefixes().map(|prefix| prefix.to_string()).collect()
    }

    #[test]
    fn ranges_as_prefixes() {
        assert_eq!(
            prefixes("10.0.0.1", "10.0.0.6"),
            ["10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6/32"]
        );
        assert_eq!(prefixes("0.0.0.0", "255.255.255.255"), ["0.0.0.0/0"]);
        assert_eq!(prefixes("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ["::/0"]);
        assert_eq!(prefixes("255.255.255.255", "255.255.255.255"), ["255.255.255.255/32"]);
        assert_eq!(prefixes("0.0.0.1", "255.255.255.254").len(), 62);
        let most = range("::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe");
        assert_eq!(most.prefixes().count(), 254);
        assert_eq!(most.count(), (u128::MAX - 1).to_string());
    }

    #[test]
    fn counts_reach_all_of_v6() {
        assert_eq!(Range::from("::/0".parse::<IpNet>().unwrap()).count(), ALL_OF_V6);
        assert_eq!(Range::from("0.0.0.0/0".parse::<IpNet>().unwrap()).count(), "4294967296");
        assert_eq!(range("::", "::").count(), "1");
    }

    #[test]
    fn covers() {
        assert_eq!(range("10.0.0.1", "10.0.0.6").cover().to_string(), "10.0.0.0/29");
        assert_eq!(range("0.0.0.1", "128.0.0.0").cover().to_string(), "0.0.0.0/0");
        assert_eq!(range("::1", "::1").cover().to_string(), "::1/128");
        assert_eq!(range("::1", "8000::").cover().to_string(), "::/0");
        assert!(Range::new("10.0.0.2".parse().unwrap(), "10.0.0.1".parse().unwrap()).is_none());
        assert!(Range::new("10.0.0.2".parse().unwrap(), "::ffff".parse().unwrap()).is_none());
    }

    fn any_range() -> impl Strategy<Value = Range> {
        let v4 = (any::<u32>(), any::<u32>())
            .prop_map(|(a, b)| Range::of_numbers(Family::V4, a.min(b).into(), a.max(b).into()));
        let v6 = (any::<u128>(), any::<u128>(), 0..128_u32).prop_map(|(a, b, shift)| {
            let b = a.saturating_add(b >> shift);
            Range::of_numbers(Family::V6, a, b)
        });
        prop_oneof![v4, v6]
    }

    proptest! {
        #[test]
        fn prefixes_follow_each_other_and_are_the_fewest(range in any_range()) {
            let prefixes: Vec<IpNet> = range.prefixes().collect();
            prop_assert!(prefixes.len() <= 2 * usize::from(range.family().width()) - 2 || prefixes.len() == 1);
            prop_assert_eq!(prefixes[0].network(), range.first());
            prop_assert_eq!(prefixes[prefixes.len() - 1].broadcast(), range.last());
            for pair in prefixes.windows(2) {
                prop_assert_eq!(number(pair[0].broadcast()) + 1, number(pair[1].network()));
                let siblings = pair[0].supernet() == pair[1].supernet() && pair[0].prefix_len() == pair[1].prefix_len();
                prop_assert!(!siblings, "{} and {} are one", pair[0], pair[1]);
            }
        }
    }
}
