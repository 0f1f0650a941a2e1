//! What a report of a watched network means. It sees neither database nor clock: it is handed what is known, and
//! changes that; what it changed is marked, and what happened is in its [`Outcome`].
//!
//! A sighting that says nothing new changes nothing, so that nothing is written for it: a station that is up and
//! missed no sweep was last seen when the latest complete sweep ended.

mod address;
mod fact;
mod name;
#[cfg(test)]
mod pairs;
mod presence;
mod propose;
mod state;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use netwark_model::events::Severity;
use netwark_model::mac::Mac;
use netwark_model::watch::access::AccessRules;
use netwark_model::watch::device::Access;
use netwark_model::watch::network::Situation;
use netwark_model::watch::report::{Fact, LinkFacts};
use netwark_model::watch::sighting::{NameSource, Sighting, Source};
use uuid::Uuid;

use self::presence::Arrival;
pub(crate) use self::state::{
    Address, Device, Happening, Memory, Opened, Outcome, Proposed, Station, Watched,
};
use super::entity::change;
use crate::convert::millis;

/// A sweep, put together from its parts.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// When it began, in milliseconds since 1970.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: i64,
    /// Everything was asked, so that who was not seen is missing.
    pub complete: bool,
    /// What the worker knows of its own link.
    pub link: Option<LinkFacts>,
}

/// What is known of a network before a report, and how to find out more.
pub(crate) struct Known<'a> {
    /// The network.
    pub watched: Watched,
    /// Its stations.
    pub stations: Vec<Station>,
    /// Their devices, and those of [`Self::elsewhere`].
    pub devices: HashMap<Uuid, Device>,
    /// Devices of hardware addresses that were seen on other networks.
    pub elsewhere: HashMap<Mac, Uuid>,
    /// What the access list says here.
    pub rules: AccessRules,
    /// To whom hardware addresses are assigned.
    pub vendor: &'a (dyn Fn(Mac) -> Option<String> + Send + Sync),
    /// The time, in milliseconds since 1970.
    pub now: i64,
}

/// A report that is being taken in.
pub(crate) struct Fold<'a> {
    pub(crate) known: Known<'a>,
    pub(crate) outcome: Outcome,
    by_mac: HashMap<Mac, usize>,
    /// Who has or had an address.
    by_address: HashMap<IpAddr, Vec<usize>>,
    /// The stations of a device on this network.
    by_device: HashMap<Uuid, Vec<usize>>,
    /// The worker's own hardware addresses.
    own: HashSet<Mac>,
    /// Stations this report has seen.
    seen: HashSet<usize>,
    arrivals: Vec<(usize, Arrival)>,
    /// Stations of which something was told that says more than that they came.
    told: HashSet<usize>,
    /// Addresses that several interfaces answer for, with those.
    conflicts: HashMap<IpAddr, BTreeSet<Mac>>,
    /// Addresses that changed hands.
    moves: Vec<address::Move>,
    /// Stations whose names or addresses changed.
    renamed: HashSet<usize>,
    /// Who was known by which name before, once that was asked.
    identities: Option<HashMap<(NameSource, String), Vec<usize>>>,
    is_sweep: bool,
    /// When the sweep began.
    began: Option<i64>,
}

/// Takes in one sweep.
pub(crate) fn sweep(
    known: Known<'_>,
    look: &Look,
    sightings: &[Sighting],
    facts: &[Fact],
) -> (Watched, Taken) {
    let mut fold = Fold::new(known, true);
    fold.began = Some(look.started_at);
    fold.own(look);
    for (address, macs) in answered_twice(sightings) {
        fold.conflicts.entry(address).or_default().extend(macs);
    }
    fold.conflicting(facts);
    fold.after_silence(look);
    sightings.iter().for_each(|sighting| fold.see(sighting));
    fold.see_itself(look);
    fold.tell_moves();
    fold.facts(facts, look.ended_at);
    fold.tell_conflicts(look.ended_at, look.complete);
    if look.complete {
        fold.missing(look);
        fold.forget_moves();
    }
    fold.arrive();
    fold.finish()
}

