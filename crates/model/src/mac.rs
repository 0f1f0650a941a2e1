//! Hardware addresses: EUI-48, as Ethernet and Wi-Fi have them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most characters such an address is written with.
const LONGEST: usize = 24;
/// Hexadecimal digits of an address.
const DIGITS: usize = 12;

/// A hardware address. Written as `00:00:5e:00:53:01`; read in every usual notation.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(into = "String", try_from = "String")]
#[schema(value_type = String, example = "00:00:5e:00:53:01")]
pub struct Mac([u8; 6]);

/// A text is no hardware address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no MAC address; write six bytes such as 00:00:5e:00:53:01")]
pub struct NoMac;

impl Mac {
    /// The address everybody on a link listens to.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// The address of these bytes, as they go over the wire.
    pub const fn new(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// Its bytes as they go over the wire.
    pub const fn bytes(self) -> [u8; 6] {
        self.0
    }

    /// The address of the lower 48 bits of a number.
    pub const fn from_bits(bits: u64) -> Self {
        let [_, _, bytes @ ..] = bits.to_be_bytes();
        Self(bytes)
    }

    /// Its 48 bits.
    pub const fn bits(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    /// True when it names a group and not one interface; so does the broadcast address.
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 != 0
    }

    /// True when whoever runs the machine chose it, and no registry: phones and laptops that change it, and
    /// virtual machines.
    pub const fn is_locally_administered(self) -> bool {
        self.0[0] & 2 != 0
    }

    /// True for what can stand for one interface: no group, and not all zeros.
    pub fn is_unicast(self) -> bool {
        !self.is_multicast() && self.0 != [0; 6]
    }
}

impl From<[u8; 6]> for Mac {
    fn from(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

impl TryFrom<String> for Mac {
    type Error = NoMac;

    fn try_from(text: String) -> Result<Self, NoMac> {
        text.parse()
    }
}

/// Bytes with colons or dashes between them, of which each may lack its leading zero; groups of four digits with dots,
/// colons or dashes; two groups of six; digits alone, also behind `0x`.
impl FromStr for Mac {
    type Err = NoMac;

    fn from_str(text: &str) -> Result<Self, NoMac> {
        let text = text.trim();
        if text.len() > LONGEST || !text.is_ascii() {
            return Err(NoMac);
        }
        let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let separator = text.chars().find(|c| !c.is_ascii_hexdigit());
        let groups: Vec<&str> = match separator {
            None => vec![text],
            Some(separator @ (':' | '-' | '.' | ' ')) => text.split(separator).collect(),
            Some(_) => return Err(NoMac),
        };
        let width = DIGITS / groups.len().max(1);
        let fits = |group: &str| match groups.len() {
            6 => matches!(group.len(), 1 | 2),
            1..=3 => group.len() == width,
            _ => false,
        };
        let mut bytes = [0; 6];
        let mut digits = String::with_capacity(DIGITS);
        for group in &groups {
            if !fits(group) || !group.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(NoMac);
            }
            digits.push_str(&"0".repeat(width - group.len()));
            digits.push_str(group);
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            let pair = digits.get(2 * at..2 * at + 2).ok_or(NoMac)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NoMac)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_usual_notation_is_read() {
        let mac = Mac::new([0, 0x1b, 0x44, 0x11, 0x3a, 0xb7]);
        for text in [
            "00:1b:44:11:3a:b7",
            " 00-1B-44-11-3A-B7 ",
            "0:1b:44:11:3a:b7",
            "001b.4411.3ab7",
            "001b:4411:3ab7",
            "001b44-113ab7",
            "001b44113ab7",
            "0x001B44113AB7",
            "00 1b 44 11 3a b7",
        ] {
            assert_eq!(text.parse(), Ok(mac), "{text}");
        }
        assert_eq!(serde_json::to_string(&mac).unwrap(), "\"00:1b:44:11:3a:b7\"");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "00:1b:44:11:3a",
            "00:1b:44:11:3a:b7:00",
            "00:1b:44:11:3a:bg",
            "00:1b:44-11:3a:b7",
            "001:b44:113:ab7",
            "192.0.2.1",
            "2001:db8::1",
            "00:1b:44:11:3a:",
            "äöü",
            "1b44113ab7",
        ] {
            assert_eq!(text.parse::<Mac>(), Err(NoMac), "{text}");
        }
    }

    #[test]
    fn its_bits_say_what_it_is() {
        assert!(Mac::BROADCAST.is_multicast() && !Mac::BROADCAST.is_unicast());
        assert!(Mac::new([2, 0, 0, 0, 0, 1]).is_locally_administered());
        assert!(Mac::new([0, 0, 0x5e, 0, 0x53, 1]).is_unicast());
        assert!(!Mac::default().is_unicast());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes: [u8; 6]) {
            prop_assert_eq!(Mac::new(bytes).to_string().parse(), Ok(Mac::new(bytes)));
            prop_assert_eq!(Mac::from_bits(Mac::new(bytes).bits()), Mac::new(bytes));
        }

        #[test]
        fn any_text_is_survived(text in ".{0,40}") {
            let _ = text.parse::<Mac>();
        }
    }
}
