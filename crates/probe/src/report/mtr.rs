//! A trace as an outcome with the field names of `mtr --json`, and as the text of `mtr --report`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use netwark_model::tools::mtr::{
    Hop, Label, MtrHeader, MtrHub, MtrOptions, MtrOutcome, MtrReport, Responder, TraceReport,
};

/// Width of the column with the hop and its name; longer names make it wider.
const NAME_WIDTH: usize = 33;

/// A time as mtr writes it, in the time zone of this machine: `2026-03-01T12:00:00+0000`.
pub fn mtr_time(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S%z").to_string()
}

/// The outcome of a trace: `src` is the name of the worker, `dst` the target as it was given, `started` what
/// [`mtr_time`] gives.
pub fn mtr_outcome(
    src: &str,
    dst: &str,
    started: &str,
    options: &MtrOptions,
    trace: TraceReport,
) -> MtrOutcome {
    let header = MtrHeader {
        src: src.into(),
        dst: dst.into(),
        tos: options.dscp << 2,
        tests: options.cycles,
        psize: options.size.to_string(),
        bitpattern: "0x00".into(),
    };
    let hubs = trace.hops.iter().map(hub).collect();
    let report = MtrReport { mtr: header, hubs };
    MtrOutcome { raw: mtr_text(&report, &trace, started), report, trace }
}

fn hub(hop: &Hop) -> MtrHub {
    let first = hop.responders.first();
    let rtt = hop.rtt.as_ref();
    MtrHub {
        count: hop.ttl.into(),
        host: first.map_or_else(|| "???".into(), name),
        asn: first.and_then(|one| one.asn).map_or_else(|| "AS???".into(), |number| format!("AS{number}")),
        loss: thousandths(hop.loss),
        sent: hop.sent,
        last: thousandths(rtt.map_or(0.0, |rtt| rtt.last)),
        average: thousandths(rtt.map_or(0.0, |rtt| rtt.average)),
        best: thousandths(rtt.map_or(0.0, |rtt| rtt.best)),
        worst: thousandths(rtt.map_or(0.0, |rtt| rtt.worst)),
        stddev: thousandths(rtt.map_or(0.0, |rtt| rtt.stddev)),
    }
}

fn name(responder: &Responder) -> String {
    responder.name.clone().unwrap_or_else(|| responder.address.to_string())
}

/// mtr gives three digits.
fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// A trace in the words of `mtr --report-wide`; for `started` see [`mtr_outcome`].
pub fn mtr_text(report: &MtrReport, trace: &TraceReport, started: &str) -> Vec<String> {
    let hubs = &report.hubs;
    let heads: Vec<_> = hubs.iter().map(|hub| format!("{:>3}.|-- {}", hub.count, hub.host)).collect();
    let title = format!("HOST: {}", report.mtr.src);
    let longest = heads.iter().chain([&title]).map(|head| head.chars().count()).max().unwrap_or_default();
    let width = NAME_WIDTH.max(longest);
    let mut lines = vec![
        format!("Start: {started}"),
        format!(
            "{title:<width$}{:>6}{:>6} {:>6}{:>6}{:>6}{:>6}{:>6}",
            "Loss%", "Snt", "Last", "Avg", "Best", "Wrst", "StDev"
        ),
    ];
    for ((hub, head), hop) in hubs.iter().zip(heads).zip(&trace.hops) {
        // mtr's column has no room for the sign behind 100.0.
        let loss = if hub.loss >= 99.95 { "100.0".into() } else { format!("{:.1}%", hub.loss) };
        lines.push(format!(
            "{head:<width$}{loss:>6}{:>6} {:>6.1}{:>6.1}{:>6.1}{:>6.1}{:>6.1}",
            hub.sent, hub.last, hub.average, hub.best, hub.worst, hub.stddev
        ));
        push_labels(&mut lines, hop.responders.first().map_or(&[], |one| one.labels.as_slice()));
        for other in hop.responders.iter().skip(1) {
            lines.push(format!("    |  `|-- {}", name(other)));
            push_labels(&mut lines, &other.labels);
        }
    }
    lines
}

