//! What administrators say of workers, checked field by field.

use netwark_bus::signing;
use netwark_model::error::FieldError;
use netwark_model::queues::{Known, full_name};
use netwark_model::workers::{Coordinates, WorkerOverrides};
use netwark_store::workers::Edit;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::extract;

/// Most characters of a name, a site and a location.
const LONGEST_TEXT: usize = 100;
/// Most tags of a worker.
const MOST_TAGS: usize = 100;
/// Most characters of a tag.
const LONGEST_TAG: usize = 64;

/// A worker to be enrolled. What is left out is as the worker says.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWorker {
    /// Its name, unique.
    #[schema(example = "paris-1", min_length = 1, max_length = 100)]
    pub name: String,
    /// The site it stands at.
    #[schema(example = "paris", max_length = 100)]
    pub site: Option<String>,
    /// Where that is, for people.
    #[schema(example = "Paris, TH2, rack 12", max_length = 100)]
    pub location: Option<String>,
    /// Latitude and longitude.
    pub coordinates: Option<Coordinates>,
    /// Country as ISO 3166-1 alpha-2 has it.
    #[schema(example = "FR")]
    pub country: Option<String>,
    /// Number of the autonomous system it stands in.
    #[schema(value_type = Option<u32>, example = 64500, minimum = 1, maximum = 4294967295u32)]
    pub asn: Option<i64>,
    /// Free words to select it by: at most 100, each of at most 64 characters.
    #[schema(max_items = 100)]
    pub tags: Option<Vec<String>>,
    /// Queues it listens on, whatever it asks for, and no others: `netwark` and `netwark.broadcast` only when they
    /// are named. The prefix `netwark.` is added when left out.
    pub queues: Option<Vec<String>>,
    /// Ed25519 key its reports over a broker will be signed with: 32 bytes in base64.
    #[schema(example = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")]
    pub public_key: Option<String>,
}

/// What is to change of a worker. What is left out stays; what is null is given back to the worker, and
/// is as that says from then on.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WorkerChanges {
    /// Its name, unique.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<String>, example = "paris-1", min_length = 1, max_length = 100)]
    name: Option<Option<String>>,
    /// The site it stands at.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<String>, example = "paris", max_length = 100)]
    site: Option<Option<String>>,
    /// Where that is, for people.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<String>, example = "Paris, TH2, rack 12", max_length = 100)]
    location: Option<Option<String>>,
    /// Latitude and longitude.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<Coordinates>)]
    coordinates: Option<Option<Coordinates>>,
    /// Country as ISO 3166-1 alpha-2 has it; empty for none.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<String>, example = "FR")]
    country: Option<Option<String>>,
    /// Number of the autonomous system it stands in.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<u32>, example = 64500, minimum = 1, maximum = 4294967295u32)]
    asn: Option<Option<i64>>,
    /// Free words to select it by: at most 100, each of at most 64 characters.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    tags: Option<Option<Vec<String>>>,
    /// Queues it listens on, whatever it asks for, and no others: `netwark` and `netwark.broadcast` only when they
    /// are named. The prefix `netwark.` is added when left out.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<Vec<String>>)]
    queues: Option<Option<Vec<String>>>,
}

impl NewWorker {
    /// What of it is set from now on, and the key in its usual spelling.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub(crate) fn checked(
        self,
        queues: &Known,
    ) -> Result<(WorkerOverrides, Option<String>), Vec<FieldError>> {
        let mut check = Check { queues, errors: Vec::new() };
        let overrides = WorkerOverrides {
            name: check.name(&self.name),
            site: self.site.and_then(|text| check.text("site", &text)),
            location: self.location.and_then(|text| check.text("location", &text)),
            coordinates: self.coordinates.and_then(|place| check.coordinates(place)),
            country: self.country.and_then(|text| check.country(&text)),
            asn: self.asn.and_then(|number| check.asn(number)),
            tags: self.tags.and_then(|tags| check.tags(&tags)),
            queues: self.queues.and_then(|queues| check.queues(&queues)),
        };
        let key = self.public_key.and_then(|key| check.key(&key));
        check.done((overrides, key))
    }
}

