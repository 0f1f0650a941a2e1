//! Real packets over a chain of routers in network namespaces. Needs root, iproute2 and /dev/net/tun.

mod chain;
mod connect;
mod lan;
mod link;
mod os;
mod spoken;
mod sweep;

use std::io::Write as _;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use std::{env, io};

use netwark_model::tools::mtr::{HopAnswer, MtrOptions, Protocol, TraceEnd, TraceReport};
use netwark_model::tools::ping::{PingFate, PingOptions, PingReport};
use netwark_probe::decide::Decider;
use netwark_probe::engine::{Engine, EngineOptions, Traffic};
use netwark_probe::ping::PingDecider;
use netwark_probe::sweep_ping::{SweepPing, SweepPingOptions};
use netwark_probe::trace::TraceDecider;

use chain::{Chain, Plan, Quirk, TARGETS, hop};
use link::Link;

/// Whether these tests can run here. Where they must, not being able to is a failure.
fn possible() -> bool {
    let missing = if !rustix::process::geteuid().is_root() {
        "root privileges are missing"
    } else if Command::new("ip").arg("-V").output().is_err() {
        "`ip` is missing: install iproute2"
    } else if !Path::new("/dev/net/tun").exists() {
        "/dev/net/tun is missing"
    } else {
        return true;
    };
    let required = env::var("CI").is_ok_and(|ci| ci == "true")
        || env::var("NETWARK_TEST_ROOT").is_ok_and(|root| root == "require");
    assert!(!required, "tests in network namespaces cannot run: {missing}");
    let _ = writeln!(io::stderr(), "skipped: {missing}");
    false
}

/// Eight hops; the fifth link is slow.
fn eight() -> Plan {
    let links = (1..=8).map(|link| Link::of(if link == 5 { 10 } else { 1 })).collect();
    Plan { links, quirks: Vec::new() }
}

fn measure<D: Decider>(engine: &Engine, decider: D) -> D::Output
where
    D::Output: Sync,
{
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(engine.run(decider, None).finished()).expect("a measurement")
}

fn engine() -> Engine {
    Engine::start(EngineOptions::default()).expect("an engine")
}

fn ping(options: &PingOptions, to: &str) -> PingReport {
    let to: IpAddr = to.parse().expect("an address");
    measure(&engine(), PingDecider::new(options, to, None))
}

fn trace(options: &MtrOptions, to: &str) -> TraceReport {
    let to: IpAddr = to.parse().expect("an address");
    measure(&engine(), TraceDecider::new(options, to, None))
}

fn quick_ping(count: u32) -> PingOptions {
    PingOptions { count, interval_ms: 10, timeout_ms: 2_000, ..PingOptions::default() }
}

fn quick_trace(protocol: Protocol, cycles: u32) -> MtrOptions {
    MtrOptions { protocol, cycles, interval_ms: 20, timeout_ms: 1_000, ..MtrOptions::default() }
}

/// Every responder of every hop.
fn responders(report: &TraceReport) -> Vec<Vec<IpAddr>> {
    report.hops.iter().map(|hop| hop.responders.iter().map(|responder| responder.address).collect()).collect()
}

/// The hops of a chain as a trace that sees everything shows them.
fn whole_way(family: usize, hops: usize) -> Vec<Vec<IpAddr>> {
    (1..=hops).map(|at| vec![hop(family, at, hops)]).collect()
}

#[test]
fn pings_cross_the_chain() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&eight());
    for target in TARGETS {
        let report = chain.at_source(|| ping(&quick_ping(10), target));
        let statistics = &report.statistics;
        assert_eq!((statistics.received, statistics.duplicates, statistics.errors), (10, 0, 0), "{report:?}");
        for reply in &report.replies {
            let PingFate::Reply { rtt, ttl, from, kernel, .. } = reply.fate else { panic!("{reply:?}") };
            assert_eq!((ttl, from, kernel), (Some(57), None, true), "{target}");
            assert!(rtt >= 2.0 * 17.0, "{rtt} ms is faster than the links");
        }
    }
}

