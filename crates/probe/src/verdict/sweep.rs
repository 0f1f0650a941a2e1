//! The verdict about a sweep.

use netwark_model::tools::sweep::SweepOutcome;
use netwark_model::tools::verdict::{Finding, FindingKind, Severity, Verdict};

use super::{conclude, finding};
use crate::words;

/// Conflicts that are told one by one.
const TOLD: usize = 5;

/// What a sweep found.
#[must_use]
pub fn sweep(outcome: &SweepOutcome) -> Verdict {
    let found = outcome.found;
    // Hosts of IPv6 are found without having been counted.
    let counted = outcome.total >= found && outcome.total > 0;
    let of = if counted { format!(" of {}", outcome.total) } else { String::new() };
    let headline = match found {
        0 => finding(
            Severity::Warning,
            FindingKind::NoAnswer,
            None,
            format!("nobody answers in {}", outcome.targets),
        ),
        _ => {
            let noun = if found == 1 && !counted { "address" } else { "addresses" };
            let verb = if found == 1 { "answers" } else { "answer" };
            let text = format!("{found}{of} {noun} {verb} in {}", outcome.targets);
            finding(Severity::Ok, FindingKind::Healthy, None, text)
        }
    };
    let conflicts = || outcome.hosts.iter().filter(|host| !host.other_macs.is_empty());
    let mut others: Vec<Finding> = conflicts()
        .take(TOLD)
        .map(|host| {
            let macs: Vec<String> =
                host.mac.iter().chain(&host.other_macs).map(ToString::to_string).collect();
            let text = format!("{} is answered for by {}", host.address, macs.join(" and "));
            finding(Severity::Warning, FindingKind::AddressConflict, None, text)
        })
        .collect();
    if let more @ 1.. = conflicts().count().saturating_sub(TOLD) {
        let addresses =
            words::counted(u32::try_from(more).unwrap_or(u32::MAX), "more address", "more addresses");
        let text = format!("several answer for {addresses}");
        others.push(finding(Severity::Warning, FindingKind::AddressConflict, None, text));
    }
    if !outcome.complete {
        let text = "not everything could be asked";
        others.push(finding(Severity::Warning, FindingKind::Incomplete, None, text));
    }
    conclude(headline, others)
}

#[cfg(test)]
mod tests {
    use netwark_model::mac::Mac;
    use netwark_model::tools::sweep::SweepHost;
    use netwark_model::watch::sighting::Source;

    use super::*;

    #[test]
    fn conflicts_and_gaps_are_told() {
        let mac = |last| Mac::new([0, 0, 0x5e, 0, 0x53, last]);
        let host = SweepHost {
            address: [192, 0, 2, 7].into(),
            mac: Some(mac(1)),
            other_macs: vec![mac(2)],
            vendor: None,
            source: Source::Arp,
            rtt: None,
            vlan: None,
            router: false,
            own: false,
            names: Vec::new(),
        };
        let mut outcome = SweepOutcome {
            targets: "192.0.2.0/24".into(),
            total: 254,
            found: 2,
            complete: true,
            hosts: vec![host],
            ..SweepOutcome::default()
        };
        let told = sweep(&outcome);
        assert_eq!(told.severity, Severity::Warning);
        assert_eq!(
            told.summary,
            "2 of 254 addresses answer in 192.0.2.0/24; 192.0.2.7 is answered for by 00:00:5e:00:53:01 and 00:00:5e:00:53:02."
        );
        outcome.hosts.clear();
        assert_eq!(sweep(&outcome).severity, Severity::Ok);
        outcome.complete = false;
        assert!(sweep(&outcome).summary.ends_with("not everything could be asked."));
        assert!(sweep(&SweepOutcome { found: 0, ..outcome }).summary.starts_with("Nobody answers"));
    }
}
