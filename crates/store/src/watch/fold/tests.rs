//! Networks of a few stations, and what follows from what is seen on them.

use std::collections::HashMap;
use std::net::IpAddr;

use netwark_model::events::Severity;
use netwark_model::mac::Mac;
use netwark_model::watch::access::{AccessAction, AccessRule, AccessRules};
use netwark_model::watch::device::Access;
use netwark_model::watch::network::Severities;
use netwark_model::watch::report::{Fact, LinkFacts};
use netwark_model::watch::sighting::{Name, NameSource, Sighting, Source};
use uuid::Uuid;

use super::{Device, Known, Look, Memory, Outcome, Station, Watched, heard, sweep};
use crate::convert::time;

/// From one sweep to the next, in milliseconds.
const EVERY: i64 = 420_000;
const START: i64 = 1_800_000_000_000;

/// A network that is swept again and again.
pub(super) struct Lab {
    watched: Watched,
    stations: Vec<Station>,
    devices: HashMap<Uuid, Device>,
    rules: Vec<AccessRule>,
    now: i64,
}

fn mac(number: u8) -> Mac {
    Mac::new([0, 0, 0x5e, 0, 0x53, number])
}

/// One that hides its hardware address.
pub(super) fn random(number: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, number])
}

fn address(number: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, number])
}

impl Lab {
    pub(super) fn new() -> Self {
        let watched = Watched {
            id: Uuid::from_u128(1),
            every_ms: EVERY,
            grace: 2,
            severities: Severities::default(),
            tagged: false,
            exclude: vec!["192.0.2.240/28".parse().unwrap()],
            dhcp_servers: Vec::new(),
            routers: Vec::new(),
            learn_until: Some(START + EVERY + 1),
            seen_at: None,
            name: "Office".into(),
            memory: Memory::default(),
        };
        Self { watched, stations: Vec::new(), devices: HashMap::new(), rules: Vec::new(), now: START }
    }

    fn say(&mut self, action: AccessAction, mac: Mac) {
        self.rules.push(AccessRule { action, pattern: mac.into(), expires_at: None });
    }

    fn known<'a>(&mut self) -> Known<'a> {
        for station in &mut self.stations {
            (station.is_new, station.touched) = (false, false);
            for own in &mut station.addresses {
                (own.is_new, own.touched, own.seen) = (false, false, false);
            }
        }
        self.devices.values_mut().for_each(|device| (device.is_new, device.touched) = (false, false));
        Known {
            watched: self.watched.clone(),
            stations: self.stations.clone(),
            devices: self.devices.clone(),
            elsewhere: HashMap::new(),
            rules: AccessRules::new(self.rules.clone(), time(self.now)),
            vendor: &|_| None,
            now: self.now,
        }
    }

    pub(super) fn saw(&self, mac: Mac, number: u8) -> Sighting {
        Sighting {
            at: time(self.now - 1000),
            address: Some(address(number)),
            mac: Some(mac),
            source: Source::Arp,
            rtt_us: None,
            vlan: None,
            router: false,
            names: Vec::new(),
        }
    }

    fn named(&self, mac: Mac, number: u8, name: &str) -> Sighting {
        let names = vec![Name { source: NameSource::Dhcp, text: name.into(), at: None }];
        Sighting { names, ..self.saw(mac, number) }
    }

    pub(super) fn sweep_with(
        &mut self,
        sightings: &[Sighting],
        facts: &[Fact],
        complete: bool,
        link: Option<LinkFacts>,
    ) -> Outcome {
        let look = Look { started_at: self.now - 2000, ended_at: self.now, complete, link };
        let (watched, taken) = sweep(self.known(), &look, sightings, facts);
        self.watched = watched;
        if complete {
            self.watched.seen_at = Some(look.ended_at);
        }
        self.stations = taken.stations;
        self.devices = taken.devices;
        self.now += EVERY;
        taken.outcome
    }

