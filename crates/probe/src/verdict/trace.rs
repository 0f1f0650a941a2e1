//! The verdict over a trace.

use std::borrow::Cow;

use netwark_model::tools::mtr::{Hop, HopAnswer, Responder, TraceEnd, TraceReport};
use netwark_model::tools::verdict::{Finding, FindingKind, Severity, Verdict};

use super::{Observed, conclude, finding, loss, path, varies_widely, waiting};
use crate::words::{self, counted, hop_at, milliseconds};

/// Says what a trace means, also of one that is still running.
pub fn trace(report: &TraceReport, observed: &Observed) -> Verdict {
    let mut findings = Vec::new();
    let sent: u32 = report.hops.iter().map(|hop| hop.sent).sum();
    if let Some(not_sent) = not_sent(observed, sent) {
        if sent == 0 {
            return conclude(not_sent, findings);
        }
        findings.push(not_sent);
    }
    let target = path::target(report);
    let report = &*without_refusals(report, target);
    let measured = match target {
        Some(target) => report.hops.get(..=target).unwrap_or_default(),
        None => report.hops.as_slice(),
    };
    let limited = loss::limited(measured);
    let headline = match target {
        Some(target) => {
            findings.extend(path::latency_step(&report.hops, target));
            findings.extend(target_remarks(report, target));
            findings.extend(passing_refusal(report));
            loss::at_target(report.address, &report.hops, target, &limited)
                .unwrap_or_else(|| healthy(report, target))
        }
        None => match unreached(report) {
            Some(headline) => headline,
            None => return under_way(report),
        },
    };
    findings.extend(path::route_change(observed));
    findings.extend(loss::rate_limits(measured, &limited));
    findings.extend(path::silent_hops(measured));
    findings.extend(path::equal_cost(&report.hops, observed));
    conclude(headline, findings)
}

/// The report with the target's hop as the target answered it: who refuses in its place, a router or this machine,
/// has not answered for it.
fn without_refusals(report: &TraceReport, target: Option<usize>) -> Cow<'_, TraceReport> {
    let Some(hop) = target.and_then(|target| report.hops.get(target)) else { return Cow::Borrowed(report) };
    let others = refusals(hop).filter(|(one, _)| one.address != report.address);
    let refused: u32 = others.map(|(one, _)| one.received).sum();
    if refused == 0 {
        return Cow::Borrowed(report);
    }
    let lost = loss::lost(hop) + refused;
    let received = hop.received.saturating_sub(refused);
    let own = hop.responders.iter().find(|one| one.answer == HopAnswer::Target);
    let mut report = report.clone();
    if let Some(hop) = target.and_then(|target| report.hops.get_mut(target)) {
        hop.rtt = own.map(|own| own.rtt).or(hop.rtt);
        hop.received = received;
        hop.loss = f64::from(lost) / f64::from(lost + received) * 100.0;
    }
    Cow::Owned(report)
}

fn not_sent(observed: &Observed, sent: u32) -> Option<Finding> {
    let (count, reason) = observed.unsent.as_ref()?;
    Some(if sent == 0 {
        let text = format!("no probe could be sent: {reason}");
        finding(Severity::Alert, FindingKind::NotSent, None, text)
    } else {
        let text = format!("{} could not be sent: {reason}", counted(*count, "probe", "probes"));
        finding(Severity::Warning, FindingKind::NotSent, None, text)
    })
}

/// The target answers every probe.
fn healthy(report: &TraceReport, target: usize) -> Finding {
    let hop = report.hops.get(target);
    let own = hop.and_then(|hop| hop.responders.iter().find(|one| one.answer == HopAnswer::Target));
    let rtt = own.map(|own| own.rtt).or(hop.and_then(|hop| hop.rtt));
    let average = milliseconds(rtt.map_or(0.0, |rtt| rtt.average));
    let ttl = hop.map_or(0, |hop| hop.ttl);
    let hops = counted(ttl.into(), "hop", "hops");
    let address = report.address;
    let text = match hop.map_or(0, |hop| hop.received) {
        1 => format!("{address} answers in {average}, {hops} away"),
        all => format!("{address} answers all {all} probes, {average} on average, {hops} away"),
    };
    finding(Severity::Ok, FindingKind::Healthy, Some(ttl), text)
}

/// What is worth a word about the target's own answers.
fn target_remarks(report: &TraceReport, target: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(hop) = report.hops.get(target) else { return findings };
    let other =
        hop.responders.iter().find(|one| one.answer == HopAnswer::Target && one.address != report.address);
    if let Some(other) = other {
        let text = format!("the target answers from {}, not from {}", other.address, report.address);
        findings.push(finding(Severity::Info, FindingKind::OtherAddress, Some(hop.ttl), text));
    }
    if let Some((_, message)) = refusals(hop).find(|(responder, _)| responder.address == report.address) {
        let text = format!("the target itself refuses the probes: {message}");
        findings.push(finding(Severity::Info, FindingKind::Unreachable, Some(hop.ttl), text));
    }
    if let Some(rtt) = hop.rtt
        && varies_widely(rtt.average, rtt.stddev)
    {
        let (best, worst) = (milliseconds(rtt.best), milliseconds(rtt.worst));
        let text = format!("the target's round trips vary widely, from {best} to {worst}");
        findings.push(finding(Severity::Info, FindingKind::Jitter, Some(hop.ttl), text));
    }
    findings
}

