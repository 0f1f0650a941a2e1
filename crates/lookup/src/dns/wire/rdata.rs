//! The data of a record: which fields each type has, names written out, and the text that people write for it.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::base;
use super::kind::Kind;
use super::name::DomainName;
use super::reader::{Malformed, Reader};

/// A field of a record's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Name,
    U8,
    U16,
    U32,
    /// Seconds since 1970 as year to second.
    Time,
    /// The number of a type.
    Type,
    V4,
    V6,
    /// A string with its length before it.
    Text,
    /// Such strings to the end.
    Texts,
    /// A tag, which stands without quotes.
    Word,
    /// All that follows, as a string in quotes.
    Quoted,
    /// All that follows, in hexadecimal.
    Hex,
    /// All that follows, in Base64.
    Base64,
    /// Counted bytes in hexadecimal, `-` when there are none.
    Salt,
    /// Counted bytes in Base32.
    Hash,
    /// Types as a bit map.
    Kinds,
    /// Parameters of a service (RFC 9460).
    Params,
    /// A place on the Earth (RFC 1876).
    Place,
    /// Address prefixes (RFC 3123).
    Prefixes,
    /// Bytes in hexadecimal with a hyphen between them.
    Eui,
}

/// The fields of a type; `None` for those whose data is shown as bytes.
fn fields(kind: Kind) -> Option<&'static [Field]> {
    use Field::*;
    Some(match kind {
        Kind::A => &[V4],
        Kind::AAAA => &[V6],
        Kind::NS
        | Kind::CNAME
        | Kind::PTR
        | Kind::DNAME
        | Kind::MB
        | Kind::MD
        | Kind::MF
        | Kind::MG
        | Kind::MR => &[Name],
        Kind::SOA => &[Name, Name, U32, U32, U32, U32, U32],
        Kind::MX | Kind::AFSDB | Kind::RT | Kind::KX => &[U16, Name],
        Kind::PX => &[U16, Name, Name],
        Kind::RP | Kind::MINFO => &[Name, Name],
        Kind::TXT | Kind::SPF => &[Texts],
        Kind::HINFO => &[Text, Text],
        Kind::X25 => &[Text],
        Kind::ISDN => &[Texts],
        Kind::GPOS => &[Text, Text, Text],
        Kind::SRV => &[U16, U16, U16, Name],
        Kind::NAPTR => &[U16, U16, Text, Text, Text, Name],
        Kind::LOC => &[Place],
        Kind::APL => &[Prefixes],
        Kind::CERT => &[U16, U16, U8, Base64],
        Kind::DS | Kind::CDS => &[U16, U8, U8, Hex],
        Kind::SSHFP => &[U8, U8, Hex],
        Kind::TLSA | Kind::SMIMEA => &[U8, U8, U8, Hex],
        Kind::ZONEMD => &[U32, U8, U8, Hex],
        Kind::DNSKEY | Kind::CDNSKEY | Kind::KEY => &[U16, U8, U8, Base64],
        Kind::RRSIG | Kind::SIG => &[Type, U8, U8, U32, Time, Time, U16, Name, Base64],
        Kind::NSEC => &[Name, Kinds],
        Kind::NSEC3 => &[U8, U8, U16, Salt, Hash, Kinds],
        Kind::NSEC3PARAM => &[U8, U8, U16, Salt],
        Kind::CSYNC => &[U32, U16, Kinds],
        Kind::DHCID | Kind::OPENPGPKEY => &[Base64],
        Kind::SVCB | Kind::HTTPS => &[U16, Name, Params],
        Kind::URI => &[U16, U16, Quoted],
        Kind::CAA => &[U8, Word, Quoted],
        Kind::EUI48 | Kind::EUI64 => &[Eui],
        _ => return None,
    })
}

/// Types whose names are signed in small letters (RFC 4034 §6.2, RFC 6840 §5.1).
fn lowers_names(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::NS
            | Kind::MD
            | Kind::MF
            | Kind::CNAME
            | Kind::SOA
            | Kind::MB
            | Kind::MG
            | Kind::MR
            | Kind::PTR
            | Kind::MINFO
            | Kind::MX
            | Kind::RP
            | Kind::AFSDB
            | Kind::RT
            | Kind::SIG
            | Kind::PX
            | Kind::KX
            | Kind::SRV
            | Kind::DNAME
            | Kind::NAPTR
            | Kind::RRSIG
    )
}

