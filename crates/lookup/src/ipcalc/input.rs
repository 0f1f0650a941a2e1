//! What a person may write for an address, a network or a range.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde::Serialize;
use utoipa::ToSchema;

use super::numbers::{Family, Range, number};

/// Most characters of an input.
pub const LONGEST: usize = 120;

/// How an input was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = IpForm)]
pub enum Form {
    /// One address: `10.0.0.5`.
    Address,
    /// With a prefix length: `10.0.0.5/24`, `10/8`.
    Prefix,
    /// With a netmask: `10.0.0.5 255.255.255.0`, `10.0.0.5/0xffffff00`.
    Netmask,
    /// With a wildcard mask: `10.0.0.5 0.0.0.255`.
    Wildcard,
    /// From one address to another: `10.0.0.5-10.0.0.20`, `10.0.0.5-20`.
    Range,
    /// A decimal number: `167772165`. Up to 4294967295 it is IPv4.
    Integer,
    /// A hexadecimal number: `0x0a000005`. With up to eight digits it is IPv4.
    Hex,
}

/// An input that was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// How it was understood.
    pub form: Form,
    /// The address itself; the first one of a range.
    pub address: IpAddr,
    /// The network it stands in; of a range the smallest one that holds all of it.
    pub network: IpNet,
    /// The range that was asked for.
    pub range: Option<Range>,
}

impl Question {
    /// An address and the network of this prefix length that it stands in.
    pub fn new(form: Form, address: IpAddr, length: u8) -> Self {
        let network = Family::of(address).block(number(address), length);
        Self { form, address, network, range: None }
    }

    /// The addresses that were meant: those of the range, or of the network.
    pub fn addresses(&self) -> Range {
        self.range.unwrap_or_else(|| self.network.into())
    }
}

/// Why an input was not understood. The text goes on after the name of the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// There is nothing.
    #[error("must be an address, a prefix or a range, such as 192.0.2.0/24; it is empty")]
    Empty,
    /// There is too much.
    #[error("must have at most {LONGEST} characters")]
    Long,
    /// It is nothing of the kind.
    #[error(
        "must be an address, a prefix, an address and its mask, a range, an integer or a hexadecimal number with 0x, \
         got '{0}'"
    )]
    Unknown(String),
    /// A zero before a number, which some programs take for octal.
    #[error("must not have zeros before a number, which some programs read as octal, got '{0}'")]
    LeadingZero(String),
    /// The prefix length is none.
    #[error("must have a prefix length from 0 to {most}, got '{got}'")]
    Length {
        /// What stands there.
        got: String,
        /// Bits of an address.
        most: u8,
    },
    /// The mask is none.
    #[error("must have a mask of ones followed by zeros, or the other way round, got '{0}'")]
    Mask(String),
    /// A range from a later address to an earlier one.
    #[error("must be a range that begins before it ends, got {0} to {1}")]
    Backwards(IpAddr, IpAddr),
    /// A range from one family to the other.
    #[error("must be a range within one family, got {0} to {1}")]
    Families(IpAddr, IpAddr),
}

/// A text as errors show it: short, and without what a terminal would obey.
pub(super) fn shown(text: &str) -> String {
    let shown: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    if text.chars().count() > 60 { format!("{shown}…") } else { shown }
}

/// Reads an input of any form.
///
/// # Errors
/// Says what is wrong with it.
pub fn read(text: &str) -> Result<Question, InputError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(InputError::Empty);
    }
    if text.chars().count() > LONGEST {
        return Err(InputError::Long);
    }
    // A zone, as in fe80::1%br-lan, may have a dash of its own.
    let ends = text.split_once(['-', '–']).filter(|_| !text.contains('%'));
    if let Some((first, last)) = ends {
        return range(first.trim(), last.trim());
    }
    let (host, masking) = match text.split_once('/') {
        Some((host, masking)) => (host.trim(), Some(masking.trim())),
        None => match text.split_once(char::is_whitespace) {
            Some((host, masking)) => (host, Some(without_words(masking))),
            None => (text, None),
        },
    };
    let Some(masking) = masking else {
        let (address, form) = address(host)?;
        return Ok(Question::new(form, address, Family::of(address).width()));
    };
    let address = self::host(host)?;
    let (length, form) = mask(masking, Family::of(address))?;
    Ok(Question::new(form, address, length))
}

/// A mask without the words that programs print before it.
fn without_words(masking: &str) -> &str {
    let masking = masking.trim();
    let word = ["netmask", "mask", "wildcard"].iter().find_map(|word| masking.strip_prefix(word));
    word.unwrap_or(masking).trim().trim_start_matches('/')
}