#[test]
fn short_and_long_pings_are_matched() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { links: vec![Link::of(1); 2], quirks: Vec::new() });
    for target in TARGETS {
        for size in [0, 1, 7, 8, 9, 10, 11, 1_472, 4_000] {
            let options = PingOptions { size, ..quick_ping(3) };
            let report = chain.at_source(|| ping(&options, target));
            assert_eq!(report.statistics.received, 3, "{size} bytes to {target}");
            let report = chain.unprivileged(true, || ping(&options, target));
            assert_eq!(report.statistics.received, 3, "{size} bytes to {target} without privileges");
        }
    }
}

/// Bytes of IPv4 that this thread's namespace has sent and received; the kernel's own packets are none of them.
fn octets() -> (u64, u64) {
    let table = std::fs::read_to_string("/proc/thread-self/net/netstat").expect("the counters");
    let mut lines = table.lines().filter_map(|line| line.strip_prefix("IpExt: "));
    let (names, values) = (lines.next().expect("names"), lines.next().expect("values"));
    let value = |wanted| {
        let at = names.split(' ').position(|name| name == wanted).expect("the counter");
        values.split(' ').nth(at).expect("its value").parse().expect("a number")
    };
    (value("OutOctets"), value("InOctets"))
}

#[test]
fn bytes_are_counted_as_the_kernel_counts_them() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { links: vec![Link::of(1); 3], quirks: Vec::new() });
    let counted = |work: &(dyn Fn(&Engine) + Sync), is_v4: bool| {
        let before = octets();
        let traffic = Arc::new(Traffic::default());
        work(&engine().metered(Arc::clone(&traffic)));
        let (after, counted) = (octets(), (traffic.sent(), traffic.received()));
        if is_v4 {
            assert_eq!(counted, (after.0 - before.0, after.1 - before.1));
        }
        counted
    };
    for target in TARGETS {
        let to: IpAddr = target.parse().expect("an address");
        let is_v4 = to.is_ipv4();
        for size in [0, 56, 1_400] {
            let options = PingOptions { size, ..quick_ping(3) };
            let ping = |engine: &Engine| drop(measure(engine, PingDecider::new(&options, to, None)));
            let whole = 3 * (if is_v4 { 28 } else { 48 } + u64::from(size));
            let counts = chain.at_source(|| counted(&ping, is_v4));
            assert_eq!(counts, (whole, whole), "{size} bytes to {target}");
            let counts = chain.unprivileged(true, || counted(&ping, is_v4));
            assert_eq!(counts, (whole, whole), "{size} bytes to {target} without privileges");
        }
        for protocol in [Protocol::Icmp, Protocol::Udp, Protocol::Tcp] {
            let options = MtrOptions { last_ttl: 3, size: 100, ..quick_trace(protocol, 2) };
            let trace = |engine: &Engine| drop(measure(engine, TraceDecider::new(&options, to, None)));
            // Six probes; a SYN has no payload, and 24 bytes.
            let length = match protocol {
                Protocol::Tcp => 24 + if is_v4 { 20 } else { 40 },
                _ => 100,
            };
            let sent = 6 * length;
            assert_eq!(chain.at_source(|| counted(&trace, is_v4)).0, sent, "{protocol:?} to {target}");
            if protocol != Protocol::Tcp {
                let counts = chain.unprivileged(true, || counted(&trace, is_v4));
                assert_eq!(counts.0, sent, "{protocol:?} to {target} without privileges");
            }
        }
    }
}

