//! What is seen besides hosts: gateways, and who hands out addresses or says it is a router.

use std::net::IpAddr;

use netwark_model::mac::Mac;
use netwark_model::watch::network::{Neighbour, Situation};
use netwark_model::watch::report::Fact;
use serde_json::json;

use super::Fold;

/// Who is out of place is told of again when it was silent for so long, in milliseconds: a day.
const TOLD_AGAIN: i64 = 24 * 3600 * 1000;
/// Most of each kind that is remembered.
const MOST: usize = 100;

/// What somebody offers to everybody on the link.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Offer {
    /// Addresses.
    Dhcp,
    /// A way out.
    Router,
}

/// Whether these may be one and the same, as far as it is known.
fn is_same(one: &Neighbour, other: &Neighbour) -> bool {
    one.address == other.address && (one.mac == other.mac || one.mac.is_none() || other.mac.is_none())
}

impl Fold<'_> {
    /// Notes which addresses are said to be in conflict, before anybody is seen with them.
    pub(super) fn conflicting(&mut self, facts: &[Fact]) {
        for fact in facts {
            if let Fact::Conflict { address, macs } = fact {
                let macs = macs.iter().copied().filter(|mac| mac.is_unicast());
                self.conflicts.entry(*address).or_default().extend(macs);
            }
        }
    }

    pub(super) fn facts(&mut self, facts: &[Fact], at: i64) {
        let mut gateways = Vec::new();
        for fact in facts {
            match fact {
                Fact::Gateway { address, mac } => {
                    gateways.push(Neighbour { address: *address, mac: Some(*mac) });
                }
                Fact::DhcpServer { address, mac, .. } => {
                    self.offered(Offer::Dhcp, Neighbour { address: *address, mac: *mac }, at);
                }
                // It says that it is none.
                Fact::RouterAdvertisement { lifetime_s: 0, .. } => {}
                Fact::RouterAdvertisement { address, mac, .. } => {
                    self.offered(Offer::Router, Neighbour { address: *address, mac: *mac }, at);
                }
                Fact::Conflict { .. } => {}
            }
        }
        for is_v4 in [true, false] {
            let of_family = gateways.iter().copied().filter(|gateway| gateway.address.is_ipv4() == is_v4);
            self.gateways(&of_family.collect::<Vec<_>>(), at);
        }
    }

    /// The ways out of one family that were seen. There may be several: one is another now only when the one before is
    /// none any more.
    fn gateways(&mut self, told: &[Neighbour], at: i64) {
        let Some(is_v4) = told.first().map(|gateway| gateway.address.is_ipv4()) else { return };
        let learned = &mut self.known.watched.memory.learned.gateways;
        let mut changed = Vec::new();
        let mut fresh = Vec::new();
        for new in told {
            // Which of two that answer for it answered last says nothing.
            if self.conflicts.contains_key(&new.address) {
                continue;
            }
            match learned.iter_mut().find(|known| known.address == new.address) {
                Some(known) if known == new => {}
                Some(known) => changed.push((std::mem::replace(known, *new), *new)),
                None => fresh.push(*new),
            }
        }
        let is_gone = |known: &Neighbour| {
            known.address.is_ipv4() == is_v4 && !told.iter().any(|one| one.address == known.address)
        };
        let mut gone: Vec<Neighbour> = learned.iter().copied().filter(is_gone).collect();
        learned.retain(|known| !is_gone(known));
        gone.reverse();
        for new in fresh {
            if learned.len() < MOST {
                learned.push(new);
            }
            changed.extend(gone.pop().map(|old| (old, new)));
        }
        for (old, new) in changed {
            self.tell_gateway(old, new, at);
        }
    }

    fn tell_gateway(&mut self, old: Neighbour, new: Neighbour, at: i64) {
        let device = |fold: &Self, mac: Option<Mac>| {
            let at = fold.at_mac(mac?)?;
            fold.known.stations.get(at).map(|station| station.device_id)
        };
        // Two interfaces of one device may take turns.
        let same_device = device(self, old.mac).is_some_and(|one| device(self, new.mac) == Some(one));
        if old.address == new.address && (same_device || old.mac.is_none()) {
            return;
        }
        let severity = self.known.watched.severities.of(Situation::GatewayChanged);
        let text = format!(
            "The gateway of {} is {} now, and was {}",
            self.known.watched.name,
            self.neighbour(new),
            self.neighbour(old),
        );
        self.tell_of(severity, "gateway_changed", new, at, text, json!({ "old": old, "new": new }));
    }

    /// Somebody offers something to everybody; whoever is not trusted to is out of place.
    fn offered(&mut self, offer: Offer, mut who: Neighbour, at: i64) {
        // Who was only named by another has the hardware address that the network knows.
        who.mac = who.mac.or_else(|| self.has(who.address));
        let watched = &mut self.known.watched;
        let learned = &mut watched.memory.learned;
        let (configured, learned) = match offer {
            Offer::Dhcp => (&watched.dhcp_servers, &mut learned.dhcp_servers),
            Offer::Router => (&watched.routers, &mut learned.routers),
        };
        if !configured.is_empty() {
            if configured.contains(&who.address) {
                return;
            }
        } else if let Some(known) = learned.iter_mut().find(|known| is_same(known, &who)) {
            known.mac = known.mac.or(who.mac);
            return;
        } else if watched.learn_until.is_some_and(|until| at < until) && learned.len() < MOST {
            learned.push(who);
            return;
        }
        let word = match offer {
            Offer::Dhcp => "dhcp",
            Offer::Router => "router",
        };
        let mac = who.mac.map(|mac| mac.to_string()).unwrap_or_default();
        let begin = format!("{word} {} ", who.address);
        let is_known = |key: &str| {
            key.strip_prefix(&begin).is_some_and(|known| known == mac || known.is_empty() || mac.is_empty())
        };
        let told = watched.memory.rogues.keys().find(|key| is_known(key)).cloned();
        let key = told.unwrap_or_else(|| format!("{begin}{mac}"));
        if watched.memory.rogues.len() >= MOST {
            let oldest = watched.memory.rogues.iter().min_by_key(|(_, at)| **at).map(|(key, _)| key.clone());
            if let Some(key) = oldest {
                watched.memory.rogues.remove(&key);
            }
        }
        let last = watched.memory.rogues.insert(key, at);
        if last.is_some_and(|last| at.saturating_sub(last) < TOLD_AGAIN) {
            return;
        }
        let (situation, kind, does) = match offer {
            Offer::Dhcp => (Situation::RogueDhcp, "rogue_dhcp", "hands out addresses by DHCP"),
            Offer::Router => (Situation::RogueRouter, "rogue_router", "says that it is a router"),
        };
        let severity = watched.severities.of(situation);
        let known = if configured.is_empty() {
            "while the network was learned"
        } else {
            "in the settings of the network"
        };
        let text = format!(
            "{} {does} on {}, and is not among those known {known}",
            self.neighbour(who),
            self.known.watched.name
        );
        self.tell_of(severity, kind, who, at, text, json!({ "who": who }));
    }

    /// The hardware address that an address has.
    fn has(&self, address: IpAddr) -> Option<Mac> {
        let holders = self.by_address.get(&address)?.iter();
        let mut stations = holders.filter_map(|at| self.known.stations.get(*at));
        stations.find(|one| one.addresses.iter().any(|own| own.address == address && own.current))?.mac
    }

    /// Somebody in a sentence, by what is known of its hardware address.
    fn neighbour(&self, who: Neighbour) -> String {
        let station = who.mac.and_then(|mac| self.at_mac(mac));
        match (station.map(|at| self.words(at)), who.mac) {
            (Some(words), _) if words.starts_with(&who.address.to_string()) => words,
            (Some(words), _) => format!("{}, {words}", who.address),
            (None, Some(mac)) => format!("{} ({mac})", who.address),
            (None, None) => who.address.to_string(),
        }
    }

    fn tell_of(
        &mut self,
        severity: netwark_model::events::Severity,
        kind: &'static str,
        who: Neighbour,
        at: i64,
        text: String,
        data: serde_json::Value,
    ) {
        let station = who.mac.and_then(|mac| self.at_mac(mac)).unwrap_or(usize::MAX);
        self.tell(station, (severity, kind), at, text, data);
    }
}
