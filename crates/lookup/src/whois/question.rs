//! What can be asked about: domains, addresses, prefixes and AS numbers.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::shape::Subject;

/// The longest question, in bytes: what fits no name, address or number is not read.
const LONGEST: usize = 1000;

/// Something that a registry may know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// A domain in ASCII and lower case, without the trailing dot.
    Domain(String),
    /// An address.
    Address(IpAddr),
    /// A prefix, its host bits zero.
    Prefix(IpNet),
    /// The number of an autonomous system.
    AsNumber(u32),
}

/// Why something cannot be asked about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAQuestion(String);

fn wrong<T>(text: impl Into<String>) -> Result<T, NotAQuestion> {
    Err(NotAQuestion(text.into()))
}

impl Question {
    /// Reads what was typed: `example.org`, `bücher.example`, `192.0.2.1`, `2001:db8::/32`, `AS64500`.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(text: &str) -> Result<Self, NotAQuestion> {
        let text = text.trim();
        if text.is_empty() {
            return wrong("must be a domain, an address, a prefix or an AS number such as AS64500");
        }
        if text.len() > LONGEST {
            return wrong(format!("must have at most {LONGEST} bytes, got {}", text.len()));
        }
        if text.chars().any(char::is_control) {
            return wrong("must not hold control characters");
        }
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self::Address(address.to_canonical()));
        }
        if let Some(number) = as_number(text) {
            return number.map(Self::AsNumber);
        }
        if text.contains("://") {
            return wrong("must be a domain, an address, a prefix or an AS number, not a URL");
        }
        if text.contains('/') {
            return match text.parse::<IpNet>() {
                Ok(prefix) if prefix.prefix_len() == prefix.max_prefix_len() => {
                    Ok(Self::Address(prefix.addr().to_canonical()))
                }
                Ok(prefix) => Ok(Self::Prefix(prefix.trunc())),
                Err(_) => {
                    wrong(format!("'{}' is no prefix such as 192.0.2.0/24 or 2001:db8::/32", shown(text)))
                }
            };
        }
        if text.contains(':') {
            return wrong(format!("'{}' is no IPv6 address", shown(text)));
        }
        domain(text).map(Self::Domain)
    }

    /// What it is.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Domain(_) => Subject::Domain,
            Self::Address(_) => Subject::Address,
            Self::Prefix(_) => Subject::Prefix,
            Self::AsNumber(_) => Subject::AsNumber,
        }
    }

    /// An international domain as people read it; `None` when it is the same in ASCII.
    pub fn unicode(&self) -> Option<String> {
        let Self::Domain(name) = self else { return None };
        let (unicode, read) = idna::domain_to_unicode(name);
        (read.is_ok() && unicode != *name).then_some(unicode)
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
            Self::Prefix(prefix) => prefix.fmt(f),
            Self::AsNumber(number) => write!(f, "AS{number}"),
        }
    }
}

/// `AS64500`, `asn 64500`, a number alone, or `AS1.10` (RFC 5396). `None` when it is something else.
fn as_number(text: &str) -> Option<Result<u32, NotAQuestion>> {
    let lower = text.to_ascii_lowercase();
    let named = lower.strip_prefix("asn").or_else(|| lower.strip_prefix("as"));
    let digits = named.unwrap_or(&lower).trim_start();
    let only = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if only(digits) {
        return Some(digits.parse().map_err(|_| {
            NotAQuestion(format!("'{}' is no AS number; the largest is 4294967295", shown(text)))
        }));
    }
    let (high, low) =
        digits.split_once('.').filter(|(high, low)| named.is_some() && only(high) && only(low))?;
    Some(match (high.parse::<u16>(), low.parse::<u16>()) {
        (Ok(high), Ok(low)) => Ok((u32::from(high) << 16) | u32::from(low)),
        _ => wrong(format!("'{}' is no AS number; both parts are from 0 to 65535", shown(text))),
    })
}

fn domain(text: &str) -> Result<String, NotAQuestion> {
    let name = text.strip_suffix(['.', '。']).unwrap_or(text);
    if name.chars().any(char::is_whitespace) {
        return wrong("must not hold blanks");
    }
    if name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return wrong(format!(
            "'{}' looks like an address but is none; IPv4 has four numbers from 0 to 255",
            shown(text)
        ));
    }
    // An underscore is no letter of a registrable name, but its parents are asked for too.
    let ascii = if name.is_ascii() {
        name.to_ascii_lowercase()
    } else {
        match idna::domain_to_ascii(name) {
            Ok(ascii) => ascii,
            Err(_) => {
                return wrong(format!("'{}' is no domain: its letters cannot stand in a name", shown(text)));
            }
        }
    };
    if ascii.len() > 253 {
        return wrong(format!(
            "is no domain: a name has at most 253 letters in ASCII, this one {}",
            ascii.len()
        ));
    }
    for label in ascii.split('.') {
        if label.is_empty() {
            return wrong(format!("'{}' is no domain: a part between its dots is empty", shown(text)));
        }
        if label.len() > 63 {
            return wrong(format!(
                "is no domain: a part between dots has at most 63 letters in ASCII, '{}' has {}",
                shown(label),
                label.len()
            ));
        }
        if let Some(odd) = label.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))) {
            return wrong(format!("'{}' is no domain: a name cannot hold '{odd}'", shown(text)));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return wrong(format!(
                "'{}' is no domain: no part of a name begins or ends with '-'",
                shown(text)
            ));
        }
    }
    Ok(ascii)
}

