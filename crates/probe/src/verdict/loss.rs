//! Loss: at the target, on the way to it, or only in what routers answer themselves.
//!
//! Loss on a link shows at every hop behind it; loss that farther hops do not share is a router's own thrift with
//! replies. Samples are small, so hops are pooled before they are compared, and what may be chance is not blamed.

use std::net::IpAddr;

use netwark_model::tools::mtr::Hop;
use netwark_model::tools::verdict::{Finding, FindingKind, Severity};

use super::{finding, loss_severity, path::router};
use crate::words::{self, hop_at, percent};

/// How many standard errors apart two shares of loss must be before they count as different.
const APART: f64 = 3.0;

/// So many probes must be lost, over all hops that share the loss, before it is said where it begins.
const EVIDENCE: f64 = 3.0;

/// How much likelier (as a natural logarithm) loss must be that begins at one hop than the same loss everywhere.
const MARGIN: f64 = 2.0;

/// Lost probes of decided ones.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    lost: f64,
    decided: f64,
}

impl Sample {
    fn of(hop: &Hop) -> Self {
        let lost = f64::from(lost(hop));
        Self { lost, decided: lost + f64::from(hop.received) }
    }

    fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.decided += other.decided;
    }

    /// Logarithm of how likely this is if every probe has the same chance to be lost.
    fn likelihood(self) -> f64 {
        let term = |count: f64| if count > 0.0 { count * (count / self.decided).ln() } else { 0.0 };
        term(self.lost) + term(self.decided - self.lost)
    }

    /// Whether it loses more than `other` beyond chance; any loss is more than none at all.
    fn exceeds(self, other: Self) -> bool {
        if other.lost == 0.0 {
            return self.lost > 0.0;
        }
        let both = (self.lost + other.lost) / (self.decided + other.decided);
        let error = (both * (1.0 - both) * (1.0 / self.decided + 1.0 / other.decided)).sqrt();
        self.lost / self.decided - other.lost / other.decided > APART * error
    }
}

/// Probes of a hop that are known to be lost.
pub(super) fn lost(hop: &Hop) -> u32 {
    if hop.received == 0 {
        return if hop.loss > 0.0 { hop.sent } else { 0 };
    }
    let rate = hop.loss / 100.0;
    (f64::from(hop.received) * rate / (1.0 - rate)).round() as u32
}

/// The indices of hops that answer less than the hops behind them do, nearest first.
pub(super) fn limited(hops: &[Hop]) -> Vec<usize> {
    let mut behind = Sample::default();
    let mut limited = Vec::new();
    for (index, hop) in hops.iter().enumerate().rev().filter(|(_, hop)| hop.received > 0) {
        let sample = Sample::of(hop);
        if behind.decided > 0.0 && sample.exceeds(behind) {
            limited.push(index);
        } else {
            behind.add(sample);
        }
    }
    limited.reverse();
    limited
}

/// Says that some hops limit their replies.
pub(super) fn rate_limits(hops: &[Hop], limited: &[usize]) -> Option<Finding> {
    let limited: Vec<_> = limited.iter().filter_map(|index| hops.get(*index)).collect();
    let first = limited.first()?;
    let distances: Vec<_> = limited.iter().map(|hop| hop.ttl).collect();
    let text = match limited.as_slice() {
        [hop] if lost(hop) > 1 => {
            let loss = percent(hop.loss);
            format!("{} limits its replies ({loss} unanswered), harmless", hop_at(hop.ttl, router(hop)))
        }
        [hop] => {
            let decided = hop.received + 1;
            let hop = hop_at(hop.ttl, router(hop));
            format!("{hop} left 1 of {decided} probes unanswered, harmless since farther hops lose none")
        }
        several if several.iter().any(|hop| lost(hop) > 1) => {
            format!("{} limit their replies, harmless", words::hops(&distances))
        }
        _ => {
            let hops = words::hops(&distances);
            format!("{hops} left 1 probe each unanswered, harmless since farther hops lose none")
        }
    };
    Some(finding(Severity::Info, FindingKind::RateLimit, Some(first.ttl), text))
}

/// Loss at the target, and where it begins if there is evidence for it. `limited` are hops that cannot tell.
pub(super) fn at_target(address: IpAddr, hops: &[Hop], target: usize, limited: &[usize]) -> Option<Finding> {
    let end = hops.get(target)?;
    let missing = lost(end);
    if missing == 0 {
        return None;
    }
    let tells =
        |index: usize| !limited.contains(&index) && hops.get(index).is_some_and(|hop| hop.received > 0);
    let telling: Vec<_> = (0..target)
        .filter(|index| tells(*index))
        .chain([target])
        .filter_map(|index| Some((index, Sample::of(hops.get(index)?))))
        .collect();
    let begins = beginning(&telling).unwrap_or(target);
    let decided = end.received + missing;
    let loss = percent(end.loss);
    let severity = loss_severity(end.loss);
    let mut text = format!("{address} left {missing} of {decided} probes unanswered ({loss} loss)");
    if begins == target {
        return Some(finding(severity, FindingKind::TargetLoss, Some(end.ttl), text));
    }
    let hop = hops.get(begins)?;
    text.push_str(&format!("; the loss begins at {}", hop_at(hop.ttl, router(hop))));
    let mut mute: Vec<_> =
        (0..begins).rev().take_while(|index| !tells(*index)).filter_map(|index| hops.get(index)).collect();
    mute.reverse();
    if !mute.is_empty() {
        let distances: Vec<_> = mute.iter().map(|hop| hop.ttl).collect();
        text.push_str(&format!(" or at {} before it", words::hops(&distances)));
    }
    Some(finding(severity, FindingKind::PathLoss, Some(hop.ttl), text))
}