#[test]
fn traces_see_every_hop() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&eight());
    for (family, target) in TARGETS.into_iter().enumerate() {
        for protocol in [Protocol::Icmp, Protocol::Udp, Protocol::Tcp] {
            let report = chain.at_source(|| trace(&quick_trace(protocol, 3), target));
            assert_eq!(responders(&report), whole_way(family, 8), "{protocol:?} to {target}: {report:?}");
            assert_eq!(
                (report.reached, report.end),
                (true, Some(TraceEnd::Target)),
                "{protocol:?} to {target}"
            );
            assert!(report.hops.iter().all(|hop| hop.loss == 0.0), "{protocol:?} to {target}: {report:?}");
            let best = |hop: usize| report.hops[hop - 1].rtt.expect("round trips").best;
            assert!(best(5) >= 28.0 && best(4) < best(5), "hop 5 lies behind the slow link: {report:?}");
        }
    }
}

#[test]
fn traces_work_without_privileges() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&eight());
    for (family, target) in TARGETS.into_iter().enumerate() {
        for protocol in [Protocol::Icmp, Protocol::Udp] {
            let report = chain.unprivileged(true, || trace(&quick_trace(protocol, 2), target));
            assert_eq!(responders(&report), whole_way(family, 8), "{protocol:?} to {target}: {report:?}");
        }
        let report = chain.unprivileged(true, || trace(&quick_trace(Protocol::Tcp, 1), target));
        let summary = &report.verdict.summary;
        assert!(summary.contains("CAP_NET_RAW"), "what is missing is named: {summary}");
    }
}

#[test]
fn what_is_missing_is_named() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { links: vec![Link::of(0)], quirks: Vec::new() });
    let (report, engine) = chain.unprivileged(false, || {
        let engine = engine();
        let to = TARGETS[0].parse().expect("an address");
        (measure(&engine, PingDecider::new(&quick_ping(1), to, None)), engine)
    });
    let PingFate::Unsent { message } = &report.replies[0].fate else { panic!("{report:?}") };
    assert!(
        message.contains("CAP_NET_RAW") && message.contains("net.ipv4.ping_group_range is '1 0'"),
        "{message}"
    );
    assert!(!engine.capabilities().raw_v4.available && !engine.capabilities().datagram_v6.available);
    assert!(engine.capabilities().udp_errqueue.available);
}

#[test]
fn loss_begins_at_the_lossy_link() {
    if !possible() {
        return;
    }
    let mut plan = eight();
    // Four probes of each cycle cross the link: with a number that shares a factor with theirs, one hop might lose
    // all of them.
    plan.links[5].lose_every = Some(5);
    let chain = Chain::build(&plan);
    for (family, target) in TARGETS.into_iter().enumerate() {
        let options = MtrOptions { timeout_ms: 300, ..quick_trace(Protocol::Icmp, 40) };
        let report = chain.at_source(|| trace(&options, target));
        assert_eq!(responders(&report), whole_way(family, 8), "{report:?}");
        for hop in &report.hops {
            assert_eq!(hop.loss > 0.0, hop.ttl >= 6, "hop {} of {target} loses {}%", hop.ttl, hop.loss);
        }
    }
}

#[test]
fn doubled_packets_are_counted() {
    if !possible() {
        return;
    }
    let mut plan = Plan { links: vec![Link::of(1); 2], quirks: Vec::new() };
    plan.links[1].double_every = Some(5);
    let chain = Chain::build(&plan);
    // The last requests are not doubled: a ping does not wait for what may come after its last reply.
    let report = chain.at_source(|| ping(&quick_ping(22), TARGETS[0]));
    assert_eq!((report.statistics.received, report.statistics.duplicates), (22, 4), "{report:?}");
}

#[test]
fn forged_replies_are_dropped_and_counted() {
    if !possible() {
        return;
    }
    let link = Link { forge: true, ..Link::of(1) };
    let chain = Chain::build(&Plan { links: vec![link], quirks: Vec::new() });
    for target in TARGETS {
        let (report, counters) = chain.at_source(|| {
            let engine = engine();
            let to = target.parse().expect("an address");
            (measure(&engine, PingDecider::new(&quick_ping(10), to, None)), engine.counters())
        });
        assert_eq!((report.statistics.received, report.statistics.duplicates), (10, 0), "{report:?}");
        assert_eq!((counters.bad_token, counters.received), (10, 10), "{counters:?}");
    }
}

