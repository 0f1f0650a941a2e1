//! Coming and going.

use std::collections::HashSet;

use netwark_model::mac::Mac;
use netwark_model::watch::device::Access;
use netwark_model::watch::network::Situation;
use serde_json::json;
use uuid::Uuid;

use super::{Fold, Look, Opened};
use crate::convert::time;

/// Sweeps that may fail to come before nobody knows any more who was there in between.
const SILENT_SWEEPS: i64 = 3;

/// How a station came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It was never seen here.
    New,
    /// It was down for so many milliseconds.
    Back(i64),
}

impl Fold<'_> {
    /// When nobody looked for long, what was there meanwhile is not known: presences end when they were last seen.
    pub(super) fn after_silence(&mut self, look: &Look) {
        let Some(swept_at) = self.known.watched.seen_at else { return };
        let silence = look.started_at.saturating_sub(swept_at);
        if silence <= SILENT_SWEEPS.saturating_mul(self.known.watched.every_ms) {
            return;
        }
        for station in &mut self.known.stations {
            if let Some(session) = station.session.take() {
                station.last_seen_at = station.seen_at(Some(swept_at));
                station.touched = true;
                self.outcome.closed.push((session, station.last_seen_at));
            }
        }
    }

    /// A station was seen: it is up.
    pub(super) fn rise(&mut self, at_station: usize, at: i64) {
        self.judge(at_station);
        let (swept_at, every_ms, is_sweep) =
            (self.known.watched.seen_at, self.known.watched.every_ms, self.is_sweep);
        let Some(station) = self.known.stations.get_mut(at_station) else { return };
        // A late report does not undo what is known since.
        let last = station.seen_at(swept_at);
        if !station.up {
            if !station.is_new {
                self.arrivals
                    .push((at_station, Arrival::Back(at.saturating_sub(station.last_seen_at).max(0))));
            }
            station.up = true;
            station.since = at;
            station.missed = 0;
            station.last_seen_at = station.last_seen_at.max(at);
            station.touched = true;
        } else if station.missed > 0 {
            station.missed = 0;
            station.last_seen_at = station.last_seen_at.max(at);
            station.touched = true;
        } else if station.touched || (!is_sweep && at.saturating_sub(last) > every_ms / 2) {
            // What is overheard is written down now and then only, so that who speaks all the time costs nothing.
            station.last_seen_at = station.last_seen_at.max(at);
            station.touched = true;
        }
        if station.session.is_none() {
            let id = Uuid::now_v7();
            station.session = Some(id);
            station.touched = true;
            self.outcome.opened.push(Opened { id, station_id: station.id, began_at: at });
        }
    }

    /// Counts sweeps that did not see a station, and lets it go down after the grace time.
    pub(super) fn missing(&mut self, look: &Look) {
        let (swept_at, grace) = (self.known.watched.seen_at, self.known.watched.grace.max(1));
        let mut gone = Vec::new();
        for (at, station) in self.known.stations.iter_mut().enumerate() {
            if self.seen.contains(&at) {
                for address in station.addresses.iter_mut().filter(|address| address.current && !address.seen)
                {
                    // What the latest sweep saw was not written down.
                    if address.missed == 0 {
                        address.last_seen_at = address.last_seen_at.max(swept_at.unwrap_or_default());
                    }
                    address.missed += 1;
                    address.touched = true;
                    if address.missed > grace {
                        address.current = false;
                    }
                }
                continue;
            }
            if !station.up {
                continue;
            }
            let last = station.seen_at(swept_at);
            // It spoke by itself since the last sweep.
            if swept_at.is_some_and(|swept_at| last > swept_at) && station.missed == 0 {
                continue;
            }
            station.last_seen_at = last;
            station.missed += 1;
            station.touched = true;
            if station.missed >= grace {
                station.up = false;
                station.since = last;
                if let Some(session) = station.session.take() {
                    self.outcome.closed.push((session, last));
                }
                gone.push(at);
            }
        }
        self.outcome.gone = u32::try_from(gone.len()).unwrap_or(u32::MAX);
        for at in gone {
            self.tell_down(at, look);
        }
    }

    fn tell_down(&mut self, at_station: usize, look: &Look) {
        let Some(station) = self.known.stations.get(at_station) else { return };
        let stations = self.by_device.get(&station.device_id).into_iter().flatten();
        let mut others =
            stations.filter(|at| **at != at_station).filter_map(|at| self.known.stations.get(*at));
        if others.any(|other| other.up) {
            return;
        }
        // Its addresses are another's now, which was told.
        if self.was_replaced(station) {
            return;
        }
        let (access, missed, last) = (station.access, station.missed, station.last_seen_at);
        let address = station.address();
        let silent = look.ended_at.saturating_sub(last).max(0);
        let words = self.words(at_station);
        let place = address.filter(|address| !words.starts_with(&address.to_string()));
        let place = place.map(|address| format!(", last seen at {address}")).unwrap_or_default();
        let asked = match address {
            Some(_) => "did not answer when it was asked again",
            None => "could not be asked, since it has no address",
        };
        let text = format!(
            "{words} is down on {}{place}: {} missed it, and it {asked}; nothing heard for {}",
            self.known.watched.name,
            sweeps(missed),
            lasting(silent),
        );
        let data = json!({
            "missed_sweeps": missed, "grace_sweeps": self.known.watched.grace, "last_seen_at": time(last),
            "silent_ms": silent, "address": address, "access": access,
        });
        let severity = self.severity(at_station, Situation::Down(access));
        self.tell(at_station, (severity, "device_down"), look.ended_at, text, data);
    }

    /// Tells of stations that came, unless something was told that says more.
    pub(super) fn arrive(&mut self) {
        self.relabel();
        let mut back = HashSet::new();
        for (at_station, arrival) in std::mem::take(&mut self.arrivals) {
            let proposed = arrival == Arrival::New && self.propose(at_station);
            if self.told.contains(&at_station) {
                continue;
            }
            let Some(station) = self.known.stations.get(at_station) else { continue };
            let (device, since) = (station.device_id, station.since);
            // A second interface of a device that is there says nothing about the device.
            if matches!(arrival, Arrival::Back(_)) {
                let stations = self.by_device.get(&device).into_iter().flatten();
                let others = stations.filter(|at| **at != at_station);
                let mut others = others.filter_map(|at| self.known.stations.get(*at));
                if !back.insert(device) || others.any(|other| other.up && other.since < since) {
                    continue;
                }
            }
            self.tell_arrival(at_station, arrival, proposed);
        }
    }

    fn tell_arrival(&mut self, at_station: usize, arrival: Arrival, proposed: bool) {
        let Some(station) = self.known.stations.get(at_station) else { return };
        let (access, at, address) = (station.access, station.since, station.address());
        let (words, network) = (self.words(at_station), &self.known.watched.name);
        let place = address.filter(|address| !words.starts_with(&address.to_string()));
        let place = place.map(|address| format!(" at {address}")).unwrap_or_default();
        let said = said(access);
        let (kind, situation, away, text) = match arrival {
            Arrival::New if proposed => (
                "device_proposed",
                Situation::Proposed,
                None,
                format!(
                    "{words} is new on {network}{place} and hides its hardware address; it may be a device that is \
                     known already. {said}"
                ),
            ),
            Arrival::New => (
                "device_new",
                Situation::Up(access),
                None,
                format!("{words} is new on {network}{place}. {said}"),
            ),
            Arrival::Back(away) => (
                "device_up",
                Situation::Up(access),
                Some(away),
                format!("{words} is up again on {network}{place} after {}. {said}", lasting(away)),
            ),
        };
        let severity = match access {
            // Who should not be there is no less wrong for looking like another.
            Access::Denied => self.severity(at_station, Situation::Up(access)),
            _ => self.severity(at_station, situation),
        };
        let data = json!({ "address": address, "access": access, "away_ms": away });
        self.tell(at_station, (severity, kind), at, text, data);
    }

    /// The station of a hardware address.
    pub(super) fn at_mac(&self, mac: Mac) -> Option<usize> {
        self.by_mac.get(&mac).copied()
    }
}

/// What the access list says, in a sentence.
pub(super) fn said(access: Access) -> &'static str {
    match access {
        Access::Worker => "It is the worker itself.",
        Access::Known => "It is allowed.",
        Access::Unknown => "The access list does not know it.",
        Access::Denied => "The access list denies it.",
    }
}

fn sweeps(number: i32) -> String {
    if number == 1 { "1 sweep".into() } else { format!("{number} sweeps in a row") }
}

/// A time in words that people read at a glance.
pub(super) fn lasting(ms: i64) -> String {
    let seconds = ms / 1000;
    match seconds {
        ..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}
