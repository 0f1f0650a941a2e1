//! The verdict over a request and its redirects.

use std::collections::HashSet;

use netwark_model::tools::http::{Expected, HttpHop, HttpOptions, HttpReport};
use netwark_model::tools::tls::{Phase, WARN_DAYS};
use netwark_model::tools::verdict::{Finding, FindingKind, Severity, Verdict};

use super::tls::certificate;
use super::{conclude, finding};
use crate::words::{counted, milliseconds};

/// Says what the answers to a request mean, and whether they are what was expected.
pub fn http(report: &HttpReport, options: &HttpOptions) -> Verdict {
    let Some(last) = report.hops.last() else {
        return conclude(
            finding(Severity::Alert, FindingKind::NoAnswer, None, "nothing was asked"),
            Vec::new(),
        );
    };
    let mut findings = expectations(last, options);
    let headline = headline(report, last, options);
    // A certificate that ended the request is what the headline says.
    let refused = last.failure.as_ref().is_some_and(|failure| failure.phase == Phase::Tls);
    for hop in report.hops.iter().filter(|hop| !(refused && std::ptr::eq(*hop, last))) {
        findings.extend(hop.tls.iter().flat_map(|session| certificate(session, WARN_DAYS)));
    }
    for (hop, next) in report.hops.iter().zip(report.hops.iter().skip(1)) {
        if hop.url.starts_with("https:") && next.url.starts_with("http:") {
            let text = format!("a redirect leads from https to {}, which is not encrypted", next.url);
            findings.push(finding(Severity::Warning, FindingKind::Downgrade, None, text));
        }
    }
    // Hops that show the same certificate have the same to be said of it.
    let mut said = HashSet::new();
    findings.retain(|finding| said.insert(finding.text.clone()));
    conclude(headline, findings)
}

fn headline(report: &HttpReport, last: &HttpHop, options: &HttpOptions) -> Finding {
    let redirects = match report.hops.len() - 1 {
        0 => String::new(),
        n => format!(" after {}", counted(u32::try_from(n).unwrap_or(u32::MAX), "redirect", "redirects")),
    };
    if let Some(failure) = &last.failure {
        let (kind, what) = match failure.phase {
            Phase::Name => (FindingKind::NoAnswer, "has no address"),
            Phase::Connect => (FindingKind::NoAnswer, "takes no connection"),
            Phase::Tls => match &last.tls {
                Some(session) if !session.trusted => (FindingKind::Untrusted, "is not asked"),
                _ => (FindingKind::Handshake, "makes no handshake"),
            },
            Phase::Redirect => (FindingKind::HttpStatus, "does not lead anywhere"),
            Phase::Body => (FindingKind::HttpStatus, "answers in part"),
            Phase::Starttls | Phase::Request => (FindingKind::NoAnswer, "does not answer"),
        };
        let text = format!("{}{redirects} {what}: {}", last.url, failure.message);
        return finding(Severity::Alert, kind, None, text);
    }
    let status = last.status.unwrap_or_default();
    let reason = last.reason.as_ref().map(|reason| format!(" {reason}")).unwrap_or_default();
    let version = last.version.as_deref().unwrap_or("HTTP");
    let time = milliseconds(report.total_ms);
    let text = format!("{} answers {status}{reason}{redirects}, in {time} over {version}", last.url);
    // Whoever says what is expected says what is bad, too.
    let severity = match status {
        _ if options.expect_status.is_some() => Severity::Ok,
        500.. => Severity::Alert,
        400..=499 => Severity::Warning,
        _ => Severity::Ok,
    };
    let kind = if severity == Severity::Ok { FindingKind::Healthy } else { FindingKind::HttpStatus };
    finding(severity, kind, None, text)
}

fn expectations(last: &HttpHop, options: &HttpOptions) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut missed =
        |text: String| findings.push(finding(Severity::Alert, FindingKind::Unexpected, None, text));
    // Without an answer, that is what there is to say.
    let Some(status) = last.status else { return findings };
    let wanted = options.expect_status.as_deref();
    if let Some(wanted) = wanted.filter(|wanted| !Expected::parse(wanted).is_ok_and(|all| all.holds(status)))
    {
        missed(format!("the status is {status} where {wanted} was expected"));
    }
    let body = last.body.as_ref();
    if let (Some(text), false) = (&options.expect_text, body.and_then(|body| body.holds_text) == Some(true)) {
        let within = match body.is_some_and(|body| body.cut) {
            true => " within what was read",
            false => "",
        };
        missed(format!("the body does not hold '{text}'{within}"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use netwark_model::tools::tls::{TlsSession, TrustProblem, TrustProblemKind};

    use super::*;

    #[test]
    fn what_several_hops_show_is_said_once() {
        let problem = |kind, text: &str| TrustProblem { kind, text: text.into() };
        let problems = vec![
            problem(TrustProblemKind::SelfSigned, "the certificate is signed by itself"),
            problem(TrustProblemKind::WrongName, "the certificate is for other names"),
        ];
        let hop = |path: &str| HttpHop {
            url: format!("https://host.example{path}"),
            status: Some(200),
            tls: Some(TlsSession { problems: problems.clone(), ..TlsSession::default() }),
            ..HttpHop::default()
        };
        let report = HttpReport {
            address: [192, 0, 2, 1].into(),
            chosen: None,
            hops: vec![hop("/"), hop("/login")],
            status: Some(200),
            total_ms: 20.0,
            verdict: Verdict::default(),
        };
        let said = http(&report, &HttpOptions::default());
        for TrustProblem { text, .. } in &problems {
            assert_eq!(said.findings.iter().filter(|finding| finding.text == *text).count(), 1, "{said:?}");
        }
    }
}