    /// A whole sweep that sees these with an address of the same number.
    fn sweep(&mut self, seen: &[(Mac, u8)]) -> Outcome {
        let sightings: Vec<Sighting> = seen.iter().map(|(mac, number)| self.saw(*mac, *number)).collect();
        self.sweep_with(&sightings, &[], true, None)
    }

    fn touched(&self) -> usize {
        let own = |station: &Station| station.addresses.iter().filter(|own| own.touched).count();
        self.stations.iter().map(|station| usize::from(station.touched) + own(station)).sum()
    }
}

fn told(outcome: &Outcome) -> Vec<(&'static str, Severity)> {
    outcome.events.iter().map(|event| (event.kind, event.severity)).collect()
}

#[test]
fn newcomers_are_told_by_what_the_list_says() {
    let mut lab = Lab::new();
    lab.say(AccessAction::Allow, mac(1));
    lab.say(AccessAction::Deny, mac(3));
    let outcome = lab.sweep(&[(mac(1), 1), (mac(2), 2), (mac(3), 3)]);
    assert_eq!(
        told(&outcome),
        [("device_new", Severity::Info), ("device_new", Severity::Warning), ("device_new", Severity::Alert)]
    );
    assert_eq!((outcome.newcomers, outcome.opened.len()), (3, 3));
    assert_eq!(
        outcome.events[1].text,
        "192.0.2.2 (00:00:5e:00:53:02) is new on Office. The access list does not know it."
    );
}

#[test]
fn what_says_nothing_new_changes_nothing() {
    let mut lab = Lab::new();
    let all: Vec<(Mac, u8)> = (1..=200).map(|number| (mac(number), number)).collect();
    lab.sweep(&all);
    for _ in 0..3 {
        let outcome = lab.sweep(&all);
        assert_eq!((told(&outcome).len(), outcome.opened.len(), lab.touched()), (0, 0, 0));
    }
    assert!(lab.stations.iter().all(|station| station.seen_at(lab.watched.seen_at) == lab.now - EVERY));
}

#[test]
fn who_has_no_address_is_not_said_to_have_been_asked() {
    let mut lab = Lab::new();
    let overheard = Sighting { address: None, ..lab.saw(mac(1), 1) };
    let outcomes =
        [lab.sweep_with(&[overheard], &[], true, None), lab.sweep(&[]), lab.sweep(&[]), lab.sweep(&[])];
    let events = outcomes.iter().flat_map(|outcome| &outcome.events);
    let down: Vec<_> = events.filter(|event| event.kind == "device_down").collect();
    assert_eq!(down.len(), 1);
    assert!(down[0].text.contains("it could not be asked, since it has no address;"), "{}", down[0].text);
}

#[test]
fn one_missed_sweep_is_no_outage_and_two_are() {
    let mut lab = Lab::new();
    lab.say(AccessAction::Allow, mac(1));
    lab.sweep(&[(mac(1), 1), (mac(2), 2)]);
    assert_eq!(told(&lab.sweep(&[(mac(2), 2)])), []);
    assert_eq!(told(&lab.sweep(&[(mac(1), 1), (mac(2), 2)])), [], "it was there again in time");
    let left_at = lab.now - EVERY;
    assert_eq!(told(&lab.sweep(&[])), []);
    let outcome = lab.sweep(&[]);
    assert_eq!(told(&outcome), [("device_down", Severity::Info), ("device_down", Severity::Warning)]);
    assert_eq!((outcome.gone, outcome.closed.len()), (2, 2));
    assert_eq!(outcome.closed[0].1, left_at, "it was there until it was last seen");
    let data = &outcome.events[0].data;
    assert_eq!((&data["missed_sweeps"], &data["silent_ms"]), (&2.into(), &(2 * EVERY).into()));
    assert_eq!(told(&lab.sweep(&[])), [], "once");
    let outcome = lab.sweep(&[(mac(1), 1)]);
    assert_eq!(told(&outcome), [("device_up", Severity::Info)]);
    assert_eq!(outcome.events[0].data["away_ms"], 4 * EVERY - 1000);
}

