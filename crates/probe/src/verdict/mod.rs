//! What a measurement means: pure functions from a report to a [`Verdict`], a sentence for people and the findings
//! behind it.
//!
//! The sentence begins with how the target fares and goes on with the worst findings. Words are chosen by what the
//! numbers can bear: one lost probe of ten is called that, not a loss of 10% with a culprit.

mod http;
mod loss;
mod path;
mod ping;
mod sweep;
mod tcp;
mod tls;
mod trace;

use std::net::IpAddr;

use netwark_model::tools::verdict::{Finding, FindingKind, Severity, Verdict};

pub use http::http;
pub use ping::ping;
pub use sweep::sweep;
pub use tcp::tcp;
pub use tls::tls;
pub use trace::trace;

/// Findings told in the sentence beside the headline.
const TOLD: usize = 2;

/// What a trace noticed that its report has no field for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Hops whose router changed for good during the measurement, nearest first.
    pub route_changes: Vec<RouteChange>,
    /// How many probes could not be sent, and what the system said last.
    pub unsent: Option<(u32, String)>,
}

/// A hop whose router changed during the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteChange {
    /// Its distance.
    pub hop: u8,
    /// Who answered before.
    pub before: IpAddr,
    /// Who answers now.
    pub after: IpAddr,
}

/// A finding in the making.
fn finding(severity: Severity, kind: FindingKind, hop: Option<u8>, text: impl Into<String>) -> Finding {
    Finding { severity, kind, hop, text: text.into() }
}

/// A verdict of a headline, a finding of its own, and further findings.
fn conclude(headline: Finding, mut others: Vec<Finding>) -> Verdict {
    others.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let told: Vec<_> = std::iter::once(&headline)
        .chain(others.iter().take(TOLD))
        .map(|finding| finding.text.as_str())
        .collect();
    let summary = sentence(&told.join("; "));
    let mut findings = vec![headline];
    findings.append(&mut others);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Verdict { severity: findings.first().map(|first| first.severity).unwrap_or_default(), summary, findings }
}

/// A verdict while there is nothing to judge yet.
fn waiting(text: &str) -> Verdict {
    Verdict { severity: Severity::Ok, summary: sentence(text), findings: Vec::new() }
}

/// Begins with a capital letter and ends with a full stop. An address or a URL is left as it is.
fn sentence(text: &str) -> String {
    let is_address = text
        .split([' ', ','])
        .next()
        .is_some_and(|word| word.parse::<IpAddr>().is_ok() || word.contains("://"));
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if !is_address => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        _ => format!("{text}."),
    }
}

/// How bad it is to lose this share, in percent.
fn loss_severity(loss: f64) -> Severity {
    match loss {
        loss if loss >= 50.0 => Severity::Alert,
        loss if loss >= 1.0 => Severity::Warning,
        _ => Severity::Info,
    }
}

/// Whether round trips vary so much that it is worth a word: a standard deviation of 3 ms or more and of at least
/// 30% of the mean.
fn varies_widely(average: f64, stddev: f64) -> bool {
    stddev >= 3.0 && stddev >= average * 0.3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_with_a_capital_unless_an_address_comes_first() {
        assert_eq!(sentence("nothing answers"), "Nothing answers.");
        assert_eq!(sentence("fe80::1 answers"), "fe80::1 answers.");
        assert_eq!(sentence("https://a.test/ answers"), "https://a.test/ answers.");
        assert_eq!(sentence(""), ".");
    }

    #[test]
    fn the_worst_finding_gives_the_severity_and_stands_first() {
        let headline = finding(Severity::Ok, FindingKind::Healthy, None, "all is well");
        let others = vec![
            finding(Severity::Info, FindingKind::SilentHop, Some(2), "hop 2 is silent"),
            finding(Severity::Warning, FindingKind::RouteChange, Some(4), "the way changed"),
            finding(Severity::Info, FindingKind::Jitter, None, "it varies"),
        ];
        let verdict = conclude(headline, others);
        assert_eq!(verdict.severity, Severity::Warning);
        assert_eq!(verdict.summary, "All is well; the way changed; hop 2 is silent.");
        let kinds: Vec<_> = verdict.findings.iter().map(|finding| finding.kind).collect();
        let expected =
            [FindingKind::RouteChange, FindingKind::SilentHop, FindingKind::Jitter, FindingKind::Healthy];
        assert_eq!(kinds, expected);
    }
}