/// Takes in what was overheard until a time, in milliseconds since 1970.
pub(crate) fn heard(
    known: Known<'_>,
    until: i64,
    sightings: &[Sighting],
    facts: &[Fact],
) -> (Watched, Taken) {
    let until = until.min(known.now);
    let mut fold = Fold::new(known, false);
    fold.conflicting(facts);
    sightings.iter().for_each(|sighting| fold.see(sighting));
    fold.tell_moves();
    fold.facts(facts, until);
    fold.tell_conflicts(until, false);
    fold.arrive();
    fold.finish()
}

/// What is left when a report was taken in.
pub(crate) struct Taken {
    pub(crate) stations: Vec<Station>,
    pub(crate) devices: HashMap<Uuid, Device>,
    pub(crate) outcome: Outcome,
}

/// Addresses for which several interfaces answered in one sweep.
fn answered_twice(sightings: &[Sighting]) -> HashMap<IpAddr, BTreeSet<Mac>> {
    let mut answers: HashMap<IpAddr, BTreeSet<Mac>> = HashMap::new();
    for sighting in sightings {
        let asked = matches!(sighting.source, Source::Arp | Source::Ndp);
        if let (Some(address), Some(mac), true) = (sighting.address, sighting.mac, asked) {
            answers.entry(address).or_default().insert(mac);
        }
    }
    answers.retain(|_, macs| macs.len() > 1);
    answers
}

/// True for an address that can be one host's.
fn is_host(address: IpAddr) -> bool {
    let special = address.is_unspecified() || address.is_loopback() || address.is_multicast();
    !special && !matches!(address, IpAddr::V4(address) if address.is_broadcast())
}

/// True for hardware addresses that stand for no device of their own: those of virtual routers (RFC 9568, section 7.3,
/// and HSRP) and those that whoever runs a machine chose. The same ones are used at many places.
fn is_used_elsewhere(mac: Mac) -> bool {
    let [a, b, c, d, e, _] = mac.bytes();
    let virtual_router = [a, b, c, d] == [0, 0, 0x5e, 0] && matches!(e, 1 | 2);
    let standby = [a, b, c, d] == [0, 0, 0x0c, 0x07] || [a, b, c, d] == [0, 0, 0x0c, 0x9f];
    virtual_router || standby || mac.is_locally_administered()
}

impl<'a> Fold<'a> {
    fn new(known: Known<'a>, is_sweep: bool) -> Self {
        let mut by_mac = HashMap::with_capacity(known.stations.len());
        let mut by_address: HashMap<IpAddr, Vec<usize>> = HashMap::with_capacity(known.stations.len());
        let mut by_device: HashMap<Uuid, Vec<usize>> = HashMap::with_capacity(known.stations.len());
        let mut own = HashSet::new();
        for (at, station) in known.stations.iter().enumerate() {
            if let Some(mac) = station.mac {
                by_mac.insert(mac, at);
                if station.access == Access::Worker {
                    own.insert(mac);
                }
            }
            for address in &station.addresses {
                by_address.entry(address.address).or_default().push(at);
            }
            by_device.entry(station.device_id).or_default().push(at);
        }
        Self {
            known,
            outcome: Outcome::default(),
            by_mac,
            by_address,
            by_device,
            own,
            seen: HashSet::new(),
            arrivals: Vec::new(),
            told: HashSet::new(),
            conflicts: HashMap::new(),
            moves: Vec::new(),
            renamed: HashSet::new(),
            identities: None,
            is_sweep,
            began: None,
        }
    }

    /// Learns which hardware addresses are the worker's own.
    fn own(&mut self, look: &Look) {
        let Some(link) = &look.link else { return };
        if let Some(mac) = link.mac.filter(|mac| mac.is_unicast()) {
            // What was the worker's is not any more, when another one has taken over.
            self.own = HashSet::from([mac]);
        }
    }