#[test]
fn a_sweep_that_was_cut_short_lets_nobody_go_down() {
    let mut lab = Lab::new();
    lab.sweep(&[(mac(1), 1)]);
    for _ in 0..5 {
        assert_eq!(told(&lab.sweep_with(&[], &[], false, None)), []);
    }
    assert!(lab.stations[0].up);
}

#[test]
fn who_speaks_by_itself_is_there() {
    let mut lab = Lab::new();
    lab.sweep(&[(mac(1), 1)]);
    for _ in 0..4 {
        let sighting = lab.saw(mac(1), 1);
        let known = lab.known();
        let (watched, taken) = heard(known, i64::MAX, &[sighting], &[]);
        assert_eq!(told(&taken.outcome), []);
        (lab.watched, lab.stations, lab.devices) = (watched, taken.stations, taken.devices);
        assert_eq!(told(&lab.sweep(&[])), []);
    }
    assert_eq!(told(&lab.sweep(&[])), []);
    assert_eq!(told(&lab.sweep(&[])), [("device_down", Severity::Warning)]);
}

#[test]
fn the_worker_itself_is_fine() {
    let mut lab = Lab::new();
    let link = LinkFacts {
        interface: "eth0".into(),
        // As machines that are virtual have it.
        mac: Some(random(9)),
        addresses: vec!["192.0.2.9/24".parse().unwrap()],
        ..LinkFacts::default()
    };
    let mut elsewhere = Lab::new();
    elsewhere.watched.tagged = true;
    elsewhere.sweep_with(&[], &[], true, Some(link.clone()));
    assert!(elsewhere.stations[0].addresses.is_empty(), "it has no address in a VLAN");
    let outcome = lab.sweep_with(&[], &[], true, Some(link));
    assert_eq!(told(&outcome), [("device_new", Severity::Ok)]);
    assert_eq!(lab.stations[0].access, Access::Worker);
    let device = &lab.devices[&lab.stations[0].device_id];
    assert_ne!(device.kind, "mobile", "{device:?}");
}

#[test]
fn a_swapped_card_is_one_event() {
    let mut lab = Lab::new();
    lab.sweep(&[(mac(1), 1), (mac(2), 2)]);
    let outcome = lab.sweep(&[(mac(7), 1), (mac(2), 2)]);
    assert_eq!(told(&outcome), [("mac_changed", Severity::Warning)]);
    assert_eq!(outcome.events[0].data["old_mac"], mac(1).to_string());
    // The old one goes without another word.
    for _ in 0..4 {
        assert_eq!(told(&lab.sweep(&[(mac(7), 1), (mac(2), 2)])), []);
    }
    assert!(!lab.stations[0].up && lab.stations[0].session.is_none());
    // It comes back to its address.
    let outcome = lab.sweep(&[(mac(1), 1), (mac(2), 2)]);
    assert_eq!(told(&outcome), [("flip_flop", Severity::Warning)]);
}

fn v6(number: u8) -> IpAddr {
    IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(number)])
}

/// A device with an address of each family, and one that its hardware address gives it.
fn both(lab: &Lab, mac: Mac, number: u8) -> Vec<Sighting> {
    let [.., last] = mac.bytes();
    let own = IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 1, u16::from(last)]);
    let at = |address| Sighting { address: Some(address), ..lab.saw(mac, number) };
    vec![at(address(number)), at(v6(number)), at(own)]
}

