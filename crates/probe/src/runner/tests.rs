use std::sync::Mutex;

use super::*;
use crate::engine::EngineOptions;
use crate::resolve::Answer;
use netwark_model::tools::verdict::FindingKind;

/// Knows what it is told, and what it was asked.
#[derive(Default)]
struct Fake {
    addresses: Vec<IpAddr>,
    name: Option<&'static str>,
    asked: Mutex<Vec<String>>,
}

impl Resolve for Fake {
    fn addresses<'a>(&'a self, name: &'a str, _: Family) -> Answer<'a, Result<Vec<IpAddr>, ResolveError>> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(name.to_owned());
            if self.addresses.is_empty() {
                return Err(ResolveError::Resolver(format!("no such name: '{name}'")));
            }
            Ok(self.addresses.clone())
        })
    }

    fn name(&self, address: IpAddr) -> Answer<'_, Option<String>> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(address.to_string());
            self.name.map(Into::into)
        })
    }
}

const BRIEF: Brief<'_> = Brief {
    target: "host.example",
    worker: "worker",
    // 2026-03-01T12:00:00Z
    started: Timestamp::constant(1_772_366_400, 0),
    progress_every: Duration::from_millis(10),
    names: NameLookup::Within(Duration::from_secs(5)),
};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn prober(fake: &Arc<Fake>) -> Prober {
    let engine = Engine::start(EngineOptions::default()).unwrap();
    Prober::new(engine, Arc::clone(fake) as Arc<dyn Resolve>)
}

fn loopback() -> Arc<Fake> {
    Arc::new(Fake { addresses: vec![LOOPBACK], name: Some("localhost"), ..Fake::default() })
}

/// Whether this process may ping at all; if not, that is what it must say.
fn may_ping<T: std::fmt::Debug>(prober: &Prober, result: &Result<T, ProbeError>) -> bool {
    let can = prober.engine().capabilities();
    if can.raw_v4.available || can.datagram_v4.available {
        return true;
    }
    assert!(matches!(result, Err(ProbeError::Missing { .. })), "{result:?}");
    false
}

#[test]
fn a_trace_that_lacks_privileges_is_told_of_another_way() {
    let told = |udp| by_udp(ProbeError::Missing { what: "X", reason: "no".into() }, &udp).to_string();
    let missing = Ability { available: false, reason: Some("none".into()) };
    assert_eq!(told(missing), "X cannot be sent from here: no");
    let there = Ability { available: true, reason: None };
    assert_eq!(told(there), "X cannot be sent from here: no; a trace by UDP needs no privilege");
}

#[tokio::test]
async fn what_is_sent_and_received_is_counted() {
    let fake = loopback();
    let (traffic, others) = (Arc::new(Traffic::default()), Arc::new(Traffic::default()));
    let plain = prober(&fake);
    let prober = plain.clone().metered(Arc::clone(&traffic));
    let options = PingOptions { count: 5, interval_ms: 1, size: 2_000, ..PingOptions::default() };
    let result = prober.ping(BRIEF, &options, |_| ()).await;
    if !may_ping(&prober, &result) {
        return;
    }
    let other = plain.metered(Arc::clone(&others));
    other.ping(BRIEF, &PingOptions { count: 1, ..PingOptions::default() }, |_| ()).await.unwrap();
    assert_eq!((traffic.sent(), traffic.received()), (5 * 2_028, 5 * 2_028));
    assert_eq!((others.sent(), others.received()), (84, 84), "each handle has a count of its own");
}

#[tokio::test]
async fn a_ping_of_a_name_says_which_address_and_why() {
    let fake = loopback();
    let prober = prober(&fake);
    let options = PingOptions { count: 5, interval_ms: 20, ..PingOptions::default() };
    let result = prober.ping(BRIEF, &options, |outcome| assert!(outcome.received <= 5)).await;
    if !may_ping(&prober, &result) {
        return;
    }
    let outcome = result.unwrap();
    assert_eq!((outcome.transmitted, outcome.received), (5, 5), "{outcome:?}");
    let report = &outcome.reports[0];
    assert_eq!(report.chosen.as_deref(), Some("the only IPv4 address; the name has no IPv6 address"));
    assert_eq!(report.verdict.findings[0].kind, FindingKind::Healthy);
    assert_eq!(outcome.raw[0], "PING host.example (127.0.0.1) 56(84) bytes of data.");
}

