//! The shape of everything that is known about a resource.

use std::net::IpAddr;

use serde::Serialize;
use utoipa::ToSchema;

use super::records::Records;
use super::{Kind, Resource};
use crate::asn::SpecialAs;
use crate::geoip::{GeoAnswer, Source};
use crate::ipcalc;
use crate::oui;
use crate::special::Special;
use crate::whois::WhoisAnswer;

/// What was asked about, and what will be told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Subject {
    /// What was typed.
    #[schema(example = "https://xn--bcher-kva.example/shelf")]
    pub query: String,
    /// What it is.
    pub kind: Kind,
    /// The one way to write it.
    #[schema(example = "xn--bcher-kva.example")]
    pub resource: String,
    /// How people write it, where that differs.
    #[schema(example = "bücher.example")]
    pub display: Option<String>,
    /// The parts there are of such a resource.
    pub expected: Vec<PartName>,
}

impl Subject {
    /// The subject of a question about these parts.
    pub fn new(query: &str, resource: &Resource, expected: Vec<PartName>) -> Self {
        let display = match resource {
            Resource::Name(name) if name.unicode() != name.ascii() => Some(name.unicode().to_owned()),
            _ => None,
        };
        Self {
            query: query.trim().to_owned(),
            kind: resource.kind(),
            resource: resource.to_string(),
            display,
            expected,
        }
    }
}

/// Everything that is known about a resource.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Known {
    /// What was asked about.
    #[serde(flatten)]
    pub subject: Subject,
    /// One part for each look-up.
    pub parts: Parts,
}

/// How a look-up ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartStatus {
    /// There is an answer.
    Ok,
    /// It was looked for, and there is nothing.
    Nothing,
    /// It could not be found out.
    Error,
    /// Whoever asks may not ask for this.
    NotAllowed,
    /// This server, as it stands, cannot know it.
    NotAvailable,
}

/// What one look-up says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Part<T> {
    /// How it ended.
    pub status: PartStatus,
    /// The answer, with the status `ok`. With another one only what was said all the same, such as the words in which
    /// a registry denies that there is anything.
    pub data: Option<T>,
    /// Why there is no answer, and what to do about it.
    #[schema(example = "the address has no name")]
    pub reason: Option<String>,
}

impl<T> Part<T> {
    /// An answer.
    pub fn ok(data: T) -> Self {
        Self { status: PartStatus::Ok, data: Some(data), reason: None }
    }

    /// Nothing is there.
    pub fn nothing(reason: impl Into<String>) -> Self {
        Self::without(PartStatus::Nothing, reason)
    }

    /// It could not be found out.
    pub fn error(reason: impl Into<String>) -> Self {
        Self::without(PartStatus::Error, reason)
    }

    /// It is not for whoever asks.
    pub fn not_allowed() -> Self {
        let reason = "the server would ask others for this; that takes an operator, or `lookups.viewers_may_ask` in \
                      the configuration";
        Self::without(PartStatus::NotAllowed, reason)
    }

    /// It cannot be known here.
    pub fn not_available(reason: impl Into<String>) -> Self {
        Self::without(PartStatus::NotAvailable, reason)
    }

    fn without(status: PartStatus, reason: impl Into<String>) -> Self {
        Self { status, data: None, reason: Some(reason.into()) }
    }
}

/// The name of an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Ptr {
    /// The name that the reverse zone gives.
    #[schema(example = "dns.example.org")]
    pub name: String,
    /// Whether the name has the address; absent when nobody says. Whoever holds a reverse zone can write any name
    /// into it, so a name that is not confirmed proves nothing.
    pub confirmed: Option<bool>,
}

/// The number of an autonomous system, and who runs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SystemNumber {
    /// The number.
    #[schema(example = 64500)]
    pub number: u32,
    /// With a dot, as RFC 5396 writes numbers beyond 65535; absent for those up to it.
    #[schema(example = "1.10")]
    pub dotted: Option<String>,
    /// What the number is kept for, where it is given to nobody.
    pub special: Option<SpecialAs>,
    /// Who runs it: as a file of autonomous systems has it, else as the registries call it where they were asked.
    #[schema(example = "Example Networks")]
    pub name: Option<String>,
    /// The file that tells the name. Its attribution must be shown with it.
    pub source: Option<Source>,
}

