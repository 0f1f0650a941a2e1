//! What to sweep, as people write it: prefixes, ranges, patterns and names.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv6Net};

use super::span::{self, Span};
use crate::error::FieldError;
use crate::target;

/// Most characters of such a text.
const LONGEST: usize = 2_000;
/// Most parts of it.
const MOST_ITEMS: usize = 256;
/// Most separate stretches of addresses that patterns may come to.
const MOST_SPANS: u64 = 65_536;
/// The shortest prefix of IPv6 whose addresses are asked one by one.
pub const SHORTEST_V6: u8 = 112;
/// More addresses than those of a /16 are swept only when it is said that they shall be.
pub const LARGE: u64 = 65_536;
/// Most addresses that can be swept at all: those of a /8.
pub const MOST: u64 = 1 << 24;
/// The word for the networks the worker stands in.
pub const LOCAL: &str = "local";

/// One part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// The networks the worker stands in.
    Local,
    /// A prefix, without host bits.
    Prefix(IpNet),
    /// One address.
    Address(IpAddr),
    /// From an address to another.
    Span(Span),
    /// The first and last value of each number of an IPv4 address.
    Pattern([(u8, u8); 4]),
    /// A name, of which all addresses are meant.
    Name(String),
}

/// What to sweep: at least one part.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ranges(Vec<Item>);

impl Ranges {
    /// The networks the worker stands in.
    pub fn local() -> Self {
        Self(vec![Item::Local])
    }

    /// Prefixes.
    pub fn prefixes(prefixes: impl IntoIterator<Item = IpNet>) -> Self {
        Self(prefixes.into_iter().map(|prefix| Item::Prefix(prefix.trunc())).collect())
    }

    /// Addresses.
    pub fn addresses(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self(addresses.into_iter().map(Item::Address).collect())
    }

    /// Reads parts between commas and blanks: `192.168.1.0/24`, `192.168.1.10-192.168.1.20`, `192.168.1.*`,
    /// `10.0.0-3.1-254`, an address, a name, or `local`.
    ///
    /// # Errors
    /// Says what is wrong, for the field `target`.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let wrong = |description: String| FieldError::body("target", description);
        if text.len() > LONGEST {
            return Err(wrong(format!("must have at most {LONGEST} characters, got {}", text.len())));
        }
        let mut items: Vec<Item> = Vec::new();
        for part in text.split([',', ' ', '\t', '\n', '\r']).filter(|part| !part.is_empty()) {
            let item = item(part)?;
            if !items.contains(&item) {
                items.push(item);
            }
        }
        if items.is_empty() {
            return Err(wrong(format!("must not be empty; give a prefix, a range, a name or '{LOCAL}'")));
        }
        if items.len() > MOST_ITEMS {
            return Err(wrong(format!("must have at most {MOST_ITEMS} parts, got {}", items.len())));
        }
        let ranges = Self(items);
        let pieces: u64 = ranges.0.iter().map(Item::pieces).sum();
        if pieces > MOST_SPANS {
            return Err(wrong(format!(
                "has patterns of {pieces} separate stretches; at most {MOST_SPANS} are possible, so sweep whole prefixes"
            )));
        }
        match ranges.count() {
            0..=MOST => Ok(ranges),
            many => Err(wrong(format!("has {many} addresses; at most {MOST} can be swept at once"))),
        }
    }

    /// Its parts, as they were written, each once.
    pub fn items(&self) -> &[Item] {
        &self.0
    }

    /// Names among its parts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|item| match item {
            Item::Name(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether the networks the worker stands in are meant too.
    pub fn is_local(&self) -> bool {
        self.0.contains(&Item::Local)
    }

    /// The addresses that are asked one by one, in order, each once; those of names and of [`Item::Local`] are not
    /// known here.
    pub fn spans(&self) -> Vec<Span> {
        span::merged(self.0.iter().flat_map(Item::spans).collect())
    }

    /// The same, but with every address of a prefix, however many there are: what is left out is left out whole.
    pub fn whole_spans(&self) -> Vec<Span> {
        let whole = |item: &Item| match item {
            Item::Prefix(prefix) => vec![Span::whole(*prefix)],
            other => other.spans(),
        };
        span::merged(self.0.iter().flat_map(whole).collect())
    }

    /// Prefixes of IPv6 whose addresses are too many to be asked one by one: who is there is heard on the link only.
    pub fn vast(&self) -> Vec<Ipv6Net> {
        let vast = |item: &Item| match item {
            Item::Prefix(IpNet::V6(v6)) if v6.prefix_len() < SHORTEST_V6 => Some(*v6),
            _ => None,
        };
        self.0.iter().filter_map(vast).collect()
    }

    /// How many addresses [`Self::spans`] has.
    pub fn count(&self) -> u64 {
        self.spans().into_iter().fold(0, |sum, span| sum.saturating_add(span.count()))
    }
}

