//! Sweeps of links on which it is known who is there.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use netwark_model::mac::Mac;
use netwark_model::tools::args::Family;
use netwark_model::tools::sweep::{SweepOptions, SweepOutcome};
use netwark_model::watch::report::Fact;
use netwark_model::watch::sighting::{NameSource, Source};
use netwark_probe::resolve::{Answer, Resolve, ResolveError};
use netwark_probe::runner::{ProbeError, Prober};
use netwark_probe::sweep::SweepPlan;
use netwark_probe::sweep::listen::{ListenPlan, Listener};

use crate::chain::{Chain, Plan, sysctl};
use crate::lan::{IMPOSTOR, Lan, LanPlan, OWN, link_local, mac, v4, v6};
use crate::link::Link;
use crate::{engine, os, possible, spoken};

/// Names every host of IPv4.
struct Names;

impl Resolve for Names {
    fn addresses<'a>(&'a self, name: &'a str, _: Family) -> Answer<'a, Result<Vec<IpAddr>, ResolveError>> {
        Box::pin(async move { Err(ResolveError::Resolver(name.into())) })
    }

    fn name(&self, address: IpAddr) -> Answer<'_, Option<String>> {
        Box::pin(async move { address.is_ipv4().then(|| format!("host-{address}")) })
    }
}

/// Long waits, so that nobody is missed on a busy machine; they end early when all have answered.
fn patient() -> SweepOptions {
    SweepOptions { rate: 20_000, tries: 3, timeout_ms: 400, no_names: true, ..SweepOptions::default() }
}

fn try_sweep(target: &str, options: SweepOptions) -> Result<SweepOutcome, ProbeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let prober = Prober::new(engine(), Arc::new(Names));
    let plan = SweepPlan::new(target, options, Arc::new(|_| None)).expect("a plan");
    runtime.block_on(prober.sweep(&plan, Duration::from_millis(100), |_| ()))
}

fn sweep(target: &str, options: SweepOptions) -> SweepOutcome {
    try_sweep(target, options).expect("a sweep")
}

fn found(outcome: &SweepOutcome) -> BTreeMap<IpAddr, Option<Mac>> {
    outcome.hosts.iter().filter(|host| !host.own).map(|host| (host.address, host.mac)).collect()
}

/// All hosts of IPv4 with their hardware addresses.
fn everybody(hosts: u32) -> BTreeMap<IpAddr, Option<Mac>> {
    (0..hosts).map(|host| (v4(host).into(), Some(mac(host)))).collect()
}

#[test]
fn every_host_of_a_link_is_found_and_nobody_else() {
    if !possible() {
        return;
    }
    let lan = Lan::build(LanPlan::default());
    let outcome = lan.at_watcher(|| sweep("10.88.0.0/24", patient()));
    assert_eq!(found(&outcome), everybody(250));
    assert!(outcome.complete && outcome.notes.is_empty(), "{:?}", outcome.notes);
    assert_eq!((outcome.total, outcome.probed), (254, 254));
    assert!(outcome.hosts.iter().any(|host| host.own && host.address == IpAddr::from(OWN)));
    let asked: Vec<String> = lan.neighbours().into_iter().filter(|line| line.starts_with("10.88.")).collect();
    assert!(asked.is_empty(), "the kernel's table was used: {asked:?}");
}

#[test]
fn every_host_of_ipv6_is_found() {
    if !possible() {
        return;
    }
    let lan = Lan::build(LanPlan::default());
    let outcome = lan.at_watcher(|| sweep("fd88::/64", patient()));
    let both =
        (0..250).flat_map(|host| [v6(host), link_local(host)].map(|own| (own.into(), Some(mac(host)))));
    assert_eq!(found(&outcome), both.collect());
    let single = lan.at_watcher(|| sweep("fd88::/120", patient()));
    let expected: BTreeMap<_, _> = (0..250).map(|host| (v6(host).into(), Some(mac(host)))).collect();
    assert_eq!(found(&single), expected, "asked one by one");
}

#[test]
fn the_local_link_is_swept_as_a_whole_with_names() {
    if !possible() {
        return;
    }
    let lan = Lan::build(LanPlan { hosts: 20, ..LanPlan::default() });
    let outcome = lan.at_watcher(|| sweep("local", SweepOptions { no_names: false, ..patient() }));
    assert_eq!(found(&outcome).len(), 3 * 20);
    let name = |address: IpAddr| {
        let host = outcome.hosts.iter().find(|host| host.address == address).expect("the host");
        host.names.first().map(|name| name.text.clone())
    };
    assert_eq!(name(v4(7).into()), Some(format!("host-{}", v4(7))));
    assert_eq!(name(v6(7).into()), None);
    let link = outcome.links.first().expect("a link");
    assert_eq!((link.interface.as_str(), link.mac), ("eth0", Some(Mac::new([0, 0, 0x5e, 0, 0x53, 1]))));
}