impl WorkerChanges {
    /// What it does to what was set before.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub(crate) fn checked(self, queues: &Known) -> Result<Edit, Vec<FieldError>> {
        let mut check = Check { queues, errors: Vec::new() };
        let name = self.name.map(|given| given.and_then(|text| check.name(&text)));
        let site = self.site.map(|given| given.and_then(|text| check.text("site", &text)));
        let location = self.location.map(|given| given.and_then(|text| check.text("location", &text)));
        let coordinates = self.coordinates.map(|given| given.and_then(|place| check.coordinates(place)));
        let country = self.country.map(|given| given.and_then(|text| check.country(&text)));
        let asn = self.asn.map(|given| given.and_then(|number| check.asn(number)));
        let tags = self.tags.map(|given| given.and_then(|tags| check.tags(&tags)));
        let queues = self.queues.map(|given| given.and_then(|queues| check.queues(&queues)));
        let edit: Edit = Box::new(move |set: &mut WorkerOverrides| {
            replace(&mut set.name, name);
            replace(&mut set.site, site);
            replace(&mut set.location, location);
            replace(&mut set.coordinates, coordinates);
            replace(&mut set.country, country);
            replace(&mut set.asn, asn);
            replace(&mut set.tags, tags);
            replace(&mut set.queues, queues);
        });
        check.done(edit)
    }
}

fn replace<T>(set: &mut Option<T>, given: Option<Option<T>>) {
    if let Some(value) = given {
        *set = value;
    }
}

/// Reads fields and gathers what is wrong with them.
struct Check<'a> {
    /// The queues there are.
    queues: &'a Known,
    errors: Vec<FieldError>,
}

