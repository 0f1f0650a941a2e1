//! MAC addresses in any usual notation.

use std::fmt::{self, Display};

/// A MAC address (EUI-48), an EUI-64, or the first octets of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mac {
    octets: Vec<u8>,
}

impl Mac {
    /// The octets, 3 to 8 of them.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Reads colons (`0:1b:44:11:3a:b7`, as BSD writes them, too), dashes, dots between groups of four, a dash
    /// between halves, and digits alone. `None` when it is none of these.
    pub fn read(text: &str) -> Option<Self> {
        let octets = if text.contains(':') {
            with_colons(&text.split(':').collect::<Vec<_>>())?
        } else if text.contains('-') {
            with_dashes(&text.split('-').collect::<Vec<_>>())?
        } else if text.contains('.') {
            let groups: Vec<&str> = text.split('.').collect();
            let whole = matches!(groups.len(), 3 | 4) && groups.iter().all(|group| group.len() == 4);
            digits(&groups.concat()).filter(|_| whole)?
        } else {
            digits(text).filter(|octets| matches!(octets.len(), 6 | 8))?
        };
        Some(Self { octets })
    }
}

fn with_colons(groups: &[&str]) -> Option<Vec<u8>> {
    // Eight groups are an IPv6 address, too, but nobody writes one of those with two digits in each.
    let in_pairs = groups.iter().all(|group| group.len() == 2);
    if !(in_pairs && (3..=8).contains(&groups.len()) || groups.len() == 6) {
        return None;
    }
    groups.iter().map(|group| octet(group)).collect()
}

fn with_dashes(groups: &[&str]) -> Option<Vec<u8>> {
    let halves = groups.len() == 2 && groups.iter().all(|half| half.len() == 6);
    let in_pairs = (3..=8).contains(&groups.len()) && groups.iter().all(|group| group.len() == 2);
    (halves || in_pairs).then(|| digits(&groups.concat())).flatten()
}

/// One or two hexadecimal digits.
fn octet(text: &str) -> Option<u8> {
    let plain = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u8::from_str_radix(text, 16).ok()).flatten()
}

/// An even number of hexadecimal digits.
fn digits(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| text.get(at..at + 2).and_then(octet)).collect()
}

impl Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, octet) in self.octets.iter().enumerate() {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{octet:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_notation() {
        for text in [
            "00:1B:44:11:3A:B7",
            "0:1b:44:11:3a:b7",
            "00-1b-44-11-3a-b7",
            "001b.4411.3ab7",
            "001B44113AB7",
            "001b44-113ab7",
        ] {
            assert_eq!(Mac::read(text).unwrap().to_string(), "00:1b:44:11:3a:b7", "{text}");
        }
        assert_eq!(Mac::read("00-1b-c5").unwrap().to_string(), "00:1b:c5");
        assert_eq!(Mac::read("02:00:5e:ff:fe:00:53:01").unwrap().octets().len(), 8);
    }

    #[test]
    fn not_everything_is_one() {
        for text in [
            "",
            "00:1b",
            "1:2:3",
            "2001:db8:0:1:1:1:1:1",
            "::1",
            "001b44",
            "00:1b:44:11:3a:bg",
            "+1:1b:44:11:3a:b7",
            "a-b-c",
            "192.0.2.1",
            "ñ01b44113ab7",
            "00:1b:44:11:3a:b7:",
        ] {
            assert_eq!(Mac::read(text), None, "{text}");
        }
    }
}
