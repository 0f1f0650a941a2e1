//! Stretches of addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Addresses from a first to a last one, both of the same family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    v6: bool,
    first: u128,
    last: u128,
}

/// An address as a number.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl Span {
    /// The addresses from one to another. None when the second comes before the first or is of another family.
    pub fn new(first: IpAddr, last: IpAddr) -> Option<Self> {
        let span = Self { v6: first.is_ipv6(), first: number(first), last: number(last) };
        (first.is_ipv6() == last.is_ipv6() && span.first <= span.last).then_some(span)
    }

    /// One address.
    pub fn one(address: IpAddr) -> Self {
        let number = number(address);
        Self { v6: address.is_ipv6(), first: number, last: number }
    }

    /// Every address of a prefix.
    pub fn whole(prefix: IpNet) -> Self {
        Self {
            v6: prefix.addr().is_ipv6(),
            first: number(prefix.network()),
            last: number(prefix.broadcast()),
        }
    }

    /// The addresses of a prefix that a host can have: all but the network's own and the broadcast address where there
    /// are such, that is up to /30 of IPv4.
    pub fn hosts(prefix: IpNet) -> Self {
        let mut span = Self::whole(prefix);
        if matches!(prefix, IpNet::V4(v4) if v4.prefix_len() <= 30) {
            span.first += 1;
            span.last -= 1;
        }
        span
    }

    /// The first address.
    pub fn first(self) -> IpAddr {
        self.address(self.first)
    }

    /// The last address.
    pub fn last(self) -> IpAddr {
        self.address(self.last)
    }

    /// True for IPv6.
    pub fn is_ipv6(self) -> bool {
        self.v6
    }

    /// How many addresses there are; the largest number there is when they are more.
    pub fn count(self) -> u64 {
        u64::try_from(self.last - self.first).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// The address at a place, from 0.
    pub fn nth(self, at: u64) -> Option<IpAddr> {
        let number = self.first.checked_add(u128::from(at))?;
        (number <= self.last).then(|| self.address(number))
    }

    /// Whether an address is among them.
    pub fn contains(self, address: IpAddr) -> bool {
        self.v6 == address.is_ipv6() && (self.first..=self.last).contains(&number(address))
    }

    /// Whether some addresses are in both.
    pub fn overlaps(self, other: Self) -> bool {
        self.v6 == other.v6 && self.first <= other.last && other.first <= self.last
    }

    fn address(self, number: u128) -> IpAddr {
        match (self.v6, u32::try_from(number)) {
            (false, Ok(bits)) => Ipv4Addr::from_bits(bits).into(),
            // Whoever made an IPv4 span made it of IPv4 addresses.
            (false, Err(_)) => Ipv4Addr::BROADCAST.into(),
            (true, _) => Ipv6Addr::from_bits(number).into(),
        }
    }
}

/// The same addresses in order, each once, in as few spans as possible.
pub fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match out.last_mut() {
            Some(last) if last.v6 == span.v6 && span.first <= last.last.saturating_add(1) => {
                last.last = last.last.max(span.last);
            }
            _ => out.push(span),
        }
    }
    out
}

/// What is left of `spans` without `less`, in order, each address once.
pub fn without(spans: Vec<Span>, less: Vec<Span>) -> Vec<Span> {
    let less = merged(less);
    let mut out = Vec::new();
    for mut span in merged(spans) {
        let mut rest = true;
        for hole in &less {
            if !hole.overlaps(span) {
                continue;
            }
            if hole.first > span.first {
                out.push(Span { last: hole.first - 1, ..span });
            }
            if hole.last >= span.last {
                rest = false;
                break;
            }
            span.first = hole.last + 1;
        }
        if rest {
            out.push(span);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn span(first: u8, last: u8) -> Span {
        let address = |last| IpAddr::from([192, 0, 2, last]);
        Span::new(address(first), address(last)).unwrap()
    }

    #[test]
    fn a_prefix_has_hosts() {
        let hosts = |text: &str| {
            let span = Span::hosts(text.parse().unwrap());
            (span.first().to_string(), span.last().to_string(), span.count())
        };
        assert_eq!(hosts("192.0.2.0/24"), ("192.0.2.1".into(), "192.0.2.254".into(), 254));
        assert_eq!(hosts("192.0.2.0/31"), ("192.0.2.0".into(), "192.0.2.1".into(), 2));
        assert_eq!(hosts("192.0.2.7/32").2, 1);
        assert_eq!(hosts("2001:db8::/120").2, 256);
        assert_eq!(hosts("::/0").2, u64::MAX);
        assert_eq!(span(3, 5).nth(2), Some([192, 0, 2, 5].into()));
        assert_eq!(span(3, 5).nth(3), None);
    }

    proptest! {
        #[test]
        fn merging_and_leaving_out_are_as_with_sets(
            some in proptest::collection::vec((any::<u8>(), any::<u8>()), 0..6),
            less in proptest::collection::vec((any::<u8>(), any::<u8>()), 0..6),
        ) {
            let spans = |pairs: &[(u8, u8)]| -> Vec<Span> {
                pairs.iter().map(|(a, b)| span(*a.min(b), *a.max(b))).collect()
            };
            let set = |spans: &[Span]| -> BTreeSet<IpAddr> {
                spans.iter().flat_map(|span| (0..span.count()).filter_map(|at| span.nth(at))).collect()
            };
            let (some, less) = (spans(&some), spans(&less));
            let whole = merged(some.clone());
            prop_assert_eq!(set(&whole), set(&some));
            prop_assert_eq!(whole.iter().map(|span| span.count()).sum::<u64>(), set(&some).len() as u64);
            let left = without(some.clone(), less.clone());
            prop_assert_eq!(set(&left), set(&some).difference(&set(&less)).copied().collect::<BTreeSet<_>>());
        }
    }
}
