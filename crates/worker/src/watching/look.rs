//! One look over a network: a sweep, and a second one at whoever is missing.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use netwark_model::tools::sweep::{SweepOptions, SweepOutcome, USUAL_SHARE};
use netwark_model::watch::network::GRACE_SWEEPS;
use netwark_model::watch::order::{MOST_RECHECKED, SweepOrder};
use netwark_model::watch::ranges::{Ranges, is_askable};
use netwark_model::watch::report::SweepReport;
use netwark_model::watch::span::Span;
use netwark_probe::sweep::SweepPlan;

use super::expected::Expected;
use super::report::{self, Look};
use crate::worker::Shared;

/// Packets a second when the order does not say: what even old access points and printers bear.
const RATE: u32 = 500;
/// How often an address is asked, and how long an answer is waited for each time, in milliseconds.
const TRIES: u8 = 3;
const TIMEOUT_MS: u32 = 500;
/// Whoever is missing is asked so often again, so many milliseconds apart: ten seconds altogether, in which a phone
/// that sleeps wakes up.
const RECHECK_TRIES: u8 = 5;
const RECHECK_TIMEOUT_MS: u32 = 2_000;
/// Nobody watches how it goes on.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// Looks, and says what was seen, in as many parts as it takes.
pub(super) async fn at(
    shared: &Arc<Shared>,
    order: &SweepOrder,
    expected: &Arc<Expected>,
) -> Vec<SweepReport> {
    let began = Timestamp::now();
    let traffic = match shared.usage.begin("sweep", began) {
        Ok(traffic) => traffic,
        Err(reached) => return vec![report::failed(began, &reached.to_string())],
    };
    let prober = shared.context.clone().metered(traffic).prober;
    let mut known = expected.addresses();
    known.retain(|address| is_askable(*address));
    let mut plan = plan(order, known.iter().copied().collect());
    let mut outcome = match prober.sweep(&plan, NEVER, |_| {}).await {
        Ok(outcome) => outcome,
        Err(error) => return vec![report::failed(began, &error.to_string())],
    };
    let missing = missing(order, &known, &outcome);
    let rechecked = u32::try_from(missing.len()).unwrap_or(u32::MAX);
    if !missing.is_empty() && outcome.complete {
        plan.ranges = Ranges::addresses(missing.iter().copied());
        plan.options.tries = RECHECK_TRIES;
        plan.options.timeout_ms = RECHECK_TIMEOUT_MS;
        plan.known.clear();
        match prober.sweep(&plan, NEVER, |_| {}).await {
            Ok(again) => {
                outcome.complete &= again.complete;
                outcome.hosts.extend(again.hosts);
                outcome.facts.extend(again.facts);
                outcome.notes.extend(again.notes);
            }
            Err(error) => {
                outcome.complete = false;
                outcome.notes.push(error.to_string());
            }
        }
    }
    if outcome.complete {
        let found: Vec<IpAddr> = outcome.hosts.iter().map(|host| host.address).collect();
        let grace = if order.grace_sweeps == 0 { GRACE_SWEEPS } else { order.grace_sweeps };
        let expected = Arc::clone(expected);
        let kept = tokio::task::spawn_blocking(move || expected.swept(found.into_iter(), grace));
        if let Err(error) = kept.await {
            tracing::error!(%error, "who is on a network is not remembered");
        }
    }
    let ended = Timestamp::now();
    report::parts(outcome, &Look { began, ended, rechecked, vlan: order.vlan })
}

/// Addresses that were there before, belong to the network, and did not answer.
fn missing(order: &SweepOrder, known: &HashSet<IpAddr>, outcome: &SweepOutcome) -> Vec<IpAddr> {
    let found: HashSet<IpAddr> = outcome.hosts.iter().map(|host| host.address).collect();
    let local = order.prefixes.is_empty();
    let wanted = |address: &IpAddr| {
        let link_local = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
        let inside = local || link_local || order.prefixes.iter().any(|prefix| prefix.contains(address));
        inside && !order.exclude.iter().any(|prefix| prefix.contains(address))
    };
    let mut missing: Vec<IpAddr> =
        known.difference(&found).copied().filter(wanted).take(MOST_RECHECKED).collect();
    missing.sort_unstable();
    missing
}