/// Where loss begins that all farther hops share: the split into hops before it and hops from it on that makes what
/// was measured most likely. `None` when the samples do not bear it.
fn beginning(telling: &[(usize, Sample)]) -> Option<usize> {
    let pool = |part: &[(usize, Sample)]| {
        part.iter().fold(Sample::default(), |mut pool, (_, sample)| {
            pool.add(*sample);
            pool
        })
    };
    let everywhere = pool(telling).likelihood() + MARGIN;
    let splits = (1..telling.len()).filter_map(|at| {
        let (before, behind) = telling.split_at_checked(at)?;
        let (before, behind) = (pool(before), pool(behind));
        let rises = behind.lost * before.decided > before.lost * behind.decided;
        rises.then(|| (at, before.likelihood() + behind.likelihood(), behind))
    });
    let best = splits.filter(|(_, likelihood, _)| *likelihood >= everywhere);
    let (at, lost) = match best.max_by(|(_, one, _), (_, other, _)| one.total_cmp(other)) {
        Some((at, _, behind)) => (at, behind.lost),
        // The same loss everywhere, the first hop included, begins before or at the first hop.
        None if telling.first()?.1.lost > 0.0 => (0, pool(telling).lost),
        None => return None,
    };
    let (index, _) = telling.get(at)?;
    (lost >= EVIDENCE).then_some(*index)
}

#[cfg(test)]
mod tests {
    use super::super::path::tests::hops;
    use super::*;

    const TARGET: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 99));

    /// Hops of ten probes each, by how many were answered.
    fn received(numbers: &[u32]) -> Vec<Hop> {
        hops(&numbers.iter().map(|received| (*received, 1.0)).collect::<Vec<_>>())
    }

    fn limits(numbers: &[u32]) -> Option<String> {
        let hops = received(numbers);
        rate_limits(&hops, &limited(&hops)).map(|finding| finding.text)
    }

    fn loss(numbers: &[u32]) -> Option<Finding> {
        let hops = received(numbers);
        at_target(TARGET, &hops, hops.len() - 1, &limited(&hops))
    }

    #[test]
    fn loss_that_persists_begins_where_it_shows_first() {
        let found = loss(&[10, 10, 7, 8, 7]).unwrap();
        assert_eq!((found.kind, found.hop), (FindingKind::PathLoss, Some(3)));
        assert_eq!(
            found.text,
            "192.0.2.99 left 3 of 10 probes unanswered (30% loss); the loss begins at hop 3 (192.0.2.3)"
        );
    }

    #[test]
    fn luck_at_the_target_does_not_clear_a_lossy_way() {
        let numbers = [10, 10, 7, 8, 7, 6, 8, 9];
        assert_eq!(
            loss(&numbers).map(|found| (found.kind, found.hop)),
            Some((FindingKind::PathLoss, Some(3)))
        );
        assert_eq!(limits(&numbers), None);
        // Nor does luck at a single hop.
        let found = loss(&[10, 10, 7, 8, 7, 6, 9, 7]).unwrap();
        assert_eq!(found.hop, Some(3));
        // Loss may begin with the first hop.
        let found = loss(&[7, 8, 7, 6]).unwrap();
        assert_eq!((found.kind, found.hop), (FindingKind::PathLoss, Some(1)));
    }

    #[test]
    fn hops_that_cannot_tell_are_not_cleared() {
        let found = loss(&[10, 0, 7, 7]).unwrap();
        assert!(found.text.ends_with("begins at hop 3 (192.0.2.3) or at hop 2 before it"), "{found:?}");
        let found = loss(&[10, 0, 1, 7, 8, 7, 8]).unwrap();
        assert_eq!(found.hop, Some(4));
        assert!(found.text.ends_with("or at hops 2 and 3 before it"), "{found:?}");
    }

    #[test]
    fn one_lost_probe_has_no_culprit() {
        let found = loss(&[10, 9, 9]).unwrap();
        assert_eq!((found.kind, found.hop), (FindingKind::TargetLoss, Some(3)));
        assert_eq!(loss(&[10, 9, 10]), None);
        assert_eq!(loss(&[10, 9, 10, 10, 9, 10, 9]).unwrap().kind, FindingKind::TargetLoss);
        assert_eq!(loss(&[10, 10, 10, 10, 6]).unwrap().kind, FindingKind::TargetLoss);
    }

    #[test]
    fn loss_in_transit_only_is_a_limit_on_replies() {
        assert_eq!(
            limits(&[10, 4, 10]).as_deref(),
            Some("hop 2 (192.0.2.2) limits its replies (60% unanswered), harmless")
        );
        assert_eq!(limits(&[4, 4, 10]).as_deref(), Some("hops 1 and 2 limit their replies, harmless"));
        assert_eq!(
            limits(&[10, 9, 10]).as_deref(),
            Some("hop 2 (192.0.2.2) left 1 of 10 probes unanswered, harmless since farther hops lose none")
        );
        // Real loss farther on does not make it a limit, unless the hop loses far more.
        assert_eq!(limits(&[10, 7, 8]), None);
        assert!(limits(&[10, 1, 9]).is_some());
        // The last hop that answers is no hop in transit.
        assert_eq!(limits(&[10, 4]), None);
    }
}
