//! One record of a file, whichever of the usual schemas it has.
//!
//! Nested, as GeoIP2, GeoLite2 and DB-IP have it: `country` is a map with a code and names by language. Flat, as
//! files that were made from tables have it: `country_code`, `state1`, `latitude`.

use netwark_model::workers::Coordinates;
use serde::Deserialize;

use super::answer::{Country, Place};
use super::values::{Part, Parts, Scalar};

/// What a record may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    city: Part<'a>,
    country: Part<'a>,
    registered_country: Part<'a>,
    continent: Part<'a>,
    location: Part<'a>,
    postal: Part<'a>,
    traits: Part<'a>,
    subdivisions: Parts<'a>,
    country_code: Scalar<'a>,
    country_name: Scalar<'a>,
    continent_code: Scalar<'a>,
    state1: Scalar<'a>,
    state2: Scalar<'a>,
    region: Scalar<'a>,
    postcode: Scalar<'a>,
    postal_code: Scalar<'a>,
    latitude: Scalar<'a>,
    longitude: Scalar<'a>,
    lat: Scalar<'a>,
    lng: Scalar<'a>,
    timezone: Scalar<'a>,
    accuracy_radius: Scalar<'a>,
    autonomous_system_number: Scalar<'a>,
    autonomous_system_organization: Scalar<'a>,
    asn: Scalar<'a>,
    as_name: Scalar<'a>,
}

impl Record<'_> {
    /// The place, when there is one.
    pub(super) fn place(&self) -> Option<Place> {
        let at = &self.location;
        let nested = self.subdivisions.0.iter().map(|region| region.name);
        let flat = [self.state1, self.region, self.state2].into_iter();
        let regions: Vec<String> = nested.chain(flat).filter_map(Scalar::text).map(Into::into).collect();
        let none = Scalar::Nothing;
        let country = named(&self.country, self.country_code, self.country_name);
        let is_elsewhere = |other: &Country| country.as_ref().is_none_or(|here| here.code != other.code);
        let registered_country = named(&self.registered_country, none, none).filter(is_elsewhere);
        let place = Place {
            network: None,
            city: self.city.name.text().map(Into::into),
            regions,
            registered_country,
            continent: named(&self.continent, self.continent_code, none),
            country,
            postal_code: first([self.postal.code, self.postcode, self.postal_code]),
            coordinates: point(at.latitude, at.longitude)
                .or_else(|| point(self.latitude, self.longitude))
                .or_else(|| point(self.lat, self.lng)),
            accuracy_km: at.accuracy_radius.whole().or(self.accuracy_radius.whole()),
            time_zone: first([at.time_zone, self.timezone]),
        };
        (place.precision() > 0).then_some(place)
    }

    /// The autonomous system: its number, and who runs it.
    pub(super) fn system(&self) -> Option<(u32, Option<String>)> {
        let numbers = [self.autonomous_system_number, self.traits.as_number, self.asn];
        let number = numbers.into_iter().find_map(|number| match number {
            Scalar::Text(text) => text.trim().trim_start_matches(['A', 'S', 'a', 's']).parse().ok(),
            number => number.whole(),
        });
        let name = first([self.autonomous_system_organization, self.traits.as_name, self.as_name]);
        Some((number.filter(|number| *number > 0)?, name))
    }
}

fn first<const N: usize>(texts: [Scalar<'_>; N]) -> Option<String> {
    texts.into_iter().find_map(Scalar::text).map(Into::into)
}

fn named(part: &Part<'_>, code: Scalar<'_>, name: Scalar<'_>) -> Option<Country> {
    let country = Country { code: first([part.code, code]), name: first([part.name, name]) };
    (country.code.is_some() || country.name.is_some()).then_some(country)
}

/// A point on the globe. Files made from tables say 0, 0 where they know none.
fn point(latitude: Scalar<'_>, longitude: Scalar<'_>) -> Option<Coordinates> {
    // A file with 32-bit numbers has digits that nobody meant; four are ten metres.
    let four_digits = |degrees: f64| (degrees * 10_000.0).round() / 10_000.0;
    let coordinates = Coordinates {
        latitude: four_digits(latitude.number()?),
        longitude: four_digits(longitude.number()?),
    };
    let nowhere = coordinates.latitude == 0.0 && coordinates.longitude == 0.0;
    (!nowhere && coordinates.mistakes().next().is_none()).then_some(coordinates)
}
