//! The verdict over a ping.

use std::net::IpAddr;

use netwark_model::tools::ping::{PingFate, PingReport, PingStatistics};
use netwark_model::tools::verdict::{Finding, FindingKind, Severity, Verdict};

use super::{conclude, finding, loss_severity, varies_widely, waiting};
use crate::words::{self, counted, milliseconds, percent};

/// Says what a ping means, also of one that is still running.
pub fn ping(report: &PingReport) -> Verdict {
    let numbers = &report.statistics;
    let mut findings = Vec::new();
    if numbers.unsent > 0 {
        findings.push(not_sent(report));
    }
    let lost = lost(numbers);
    let decided = numbers.received + lost;
    if decided == 0 {
        return match findings.pop() {
            Some(not_sent) => conclude(not_sent, findings),
            None => waiting("waiting for the first reply"),
        };
    }
    let refusal = refusal(report);
    let headline = if numbers.received > 0 {
        findings.extend(refusal);
        answers(report.address, numbers, lost, decided)
    } else if let Some(refusal) = refusal {
        refusal
    } else {
        no_answer(report.address, numbers, decided)
    };
    findings.extend(remarks(report));
    conclude(headline, findings)
}

/// Requests that count as lost.
fn lost(numbers: &PingStatistics) -> u32 {
    // The share is exact to a millionth of a percent, which is more than 10,000 requests need.
    let rate = numbers.loss / 100.0;
    if numbers.received == 0 {
        if numbers.loss > 0.0 { numbers.transmitted.max(1) } else { 0 }
    } else {
        (f64::from(numbers.received) * rate / (1.0 - rate)).round() as u32
    }
}

fn answers(address: IpAddr, numbers: &PingStatistics, lost: u32, decided: u32) -> Finding {
    let average = milliseconds(numbers.average.unwrap_or_default());
    if lost > 0 {
        let loss = percent(numbers.loss);
        let text = format!(
            "{address} left {lost} of {} unanswered ({loss} loss), {average} on average",
            counted(decided, "request", "requests")
        );
        return finding(loss_severity(numbers.loss), FindingKind::TargetLoss, None, text);
    }
    let text = if decided == 1 {
        format!("{address} answers in {average}")
    } else {
        format!("{address} answers all {decided} requests, {average} on average")
    };
    finding(Severity::Ok, FindingKind::Healthy, None, text)
}

fn no_answer(address: IpAddr, numbers: &PingStatistics, decided: u32) -> Finding {
    if numbers.late > 0 {
        let text = format!(
            "{address} answers only after the timeout: {} of {decided} came late, none in time",
            numbers.late
        );
        return finding(Severity::Alert, FindingKind::LateReplies, None, text);
    }
    let requests = counted(decided, "request", "requests");
    let text = format!("{address} answers none of {requests} (100% loss)");
    finding(Severity::Alert, FindingKind::NoAnswer, None, text)
}

fn not_sent(report: &PingReport) -> Finding {
    let reason = report.replies.iter().rev().find_map(|reply| match &reply.fate {
        PingFate::Unsent { message } => Some(message.as_str()),
        _ => None,
    });
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let numbers = &report.statistics;
    if numbers.transmitted == 0 {
        let text = format!("no request could be sent{reason}");
        return finding(Severity::Alert, FindingKind::NotSent, None, text);
    }
    let text = format!("{} could not be sent{reason}", counted(numbers.unsent, "request", "requests"));
    finding(Severity::Warning, FindingKind::NotSent, None, text)
}

/// What ICMP errors said, with the latest of them as the witness.
fn refusal(report: &PingReport) -> Option<Finding> {
    let (from, message) = report.replies.iter().rev().find_map(|reply| match &reply.fate {
        PingFate::Error { from, message } => Some((*from, message.as_str())),
        _ => None,
    })?;
    let numbers = &report.statistics;
    let severity = if numbers.received == 0 { Severity::Alert } else { Severity::Warning };
    let address = report.address;
    let of = match numbers.received {
        0 => String::new(),
        _ => format!("{} failed: ", counted(numbers.errors, "request", "requests")),
    };
    Some(if message.starts_with(words::TOO_BIG) {
        let text = format!("{of}the requests are too big for the way to {address}: {from} says {message}");
        finding(severity, FindingKind::PacketTooBig, None, text)
    } else if message == words::TTL_EXCEEDED {
        let text = format!("{of}the requests' time to live ends at {from}, before {address}");
        finding(severity, FindingKind::EndsBeforeTarget, None, text)
    } else if from == address {
        let text = format!("{of}{address} itself refuses: {message}");
        finding(severity, FindingKind::Unreachable, None, text)
    } else {
        let text = format!("{of}{address} cannot be reached: {from} says {message}");
        finding(severity, FindingKind::Unreachable, None, text)
    })
}