fn range(first: &str, last: &str) -> Result<Question, InputError> {
    let (first, _) = address(first)?;
    let last = match (first, last.parse::<u8>()) {
        // As nmap has it: only the last number changes.
        (IpAddr::V4(v4), Ok(last_number)) => {
            let [a, b, c, _] = v4.octets();
            Ipv4Addr::new(a, b, c, last_number).into()
        }
        _ => address(last)?.0,
    };
    if Family::of(first) != Family::of(last) {
        return Err(InputError::Families(first, last));
    }
    let range = Range::new(first, last).ok_or(InputError::Backwards(first, last))?;
    Ok(Question { form: Form::Range, address: first, network: range.cover(), range: Some(range) })
}

/// Reads one address: in its usual notation, with brackets or a zone, as an integer or in hexadecimal.
///
/// # Errors
/// Says what is wrong with it.
pub fn address(text: &str) -> Result<(IpAddr, Form), InputError> {
    let unknown = || InputError::Unknown(shown(text));
    if text.chars().count() > LONGEST {
        return Err(InputError::Long);
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let bare = match bare.split_once('%') {
        Some((bare, zone)) if bare.contains(':') && !zone.is_empty() => bare,
        _ => bare,
    };
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok((address, Form::Address));
    }
    if let Some(digits) = bare.strip_prefix("0x").or_else(|| bare.strip_prefix("0X")) {
        let plain = (1..=32).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let value = plain.then(|| u128::from_str_radix(digits, 16).ok()).flatten().ok_or_else(unknown)?;
        let family = if digits.len() <= 8 { Family::V4 } else { Family::V6 };
        return Ok((family.address(value), Form::Hex));
    }
    if !bare.is_empty() && bare.bytes().all(|digit| digit.is_ascii_digit()) {
        let value: u128 = bare.parse().map_err(|_| unknown())?;
        let family = if value <= u32::MAX.into() { Family::V4 } else { Family::V6 };
        return Ok((family.address(value), Form::Integer));
    }
    let numbers: Vec<&str> = bare.split('.').collect();
    let is_v4 = numbers.len() == 4 && numbers.iter().all(|part| part.parse::<u8>().is_ok());
    if is_v4 && numbers.iter().any(|part| part.len() > 1 && part.starts_with('0')) {
        return Err(InputError::LeadingZero(shown(text)));
    }
    Err(unknown())
}

/// Reads the address that stands before a prefix length or a mask: zeros at its end may be left out, as in `10/8`.
///
/// # Errors
/// Says what is wrong with it.
pub fn host(text: &str) -> Result<IpAddr, InputError> {
    short(text).map_or_else(|| address(text).map(|(address, _)| address), Ok)
}

/// The network of `10/8` and `172.16/12`, where the zeros at the end are left out.
fn short(text: &str) -> Option<IpAddr> {
    let mut octets = [0_u8; 4];
    let mut given = 0;
    for part in text.split('.') {
        let plain = part.bytes().all(|digit| digit.is_ascii_digit());
        let octet = part.parse().ok().filter(|_| plain && (part.len() == 1 || !part.starts_with('0')));
        *octets.get_mut(given)? = octet?;
        given += 1;
    }
    (given < 4).then_some(octets.into())
}

/// Reads a prefix length, a netmask or a wildcard mask. A mask that could be either, `0.0.0.0` or
/// `255.255.255.255`, is a netmask.
///
/// # Errors
/// Says what is wrong with it.
pub fn mask(text: &str, family: Family) -> Result<(u8, Form), InputError> {
    let width = family.width();
    let wrong_length = || InputError::Length { got: shown(text), most: width };
    if text.bytes().all(|digit| digit.is_ascii_digit()) {
        let length = text.parse().ok().filter(|length| *length <= width).ok_or_else(wrong_length)?;
        return Ok((length, Form::Prefix));
    }
    let written = match address(text) {
        Ok((written, _)) if Family::of(written) == family => written,
        Err(error @ InputError::LeadingZero(_)) => return Err(error),
        _ => return Err(wrong_length()),
    };
    let bits = number(written);
    let hosts_of = |bits: u128| {
        let length = (bits << (128 - u32::from(width))).leading_ones() as u8;
        (family.last() ^ bits == family.hosts(length)).then_some(length)
    };
    if let Some(length) = hosts_of(bits) {
        return Ok((length, Form::Netmask));
    }
    match hosts_of(family.last() ^ bits) {
        Some(length) => Ok((length, Form::Wildcard)),
        None => Err(InputError::Mask(shown(text))),
    }
}
