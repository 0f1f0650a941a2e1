//! Networks: ranges of addresses in the notations of registries.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    first: IpAddr,
    last: IpAddr,
}

impl Range {
    /// Reads `192.0.2.0 - 192.0.2.255`, `192.0.2.0/24`, `200.57.128/19` or `2001:db8::/32`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.split('(').next().unwrap_or(text).trim();
        if let Some((first, last)) = text.split_once('-') {
            let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            return Self::new(first, last);
        }
        let (address, length) = text.split_once('/')?;
        let address: IpAddr = match address.parse() {
            Ok(address) => address,
            Err(_) => IpAddr::V4(abbreviated(address)?),
        };
        let prefix = IpNet::new(address, length.trim().parse().ok()?).ok()?;
        Self::new(prefix.network(), prefix.broadcast())
    }

    fn new(first: IpAddr, last: IpAddr) -> Option<Self> {
        (first.is_ipv4() == last.is_ipv4() && first <= last).then_some(Self { first, last })
    }

    /// How many addresses it has beyond the first.
    pub(super) fn size(self) -> u128 {
        match (self.first, self.last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => u128::from(last.to_bits() - first.to_bits()),
            (IpAddr::V6(first), IpAddr::V6(last)) => last.to_bits() - first.to_bits(),
            _ => u128::MAX,
        }
    }

    /// First and last address.
    pub(super) fn spelled(self) -> String {
        format!("{} - {}", self.first, self.last)
    }

    /// The prefixes that together are the range.
    pub(super) fn prefixes(self) -> Vec<String> {
        match (self.first, self.last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                Ipv4Subnets::new(first, last, 0).map(|net| net.to_string()).collect()
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                Ipv6Subnets::new(first, last, 0).map(|net| net.to_string()).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// `200.57.128`, of which the rest is zero.
fn abbreviated(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        match parts.next() {
            Some(part) => *octet = part.parse().ok()?,
            None => break,
        }
    }
    parts.next().is_none().then(|| octets.into())
}

/// `AS64500` of `AS64500`, `64500` or a text that begins with one.
pub(super) fn as_number(text: &str) -> Option<String> {
    let word = text.split([' ', ',', '-', '<']).find(|word| !word.is_empty())?;
    let digits = word.strip_prefix("AS").or_else(|| word.strip_prefix("as")).unwrap_or(word);
    digits.parse::<u32>().ok().map(|number| format!("AS{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (text, spelled, prefixes) in [
            ("192.0.2.0 - 192.0.2.255", "192.0.2.0 - 192.0.2.255", "192.0.2.0/24"),
            ("200.57.128/19", "200.57.128.0 - 200.57.159.255", "200.57.128.0/19"),
            (
                "115.0.0.0 - 115.23.255.255 (/12+/13)",
                "115.0.0.0 - 115.23.255.255",
                "115.0.0.0/12 115.16.0.0/13",
            ),
            ("2001:0240::/32", "2001:240:: - 2001:240:ffff:ffff:ffff:ffff:ffff:ffff", "2001:240::/32"),
            ("0.0.0.0 - 255.255.255.255", "0.0.0.0 - 255.255.255.255", "0.0.0.0/0"),
        ] {
            let range = Range::read(text).unwrap();
            assert_eq!(range.spelled(), spelled, "{text}");
            assert_eq!(range.prefixes().join(" "), prefixes, "{text}");
        }
        for text in
            ["", "x", "1.2.3.4", "1.2.3.4 - ::1", "2.0.0.0 - 1.0.0.0", "1.2.3.4.5/8", "1.2.3.4/99", "/"]
        {
            assert_eq!(Range::read(text), None, "{text}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(as_number("AS15169").as_deref(), Some("AS15169"));
        assert_eq!(as_number("15169").as_deref(), Some("AS15169"));
        assert_eq!(as_number("N/A"), None);
        assert_eq!(as_number(""), None);
    }
}