    /// A worker does not answer itself, but it is there.
    fn see_itself(&mut self, look: &Look) {
        let Some(link) = &look.link else { return };
        let Some(mac) = link.mac.filter(|mac| mac.is_unicast()) else { return };
        let at = crate::convert::time(look.ended_at);
        // The addresses of its interface are for frames without a tag.
        let addresses = link.addresses.iter().filter(|_| !self.known.watched.tagged);
        let mut addresses: Vec<Option<IpAddr>> = addresses.map(|net| Some(net.addr())).collect();
        if addresses.is_empty() {
            addresses.push(None);
        }
        for address in addresses.into_iter().take(8) {
            let known = address.is_some_and(|address| self.conflicts.contains_key(&address));
            if !known {
                let source = Source::NeighbourTable;
                let (rtt_us, vlan, router, names) = (None, None, false, Vec::new());
                self.see(&Sighting { at, address, mac: Some(mac), source, rtt_us, vlan, router, names });
            }
        }
    }

    /// Takes in one sighting.
    fn see(&mut self, sighting: &Sighting) {
        let at = millis(sighting.at).min(self.known.now);
        let mac = sighting.mac.filter(|mac| mac.is_unicast());
        let address = sighting.address.filter(|address| is_host(*address));
        if address.is_none() && (sighting.address.is_some() || mac.is_none()) {
            return;
        }
        if address.is_some_and(|address| self.known.watched.leaves_out(address)) {
            return;
        }
        let at_station = self.station(mac, address, sighting, at);
        self.rise(at_station, at);
        if let Some(address) = address {
            self.see_address(at_station, address, at);
        }
        self.hear_names(at_station, sighting, at);
        let vendor = mac.and_then(|mac| (self.known.vendor)(mac));
        let Some(station) = self.known.stations.get_mut(at_station) else { return };
        if sighting.router && !station.router {
            station.router = true;
            station.touched = true;
            self.renamed.insert(at_station);
        }
        if vendor.is_some() && vendor != station.vendor {
            let old = std::mem::replace(&mut station.vendor, vendor.clone());
            station.touched = true;
            let device = station.device_id;
            self.renamed.insert(at_station);
            self.change(device, at, "vendor", (old, vendor), "registry");
        }
        self.seen.insert(at_station);
    }

    /// The station that was seen; a new one where there was none.
    fn station(&mut self, mac: Option<Mac>, address: Option<IpAddr>, sighting: &Sighting, at: i64) -> usize {
        if let Some(known) = mac.and_then(|mac| self.by_mac.get(&mac)) {
            return *known;
        }
        let found = address.and_then(|address| {
            let holders = self.by_address.get(&address)?;
            holders.iter().copied().find(|holder| {
                self.known.stations.get(*holder).is_some_and(|station| {
                    let has = station.addresses.iter().any(|own| own.address == address && own.current);
                    // Who was seen from beyond the link before has a hardware address now.
                    has && (mac.is_none() || station.mac.is_none())
                })
            })
        });
        if let Some(at_station) = found {
            if let (Some(mac), Some(station)) = (mac, self.known.stations.get_mut(at_station)) {
                station.mac = Some(mac);
                station.touched = true;
                let device = station.device_id;
                self.by_mac.insert(mac, at_station);
                self.change(device, at, "mac", (None, Some(mac.to_string())), "sweep");
                self.judge(at_station);
            }
            return at_station;
        }
        self.enter(mac, address, sighting.source, at)
    }

    /// A station that was never seen here.
    fn enter(&mut self, mac: Option<Mac>, address: Option<IpAddr>, source: Source, at: i64) -> usize {
        let vendor = mac.and_then(|mac| (self.known.vendor)(mac));
        let elsewhere = mac.filter(|mac| !is_used_elsewhere(*mac));
        let elsewhere = elsewhere.and_then(|mac| self.known.elsewhere.get(&mac).copied());
        let device_id = elsewhere.filter(|id| self.known.devices.contains_key(id)).unwrap_or_else(|| {
            let id = Uuid::now_v7();
            let label = address.map(|address| address.to_string());
            let label = label.or_else(|| mac.map(|mac| mac.to_string())).unwrap_or_default();
            self.known.devices.insert(id, Device::entering(id, label, vendor.clone(), at));
            id
        });
        let index = self.known.stations.len();
        self.known.stations.push(Station::entering(device_id, mac, vendor, source, at));
        self.by_device.entry(device_id).or_default().push(index);
        if let Some(mac) = mac {
            self.by_mac.insert(mac, index);
        }
        self.judge(index);
        self.renamed.insert(index);
        self.outcome.newcomers += 1;
        self.arrivals.push((index, Arrival::New));
        index
    }