impl Item {
    /// How many stretches of addresses it comes to.
    fn pieces(&self) -> u64 {
        match self {
            Self::Pattern([a, b, c, _]) => {
                [a, b, c].iter().map(|(first, last)| u64::from(last - first) + 1).product()
            }
            Self::Local | Self::Name(_) => 0,
            _ => 1,
        }
    }

    fn spans(&self) -> Vec<Span> {
        match self {
            Self::Local | Self::Name(_) => Vec::new(),
            Self::Prefix(IpNet::V6(v6)) if v6.prefix_len() < SHORTEST_V6 => Vec::new(),
            Self::Prefix(prefix) => vec![Span::hosts(*prefix)],
            Self::Address(address) => vec![Span::one(*address)],
            Self::Span(span) => vec![*span],
            Self::Pattern(pattern) => pattern_spans(pattern),
        }
    }
}

fn pattern_spans([a, b, c, d]: &[(u8, u8); 4]) -> Vec<Span> {
    let mut spans = Vec::new();
    for a in a.0..=a.1 {
        for b in b.0..=b.1 {
            for c in c.0..=c.1 {
                let address = |d| IpAddr::V4(Ipv4Addr::new(a, b, c, d));
                spans.extend(Span::new(address(d.0), address(d.1)));
            }
        }
    }
    spans
}

fn item(part: &str) -> Result<Item, FieldError> {
    let wrong = |why: &str| FieldError::body("target", format!("'{}' {why}", short(part)));
    if part.eq_ignore_ascii_case(LOCAL) {
        return Ok(Item::Local);
    }
    if part.contains('/') {
        return match IpNet::from_str(part) {
            Ok(prefix) => Ok(Item::Prefix(prefix.trunc())),
            Err(_) => Err(wrong("is no prefix; write one such as 192.168.1.0/24 or 2001:db8::/120")),
        };
    }
    if let Ok(address) = part.parse::<IpAddr>() {
        return Ok(Item::Address(address));
    }
    if let Some((first, last)) = part.split_once('-')
        && let (Ok(first), Ok(last)) = (first.parse::<IpAddr>(), last.parse::<IpAddr>())
    {
        let span = Span::new(first, last)
            .ok_or_else(|| wrong("must go from a lower to a higher address of the same IP version"))?;
        if let (IpAddr::V6(_), true) = (first, span.count() > LARGE) {
            return Err(wrong("has too many addresses to be asked one by one; at most 65536 of IPv6 are"));
        }
        return Ok(Item::Span(span));
    }
    if part.contains('*') || looks_like_pattern(part) {
        return pattern(part).ok_or_else(|| {
            wrong(
                "is no pattern; write four numbers from 0 to 255, or ranges of them, such as 10.0.0-3.1-254",
            )
        });
    }
    target::check(part).map(Item::Name)
}

/// Digits, dots and dashes alone, with three dots: no name has a last part of digits.
fn looks_like_pattern(part: &str) -> bool {
    part.contains('-') && part.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
}

fn pattern(part: &str) -> Option<Item> {
    let mut numbers = part.split('.').map(|number| match number {
        "*" => Some((0, 255)),
        _ => {
            let (first, last) = number.split_once('-').unwrap_or((number, number));
            let (first, last) = (first.parse::<u8>().ok()?, last.parse::<u8>().ok()?);
            (first <= last).then_some((first, last))
        }
    });
    let mut next = || numbers.next().flatten();
    let pattern = [next()?, next()?, next()?, next()?];
    if numbers.next().is_some() {
        return None;
    }
    Some(as_prefix(&pattern).map_or(Item::Pattern(pattern), Item::Prefix))
}

/// The prefix that has exactly the addresses of a pattern, if there is one of /8, /16 or /24.
fn as_prefix(pattern: &[(u8, u8); 4]) -> Option<IpNet> {
    let fixed = pattern.iter().take_while(|(first, last)| first == last).count();
    let open = pattern.iter().skip(fixed).all(|number| *number == (0, 255));
    if !open || fixed == 4 {
        return None;
    }
    let address = Ipv4Addr::from(pattern.map(|(first, _)| first));
    IpNet::new(address.into(), u8::try_from(fixed * 8).ok()?).ok()
}

