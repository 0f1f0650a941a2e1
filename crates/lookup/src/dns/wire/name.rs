//! Names: as they travel, as people write them, and in the order that DNSSEC gives them.

use std::cmp::Ordering;
use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use hickory_resolver::proto::rr::domain::Label;

/// Longest name in bytes as it travels (RFC 1035).
pub const LONGEST: usize = 255;

/// A domain name. Letter case is kept and counts for nothing.
#[derive(Clone)]
pub struct DomainName {
    /// Labels with their lengths before them, the empty label of the root included.
    wire: Box<[u8]>,
}

impl DomainName {
    /// The root.
    pub fn root() -> Self {
        Self { wire: Box::new([0]) }
    }

    /// A name whose labels were checked; `None` when it is too long.
    pub(super) fn from_wire(wire: Vec<u8>) -> Option<Self> {
        (wire.len() <= LONGEST).then(|| Self { wire: wire.into() })
    }

    /// The name of these labels, the topmost last.
    pub fn from_labels<'a>(labels: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut wire = Vec::new();
        for label in labels {
            let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
            wire.push(length);
            wire.extend_from_slice(label);
        }
        wire.push(0);
        Self::from_wire(wire)
    }

    /// Reads a name as people write it: with or without the dot at its end, `\.` and `\046` for odd bytes,
    /// international letters in either form (RFC 5891). Always absolute.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "." {
            return Ok(Self::root());
        }
        if text.is_empty() {
            return Err("must not be empty; give a name or an address".into());
        }
        let mut labels = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (label, after) = label(rest)?;
            match label.len() {
                0 => return Err("has an empty part between its dots".into()),
                1..=63 => labels.push(label),
                long => {
                    return Err(format!("has a part of {long} bytes; at most 63 are allowed between dots"));
                }
            }
            rest = after;
        }
        Self::from_labels(labels.iter().map(Vec::as_slice))
            .ok_or_else(|| format!("is longer than the {LONGEST} bytes that a name may have"))
    }

    /// The name that an address has in the reverse tree (RFC 1035 §3.5, RFC 3596 §2.5).
    pub fn of_address(address: IpAddr) -> Self {
        let text = match address.to_canonical() {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                format!("{d}.{c}.{b}.{a}.in-addr.arpa")
            }
            IpAddr::V6(v6) => {
                let mut text = String::new();
                for byte in v6.octets().iter().rev() {
                    let _ = write!(text, "{:x}.{:x}.", byte & 15, byte >> 4);
                }
                text + "ip6.arpa"
            }
        };
        Self::parse(&text).unwrap_or_else(|_| Self::root())
    }

    /// As it travels, without compression.
    pub fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// The labels from the left, without that of the root.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.wire[..];
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first().filter(|(length, _)| **length > 0)?;
            let (label, after) = after.split_at_checked(usize::from(*length))?;
            rest = after;
            Some(label)
        })
    }

    /// How many labels it has, without that of the root.
    pub fn depth(&self) -> usize {
        self.labels().count()
    }

    /// True for the root.
    pub fn is_root(&self) -> bool {
        self.wire.len() == 1
    }

    /// The name above; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let first = self.labels().next()?;
        self.wire.get(first.len() + 1..).map(|rest| Self { wire: rest.into() })
    }

    /// The name of its last `depth` labels.
    pub fn last(&self, depth: usize) -> Self {
        let mut name = self.clone();
        for _ in depth..self.depth() {
            name = name.parent().unwrap_or_else(Self::root);
        }
        name
    }

    /// The name with one more label before it; `None` when that is too long.
    pub fn child(&self, label: &[u8]) -> Option<Self> {
        Self::from_labels(std::iter::once(label).chain(self.labels()))
    }

    /// True when it is that name or below it.
    pub fn is_within(&self, other: &Self) -> bool {
        let (depth, above) = (self.depth(), other.depth());
        depth >= above && self.last(above) == *other
    }

    /// In small letters, as names are signed.
    pub fn lower(&self) -> Self {
        Self { wire: self.wire.to_ascii_lowercase().into() }
    }

    /// The deepest name that both are within.
    pub fn common(&self, other: &Self) -> Self {
        let mut name = self.clone();
        while !other.is_within(&name) {
            name = name.parent().unwrap_or_else(Self::root);
        }
        name
    }
}

