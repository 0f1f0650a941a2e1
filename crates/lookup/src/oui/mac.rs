//! Hardware addresses and the ways people write them.

use std::collections::HashSet;
use std::fmt;

use netwark_model::mac::Mac;

/// The beginning of MAC addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// Its bits, aligned to the left of 48.
    start: u64,
    /// How many hexadecimal digits were given, from 1 to 16.
    digits: usize,
    /// The bits behind the first 48, when there are more.
    tail: u16,
}

/// Most characters an address is written with; more is something else.
const LONGEST: usize = 40;
/// Digits of a whole address.
const EUI48: usize = 12;
/// Digits of an EUI-64.
const EUI64: usize = 16;

impl Prefix {
    /// Reads an address or the beginning of one in any usual notation: bytes with colons or dashes, of which each may
    /// lack its leading zero; groups of four digits with dots, colons or dashes; two groups of six; digits alone; with
    /// `0x` before them, or the first bits with `/` behind them (`00:50:c2:00:00:00/36`, whose bits are rounded to
    /// digits). None for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.len() > LONGEST || !text.is_ascii() {
            return None;
        }
        let (text, bits) = match text.split_once('/') {
            Some((text, bits)) => {
                (text, Some(bits.parse::<usize>().ok().filter(|bits| matches!(bits, 4..=64))?))
            }
            None => (text, None),
        };
        let bare = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let mut digits = [0_u8; EUI64];
        let mut count = match separator(bare) {
            None => plain(bare, &mut digits)?,
            Some(separator) => grouped(bare, separator, &mut digits)?,
        };
        if let Some(bits) = bits {
            count = count.min(bits / 4);
        }
        let number = |digits: &[u8]| digits.iter().fold(0_u64, |sum, digit| sum << 4 | u64::from(*digit));
        for digit in digits.get_mut(count..)? {
            *digit = 0;
        }
        let tail = u16::try_from(number(&digits[EUI48..])).ok()?;
        Some(Self { start: number(&digits[..EUI48]), digits: count, tail })
    }

    /// Its bits, aligned to the left of 48.
    pub fn start(self) -> u64 {
        self.start
    }

    /// How many hexadecimal digits of the first twelve are given.
    pub fn digits(self) -> usize {
        self.digits.min(EUI48)
    }

    /// The address, when it is whole; of an EUI-64 the upper 48 bits, which is all that an assignment is looked up by.
    pub fn mac(self) -> Option<Mac> {
        (self.digits >= EUI48).then_some(Mac::from_bits(self.start))
    }

    /// Whether it is an EUI-64.
    pub fn is_eui64(self) -> bool {
        self.digits == EUI64
    }
}

/// `00:50:c2` for a beginning, `00:50:c2:12` for half a byte more it ends in one digit, and all eight bytes of an
/// EUI-64.
impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = format!("{:012x}{:04x}", self.start, self.tail);
        for (at, digit) in all.chars().take(self.digits).enumerate() {
            if at > 0 && at % 2 == 0 {
                f.write_str(":")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// What stands between the groups.
fn separator(text: &str) -> Option<char> {
    text.chars().find(|c| matches!(c, ':' | '-' | '.' | ' '))
}

fn digit(c: char) -> Option<u8> {
    c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn plain(text: &str, digits: &mut [u8; EUI64]) -> Option<usize> {
    let count = text.len();
    if !matches!(count, 1..=EUI48 | EUI64) {
        return None;
    }
    for (place, c) in digits.iter_mut().zip(text.chars()) {
        *place = digit(c)?;
    }
    Some(count)
}

fn grouped(text: &str, separator: char, digits: &mut [u8; EUI64]) -> Option<usize> {
    // A beginning may end in its separator.
    let text = text.strip_suffix(separator).unwrap_or(text);
    let groups = || text.split(separator);
    let longest = groups().map(str::len).max()?;
    let width = match (separator, longest) {
        ('.' | ':' | '-' | ' ', 4) => 4,
        ('-' | ':', 6) => 6,
        (_, 1 | 2) => 2,
        _ => return None,
    };
    let last = groups().count() - 1;
    let mut count = 0;
    for (at, group) in groups().enumerate() {
        let is_last = at == last;
        // Bytes may lack a leading zero; the last group of a beginning may be cut short.
        let short = group.len() < width;
        if group.is_empty() || group.len() > width || (short && width != 2 && !is_last) {
            return None;
        }
        let whole = is_last && matches!(count + width, EUI48 | EUI64);
        if short && width == 2 && (!is_last || whole) {
            *digits.get_mut(count)? = 0;
            count += 1;
        } else if short && whole {
            return None;
        }
        for c in group.chars() {
            *digits.get_mut(count)? = digit(c)?;
            count += 1;
        }
    }
    matches!(count, 1..=EUI48 | EUI64).then_some(count)
}

/// Whole MAC addresses within a text such as the output of `arp -a` or a switch's table, in their order, each once;
/// at most `most`.
pub fn find_all(text: &str, most: usize) -> Vec<Mac> {
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    let word = |c: char| !(c.is_ascii_hexdigit() || matches!(c, ':' | '-' | '.'));
    for piece in text.split(word) {
        let piece = piece.trim_matches([':', '-', '.']);
        // A shorter one is a number, a time, or an IPv4 address.
        if piece.len() < 11 || is_ipv4(piece) {
            continue;
        }
        let Some(mac) = Prefix::parse(piece).filter(|prefix| !prefix.is_eui64()).and_then(Prefix::mac) else {
            continue;
        };
        // Twelve decimal digits are as well a serial number, but then those of a switch's table are nothing else.
        if seen.insert(mac) {
            found.push(mac);
            if found.len() == most {
                break;
            }
        }
    }
    found
}

fn is_ipv4(text: &str) -> bool {
    text.parse::<std::net::Ipv4Addr>().is_ok()
}