fn short(part: &str) -> String {
    part.chars().take(60).collect()
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str(LOCAL),
            Self::Prefix(prefix) => prefix.fmt(f),
            Self::Address(address) => address.fmt(f),
            Self::Span(span) => write!(f, "{}-{}", span.first(), span.last()),
            Self::Pattern(pattern) => {
                for (at, (first, last)) in pattern.iter().enumerate() {
                    let dot = if at > 0 { "." } else { "" };
                    match (first, last) {
                        (0, 255) => write!(f, "{dot}*")?,
                        (first, last) if first == last => write!(f, "{dot}{first}")?,
                        (first, last) => write!(f, "{dot}{first}-{last}")?,
                    }
                }
                Ok(())
            }
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, item) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            item.fmt(f)?;
        }
        Ok(())
    }
}

impl FromStr for Ranges {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        Self::parse(text)
    }
}

/// Whether an address may be left in a list that is asked one by one: no multicast, no unspecified address.
pub fn is_askable(address: IpAddr) -> bool {
    let unspecified = match address {
        IpAddr::V4(v4) => v4.is_unspecified() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6 == Ipv6Addr::UNSPECIFIED,
    };
    !address.is_multicast() && !unspecified
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_way_to_write_them_is_read_and_shown_back() {
        for (given, kept, count) in [
            ("192.168.1.7/24", "192.168.1.0/24", 254),
            ("192.168.1.*", "192.168.1.0/24", 254),
            ("10.*.*.*", "10.0.0.0/8", (1 << 24) - 2),
            ("192.168.1.10-192.168.1.20", "192.168.1.10-192.168.1.20", 11),
            ("192.168.1.10-20", "192.168.1.10-20", 11),
            ("10.0.0-3.1-254", "10.0.0-3.1-254", 4 * 254),
            ("10.0.0-3.*", "10.0.0-3.*", 1024),
            ("10.0.0.1-1", "10.0.0.1", 1),
            ("2001:db8::/120", "2001:db8::/120", 256),
            ("2001:db8::1-2001:db8::9", "2001:db8::1-2001:db8::9", 9),
            ("2001:db8::/64", "2001:db8::/64", 0),
            ("192.0.2.1, 192.0.2.1 192.0.2.0/31", "192.0.2.1, 192.0.2.0/31", 2),
            ("Printer.example", "Printer.example", 0),
            ("LOCAL", "local", 0),
            ("10.0.0.1-5.example", "10.0.0.1-5.example", 0),
        ] {
            let ranges = Ranges::parse(given).unwrap();
            assert_eq!((ranges.to_string().as_str(), ranges.count()), (kept, count), "{given}");
            assert_eq!(Ranges::parse(kept).map(|again| again.count()), Ok(count), "{kept}");
        }
        assert_eq!(Ranges::parse("2001:db8::/64").unwrap().vast().len(), 1);
    }

    #[test]
    fn what_is_none_is_refused_with_the_reason() {
        for (given, why) in [
            ("", "must not be empty"),
            (" , ", "must not be empty"),
            ("192.168.1.0/33", "is no prefix"),
            ("192.168.1.20-192.168.1.10", "lower to a higher"),
            ("192.168.1.1-2001:db8::1", "same IP version"),
            ("192.168.1.20-10", "is no pattern"),
            ("192.168.*", "is no pattern"),
            ("10.0.0-300.1", "is no pattern"),
            ("2001:db8::-2001:db8::1:0:0", "too many addresses"),
            ("0-255.0-255.0-255.1-254", "separate stretches"),
            ("0.0.0.0/0", "at most 16777216"),
            ("https://example.org", "is no prefix"),
            ("a..b", "empty part"),
            ("$(id)", "cannot hold '$'"),
        ] {
            let error = Ranges::parse(given).unwrap_err();
            assert_eq!(error.name, "target", "{given}");
            assert!(error.description.contains(why), "{given}: {error}");
        }
        assert!(Ranges::parse(&"10.0.0.1,".repeat(300)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,80}") {
            let _ = Ranges::parse(&text);
        }

        #[test]
        fn what_is_shown_means_the_same(text in "[0-9]{1,3}(-[0-9]{1,3})?(\\.([0-9]{1,3}(-[0-9]{1,3})?|\\*)){3}") {
            if let Ok(ranges) = Ranges::parse(&text) {
                prop_assert_eq!(Ranges::parse(&ranges.to_string()).map(|again| again.spans()), Ok(ranges.spans()));
            }
        }
    }
}
