//! Requests as lines of text.

use netwark_model::tools::http::{HttpHop, HttpReport, HttpTimings};

use crate::tls::session_lines;
use crate::words::milliseconds;

/// All reports, one after the other.
pub(super) fn lines(reports: &[HttpReport]) -> Vec<String> {
    let mut lines = Vec::new();
    for report in reports {
        for hop in &report.hops {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            hop_lines(&mut lines, hop);
        }
    }
    lines
}

fn hop_lines(lines: &mut Vec<String>, hop: &HttpHop) {
    let address = hop.address.map(|address| format!(" ({address})")).unwrap_or_default();
    lines.push(format!("{} {}{address}", hop.method.as_str(), hop.url));
    if let Some(session) = &hop.tls {
        lines.extend(session_lines(session));
    }
    if let (Some(version), Some(status)) = (&hop.version, hop.status) {
        let reason = hop.reason.as_ref().map(|reason| format!(" {reason}")).unwrap_or_default();
        lines.push(format!("{version} {status}{reason}"));
    }
    lines.extend(hop.headers.iter().map(|header| format!("{}: {}", header.name, header.value)));
    if let Some(body) = &hop.body {
        let cut = if body.cut { ", cut there" } else { "" };
        lines.push(format!("body {} bytes{cut}, sha256 {}", body.bytes, body.sha256));
    }
    if let Some(failure) = &hop.failure {
        lines.push(format!("failed: {}", failure.message));
    }
    lines.push(times(&hop.timings));
}

/// `name 1.20 ms, connect 12.0 ms, TLS 25.1 ms, first byte 30.2 ms, body 4.10 ms, total 72.6 ms`.
fn times(timings: &HttpTimings) -> String {
    let steps = [
        ("name", timings.name),
        ("connect", timings.connect),
        ("TLS", timings.tls),
        ("first byte", timings.first_byte),
        ("body", timings.body),
        ("total", Some(timings.total)),
    ];
    let told = steps.iter().filter_map(|(word, time)| Some(format!("{word} {}", milliseconds((*time)?))));
    told.collect::<Vec<_>>().join(", ")
}