fn push_labels(lines: &mut Vec<String>, labels: &[Label]) {
    for Label { label, tc, bottom, ttl } in labels {
        lines.push(format!("    |   +-- [MPLS: Lbl {label} TC {tc} S {} TTL {ttl}]", u8::from(*bottom)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netwark_model::tools::mtr::{HopAnswer, HopRtt, Protocol, TraceEnd};
    use netwark_model::tools::verdict::Verdict;
    use std::net::IpAddr;

    fn responder(last: u8, name: Option<&str>) -> Responder {
        let rtt = HopRtt { last: 1.5, best: 1.0, average: 1.2345, worst: 2.0, stddev: 0.25, jitter: 0.1 };
        Responder {
            address: IpAddr::from([10, 0, 0, last]),
            name: name.map(Into::into),
            asn: None,
            as_name: None,
            place: None,
            received: 10,
            rtt,
            answer: HopAnswer::TimeExceeded,
            labels: Vec::new(),
            flows: vec![0],
        }
    }

    fn hop(ttl: u8, responders: Vec<Responder>) -> Hop {
        let (received, rtt) =
            (responders.first().map_or(0, |one| one.received), responders.first().map(|one| one.rtt));
        let loss = f64::from(10 - received) * 10.0;
        Hop { ttl, sent: 10, received, loss, rtt, responders }
    }

    fn outcome(hops: Vec<Hop>) -> MtrOutcome {
        let trace = TraceReport {
            address: IpAddr::from([10, 0, 0, 9]),
            chosen: None,
            protocol: Protocol::Icmp,
            cycles: 10,
            reached: true,
            end: Some(TraceEnd::Target),
            hops,
            paths: Vec::new(),
            verdict: Verdict::default(),
        };
        let options = MtrOptions { dscp: 46, ..MtrOptions::default() };
        mtr_outcome("worker", "example.org", "2026-03-01T12:00:00+0000", &options, trace)
    }

    #[test]
    fn the_text_is_that_of_mtr() {
        let mut labelled = responder(3, None);
        labelled.labels = vec![Label { label: 16_001, tc: 0, bottom: true, ttl: 1 }];
        let hops = vec![
            hop(1, vec![responder(1, Some("gateway.example"))]),
            hop(2, Vec::new()),
            hop(3, vec![labelled, responder(4, None)]),
        ];
        let expected = [
            "Start: 2026-03-01T12:00:00+0000",
            "HOST: worker                      Loss%   Snt   Last   Avg  Best  Wrst StDev",
            "  1.|-- gateway.example            0.0%    10    1.5   1.2   1.0   2.0   0.2",
            "  2.|-- ???                       100.0    10    0.0   0.0   0.0   0.0   0.0",
            "  3.|-- 10.0.0.3                   0.0%    10    1.5   1.2   1.0   2.0   0.2",
            "    |   +-- [MPLS: Lbl 16001 TC 0 S 1 TTL 1]",
            "    |  `|-- 10.0.0.4",
        ];
        assert_eq!(outcome(hops).raw, expected);
    }

    #[test]
    fn long_names_widen_the_table() {
        let long = "a-router-with-quite-a-long-name.provider.example";
        let text = outcome(vec![hop(1, vec![responder(1, Some(long))])]).raw;
        assert!(text[2].starts_with(&format!("  1.|-- {long}  0.0%")), "{}", text[2]);
        assert_eq!(text[1].len(), text[2].len());
    }

    #[test]
    fn the_report_has_the_fields_of_mtr() {
        let outcome = outcome(vec![hop(1, vec![responder(1, None)]), hop(2, Vec::new())]);
        let json = serde_json::to_value(&outcome.report).unwrap();
        let expected = serde_json::json!({
            "mtr": { "src": "worker", "dst": "example.org", "tos": 184, "tests": 10, "psize": "64", "bitpattern": "0x00" },
            "hubs": [
                { "count": 1, "host": "10.0.0.1", "ASN": "AS???", "Loss%": 0.0, "Snt": 10, "Last": 1.5, "Avg": 1.235,
                  "Best": 1.0, "Wrst": 2.0, "StDev": 0.25 },
                { "count": 2, "host": "???", "ASN": "AS???", "Loss%": 100.0, "Snt": 10, "Last": 0.0, "Avg": 0.0,
                  "Best": 0.0, "Wrst": 0.0, "StDev": 0.0 },
            ],
        });
        assert_eq!(json, expected);
    }
}