impl Check<'_> {
    fn done<T>(self, value: T) -> Result<T, Vec<FieldError>> {
        if self.errors.is_empty() { Ok(value) } else { Err(self.errors) }
    }

    fn wrong<T>(&mut self, field: impl Into<String>, description: impl Into<String>) -> Option<T> {
        self.errors.push(FieldError::body(field, description));
        None
    }

    fn name(&mut self, text: &str) -> Option<String> {
        match self.text("name", text)? {
            name if name.is_empty() => self.wrong("name", "must not be empty"),
            name => Some(name),
        }
    }

    fn text(&mut self, field: &str, text: &str) -> Option<String> {
        let text = text.trim();
        match text.chars().count() {
            n if n > LONGEST_TEXT => {
                self.wrong(field, format!("must be at most {LONGEST_TEXT} characters, got {n}"))
            }
            _ if text.chars().any(char::is_control) => self.wrong(field, "must hold no control characters"),
            _ => Some(text.to_owned()),
        }
    }

    fn coordinates(&mut self, place: Coordinates) -> Option<Coordinates> {
        for (part, wrong) in place.mistakes() {
            self.wrong::<()>(format!("coordinates.{part}"), wrong);
        }
        Some(place)
    }

    fn country(&mut self, text: &str) -> Option<String> {
        let text = text.trim().to_ascii_uppercase();
        if text.is_empty() || (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())) {
            return Some(text);
        }
        let shown: String = text.chars().take(20).collect();
        self.wrong("country", format!("must be two letters, such as FR, got '{shown}'"))
    }

    fn asn(&mut self, number: i64) -> Option<u32> {
        match u32::try_from(number) {
            Ok(asn @ 1..) => Some(asn),
            _ => self.wrong("asn", format!("must be from 1 to 4294967295, got {number}")),
        }
    }

    fn tags(&mut self, tags: &[String]) -> Option<Vec<String>> {
        if tags.len() > MOST_TAGS {
            return self.wrong("tags", format!("must be at most {MOST_TAGS}, got {}", tags.len()));
        }
        let mut kept = Vec::new();
        for (at, tag) in tags.iter().enumerate() {
            let tag = tag.trim();
            match tag.chars().count() {
                0 => self.wrong::<()>(format!("tags[{at}]"), "must not be empty"),
                n if n > LONGEST_TAG => self.wrong(
                    format!("tags[{at}]"),
                    format!("must be at most {LONGEST_TAG} characters, got {n}"),
                ),
                _ if tag.chars().any(char::is_control) => {
                    self.wrong(format!("tags[{at}]"), "must hold no control characters")
                }
                _ => {
                    if !kept.iter().any(|known| known == tag) {
                        kept.push(tag.to_owned());
                    }
                    None
                }
            };
        }
        Some(kept)
    }

    fn queues(&mut self, queues: &[String]) -> Option<Vec<String>> {
        let mut kept = Vec::new();
        for (at, queue) in queues.iter().enumerate() {
            let known = full_name(queue).and_then(|full| match self.queues.get(&full) {
                Some((name, _)) => Ok(name.to_owned()),
                None => Err(format!("'{full}' is no queue of this server")),
            });
            match known {
                Ok(name) if kept.contains(&name) => {}
                Ok(name) => kept.push(name),
                Err(wrong) => {
                    self.wrong::<()>(format!("queues[{at}]"), wrong);
                }
            }
        }
        Some(kept)
    }

    fn key(&mut self, key: &str) -> Option<String> {
        signing::public_key(key).map_err(|wrong| self.wrong::<()>("public_key", wrong.to_string())).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn queues() -> Known {
        [("netwark".to_owned(), false), ("netwark.paris".to_owned(), true)].into_iter().collect()
    }

    #[test]
    fn all_that_is_wrong_is_named_at_once() {
        let new = json!({
            "name": " ", "site": "x".repeat(101), "location": "a\nb",
            "coordinates": {"latitude": 91, "longitude": -181}, "country": "FRA", "asn": 0,
            "tags": ["", "ok", "y".repeat(65)], "queues": ["netwark", "lyon", "a b"], "public_key": "AAAA",
        });
        let errors = serde_json::from_value::<NewWorker>(new).unwrap().checked(&queues()).unwrap_err();
        let names: Vec<_> = errors.iter().map(|error| error.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "name",
                "site",
                "location",
                "coordinates.latitude",
                "coordinates.longitude",
                "country",
                "asn",
                "tags[0]",
                "tags[2]",
                "queues[1]",
                "queues[2]",
                "public_key"
            ]
        );
    }

    #[test]
    fn what_is_right_is_spelled_alike() {
        let new = json!({
            "name": " paris-1 ", "country": "fr", "asn": 4_294_967_295_u32, "tags": ["a", " a "],
            "queues": ["paris", "netwark.PARIS"],
        });
        let (set, key) = serde_json::from_value::<NewWorker>(new).unwrap().checked(&queues()).unwrap();
        assert_eq!((set.name.as_deref(), set.country.as_deref()), (Some("paris-1"), Some("FR")));
        assert_eq!((set.asn, key), (Some(u32::MAX), None));
        assert_eq!(set.tags, Some(vec!["a".to_owned()]));
        assert_eq!(set.queues, Some(vec!["netwark.paris".to_owned()]));
        assert_eq!((set.site, set.location, set.coordinates), (None, None, None));
    }

    #[test]
    fn null_gives_back_and_what_is_left_out_stays() {
        let changes: WorkerChanges = serde_json::from_value(json!({"site": null, "asn": 64500})).unwrap();
        let mut set = WorkerOverrides {
            site: Some("paris".into()),
            location: Some("rack 12".into()),
            ..WorkerOverrides::default()
        };
        changes.checked(&queues()).map_err(|errors| format!("{errors:?}")).unwrap()(&mut set);
        assert_eq!((set.site, set.location, set.asn), (None, Some("rack 12".into()), Some(64500)));
    }
}