/// The target does not answer, and the trace is over or has been told why. `None` while it may still come.
fn unreached(report: &TraceReport) -> Option<Finding> {
    let address = report.address;
    if let Some(refusal) = refusal(report) {
        return Some(refusal);
    }
    let end = report.end?;
    let Some(last) = report.hops.iter().rev().find(|hop| hop.received > 0) else {
        let text = format!("nothing answers on the way to {address}, not even the first hop");
        return Some(finding(Severity::Alert, FindingKind::NoAnswer, None, text));
    };
    let at = hop_at(last.ttl, path::router(last));
    Some(match end {
        TraceEnd::Loop => looped(report, last),
        TraceEnd::LastHop => {
            let text = format!("the trace ends at {at}, the farthest hop that was asked, before {address}");
            finding(Severity::Warning, FindingKind::EndsBeforeTarget, Some(last.ttl), text)
        }
        TraceEnd::Target | TraceEnd::Unreachable | TraceEnd::Silence => {
            let text = format!("{address} does not answer; the last that does is {at}");
            finding(Severity::Warning, FindingKind::EndsBeforeTarget, Some(last.ttl), text)
        }
    })
}

fn refusals(hop: &Hop) -> impl Iterator<Item = (&Responder, &str)> {
    hop.responders.iter().filter_map(|responder| match &responder.answer {
        HopAnswer::Unreachable { message } => Some((responder, message.as_str())),
        HopAnswer::TimeExceeded | HopAnswer::Target => None,
    })
}

/// A router that refused at some time although the target was reached at others.
fn passing_refusal(report: &TraceReport) -> Option<Finding> {
    let mut all = report.hops.iter().flat_map(|hop| refusals(hop).map(|refusal| (hop.ttl, refusal)));
    let (ttl, (responder, message)) = all.find(|(_, (one, _))| one.address != report.address)?;
    let times = counted(responder.received, "probe", "probes");
    let text = format!("{} refused {times} meanwhile: {message}", responder.address);
    Some(finding(Severity::Warning, FindingKind::Unreachable, Some(ttl), text))
}

/// What the one says who refuses to carry the probes on.
fn refusal(report: &TraceReport) -> Option<Finding> {
    let (at, (responder, message)) =
        report.hops.iter().find_map(|hop| Some((hop.ttl, refusals(hop).next()?)))?;
    let from = responder.address;
    // A router that forwards first and refuses then stands one hop nearer than its refusal shows.
    let stands = report.hops.iter().find(|hop| hop.responders.iter().any(|one| one.address == from));
    let ttl = stands.map_or(at, |hop| hop.ttl);
    let who = hop_at(ttl, Some(from));
    let address = report.address;
    Some(if message.starts_with(words::TOO_BIG) {
        let text = format!("the probes are too big for the way to {address}: {who} says {message}");
        finding(Severity::Alert, FindingKind::PacketTooBig, Some(ttl), text)
    } else {
        let text = format!("{address} cannot be reached: {who} says {message}");
        finding(Severity::Alert, FindingKind::Unreachable, Some(ttl), text)
    })
}

/// The way goes round; the ring is told in the order of travel.
fn looped(report: &TraceReport, last: &Hop) -> Finding {
    let address = report.address;
    let who = path::router(last);
    let end = report.hops.iter().position(|hop| hop.ttl == last.ttl).unwrap_or_default();
    let before = report.hops.get(..end).unwrap_or_default();
    let around = before.iter().rev().take_while(|hop| path::router(hop) != who).count();
    let mut begins = end.saturating_sub(around);
    while let Some(earlier) = begins.checked_sub(1)
        && let (Some(near), Some(far)) = (report.hops.get(earlier), report.hops.get(earlier + around + 1))
        && path::router(near) == path::router(far)
    {
        begins = earlier;
    }
    let ring = report.hops.iter().skip(begins).take(around + 1);
    let hop = ring.clone().next().map_or(last.ttl, |hop| hop.ttl);
    let members: Vec<_> = ring.filter_map(path::router).collect();
    let text = match members.as_slice() {
        [one] => format!("the way to {address} does not get past {one}, from hop {hop} on"),
        _ => {
            let members = words::list(&members);
            format!("the way to {address} runs in a circle from hop {hop} on, between {members}")
        }
    };
    finding(Severity::Alert, FindingKind::Loop, Some(hop), text)
}

fn under_way(report: &TraceReport) -> Verdict {
    let answering = report.hops.iter().filter(|hop| hop.received > 0).count();
    match answering {
        0 => waiting("waiting for the first answer"),
        1 => waiting("1 hop answers so far"),
        many => waiting(&format!("{many} hops answer so far")),
    }
}