/// The data of a record with its names written out; data that does not fit its type is kept as it came.
pub(super) fn expand(kind: Kind, data: &mut Reader<'_>) -> Vec<u8> {
    let raw = data.clone().rest().to_vec();
    rewrite(kind, &mut data.clone(), DomainName::clone).unwrap_or(raw)
}

/// The data as it is signed (RFC 4034 §6.2), from its expanded form.
pub fn canonical(kind: Kind, data: &[u8]) -> Vec<u8> {
    if !lowers_names(kind) {
        return data.to_vec();
    }
    rewrite(kind, &mut Reader::new(data), DomainName::lower).unwrap_or_else(|_| data.to_vec())
}

fn rewrite(
    kind: Kind,
    data: &mut Reader<'_>,
    change: fn(&DomainName) -> DomainName,
) -> Result<Vec<u8>, Malformed> {
    let mut bytes = Vec::new();
    for field in fields(kind).unwrap_or_default() {
        match field {
            Field::Name => bytes.extend_from_slice(change(&data.name()?).wire()),
            Field::U8 => bytes.extend_from_slice(data.bytes(1)?),
            Field::U16 | Field::Type => bytes.extend_from_slice(data.bytes(2)?),
            Field::U32 | Field::Time => bytes.extend_from_slice(data.bytes(4)?),
            Field::Text | Field::Word | Field::Salt | Field::Hash => {
                let counted = data.counted()?;
                // Its length was a byte when it came.
                bytes.push(counted.len() as u8);
                bytes.extend_from_slice(counted);
            }
            _ => break,
        }
    }
    bytes.extend_from_slice(data.rest());
    Ok(bytes)
}

/// The data as people write it (RFC 1035 §5); in the form for unknown types (RFC 3597) when it does not fit its own.
pub fn text(kind: Kind, data: &[u8]) -> String {
    fields(kind).and_then(|fields| written(fields, data).ok()).unwrap_or_else(|| unknown(data))
}

/// True when the data does not fit its type.
pub fn is_malformed(kind: Kind, data: &[u8]) -> bool {
    fields(kind).is_some_and(|fields| written(fields, data).is_err())
}

fn unknown(data: &[u8]) -> String {
    match data.is_empty() {
        true => "\\# 0".into(),
        false => format!("\\# {} {}", data.len(), base::hex(data)),
    }
}

fn written(fields: &[Field], data: &[u8]) -> Result<String, Malformed> {
    let mut data = Reader::new(data);
    let mut words = Vec::with_capacity(fields.len());
    for field in fields {
        write_field(*field, &mut data, &mut words)?;
    }
    if data.is_at_end() { Ok(words.join(" ")) } else { Err(Malformed("it is longer than its type")) }
}

fn write_field(field: Field, data: &mut Reader<'_>, words: &mut Vec<String>) -> Result<(), Malformed> {
    words.push(match field {
        Field::Name => data.name()?.to_string(),
        Field::U8 => data.u8()?.to_string(),
        Field::U16 => data.u16()?.to_string(),
        Field::U32 => data.u32()?.to_string(),
        Field::Time => time(data.u32()?),
        Field::Type => Kind(data.u16()?).to_string(),
        Field::V4 => Ipv4Addr::from(data.array::<4>()?).to_string(),
        Field::V6 => Ipv6Addr::from(data.array::<16>()?).to_string(),
        Field::Text => quoted(data.counted()?),
        Field::Word => {
            let word = data.counted()?;
            let plain = !word.is_empty() && word.iter().all(u8::is_ascii_alphanumeric);
            if !plain {
                return Err(Malformed("a tag holds odd characters"));
            }
            String::from_utf8_lossy(word).into_owned()
        }
        Field::Texts => {
            while !data.is_at_end() {
                words.push(quoted(data.counted()?));
            }
            return Ok(());
        }
        Field::Quoted => quoted(data.rest()),
        Field::Hex => base::hex(data.rest()),
        Field::Base64 => base::base64(data.rest()),
        Field::Salt => match data.counted()? {
            [] => "-".into(),
            salt => base::hex(salt),
        },
        Field::Hash => base::base32(data.counted()?),
        Field::Kinds => {
            words.extend(kinds(data.rest())?.iter().map(ToString::to_string));
            return Ok(());
        }
        Field::Params => {
            while !data.is_at_end() {
                words.push(param(data)?);
            }
            return Ok(());
        }
        Field::Place => place(data)?,
        Field::Prefixes => {
            while !data.is_at_end() {
                words.push(prefix(data)?);
            }
            return Ok(());
        }
        Field::Eui => {
            let bytes: Vec<_> = data.rest().iter().map(|byte| format!("{byte:02x}")).collect();
            bytes.join("-")
        }
    });
    Ok(())
}