/// Packets a second. Who says how many bits there may be means that many, not the usual number of packets.
fn rate(order: &SweepOrder) -> u32 {
    let unsaid = if order.rate_bps.is_some() { u32::MAX } else { RATE };
    order.rate_pps.unwrap_or(unsaid).max(1)
}

fn plan(order: &SweepOrder, known: Vec<IpAddr>) -> SweepPlan {
    let ranges = match order.prefixes.is_empty() {
        true => Ranges::local(),
        false => Ranges::prefixes(order.prefixes.iter().copied()),
    };
    let options = SweepOptions {
        rate: rate(order),
        rate_bps: order.rate_bps,
        share: order.share.unwrap_or(USUAL_SHARE).clamp(1, 100),
        tries: TRIES,
        timeout_ms: TIMEOUT_MS,
        interface: order.interface.clone(),
        vlan: order.vlan,
        tcp: true,
        no_names: !order.names,
        large: order.large,
        ..SweepOptions::default()
    };
    SweepPlan {
        ranges,
        exclude: order.exclude.iter().map(|prefix| Span::whole(*prefix)).collect(),
        options,
        known,
        names: order.names,
        vendor: Arc::new(|_| None),
    }
}

#[cfg(test)]
mod tests {
    use netwark_model::tools::sweep::{SHORTEST_ON_WIRE, SweepHost};
    use netwark_model::watch::ranges::Item;
    use netwark_model::watch::sighting::Source;

    use super::*;

    #[test]
    fn who_is_missing_is_whoever_was_there_and_belongs_to_the_network() {
        let order = SweepOrder {
            prefixes: vec!["192.0.2.0/24".parse().unwrap()],
            exclude: vec!["192.0.2.128/25".parse().unwrap()],
            ..SweepOrder::default()
        };
        let known = ["192.0.2.1", "192.0.2.2", "192.0.2.200", "10.0.0.1", "fe80::1"];
        let known = known.iter().map(|text| text.parse().unwrap()).collect();
        let host = SweepHost {
            address: [192, 0, 2, 1].into(),
            mac: None,
            other_macs: Vec::new(),
            vendor: None,
            source: Source::Arp,
            rtt: None,
            vlan: None,
            router: false,
            own: false,
            names: Vec::new(),
        };
        let outcome = SweepOutcome { hosts: vec![host], ..SweepOutcome::default() };
        let missing: Vec<_> = missing(&order, &known, &outcome).iter().map(ToString::to_string).collect();
        assert_eq!(missing, ["192.0.2.2", "fe80::1"]);
    }

    #[test]
    fn an_order_without_prefixes_is_for_where_the_worker_stands() {
        assert!(plan(&SweepOrder::default(), Vec::new()).ranges.is_local());
        let order = SweepOrder { prefixes: vec!["192.0.2.9/24".parse().unwrap()], ..SweepOrder::default() };
        assert_eq!(plan(&order, Vec::new()).ranges.items(), [Item::Prefix("192.0.2.0/24".parse().unwrap())]);
    }

    #[test]
    fn an_order_says_how_fast_in_packets_in_bits_or_as_a_share_of_the_link() {
        let most =
            |order: &SweepOrder| plan(order, Vec::new()).options.most_packets(Some(100), SHORTEST_ON_WIRE);
        let usual = SweepOrder::default();
        assert_eq!(most(&usual), RATE);
        assert_eq!(most(&SweepOrder { rate_pps: Some(90), rate_bps: Some(1_000_000), ..usual.clone() }), 90);
        assert_eq!(most(&SweepOrder { rate_bps: Some(1_000_000), ..usual.clone() }), 1_488);
        assert_eq!(most(&SweepOrder { rate_bps: Some(100_000_000), ..usual.clone() }), 14_880);
        assert_eq!(most(&SweepOrder { rate_pps: Some(100_000), share: Some(1), ..usual }), 1_488);
    }
}
