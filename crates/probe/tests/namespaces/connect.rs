//! Connections over the chain: accepted, refused, forbidden on the way, swallowed.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use netwark_model::tools::args::Family;
use netwark_model::tools::tcp::{TcpFate, TcpOptions, TcpReport};
use netwark_probe::dial::Dialer;
use netwark_probe::resolve::{Answer, Resolve, ResolveError};

use crate::chain::{Chain, Plan, Quirk, TARGETS, hop};
use crate::link::Link;
use crate::possible;

/// Knows no name.
struct Nobody;

impl Resolve for Nobody {
    fn addresses<'a>(&'a self, name: &'a str, _: Family) -> Answer<'a, Result<Vec<IpAddr>, ResolveError>> {
        Box::pin(async move { Err(ResolveError::Resolver(name.into())) })
    }

    fn name(&self, _: IpAddr) -> Answer<'_, Option<String>> {
        Box::pin(async { None })
    }
}

fn connect(target: &str, port: u16, timeout_ms: u32) -> TcpReport {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let dialer = Dialer::new(Arc::new(Nobody), Arc::new(|_| Ok(())), Arc::default());
    let options =
        TcpOptions { port: Some(port), count: 2, interval_ms: 50, timeout_ms, ..TcpOptions::default() };
    let every = Duration::from_millis(10);
    let outcome = runtime.block_on(netwark_probe::tcp::run(&dialer, target, &options, every, |_| ()));
    outcome.expect("a measurement").reports.remove(0)
}

/// Long enough for any answer on a busy machine.
const PATIENCE_MS: u32 = 60_000;

#[test]
fn connections_are_accepted_and_refused_by_the_target_itself() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { links: vec![Link::of(5); 3], quirks: Vec::new() });
    for target in TARGETS {
        let listener = chain.at_target(|| TcpListener::bind(SocketAddr::new(target.parse().unwrap(), 0)));
        let port = listener.as_ref().unwrap().local_addr().unwrap().port();
        let report = chain.at_source(|| connect(target, port, PATIENCE_MS));
        assert_eq!(report.statistics.connected, 2, "{report:?}");
        assert!(report.statistics.min.unwrap() >= 30.0, "faster than the links: {report:?}");
        drop(listener);
        let report = chain.at_source(|| connect(target, port, PATIENCE_MS));
        assert_eq!(report.statistics.refused, 2, "{report:?}");
        assert!(report.verdict.summary.contains("nothing listens"), "{}", report.verdict.summary);
    }
}

#[test]
fn who_forbids_a_connection_is_named() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { links: vec![Link::of(1); 4], quirks: vec![(2, Quirk::Prohibits)] });
    for (family, target) in TARGETS.into_iter().enumerate() {
        let report = chain.at_source(|| connect(target, 443, PATIENCE_MS));
        let TcpFate::Filtered { from, message, .. } = &report.attempts[0].fate else { panic!("{report:?}") };
        assert_eq!((*from, message.as_str()), (Some(hop(family, 2, 4)), "administratively prohibited"));
        let summary = &report.verdict.summary;
        assert!(summary.contains(&format!("{} says administratively", hop(family, 2, 4))), "{summary}");
    }
}

#[test]
fn what_is_swallowed_stays_without_answer() {
    if !possible() {
        return;
    }
    let chain = Chain::build(&Plan { links: vec![Link::of(1); 3], quirks: vec![(2, Quirk::BlackHole)] });
    for target in TARGETS {
        let report = chain.at_source(|| connect(target, 443, 200));
        assert_eq!(report.statistics.unanswered, 2, "{report:?}");
        assert!(report.verdict.summary.contains("does not answer"), "{}", report.verdict.summary);
    }
}