/// The first label and what follows its dot.
fn label(text: &str) -> Result<(Vec<u8>, &str), String> {
    let mut bytes = Vec::new();
    let mut foreign = false;
    let mut chars = text.char_indices();
    let mut after = "";
    while let Some((at, c)) = chars.next() {
        match c {
            '.' => {
                after = &text[at + 1..];
                // Nothing before the first dot, or nothing between two.
                if bytes.is_empty() || after.starts_with('.') {
                    return Err("has an empty part between its dots".into());
                }
                break;
            }
            '\\' => bytes.push(escaped(&mut chars)?),
            c if c.is_control() || c.is_whitespace() => {
                return Err("must not hold blanks or control characters".into());
            }
            c => {
                foreign |= !c.is_ascii();
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    if foreign {
        let text = String::from_utf8(bytes).map_err(|_| "mixes international letters with escapes")?;
        let ascii =
            Label::from_utf8(&text).map_err(|_| format!("'{text}' is no label of an international name"))?;
        bytes = ascii.as_bytes().to_vec();
    }
    Ok((bytes, after))
}

fn escaped(chars: &mut std::str::CharIndices<'_>) -> Result<u8, String> {
    let wrong = || "has a '\\' without a character or three digits after it".to_owned();
    let (_, first) = chars.next().ok_or_else(wrong)?;
    if !first.is_ascii_digit() {
        return u8::try_from(first).ok().filter(u8::is_ascii_graphic).ok_or_else(wrong);
    }
    let digits: String = std::iter::once(first).chain(chars.by_ref().take(2).map(|(_, c)| c)).collect();
    digits.parse().ok().filter(|_| digits.len() == 3).ok_or_else(wrong)
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for label in self.labels() {
            for &byte in label {
                match byte {
                    b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => {
                        write!(f, "\\{}", char::from(byte))?;
                    }
                    b'!'..=b'~' => f.write_char(byte.into())?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
            f.write_char('.')?;
        }
        Ok(())
    }
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

// A length is at most 63 and so never a letter, so the whole can be compared at once.
impl PartialEq for DomainName {
    fn eq(&self, other: &Self) -> bool {
        self.wire.eq_ignore_ascii_case(&other.wire)
    }
}

impl Eq for DomainName {}

impl Hash for DomainName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.wire.to_ascii_lowercase().hash(state);
    }
}

/// The canonical order of DNSSEC (RFC 4034 §6.1).
impl Ord for DomainName {
    fn cmp(&self, other: &Self) -> Ordering {
        let reversed = |name: &Self| {
            let mut labels: Vec<_> = name.labels().map(<[u8]>::to_ascii_lowercase).collect();
            labels.reverse();
            labels
        };
        reversed(self).cmp(&reversed(other))
    }
}

impl PartialOrd for DomainName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    #[test]
    fn as_people_write_them() {
        for (given, shown) in [
            (".", "."),
            ("example.org", "example.org."),
            ("Example.ORG.", "Example.ORG."),
            ("_dmarc.example.org", "_dmarc.example.org."),
            ("*.example.org", "*.example.org."),
            ("a\\.b.example", "a\\.b.example."),
            ("a\\032b.example", "a\\032b.example."),
            ("bücher.example", "xn--bcher-kva.example."),
        ] {
            assert_eq!(name(given).to_string(), shown, "{given}");
            assert_eq!(name(&name(given).to_string()), name(given));
        }
        for (wrong, why) in [
            ("", "empty"),
            ("a..b", "empty part"),
            (".a", "empty part"),
            ("a b", "blanks"),
            ("a\\", "without a character"),
            ("a\\99", "three digits"),
            ("a\\999", "three digits"),
        ] {
            let error = DomainName::parse(wrong).unwrap_err();
            assert!(error.contains(why), "{wrong}: {error}");
        }
        assert!(DomainName::parse(&"a".repeat(64)).unwrap_err().contains("64 bytes"));
        assert!(DomainName::parse(&"abc.".repeat(64)).unwrap_err().contains("255"));
    }

    #[test]
    fn addresses_have_names() {
        let of = |text: &str| DomainName::of_address(text.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.1"), "1.2.0.192.in-addr.arpa.");
        assert_eq!(
            of("2001:db8::567:89ab"),
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."
        );
    }

    #[test]
    fn case_counts_for_nothing_and_order_is_that_of_dnssec() {
        assert_eq!(name("WWW.example"), name("www.EXAMPLE"));
        assert!(name("a.example").is_within(&name("EXAMPLE")));
        assert!(!name("a.example").is_within(&name("b.a.example")));
        assert!(!name("badexample").is_within(&name("example")));
        assert_eq!(name("a.b.example").common(&name("c.b.example")), name("b.example"));
        // The list of RFC 4034 §6.1.
        let ordered = [
            "example",
            "a.example",
            "yljkjljk.a.example",
            "Z.a.example",
            "zABC.a.EXAMPLE",
            "z.example",
            "\\001.z.example",
            "*.z.example",
            "\\200.z.example",
        ];
        assert!(ordered.map(name).is_sorted());
    }
}