#[test]
fn a_swapped_card_with_addresses_of_both_families_is_one_event() {
    let mut lab = Lab::new();
    let first = both(&lab, mac(1), 1);
    lab.sweep_with(&first, &[], true, None);
    let swapped = both(&lab, mac(7), 1);
    let outcome = lab.sweep_with(&swapped, &[], true, None);
    assert_eq!(told(&outcome), [("mac_changed", Severity::Warning)]);
    let data = &outcome.events[0].data;
    assert_eq!(
        (&data["address"], &data["addresses"]),
        (&"192.0.2.1".into(), &serde_json::json!(["192.0.2.1", "2001:db8::1"]))
    );
    assert!(outcome.events[0].text.starts_with("192.0.2.1 and 1 more address on Office: "));
    for _ in 0..4 {
        let swapped = both(&lab, mac(7), 1);
        assert_eq!(told(&lab.sweep_with(&swapped, &[], true, None)), [], "the old one went with it");
    }
    assert!(!lab.stations[0].up && lab.watched.memory.moves.is_empty());
    let back = both(&lab, mac(1), 1);
    assert_eq!(told(&lab.sweep_with(&back, &[], true, None)), [("flip_flop", Severity::Warning)]);
}

#[test]
fn a_card_that_is_swapped_during_a_sweep_is_one_event_too() {
    let mut lab = Lab::new();
    let first = both(&lab, mac(1), 1);
    lab.sweep_with(&first, &[], true, None);
    let (old, new) = (both(&lab, mac(1), 1), both(&lab, mac(7), 1));
    let during = [old[0].clone(), new[1].clone()];
    assert_eq!(told(&lab.sweep_with(&during, &[], true, None)), [("mac_changed", Severity::Warning)]);
    for _ in 0..4 {
        let new = both(&lab, mac(7), 1);
        assert_eq!(told(&lab.sweep_with(&new, &[], true, None)), []);
    }
}

#[test]
fn what_was_seen_before_a_swap_and_is_told_after_it_does_not_undo_it() {
    let mut lab = Lab::new();
    lab.sweep(&[(mac(1), 1), (mac(2), 2)]);
    // It is heard while a sweep is under way, which has asked the old card just before.
    let swapped = Sighting { source: Source::ArpHeard, ..lab.saw(mac(7), 1) };
    let (watched, taken) = heard(lab.known(), lab.now, &[swapped], &[]);
    assert_eq!(told(&taken.outcome), [("mac_changed", Severity::Warning)]);
    (lab.watched, lab.stations, lab.devices) = (watched, taken.stations, taken.devices);
    assert_eq!(told(&lab.sweep(&[(mac(1), 1), (mac(2), 2)])), []);
    // The old card was heard before the sweep that saw the new one, and that is told later.
    let late = lab.saw(mac(1), 1);
    assert_eq!(told(&lab.sweep(&[(mac(7), 1), (mac(2), 2)])), []);
    let late = Sighting { source: Source::ArpHeard, at: time(START), ..late };
    let (_, taken) = heard(lab.known(), lab.now, &[late], &[]);
    assert_eq!(told(&taken.outcome), []);
    assert_eq!(told(&lab.sweep(&[(mac(1), 1), (mac(2), 2)])), [("flip_flop", Severity::Warning)]);
}

#[test]
fn an_address_that_goes_on_to_another_after_its_owner_left_is_no_news() {
    let mut lab = Lab::new();
    lab.say(AccessAction::Allow, mac(2));
    lab.sweep(&[(mac(1), 1)]);
    lab.sweep(&[]);
    lab.sweep(&[]);
    assert_eq!(told(&lab.sweep(&[(mac(2), 1)])), [("device_new", Severity::Info)]);
}

#[test]
fn two_that_have_one_address_are_told_once_as_long_as_they_do() {
    let mut lab = Lab::new();
    lab.sweep(&[(mac(1), 1)]);
    let both = [(mac(1), 1), (mac(2), 1)];
    let outcome = lab.sweep(&both);
    assert_eq!(told(&outcome), [("address_conflict", Severity::Alert)], "the newcomer is in it");
    assert_eq!(told(&lab.sweep(&both)), []);
    assert_eq!(told(&lab.sweep(&[(mac(1), 1), (mac(2), 5)])), []);
    assert_eq!(told(&lab.sweep(&both)), [("address_conflict", Severity::Alert)]);
    // One device may answer on two interfaces.
    let mut lab = Lab::new();
    lab.sweep(&[(mac(1), 1), (mac(2), 2)]);
    lab.stations[1].device_id = lab.stations[0].device_id;
    assert_eq!(told(&lab.sweep(&both)), []);
}

