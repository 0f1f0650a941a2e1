//! A ping as an outcome and as the text of iputils' ping.

use std::net::IpAddr;

use netwark_model::tools::ping::{PingFate, PingOptions, PingOutcome, PingReply, PingReport};

use crate::words::{TOO_BIG, TTL_EXCEEDED, milliseconds};

/// Bytes of an ICMP header.
const ICMP_HEADER: u32 = 8;

/// The outcome of a ping of `target`, as it was given: the numbers of the first report, and all reports with their
/// text. Without any report all numbers are 0.
pub fn ping_outcome(target: &str, options: &PingOptions, reports: Vec<PingReport>) -> PingOutcome {
    let mut raw: Vec<String> = Vec::new();
    for report in &reports {
        if !raw.is_empty() {
            raw.push(String::new());
        }
        raw.extend(ping_text(target, options, report));
    }
    let first = reports.first().map(|report| report.statistics.clone()).unwrap_or_default();
    PingOutcome {
        transmitted: first.transmitted,
        received: first.received,
        duplicates: first.duplicates,
        loss: first.loss,
        min: first.min,
        max: first.max,
        average: first.average,
        raw,
        reports,
    }
}

/// A report in the words of iputils' ping: a head, a line for every reply and error, the statistics.
pub fn ping_text(target: &str, options: &PingOptions, report: &PingReport) -> Vec<String> {
    let size = u32::from(options.size);
    let address = report.address;
    let mut lines = vec![match address {
        IpAddr::V4(_) => {
            format!("PING {target} ({address}) {size}({}) bytes of data.", size + ICMP_HEADER + 20)
        }
        IpAddr::V6(_) => format!("PING {target} ({address}) {size} data bytes"),
    }];
    for reply in &report.replies {
        push_reply(&mut lines, size + ICMP_HEADER, address, reply);
    }
    lines.push(String::new());
    lines.push(format!("--- {target} ping statistics ---"));
    lines.push(totals(report));
    let numbers = &report.statistics;
    if let (Some(min), Some(average), Some(max), Some(stddev)) =
        (numbers.min, numbers.average, numbers.max, numbers.stddev)
    {
        lines.push(format!("rtt min/avg/max/mdev = {min:.3}/{average:.3}/{max:.3}/{stddev:.3} ms"));
    }
    lines
}

fn push_reply(lines: &mut Vec<String>, bytes: u32, address: IpAddr, reply: &PingReply) {
    let seq = reply.seq;
    match &reply.fate {
        // ping is silent about what it does not hear.
        PingFate::Waiting | PingFate::Lost => {}
        PingFate::Reply { rtt, ttl, from, duplicates, .. } => {
            let from = from.unwrap_or(address);
            let ttl = ttl.map(|ttl| format!(" ttl={ttl}")).unwrap_or_default();
            let time = milliseconds(*rtt);
            lines.push(format!("{bytes} bytes from {from}: icmp_seq={seq}{ttl} time={time}"));
            for _ in 0..*duplicates {
                lines.push(format!("{bytes} bytes from {from}: icmp_seq={seq}{ttl} (DUP!)"));
            }
        }
        PingFate::Late { rtt } => {
            let time = milliseconds(*rtt);
            lines.push(format!("{bytes} bytes from {address}: icmp_seq={seq} time={time} (late)"));
        }
        PingFate::Error { from, message } => {
            lines.push(format!("From {from} icmp_seq={seq} {}", in_words_of_ping(address, message)));
        }
        PingFate::Unsent { message } => lines.push(format!("ping: local error: {message}")),
    }
}

fn totals(report: &PingReport) -> String {
    let numbers = &report.statistics;
    let mut text = format!("{} packets transmitted, {} received", numbers.transmitted, numbers.received);
    if numbers.duplicates > 0 {
        text.push_str(&format!(", +{} duplicates", numbers.duplicates));
    }
    if numbers.errors > 0 {
        text.push_str(&format!(", +{} errors", numbers.errors));
    }
    let loss = format!("{:.4}", numbers.loss);
    let loss = loss.trim_end_matches('0').trim_end_matches('.');
    let took = report.replies.iter().map(ended).fold(0.0, f64::max);
    text.push_str(&format!(", {loss}% packet loss, time {took:.0}ms"));
    text
}

/// When a request was over, in milliseconds since the start.
fn ended(reply: &PingReply) -> f64 {
    match reply.fate {
        PingFate::Reply { rtt, .. } | PingFate::Late { rtt } => reply.at_ms + rtt,
        _ => reply.at_ms,
    }
}