/// At most so much of an input as fits a sentence.
fn shown(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

/// The names to ask a registry for, best guess first: what lies below a name that anybody may register under is not
/// known to it, and what the public suffixes are is known to the registry alone.
pub fn candidates(domain: &str) -> Vec<&str> {
    let dots: Vec<usize> = domain.match_indices('.').map(|(at, _)| at).collect();
    let last = |labels: usize| match dots.len().checked_sub(labels) {
        Some(skipped) => dots.get(skipped).map_or(domain, |at| &domain[at + 1..]),
        None => domain,
    };
    let labels = dots.len() + 1;
    if labels <= 2 {
        return vec![domain];
    }
    let second = last(2).split('.').next().unwrap_or_default();
    let country = last(1).len() == 2;
    let first = if country && (SECOND_LEVELS.contains(&second) || second.len() <= 2) { 3 } else { 2 };
    let mut lengths = vec![first];
    lengths.extend((first + 1..=labels).take(2));
    if first == 3 {
        lengths.push(2);
    }
    lengths.into_iter().map(last).collect()
}

/// Second levels under which the registries of countries sell names.
const SECOND_LEVELS: &[&str] = &[
    "ac", "art", "asn", "biz", "blog", "co", "com", "ed", "edu", "firm", "gen", "go", "gob", "gouv", "gov",
    "govt", "gub", "id", "idv", "ind", "info", "int", "ltd", "me", "mil", "name", "ne", "net", "nhs", "nic",
    "nom", "or", "org", "plc", "police", "pro", "pub", "sch", "school", "tm", "web",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> String {
        match Question::parse(text) {
            Ok(question) => format!("{:?} {question}", question.subject()),
            Err(error) => format!("error {error}"),
        }
    }

    #[test]
    fn what_can_be_asked_about() {
        for (given, expected) in [
            ("Example.ORG.", "Domain example.org"),
            (" bücher.example ", "Domain xn--bcher-kva.example"),
            ("日本語。jp", "Domain xn--wgv71a119e.jp"),
            ("com", "Domain com"),
            ("_dmarc.example.org", "Domain _dmarc.example.org"),
            ("192.0.2.1", "Address 192.0.2.1"),
            ("::ffff:192.0.2.1", "Address 192.0.2.1"),
            ("[2001:DB8::1]", "Address 2001:db8::1"),
            ("192.0.2.9/24", "Prefix 192.0.2.0/24"),
            ("192.0.2.9/32", "Address 192.0.2.9"),
            ("2001:db8::/32", "Prefix 2001:db8::/32"),
            ("AS64500", "AsNumber AS64500"),
            ("asn 64500", "AsNumber AS64500"),
            ("64500", "AsNumber AS64500"),
            ("AS1.10", "AsNumber AS65546"),
            ("as.com", "Domain as.com"),
            ("as1.com", "Domain as1.com"),
        ] {
            assert_eq!(read(given), expected, "{given}");
        }
    }

    #[test]
    fn what_cannot_is_told_apart() {
        for (given, why) in [
            ("", "must be a domain"),
            ("AS4294967296", "the largest is 4294967295"),
            ("AS1.65536", "from 0 to 65535"),
            ("192.0.2.256", "looks like an address"),
            ("192.0.2.0/33", "no prefix"),
            ("https://example.org/", "not a URL"),
            ("a b.org", "blanks"),
            ("a\r\nb.org", "control characters"),
            ("a..b", "is empty"),
            ("-a.org", "begins or ends"),
            ("a$.org", "cannot hold '$'"),
            ("2001:db8::g", "no IPv6 address"),
        ] {
            assert!(read(given).contains(why), "{given}: {}", read(given));
        }
        assert!(read(&format!("{}.org", "a".repeat(64))).contains("at most 63"));
        assert!(read(&format!("{}.org", "ü".repeat(60))).contains("error"));
        assert!(read(&"ab.".repeat(100)).contains("at most 253"));
        assert!(read(&"ü".repeat(2000)).contains("at most 1000"));
    }

    #[test]
    fn parents_are_asked_for_too() {
        assert_eq!(candidates("example.com"), ["example.com"]);
        assert_eq!(candidates("www.example.com"), ["example.com", "www.example.com"]);
        assert_eq!(candidates("www.example.co.uk"), ["example.co.uk", "www.example.co.uk", "co.uk"]);
        assert_eq!(candidates("example.com.au"), ["example.com.au", "com.au"]);
        assert_eq!(candidates("a.b.c.d.example.net"), ["example.net", "d.example.net", "c.d.example.net"]);
        assert_eq!(candidates("com"), ["com"]);
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_panics_and_what_is_read_is_read_again(text in "\\PC{0,80}") {
            if let Ok(question) = Question::parse(&text) {
                let spelled = question.to_string();
                prop_assert_eq!(Question::parse(&spelled), Ok(question));
                prop_assert!(!spelled.contains(['\r', '\n', ' ']));
            }
        }
    }
}
