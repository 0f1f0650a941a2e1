//! Newcomers that hide their hardware address and may be devices that are known already. They are proposed to people
//! and never merged by themselves, and rather not proposed than wrongly.

use std::collections::HashMap;

use netwark_model::mac::Mac;
use netwark_model::watch::sighting::NameSource;

use super::name::word;
use super::{Fold, Proposed, Station};

/// Shortest word that can tell devices apart.
const SHORTEST: usize = 3;
/// Shortest number in hexadecimal digits that is hardly another's, too.
const SHORTEST_ID: usize = 8;
/// Shortest word that Windows makes up when it is installed.
const SHORTEST_MADE_UP: usize = 7;

/// Words in the names of devices that nobody has named: makers, products, what they are. In alphabetical order.
#[rustfmt::skip]
const COMMON: &[&str] = &[
    "air", "amazon", "and", "android", "apple", "arch", "archlinux", "asus", "book", "chromebook", "chromecast",
    "client", "computer", "debian", "default", "dell", "der", "desktop", "device", "dhcp", "dhcpcd", "dual", "duos",
    "echo", "edge", "elitebook", "esp", "espressif", "fairphone", "fedora", "flip", "fold", "galaxy", "gen", "google",
    "guest", "home", "honor", "host", "hotspot", "huawei", "ideapad", "iii", "imac", "ipad", "iphone", "ipod", "kali",
    "kindle", "laptop", "latitude", "lenovo", "linux", "lite", "local", "localhost", "mac", "macbook", "mate", "mbp",
    "mini", "mobile", "moto", "motorola", "net", "nexus", "nokia", "none", "nord", "note", "notebook", "nothing",
    "null", "oneplus", "openwrt", "oppo", "phone", "pixel", "play", "playstation", "plus", "poco", "power", "prime",
    "pro", "raspberry", "raspberrypi", "realme", "redmi", "reno", "rog", "roku", "samsung", "smart", "smartphone",
    "sony", "surface", "switch", "tab", "tablet", "test", "the", "thinkpad", "ubuntu", "udhcp", "ultra", "unknown",
    "user", "vivo", "von", "watch", "win", "windows", "wlan", "xbox", "xiaomi", "xperia", "xps", "zenbook", "zenfone",
];

impl Fold<'_> {
    /// Notes that a newcomer may be a device that is known already; true when it may.
    pub(super) fn propose(&mut self, at_station: usize) -> bool {
        let Some(newcomer) = self.known.stations.get(at_station) else { return false };
        if !newcomer.mac.is_some_and(Mac::is_locally_administered) {
            return false;
        }
        let own: Vec<(NameSource, String)> = identities(newcomer).collect();
        let said: Vec<(NameSource, String)> = said_by(newcomer).collect();
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
                let differs = said_by(other).any(|(source, name)| {
                    said.iter().any(|(s, n)| *s == source && are_two(source, &name, n))
                });
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

/// What a device says of itself by DHCP and mDNS.
fn said_by(station: &Station) -> impl Iterator<Item = (NameSource, String)> {
    let said = station.names.iter().filter(|name| matches!(name.source, NameSource::Dhcp | NameSource::Mdns));
    said.map(|name| {
        let text = name.text.to_lowercase();
        let text = text.strip_suffix(".local").unwrap_or(&text).to_owned();
        (name.source, text)
    })
}

/// Names by which a device can be known again: those it says of itself, unless many are called that.
fn identities(station: &Station) -> impl Iterator<Item = (NameSource, String)> {
    said_by(station).filter(|(_, name)| is_telling(name))
}

/// True when one device does not say both of itself. A name that tells nothing may be given up for one that does.
fn are_two(source: NameSource, one: &str, other: &str) -> bool {
    // Who finds its own name taken, be it by itself from a moment ago, adds a number (RFC 6762, section 9).
    let numbered = |one: &str, other: &str| {
        let number = one.strip_prefix(other).and_then(|rest| rest.strip_prefix('-'));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_renamed = source == NameSource::Mdns && (numbered(one, other) || numbered(other, one));
    one != other && !is_renamed && is_telling(one) == is_telling(other)
}

/// True for a name that is hardly another device's, too: one in which there is a word besides what many devices are
/// called, or a long number.
fn is_telling(name: &str) -> bool {
    let words: Vec<&str> =
        name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.iter().enumerate().any(|(at, word)| {
        let before = at.checked_sub(1).and_then(|before| words.get(before)).copied().unwrap_or_default();
        tells(word, before)
    })
}

/// True for a word that tells a device from others; `before` is the word before it.
fn tells(word: &str, before: &str) -> bool {
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    if has_digit {
        let is_id = word.len() >= SHORTEST_ID
            && word.bytes().all(|byte| byte.is_ascii_hexdigit())
            && word.bytes().any(|byte| byte.is_ascii_alphabetic());
        let is_made_up = matches!(before, "desktop" | "laptop" | "win") && word.len() >= SHORTEST_MADE_UP;
        // What is left are models, such as `s23` and `g991b`, and numbers.
        return is_id || is_made_up;
    }
    // Part of a model, and a name elsewhere.
    if word == "max" && before == "pro" {
        return false;
    }
    own_part(word).chars().count() >= SHORTEST
}

/// What is left of a word without common words at its ends, which may be several: `macbookair`, `sarahsiphone`.
fn own_part(mut word: &str) -> &str {
    loop {
        if COMMON.binary_search(&word).is_ok() {
            return "";
        }
        let shorter = COMMON.iter().filter(|common| common.len() > SHORTEST);
        let shorter =
            shorter.filter_map(|common| word.strip_suffix(common).or_else(|| word.strip_prefix(common)));
        match shorter.min_by_key(|rest| rest.len()) {
            Some(rest) => word = rest,
            None => return word,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_words_are_in_order() {
        assert!(COMMON.is_sorted());
    }

    #[test]
    fn names_many_devices_have_tell_nothing() {
        let names = [
            "iphone",
            "iphone-2",
            "android",
            "localhost",
            "esp32",
            "macbook-pro",
            "a-1",
            "1234",
            "galaxy-s23",
            "sm-g991b",
            "macbookair",
            "myphone",
            "pixel-7-pro",
            "iphone-14-pro-max",
            "huawei_p30_lite",
            "",
            "--",
        ];
        for name in names {
            assert!(!is_telling(name), "{name}");
        }
        let names = [
            "annas-iphone",
            "android-9f3a2b71c4d5e6f7",
            "workshop-tablet",
            "esp32-kitchen",
            "sarahsiphone",
            "desktop-4f9tr2a",
            "max-iphone",
            "büro-drucker",
        ];
        for name in names {
            assert!(is_telling(name), "{name}");
        }
    }

    #[test]
    fn a_number_that_was_added_makes_no_other_device() {
        let two = |one, other| are_two(NameSource::Mdns, one, other);
        assert!(!two("annas-iphone", "annas-iphone-2") && !two("annas-iphone-3", "annas-iphone"));
        assert!(two("kasse-1", "kasse-2") && two("annas-iphone", "annas-iphone-x"));
        assert!(are_two(NameSource::Dhcp, "kasse", "kasse-2"));
        assert!(!two("iphone", "annas-iphone"), "it was named meanwhile");
    }
}
