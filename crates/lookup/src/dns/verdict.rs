//! What an outcome means, in a sentence.

use netwark_model::tools::dns::{DnsOutcome, Security, StepKind};
use netwark_model::tools::verdict::{Finding, FindingKind, Severity, Verdict};

/// The findings over an outcome, worst first.
pub(super) fn of(outcome: &DnsOutcome) -> Verdict {
    let mut findings = vec![answer(outcome)];
    if let Some(report) = &outcome.dnssec {
        let severity = match report.verdict {
            Security::Secure => Severity::Ok,
            Security::Insecure => Severity::Info,
            Security::Indeterminate => Severity::Warning,
            Security::Bogus => Severity::Alert,
        };
        let text = format!("{}: {}", report.verdict.as_str(), report.reason);
        findings.push(Finding { severity, kind: FindingKind::Signatures, hop: None, text });
    }
    for step in outcome.trace.iter().flatten().filter(|step| step.kind == StepKind::Lame) {
        let text = format!("{} ({}) {}", step.server, step.address, step.text);
        findings.push(Finding {
            severity: Severity::Warning,
            kind: FindingKind::LameServer,
            hop: None,
            text,
        });
    }
    for error in outcome.reply.iter().flat_map(|reply| &reply.extended_errors) {
        let text = format!("the server adds: {error}");
        findings.push(Finding { severity: Severity::Info, kind: FindingKind::ServerSays, hop: None, text });
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Verdict {
        severity: findings.iter().map(|finding| finding.severity).max().unwrap_or_default(),
        summary: findings.first().map(|finding| finding.text.clone()).unwrap_or_default(),
        findings,
    }
}

fn answer(outcome: &DnsOutcome) -> Finding {
    let (name, kind) = (&outcome.question.name, &outcome.question.kind);
    let finding = |severity, kind, text| Finding { severity, kind, hop: None, text };
    let (Some(status), Some(reply)) = (&outcome.status, &outcome.reply) else {
        let why = outcome.attempts.last().map_or("nobody was asked", |attempt| attempt.result.as_str());
        let server =
            outcome.attempts.last().map_or(String::new(), |attempt| format!(" from {}", attempt.server));
        return finding(Severity::Alert, FindingKind::NoAnswer, format!("no answer{server}: {why}"));
    };
    let from = format!("{} ({:.1} ms)", reply.server, reply.time_ms);
    match status.as_str() {
        "NOERROR" => {
            let matching = outcome.answers.iter().filter(|record| record.kind == *kind).count();
            match matching {
                0 => finding(
                    Severity::Info,
                    FindingKind::NoRecord,
                    format!("{name} has no {kind} record, says {from}"),
                ),
                1 => finding(Severity::Ok, FindingKind::Healthy, format!("1 {kind} record from {from}")),
                many => {
                    finding(Severity::Ok, FindingKind::Healthy, format!("{many} {kind} records from {from}"))
                }
            }
        }
        "NXDOMAIN" => {
            finding(Severity::Warning, FindingKind::NoSuchName, format!("there is no {name}, says {from}"))
        }
        other => finding(Severity::Alert, FindingKind::ServerFailure, format!("{from} answers {other}")),
    }
}