/// What is worth a word beside the answer itself.
fn remarks(report: &PingReport) -> Vec<Finding> {
    let numbers = &report.statistics;
    let mut findings = Vec::new();
    if numbers.late > 0 && numbers.received > 0 {
        let late = counted(numbers.late, "reply", "replies");
        let text = format!("{late} came after the timeout and counted as lost");
        findings.push(finding(Severity::Warning, FindingKind::LateReplies, None, text));
    }
    if numbers.duplicates > 0 {
        let text = match numbers.duplicates {
            1 => "1 reply came twice".to_owned(),
            many => format!("{many} replies were duplicates"),
        };
        findings.push(finding(Severity::Warning, FindingKind::Duplicates, None, text));
    }
    if numbers.reordered > 0 {
        let text = format!(
            "{} overtaken by the reply to a later request",
            counted(numbers.reordered, "reply was", "replies were")
        );
        findings.push(finding(Severity::Info, FindingKind::Reordering, None, text));
    }
    let other = report.replies.iter().find_map(|reply| match &reply.fate {
        PingFate::Reply { from, .. } => *from,
        _ => None,
    });
    if let Some(other) = other {
        let text = format!("the replies come from {other}, not from {}", report.address);
        findings.push(finding(Severity::Info, FindingKind::OtherAddress, None, text));
    }
    if let (Some(average), Some(stddev), Some(min), Some(max)) =
        (numbers.average, numbers.stddev, numbers.min, numbers.max)
        && varies_widely(average, stddev)
    {
        let text = format!("round trips vary widely, from {} to {}", milliseconds(min), milliseconds(max));
        findings.push(finding(Severity::Info, FindingKind::Jitter, None, text));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use netwark_model::tools::ping::PingReply;

    fn report(numbers: PingStatistics, fates: Vec<PingFate>) -> PingReport {
        let replies =
            (1..).zip(fates).map(|(seq, fate)| PingReply { seq, at_ms: f64::from(seq), fate }).collect();
        let address = IpAddr::from([192, 0, 2, 1]);
        PingReport {
            address,
            chosen: None,
            asn: None,
            as_name: None,
            place: None,
            statistics: numbers,
            replies,
            verdict: Verdict::default(),
        }
    }

    fn numbers(transmitted: u32, received: u32) -> PingStatistics {
        let average = (received > 0).then_some(25.14);
        let loss = crate::stats::percentage(transmitted - received, transmitted);
        PingStatistics { transmitted, received, loss, average, ..PingStatistics::default() }
    }

    #[test]
    fn a_single_lost_request_is_called_that() {
        let verdict = ping(&report(numbers(10, 9), Vec::new()));
        assert_eq!(
            verdict.summary,
            "192.0.2.1 left 1 of 10 requests unanswered (10% loss), 25.1 ms on average."
        );
        assert_eq!(verdict.severity, Severity::Warning);
    }

    #[test]
    fn the_lost_are_counted_exactly_from_their_share() {
        for received in [1, 2, 3, 9_998, 9_999] {
            let numbers = numbers(10_000, received);
            assert_eq!(lost(&numbers), 10_000 - received);
        }
    }

    #[test]
    fn what_was_not_sent_is_not_lost() {
        let unsent = PingFate::Unsent { message: "message too long, mtu 1500".into() };
        let none = PingStatistics { unsent: 1, ..PingStatistics::default() };
        let verdict = ping(&report(none, vec![unsent]));
        assert_eq!(verdict.summary, "No request could be sent: message too long, mtu 1500.");
        assert_eq!(verdict.findings.iter().map(|f| f.kind).collect::<Vec<_>>(), [FindingKind::NotSent]);
    }

    #[test]
    fn nothing_is_judged_before_anything_is_known() {
        let waiting_for_one = PingStatistics { transmitted: 1, ..PingStatistics::default() };
        let verdict = ping(&report(waiting_for_one, vec![PingFate::Waiting]));
        assert_eq!((verdict.severity, verdict.findings.len()), (Severity::Ok, 0));
    }

    #[test]
    fn a_packet_too_big_names_the_mtu_and_who_said_it() {
        let from = IpAddr::from([10, 0, 0, 1]);
        let error = PingFate::Error { from, message: "packet too big, MTU 1400".into() };
        let refused = PingStatistics { errors: 1, ..numbers(1, 0) };
        let verdict = ping(&report(refused, vec![error]));
        assert_eq!(verdict.findings[0].kind, FindingKind::PacketTooBig);
        let expected =
            "The requests are too big for the way to 192.0.2.1: 10.0.0.1 says packet too big, MTU 1400.";
        assert_eq!(verdict.summary, expected);
    }
}