/// A string in quotes, odd bytes as three digits.
fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    escape(bytes, &mut text);
    text.push('"');
    text
}

fn escape(bytes: &[u8], text: &mut String) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', byte.into()]),
            b' '..=b'~' => text.push(byte.into()),
            _ => drop(write!(text, "\\{byte:03}")),
        }
    }
}

/// Seconds since 1970 as `YYYYMMDDHHmmSS`.
pub fn time(seconds: u32) -> String {
    jiff::Timestamp::from_second(seconds.into())
        .map(|time| time.strftime("%Y%m%d%H%M%S").to_string())
        .unwrap_or_default()
}

/// The types of a bit map (RFC 4034 §4.1.2).
pub fn kinds(bytes: &[u8]) -> Result<Vec<Kind>, Malformed> {
    let mut data = Reader::new(bytes);
    let mut kinds = Vec::new();
    while !data.is_at_end() {
        let window = u16::from(data.u8()?) << 8;
        let map = data.counted()?;
        if !(1..=32).contains(&map.len()) {
            return Err(Malformed("a bit map of types is too long"));
        }
        for (at, byte) in (0_u16..).zip(map) {
            kinds.extend(
                (0..8).filter(|bit| byte & (0x80 >> bit) != 0).map(|bit| Kind(window | (at * 8 + bit))),
            );
        }
    }
    Ok(kinds)
}

const PARAMS: [&str; 9] =
    ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp"];

/// One parameter of a service.
fn param(data: &mut Reader<'_>) -> Result<String, Malformed> {
    let key = data.u16()?;
    let length = data.u16()?;
    let mut value = Reader::new(data.bytes(length.into())?);
    let name =
        |key: u16| PARAMS.get(usize::from(key)).map_or_else(|| format!("key{key}"), ToString::to_string);
    let mut list = Vec::new();
    while !value.is_at_end() {
        list.push(match key {
            0 => name(value.u16()?),
            1 => {
                let mut text = String::new();
                escape(value.counted()?, &mut text);
                text.replace(',', "\\\\,")
            }
            3 => value.u16()?.to_string(),
            4 => Ipv4Addr::from(value.array::<4>()?).to_string(),
            5 => base::base64(value.rest()),
            6 => Ipv6Addr::from(value.array::<16>()?).to_string(),
            _ => {
                let mut text = String::new();
                escape(value.rest(), &mut text);
                text
            }
        });
    }
    let text = list.join(",");
    Ok(match (key, list.is_empty()) {
        (_, true) => name(key),
        (1 | 7.., _) => format!("{}=\"{text}\"", name(key)),
        _ => format!("{}={text}", name(key)),
    })
}

/// A place on the Earth, in degrees, minutes, seconds and metres.
fn place(data: &mut Reader<'_>) -> Result<String, Malformed> {
    if data.u8()? != 0 {
        return Err(Malformed("a place of an unknown version"));
    }
    let mut centimetres = || -> Result<f64, Malformed> {
        let byte = data.u8()?;
        let (digit, power) = (byte >> 4, byte & 15);
        if digit > 9 || power > 9 {
            return Err(Malformed("a length that is no number"));
        }
        Ok(f64::from(digit) * 10_f64.powi(power.into()))
    };
    let (size, horizontal, vertical) = (centimetres()?, centimetres()?, centimetres()?);
    let mut angle = |most: u32, signs: [char; 2]| -> Result<String, Malformed> {
        let value = i64::from(data.u32()?) - (1 << 31);
        let thousandths = value.unsigned_abs();
        if thousandths > u64::from(most) * 3_600_000 {
            return Err(Malformed("an angle out of range"));
        }
        let (seconds, rest) = (thousandths / 1000, thousandths % 1000);
        let sign = signs[usize::from(value < 0)];
        Ok(format!("{} {} {}.{rest:03} {sign}", seconds / 3600, seconds / 60 % 60, seconds % 60))
    };
    let (latitude, longitude) = (angle(90, ['N', 'S'])?, angle(180, ['E', 'W'])?);
    let altitude = (f64::from(data.u32()?) - 10_000_000.0) / 100.0;
    let metres = |centimetres: f64| match centimetres % 100.0 == 0.0 {
        true => format!("{}m", centimetres / 100.0),
        false => format!("{:.2}m", centimetres / 100.0),
    };
    Ok(format!(
        "{latitude} {longitude} {altitude:.2}m {} {} {}",
        metres(size),
        metres(horizontal),
        metres(vertical)
    ))
}

