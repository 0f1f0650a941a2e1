//! The verdict over connections to a port.

use netwark_model::tools::tcp::{TcpFate, TcpReport, TcpStatistics};
use netwark_model::tools::verdict::{Finding, FindingKind, Severity, Verdict};

use super::{conclude, finding, loss_severity, varies_widely, waiting};
use crate::stats::percentage;
use crate::words::{counted, milliseconds};

/// Says what connections to one port mean, also while they are still tried.
pub fn tcp(report: &TcpReport) -> Verdict {
    let numbers = &report.statistics;
    let mut findings = failures(report);
    if numbers.connected == 0 {
        // What happened most often is what there is to say of the port.
        findings.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let mut findings = findings.into_iter().map(|(_, finding)| finding);
        return match findings.next() {
            Some(headline) => conclude(headline, findings.collect()),
            None => waiting("waiting for the first connection"),
        };
    }
    let mut findings: Vec<_> = findings.into_iter().map(|(_, finding)| finding).collect();
    if let (Some(average), Some(stddev)) = (numbers.average, numbers.stddev)
        && varies_widely(average, stddev)
    {
        let text = format!("the time varies widely, by {} around the mean", milliseconds(stddev));
        findings.push(finding(Severity::Info, FindingKind::Jitter, None, text));
    }
    conclude(connects(report), findings)
}

fn place(report: &TcpReport) -> String {
    format!("{} port {}", report.address, report.port)
}

fn connects(report: &TcpReport) -> Finding {
    let TcpStatistics { attempted, connected, median, .. } = report.statistics;
    let (place, time) = (place(report), milliseconds(median.unwrap_or_default()));
    if connected == attempted {
        let all = match connected {
            1 => format!("{place} takes connections, in {time}"),
            _ => format!("{place} takes connections, {connected} of {attempted}, median {time}"),
        };
        return finding(Severity::Ok, FindingKind::Healthy, None, all);
    }
    let text = format!("{place} took {connected} of {attempted} connections, median {time}");
    let lost = percentage(attempted.saturating_sub(connected), attempted);
    finding(loss_severity(lost), FindingKind::TargetLoss, None, text)
}

/// A finding for each way in which connections failed, with how many did.
fn failures(report: &TcpReport) -> Vec<(u32, Finding)> {
    let numbers = &report.statistics;
    let place = place(report);
    let none = numbers.connected == 0;
    let severity = if none { Severity::Alert } else { Severity::Warning };
    let mut findings = Vec::new();
    let mut add = |count: u32, kind, text: String| {
        if count > 0 {
            findings.push((count, finding(severity, kind, None, text)));
        }
    };
    let connections = |count| counted(count, "connection", "connections");
    add(
        numbers.refused,
        FindingKind::Refused,
        match none && numbers.refused == numbers.attempted {
            true => format!("{place} refuses: the host answers, but nothing listens on the port"),
            false => format!("{place} refused {}", connections(numbers.refused)),
        },
    );
    let says = report.attempts.iter().rev().find_map(|attempt| match &attempt.fate {
        TcpFate::Filtered { from, message, .. } => Some((from, message)),
        _ => None,
    });
    if let Some((from, message)) = says {
        let who = match from {
            Some(from) if *from == report.address => "the host itself says".into(),
            Some(from) => format!("{from} says"),
            None => "this machine says".into(),
        };
        add(numbers.filtered, FindingKind::Filtered, format!("{place} is filtered: {who} {message}"));
    }
    add(
        numbers.unanswered,
        FindingKind::NoAnswer,
        match none && numbers.unanswered == numbers.attempted {
            true => format!(
                "{place} does not answer: the host is down, or something on the way drops what is sent"
            ),
            false => format!("{place} left {} unanswered", connections(numbers.unanswered)),
        },
    );
    let unsent = report.attempts.iter().rev().find_map(|attempt| match &attempt.fate {
        TcpFate::Unsent { message } => Some(message),
        _ => None,
    });
    if let Some(message) = unsent {
        add(
            numbers.unsent,
            FindingKind::NotSent,
            format!("{} could not be tried: {message}", connections(numbers.unsent)),
        );
    }
    findings
}
