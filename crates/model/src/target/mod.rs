//! Targets of measurements: an address or a name, one with a port, or a URL.

mod place;
mod resource;
mod url;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::place::HostPort;
use crate::error::FieldError;
use crate::watch::ranges::Ranges;

/// What the target of a tool is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// An address or a name.
    #[default]
    Host,
    /// An address or a name, and a port behind a colon where one is wanted.
    HostPort,
    /// An http or https URL.
    Url,
    /// An address or any name of the DNS.
    Name,
    /// What registries know: a domain, an address, a prefix or an AS number.
    Resource,
    /// Prefixes, ranges of addresses and names.
    Ranges,
}

impl TargetKind {
    /// Checks a target of this kind. Returns it as it is kept: trimmed, addresses in their canonical form.
    ///
    /// # Errors
    /// Says what is wrong with it, for the field `target`.
    pub fn check(self, text: &str) -> Result<String, FieldError> {
        match self {
            Self::Host => check(text),
            Self::HostPort => HostPort::parse(text).map(|place| place.to_string()),
            Self::Url => url::check(text),
            Self::Name => check_name(text),
            Self::Resource => resource::check(text),
            Self::Ranges => Ranges::parse(text).map(|ranges| ranges.to_string()),
        }
    }
}

/// Checks an address or a name of the DNS: besides those of hosts the root, wildcards, and reverse zones with a slash
/// in their name (RFC 2317).
fn check_name(text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    if text == "." {
        return Ok(text.to_owned());
    }
    let before_slash = text.split_once('/').map(|(before, _)| before);
    if text.contains("://") || before_slash.is_some_and(|before| before.parse::<IpAddr>().is_ok()) {
        return check(text);
    }
    let kept = check(&text.replace(['*', '/'], "x"))?;
    Ok(if kept.parse::<IpAddr>().is_ok() { kept } else { text.strip_suffix('.').unwrap_or(text).to_owned() })
}

/// Longest name in characters (RFC 1035, without the trailing dot).
const LONGEST_NAME: usize = 253;

/// Checks a target: an IPv4 or IPv6 address, or a host name. Returns it trimmed, without the
/// brackets of an IPv6 literal and without a trailing dot.
///
/// What a worker may touch is its own list's decision; this refuses only what no worker could do.
///
/// # Errors
/// Says what is wrong with it, for the field `target`.
pub fn check(text: &str) -> Result<String, FieldError> {
    let wrong = |description: String| Err(FieldError::body("target", description));
    let text = text.trim();
    if text.is_empty() {
        return wrong("must not be empty; give an address or a name".into());
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return wrong("must not hold blanks or control characters".into());
    }
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    if bare.contains('%') {
        return wrong("must not hold a zone; name the interface in options.interface".into());
    }
    if text.contains("://") {
        return wrong("must be an address or a name, not a URL".into());
    }
    if text.contains('/') {
        return wrong("must be one address or name, not a prefix".into());
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.chars().count() > LONGEST_NAME {
        return wrong(format!("must have at most {LONGEST_NAME} characters, got {}", name.chars().count()));
    }
    for label in name.split('.') {
        if label.is_empty() {
            return wrong("is no address, and as a name it has an empty part between its dots".into());
        }
        if label.chars().count() > 63 {
            return wrong(format!(
                "has a part of {} characters; at most 63 are allowed between dots",
                label.chars().count()
            ));
        }
        if let Some(odd) = label.chars().find(|c| !(c.is_alphanumeric() || matches!(c, '-' | '_'))) {
            return wrong(format!("is no address, and a name cannot hold '{odd}'"));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return wrong("is no address, and no part of a name begins or ends with '-'".into());
        }
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    if last.chars().all(|c| c.is_ascii_digit()) {
        return wrong("looks like an address but is none; IPv4 has four numbers from 0 to 255".into());
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_pass() {
        for (given, kept) in [
            ("192.0.2.1", "192.0.2.1"),
            (" 2001:DB8::1 ", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("example.org.", "example.org"),
            ("host_1", "host_1"),
            ("bücher.example", "bücher.example"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(check(given).as_deref(), Ok(kept), "{given}");
        }
    }

    #[test]
    fn names_of_the_dns_are_more_than_those_of_hosts() {
        for (given, kept) in [
            (".", "."),
            ("*.example.org.", "*.example.org"),
            ("_dmarc.example.org", "_dmarc.example.org"),
            ("0/25.2.0.192.in-addr.arpa", "0/25.2.0.192.in-addr.arpa"),
            ("2001:DB8::1", "2001:db8::1"),
        ] {
            assert_eq!(TargetKind::Name.check(given).as_deref(), Ok(kept), "{given}");
        }
        for (given, why) in [
            ("192.0.2.0/24", "not a prefix"),
            ("http://a", "not a URL"),
            ("a..b", "empty part"),
            ("a b", "blanks"),
        ] {
            let error = TargetKind::Name.check(given).unwrap_err();
            assert!(error.description.contains(why), "{given}: {error}");
        }
    }

    #[test]
    fn absurd_targets_are_refused_with_a_reason() {
        for (given, why) in [
            ("", "must not be empty"),
            ("   ", "must not be empty"),
            ("a b", "blanks"),
            ("a\0b", "control characters"),
            ("192.0.2.256", "looks like an address"),
            ("1.2.3", "looks like an address"),
            ("192.0.2.0/24", "not a prefix"),
            ("https://example.org", "not a URL"),
            ("fe80::1%eth0", "options.interface"),
            ("a..b", "empty part"),
            ("-rf", "begins or ends"),
            ("$(id).org", "cannot hold '$'"),
            ("a;b", "cannot hold ';'"),
        ] {
            let error = check(given).unwrap_err();
            assert_eq!(error.name, "target");
            assert!(error.description.contains(why), "{given}: {error}");
        }
        assert!(check(&"a".repeat(64)).is_err());
        assert!(check(&"ab.".repeat(100)).is_err());
    }
}