#[test]
fn a_moved_gateway_is_one_event() {
    let mut lab = Lab::new();
    let gateway = |mac: Mac, number: u8| Fact::Gateway { address: address(number), mac };
    let sighting = lab.saw(mac(1), 1);
    lab.sweep_with(&[sighting], &[gateway(mac(1), 1)], true, None);
    // Another device has its address.
    let sighting = lab.saw(mac(2), 1);
    let outcome = lab.sweep_with(&[sighting], &[gateway(mac(2), 1)], true, None);
    assert_eq!(told(&outcome), [("gateway_changed", Severity::Alert)]);
    // It has another address.
    let sightings = [lab.saw(mac(2), 1), lab.saw(mac(3), 3)];
    let outcome = lab.sweep_with(&sightings, &[gateway(mac(3), 3)], true, None);
    assert_eq!(told(&outcome), [("gateway_changed", Severity::Alert), ("device_new", Severity::Warning)]);
    let sightings = [lab.saw(mac(2), 1), lab.saw(mac(3), 3)];
    assert_eq!(told(&lab.sweep_with(&sightings, &[gateway(mac(3), 3)], true, None)), []);
    // It has addresses of both families, and is overheard before it is asked.
    let mut lab = Lab::new();
    let first = both(&lab, mac(1), 1);
    lab.sweep_with(&first, &[gateway(mac(1), 1)], true, None);
    let moved = both(&lab, mac(2), 1);
    let (watched, taken) = heard(lab.known(), i64::MAX, &moved[1..2], &[]);
    assert_eq!(told(&taken.outcome), [("gateway_changed", Severity::Alert)]);
    (lab.watched, lab.stations, lab.devices) = (watched, taken.stations, taken.devices);
    for _ in 0..4 {
        let moved = both(&lab, mac(2), 1);
        assert_eq!(told(&lab.sweep_with(&moved, &[gateway(mac(2), 1)], true, None)), []);
    }
}

#[test]
fn there_may_be_several_gateways() {
    let mut lab = Lab::new();
    let gateway = |number: u8| Fact::Gateway { address: address(number), mac: mac(number) };
    let mut sweep = |gateways: &[u8]| {
        let seen = [lab.saw(mac(1), 1), lab.saw(mac(2), 2), lab.saw(mac(3), 3)];
        let facts: Vec<Fact> = gateways.iter().map(|number| gateway(*number)).collect();
        let outcome = lab.sweep_with(&seen, &facts, true, None);
        let changed = told(&outcome).into_iter().filter(|(kind, _)| *kind == "gateway_changed").count();
        (changed, lab.watched.memory.learned.gateways.len())
    };
    assert_eq!(sweep(&[1, 2]), (0, 2));
    assert_eq!(sweep(&[1, 2]), (0, 2), "they do not take turns");
    assert_eq!(sweep(&[2]), (0, 1));
    assert_eq!(sweep(&[1, 2]), (0, 2));
    assert_eq!(sweep(&[1, 3]), (1, 2), "one was replaced");
    assert_eq!(sweep(&[]), (0, 2), "none was seen");
}

#[test]
fn what_was_overheard_has_the_time_when_it_was() {
    let mut lab = Lab::new();
    lab.sweep(&[(mac(1), 1)]);
    let dhcp = Fact::DhcpServer { address: address(6), mac: None, gateway: None, resolvers: Vec::new() };
    // The report was made while the network was learned, and comes a day later.
    let (learning, after) = (START + EVERY, START + EVERY + 2);
    lab.now += 24 * 3600 * 1000;
    let (_, taken) = heard(lab.known(), learning, &[], std::slice::from_ref(&dhcp));
    assert_eq!(told(&taken.outcome), []);
    let (_, taken) = heard(lab.known(), after, &[], &[dhcp]);
    assert_eq!(told(&taken.outcome), [("rogue_dhcp", Severity::Alert)]);
    assert_eq!(taken.outcome.events[0].at, after);
}

