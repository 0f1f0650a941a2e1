//! Reads what was typed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use reqwest::Url;

use super::mac::read_mac;
use super::{Name, Resource};
use crate::asn;

/// Most bytes of a resource.
pub const LONGEST: usize = 2048;

/// Most characters of it that an error repeats.
const SHOWN: usize = 60;

/// Why a text is no resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NotAResource {
    why: String,
}

fn wrong(why: impl Into<String>) -> NotAResource {
    NotAResource { why: why.into() }
}

impl std::str::FromStr for Resource {
    type Err = NotAResource;

    /// Understands addresses (also with a zone, in brackets, with a port, in hexadecimal, or as their reverse name),
    /// prefixes (also with a netmask), ranges, names, AS numbers, MAC addresses in any notation, and URLs and mail
    /// addresses, of which the host counts.
    fn from_str(text: &str) -> Result<Self, NotAResource> {
        let text = text.trim();
        if text.is_empty() {
            return Err(wrong(
                "must not be empty; give an address, prefix, name, AS number, MAC address or URL",
            ));
        }
        if text.len() > LONGEST {
            return Err(wrong(format!("must have at most {LONGEST} bytes, got {}", text.len())));
        }
        if text.chars().any(char::is_control) {
            return Err(wrong("must not hold control characters"));
        }
        numeric(text)
            .or_else(|| host_of(text))
            .unwrap_or_else(|| name(text))
            .map_err(|why| explained(text, &why))
    }
}

/// What none of the kinds takes, with what comes nearest to a reason.
fn explained(text: &str, why: &str) -> NotAResource {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    wrong(format!("'{shown}' is no address, prefix, range, name, AS number, MAC address or URL: it {why}"))
}

type Read = Result<Resource, String>;

/// Everything that is written in digits and marks; `None` when it is something else.
fn numeric(text: &str) -> Option<Read> {
    if let Some(read) = system(text) {
        return Some(read);
    }
    if let Some(mac) = read_mac(text) {
        return Some(Ok(Resource::Mac(mac)));
    }
    if let Some(address) = address(text) {
        return Some(Ok(Resource::Address(address)));
    }
    range(text).or_else(|| prefix(text))
}

/// `AS64500`, `as 64500`, `ASN64500`, and a number alone.
fn system(text: &str) -> Option<Read> {
    let lower = text.to_ascii_lowercase();
    let named = lower.strip_prefix("asn").or_else(|| lower.strip_prefix("as")).map(str::trim_start);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = match named {
        Some(number) if number.split('.').all(digits) => number,
        // Twelve digits and more are a MAC address, or nothing.
        _ if digits(&lower) && lower.len() <= 10 => &lower,
        _ => return None,
    };
    Some(asn::read(number).map(Resource::As).map_err(|why| format!("looks like an AS number, but {why}")))
}

/// One address in any form.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse() {
        return Some(address);
    }
    // The zone names an interface of the machine it was copied from.
    if let Some((address, zone)) = bare.split_once('%')
        && !zone.is_empty()
        && let Ok(address) = address.parse::<Ipv6Addr>()
    {
        return Some(address.into());
    }
    let lower = text.to_ascii_lowercase();
    lower.strip_prefix("0x").and_then(hexadecimal).or_else(|| reverse(&lower))
}

/// An address as one hexadecimal number.
fn hexadecimal(digits: &str) -> Option<IpAddr> {
    if digits.is_empty() || digits.len() > 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    if digits.len() <= 8 {
        return u32::from_str_radix(digits, 16).ok().map(|bits| Ipv4Addr::from_bits(bits).into());
    }
    u128::from_str_radix(digits, 16).ok().map(|bits| Ipv6Addr::from_bits(bits).into())
}

/// The address of a whole reverse name (RFC 1035, RFC 3596).
fn reverse(lower: &str) -> Option<IpAddr> {
    let name = lower.strip_suffix('.').unwrap_or(lower);
    if let Some(labels) = name.strip_suffix(".in-addr.arpa") {
        let labels: Vec<&str> = labels.split('.').rev().collect();
        return labels.join(".").parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    }
    let labels: Vec<&str> = name.strip_suffix(".ip6.arpa")?.split('.').rev().collect();
    if labels.len() != 32 || labels.iter().any(|label| label.len() != 1) {
        return None;
    }
    hexadecimal(&labels.concat())
}