    /// What the access list says of a station.
    fn judge(&mut self, at_station: usize) {
        let Some(station) = self.known.stations.get_mut(at_station) else { return };
        let access = match station.mac {
            Some(mac) if self.own.contains(&mac) => Access::Worker,
            Some(mac) => self.known.rules.access(mac),
            None => Access::Unknown,
        };
        if access != station.access {
            station.access = access;
            station.touched = true;
        }
    }

    /// Notes that something about a device changed.
    fn change(
        &mut self,
        device_id: Uuid,
        at: i64,
        field: &str,
        (old, new): (Option<String>, Option<String>),
        source: &str,
    ) {
        self.outcome.changes.push(change::Model {
            id: Uuid::now_v7(),
            device_id,
            network_id: Some(self.known.watched.id),
            at,
            field: field.to_owned(),
            old,
            new,
            source: source.to_owned(),
        });
    }

    /// What a station is called in a sentence: `printer-2 (00:00:5e:00:53:01, Example Corp)`.
    fn words(&self, at_station: usize) -> String {
        let Some(station) = self.known.stations.get(at_station) else { return String::new() };
        let label = self.known.devices.get(&station.device_id).map_or("", |device| device.label.as_str());
        let mac = station.mac.map(|mac| mac.to_string());
        let more: Vec<&str> = mac.as_deref().into_iter().chain(station.vendor.as_deref()).collect();
        if more.is_empty() || mac.as_deref() == Some(label) && more.len() == 1 {
            return label.to_owned();
        }
        if mac.as_deref() == Some(label) {
            return format!("{label} ({})", station.vendor.as_deref().unwrap_or_default());
        }
        format!("{label} ({})", more.join(", "))
    }

    /// How much it matters that a station is in this situation.
    fn severity(&self, at_station: usize, situation: Situation) -> Severity {
        let usual = self.known.watched.severities.of(situation);
        let Some(station) = self.known.stations.get(at_station) else { return usual };
        let set = self.known.devices.get(&station.device_id).map(|device| device.severities);
        let set = set.and_then(|set| match situation {
            Situation::Up(_) => set.up,
            Situation::Down(_) => set.down,
            _ => None,
        });
        set.unwrap_or(usual)
    }

    /// Writes a line of the timeline about a station.
    fn tell(
        &mut self,
        at_station: usize,
        (severity, kind): (Severity, &'static str),
        at: i64,
        text: String,
        data: serde_json::Value,
    ) {
        let station = self.known.stations.get(at_station);
        let device = station.map(|station| station.device_id);
        let label = device.and_then(|id| self.known.devices.get(&id)).map(|device| device.label.clone());
        let device = device.zip(label);
        self.outcome.events.push(Happening { severity, kind, at, device, text, data });
    }

    /// Names devices anew whose names or addresses changed, and says what they are.
    fn relabel(&mut self) {
        let renamed = std::mem::take(&mut self.renamed);
        let devices: HashSet<Uuid> =
            renamed.iter().filter_map(|at| self.known.stations.get(*at)).map(|s| s.device_id).collect();
        for id in devices {
            let stations: Vec<&Station> = self
                .by_device
                .get(&id)
                .into_iter()
                .flatten()
                .filter_map(|at| self.known.stations.get(*at))
                .collect();
            if let Some(device) = self.known.devices.get_mut(&id) {
                device.describe(&stations);
            }
        }
    }

    fn finish(mut self) -> (Watched, Taken) {
        self.relabel();
        self.outcome.hosts = u32::try_from(self.seen.len()).unwrap_or(u32::MAX);
        let Known { watched, stations, devices, .. } = self.known;
        (watched, Taken { stations, devices, outcome: self.outcome })
    }
}
