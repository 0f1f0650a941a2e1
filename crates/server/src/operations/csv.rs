//! Results as tables: for each tool its columns, and its rows.

use netwark_model::operations::OperationDetail;
use netwark_model::tools::dns::{DnsOutcome, DnsQuestion, DnsRecord};
use netwark_model::tools::http::HttpOutcome;
use netwark_model::tools::mtr::MtrOutcome;
use netwark_model::tools::ping::{PingFate, PingOutcome};
use netwark_model::tools::sweep::{SweepHost, SweepOutcome};
use netwark_model::tools::tcp::{TcpFate, TcpOutcome};
use netwark_model::tools::tls::{Certificate, TlsOutcome};
use serde_json::Value;

use crate::csv::line;

/// The results of an operation as CSV, with a head.
pub(super) fn csv(detail: &OperationDetail) -> String {
    match detail.operation.tool.as_str() {
        "ping" => rows(
            detail,
            &[
                "address", "seq", "at_ms", "fate", "rtt_ms", "ttl", "from", "message", "asn", "as_name",
                "place",
            ],
            ping_rows,
        ),
        "mtr" => rows(
            detail,
            &[
                "hop",
                "host",
                "asn",
                "loss",
                "sent",
                "last_ms",
                "average_ms",
                "best_ms",
                "worst_ms",
                "stddev_ms",
                "as_name",
                "place",
            ],
            mtr_rows,
        ),
        "dns" => rows(
            detail,
            &["server", "status", "name", "type", "data", "ttl", "time_ms", "serial", "dnssec"],
            dns_rows,
        ),
        "tcp" => {
            rows(detail, &["address", "port", "seq", "at_ms", "fate", "time_ms", "from", "message"], tcp_rows)
        }
        "tls" => rows(detail, TLS, tls_rows),
        "http" => rows(detail, HTTP, http_rows),
        "sweep" => rows(
            detail,
            &["address", "mac", "vendor", "found_by", "rtt_ms", "names", "router", "vlan", "other_macs"],
            sweep_rows,
        ),
        _ => rows(detail, &["payload"], |payload| vec![vec![payload.to_string()]]),
    }
}

/// A table: worker, queue and status, then what `cells` makes of a payload; a cause when there is one.
fn rows(detail: &OperationDetail, columns: &[&str], cells: fn(&Value) -> Vec<Vec<String>>) -> String {
    let mut header = vec!["worker", "queue", "status"];
    header.extend(columns);
    header.push("cause");
    let mut out = line(header);
    for result in &detail.results {
        let payload = result.payload.as_ref().unwrap_or(&Value::Null);
        let cause = payload.get("cause").and_then(Value::as_str).unwrap_or_default();
        let mut lines = if cause.is_empty() { cells(payload) } else { Vec::new() };
        if lines.is_empty() {
            lines.push(vec![String::new(); columns.len()]);
        }
        for cells in lines {
            let worker = result.worker.clone().unwrap_or_default();
            let mut row = vec![worker, result.queue.clone(), result.status.as_str().to_owned()];
            row.extend(cells);
            row.push(cause.to_owned());
            out.push_str(&line(row));
        }
    }
    out
}

fn ping_rows(payload: &Value) -> Vec<Vec<String>> {
    let Ok(outcome) = serde_json::from_value::<PingOutcome>(payload.clone()) else { return Vec::new() };
    let mut rows = Vec::new();
    for report in outcome.reports {
        let system = report.asn.map(|number| format!("AS{number}")).unwrap_or_default();
        let origin = [
            system,
            report.as_name.unwrap_or_default(),
            report.place.map(|place| place.words).unwrap_or_default(),
        ];
        for reply in report.replies {
            let empty = String::new;
            let [fate, rtt, ttl, from, message] = match reply.fate {
                PingFate::Waiting => ["waiting".into(), empty(), empty(), empty(), empty()],
                PingFate::Lost => ["lost".into(), empty(), empty(), empty(), empty()],
                PingFate::Late { rtt } => ["late".into(), rtt.to_string(), empty(), empty(), empty()],
                PingFate::Unsent { message } => ["unsent".into(), empty(), empty(), empty(), message],
                PingFate::Error { from, message } => {
                    ["error".into(), empty(), empty(), from.to_string(), message]
                }
                PingFate::Reply { rtt, ttl, from, .. } => [
                    "reply".into(),
                    rtt.to_string(),
                    ttl.map(|ttl| ttl.to_string()).unwrap_or_default(),
                    from.map(|from| from.to_string()).unwrap_or_default(),
                    empty(),
                ],
            };
            let [address, seq, at] =
                [report.address.to_string(), reply.seq.to_string(), reply.at_ms.to_string()];
            let measured = [address, seq, at, fate, rtt, ttl, from, message];
            rows.push(measured.into_iter().chain(origin.clone()).collect());
        }
    }
    rows
}

