//! Connections as lines of text, in the manner of ping.

use netwark_model::tools::tcp::{TcpAttempt, TcpFate, TcpReport};

use crate::words::milliseconds;

/// The line over the connections to one address.
pub fn head_line(target: &str, report: &TcpReport) -> String {
    format!("TCP {target} ({}) port {}", report.address, report.port)
}

/// What became of one connection.
pub fn attempt_line(report: &TcpReport, attempt: &TcpAttempt) -> String {
    let (address, port, seq) = (report.address, report.port, attempt.seq);
    match &attempt.fate {
        TcpFate::Connected { rtt } => {
            format!("connected to {address}: seq={seq} port={port} time={}", milliseconds(*rtt))
        }
        TcpFate::Refused { rtt } => {
            format!("refused by {address}: seq={seq} port={port} time={}", milliseconds(*rtt))
        }
        TcpFate::Filtered { from: Some(from), message, .. } => format!("from {from}: seq={seq} {message}"),
        TcpFate::Filtered { from: None, message, .. } => format!("seq={seq} {message}"),
        TcpFate::Unanswered => format!("no answer from {address}: seq={seq} port={port}"),
        TcpFate::Unsent { message } => format!("not sent: seq={seq} {message}"),
    }
}

/// All reports, one after the other.
pub(super) fn lines(target: &str, reports: &[TcpReport]) -> Vec<String> {
    let mut lines = Vec::new();
    for report in reports {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(head_line(target, report));
        lines.extend(report.attempts.iter().map(|attempt| attempt_line(report, attempt)));
        lines.push(String::new());
        lines.push(format!("--- {target} connect statistics ---"));
        lines.push(totals(report));
        let numbers = &report.statistics;
        if let (Some(min), Some(average), Some(max), Some(stddev)) =
            (numbers.min, numbers.average, numbers.max, numbers.stddev)
        {
            lines.push(format!("time min/avg/max/mdev = {min:.3}/{average:.3}/{max:.3}/{stddev:.3} ms"));
        }
    }
    lines
}

fn totals(report: &TcpReport) -> String {
    let numbers = &report.statistics;
    let mut text = format!("{} tried, {} connected", numbers.attempted, numbers.connected);
    for (count, word) in [
        (numbers.refused, "refused"),
        (numbers.filtered, "filtered"),
        (numbers.unanswered, "without answer"),
        (numbers.unsent, "not sent"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {word}"));
        }
    }
    text
}