/// Two addresses with a dash between.
fn range(text: &str) -> Option<Read> {
    let (first, last) = text.split_once(['-', '–'])?;
    let (first, last) = (address(first.trim())?, address(last.trim())?);
    Some(if first.is_ipv4() != last.is_ipv4() {
        Err("is a range from one family to the other".into())
    } else if first > last {
        Err(format!("is a range that ends before it begins; try {last} - {first}"))
    } else {
        Ok(Resource::Range(first, last))
    })
}

/// An address with a length or a netmask, behind a slash or a blank.
fn prefix(text: &str) -> Option<Read> {
    let (left, right) = text.split_once('/').or_else(|| text.split_once(char::is_whitespace))?;
    let (left, right) = (left.trim(), right.trim());
    if let Some(mac) = read_mac(left) {
        return Some(Ok(Resource::Mac(mac)));
    }
    let address = address(left)?;
    let longest: u8 = if address.is_ipv4() { 32 } else { 128 };
    let plain = right.bytes().all(|byte| byte.is_ascii_digit());
    let length = match (right.parse::<u8>(), right.parse::<IpAddr>()) {
        (Ok(length), _) if plain && length <= longest => length,
        (_, Ok(mask)) if mask.is_ipv4() == address.is_ipv4() => match ipnet::ip_mask_to_prefix(mask) {
            Ok(length) => length,
            Err(_) => return Some(Err(format!("has {mask} for a netmask, whose ones are not all in front"))),
        },
        _ => return Some(Err(format!("has no prefix length from 0 to {longest} behind the address"))),
    };
    Some(
        IpNet::new(address, length)
            .map(|net| Resource::Prefix(net.trunc()))
            .map_err(|error| error.to_string()),
    )
}

/// The host of a URL, of a mail address, or in front of a port or a path; `None` when it is nothing of these.
fn host_of(text: &str) -> Option<Read> {
    if text.contains("://") {
        return Some(of_url(text));
    }
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    if let Some((_, host)) = text.rsplit_once('@') {
        return Some(literal_or_name(host));
    }
    if text.contains('/') {
        return Some(of_url(&format!("http://{text}")));
    }
    let (host, port) = text.rsplit_once(':')?;
    port.parse::<u16>().ok().map(|_| literal_or_name(host))
}

fn of_url(text: &str) -> Read {
    let url = Url::parse(text).map_err(|error| format!("is no URL ({error})"))?;
    match url.host_str() {
        Some(host) if !host.is_empty() => literal_or_name(host),
        _ => Err("is a URL without a host".into()),
    }
}

fn literal_or_name(host: &str) -> Read {
    address(host).map_or_else(|| name(host), |address| Ok(Resource::Address(address)))
}

