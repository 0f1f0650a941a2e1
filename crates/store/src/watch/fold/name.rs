//! Names: one of each source is kept, and the best of them is what a device is shown as.

use std::collections::BTreeMap;

use netwark_model::watch::device::HeardName;
use netwark_model::watch::sighting::{NameSource, Sighting, clean};

use super::{Fold, Station};
use crate::convert::{millis, time};

/// A name that is heard again is noted this often, in milliseconds: a day.
const NOTED_AGAIN: i64 = 24 * 3600 * 1000;

/// The word of a source in the history.
pub(super) fn word(source: NameSource) -> &'static str {
    match source {
        NameSource::Dns => "dns",
        NameSource::Mdns => "mdns",
        NameSource::Netbios => "netbios",
        NameSource::Llmnr => "llmnr",
        NameSource::Ssdp => "ssdp",
        NameSource::Dhcp => "dhcp",
    }
}

/// How well a source names a device: what it says of itself before what others say of its address.
fn rank(source: NameSource) -> Option<u8> {
    match source {
        NameSource::Mdns => Some(0),
        NameSource::Dhcp => Some(1),
        NameSource::Netbios => Some(2),
        NameSource::Llmnr => Some(3),
        NameSource::Dns => Some(4),
        // The name of a product, not of this one.
        NameSource::Ssdp => None,
    }
}

/// The best name among those of these stations.
pub(super) fn best(stations: &[&Station]) -> Option<String> {
    let names = stations.iter().flat_map(|station| &station.names);
    let ranked = names.filter_map(|name| Some((rank(name.source)?, name)));
    ranked.min_by_key(|(rank, _)| *rank).map(|(_, name)| name.text.clone())
}

/// What a device without a name is shown as.
pub(super) fn plain(stations: &[&Station]) -> Option<String> {
    let address = stations.iter().find_map(|station| station.address()).map(|address| address.to_string());
    address.or_else(|| stations.iter().find_map(|station| station.mac).map(|mac| mac.to_string()))
}

impl Fold<'_> {
    /// Takes in the names of a sighting.
    pub(super) fn hear_names(&mut self, at_station: usize, sighting: &Sighting, at: i64) {
        if sighting.names.is_empty() {
            return;
        }
        // A service may be announced under several names; as long as the known one is among them, nothing changed.
        let mut heard: BTreeMap<NameSource, Vec<(String, i64)>> = BTreeMap::new();
        for name in &sighting.names {
            let heard_at = name.at.map_or(at, millis).min(at);
            if let Some(text) = clean(&name.text) {
                heard.entry(name.source).or_default().push((text, heard_at));
            }
        }
        let mut changed = Vec::new();
        let Some(station) = self.known.stations.get_mut(at_station) else { return };
        for (source, texts) in heard {
            let known = station.names.iter_mut().find(|name| name.source == source);
            let Some((first, first_at)) = texts.first().cloned() else { continue };
            match known {
                None => {
                    let (first_at, last_at) = (time(first_at), time(first_at));
                    station.names.push(HeardName { source, text: first.clone(), first_at, last_at });
                    changed.push((source, None, first));
                }
                Some(known) if texts.iter().any(|(text, _)| *text == known.text) => {
                    if first_at.saturating_sub(millis(known.last_at)) < NOTED_AGAIN {
                        continue;
                    }
                    known.last_at = time(first_at);
                    station.touched = true;
                }
                Some(known) => {
                    let old = std::mem::replace(&mut known.text, first.clone());
                    (known.first_at, known.last_at) = (time(first_at), time(first_at));
                    changed.push((source, Some(old), first));
                }
            }
        }
        if changed.is_empty() {
            return;
        }
        station.touched = true;
        let (is_new, device) = (station.is_new, station.device_id);
        self.renamed.insert(at_station);
        for (source, old, new) in changed {
            // What a newcomer is called is no change.
            if !is_new || old.is_some() {
                self.change(device, at, "name", (old, Some(new)), word(source));
            }
        }
    }
}
