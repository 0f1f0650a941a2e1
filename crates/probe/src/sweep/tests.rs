//! Which address is asked how.

use super::*;
use netwark_model::tools::sweep::SweepOptions;

fn interface(index: u32, name: &str, addresses: &[&str]) -> Interface {
    Interface {
        index,
        name: name.into(),
        mac: Some([0, 0, 0x5e, 0, 0x53, 1]),
        up: true,
        loopback: false,
        resolves: true,
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
    }
}

fn here() -> Surroundings {
    let loopback = Interface {
        index: 1,
        name: "lo".into(),
        up: true,
        loopback: true,
        addresses: vec!["127.0.0.1/8".parse().unwrap()],
        ..Interface::default()
    };
    let interfaces = vec![
        loopback,
        interface(2, "eth0", &["192.0.2.1/24", "fe80::1/64", "2001:db8::1/64"]),
        interface(3, "eth1", &["10.0.0.1/8"]),
        Interface { up: false, ..interface(4, "eth2", &["198.51.100.1/24"]) },
    ];
    Surroundings { interfaces, ..Surroundings::default() }
}

fn plan(target: &str, options: SweepOptions) -> SweepPlan {
    SweepPlan::new(target, options, Arc::new(|_| None)).unwrap()
}

fn divided(target: &str, options: SweepOptions, here: &Surroundings) -> Result<Split, ProbeError> {
    let plan = plan(target, options);
    let spans = plan.ranges.spans();
    split(&plan, here, spans)
}

fn count(spans: &[Span]) -> u64 {
    spans.iter().map(|span| span.count()).sum()
}

#[test]
fn neighbours_are_asked_on_their_link_and_others_beyond() {
    let split =
        divided("192.0.2.0/24, 10.0.0.0/24, 203.0.113.0/24", SweepOptions::default(), &here()).unwrap();
    let links: Vec<_> = split.links.iter().map(|(index, link)| (*index, count(&link.spans))).collect();
    assert_eq!(links, [(2, 253), (3, 253)], "our own addresses are not asked");
    assert_eq!(count(&split.beyond), 254);
    let own: Vec<_> = split.own.iter().map(|host| host.address.to_string()).collect();
    assert_eq!(own, ["192.0.2.1", "10.0.0.1"]);
}

#[test]
fn what_is_left_out_is_asked_nowhere() {
    let options =
        SweepOptions { exclude: Some("192.0.2.1, 192.0.2.128/25".into()), ..SweepOptions::default() };
    let split = divided("192.0.2.0/24", options, &here()).unwrap();
    assert_eq!(count(&split.links.get(&2).unwrap().spans), 126);
    assert!(split.own.is_empty());
}

#[test]
fn local_is_what_this_machine_stands_in_and_no_more_than_was_agreed() {
    let split = divided("local", SweepOptions::default(), &here()).unwrap();
    let eth0 = split.links.get(&2).unwrap();
    assert!(eth0.everybody && eth0.vast.len() == 2 && count(&eth0.spans) == 253);
    assert_eq!(count(&split.links.get(&3).unwrap().spans), 0);
    assert!(split.notes.iter().any(|note| note.starts_with("10.0.0.0/8 has")), "{:?}", split.notes);
    let large = SweepOptions { large: true, interface: Some("eth1".into()), ..SweepOptions::default() };
    let split = divided("local", large, &here()).unwrap();
    assert_eq!(count(&split.links.get(&3).unwrap().spans), (1 << 24) - 3);
    assert!(!split.links.contains_key(&2));
}

#[test]
fn a_network_of_ipv6_is_asked_as_a_whole_or_not_at_all() {
    let split = divided("2001:db8::/64", SweepOptions::default(), &here()).unwrap();
    assert!(split.links.get(&2).unwrap().everybody);
    let split = divided("2001:db9::/64", SweepOptions::default(), &here()).unwrap();
    assert!(
        split.links.is_empty() && split.notes.first().unwrap().contains("too large"),
        "{:?}",
        split.notes
    );
}

#[test]
fn a_named_link_is_asked_for_everything() {
    let options = SweepOptions { interface: Some("eth0".into()), vlan: Some(7), ..SweepOptions::default() };
    let split = divided("203.0.113.0/24, 192.0.2.1", options, &here()).unwrap();
    assert_eq!(count(&split.links.get(&2).unwrap().spans), 255, "in another VLAN our address is anybody's");
    for (name, why) in [("eth9", "which is not here"), ("eth2", "is down"), ("lo", "is no Ethernet")] {
        let options = SweepOptions { interface: Some(name.into()), ..SweepOptions::default() };
        let Err(error) = divided("192.0.2.0/24", options, &here()) else { panic!("{name}") };
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn in_a_vlan_nobody_is_asked_without_its_tag() {
    let options = |name: Option<&str>| SweepOptions {
        vlan: Some(30),
        interface: name.map(Into::into),
        ..SweepOptions::default()
    };
    let told = |name, here: &Surroundings| match divided("192.0.2.0/24", options(name), here) {
        Err(error) => error.to_string(),
        Ok(split) => panic!("{:?}", split.beyond),
    };
    assert_eq!(told(None, &here()), "the target needs the interface that is to bear the tag of VLAN 30");
    let kernel = Surroundings { no_frames: Some("no".into()), ..here() };
    assert_eq!(told(Some("eth0"), &kernel), "the target cannot be asked in VLAN 30: no");
    let split = divided("192.0.2.0/24", options(Some("eth0")), &here()).unwrap();
    assert!(split.beyond.is_empty() && split.links.len() == 1);
}

#[test]
fn without_frames_all_is_asked_through_the_kernel() {
    let here = Surroundings { no_frames: Some("no".into()), ..here() };
    let split = divided("192.0.2.0/24", SweepOptions::default(), &here).unwrap();
    assert!(split.links.is_empty());
    assert_eq!(count(&split.beyond), 253);
    let split = divided("local", SweepOptions { large: true, ..SweepOptions::default() }, &here).unwrap();
    assert!(split.links.is_empty() && split.notes.len() == 1, "{:?}", split.notes);
}
