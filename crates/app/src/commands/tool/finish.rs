//! What is printed once a measurement has ended, and whether it went well.

use netwark_model::tools::dns::{DnsOutcome, Security};
use netwark_model::tools::http::HttpOutcome;
use netwark_model::tools::mtr::MtrOutcome;
use netwark_model::tools::ping::{PingOutcome, PingReport};
use netwark_model::tools::sweep::SweepOutcome;
use netwark_model::tools::tcp::TcpOutcome;
use netwark_model::tools::tls::TlsOutcome;
use netwark_model::tools::verdict::{Severity, Verdict};
use serde_json::Value;

use super::Job;

/// A finished measurement as text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finished {
    /// The text, without the replies when they were told already.
    pub lines: Vec<String>,
    /// True when the target answered.
    pub fine: bool,
}

/// The report of a payload as a job wants it.
pub fn of(job: &Job, payload: &Value, told_replies: bool) -> Finished {
    let finished = report(job.tool, payload, told_replies);
    match serde_json::from_value::<DnsOutcome>(payload.clone()) {
        Ok(outcome) if job.shared.short && job.tool == "dns" => {
            Finished { lines: short(&outcome), ..finished }
        }
        _ => finished,
    }
}

/// The data of the records that were asked for, aliases included, as `dig +short` has them.
fn short(outcome: &DnsOutcome) -> Vec<String> {
    let counts =
        outcome.answers.iter().filter(|record| record.kind != "RRSIG" || outcome.question.kind == "RRSIG");
    counts.map(|record| record.data.clone()).collect()
}

/// The report of a payload. `told_replies` leaves out what a live view has printed.
pub fn report(tool: &str, payload: &Value, told_replies: bool) -> Finished {
    let known = match tool {
        "ping" => serde_json::from_value(payload.clone()).ok().map(|outcome| ping(&outcome, told_replies)),
        "tcp" => serde_json::from_value(payload.clone()).ok().map(|outcome| tcp(&outcome, told_replies)),
        "tls" => serde_json::from_value::<TlsOutcome>(payload.clone())
            .ok()
            .map(|outcome| judged(outcome.raw, outcome.reports.into_iter().map(|report| report.verdict))),
        "http" => serde_json::from_value::<HttpOutcome>(payload.clone())
            .ok()
            .map(|outcome| judged(outcome.raw, outcome.reports.into_iter().map(|report| report.verdict))),
        "sweep" => serde_json::from_value(payload.clone()).ok().map(|outcome| sweep(&outcome)),
        "mtr" => serde_json::from_value(payload.clone()).ok().map(|outcome| mtr(&outcome)),
        "dns" => serde_json::from_value(payload.clone()).ok().map(|outcome| dns(&outcome)),
        "whois" => crate::commands::whois::lines(payload).map(|(lines, fine)| Finished { lines, fine }),
        _ => None,
    };
    known.unwrap_or_else(|| Finished { lines: plain(payload), fine: true })
}

fn ping(outcome: &PingOutcome, told_replies: bool) -> Finished {
    let mut lines = untold(&outcome.raw, told_replies);
    lines.push(String::new());
    lines.extend(outcome.reports.iter().filter_map(whereabouts));
    lines.extend(outcome.reports.iter().map(|report| match outcome.reports.len() {
        1 => verdict(&report.verdict),
        _ => format!("{}: {}", report.address, verdict(&report.verdict)),
    }));
    Finished { lines, fine: outcome.reports.iter().any(|report| report.statistics.received > 0) }
}

/// Whose an address is and where, as far as a file knew.
fn whereabouts(report: &PingReport) -> Option<String> {
    let name = report.as_name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    let system = report.asn.map(|number| format!("AS{number}{name}"));
    let place = report.place.as_ref().map(|place| place.words.clone());
    let words: Vec<String> = [system, place].into_iter().flatten().collect();
    (!words.is_empty()).then(|| format!("{}: {}", report.address, words.join(", ")))
}

fn tcp(outcome: &TcpOutcome, told_replies: bool) -> Finished {
    let mut lines = untold(&outcome.raw, told_replies);
    lines.push(String::new());
    lines.extend(outcome.reports.iter().map(|report| verdict(&report.verdict)));
    Finished { lines, fine: outcome.reports.iter().any(|report| report.statistics.connected > 0) }
}

/// Who was found; fine when somebody was, this machine aside.
fn sweep(outcome: &SweepOutcome) -> Finished {
    let mut lines = outcome.raw.clone();
    lines.push(format!("{} ({:.2} s)", verdict(&outcome.verdict), outcome.took_ms / 1000.0));
    let others = outcome.hosts.iter().any(|host| !host.own);
    Finished { lines, fine: others || (outcome.found > 0 && outcome.complete) }
}

/// Text and verdicts of what was asked once; fine when nothing is broken at any address.
fn judged(mut lines: Vec<String>, verdicts: impl Iterator<Item = Verdict>) -> Finished {
    lines.push(String::new());
    let mut fine = true;
    for one in verdicts {
        fine &= one.severity < Severity::Alert;
        lines.push(verdict(&one));
    }
    Finished { lines, fine }
}

/// A report in the manner of ping without what was told already, as it happened.
fn untold(raw: &[String], told_replies: bool) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut in_statistics = false;
    for line in raw {
        let begins = line.starts_with("--- ");
        // Each address has its own head; what was told already reaches from there to its statistics.
        in_statistics = begins || (in_statistics && !line.is_empty());
        match told_replies {
            false => lines.push(line.clone()),
            true if begins => lines.extend([String::new(), line.clone()]),
            true if in_statistics => lines.push(line.clone()),
            true => {}
        }
    }
    lines
}

fn mtr(outcome: &MtrOutcome) -> Finished {
    let mut lines = outcome.raw.clone();
    lines.push(String::new());
    lines.push(verdict(&outcome.trace.verdict));
    Finished { lines, fine: outcome.trace.reached }
}

fn dns(outcome: &DnsOutcome) -> Finished {
    let mut lines = outcome.raw.clone();
    lines.extend([String::new(), verdict(&outcome.verdict)]);
    let is_bogus = outcome.dnssec.as_ref().is_some_and(|report| report.verdict == Security::Bogus);
    Finished { lines, fine: !outcome.answers.is_empty() && !is_bogus }
}

/// A verdict as one line: how bad, and what it means.
pub fn verdict(verdict: &Verdict) -> String {
    let word = match verdict.severity {
        Severity::Ok => "OK",
        Severity::Info => "INFO",
        Severity::Warning => "WARNING",
        Severity::Alert => "ALERT",
    };
    format!("{word}: {}", verdict.summary)
}

/// The payload of a tool that has no text of its own.
fn plain(payload: &Value) -> Vec<String> {
    serde_json::to_string_pretty(payload).unwrap_or_default().lines().map(str::to_owned).collect()
}