#[test]
fn loss_hides_nobody() {
    if !possible() {
        return;
    }
    let lan = Lan::build(LanPlan { lost: 50, ..LanPlan::default() });
    let outcome = lan.at_watcher(|| sweep("10.88.0.0/24", SweepOptions { tries: 8, ..patient() }));
    assert_eq!(found(&outcome), everybody(250));
}

#[test]
fn hosts_of_another_vlan_are_found_with_its_tag_only() {
    if !possible() {
        return;
    }
    let lan = Lan::build(LanPlan { vlan: Some(100), ..LanPlan::default() });
    let tagged = |vlan| SweepOptions { vlan, interface: Some("eth0".into()), ..patient() };
    let outcome = lan.at_watcher(|| sweep("10.88.0.0/24", tagged(Some(100))));
    assert_eq!(found(&outcome), everybody(250));
    assert!(outcome.hosts.iter().all(|host| host.vlan == Some(100)));
    let quick = |vlan| SweepOptions { tries: 1, timeout_ms: 100, ..tagged(vlan) };
    for vlan in [None, Some(101)] {
        let outcome = lan.at_watcher(|| sweep("10.88.0.0/24", quick(vlan)));
        assert!(found(&outcome).is_empty(), "{vlan:?}");
    }
}

#[test]
fn an_address_with_two_owners_is_a_conflict() {
    if !possible() {
        return;
    }
    let lan = Lan::build(LanPlan { hosts: 30, doubled: Some(7), ..LanPlan::default() });
    let outcome = lan.at_watcher(|| sweep("10.88.0.0/27", patient()));
    assert_eq!(found(&outcome).len(), 29);
    let doubled: Vec<_> = outcome.hosts.iter().filter(|host| !host.other_macs.is_empty()).collect();
    let [host] = doubled.as_slice() else { panic!("{doubled:?}") };
    assert_eq!((host.address, host.other_macs.as_slice()), (v4(7).into(), [IMPOSTOR].as_slice()));
    let fact = Fact::Conflict { address: v4(7).into(), macs: vec![mac(7), IMPOSTOR] };
    assert!(outcome.facts.contains(&fact), "{:?}", outcome.facts);
}

#[test]
fn malformed_answers_add_nobody() {
    if !possible() {
        return;
    }
    let lan = Lan::build(LanPlan { garbage: true, hosts: 60, ..LanPlan::default() });
    let outcome = lan.at_watcher(|| sweep("10.88.0.0/24, fd88::/64", patient()));
    let expected: std::collections::BTreeSet<IpAddr> =
        (0..60).flat_map(|host| [IpAddr::from(v4(host)), v6(host).into(), link_local(host).into()]).collect();
    assert_eq!(
        outcome
            .hosts
            .iter()
            .filter(|host| !host.own)
            .map(|host| host.address)
            .collect::<std::collections::BTreeSet<_>>(),
        expected
    );
}

#[test]
fn thousands_of_hosts_are_found_exactly() {
    if !possible() {
        return;
    }
    let lan = Lan::build(LanPlan { hosts: 3_000, prefix: 20, ..LanPlan::default() });
    let outcome = lan.at_watcher(|| sweep("10.88.0.0/20", SweepOptions { tries: 4, ..patient() }));
    assert_eq!(found(&outcome), everybody(3_000));
}

#[test]
fn without_privileges_neighbours_are_found_through_the_kernel() {
    if !possible() {
        return;
    }
    let lan = Lan::build(LanPlan { hosts: 40, ..LanPlan::default() });
    let outcome = lan.at_watcher(|| {
        sysctl("ipv4/ping_group_range", "0 2147483647");
        os::drop_privileges().expect("privileges can be dropped");
        sweep("10.88.0.0/26", patient())
    });
    assert_eq!(found(&outcome), everybody(40));
    assert!(outcome.notes.iter().any(|note| note.contains("CAP_NET_RAW")), "{:?}", outcome.notes);
    assert!(outcome.hosts.iter().all(|host| host.own || host.source == Source::Icmp));
}

#[test]
fn an_interface_that_is_not_there_is_named() {
    if !possible() {
        return;
    }
    let lan = Lan::build(LanPlan { hosts: 1, ..LanPlan::default() });
    let options = SweepOptions { interface: Some("eth7".into()), ..patient() };
    let error = lan.at_watcher(|| try_sweep("10.88.0.0/24", options)).expect_err("no such interface");
    assert!(error.to_string().contains("eth7"), "{error}");
}

