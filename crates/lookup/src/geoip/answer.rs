//! What is known of an address, as the API and the shell tell it.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use netwark_model::workers::Coordinates;
use serde::Serialize;
use utoipa::ToSchema;

use crate::special::Special;

/// Where an address is and whose it is, as far as the files of this server know.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct GeoAnswer {
    /// The address. An IPv4 address that is carried in an IPv6 one (RFC 4291, RFC 6052) is looked up as what it is.
    #[schema(value_type = String, example = "192.0.2.1")]
    pub ip: IpAddr,
    /// The block that it lies in, when it has a purpose of its own. Nobody's file knows where such an address is,
    /// unless it is one's own file.
    pub special: Option<Special>,
    /// The place; absent when `place_state` says why.
    pub place: Option<Place>,
    /// Whether there is a place.
    pub place_state: Finding,
    /// Number of the autonomous system that announces it; absent when `as_state` says why.
    #[schema(example = 64500)]
    pub asn: Option<u32>,
    /// Who runs that autonomous system.
    #[schema(example = "Example Networks")]
    pub as_name: Option<String>,
    /// Whether there is an autonomous system.
    pub as_state: Finding,
    /// The files that this was read from. Their attributions must be shown with it.
    pub sources: Vec<Source>,
}

/// Whether something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = GeoFinding)]
pub enum Finding {
    /// It was.
    Found,
    /// There is a file of such data, and the address is not in it.
    Unlisted,
    /// There is a file of such data, and it is damaged where the address should be.
    Unreadable,
    /// There is no file of such data.
    NoFile,
}

/// A place, as precisely as a file knows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = GeoPlace)]
pub struct Place {
    /// The network that all of this is said of.
    #[schema(value_type = Option<String>, example = "192.0.2.0/24")]
    pub network: Option<IpNet>,
    /// City, in English where the file has that.
    #[schema(example = "Lyon")]
    pub city: Option<String>,
    /// States, provinces or counties, the largest first.
    pub regions: Vec<String>,
    /// Country.
    pub country: Option<Country>,
    /// Where the network is registered, when it is another country.
    pub registered_country: Option<Country>,
    /// Continent.
    pub continent: Option<Country>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// A point in the middle of where it may be.
    pub coordinates: Option<Coordinates>,
    /// How far from the point it may be, in kilometres, where the file says so.
    pub accuracy_km: Option<u32>,
    /// Time zone, an IANA name.
    #[schema(example = "Europe/Paris")]
    pub time_zone: Option<String>,
}

/// A country or continent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = GeoCountry)]
pub struct Country {
    /// Two letters: ISO 3166-1 for countries.
    #[schema(example = "FR")]
    pub code: Option<String>,
    /// Its name in English, where the file has it.
    #[schema(example = "France")]
    pub name: Option<String>,
}

impl Place {
    /// How much it says: 0 for nothing, 1 for a country or continent, 2 for more.
    pub(super) fn precision(&self) -> u8 {
        if self.city.is_some() || self.coordinates.is_some() || !self.regions.is_empty() {
            return 2;
        }
        let wide = [&self.country, &self.registered_country, &self.continent];
        u8::from(wide.into_iter().any(Option::is_some))
    }

    /// In a few words: city, region and country.
    pub fn words(&self) -> String {
        let country = self.country.as_ref().and_then(|country| country.name.clone().or(country.code.clone()));
        let region = self.regions.first().filter(|region| Some(*region) != self.city.as_ref());
        let words: Vec<String> =
            [self.city.clone(), region.cloned(), country].into_iter().flatten().collect();
        words.join(", ")
    }
}

/// A file that an answer was read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = GeoSource)]
pub struct Source {
    /// What the file calls itself.
    #[schema(example = "DBIP-City-Lite")]
    pub name: String,
    /// When its data was put together.
    pub built: Timestamp,
    /// Whom to name.
    pub attribution: Option<Attribution>,
}

/// Words and a link that must be shown wherever data of a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = GeoAttribution)]
pub struct Attribution {
    /// The words.
    #[schema(example = "IP Geolocation by DB-IP")]
    pub text: &'static str,
    /// Where the words lead to.
    #[schema(example = "https://db-ip.com")]
    pub url: &'static str,
    /// The licence of the data.
    #[schema(example = "CC BY 4.0")]
    pub licence: &'static str,
}

/// A file of places or autonomous systems that the server knows of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct GeoFile {
    /// Where it is.
    #[schema(example = "/var/lib/netwark/lookups/geoip/city.mmdb")]
    pub path: String,
    /// What is in use of it; absent when nothing is.
    pub source: Option<Source>,
    /// It tells places.
    pub places: bool,
    /// It tells autonomous systems.
    pub systems: bool,
    /// Size in bytes.
    pub bytes: u64,
    /// Why it is not used; when an earlier file of this path was good, that one is still in use.
    pub problem: Option<String>,
}
