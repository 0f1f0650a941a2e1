//! Who a MAC address was assigned to: the registries of IEEE, and what else an address says of itself.
//!
//! A [`Table`] holds the assignments. One is compiled in ([`Table::built_in`]); `netwark update oui` brings newer
//! ones. [`Table::answer`] takes whatever people type.

mod answer;
mod built_in;
mod csv;
mod format;
mod known;
mod mac;
mod search;
mod source;
mod table;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::answer::{Answer, Kind, NotUnderstood, Slap};
pub use self::csv::{Assigned, CsvError, read as read_csv};
pub use self::format::{DamagedTable, compress, write as write_table};
pub use self::known::{Meaning, MeaningKind};
pub use self::mac::{Prefix, find_all};
pub use self::search::{Filter, Found};
pub use self::source::{Ieee, NAME, TABLE, Vendors, load};
pub use self::table::{About, Entry, Table};

/// A registry of IEEE, which is also the size of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[schema(as = MacRegistry)]
pub enum Registry {
    /// Large blocks: 24 bits are assigned, 2^24 addresses.
    #[serde(rename = "MA-L")]
    MaL,
    /// Medium blocks: 28 bits, 2^20 addresses.
    #[serde(rename = "MA-M")]
    MaM,
    /// Small blocks: 36 bits, 2^12 addresses.
    #[serde(rename = "MA-S")]
    MaS,
    /// Individual address blocks, the forerunner of MA-S: 36 bits. No more are given out.
    #[serde(rename = "IAB")]
    Iab,
    /// Company identifiers: 24 bits, for what is no universal address.
    #[serde(rename = "CID")]
    Cid,
}

impl Registry {
    /// Every registry, in the order of the table.
    pub const ALL: [Self; 5] = [Self::MaL, Self::MaM, Self::MaS, Self::Iab, Self::Cid];

    /// Its name as IEEE writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MaL => "MA-L",
            Self::MaM => "MA-M",
            Self::MaS => "MA-S",
            Self::Iab => "IAB",
            Self::Cid => "CID",
        }
    }

    /// The registry of this name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|registry| registry.as_str().eq_ignore_ascii_case(word))
    }

    /// How many bits are assigned.
    pub fn bits(self) -> u32 {
        match self {
            Self::MaL | Self::Cid => 24,
            Self::MaM => 28,
            Self::MaS | Self::Iab => 36,
        }
    }

    /// How many hexadecimal digits an assignment has.
    pub fn digits(self) -> usize {
        self.bits() as usize / 4
    }
}
