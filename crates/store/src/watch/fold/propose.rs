//! Newcomers that hide their hardware address and may be devices that are known already. They are proposed to people
//! and never merged by themselves, and rather not proposed than wrongly.

use std::collections::HashMap;

use netwark_model::mac::Mac;
use netwark_model::watch::sighting::NameSource;

use super::name::word;
use super::{Fold, Proposed, Station};

/// Shortest name that can tell devices apart.
const SHORTEST: usize = 4;

/// What devices are called that nobody has named: many are called the same.
const COMMON: &[&str] = &[
    "android",
    "iphone",
    "ipad",
    "ipod",
    "watch",
    "macbook",
    "macbook-pro",
    "macbook-air",
    "imac",
    "mac",
    "galaxy",
    "samsung",
    "huawei",
    "xiaomi",
    "redmi",
    "pixel",
    "oneplus",
    "phone",
    "tablet",
    "laptop",
    "desktop",
    "computer",
    "windows",
    "pc",
    "localhost",
    "unknown",
    "none",
    "null",
    "client",
    "host",
    "device",
    "default",
    "user",
    "home",
    "debian",
    "ubuntu",
    "raspberrypi",
    "raspberry",
    "espressif",
    "esp32",
    "esp8266",
    "wlan0",
    "dhcp",
    "dhcpcd",
    "udhcp",
    "kali",
    "fedora",
    "archlinux",
    "linux",
    "openwrt",
    "amazon",
    "echo",
    "kindle",
    "roku",
    "chromecast",
    "switch",
    "playstation",
    "xbox",
];

impl Fold<'_> {
    /// Notes that a newcomer may be a device that is known already; true when it may.
    pub(super) fn propose(&mut self, at_station: usize) -> bool {
        let Some(newcomer) = self.known.stations.get(at_station) else { return false };
        if !newcomer.mac.is_some_and(Mac::is_locally_administered) {
            return false;
        }
        let own: Vec<(NameSource, String)> = identities(newcomer).collect();
        let (device, at) = (newcomer.device_id, newcomer.first_seen_at);
        if own.is_empty() {
            return false;
        }
        let index = self.identities.get_or_insert_with(|| {
            let mut index: HashMap<_, Vec<usize>> = HashMap::new();
            for (at, station) in self.known.stations.iter().enumerate().filter(|(_, station)| !station.is_new)
            {
                identities(station).for_each(|identity| index.entry(identity).or_default().push(at));
            }
            index
        });
        let mut found: Option<(usize, String)> = None;
        for identity in &own {
            for at in index.get(identity).into_iter().flatten().copied() {
                let Some(other) = self.known.stations.get(at) else { continue };
                // What says two different things of itself is two devices.
                let differs = identities(other)
                    .any(|(source, name)| own.iter().any(|(s, n)| *s == source && *n != name));
                // Both are there.
                let is_there = self.seen.contains(&at) || other.up && other.missed == 0 && !self.is_sweep;
                if other.device_id == device || differs || is_there {
                    continue;
                }
                // Of a device with one hardware address after another the one that was seen last is meant.
                let newer = found.as_ref().and_then(|(at, _)| self.known.stations.get(*at));
                if newer.is_none_or(|newer| newer.last_seen_at < other.last_seen_at) {
                    let reason = format!("both are called {} by {}", identity.1, word(identity.0));
                    found = Some((at, reason));
                }
            }
        }
        let Some((other, reason)) = found else { return false };
        let Some(other) = self.known.stations.get(other) else { return false };
        self.outcome.proposals.push(Proposed { device_id: device, other_id: other.device_id, reason, at });
        true
    }
}

/// Names by which a device can be known again: those it says of itself by DHCP and mDNS, unless many are called that.
fn identities(station: &Station) -> impl Iterator<Item = (NameSource, String)> {
    let said = station.names.iter().filter(|name| matches!(name.source, NameSource::Dhcp | NameSource::Mdns));
    said.filter_map(|name| {
        let text = name.text.to_lowercase();
        let text = text.strip_suffix(".local").unwrap_or(&text).to_owned();
        is_telling(&text).then_some((name.source, text))
    })
}

/// True for a name that is hardly another device's, too.
fn is_telling(name: &str) -> bool {
    // `iphone-2` and `android_1` say no more than `iphone`.
    let word =
        name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '_' | ' ' | '(' | ')'));
    let common = COMMON.contains(&word) || COMMON.contains(&name);
    name.chars().count() >= SHORTEST && word.chars().count() >= 3 && !common
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_many_devices_have_tell_nothing() {
        for name in ["iphone", "iphone-2", "android", "localhost", "esp32", "macbook-pro", "a-1", "1234"] {
            assert!(!is_telling(name), "{name}");
        }
        for name in ["annas-iphone", "android-9f3a2b71c4d5e6f7", "workshop-tablet", "esp32-kitchen"] {
            assert!(is_telling(name), "{name}");
        }
    }
}
