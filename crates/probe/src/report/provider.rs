//! A measurement as a text to send to a provider: from where, to where, when, what it means, and the numbers.

use netwark_model::tools::mtr::{MtrOptions, MtrOutcome, Protocol};
use netwark_model::tools::ping::{PingOptions, PingOutcome};
use netwark_model::tools::verdict::Verdict;

use crate::words::counted;

/// What the measurement itself does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circumstances<'a> {
    /// Where it was made: the worker, its site, its public address.
    pub from: &'a str,
    /// When it began, with its time zone, such as `2026-03-01T12:00:00+0000`.
    pub started: &'a str,
    /// The target as it was given.
    pub target: &'a str,
}

/// A trace for a provider.
pub fn mtr_for_provider(
    outcome: &MtrOutcome,
    options: &MtrOptions,
    circumstances: Circumstances<'_>,
) -> Vec<String> {
    let trace = &outcome.trace;
    let cycles = counted(trace.cycles, "cycle", "cycles");
    let protocol = match options.protocol {
        Protocol::Icmp => "ICMP echo".to_owned(),
        Protocol::Udp => format!("UDP to port {}", options.port.unwrap_or(33_434)),
        Protocol::Tcp => format!("TCP SYN to port {}", options.port.unwrap_or(80)),
    };
    let how = format!("{cycles}, {} ms apart, {protocol}, {} bytes", options.interval_ms, options.size);
    let mut lines = head("Trace", circumstances, &trace.address.to_string(), &how, [&trace.verdict]);
    lines.extend(outcome.raw.iter().skip(1).cloned());
    lines
}

/// A ping for a provider: without the single replies.
pub fn ping_for_provider(
    outcome: &PingOutcome,
    options: &PingOptions,
    circumstances: Circumstances<'_>,
) -> Vec<String> {
    let addresses: Vec<_> = outcome.reports.iter().map(|report| report.address.to_string()).collect();
    let requests = counted(options.count, "echo request", "echo requests");
    let how = format!("{requests}, {} ms apart, {} bytes of payload", options.interval_ms, options.size);
    let verdicts = outcome.reports.iter().map(|report| &report.verdict);
    let mut lines = head("Ping", circumstances, &addresses.join(", "), &how, verdicts);
    let mut in_totals = false;
    for line in &outcome.raw {
        in_totals = (in_totals && !line.is_empty()) || line.starts_with("--- ");
        if in_totals {
            lines.push(line.clone());
        }
    }
    lines
}

fn head<'a>(
    what: &str,
    circumstances: Circumstances<'_>,
    address: &str,
    how: &str,
    verdicts: impl IntoIterator<Item = &'a Verdict>,
) -> Vec<String> {
    let Circumstances { from, started, target } = circumstances;
    let to = if target == address { target.to_owned() } else { format!("{target} ({address})") };
    let mut lines = vec![
        format!("{what} to {to}"),
        format!("From:     {from}"),
        format!("Started:  {started}"),
        format!("Measured: {how}"),
    ];
    lines.extend(verdicts.into_iter().map(|verdict| format!("Verdict:  {}", verdict.summary)));
    lines.push(String::new());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{mtr_outcome, ping_outcome};
    use netwark_model::tools::mtr::{TraceEnd, TraceReport};
    use netwark_model::tools::ping::{PingReport, PingStatistics};
    use std::net::IpAddr;

    const WHERE: Circumstances<'_> = Circumstances {
        from: "office (198.51.100.7)",
        started: "2026-03-01T12:00:00+0000",
        target: "example.org",
    };

    fn verdict(summary: &str) -> Verdict {
        Verdict { summary: summary.into(), ..Verdict::default() }
    }

    #[test]
    fn a_trace_says_where_when_and_what() {
        let trace = TraceReport {
            address: IpAddr::from([192, 0, 2, 9]),
            chosen: None,
            protocol: Protocol::Tcp,
            cycles: 10,
            reached: true,
            end: Some(TraceEnd::Target),
            hops: Vec::new(),
            paths: Vec::new(),
            verdict: verdict("All is well."),
        };
        let options = MtrOptions { protocol: Protocol::Tcp, port: Some(443), ..MtrOptions::default() };
        let outcome = mtr_outcome("office", "example.org", WHERE.started, &options, trace);
        let expected = [
            "Trace to example.org (192.0.2.9)",
            "From:     office (198.51.100.7)",
            "Started:  2026-03-01T12:00:00+0000",
            "Measured: 10 cycles, 1000 ms apart, TCP SYN to port 443, 64 bytes",
            "Verdict:  All is well.",
            "",
            "HOST: office                      Loss%   Snt   Last   Avg  Best  Wrst StDev",
        ];
        assert_eq!(mtr_for_provider(&outcome, &options, WHERE), expected);
    }

    #[test]
    fn a_ping_says_its_totals_for_every_address() {
        let report = |last| PingReport {
            address: IpAddr::from([192, 0, 2, last]),
            chosen: None,
            asn: None,
            as_name: None,
            place: None,
            statistics: PingStatistics { transmitted: 2, loss: 100.0, ..PingStatistics::default() },
            replies: Vec::new(),
            verdict: verdict("Nothing answers."),
        };
        let options = PingOptions::default();
        let outcome = ping_outcome("example.org", &options, vec![report(1), report(2)]);
        let text = ping_for_provider(&outcome, &options, WHERE);
        assert_eq!(text[0], "Ping to example.org (192.0.2.1, 192.0.2.2)");
        assert_eq!(text.iter().filter(|line| line.starts_with("Verdict:")).count(), 2);
        assert_eq!(text.iter().filter(|line| line.contains("100% packet loss")).count(), 2);
        assert!(!text.iter().any(|line| line.starts_with("PING")), "{text:?}");
    }
}
