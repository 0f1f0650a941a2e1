//! The verdict over a handshake of TLS.

use netwark_model::tools::tls::{Phase, TlsReport, TlsSession, TrustProblemKind};
use netwark_model::tools::verdict::{Finding, FindingKind, Severity, Verdict};

use super::{conclude, finding};
use crate::words::{counted, list};

/// Says what a handshake means. A certificate that ends within `warn_days` is worth a warning.
pub fn tls(report: &TlsReport, warn_days: u16) -> Verdict {
    let place = format!("{} port {}", report.address, report.port);
    let mut findings = Vec::new();
    if let Some(session) = &report.session {
        findings.extend(certificate(session, warn_days));
    }
    findings.extend(old_versions(report));
    let headline = match (&report.failure, &report.session) {
        (Some(failure), _) => {
            let kind = match failure.phase {
                Phase::Connect => FindingKind::NoAnswer,
                _ => FindingKind::Handshake,
            };
            let what = match failure.phase {
                Phase::Connect => "takes no connection",
                Phase::Starttls => "does not begin TLS",
                _ => "makes no handshake",
            };
            finding(Severity::Alert, kind, None, format!("{place} {what}: {}", failure.message))
        }
        (None, Some(session)) if session.trusted => {
            let protocol = session.protocol.as_deref().unwrap_or("TLS");
            let left = session.chain.first().map(|leaf| leaf.days_left).unwrap_or_default();
            let left = counted(u32::try_from(left).unwrap_or(0), "day", "days");
            let text = format!(
                "{place} speaks {protocol} and its certificate is trusted for {}, {left} left",
                report.server_name
            );
            finding(Severity::Ok, FindingKind::Healthy, None, text)
        }
        (None, _) => {
            let text = format!("{place} makes a handshake, but its certificate is not trusted");
            finding(Severity::Alert, FindingKind::Untrusted, None, text)
        }
    };
    conclude(headline, findings)
}

/// What is to be said of a certificate: why it is not trusted, or that it ends soon.
pub(super) fn certificate(session: &TlsSession, warn_days: u16) -> Vec<Finding> {
    let mut findings: Vec<_> = session
        .problems
        .iter()
        .map(|problem| {
            let kind = match problem.kind {
                TrustProblemKind::Expired | TrustProblemKind::NotYetValid => FindingKind::CertificateDates,
                _ => FindingKind::Untrusted,
            };
            finding(Severity::Alert, kind, None, problem.text.clone())
        })
        .collect();
    if let Some(why) = session.ocsp.as_ref().and_then(|staple| staple.problem.as_ref()) {
        let text = format!("the OCSP answer that the server staples is not to be trusted: {why}");
        findings.push(finding(Severity::Warning, FindingKind::Staple, None, text));
    }
    let soon = session.chain.first().filter(|leaf| (0..=i64::from(warn_days)).contains(&leaf.days_left));
    if let Some(leaf) = soon {
        let day = leaf.not_after.strftime("%Y-%m-%d");
        let text = match leaf.days_left {
            0 => format!("the certificate ends within a day, on {day}"),
            days => format!(
                "the certificate ends in {}, on {day}",
                counted(u32::try_from(days).unwrap_or(u32::MAX), "day", "days")
            ),
        };
        findings.push(finding(Severity::Warning, FindingKind::CertificateDates, None, text));
    }
    findings
}

/// Versions that ought not to be offered any more, and the absence of the one that ought to be.
fn old_versions(report: &TlsReport) -> Option<Finding> {
    let old: Vec<_> = report
        .versions
        .iter()
        .filter(|version| version.offered == Some(true))
        .filter(|version| matches!(version.protocol.as_str(), "TLS 1.0" | "TLS 1.1"))
        .map(|version| version.protocol.as_str())
        .collect();
    if !old.is_empty() {
        let text = format!("the server still offers {}, which RFC 8996 deprecates", list(&old));
        return Some(finding(Severity::Warning, FindingKind::OldVersion, None, text));
    }
    let lacks = report.versions.iter().any(|one| one.protocol == "TLS 1.3" && one.offered == Some(false));
    let has = report.versions.iter().any(|one| one.protocol == "TLS 1.2" && one.offered == Some(true));
    (lacks && has)
        .then(|| finding(Severity::Info, FindingKind::OldVersion, None, "the server does not offer TLS 1.3"))
}