macro_rules! parts {
    ($($(#[$($doc:tt)+])+ $variant:ident $field:ident: $type:ty, $asks:literal;)+) => {
        /// The look-ups whose answers are parts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum PartName {
            $($(#[$($doc)+])+ $variant,)+
        }

        impl PartName {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($field),)+ }
            }

            /// True when others are asked for it.
            pub fn asks_others(self) -> bool {
                match self { $(Self::$variant => $asks,)+ }
            }
        }

        /// One part for each look-up; those that say nothing of a resource are left out.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
        pub struct Parts {
            $($(#[$($doc)+])+
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $field: Option<Part<$type>>,)+
        }

        impl Parts {
            /// Takes what others say and these do not yet.
            pub fn merge(&mut self, others: Self) {
                $(if self.$field.is_none() { self.$field = others.$field; })+
            }

            /// Lets parts learn from each other once all are there: what a file does not know of an autonomous
            /// system, the registries may.
            pub fn settle(&mut self) {
                let Some(system) = self.system.as_mut().and_then(|part| part.data.as_mut()) else { return };
                let record = self.whois.as_ref().and_then(|part| part.data.as_ref()?.record.as_ref());
                if let (None, Some(record)) = (&system.name, record) {
                    system.name = record.as_name.clone().or_else(|| record.organisation.clone());
                }
            }

            /// A part that ended without an answer.
            fn failed(name: PartName, status: PartStatus, reason: String) -> Self {
                let mut parts = Self::default();
                match name {
                    $(PartName::$variant => parts.$field = Some(Part::without(status, reason)),)+
                }
                parts
            }

            /// A part that whoever asks may not ask for.
            pub fn not_allowed(name: PartName) -> Self {
                let Part { status, reason, .. } = Part::<()>::not_allowed();
                Self::failed(name, status, reason.unwrap_or_default())
            }

            /// A part that took too long.
            pub fn late(name: PartName, seconds: u64) -> Self {
                Self::failed(name, PartStatus::Error, format!("no answer within {seconds} s"))
            }
        }
    };
}

parts! {
    /// The block of special-purpose addresses that holds it.
    Special special: Special, false;
    /// The network of the address, prefix or range, and what the address is made of.
    IpCalc ip_calc: ipcalc::Answer, false;
    /// To whom the MAC address was assigned.
    Vendor vendor: oui::Answer, false;
    /// The number of the autonomous system.
    System system: SystemNumber, false;
    /// Where the address is, and which autonomous system announces it.
    Geoip geoip: GeoAnswer, false;
    /// The name of the address.
    Ptr ptr: Ptr, true;
    /// The addresses of the name.
    Addresses addresses: Vec<Address>, true;
    /// The usual records of the name.
    Dns dns: Records, true;
    /// What the registries say of who holds it, with every answer as it came.
    Whois whois: WhoisAnswer, true;
}

/// An address of a name.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Address {
    /// The address.
    #[schema(value_type = String, example = "2001:db8::1")]
    pub address: IpAddr,
    /// The block of special-purpose addresses that holds it.
    pub special: Option<Special>,
    /// Where it is and which autonomous system announces it; absent when no file of this server knows either.
    pub geoip: Option<GeoAnswer>,
}

impl std::str::FromStr for PartName {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|name| name.as_str() == word).ok_or_else(|| {
            let shown: String = word.chars().take(40).collect();
            let known: Vec<&str> = Self::ALL.iter().map(|name| name.as_str()).collect();
            format!("must be a list of {}, got '{shown}'", known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whois::{Outcome, Question, Record};

    fn parts(name: Option<&str>, record: Record) -> Parts {
        let system = SystemNumber {
            number: 64500,
            dotted: None,
            special: None,
            name: name.map(str::to_owned),
            source: None,
        };
        let whois = WhoisAnswer {
            query: "AS64500".into(),
            unicode: None,
            subject: Question::AsNumber(64500).subject(),
            outcome: Outcome::Found,
            summary: String::new(),
            record: Some(record),
            steps: Vec::new(),
            asked_at: String::new(),
            took_ms: 0,
        };
        Parts { system: Some(Part::ok(system)), whois: Some(Part::ok(whois)), ..Parts::default() }
    }

    #[test]
    fn registries_name_a_system_that_no_file_knows() {
        let organisation = Some("Example Networks Ltd".to_owned());
        let bare = Record { organisation: organisation.clone(), ..Record::default() };
        let named = Record { as_name: Some("EXAMPLE-AS".into()), organisation, ..Record::default() };
        for (of_file, record, expected) in [
            (None, named.clone(), Some("EXAMPLE-AS")),
            (None, bare, Some("Example Networks Ltd")),
            (Some("Example"), named, Some("Example")),
            (None, Record::default(), None),
        ] {
            let mut parts = parts(of_file, record);
            parts.settle();
            assert_eq!(parts.system.unwrap().data.unwrap().name.as_deref(), expected);
        }
    }
}