#[test]
fn replies_after_the_deadline_are_late() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { links: vec![Link::of(20)], quirks: Vec::new() });
    for target in TARGETS {
        let report = chain.at_source(|| ping(&PingOptions { timeout_ms: 20, ..quick_ping(30) }, target));
        let statistics = &report.statistics;
        assert_eq!((statistics.received, statistics.loss), (0, 100.0), "{report:?}");
        // The last ones are not waited for.
        assert!(statistics.late > 5, "{report:?}");
    }
}

#[test]
fn targets_are_given_their_gap_and_nothing_is_lost() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { links: vec![Link::of(0)], quirks: Vec::new() });
    let report = chain.at_source(|| {
        let options = EngineOptions { target_gap: Duration::from_millis(60), ..EngineOptions::default() };
        let engine = Engine::start(options).expect("an engine");
        measure(&engine, PingDecider::new(&quick_ping(5), TARGETS[0].parse().expect("an address"), None))
    });
    assert_eq!(report.statistics.received, 5);
    let times: Vec<f64> = report.replies.iter().map(|reply| reply.at_ms).collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] > 59.0), "{times:?}");
}

#[test]
fn a_router_that_limits_its_answers_is_no_loss() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { quirks: vec![(4, Quirk::Limits(1_000))], ..eight() });
    for target in TARGETS {
        let options = MtrOptions { timeout_ms: 300, ..quick_trace(Protocol::Icmp, 30) };
        let report = chain.at_source(|| trace(&options, target));
        for hop in &report.hops {
            assert_eq!(hop.loss > 0.0, hop.ttl == 4, "hop {} of {target} loses {}%", hop.ttl, hop.loss);
        }
        let summary = &report.verdict.summary;
        assert!(report.verdict.findings.iter().any(|finding| finding.hop == Some(4)), "{summary}");
    }
}

#[test]
fn silent_hops_are_passed_over() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { quirks: vec![(3, Quirk::Silent), (4, Quirk::Silent)], ..eight() });
    for (family, target) in TARGETS.into_iter().enumerate() {
        let mut expected = whole_way(family, 8);
        expected[2].clear();
        expected[3].clear();
        let report = chain.at_source(|| trace(&quick_trace(Protocol::Udp, 2), target));
        assert_eq!(responders(&report), expected, "{report:?}");
        assert!(report.reached);
    }
}

#[test]
fn a_black_hole_ends_the_way() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { quirks: vec![(5, Quirk::BlackHole)], ..eight() });
    for (family, target) in TARGETS.into_iter().enumerate() {
        let options = MtrOptions { timeout_ms: 200, ..quick_trace(Protocol::Icmp, 1) };
        let report = chain.at_source(|| trace(&options, target));
        assert_eq!(responders(&report)[..4], whole_way(family, 8)[..4], "{report:?}");
        assert!(responders(&report)[4..].iter().all(Vec::is_empty), "{report:?}");
        assert_eq!((report.reached, report.end), (false, Some(TraceEnd::Silence)));
        let report = chain.at_source(|| ping(&PingOptions { timeout_ms: 100, ..quick_ping(3) }, target));
        assert_eq!((report.statistics.received, report.statistics.loss), (0, 100.0));
    }
}

#[test]
fn who_forbids_the_way_is_named() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { quirks: vec![(3, Quirk::Prohibits)], ..eight() });
    for (family, target) in TARGETS.into_iter().enumerate() {
        let report = chain.at_source(|| ping(&quick_ping(1), target));
        let PingFate::Error { from, message } = &report.replies[0].fate else { panic!("{report:?}") };
        assert_eq!(*from, hop(family, 3, 8));
        assert!(message.contains("prohibited"), "{message}");
        let report = chain.at_source(|| trace(&quick_trace(Protocol::Udp, 1), target));
        let last = report.hops.last().expect("hops");
        assert!(matches!(last.responders[0].answer, HopAnswer::Unreachable { .. }), "{report:?}");
        assert_eq!((last.ttl, last.responders[0].address), (3, hop(family, 3, 8)));
    }
}

