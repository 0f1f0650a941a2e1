//! What no registry has: addresses, names and numbers with a purpose of their own.

use std::net::IpAddr;

use ipnet::IpNet;

use super::question::Question;
use crate::special::{self, Special};

/// Names that are never delegated (RFC 6761 and what joined its registry).
const NAMES: &[(&str, &str, &str)] = &[
    ("alt", "names outside of the DNS", "RFC 9476"),
    ("example", "examples", "RFC 2606"),
    ("home.arpa", "home networks", "RFC 8375"),
    ("internal", "private networks", "the ICANN resolution of July 2024"),
    ("invalid", "names that must not exist", "RFC 2606"),
    ("local", "multicast DNS", "RFC 6762"),
    ("localhost", "the machine itself", "RFC 2606"),
    ("onion", "services of Tor", "RFC 7686"),
    ("test", "tests", "RFC 2606"),
];

/// AS numbers for special use (RFC 7249 and the registry of IANA).
const NUMBERS: &[(u32, u32, &str, &str)] = &[
    (0, 0, "reserved: it marks networks that must not be announced", "RFC 7607"),
    (112, 112, "the AS112 project, which answers for private reverse zones", "RFC 7534"),
    (23_456, 23_456, "AS_TRANS, which stands for a number of four bytes", "RFC 6793"),
    (64_496, 64_511, "for documentation", "RFC 5398"),
    (64_512, 65_534, "for private use", "RFC 6996"),
    (65_535, 65_535, "reserved", "RFC 7300"),
    (65_536, 65_551, "for documentation", "RFC 5398"),
    (65_552, 131_071, "reserved by IANA", "RFC 7249"),
    (4_200_000_000, 4_294_967_294, "for private use", "RFC 6996"),
    (4_294_967_295, 4_294_967_295, "reserved", "RFC 7300"),
];

/// The sentence that says why no registry is asked, and the block that a network of a registry must lie in for it to
/// be asked all the same; `None` for what registries know.
pub(super) fn why(question: &Question) -> Option<(String, Option<IpNet>)> {
    match question {
        Question::Address(address) => network(IpNet::from(*address), &address.to_string()),
        Question::Prefix(prefix) => network(*prefix, &prefix.to_string()),
        Question::AsNumber(number) => {
            let row = NUMBERS.iter().find(|(first, last, ..)| (first..=last).contains(&number));
            row.map(|(.., what, rfc)| {
                (format!("AS{number} is {what} ({rfc}); no registry gives it out."), None)
            })
        }
        Question::Domain(name) => {
            let below = |special: &str| {
                name == special || name.strip_suffix(special).is_some_and(|rest| rest.ends_with('.'))
            };
            let row = NAMES.iter().find(|(special, ..)| below(special));
            row.map(|(special, what, rfc)| {
                (format!("Names below .{special} are for {what} ({rfc}); no registry has them."), None)
            })
        }
    }
}

fn network(asked: IpNet, spelled: &str) -> Option<(String, Option<IpNet>)> {
    let special = of(asked)?;
    let block = special.block.parse().ok();
    let what = format!(
        "{spelled} lies in {}: {} ({}); no registry gives it out.",
        special.block, special.name, special.rfc
    );
    Some((what, block))
}

/// The special block that holds all of a network.
fn of(asked: IpNet) -> Option<&'static Special> {
    let special = special::of(asked.network())?;
    let block: IpNet = special.block.parse().ok()?;
    let tunnels = matches!(asked.network(), IpAddr::V6(address) if address.segments()[0] == 0x2002);
    (block.contains(&asked) && (!special.globally_reachable || tunnels)).then_some(special)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_has() {
        for (asked, expected) in [
            ("10.1.2.3", Some("Private-Use (RFC 1918)")),
            ("224.0.0.251", Some("Multicast")),
            ("ff02::1", Some("Multicast")),
            ("255.255.255.255", Some("Limited Broadcast")),
            ("fe80::/64", Some("Link-Local")),
            ("10.0.0.0/7", None),
            ("8.8.8.8", None),
            ("192.0.0.9", None),
            ("AS64512", Some("private use")),
            ("AS0", Some("reserved")),
            ("AS4294967295", Some("reserved")),
            ("AS23456", Some("AS_TRANS")),
            ("AS3333", None),
            ("printer.local", Some("multicast DNS")),
            ("a.home.arpa", Some("home networks")),
            ("example.test", Some("tests")),
            ("mylocal.com", None),
            ("contest", None),
        ] {
            let told = why(&Question::parse(asked).unwrap()).map(|(text, _)| text);
            match expected {
                None => assert_eq!(told, None, "{asked}"),
                Some(part) => {
                    assert!(told.as_ref().is_some_and(|text| text.contains(part)), "{asked}: {told:?}");
                }
            }
        }
    }
}
