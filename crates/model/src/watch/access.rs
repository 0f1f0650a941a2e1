//! The access list: which hardware addresses are known, and which should not be there.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::device::Access;
use crate::mac::Mac;

/// Most entries of the list.
pub const MOST_ENTRIES: usize = 20_000;
/// Most characters of a note.
pub const LONGEST_NOTE: usize = 500;
/// Bits of a whole address.
const WHOLE: u8 = 48;
/// Fewest hexadecimal digits of a pattern: fewer would speak of vendors by the hundred.
const FEWEST_DIGITS: usize = 6;
/// Most characters a pattern is written with.
const LONGEST_PATTERN: usize = 40;

/// What an entry says of the addresses it speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccessAction {
    /// They belong there.
    Allow,
    /// They should not be there.
    Deny,
}

impl AccessAction {
    /// Its word in the API, the database and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }

    /// The action of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Allow, Self::Deny].into_iter().find(|action| action.as_str() == word)
    }
}

/// A hardware address, or the beginning of some: that of a vendor, for instance. Written as `00:00:5e:00:53:01`, or
/// as `00:00:5e`; of an odd number of digits the last stands alone, as in `00:00:5e:0`, and of eleven all are written
/// with `/44` behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct MacPattern {
    bytes: [u8; 6],
    bits: u8,
}

/// A text is neither a hardware address nor the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a MAC address such as 00:00:5e:00:53:01, or the first 6 to 11 digits of one such as 00:00:5e, got '{0}'"
)]
pub struct NoPattern(String);

impl MacPattern {
    /// The first `bits` of an address, a multiple of 4 from 24 to 48; none otherwise.
    pub fn new(bytes: [u8; 6], bits: u8) -> Option<Self> {
        if !(24..=WHOLE).contains(&bits) || !bits.is_multiple_of(4) {
            return None;
        }
        let kept = u64::MAX << (64 - u32::from(bits));
        let [a, b, c, d, e, f] = bytes;
        let [a, b, c, d, e, f, _, _] = (u64::from_be_bytes([a, b, c, d, e, f, 0, 0]) & kept).to_be_bytes();
        Some(Self { bytes: [a, b, c, d, e, f], bits })
    }

    /// Its bytes; those behind its bits are zero.
    pub fn bytes(self) -> [u8; 6] {
        self.bytes
    }

    /// How many bits it says, from 24 to 48.
    pub fn bits(self) -> u8 {
        self.bits
    }

    /// The address it is, when it is a whole one.
    pub fn mac(self) -> Option<Mac> {
        (self.bits == WHOLE).then_some(Mac::new(self.bytes))
    }

    /// True when the address begins with it, or is it.
    pub fn fits(self, mac: Mac) -> bool {
        Self::new(mac.bytes(), self.bits) == Some(self)
    }
}

impl From<Mac> for MacPattern {
    fn from(mac: Mac) -> Self {
        Self { bytes: mac.bytes(), bits: WHOLE }
    }
}