#[test]
fn who_hands_out_addresses_is_learned_and_then_watched() {
    let mut lab = Lab::new();
    let dhcp = |number: u8| Fact::DhcpServer {
        address: address(number),
        mac: Some(mac(number)),
        gateway: None,
        resolvers: Vec::new(),
    };
    assert_eq!(told(&lab.sweep_with(&[], &[dhcp(1)], true, None)), []);
    lab.now += EVERY;
    assert_eq!(
        told(&lab.sweep_with(&[], &[dhcp(1), dhcp(6)], true, None)),
        [("rogue_dhcp", Severity::Alert)]
    );
    assert_eq!(told(&lab.sweep_with(&[], &[dhcp(1), dhcp(6)], true, None)), [], "once a day");
    // Somebody takes the known one's name.
    let fake =
        Fact::DhcpServer { address: address(1), mac: Some(mac(8)), gateway: None, resolvers: Vec::new() };
    assert_eq!(told(&lab.sweep_with(&[], &[fake], true, None)), [("rogue_dhcp", Severity::Alert)]);
    // What is configured counts instead.
    lab.watched.dhcp_servers = vec![address(6)];
    assert_eq!(told(&lab.sweep_with(&[], &[dhcp(6)], true, None)), []);
    assert_eq!(told(&lab.sweep_with(&[], &[dhcp(1)], true, None)), [("rogue_dhcp", Severity::Alert)]);
    let router = Fact::RouterAdvertisement {
        address: "fe80::bad".parse().unwrap(),
        mac: Some(mac(6)),
        prefixes: Vec::new(),
        lifetime_s: 1800,
    };
    assert_eq!(told(&lab.sweep_with(&[], &[router], true, None)), [("rogue_router", Severity::Alert)]);
    // Whom clients name is who offers.
    lab.watched.dhcp_servers.clear();
    lab.sweep(&[(mac(4), 4)]);
    let named = Fact::DhcpServer { address: address(4), mac: None, gateway: None, resolvers: Vec::new() };
    assert_eq!(
        told(&lab.sweep_with(&[lab.saw(mac(4), 4)], &[named], true, None)),
        [("rogue_dhcp", Severity::Alert)]
    );
    assert_eq!(told(&lab.sweep_with(&[lab.saw(mac(4), 4)], &[dhcp(4)], true, None)), []);
}

#[test]
fn who_hides_its_address_is_proposed_and_not_merged() {
    let mut lab = Lab::new();
    let first = [lab.named(random(1), 1, "annas-phone"), lab.named(random(2), 2, "iphone")];
    lab.sweep_with(&first, &[], true, None);
    let next = [lab.named(random(3), 3, "Annas-Phone"), lab.named(random(4), 4, "iphone")];
    let outcome = lab.sweep_with(&next, &[], true, None);
    assert_eq!(told(&outcome), [("device_proposed", Severity::Warning), ("device_new", Severity::Warning)]);
    assert_eq!(outcome.proposals.len(), 1);
    assert_eq!(outcome.proposals[0].reason, "both are called annas-phone by dhcp");
    assert_eq!(lab.devices.len(), 4);
    // Both are there at once, so they are two.
    let mut lab = Lab::new();
    let first = [lab.named(random(1), 1, "annas-phone")];
    lab.sweep_with(&first, &[], true, None);
    let both = [lab.named(random(1), 1, "annas-phone"), lab.named(random(3), 3, "annas-phone")];
    assert!(lab.sweep_with(&both, &[], true, None).proposals.is_empty());
}

