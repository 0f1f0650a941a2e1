//! The addresses of a sweep by number, and in an order that nobody foresees.

use std::net::IpAddr;

use netwark_model::watch::span::{self, Span};

/// Addresses that have numbers, from 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct Targets {
    spans: Vec<Span>,
    /// The number of the first address of each span.
    starts: Vec<u64>,
    count: u64,
}

impl Targets {
    pub(crate) fn new(spans: Vec<Span>) -> Self {
        let spans = span::merged(spans);
        let mut count = 0_u64;
        let mut starts = Vec::with_capacity(spans.len());
        for span in &spans {
            starts.push(count);
            count = count.saturating_add(span.count());
        }
        Self { spans, starts, count }
    }

    pub(crate) fn len(&self) -> u64 {
        self.count
    }

    /// The address with a number.
    pub(crate) fn nth(&self, at: u64) -> Option<IpAddr> {
        let span = self.starts.partition_point(|start| *start <= at).checked_sub(1)?;
        self.spans.get(span)?.nth(at - self.starts.get(span)?)
    }

    /// The number of an address.
    pub(crate) fn number_of(&self, address: IpAddr) -> Option<u64> {
        let at = self.spans.partition_point(|span| *span <= Span::one(address));
        // An address sorts before a longer span that begins with it.
        [at.checked_sub(1), Some(at)].into_iter().flatten().find_map(|at| {
            let span = self.spans.get(at).filter(|span| span.contains(address))?;
            Some(self.starts.get(at)? + Span::new(span.first(), address)?.count() - 1)
        })
    }

    /// Every address, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = IpAddr> + '_ {
        (0..self.count).filter_map(|at| self.nth(at))
    }
}

/// The numbers below a count in another order, each once: a Feistel network over the next power of four, walked until
/// it comes to a number that is small enough. It needs no memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shuffle {
    count: u64,
    half: u32,
    keys: [u64; 4],
}

impl Shuffle {
    pub(crate) fn new(count: u64, seed: u64) -> Self {
        let bits = 64 - count.saturating_sub(1).leading_zeros();
        let mut key = seed;
        let mut next = || {
            key = mix(key.wrapping_add(0x9e37_79b9_7f4a_7c15));
            key
        };
        Self { count, half: bits.div_ceil(2).max(1), keys: [next(), next(), next(), next()] }
    }

    /// The number at a place; the place must be below the count.
    pub(crate) fn at(&self, place: u64) -> u64 {
        let mut number = place;
        loop {
            number = self.once(number);
            if number < self.count || place >= self.count {
                return number;
            }
        }
    }

    fn once(&self, number: u64) -> u64 {
        let mask = (1_u64 << self.half) - 1;
        let (mut left, mut right) = (number >> self.half, number & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (mix(right ^ key) & mask));
        }
        left << self.half | right
    }
}

/// The finalizer of SplitMix64.
fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use netwark_model::watch::ranges::Ranges;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_and_addresses_go_both_ways() {
        let spans = Ranges::parse("10.0.0.0/30, 10.0.1.5, 10.0.2.1-254, 2001:db8::/126").unwrap().spans();
        let targets = Targets::new(spans);
        assert_eq!(targets.len(), 2 + 1 + 254 + 4);
        for at in 0..targets.len() {
            let address = targets.nth(at).unwrap();
            assert_eq!(targets.number_of(address), Some(at), "{address}");
        }
        assert_eq!(targets.nth(targets.len()), None);
        for other in ["10.0.0.0", "10.0.0.3", "10.0.1.6", "2001:db8::4", "255.255.255.255"] {
            assert_eq!(targets.number_of(other.parse().unwrap()), None, "{other}");
        }
        assert_eq!(targets.iter().count(), 261);
        assert_eq!(Targets::default().nth(0), None);
    }

    proptest! {
        #[test]
        fn every_number_comes_once(count in 1u64..3_000, seed: u64) {
            let shuffle = Shuffle::new(count, seed);
            let all: BTreeSet<u64> = (0..count).map(|place| shuffle.at(place)).collect();
            prop_assert_eq!(all.len() as u64, count);
            prop_assert!(all.last().is_none_or(|last| *last < count));
        }
    }

    #[test]
    fn the_order_is_another_one() {
        let shuffle = Shuffle::new(254, 7);
        let in_order = (0..253).filter(|place| shuffle.at(place + 1) == shuffle.at(*place) + 1).count();
        assert!(in_order < 20, "{in_order} neighbours follow each other");
    }
}
