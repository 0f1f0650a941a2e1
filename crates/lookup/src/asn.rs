//! Numbers of autonomous systems, and those with a purpose of their own.
//!
//! Source: <https://www.iana.org/assignments/iana-as-numbers-special-registry> and the RFCs it names, typed from the
//! RFCs as of November 2026.

use serde::Serialize;
use utoipa::ToSchema;

/// A block of AS numbers with a purpose of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SpecialAs {
    /// The lowest number of the block.
    #[schema(example = 64512)]
    pub first: u32,
    /// The highest number of the block.
    #[schema(example = 65534)]
    pub last: u32,
    /// What it is for.
    #[schema(example = "Private use")]
    pub name: &'static str,
    /// Where it is defined.
    #[schema(example = "RFC 6996")]
    pub rfc: &'static str,
}

const fn block(first: u32, last: u32, name: &'static str, rfc: &'static str) -> SpecialAs {
    SpecialAs { first, last, name, rfc }
}

/// Every block, in order.
pub const BLOCKS: &[SpecialAs] = &[
    block(0, 0, "Not to be used in routing", "RFC 7607"),
    block(112, 112, "AS112, sinks for reverse names of private addresses", "RFC 7534"),
    block(23456, 23456, "AS_TRANS, stands for numbers of 32 bits", "RFC 6793"),
    block(64496, 64511, "Documentation", "RFC 5398"),
    block(64512, 65534, "Private use", "RFC 6996"),
    block(65535, 65535, "Last number of 16 bits, not to be used", "RFC 7300"),
    block(65536, 65551, "Documentation", "RFC 5398"),
    block(65552, 131_071, "Reserved", "RFC 6793"),
    block(4_200_000_000, 4_294_967_294, "Private use", "RFC 6996"),
    block(4_294_967_295, 4_294_967_295, "Last number of 32 bits, not to be used", "RFC 7300"),
];

/// The block that holds a number, if it is special.
pub fn special(number: u32) -> Option<&'static SpecialAs> {
    BLOCKS.iter().find(|block| (block.first..=block.last).contains(&number))
}

/// Reads a number behind `AS` or `ASN`, as `64500` or with a dot as `1.10` (RFC 5396).
///
/// # Errors
/// Says what is wrong with it.
pub fn read(digits: &str) -> Result<u32, String> {
    let wrong =
        || format!("an AS number is at most {}, or two numbers up to 65535 with a dot between", u32::MAX);
    let half = |text: &str| number::<u16>(text).map(u32::from);
    match digits.split_once('.') {
        None => number(digits).ok_or_else(wrong),
        Some((high, low)) => match (half(high), half(low)) {
            (Some(high), Some(low)) => Ok(high << 16 | low),
            _ => Err(wrong()),
        },
    }
}

/// Digits alone: the parser of the language takes a plus sign, too.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_in_order_and_apart() {
        for pair in BLOCKS.windows(2) {
            assert!(pair[0].first <= pair[0].last && pair[0].last < pair[1].first, "{pair:?}");
        }
    }

    #[test]
    fn numbers() {
        for (text, expected) in [
            ("0", Some(0)),
            ("64500", Some(64500)),
            ("4294967295", Some(u32::MAX)),
            ("1.10", Some(65546)),
            ("65535.65535", Some(u32::MAX)),
            ("4294967296", None),
            ("65536.1", None),
            ("1.2.3", None),
            ("+5", None),
            ("", None),
        ] {
            assert_eq!(read(text).ok(), expected, "{text}");
        }
        assert_eq!(special(64511).map(|block| block.name), Some("Documentation"));
        assert_eq!(special(4_200_000_000).map(|block| block.rfc), Some("RFC 6996"));
        assert_eq!(special(3320), None);
    }
}
