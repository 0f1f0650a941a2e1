//! What the numbers of single hops mean once they are seen beside those of the hops behind them.
//!
//! A router answers when it finds the time, and carries packets first: loss or delay that does not show at any
//! farther hop is its own affair and harms nobody.

use std::net::IpAddr;

use netwark_model::tools::mtr::{Hop, HopAnswer, TraceReport};
use netwark_model::tools::verdict::{Finding, FindingKind, Severity};

use super::{Observed, finding};
use crate::words::{self, milliseconds};

/// The smallest step in latency that is worth a word, in milliseconds.
const LEAST_STEP: f64 = 5.0;

/// The smallest share of the whole latency that one step must make.
const STEP_SHARE: f64 = 0.4;

/// Who answers most at a hop.
pub(super) fn router(hop: &Hop) -> Option<IpAddr> {
    hop.responders.first().map(|responder| responder.address)
}

/// True when an answer comes from the target itself.
pub(super) fn is_target(report: &TraceReport, hop: &Hop) -> bool {
    hop.responders.iter().any(|responder| match responder.answer {
        HopAnswer::Target => true,
        HopAnswer::Unreachable { .. } => responder.address == report.address,
        HopAnswer::TimeExceeded => false,
    })
}

/// The hop that stands for the target: where the latest way to it ends, the farthest of several flows; else where it
/// answered most.
pub(super) fn target(report: &TraceReport) -> Option<usize> {
    let ends = report.paths.iter().filter_map(|path| path.hops.len().checked_sub(1));
    let at_target = |index: &usize| report.hops.get(*index).is_some_and(|hop| is_target(report, hop));
    let most = || {
        let targets = report.hops.iter().enumerate().filter(|(_, hop)| is_target(report, hop));
        targets.max_by_key(|(_, hop)| hop.received).map(|(index, _)| index)
    };
    ends.filter(at_target).max().or_else(most)
}

/// Hops that never answer although farther ones do.
pub(super) fn silent_hops(hops: &[Hop]) -> Option<Finding> {
    let last = hops.iter().rposition(|hop| hop.received > 0)?;
    let silent: Vec<_> = hops
        .iter()
        .take(last)
        .filter(|hop| hop.received == 0 && hop.sent > 0 && hop.loss > 0.0)
        .map(|hop| hop.ttl)
        .collect();
    let verb = if silent.len() == 1 { "does" } else { "do" };
    let text = format!("{} {verb} not answer, harmless since farther hops do", words::hops(&silent));
    Some(finding(Severity::Info, FindingKind::SilentHop, Some(*silent.first()?), text))
}

/// Where most of the latency begins: the largest step that every farther hop, up to the target, has too.
pub(super) fn latency_step(hops: &[Hop], target: usize) -> Option<Finding> {
    let best: Vec<_> = hops
        .iter()
        .take(target + 1)
        .filter_map(|hop| Some((hop.ttl, router(hop), hop.rtt.as_ref()?.best)))
        .collect();
    let whole = best.last()?.2;
    let mut floor = whole;
    let mut largest: Option<(f64, usize)> = None;
    for (index, pair) in best.windows(2).enumerate().rev() {
        let [(.., near), (.., far)] = pair else { continue };
        floor = floor.min(*far);
        let step = floor - near;
        if largest.is_none_or(|(most, _)| step >= most) {
            largest = Some((step, index));
        }
    }
    let (step, index) = largest.filter(|(step, _)| *step >= LEAST_STEP && *step >= whole * STEP_SHARE)?;
    let ((near, ..), (far, at, _)) = (best.get(index)?, best.get(index + 1)?);
    let step = milliseconds(step);
    let at = at.map(|at| format!(" ({at})")).unwrap_or_default();
    let text = format!("most of the latency begins between hops {near} and {far}{at}: +{step}");
    Some(finding(Severity::Info, FindingKind::LatencyStep, Some(*far), text))
}

/// A way that changed for good while it was measured.
pub(super) fn route_change(observed: &Observed) -> Option<Finding> {
    let change = observed.route_changes.first()?;
    let text = format!(
        "the way changed while it was measured: hop {} was {} and is now {}",
        change.hop, change.before, change.after
    );
    Some(finding(Severity::Warning, FindingKind::RouteChange, Some(change.hop), text))
}

/// Hops with several routers side by side.
pub(super) fn equal_cost(hops: &[Hop], observed: &Observed) -> Option<Finding> {
    let changed = |hop: &Hop| observed.route_changes.iter().any(|change| change.hop == hop.ttl);
    let routers =
        |hop: &Hop| hop.responders.iter().filter(|one| one.answer == HopAnswer::TimeExceeded).count();
    let wide: Vec<_> = hops.iter().filter(|hop| routers(hop) > 1 && !changed(hop)).collect();
    let distances: Vec<_> = wide.iter().map(|hop| hop.ttl).collect();
    let most = wide.iter().map(|hop| routers(hop)).max()?;
    let verb = if distances.len() == 1 { "has" } else { "have up to" };
    let text = format!("{} {verb} {most} routers side by side (equal-cost ways)", words::hops(&distances));
    Some(finding(Severity::Info, FindingKind::EqualCost, distances.first().copied(), text))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use netwark_model::tools::mtr::{HopRtt, Responder};

    /// Hops of ten probes each: how many were answered, and the best round trip.
    pub(in super::super) fn hops(numbers: &[(u32, f64)]) -> Vec<Hop> {
        let hop = |(ttl, (received, best)): (u8, &(u32, f64))| {
            let rtt =
                HopRtt { last: *best, best: *best, average: *best, worst: *best, stddev: 0.0, jitter: 0.0 };
            let responder = Responder {
                address: IpAddr::from([192, 0, 2, ttl]),
                name: None,
                asn: None,
                as_name: None,
                place: None,
                received: *received,
                rtt,
                answer: HopAnswer::TimeExceeded,
                labels: Vec::new(),
                flows: vec![0],
            };
            let loss = f64::from(10 - received) * 10.0;
            let responders = if *received > 0 { vec![responder] } else { Vec::new() };
            Hop { ttl, sent: 10, received: *received, loss, rtt: (*received > 0).then_some(rtt), responders }
        };
        (1..).zip(numbers).map(hop).collect()
    }

    #[test]
    fn a_step_counts_only_when_it_persists() {
        let found =
            latency_step(&hops(&[(10, 1.0), (10, 90.0), (10, 3.0), (10, 25.0), (10, 26.0)]), 4).unwrap();
        assert_eq!(found.hop, Some(4));
        assert_eq!(found.text, "most of the latency begins between hops 3 and 4 (192.0.2.4): +22.0 ms");
        assert_eq!(latency_step(&hops(&[(10, 1.0), (10, 90.0), (10, 2.0)]), 2), None);
        assert_eq!(latency_step(&hops(&[(10, 6.0), (10, 12.0), (10, 18.0), (10, 24.0)]), 3), None);
    }

    #[test]
    fn silent_hops_are_named_once() {
        let found = silent_hops(&hops(&[(10, 1.0), (0, 0.0), (0, 0.0), (10, 3.0), (0, 0.0)])).unwrap();
        assert_eq!(found.text, "hops 2 and 3 do not answer, harmless since farther hops do");
        assert_eq!(silent_hops(&hops(&[(10, 1.0), (0, 0.0)])), None);
    }
}