impl fmt::Display for MacPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Eleven digits read like an address whose last byte lacks its leading zero.
        if self.bits == 44 {
            return write!(f, "{}/44", Mac::new(self.bytes));
        }
        for (at, byte) in self.bytes.iter().enumerate().take(usize::from(self.bits.div_ceil(8))) {
            if at > 0 {
                f.write_str(":")?;
            }
            if usize::from(self.bits) < 8 * at + 8 {
                write!(f, "{:x}", byte >> 4)?;
            } else {
                write!(f, "{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl From<MacPattern> for String {
    fn from(pattern: MacPattern) -> Self {
        pattern.to_string()
    }
}

impl TryFrom<String> for MacPattern {
    type Error = NoPattern;

    fn try_from(text: String) -> Result<Self, NoPattern> {
        text.parse()
    }
}

/// A whole address in any notation, or six to eleven digits with or without separators. `*`, `x` and `/24` at the end
/// are other ways to say that something may follow.
impl FromStr for MacPattern {
    type Err = NoPattern;

    fn from_str(text: &str) -> Result<Self, NoPattern> {
        let wrong = || NoPattern(text.chars().take(60).collect());
        let text = text.trim();
        if let Ok(mac) = text.parse::<Mac>() {
            return Ok(mac.into());
        }
        if text.len() > LONGEST_PATTERN || !text.is_ascii() {
            return Err(wrong());
        }
        let (digits, bits) = match text.split_once('/') {
            Some((digits, bits)) => (digits, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        // What looks like an address of IPv4 is one.
        let groups: Vec<&str> = digits.split('.').collect();
        if let [full @ .., _] = groups.as_slice()
            && full.iter().any(|group| group.len() != 4)
        {
            return Err(wrong());
        }
        let digits = digits.trim_end_matches(['*', 'x', 'X', ':', '-', '.']);
        if digits.contains(|c: char| !c.is_ascii_hexdigit() && !matches!(c, ':' | '-' | '.')) {
            return Err(wrong());
        }
        let digits: String = digits.chars().filter(char::is_ascii_hexdigit).collect();
        if !(FEWEST_DIGITS..=12).contains(&digits.len()) {
            return Err(wrong());
        }
        let said = u8::try_from(4 * digits.len()).map_err(|_| wrong())?;
        let padded = format!("{digits:0<12}");
        let mut bytes = [0; 6];
        for (at, byte) in bytes.iter_mut().enumerate() {
            let pair = padded.get(2 * at..2 * at + 2).ok_or_else(wrong)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        let pattern = Self::new(bytes, bits.unwrap_or(said)).ok_or_else(wrong)?;
        // More digits than bits would be thrown away without a word.
        if pattern.bytes == bytes { Ok(pattern) } else { Err(wrong()) }
    }
}

/// An entry of the access list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessEntry {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// What it says.
    pub action: AccessAction,
    /// The hardware address, or the beginning of those it speaks of.
    #[schema(value_type = String, example = "00:00:5e:00:53:01")]
    pub mac: MacPattern,
    /// To whom the address, or its block, is assigned.
    pub vendor: Option<String>,
    /// Why.
    pub note: String,
    /// The networks it holds on; empty for all.
    pub networks: Vec<Uuid>,
    /// When it ceases to hold.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
}

/// One rule of the list, as far as it decides.
#[derive(Clone, Debug)]
pub struct AccessRule {
    /// What it says.
    pub action: AccessAction,
    /// Of whom.
    pub pattern: MacPattern,
    /// When it ceases to hold.
    pub expires_at: Option<Timestamp>,
}

/// The rules that hold on one network, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct AccessRules {
    /// By pattern. Of two that say different things of the same addresses the denial is kept.
    rules: HashMap<MacPattern, AccessAction>,
    /// Lengths in use, longest first.
    lengths: Vec<u8>,
}

impl AccessRules {
    /// The rules that hold at this time.
    pub fn new(rules: impl IntoIterator<Item = AccessRule>, now: Timestamp) -> Self {
        let mut known: HashMap<MacPattern, AccessAction> = HashMap::new();
        for rule in rules {
            if rule.expires_at.is_none_or(|end| end > now) {
                let action = known.entry(rule.pattern).or_insert(rule.action);
                *action = rule.action.max(*action);
            }
        }
        let mut lengths: Vec<u8> = known.keys().map(|pattern| pattern.bits).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        lengths.dedup();
        Self { rules: known, lengths }
    }

    /// What the list says of an address: the longest pattern that fits decides.
    pub fn access(&self, mac: Mac) -> Access {
        let action = self.lengths.iter().find_map(|bits| {
            let pattern = MacPattern::new(mac.bytes(), *bits)?;
            self.rules.get(&pattern)
        });
        match action {
            Some(AccessAction::Allow) => Access::Known,
            Some(AccessAction::Deny) => Access::Denied,
            None => Access::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> MacPattern {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_and_beginnings_are_read_in_any_notation() {
        for (text, read) in [
            ("00-00-5E-00-53-01", "00:00:5e:00:53:01"),
            ("0000.5e00.5301", "00:00:5e:00:53:01"),
            ("00:00:5e", "00:00:5e"),
            ("00005E", "00:00:5e"),
            ("00:00:5e:*", "00:00:5e"),
            ("00:00:5e:00/28", "00:00:5e:0"),
            ("00:00:5e:0", "00:00:5e:0"),
            ("00:1b:c5:00:0/36", "00:1b:c5:00:0"),
            ("00:00:5e:00:00:00/24", "00:00:5e"),
        ] {
            assert_eq!(pattern(text).to_string(), read, "{text}");
        }
        for text in
            ["", "00", "00:00", "zz:00:5e", "00:00:5e:00:53:01:02", "00:00:5e:00:53:01/24", "192.0.2.1/24"]
        {
            assert!(text.parse::<MacPattern>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_longest_pattern_decides_and_what_has_expired_says_nothing() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let rule = |action, text: &str, ends: Option<i64>| AccessRule {
            action,
            pattern: pattern(text),
            expires_at: ends.map(|seconds| Timestamp::from_second(1_800_000_000 + seconds).unwrap()),
        };
        let rules = AccessRules::new(
            [
                rule(AccessAction::Deny, "00:00:5e", None),
                rule(AccessAction::Allow, "00:00:5e:00:53:01", Some(10)),
                rule(AccessAction::Allow, "00:00:5e:00:53:02", Some(0)),
            ],
            now,
        );
        let access = |text: &str| rules.access(text.parse().unwrap());
        assert_eq!(access("00:00:5e:00:53:01"), Access::Known);
        assert_eq!(access("00:00:5e:00:53:02"), Access::Denied);
        assert_eq!(access("00:00:5f:00:53:02"), Access::Unknown);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes: [u8; 6], digits in 6_u8..=12) {
            let pattern = MacPattern::new(bytes, 4 * digits).unwrap();
            prop_assert_eq!(pattern.to_string().parse(), Ok(pattern));
            prop_assert!(pattern.fits(Mac::new(bytes)));
        }

        #[test]
        fn any_text_is_survived(text in ".{0,60}") {
            let _ = text.parse::<MacPattern>();
        }
    }
}