#[test]
fn a_link_that_changes_is_seen_as_it_is() {
    if !possible() {
        return;
    }
    let labels = ["annas-laptop".to_owned(), "local".to_owned()].to_vec();
    let lan = Lan::build(LanPlan { hosts: 20, names: [(3, labels)].into(), ..LanPlan::default() });
    let named = SweepOptions { no_names: false, ..patient() };
    let before = lan.at_watcher(|| sweep("10.88.0.0/27", named));
    let host = before.hosts.iter().find(|host| host.address == v4(3)).expect("the host");
    let said = host.names.iter().find(|name| name.source == NameSource::Mdns).expect("a name");
    assert_eq!(said.text, "annas-laptop.local");
    let card = Mac::new([0x00, 0x25, 0x90, 0, 0, 5]);
    lan.change(|plan| {
        plan.absent.insert(4);
        plan.swapped.insert(5, card);
    });
    let asked = lan.asked(v4(4));
    let after = lan.at_watcher(|| sweep("10.88.0.0/27", patient()));
    let mut expected = everybody(20);
    expected.remove(&v4(4).into());
    expected.insert(v4(5).into(), Some(card));
    assert_eq!(found(&after), expected);
    assert_eq!(lan.asked(v4(4)) - asked, 3, "who does not answer is asked so often");
}

#[test]
fn devices_that_speak_are_heard_without_a_sweep() {
    if !possible() {
        return;
    }
    let address = Ipv4Addr::new(10, 88, 0, 77);
    let announced = vec![
        spoken::announcement(mac(77), address),
        spoken::dhcp_client(mac(900), b"laptop"),
        spoken::dhcp_server(mac(66), Ipv4Addr::new(10, 88, 0, 66)),
        spoken::router(mac(99), 1_800),
    ];
    let lan = Lan::build(LanPlan { hosts: 0, announced, ..LanPlan::default() });
    let report = lan.at_watcher(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let plan = ListenPlan { prefixes: vec!["10.88.0.0/24".parse().unwrap()], ..ListenPlan::default() };
        let mut listener = Listener::start(&plan).expect("a listener");
        runtime.block_on(listener.next()).expect("something is heard")
    });
    let heard: BTreeMap<_, _> = report.sightings.iter().map(|one| (one.mac, one)).collect();
    assert_eq!(heard[&Some(mac(77))].address, Some(address.into()));
    let laptop = heard[&Some(mac(900))];
    assert_eq!((laptop.address, laptop.names.first().map(|name| name.text.as_str())), (None, Some("laptop")));
    let [Fact::DhcpServer { address, mac: from, .. }, Fact::RouterAdvertisement { address: router, .. }] =
        report.facts.as_slice()
    else {
        panic!("{:?}", report.facts)
    };
    assert_eq!((*address, *from), (IpAddr::from([10, 88, 0, 66]), Some(mac(66))));
    assert_eq!(*router, IpAddr::from(link_local(99)));
    assert!(heard[&Some(mac(99))].router);
}

/// Connections that were begun in the namespace of the calling thread.
fn connections() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/net/snmp").expect("counters");
    let mut lines = text.lines().filter(|line| line.starts_with("Tcp: ")).map(|line| line.split(' '));
    let at = lines.next().and_then(|mut names| names.position(|name| name == "ActiveOpens")).expect("a name");
    lines.next().and_then(|mut values| values.nth(at)?.parse().ok()).expect("a number")
}

#[test]
fn ports_are_tried_at_the_rate_of_the_sweep() {
    const RATE: u32 = 100;
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { links: vec![Link::of(1); 2], quirks: Vec::new() });
    let options = SweepOptions { rate: RATE, tries: 1, timeout_ms: 100, tcp: true, ..patient() };
    // Times in seconds between which a number of connections was counted, with the number.
    let mut samples = Vec::new();
    let outcome = chain.at_source(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let prober = Prober::new(engine(), Arc::new(Names));
        let plan = SweepPlan::new("10.77.200.0/27", options, Arc::new(|_| None)).expect("a plan");
        runtime.block_on(async {
            let start = Instant::now();
            let mut sweep = pin!(prober.sweep(&plan, Duration::from_millis(100), |_| ()));
            loop {
                let before = start.elapsed().as_secs_f64();
                let begun = connections();
                samples.push((before, begun, start.elapsed().as_secs_f64()));
                let waited = tokio::time::timeout(Duration::from_millis(5), &mut sweep);
                if let Ok(outcome) = waited.await {
                    break outcome.expect("a sweep");
                }
            }
        })
    });
    assert_eq!((found(&outcome).len(), outcome.probed), (0, 30), "{outcome:?}");
    let begun = samples.last().map(|(_, begun, _)| *begun);
    assert_eq!(begun, Some(30 * 6));
    for (at, (from, earlier, _)) in samples.iter().enumerate() {
        for (_, later, until) in &samples[at..] {
            // A few may follow each other when this thread was held up.
            let most = f64::from(RATE) * (until - from) + 6.0;
            assert!((later - earlier) as f64 <= most, "{earlier} to {later} from {from} s to {until} s");
        }
    }
}