#[test]
fn a_packet_too_big_is_told_with_the_mtu() {
    if !possible() {
        return;
    }
    let mut plan = eight();
    plan.links[3].mtu = Some(1_400);
    let chain = Chain::build(&plan);
    for (family, target) in TARGETS.into_iter().enumerate() {
        // Before anything is known of the way, this machine's own link is the limit.
        let options = PingOptions { size: 2_000, dont_fragment: true, ..quick_ping(1) };
        let report = chain.at_source(|| ping(&options, target));
        let PingFate::Unsent { message } = &report.replies[0].fate else { panic!("{report:?}") };
        assert_eq!(message, "message too long, mtu 1500");
        let report = chain.at_source(|| ping(&PingOptions { size: 1_440, ..options }, target));
        let PingFate::Error { from, message } = &report.replies[0].fate else { panic!("{report:?}") };
        assert_eq!(*from, hop(family, 3, 8));
        assert!(message.contains("1400"), "{message}");
    }
}

#[test]
fn equal_ways_are_seen_by_flows_and_one_flow_takes_one() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { quirks: vec![(2, Quirk::Forks)], ..eight() });
    for (family, target) in TARGETS.into_iter().enumerate() {
        for protocol in [Protocol::Udp, Protocol::Tcp] {
            let report = chain.at_source(|| trace(&quick_trace(protocol, 5), target));
            assert!(report.hops.iter().all(|hop| hop.responders.len() == 1), "{protocol:?}: {report:?}");
            let options = MtrOptions { flows: 16, ..quick_trace(protocol, 1) };
            let report = chain.at_source(|| trace(&options, target));
            let mut third = responders(&report)[2].clone();
            third.sort();
            let other = if family == 0 { "10.77.103.2" } else { "fd77:103::2" };
            let mut both = vec![hop(family, 3, 8), other.parse().expect("an address")];
            both.sort();
            assert_eq!(third, both, "{protocol:?}: 16 flows take both ways: {report:?}");
            assert_eq!(report.hops.len(), 8);
        }
    }
}

#[test]
fn source_and_interface_are_obeyed() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { links: vec![Link::of(0); 2], quirks: Vec::new() });
    for (target, source) in TARGETS.into_iter().zip(["10.77.1.1", "fd77:1::1"]) {
        let run = |source: Option<&str>, interface: Option<&str>| {
            let source = source.map(|source| source.parse().expect("an address"));
            let options = PingOptions { source, interface: interface.map(str::to_owned), ..quick_ping(2) };
            chain.at_source(|| ping(&options, target))
        };
        assert_eq!(run(Some(source), None).statistics.received, 2);
        assert_eq!(run(None, Some("f")).statistics.received, 2);
        assert_eq!(run(Some(source), Some("f")).statistics.received, 2);
        let message = |report: PingReport| match report.replies[0].fate.clone() {
            PingFate::Unsent { message } => message,
            fate => panic!("{fate:?}"),
        };
        let foreign = if source.contains(':') { "fd77:9::9" } else { "10.77.9.9" };
        assert_eq!(
            message(run(Some(foreign), None)),
            format!("source address {foreign} does not belong to this machine")
        );
        assert_eq!(message(run(None, Some("nothere"))), "there is no interface nothere");
    }
}

#[test]
fn many_targets_are_pinged_at_once_and_none_is_lost() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { links: vec![Link::of(5)], quirks: Vec::new() });
    let (outcome, counters) = chain.at_source(|| {
        let targets: Vec<IpAddr> =
            (0..70_000).map(|at: u32| (0x7f00_0001 + at).to_be_bytes().into()).collect();
        let options = SweepPingOptions { interval: Duration::ZERO, ..SweepPingOptions::default() };
        let engine = engine();
        let outcome = measure(&engine, SweepPing::new(targets, options));
        (outcome, engine.counters())
    });
    assert_eq!((outcome.counts.received, outcome.counts.sent), (70_000, 70_000), "{:?}", outcome.counts);
    assert_eq!((counters.kernel_drops, counters.send_errors), (0, 0), "{counters:?}");
}