#[test]
fn names_and_addresses_leave_a_history() {
    let mut lab = Lab::new();
    let first = [lab.named(mac(1), 1, "old-name")];
    assert!(lab.sweep_with(&first, &[], true, None).changes.is_empty());
    let next = [lab.named(mac(1), 8, "new-name")];
    let outcome = lab.sweep_with(&next, &[], true, None);
    let changes: Vec<_> = outcome
        .changes
        .iter()
        .map(|change| {
            (change.field.as_str(), change.old.as_deref().unwrap_or(""), change.new.as_deref().unwrap_or(""))
        })
        .collect();
    assert_eq!(changes, [("address", "192.0.2.1", "192.0.2.8"), ("name", "old-name", "new-name")]);
    assert_eq!(lab.devices.values().next().map(|device| device.label.as_str()), Some("new-name"));
}

#[test]
fn a_long_silence_ends_presences_without_a_word() {
    let mut lab = Lab::new();
    lab.sweep(&[(mac(1), 1)]);
    let seen_at = lab.watched.seen_at.unwrap();
    lab.now += 10 * EVERY;
    let outcome = lab.sweep(&[(mac(1), 1)]);
    assert_eq!(told(&outcome), []);
    assert_eq!((outcome.closed.len(), outcome.opened.len()), (1, 1));
    assert_eq!(outcome.closed[0].1, seen_at);
}

#[test]
fn what_is_left_out_and_what_is_no_host_is_not_seen() {
    let mut lab = Lab::new();
    let strange = [
        lab.saw(mac(1), 250),
        Sighting { mac: Some(Mac::BROADCAST), address: None, ..lab.saw(mac(1), 1) },
        Sighting { address: Some("224.0.0.1".parse().unwrap()), ..lab.saw(mac(1), 1) },
        Sighting { address: Some("0.0.0.0".parse().unwrap()), ..lab.saw(mac(1), 1) },
    ];
    assert_eq!(lab.sweep_with(&strange, &[], true, None).hosts, 0);
    // Beyond the link an address is all there is.
    let beyond = Sighting { mac: None, source: Source::Icmp, ..lab.saw(mac(1), 7) };
    assert_eq!(
        told(&lab.sweep_with(std::slice::from_ref(&beyond), &[], true, None)),
        [("device_new", Severity::Warning)]
    );
    assert_eq!(told(&lab.sweep_with(std::slice::from_ref(&beyond), &[], true, None)), []);
    let outcome = lab.sweep(&[(mac(1), 7)]);
    assert_eq!(told(&outcome), [], "it has a hardware address now");
    assert_eq!(lab.stations.len(), 1);
}

#[test]
fn a_device_may_matter_more_than_its_network_says() {
    let mut lab = Lab::new();
    lab.say(AccessAction::Allow, mac(1));
    lab.watched.severities.known_up = Some(Severity::Ok);
    assert_eq!(told(&lab.sweep(&[(mac(1), 1)])), [("device_new", Severity::Ok)]);
    lab.devices.values_mut().for_each(|device| device.severities.down = Some(Severity::Alert));
    lab.sweep(&[]);
    assert_eq!(told(&lab.sweep(&[])), [("device_down", Severity::Alert)]);
}

#[test]
fn a_lone_device_may_have_several_interfaces() {
    let mut lab = Lab::new();
    lab.sweep(&[(mac(1), 1), (mac(2), 2)]);
    lab.stations[1].device_id = lab.stations[0].device_id;
    lab.sweep(&[(mac(1), 1)]);
    assert_eq!(told(&lab.sweep(&[(mac(1), 1)])), [], "its other interface is there");
    lab.sweep(&[]);
    assert_eq!(told(&lab.sweep(&[])), [("device_down", Severity::Warning)]);
    let outcome = lab.sweep(&[(mac(1), 1), (mac(2), 2)]);
    assert_eq!(told(&outcome), [("device_up", Severity::Warning)]);
}