fn prefix(data: &mut Reader<'_>) -> Result<String, Malformed> {
    let (family, length, flags) = (data.u16()?, data.u8()?, data.u8()?);
    let part = data.bytes((flags & 0x7f).into())?;
    let not = if flags & 0x80 == 0 { "" } else { "!" };
    let address = match family {
        1 => filled::<4>(part).map(|octets| Ipv4Addr::from(octets).to_string()),
        2 => filled::<16>(part).map(|octets| Ipv6Addr::from(octets).to_string()),
        _ => None,
    };
    let address = address.ok_or(Malformed("a prefix of an unknown family"))?;
    Ok(format!("{not}{family}:{address}/{length}"))
}

/// Bytes with zeros after them, up to so many.
fn filled<const N: usize>(part: &[u8]) -> Option<[u8; N]> {
    let mut whole = [0; N];
    whole.get_mut(..part.len())?.copy_from_slice(part);
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: Kind, hex: &str) -> String {
        text(kind, &base::from_hex(&hex.replace(' ', "")).unwrap())
    }

    #[test]
    fn each_type_as_people_write_it() {
        for (kind, hex, expected) in [
            (Kind::A, "C0000201", "192.0.2.1"),
            (Kind::AAAA, "20010db8000000000000000000000001", "2001:db8::1"),
            (Kind::MX, "000a 0161 00", "10 a."),
            (Kind::TXT, "03 612262 01 ff", r#""a\"b" "\255""#),
            (Kind::CAA, "80 05 6973737565 63612e74657374", "128 issue \"ca.test\""),
            (Kind::DS, "3039 0d 02 ab", "12345 13 2 AB"),
            (Kind::NSEC, "0161 00 0006 40000000 0003", "a. A RRSIG NSEC"),
            (Kind::NSEC3PARAM, "01 00 0000 00", "1 0 0 -"),
            (Kind::SVCB, "0001 00 0001 0006 02 6832 02 6833", "1 . alpn=\"h2,h3\""),
            (Kind::HTTPS, "0000 0161 00", "0 a."),
            (Kind::HTTPS, "0001 00 0003 0002 01bb 0004 0004 c0000201", "1 . port=443 ipv4hint=192.0.2.1"),
            (Kind::LOC, "00 12 16 13 8a29c7e0 81d56a00 00991b60", ""),
            (Kind::APL, "0001 08 01 0a", "1:10.0.0.0/8"),
            (Kind::EUI48, "00005e00530a", "00-00-5e-00-53-0a"),
            (Kind(65280), "01", "\\# 1 01"),
            (Kind(65280), "", "\\# 0"),
        ] {
            if kind == Kind::LOC {
                // 2.8 km above, as RFC 1876 lays it out.
                assert!(shown(kind, hex).ends_with("m 1m 10000m 10m"), "{}", shown(kind, hex));
            } else {
                assert_eq!(shown(kind, hex), expected);
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_shown_as_bytes() {
        for (kind, hex) in [
            (Kind::A, "C00002"),
            (Kind::A, "C000020101"),
            (Kind::MX, "000a"),
            (Kind::TXT, "05 61"),
            (Kind::NSEC, "00 00 00"),
            (Kind::CAA, "00 01 20 61"),
            (Kind::LOC, "01"),
        ] {
            let shown = shown(kind, hex);
            assert!(shown.starts_with("\\# "), "{kind}: {shown}");
            assert!(is_malformed(kind, &base::from_hex(&hex.replace(' ', "")).unwrap()));
        }
    }

    #[test]
    fn signed_in_small_letters() {
        assert_eq!(canonical(Kind::MX, b"\0\x0a\x01A\0"), b"\0\x0a\x01a\0");
        assert_eq!(canonical(Kind::NSEC, b"\x01A\0"), b"\x01A\0");
        assert_eq!(canonical(Kind::MX, b"\0"), b"\0");
    }
}
