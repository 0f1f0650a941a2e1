//! What the timeline tells of a worker that became another.

use netwark_model::workers::Coordinates;
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::Effective;
use crate::{StoreError, events};

/// Most characters of a value that are told.
const LONGEST: usize = 200;

/// What of a worker is different now, in words: `site from 'paris' to 'th2'`. Nothing when all is as it was.
pub(super) fn differences(before: &Effective, after: &Effective) -> Option<String> {
    let number = |asn: Option<u32>| asn.map(|asn| format!("AS{asn}")).unwrap_or_default();
    let fields = [
        ("name", before.name.clone(), after.name.clone()),
        ("site", before.site.clone(), after.site.clone()),
        ("location", before.location.clone(), after.location.clone()),
        ("coordinates", place(before.details.coordinates), place(after.details.coordinates)),
        ("country", before.details.country.clone(), after.details.country.clone()),
        ("AS number", number(before.details.asn), number(after.details.asn)),
        ("tags", before.tags.join(", "), after.tags.join(", ")),
        ("queues", before.queues.join(", "), after.queues.join(", ")),
    ];
    let changed = fields.into_iter().filter(|(_, before, after)| before != after);
    let told: Vec<String> = changed
        .map(|(field, before, after)| format!("{field} from {} to {}", told(&before), told(&after)))
        .collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn place(place: Option<Coordinates>) -> String {
    place.map(|place| format!("{}, {}", place.latitude, place.longitude)).unwrap_or_default()
}

fn told(value: &str) -> String {
    if value.is_empty() {
        return "none".into();
    }
    let more = if value.chars().count() > LONGEST { "…" } else { "" };
    let shown: String = value.chars().take(LONGEST).collect();
    format!("'{shown}{more}'")
}

/// What is said behind the name of a worker that another had, as far as the timeline reaches back: what was measured
/// under that name is not all of this worker.
pub(super) async fn namesake(
    transaction: &DatabaseTransaction,
    id: Uuid,
    name: &str,
) -> Result<&'static str, StoreError> {
    Ok(match events::tell_of_another(transaction, id, name).await? {
        true => "; another worker had this name before",
        false => "",
    })
}

#[cfg(test)]
mod tests {
    use netwark_model::messages::Hello;
    use netwark_model::workers::WorkerOverrides;

    use super::*;

    fn worker(site: &str, tags: &[&str], coordinates: Option<Coordinates>) -> Effective {
        let hello = Hello {
            name: "paris".into(),
            site: site.into(),
            tags: tags.iter().map(ToString::to_string).collect(),
            coordinates,
            ..Hello::default()
        };
        Effective::of(hello, &WorkerOverrides::default())
    }

    #[test]
    fn a_change_says_from_what_to_what() {
        let place = Coordinates { latitude: 48.86, longitude: 2.35 };
        let (before, after) = (worker("paris", &["dc", "lab"], None), worker("", &["dc"], Some(place)));
        assert_eq!(
            differences(&before, &after).unwrap(),
            "site from 'paris' to none; coordinates from none to '48.86, 2.35'; tags from 'dc, lab' to 'dc'"
        );
        assert_eq!(differences(&before, &before), None);
    }

    #[test]
    fn a_long_value_is_cut() {
        let text = differences(&worker("", &[], None), &worker(&"x".repeat(500), &[], None)).unwrap();
        assert_eq!(text, format!("site from none to '{}…'", "x".repeat(200)));
    }
}
