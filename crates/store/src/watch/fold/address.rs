//! Who has which address, in the sense of arpwatch: addresses that change hands, and those two have at once.

use std::collections::BTreeMap;
use std::net::IpAddr;

use netwark_model::watch::network::Situation;
use serde_json::json;
use uuid::Uuid;

use super::presence::Arrival;
use super::state::Moved;
use super::{Address, Fold, Station};

/// Most addresses that are remembered of a station. A router that answers for others has no end of them.
const MOST_ADDRESSES: usize = 64;

/// Most moves that are remembered for that.
const MOST_MOVES: usize = 100;

/// How an address changed hands, what matters least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Its new holder had it long ago.
    Reused,
    /// It is another's for the first time.
    MacChanged,
    /// It went back to who had it before.
    FlipFlop,
    /// The device behind the way out has lost another address.
    OfGateway,
    /// It is the way out.
    Gateway,
}

impl Kind {
    fn is_gateway(self) -> bool {
        matches!(self, Self::Gateway | Self::OfGateway)
    }

    fn words(self) -> (Situation, &'static str, &'static str) {
        match self {
            Self::Reused => (
                Situation::AddressReused,
                "address_reused",
                "the address went to a device that had it long ago",
            ),
            Self::MacChanged => (Situation::MacChanged, "mac_changed", "the address is another device's now"),
            Self::FlipFlop => {
                (Situation::FlipFlop, "flip_flop", "the address went back to the device that had it before")
            }
            Self::OfGateway => (
                Situation::GatewayChanged,
                "gateway_changed",
                "an address of the gateway is another device's now",
            ),
            Self::Gateway => {
                (Situation::GatewayChanged, "gateway_changed", "the gateway is another device now")
            }
        }
    }
}

/// An address that went from one station to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    from: usize,
    to: usize,
    address: IpAddr,
    kind: Kind,
    at: i64,
}

/// Somebody else who has or had an address.
#[derive(Clone, Copy)]
struct Holder {
    station: usize,
    current: bool,
    up: bool,
    last: i64,
    /// When it was last written down that it has it: when it got it, or later.
    noted: i64,
}