fn name(text: &str) -> Read {
    let name = Name::read(text)?;
    // The host of a URL may look like a number of some kind; alone it would be read as that, so it is that here, too.
    numeric(name.ascii()).unwrap_or(Ok(Resource::Name(name)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Kind;
    use super::*;

    fn read(text: &str) -> String {
        match text.parse::<Resource>() {
            Ok(resource) => format!("{:?} {resource}", resource.kind()),
            Err(error) => format!("! {error}"),
        }
    }

    #[test]
    fn whatever_people_type() {
        for (text, expected) in [
            (" 192.0.2.1 ", "Address 192.0.2.1"),
            ("2001:DB8::1", "Address 2001:db8::1"),
            ("[2001:db8::1]", "Address 2001:db8::1"),
            ("[2001:db8::1]:443", "Address 2001:db8::1"),
            ("192.0.2.1:8080", "Address 192.0.2.1"),
            ("fe80::1%eth0", "Address fe80::1"),
            ("0xC0000201", "Address 192.0.2.1"),
            ("0x20010db8000000000000000000000001", "Address 2001:db8::1"),
            ("1.2.0.192.in-addr.arpa.", "Address 192.0.2.1"),
            ("255.255.255.0", "Address 255.255.255.0"),
            ("192.0.2.77/24", "Prefix 192.0.2.0/24"),
            ("192.0.2.77/255.255.255.0", "Prefix 192.0.2.0/24"),
            ("192.0.2.77 255.255.255.0", "Prefix 192.0.2.0/24"),
            ("2001:db8::1 / 32", "Prefix 2001:db8::/32"),
            ("192.0.2.1-192.0.2.9", "Range 192.0.2.1 - 192.0.2.9"),
            ("2001:db8::1 – 2001:db8::2", "Range 2001:db8::1 - 2001:db8::2"),
            ("example.org.", "Name example.org"),
            ("Bücher.example", "Name xn--bcher-kva.example"),
            ("example.org:443", "Name example.org"),
            ("https://user@Example.ORG:8443/a?b#c", "Name example.org"),
            ("ssh://host.example/", "Name host.example"),
            ("http://[2001:db8::1]/", "Address 2001:db8::1"),
            ("example.org/a/b", "Name example.org"),
            ("mailto:somebody@example.org", "Name example.org"),
            ("2.0.192.in-addr.arpa", "Name 2.0.192.in-addr.arpa"),
            ("localhost", "Name localhost"),
            ("AS64500", "As AS64500"),
            ("asn 64500", "As AS64500"),
            ("64500", "As AS64500"),
            ("as1.10", "As AS65546"),
            ("as112.net", "Name as112.net"),
            ("00:1B:44:11:3A:B7", "Mac 00:1b:44:11:3a:b7"),
            ("001b.4411.3ab7", "Mac 00:1b:44:11:3a:b7"),
            ("001122334455", "Mac 00:11:22:33:44:55"),
            ("00-00-5e", "Mac 00:00:5e"),
            ("02:00:5e:ff:fe:00:53:01", "Mac 02:00:5e:ff:fe:00:53:01"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        let reverse = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
        assert_eq!(read(reverse), "Address 2001:db8::1");
    }

    #[test]
    fn what_is_nothing_gets_a_reason() {
        for (text, why) in [
            ("", "must not be empty"),
            (" \t ", "must not be empty"),
            ("a\u{1b}b", "control characters"),
            ("192.0.2.256", "four numbers from 0 to 255"),
            ("192.0.2.0/33", "no prefix length from 0 to 32"),
            ("192.0.2.0/+8", "no prefix length"),
            ("192.0.2.0/255.0.255.0", "whose ones are not all in front"),
            ("2001:db8::/129", "no prefix length from 0 to 128"),
            ("192.0.2.9-192.0.2.1", "ends before it begins; try 192.0.2.1 - 192.0.2.9"),
            ("192.0.2.9-2001:db8::1", "from one family to the other"),
            ("AS4294967296", "looks like an AS number, but"),
            ("4294967296", "looks like an AS number, but"),
            ("a b", "blanks"),
            ("example..org", "empty part"),
            ("http://", "is no URL"),
            ("file:///etc/passwd", "without a host"),
            ("$(id)", "cannot hold '$'"),
        ] {
            let said = read(text);
            assert!(said.starts_with("! ") && said.contains(why), "{text}: {said}");
        }
        assert!(read(&"a".repeat(64)).contains("has a part of 64 characters"));
        assert!(read(&"a.".repeat(200)).contains("at most 253"));
        assert!(read(&"ü".repeat(5000)).contains("at most 2048 bytes"));
        // What is repeated of a long text is short.
        assert!(read(&"?".repeat(2000)).len() < 300);
    }

    /// Texts that look like what is read, and a little beside.
    fn near() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[0-9]{1,4}",
            "[0-9a-fA-F]{1,6}",
            "[a-zäß]{1,8}",
            Just("xn--".to_owned()),
            Just("AS".to_owned()),
            Just("://".to_owned()),
            "[-.:/@%\\[\\] \u{2013}]",
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = text.parse::<Resource>();
        }

        #[test]
        fn what_is_written_is_read_as_the_same(text in near()) {
            if let Ok(resource) = text.parse::<Resource>() {
                let written = resource.to_string();
                prop_assert_eq!(written.parse::<Resource>(), Ok(resource), "{}", written);
            }
        }

        #[test]
        fn every_address_and_prefix_is_one(bits: u128, v4: u32, length in 0u8..=128) {
            let six = IpAddr::from(Ipv6Addr::from_bits(bits));
            let four = IpAddr::from(Ipv4Addr::from_bits(v4));
            prop_assert_eq!(six.to_string().parse(), Ok(Resource::Address(six)));
            prop_assert_eq!(four.to_string().parse(), Ok(Resource::Address(four)));
            let net = format!("{six}/{length}").parse::<Resource>().map(|resource| resource.kind());
            prop_assert_eq!(net, Ok(Kind::Prefix));
        }
    }
}
