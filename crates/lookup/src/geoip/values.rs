//! Values of a record, taken as they come: what is of no use here is skipped, since the rest of the record is good
//! all the same.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Longest text that is told, in bytes; a name that is longer is no name.
const LONGEST: usize = 200;
/// Most entries of a list that are kept.
const ENTRIES: usize = 4;

/// A text or a number.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Scalar<'a> {
    #[default]
    Nothing,
    Text(&'a str),
    Number(f64),
}

impl<'a> Scalar<'a> {
    /// A text that is there: neither empty nor endless, without control characters.
    pub(super) fn text(self) -> Option<&'a str> {
        let Self::Text(text) = self else { return None };
        let text = text.trim();
        let fine = !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
        fine.then_some(text)
    }

    /// A number, also one that is written as text.
    pub(super) fn number(self) -> Option<f64> {
        match self {
            Self::Nothing => None,
            Self::Number(number) => Some(number),
            Self::Text(text) => text.trim().parse().ok(),
        }
        .filter(|number| number.is_finite())
    }

    /// A whole number that is not negative.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "its range is checked before"
    )]
    pub(super) fn whole(self) -> Option<u32> {
        self.number()
            .filter(|number| (0.0..=f64::from(u32::MAX)).contains(number))
            .map(|number| number as u32)
    }
}

/// A map with some of the fields that maps of the usual schemas have; a text in its place is a name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    names: Names<'a>,
    code: Scalar<'a>,
    iso_code: Scalar<'a>,
    latitude: Scalar<'a>,
    longitude: Scalar<'a>,
    accuracy_radius: Scalar<'a>,
    time_zone: Scalar<'a>,
    autonomous_system_number: Scalar<'a>,
    autonomous_system_organization: Scalar<'a>,
}

/// A part of a record.
#[derive(Debug, Default)]
pub(super) struct Part<'a> {
    pub(super) name: Scalar<'a>,
    pub(super) code: Scalar<'a>,
    pub(super) latitude: Scalar<'a>,
    pub(super) longitude: Scalar<'a>,
    pub(super) accuracy_radius: Scalar<'a>,
    pub(super) time_zone: Scalar<'a>,
    pub(super) as_number: Scalar<'a>,
    pub(super) as_name: Scalar<'a>,
}

impl<'a> From<Fields<'a>> for Part<'a> {
    fn from(fields: Fields<'a>) -> Self {
        let code = if fields.iso_code.text().is_some() { fields.iso_code } else { fields.code };
        Self {
            name: fields.names.0,
            code,
            latitude: fields.latitude,
            longitude: fields.longitude,
            accuracy_radius: fields.accuracy_radius,
            time_zone: fields.time_zone,
            as_number: fields.autonomous_system_number,
            as_name: fields.autonomous_system_organization,
        }
    }
}

/// A list of parts, its first entries.
#[derive(Debug, Default)]
pub(super) struct Parts<'a>(pub(super) Vec<Part<'a>>);

/// Names by language: the English one, else whichever comes first.
#[derive(Debug, Default)]
struct Names<'a>(Scalar<'a>);

/// The visits of what is not wanted.
macro_rules! skips {
    ($($kind:ident)*) => { $(skips!(@ $kind);)* };
    (@ plain) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Default::default())
        }

        fn visit_bytes<E>(self, _: &[u8]) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
    };
    (@ number) => {
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Default::default())
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Default::default())
        }

        fn visit_u128<E>(self, _: u128) -> Result<Self::Value, E> {
            Ok(Default::default())
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
    };
    (@ text) => {
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
    };
    (@ list) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
    (@ map) => {
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
}

struct AnyScalar;

impl<'de> Visitor<'de> for AnyScalar {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(text))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers of records are degrees, kilometres and AS numbers"
    )]
    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number as f64))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers of records are degrees, kilometres and AS numbers"
    )]
    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number as f64))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Self::Value, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number))
    }

    skips!(plain text list map);
}

struct AnyPart;

impl<'de> Visitor<'de> for AnyPart {
    type Value = Part<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map or a name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Part { name: Scalar::Text(text), ..Part::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Fields::deserialize(MapAccessDeserializer::new(map)).map(Part::from)
    }

    skips!(plain number text list);
}

struct AnyParts;

impl<'de> Visitor<'de> for AnyParts {
    type Value = Parts<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut parts = Vec::new();
        while parts.len() < ENTRIES {
            let Some(part) = list.next_element()? else { return Ok(Parts(parts)) };
            parts.push(part);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Parts(parts))
    }

    skips!(plain number text map);
}

struct AnyNames;

impl<'de> Visitor<'de> for AnyNames {
    type Value = Names<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names by language")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut chosen = Scalar::Nothing;
        let mut is_english = false;
        while let Some(language) = map.next_key::<&str>()? {
            if is_english || (language != "en" && chosen.text().is_some()) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            chosen = map.next_value()?;
            is_english = language == "en";
        }
        Ok(Names(chosen))
    }

    skips!(plain number text list);
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyScalar)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Part<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyPart)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Parts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyParts)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Names<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNames)
    }
}