fn mtr_rows(payload: &Value) -> Vec<Vec<String>> {
    let Ok(outcome) = serde_json::from_value::<MtrOutcome>(payload.clone()) else { return Vec::new() };
    let row = |(at, hub): (usize, netwark_model::tools::mtr::MtrHub)| {
        let first = outcome.trace.hops.get(at).and_then(|hop| hop.responders.first());
        vec![
            hub.count.to_string(),
            hub.host,
            hub.asn,
            hub.loss.to_string(),
            hub.sent.to_string(),
            hub.last.to_string(),
            hub.average.to_string(),
            hub.best.to_string(),
            hub.worst.to_string(),
            hub.stddev.to_string(),
            first.and_then(|one| one.as_name.clone()).unwrap_or_default(),
            first.and_then(|one| one.place.as_ref()).map(|place| place.words.clone()).unwrap_or_default(),
        ]
    };
    outcome.report.hubs.into_iter().enumerate().map(row).collect()
}

fn sweep_rows(payload: &Value) -> Vec<Vec<String>> {
    let Ok(outcome) = serde_json::from_value::<SweepOutcome>(payload.clone()) else { return Vec::new() };
    let joined = |texts: Vec<String>| texts.join(" ");
    let row = |host: SweepHost| {
        vec![
            host.address.to_string(),
            host.mac.map(|mac| mac.to_string()).unwrap_or_default(),
            host.vendor.unwrap_or_default(),
            serde_json::to_value(host.source)
                .ok()
                .and_then(|word| word.as_str().map(str::to_owned))
                .unwrap_or_default(),
            host.rtt.map(|rtt| rtt.to_string()).unwrap_or_default(),
            joined(host.names.into_iter().map(|name| name.text).collect()),
            host.router.to_string(),
            host.vlan.map(|vlan| vlan.to_string()).unwrap_or_default(),
            joined(host.other_macs.iter().map(ToString::to_string).collect()),
        ]
    };
    outcome.hosts.into_iter().map(row).collect()
}

fn tcp_rows(payload: &Value) -> Vec<Vec<String>> {
    let Ok(outcome) = serde_json::from_value::<TcpOutcome>(payload.clone()) else { return Vec::new() };
    let mut rows = Vec::new();
    for report in outcome.reports {
        for attempt in report.attempts {
            let empty = String::new;
            let [fate, time, from, message] = match attempt.fate {
                TcpFate::Connected { rtt } => ["connected".into(), rtt.to_string(), empty(), empty()],
                TcpFate::Refused { rtt } => ["refused".into(), rtt.to_string(), empty(), empty()],
                TcpFate::Filtered { rtt, from, message } => {
                    let from = from.map(|from| from.to_string()).unwrap_or_default();
                    ["filtered".into(), rtt.to_string(), from, message]
                }
                TcpFate::Unanswered => ["unanswered".into(), empty(), empty(), empty()],
                TcpFate::Unsent { message } => ["unsent".into(), empty(), empty(), message],
            };
            let [address, port] = [report.address.to_string(), report.port.to_string()];
            let [seq, at] = [attempt.seq.to_string(), attempt.at_ms.to_string()];
            rows.push(vec![address, port, seq, at, fate, time, from, message]);
        }
    }
    rows
}

const TLS: &[&str] = &[
    "address",
    "port",
    "server_name",
    "connect_ms",
    "handshake_ms",
    "protocol",
    "cipher",
    "alpn",
    "trusted",
    "problems",
    "subject",
    "issuer",
    "not_after",
    "days_left",
    "fingerprint",
    "failure",
];