/// Errors as iputils' ping words them, so that what reads its text reads ours.
fn in_words_of_ping(address: IpAddr, message: &str) -> String {
    let v4 = address.is_ipv4();
    if let Some(rest) = message.strip_prefix(TOO_BIG) {
        let mtu = rest.rsplit(' ').next().filter(|mtu| mtu.parse::<u32>().is_ok()).unwrap_or("0");
        return if v4 {
            format!("Frag needed and DF set (mtu = {mtu})")
        } else {
            format!("Packet too big: mtu={mtu}")
        };
    }
    let (four, six) = match message {
        TTL_EXCEEDED => ("Time to live exceeded", "Time exceeded: Hop limit"),
        "network unreachable" => ("Destination Net Unreachable", "Destination unreachable: No route"),
        "host unreachable" => ("Destination Host Unreachable", "Destination unreachable: Host unreachable"),
        "address unreachable" => {
            ("Destination Host Unreachable", "Destination unreachable: Address unreachable")
        }
        "protocol unreachable" => {
            ("Destination Protocol Unreachable", "Destination unreachable: Protocol unreachable")
        }
        "port unreachable" => ("Destination Port Unreachable", "Destination unreachable: Port unreachable"),
        "administratively prohibited" => {
            ("Packet filtered", "Destination unreachable: Administratively prohibited")
        }
        other => return format!("Destination unreachable: {other}"),
    };
    if v4 { four.into() } else { six.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netwark_model::tools::ping::PingStatistics;
    use netwark_model::tools::verdict::Verdict;

    fn reply(seq: u32, at_ms: f64, fate: PingFate) -> PingReply {
        PingReply { seq, at_ms, fate }
    }

    fn answered(rtt: f64, duplicates: u16) -> PingFate {
        PingFate::Reply { rtt, ttl: Some(57), from: None, duplicates, kernel: true }
    }

    fn report(address: &str, replies: Vec<PingReply>, statistics: PingStatistics) -> PingReport {
        let address = address.parse().unwrap();
        PingReport {
            address,
            chosen: None,
            asn: None,
            as_name: None,
            place: None,
            statistics,
            replies,
            verdict: Verdict::default(),
        }
    }

    #[test]
    fn the_text_is_that_of_ping() {
        let from = IpAddr::from([10, 0, 0, 1]);
        let replies = vec![
            reply(1, 0.0, answered(25.1, 1)),
            reply(2, 1000.0, PingFate::Lost),
            reply(3, 2000.0, PingFate::Error { from, message: "host unreachable".into() }),
            reply(4, 3000.0, PingFate::Late { rtt: 2100.0 }),
            reply(5, 4000.0, PingFate::Unsent { message: "message too long, mtu 1500".into() }),
        ];
        let numbers = PingStatistics {
            transmitted: 4,
            received: 1,
            duplicates: 1,
            errors: 1,
            loss: 75.0,
            min: Some(25.1),
            average: Some(25.1),
            max: Some(25.1),
            stddev: Some(0.0),
            ..PingStatistics::default()
        };
        let outcome =
            ping_outcome("example.org", &PingOptions::default(), vec![report("192.0.2.1", replies, numbers)]);
        let expected = [
            "PING example.org (192.0.2.1) 56(84) bytes of data.",
            "64 bytes from 192.0.2.1: icmp_seq=1 ttl=57 time=25.1 ms",
            "64 bytes from 192.0.2.1: icmp_seq=1 ttl=57 (DUP!)",
            "From 10.0.0.1 icmp_seq=3 Destination Host Unreachable",
            "64 bytes from 192.0.2.1: icmp_seq=4 time=2100 ms (late)",
            "ping: local error: message too long, mtu 1500",
            "",
            "--- example.org ping statistics ---",
            "4 packets transmitted, 1 received, +1 duplicates, +1 errors, 75% packet loss, time 5100ms",
            "rtt min/avg/max/mdev = 25.100/25.100/25.100/0.000 ms",
        ];
        assert_eq!(outcome.raw, expected);
        assert_eq!((outcome.transmitted, outcome.received, outcome.loss), (4, 1, 75.0));
    }

    #[test]
    fn nothing_heard_is_said_in_full() {
        let numbers = PingStatistics { transmitted: 3, loss: 100.0, ..PingStatistics::default() };
        let replies = (1..=3).map(|seq| reply(seq, f64::from(seq - 1) * 1000.0, PingFate::Lost)).collect();
        let text =
            ping_text("2001:db8::1", &PingOptions::default(), &report("2001:db8::1", replies, numbers));
        let expected = [
            "PING 2001:db8::1 (2001:db8::1) 56 data bytes",
            "",
            "--- 2001:db8::1 ping statistics ---",
            "3 packets transmitted, 0 received, 100% packet loss, time 2000ms",
        ];
        assert_eq!(text, expected);
    }

    #[test]
    fn errors_are_worded_for_their_family() {
        let (v4, v6) = (IpAddr::from([192, 0, 2, 1]), "2001:db8::1".parse().unwrap());
        assert_eq!(in_words_of_ping(v4, "packet too big, MTU 1400"), "Frag needed and DF set (mtu = 1400)");
        assert_eq!(in_words_of_ping(v6, "packet too big, MTU not told"), "Packet too big: mtu=0");
        assert_eq!(in_words_of_ping(v6, "network unreachable"), "Destination unreachable: No route");
        assert_eq!(
            in_words_of_ping(v4, "ICMP type 12, code 0"),
            "Destination unreachable: ICMP type 12, code 0"
        );
    }
}