#[tokio::test]
async fn all_addresses_are_pinged_side_by_side_in_their_order() {
    let addresses: Vec<IpAddr> = (1..=4).map(|last| Ipv4Addr::new(127, 0, 0, last).into()).collect();
    let fake = Arc::new(Fake { addresses: addresses.clone(), ..Fake::default() });
    let prober = prober(&fake);
    let options = PingOptions { count: 2, interval_ms: 20, family: Family::All, ..PingOptions::default() };
    let result = prober.ping(BRIEF, &options, |_| {}).await;
    if !may_ping(&prober, &result) {
        return;
    }
    let reports = result.unwrap().reports;
    assert_eq!(reports.iter().map(|report| report.address).collect::<Vec<_>>(), addresses);
    assert!(reports.iter().all(|report| report.statistics.received == 2), "{reports:?}");
}

#[tokio::test]
async fn a_trace_has_the_names_of_its_hops() {
    let fake = loopback();
    let prober = prober(&fake);
    let options = MtrOptions { cycles: 2, interval_ms: 20, ..MtrOptions::default() };
    let result = prober.mtr(BRIEF, &options, |_| {}).await;
    if !may_ping(&prober, &result) {
        return;
    }
    let outcome = result.unwrap();
    assert!(outcome.trace.reached, "{outcome:?}");
    let hubs: Vec<_> = outcome.report.hubs.iter().map(|hub| (hub.host.as_str(), hub.sent)).collect();
    assert_eq!(hubs, [("localhost", 2)]);
    let started = outcome.raw[0].strip_prefix("Start: ").unwrap();
    assert_eq!(Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", started).unwrap(), BRIEF.started);
    assert_eq!(*fake.asked.lock().unwrap(), ["host.example", "127.0.0.1"]);
}

#[tokio::test]
async fn names_are_not_asked_for_when_they_are_not_wanted() {
    let fake = loopback();
    let prober = prober(&fake);
    let brief = Brief { target: "127.0.0.1", names: NameLookup::Off, ..BRIEF };
    let options = MtrOptions { cycles: 1, ..MtrOptions::default() };
    let result = prober.mtr(brief, &options, |_| {}).await;
    if may_ping(&prober, &result) {
        assert_eq!(result.unwrap().report.hubs[0].host, "127.0.0.1");
    }
    assert!(fake.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_must_not_be_touched_is_refused_by_its_address() {
    let fake = Arc::new(Fake { addresses: vec!["224.0.0.1".parse().unwrap()], ..Fake::default() });
    let prober = prober(&fake);
    let error =
        prober.ping(BRIEF, &PingOptions { family: Family::V4, ..PingOptions::default() }, |_| {}).await;
    let error = error.unwrap_err().to_string();
    assert_eq!(error, "224.0.0.1 must not be measured from here: it is a multicast address");

    let strict = prober.with_permit(Arc::new(|_| Err("the list of this worker denies it".into())));
    let brief = Brief { target: "127.0.0.1", ..BRIEF };
    let error = strict.mtr(brief, &MtrOptions::default(), |_| {}).await.unwrap_err().to_string();
    assert_eq!(error, "127.0.0.1 must not be measured from here: the list of this worker denies it");
}

#[tokio::test]
async fn what_cannot_be_measured_is_an_error_that_says_why() {
    let fake = Arc::new(Fake::default());
    let prober = prober(&fake);
    let error = prober.ping(BRIEF, &PingOptions::default(), |_| {}).await.unwrap_err();
    assert_eq!(error.to_string(), "no such name: 'host.example'");

    let options = PingOptions { source: Some(Ipv6Addr::LOCALHOST.into()), ..PingOptions::default() };
    let brief = Brief { target: "127.0.0.1", ..BRIEF };
    let error = prober.ping(brief, &options, |_| {}).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the source address ::1 cannot be used for 127.0.0.1, which is of the other family"
    );
}

#[tokio::test]
async fn a_measurement_shows_how_it_gets_along_and_stops_when_it_is_dropped() {
    let fake = loopback();
    let prober = prober(&fake);
    let options = PingOptions { count: 10_000, interval_ms: 10, ..PingOptions::default() };
    let seen = tokio::sync::Notify::new();
    tokio::select! {
        result = prober.ping(BRIEF, &options, |_| seen.notify_one()) => {
            assert!(!may_ping(&prober, &result), "{result:?}");
            return;
        }
        () = seen.notified() => {}
    }
    // The next measurement is taken up after the first was let go, by the same thread.
    let few = PingOptions { count: 2, interval_ms: 10, ..PingOptions::default() };
    prober.ping(BRIEF, &few, |_| {}).await.unwrap();
    let sent = prober.engine().counters().sent;
    prober.ping(BRIEF, &few, |_| {}).await.unwrap();
    assert_eq!(prober.engine().counters().sent, sent + 2);
}