fn tls_rows(payload: &Value) -> Vec<Vec<String>> {
    let Ok(outcome) = serde_json::from_value::<TlsOutcome>(payload.clone()) else { return Vec::new() };
    let rows = outcome.reports.into_iter().map(|report| {
        let session = report.session.unwrap_or_default();
        let problems: Vec<_> = session.problems.into_iter().map(|problem| problem.text).collect();
        let leaf = session.chain.into_iter().next();
        let of_leaf = |text: fn(&Certificate) -> String| leaf.as_ref().map(text).unwrap_or_default();
        vec![
            report.address.to_string(),
            report.port.to_string(),
            report.server_name,
            number(report.connect_ms),
            number(report.handshake_ms),
            session.protocol.unwrap_or_default(),
            session.cipher.unwrap_or_default(),
            session.alpn.unwrap_or_default(),
            session.trusted.to_string(),
            problems.join("; "),
            of_leaf(|leaf| leaf.subject.clone()),
            of_leaf(|leaf| leaf.issuer.clone()),
            of_leaf(|leaf| leaf.not_after.to_string()),
            of_leaf(|leaf| leaf.days_left.to_string()),
            of_leaf(|leaf| leaf.fingerprint.clone()),
            report.failure.map(|failure| failure.message).unwrap_or_default(),
        ]
    });
    rows.collect()
}

const HTTP: &[&str] = &[
    "hop",
    "method",
    "url",
    "address",
    "version",
    "http_status",
    "name_ms",
    "connect_ms",
    "tls_ms",
    "first_byte_ms",
    "body_ms",
    "total_ms",
    "body_bytes",
    "body_sha256",
    "fingerprint",
    "failure",
];

fn http_rows(payload: &Value) -> Vec<Vec<String>> {
    let Ok(outcome) = serde_json::from_value::<HttpOutcome>(payload.clone()) else { return Vec::new() };
    let mut rows = Vec::new();
    for (at, hop) in outcome.reports.into_iter().flat_map(|report| (1u32..).zip(report.hops)) {
        let leaf = hop.tls.and_then(|session| session.chain.into_iter().next());
        rows.push(vec![
            at.to_string(),
            hop.method.as_str().to_owned(),
            hop.url,
            hop.address.map(|address| address.to_string()).unwrap_or_default(),
            hop.version.unwrap_or_default(),
            hop.status.map(|status| status.to_string()).unwrap_or_default(),
            number(hop.timings.name),
            number(hop.timings.connect),
            number(hop.timings.tls),
            number(hop.timings.first_byte),
            number(hop.timings.body),
            hop.timings.total.to_string(),
            hop.body.as_ref().map(|body| body.bytes.to_string()).unwrap_or_default(),
            hop.body.map(|body| body.sha256).unwrap_or_default(),
            leaf.map(|leaf| leaf.fingerprint).unwrap_or_default(),
            hop.failure.map(|failure| failure.message).unwrap_or_default(),
        ]);
    }
    rows
}

fn number(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A row for each record of the answer, or one for an answer without any.
fn dns_rows(payload: &Value) -> Vec<Vec<String>> {
    let Ok(outcome) = serde_json::from_value::<DnsOutcome>(payload.clone()) else { return Vec::new() };
    let (server, time) =
        outcome.reply.map_or_else(Default::default, |reply| (reply.server, reply.time_ms.to_string()));
    let status = outcome.status.unwrap_or_else(|| "no answer".into());
    let serial = outcome.serial.map(|serial| serial.to_string()).unwrap_or_default();
    let dnssec = outcome.dnssec.map(|report| report.verdict.as_str().to_owned()).unwrap_or_default();
    let mut records = outcome.answers;
    if records.is_empty() {
        let DnsQuestion { name, kind } = outcome.question;
        records.push(DnsRecord { name, kind, ..DnsRecord::default() });
    }
    let row = |record: DnsRecord| {
        let ttl = if record.data.is_empty() { String::new() } else { record.ttl.to_string() };
        let [server, status, time] = [&server, &status, &time].map(String::clone);
        vec![server, status, record.name, record.kind, record.data, ttl, time, serial.clone(), dnssec.clone()]
    };
    records.into_iter().map(row).collect()
}