#[test]
fn answers_are_matched_among_more_probes_than_sixteen_bits_count() {
    if !possible() {
        return;
    }
    let lost = Link { lose_every: Some(1), ..Link::default() };
    let chain = Chain::build(&Plan { links: vec![lost], quirks: Vec::new() });
    let many = |first: [u8; 4], count: u32| -> Vec<IpAddr> {
        (0..count).map(|at| (u32::from_be_bytes(first) + at).to_be_bytes().into()).collect()
    };
    let (silent, answered) = chain.at_source(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let engine = engine();
            let options = SweepPingOptions { interval: Duration::ZERO, ..SweepPingOptions::default() };
            let patient = SweepPingOptions { timeout: Duration::from_secs(3), ..options.clone() };
            let silent = SweepPing::new(many([10, 99, 0, 0], 70_000), patient);
            let silent = engine.run(silent, Some(Duration::from_millis(5)));
            let mut snapshots = silent.snapshots();
            while snapshots.borrow_and_update().counts.sent < 70_000 {
                snapshots.changed().await.expect("the task runs");
            }
            let answered = engine.run(SweepPing::new(many([127, 0, 0, 1], 1_000), options), None);
            let answered = answered.finished().await.expect("a result");
            (silent.finished().await.expect("a result"), answered)
        })
    });
    assert_eq!((answered.counts.received, answered.counts.lost), (1_000, 0), "{:?}", answered.counts);
    assert_eq!((silent.counts.received, silent.counts.lost), (0, 70_000), "{:?}", silent.counts);
}

#[test]
fn the_rate_cap_delays_and_loses_nothing_and_spares_loopback() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { links: vec![Link::of(0)], quirks: Vec::new() });
    let (capped, free, took, delayed) = chain.at_source(|| {
        let engine =
            Engine::start(EngineOptions { rate: 500, ..EngineOptions::default() }).expect("an engine");
        let sweep = |targets: Vec<IpAddr>| {
            let options = SweepPingOptions { interval: Duration::ZERO, ..SweepPingOptions::default() };
            SweepPing::new(targets, options)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let began = engine.now();
            let capped = engine.run(sweep(vec![[10, 77, 1, 2].into(); 100]), Some(Duration::from_millis(1)));
            let free = engine.run(sweep((1..=100).map(|at| [127, 0, 0, at].into()).collect()), None);
            let free = free.finished().await.expect("a result").counts;
            let early = capped.snapshots().borrow().counts.sent;
            assert!(early < 100, "the free task waited for the capped one");
            let capped = capped.finished().await.expect("a result").counts;
            (capped, free, engine.now() - began, engine.counters().delayed)
        })
    });
    assert_eq!((capped.received, free.received), (100, 100));
    assert!(delayed > 0);
    // 100 packets at 2 ms each, less what may leave at once.
    assert!(took >= Duration::from_millis(190), "{took:?}");
}

#[test]
fn tasks_are_cancelled_and_give_what_they_have() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { links: vec![Link::of(0)], quirks: Vec::new() });
    let report = chain.at_source(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let options = PingOptions { interval_ms: 10, ..quick_ping(10_000) };
            let to = TARGETS[0].parse().expect("an address");
            let task = engine().run(PingDecider::new(&options, to, None), Some(Duration::from_millis(1)));
            let mut snapshots = task.snapshots();
            while snapshots.borrow_and_update().statistics.received < 3 {
                snapshots.changed().await.expect("the task runs");
            }
            task.cancel();
            task.finished().await.expect("a report")
        })
    });
    assert!(report.statistics.received >= 3 && report.statistics.transmitted < 10_000);
}