impl Fold<'_> {
    /// A station was seen with an address.
    pub(super) fn see_address(&mut self, at_station: usize, address: IpAddr, at: i64) {
        let in_conflict = self.conflicts.contains_key(&address)
            || self.known.watched.memory.conflicts.contains_key(&address);
        let others = self.holders(address, at_station);
        // A look took a while, and when in it somebody answered is not known: who claimed the address since it began, or
        // since what was heard was said, has it.
        let since = self.began.unwrap_or(at);
        if !in_conflict && others.iter().any(|other| other.current && other.noted > since) {
            return;
        }
        let Some(station) = self.known.stations.get_mut(at_station) else { return };
        let (is_new, device) = (station.is_new, station.device_id);
        let own = station.addresses.iter_mut().find(|own| own.address == address);
        let had = own.as_ref().map(|own| (own.current, own.last_seen_at));
        match own {
            Some(own) => {
                if own.missed > 0 || !own.current {
                    own.touched = true;
                }
                own.missed = 0;
                own.current = true;
                own.seen = true;
                own.last_seen_at = own.last_seen_at.max(at);
            }
            None => self.add_address(at_station, address, at),
        }
        if had.is_some_and(|(current, _)| current) {
            return;
        }
        if !is_new {
            let old = self.former(at_station, address);
            self.change(device, at, "address", (old, Some(address.to_string())), "sweep");
        }
        self.renamed.insert(at_station);
        if in_conflict {
            return;
        }
        self.changes_hands((at_station, had.map(|(_, last)| last)), address, &others, at);
        for other in others.iter().filter(|other| other.current) {
            self.lose_address(other.station, address);
        }
    }

    /// The addresses of the same family that a station had besides this one.
    fn former(&self, at_station: usize, address: IpAddr) -> Option<String> {
        let station = self.known.stations.get(at_station)?;
        let before = station.addresses.iter().filter(|old| {
            old.current && !old.is_new && old.address != address && old.address.is_ipv4() == address.is_ipv4()
        });
        let before: Vec<String> = before.map(|old| old.address.to_string()).collect();
        (!before.is_empty()).then(|| before.join(", "))
    }

    fn add_address(&mut self, at_station: usize, address: IpAddr, at: i64) {
        let Some(station) = self.known.stations.get_mut(at_station) else { return };
        if station.addresses.len() >= MOST_ADDRESSES {
            // The one that was seen longest ago makes room, so that rows are bounded, too.
            let oldest = station.addresses.iter_mut().min_by_key(|old| (old.current, old.last_seen_at));
            let Some(oldest) = oldest else { return };
            *oldest = Address { id: oldest.id, is_new: oldest.is_new, ..fresh(address, at) };
        } else {
            station.addresses.push(fresh(address, at));
        }
        self.by_address.entry(address).or_default().push(at_station);
    }

    /// Who else has or had an address, with a hardware address of its own, who has it or had it last first.
    fn holders(&self, address: IpAddr, at_station: usize) -> Vec<Holder> {
        let Some(holders) = self.by_address.get(&address) else { return Vec::new() };
        let device = self.known.stations.get(at_station).map(|station| station.device_id);
        let mut found = Vec::new();
        for at in holders.iter().copied().filter(|at| *at != at_station) {
            let Some(station) = self.known.stations.get(at) else { continue };
            if station.mac.is_none() || Some(station.device_id) == device {
                continue;
            }
            if let Some(own) = station.addresses.iter().find(|own| own.address == address) {
                let last =
                    if own.current { station.seen_at(self.known.watched.seen_at) } else { own.last_seen_at };
                let (current, up, noted) = (own.current, station.up, own.last_seen_at);
                found.push(Holder { station: at, current, up, last, noted });
            }
        }
        found.sort_by_key(|holder| std::cmp::Reverse((holder.current, holder.last)));
        found.dedup_by_key(|holder| holder.station);
        found
    }

    /// An address is another's now. `had` is when its new holder had it before. It is told with everything else that
    /// went from the one to the other, since a device that is replaced has addresses of both families.
    fn changes_hands(
        &mut self,
        (at_station, had): (usize, Option<i64>),
        address: IpAddr,
        others: &[Holder],
        at: i64,
    ) {
        let Some(last) = others.first().copied() else { return };
        let later = others.iter().filter(|other| had.is_some_and(|had| other.last > had)).count();
        let mac = |fold: &Self, at: usize| fold.known.stations.get(at).and_then(|station| station.mac);
        let Some(new_mac) = mac(self, at_station) else { return };
        let old_mac = mac(self, last.station);
        let gateways = &mut self.known.watched.memory.learned.gateways;
        let is_gateways = gateways.iter().any(|gateway| gateway.mac.is_some() && gateway.mac == old_mac);
        let gateway = gateways.iter_mut().find(|gateway| gateway.address == address);
        let is_gateway = gateway.is_some();
        if let Some(gateway) = gateway.filter(|_| last.current) {
            gateway.mac = Some(new_mac);
        }
        let kind = match had {
            _ if is_gateway && last.current => Kind::Gateway,
            _ if is_gateways && last.current => Kind::OfGateway,
            Some(_) if later >= 2 => Kind::Reused,
            Some(_) if last.current && last.up => Kind::FlipFlop,
            // A lease that ran out and was given to somebody else is no news.
            None if last.current && last.up => Kind::MacChanged,
            _ => return,
        };
        self.told.insert(at_station);
        self.moves.push(Move { from: last.station, to: at_station, address, kind, at });
    }

    /// Tells of addresses that changed hands, once for each pair of devices.
    pub(super) fn tell_moves(&mut self) {
        let mut pairs: BTreeMap<(usize, usize), Vec<Move>> = BTreeMap::new();
        for one in std::mem::take(&mut self.moves) {
            pairs.entry((one.from, one.to)).or_default().push(one);
        }
        let mut pairs: Vec<_> = pairs.into_values().collect();
        pairs.sort_by_key(|moves| moves.iter().map(|one| one.at).min());
        for mut moves in pairs {
            moves.sort_by_key(|one| (std::cmp::Reverse(one.kind), one.address));
            if !self.was_told(&moves) {
                self.tell_move(&moves);
            }
        }
    }

    /// Whether it was told a moment ago that one device has taken over from the other, and this is the rest of it;
    /// it is noted for what comes next.
    fn was_told(&mut self, moves: &[Move]) -> bool {
        let Some(first) = moves.first() else { return true };
        let mac = |at: usize| self.known.stations.get(at).and_then(|station| station.mac);
        let (Some(from), Some(to)) = (mac(first.from), mac(first.to)) else { return false };
        let sweeps_left = self.known.watched.grace.max(1).saturating_add(1);
        let memory = &mut self.known.watched.memory.moves;
        let addresses = moves.iter().map(|one| one.address);
        let known = memory.iter_mut().find(|known| (known.from, known.to) == (from, to));
        let Some(known) = known else {
            if memory.len() < MOST_MOVES {
                let addresses = addresses.take(MOST_ADDRESSES).collect();
                let is_gateway = first.kind.is_gateway();
                memory.push(Moved { from, to, sweeps_left, is_gateway, addresses });
            }
            return false;
        };
        // What went back and came again is news, and so is the gateway after another address of the device.
        let again = moves.iter().any(|one| known.addresses.contains(&one.address));
        let worse = first.kind.is_gateway() && !known.is_gateway;
        known.is_gateway |= first.kind.is_gateway();
        known.addresses.extend(addresses);
        known.addresses.truncate(MOST_ADDRESSES);
        !again && !worse
    }

    /// A sweep was taken in: moves that were told some sweeps ago are forgotten.
    pub(super) fn forget_moves(&mut self) {
        let moves = &mut self.known.watched.memory.moves;
        moves.iter_mut().for_each(|known| known.sweeps_left -= 1);
        moves.retain(|known| known.sweeps_left > 0);
    }

    /// Whether it was told a moment ago that another has taken over from a station, which had nothing besides but what
    /// its hardware address gave it.
    pub(super) fn was_replaced(&self, station: &Station) -> bool {
        let Some(mac) = station.mac else { return false };
        let mut current = station.addresses.iter().filter(|own| own.current).peekable();
        if current.peek().is_none() && !station.addresses.is_empty() {
            return true;
        }
        let was_moved = self.known.watched.memory.moves.iter().any(|known| known.from == mac);
        was_moved && current.all(|own| own.address.is_ipv6())
    }

    fn tell_move(&mut self, moves: &[Move]) {
        let Some(first) = moves.first().copied() else { return };
        let (situation, kind, what) = first.kind.words();
        let mut severity = self.severity(first.to, situation);
        let arrives = self.arrivals.iter().any(|(at, arrival)| *at == first.to && *arrival == Arrival::New);
        let access = self.known.stations.get(first.to).map(|station| station.access);
        if let (true, Some(access)) = (arrives, access) {
            severity = severity.max(self.severity(first.to, Situation::Up(access)));
        }
        self.relabel();
        let more = match moves.len() - 1 {
            0 => String::new(),
            1 => " and 1 more address".to_owned(),
            more => format!(" and {more} more addresses"),
        };
        let text = format!(
            "{}{more} on {}: {what}. It was {}, and is {}. {}",
            first.address,
            self.known.watched.name,
            self.words(first.from),
            self.words(first.to),
            access.map(super::presence::said).unwrap_or_default(),
        );
        let mac = |at: usize| self.known.stations.get(at).and_then(|station| station.mac);
        let addresses: Vec<IpAddr> = moves.iter().map(|one| one.address).collect();
        let data = json!({
            "address": first.address, "addresses": addresses, "old_mac": mac(first.from), "mac": mac(first.to),
            "access": access, "is_new": arrives,
        });
        self.tell(first.to, (severity, kind), first.at, text, data);
    }

    fn lose_address(&mut self, at_station: usize, address: IpAddr) {
        let Some(station) = self.known.stations.get_mut(at_station) else { return };
        let last = station.seen_at(self.known.watched.seen_at);
        if let Some(own) = station.addresses.iter_mut().find(|own| own.address == address) {
            own.current = false;
            own.last_seen_at = own.last_seen_at.max(last);
            own.touched = true;
        }
    }

    /// Tells of addresses that several devices have, once as long as they have them.
    pub(super) fn tell_conflicts(&mut self, at: i64, is_complete: bool) {
        let mut found: Vec<_> = std::mem::take(&mut self.conflicts).into_iter().collect();
        found.sort();
        let mut lasting = Vec::new();
        for (address, macs) in found {
            let stations: Vec<usize> = macs.iter().filter_map(|mac| self.at_mac(*mac)).collect();
            let device = |at: &usize| self.known.stations.get(*at).map(|station| station.device_id);
            let mut devices: Vec<Uuid> = stations.iter().filter_map(device).collect();
            devices.sort_unstable();
            devices.dedup();
            // One device with two interfaces on a link answers for its address on both.
            if devices.len() < 2 {
                continue;
            }
            lasting.push(address);
            if self.known.watched.memory.conflicts.insert(address, at).is_some() {
                continue;
            }
            self.relabel();
            let newest = stations.iter().copied().max_by_key(|at| {
                self.known.stations.get(*at).map(|station| (station.is_new, station.first_seen_at))
            });
            let Some(newest) = newest else { continue };
            let words: Vec<String> = stations.iter().map(|at| self.words(*at)).collect();
            let text = format!(
                "{address} on {} is used by {} devices at once: {}",
                self.known.watched.name,
                devices.len(),
                words.join(" and "),
            );
            let mut severity = self.severity(newest, Situation::AddressConflict);
            for at_station in &stations {
                let Some(station) = self.known.stations.get(*at_station) else { continue };
                if station.is_new {
                    severity = severity.max(self.severity(*at_station, Situation::Up(station.access)));
                    self.told.insert(*at_station);
                }
            }
            self.tell(
                newest,
                (severity, "address_conflict"),
                at,
                text,
                json!({ "address": address, "macs": macs }),
            );
        }
        if is_complete {
            self.known.watched.memory.conflicts.retain(|address, _| lasting.contains(address));
        }
    }
}

fn fresh(address: IpAddr, at: i64) -> Address {
    Address {
        id: Uuid::now_v7(),
        address,
        current: true,
        missed: 0,
        first_seen_at: at,
        last_seen_at: at,
        seen: true,
        is_new: true,
        touched: true,
    }
}
