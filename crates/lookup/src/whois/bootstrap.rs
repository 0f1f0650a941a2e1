//! The bootstrap files of IANA: which RDAP service knows what (RFC 9224).

use std::collections::BTreeMap;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::Deserialize;

use super::registries::base;

/// Most names of a file; ten times what the largest has.
const MOST_NAMES: usize = 20_000;
/// The longest name of a domain.
const LONGEST: usize = 253;

/// What the names of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Domains,
    V4,
    V6,
    Numbers,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Domains, Self::V4, Self::V6, Self::Numbers];

    /// Its name at IANA.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Domains => "dns",
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
            Self::Numbers => "asn",
        }
    }

    /// What it lists, for people.
    fn words(self) -> &'static str {
        match self {
            Self::Domains => "domains",
            Self::V4 => "prefixes of IPv4",
            Self::V6 => "prefixes of IPv6",
            Self::Numbers => "AS numbers",
        }
    }
}

/// A file that makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bootstrap {
    /// What its names are.
    pub kind: Kind,
    /// When IANA published it, where it says so.
    pub published: Option<Timestamp>,
    /// Bases of services with the slash at the end, by the names they know: domains, prefixes, and AS numbers such as
    /// `AS64500` or `AS64500-AS64510`. Services that are not asked over HTTP are left out.
    pub services: BTreeMap<String, String>,
}

/// The file as it is written (RFC 9224, section 3).
#[derive(Deserialize)]
struct Written {
    publication: Option<String>,
    services: Vec<(Vec<String>, Vec<String>)>,
}

impl Bootstrap {
    /// Reads a file.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(json: &str) -> Result<Self, String> {
        let written: Written = serde_json::from_str(json)
            .map_err(|error| format!("it is no bootstrap file of RDAP (RFC 9224): {error}"))?;
        let mut kind: Option<Kind> = None;
        let mut services = BTreeMap::new();
        for (names, urls) in &written.services {
            // Of several, the one that is encrypted.
            let https = urls.iter().find(|url| url.starts_with("https://"));
            let base = https.or(urls.first()).and_then(|url| base(url));
            for name in names {
                let (of, spelled) = spelled(name).ok_or_else(|| {
                    let shown: String = name.chars().take(60).collect();
                    format!("{shown:?} is no domain, prefix, AS number or range of them")
                })?;
                match kind {
                    Some(kind) if kind != of => {
                        return Err(format!("it lists {} among {}", of.words(), kind.words()));
                    }
                    _ => kind = Some(of),
                }
                if let Some(base) = &base {
                    services.insert(spelled, base.clone());
                }
            }
            if services.len() > MOST_NAMES {
                return Err(format!("it has more than {MOST_NAMES} names"));
            }
        }
        match kind {
            Some(kind) if !services.is_empty() => {
                let published = written.publication.and_then(|text| text.parse().ok());
                Ok(Self { kind, published, services })
            }
            _ => Err("it names no service".into()),
        }
    }
}

/// A name as rows of registries spell it, and what it is.
fn spelled(name: &str) -> Option<(Kind, String)> {
    if name.contains('/') {
        let prefix = name.parse::<IpNet>().ok()?.trunc();
        let kind = if matches!(prefix, IpNet::V4(_)) { Kind::V4 } else { Kind::V6 };
        return Some((kind, prefix.to_string()));
    }
    let (first, last) = name.split_once('-').unwrap_or((name, name));
    if let (Some(first), Some(last)) = (number(first), number(last)) {
        let spelled = match first.cmp(&last) {
            std::cmp::Ordering::Less => format!("AS{first}-AS{last}"),
            std::cmp::Ordering::Equal => format!("AS{first}"),
            std::cmp::Ordering::Greater => return None,
        };
        return Some((Kind::Numbers, spelled));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_domain = !name.is_empty() && name.len() <= LONGEST && name.bytes().all(plain);
    is_domain.then(|| (Kind::Domains, name.to_ascii_lowercase()))
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_kind_is_known_by_its_names() {
        for (names, kind, spelled) in [
            (r#""COM", "xn--p1ai""#, Kind::Domains, &["com", "xn--p1ai"][..]),
            (r#""41.0.0.0/8""#, Kind::V4, &["41.0.0.0/8"]),
            (r#""2001:4200::/23""#, Kind::V6, &["2001:4200::/23"]),
            (r#""36864-37887", "64500-64500", "1""#, Kind::Numbers, &["AS1", "AS36864-AS37887", "AS64500"]),
        ] {
            let file = Bootstrap::read(&format!(
                r#"{{"publication":"2026-11-01T12:00:00Z","services":[[[{names}],["https://rdap.test"]]]}}"#
            ))
            .unwrap();
            assert_eq!(file.kind, kind);
            assert_eq!(file.published, "2026-11-01T12:00:00Z".parse().ok());
            assert_eq!(file.services.keys().collect::<Vec<_>>(), spelled);
            assert!(file.services.values().all(|base| base == "https://rdap.test/"));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (json, why) in [
            ("", "no bootstrap file"),
            ("{}", "no bootstrap file"),
            (r#"{"services":[]}"#, "names no service"),
            (r#"{"services":[[["com"],["gopher://x"]]]}"#, "names no service"),
            (r#"{"services":[[["com","10.0.0.0/8"],["https://x"]]]}"#, "prefixes of IPv4 among domains"),
            (r#"{"services":[[["10.0.0.0/99"],["https://x"]]]}"#, "is no domain"),
            (r#"{"services":[[["9-3"],["https://x"]]]}"#, "is no domain"),
            (r#"{"services":[[["a b"],["https://x"]]]}"#, "is no domain"),
        ] {
            let told = Bootstrap::read(json).unwrap_err();
            assert!(told.contains(why), "{json}: {told}");
        }
        let many: Vec<String> = (0..=MOST_NAMES).map(|number| format!("\"t{number}\"")).collect();
        let json = format!(r#"{{"services":[[[{}],["https://x"]]]}}"#, many.join(","));
        assert!(Bootstrap::read(&json).unwrap_err().contains("more than"));
    }

    proptest! {
        #[test]
        fn no_name_is_read_that_rows_cannot_have(name in "\\PC{0,40}") {
            let json = serde_json::json!({ "services": [[[name], ["https://rdap.test/"]]] }).to_string();
            if Bootstrap::read(&json).is_ok() {
                let mut table = crate::whois::Registries::empty("");
                prop_assert_eq!(table.add_bootstrap(&json), Ok(1));
            }
        }
    }
}
