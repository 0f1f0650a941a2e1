//! A handshake as lines of text.

use netwark_model::tools::tls::{TlsReport, TlsSession};

use crate::words::{list, milliseconds};

/// Most names of a certificate in a line.
const NAMED: usize = 8;

/// All reports, one after the other.
pub(super) fn lines(target: &str, reports: &[TlsReport]) -> Vec<String> {
    let mut lines = Vec::new();
    for report in reports {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(format!(
            "TLS {target} ({} port {}), asked for {}",
            report.address, report.port, report.server_name
        ));
        if let Some(time) = report.connect_ms {
            let handshake = report
                .handshake_ms
                .map(|time| format!(", handshake {}", milliseconds(time)))
                .unwrap_or_default();
            lines.push(format!("connect {}{handshake}", milliseconds(time)));
        }
        if let Some(failure) = &report.failure {
            lines.push(format!("failed: {}", failure.message));
        }
        if let Some(session) = &report.session {
            lines.extend(session_lines(session));
            for (number, certificate) in session.chain.iter().enumerate() {
                lines.push(format!(" {number} s: {}", certificate.subject));
                lines.push(format!("   i: {}", certificate.issuer));
                lines.push(format!(
                    "   {} to {}, {}, {}",
                    certificate.not_before.strftime("%Y-%m-%d"),
                    certificate.not_after.strftime("%Y-%m-%d"),
                    certificate.key,
                    certificate.signature
                ));
                lines.push(format!("   sha256 {}", certificate.fingerprint));
            }
        }
        if !report.versions.is_empty() {
            let offers = report.versions.iter().map(|version| {
                let word = match version.offered {
                    Some(true) => "yes",
                    Some(false) => "no",
                    None => "not known",
                };
                format!("{} {word}", version.protocol)
            });
            lines.push(format!("offered: {}", offers.collect::<Vec<_>>().join(", ")));
        }
    }
    lines
}

/// What was agreed, and what is thought of the certificate.
pub(crate) fn session_lines(session: &TlsSession) -> Vec<String> {
    let mut lines = Vec::new();
    let agreed: Vec<_> =
        [&session.protocol, &session.cipher, &session.key_exchange].into_iter().flatten().cloned().collect();
    if !agreed.is_empty() {
        let alpn = session.alpn.as_ref().map(|alpn| format!(", ALPN {alpn}")).unwrap_or_default();
        lines.push(format!("{}{alpn}", agreed.join(", ")));
    }
    if let Some(leaf) = session.chain.first() {
        let mut names: Vec<_> = leaf.names.iter().take(NAMED).cloned().collect();
        let more = leaf.names.len().saturating_sub(NAMED) + leaf.more_names as usize;
        if more > 0 {
            names.push(format!("{more} more"));
        }
        if !names.is_empty() {
            lines.push(format!("for {}", list(&names)));
        }
        let until = leaf.not_after.strftime("%Y-%m-%d");
        lines.push(match leaf.days_left {
            days if days < 0 => format!("ended {until}"),
            1 => format!("valid until {until}, 1 day left"),
            days => format!("valid until {until}, {days} days left"),
        });
    }
    if let Some(staple) = &session.ocsp {
        let doubt =
            staple.problem.as_ref().map(|why| format!(", not to be trusted: {why}")).unwrap_or_default();
        lines.push(format!("OCSP staple: {}{doubt}", staple.status));
    }
    match session.trusted {
        true => lines.push("trusted".into()),
        false => {
            lines.extend(session.problems.iter().map(|problem| format!("not trusted: {}", problem.text)));
        }
    }
    lines
}
