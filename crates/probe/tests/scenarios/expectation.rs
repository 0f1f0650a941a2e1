//! Compares what came out with what must come out; every difference is one line.

use std::time::Duration;

use netwark_model::tools::mtr::{Hop, TraceReport};
use netwark_model::tools::ping::{PingFate, PingReply, PingReport};
use netwark_model::tools::verdict::Verdict;

use crate::scenario::Expect;

/// Differences of a ping.
pub(crate) fn ping(expect: &Expect, report: &PingReport, took: Duration) -> Vec<String> {
    let mut faults = common(expect, &report.verdict, took);
    for (name, wanted) in &expect.numbers {
        let found = number(report, name);
        if found.is_none_or(|found| (found - wanted).abs() > 0.001) {
            faults.push(format!("{name}: wanted {wanted}, found {found:?}"));
        }
    }
    let fates: Vec<_> = report.replies.iter().take(expect.fates.len()).map(fate).collect();
    compare(&mut faults, "fates", &expect.fates, &fates);
    let decided = report.replies.iter().all(|reply| reply.fate != PingFate::Waiting);
    if !decided || report.replies.len() as u32 != report.statistics.transmitted + report.statistics.unsent {
        faults.push("a final report has the fate of every request".into());
    }
    faults
}

/// Differences of a trace.
pub(crate) fn trace(expect: &Expect, report: &TraceReport, took: Duration) -> Vec<String> {
    let mut faults = common(expect, &report.verdict, took);
    if expect.end != report.end {
        faults.push(format!("end: wanted {:?}, found {:?}", expect.end, report.end));
    }
    if let Some(wanted) = &expect.hops {
        let hops: Vec<_> = report.hops.iter().map(hop).collect();
        compare(&mut faults, "hops", wanted, &hops);
    }
    if let Some(wanted) = &expect.averages_ms {
        let found: Vec<_> = report.hops.iter().map(|hop| hop.rtt.map_or(0.0, |rtt| rtt.average)).collect();
        let near =
            wanted.len() == found.len() && wanted.iter().zip(&found).all(|(a, b)| (a - b).abs() < 0.001);
        if !near {
            faults.push(format!("averages_ms: wanted {wanted:?}, found {found:?}"));
        }
    }
    if let Some(wanted) = &expect.paths {
        let path = |hops: &[Option<std::net::IpAddr>]| {
            let hops: Vec<_> = hops.iter().map(|hop| hop.map_or("*".into(), |one| one.to_string())).collect();
            hops.join(" ")
        };
        let paths: Vec<_> = report.paths.iter().map(|flow| path(&flow.hops)).collect();
        compare(&mut faults, "paths", wanted, &paths);
    }
    if let Some(wanted) = &expect.labels {
        let labels = report.hops.iter().map(|hop| match hop.responders.first() {
            Some(responder) => {
                let labels: Vec<_> = responder.labels.iter().map(|one| one.label.to_string()).collect();
                labels.join(" ")
            }
            None => String::new(),
        });
        compare(&mut faults, "labels", wanted, &labels.collect::<Vec<_>>());
    }
    faults
}

fn common(expect: &Expect, verdict: &Verdict, took: Duration) -> Vec<String> {
    let mut faults = Vec::new();
    let ms = took.as_secs_f64() * 1000.0;
    if ms > expect.longest_ms || ms < expect.shortest_ms {
        faults.push(format!("wanted {} to {} ms, took {ms} ms", expect.shortest_ms, expect.longest_ms));
    }
    if expect.severity != verdict.severity {
        faults.push(format!("severity: wanted {:?}, found {:?}", expect.severity, verdict.severity));
    }
    let kinds: Vec<_> = verdict.findings.iter().map(|finding| finding.kind).collect();
    if expect.kinds != kinds {
        faults.push(format!("kinds: wanted {:?}, found {kinds:?}", expect.kinds));
    }
    if expect.summary != verdict.summary {
        faults.push(format!("summary: wanted {:?}\n           found  {:?}", expect.summary, verdict.summary));
    }
    faults
}

fn compare(faults: &mut Vec<String>, what: &str, wanted: &[String], found: &[String]) {
    if wanted != found {
        faults.push(format!("{what}: wanted {wanted:#?}, found {found:#?}"));
    }
}

fn number(report: &PingReport, name: &str) -> Option<f64> {
    let numbers = &report.statistics;
    let kernel = |reply: &&PingReply| matches!(reply.fate, PingFate::Reply { kernel: true, .. });
    match name {
        "transmitted" => Some(numbers.transmitted.into()),
        "received" => Some(numbers.received.into()),
        "unsent" => Some(numbers.unsent.into()),
        "duplicates" => Some(numbers.duplicates.into()),
        "late" => Some(numbers.late.into()),
        "reordered" => Some(numbers.reordered.into()),
        "errors" => Some(numbers.errors.into()),
        "loss" => Some(numbers.loss),
        "min" => numbers.min,
        "average" => numbers.average,
        "max" => numbers.max,
        "stddev" => numbers.stddev,
        "jitter" => numbers.jitter,
        "median" => numbers.median,
        "p95" => numbers.p95,
        "p99" => numbers.p99,
        "kernel" => Some(report.replies.iter().filter(kernel).count() as f64),
        _ => None,
    }
}

fn fate(reply: &PingReply) -> String {
    let fate = match &reply.fate {
        PingFate::Waiting => "waiting".into(),
        PingFate::Reply { rtt, from: None, .. } => format!("{rtt}"),
        PingFate::Reply { rtt, from: Some(from), .. } => format!("{rtt} from {from}"),
        PingFate::Late { rtt } => format!("late {rtt}"),
        PingFate::Lost => "lost".into(),
        PingFate::Error { from, message } => format!("{from}: {message}"),
        PingFate::Unsent { message } => format!("unsent: {message}"),
    };
    format!("{} at {}: {fate}", reply.seq, reply.at_ms)
}

fn hop(hop: &Hop) -> String {
    let responders: Vec<_> = hop.responders.iter().map(|one| one.address.to_string()).collect();
    let who = if responders.is_empty() { "???".into() } else { responders.join("+") };
    format!("{} {who} {}/{}", hop.ttl, hop.received, hop.sent)
}
