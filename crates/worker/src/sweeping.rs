//! The `sweep` tool: who is there, with vendors, and no larger than a message may be.

use std::sync::Arc;

use netwark_lookup::oui::Table;
use netwark_model::mac::Mac;
use netwark_model::messages::{LARGEST, RunOrder};
use netwark_model::tools::sweep::SweepOutcome;
use netwark_probe::runner::NameLookup;
use netwark_probe::sweep::{SweepPlan, Vendor};
use serde_json::Value;

use crate::tools::{Context, RunError, Snapshots, options, publish, value};

/// Most bytes of an outcome, so that the message around it is not too large.
pub(crate) const MOST_BYTES: usize = LARGEST - 64 * 1024;

/// To whom hardware addresses are assigned, by the table that comes with the program. One that no registry gave out is
/// nobody's.
pub(crate) fn vendors() -> Arc<Vendor> {
    Arc::new(|mac: Mac| {
        if mac.is_locally_administered() {
            return None;
        }
        Table::built_in().find(mac).map(|entry| entry.name.to_owned())
    })
}

/// Runs the tool.
pub(crate) async fn run(context: Context, order: RunOrder, snapshots: Snapshots) -> Result<Value, RunError> {
    let failed = |error: netwark_probe::runner::ProbeError| RunError(error.to_string());
    let mut plan = SweepPlan::new(&order.target, options(&order)?, vendors()).map_err(failed)?;
    plan.names &= context.names != NameLookup::Off;
    let on_snapshot = |snapshot: SweepOutcome| publish(&snapshots, &snapshot);
    let outcome = context.prober.sweep(&plan, context.progress_every, on_snapshot).await.map_err(failed)?;
    match context.most_bytes {
        Some(most) => fit(outcome, most),
        None => value(&outcome),
    }
}

/// The outcome in at most so many bytes: without its text when it is too large, and then without the last hosts.
fn fit(mut outcome: SweepOutcome, most: usize) -> Result<Value, RunError> {
    let size = |outcome: &SweepOutcome| serde_json::to_vec(outcome).map_or(usize::MAX, |bytes| bytes.len());
    if size(&outcome) > most {
        outcome.raw.clear();
    }
    while size(&outcome) > most && !outcome.hosts.is_empty() {
        let keep = outcome.hosts.len() * 3 / 4;
        outcome.left_out += (outcome.hosts.len() - keep) as u64;
        outcome.hosts.truncate(keep);
    }
    value(&outcome)
}

#[cfg(test)]
mod tests {
    use netwark_model::tools::sweep::SweepHost;
    use netwark_model::watch::sighting::Source;

    use super::*;

    #[test]
    fn vendors_are_known_and_addresses_that_change_are_nobodys() {
        let vendor = vendors();
        assert!(vendor(Mac::new([0, 0, 0x0c, 1, 2, 3])).is_some_and(|name| name.contains("Cisco")));
        assert_eq!(vendor(Mac::new([0x02, 0, 0x0c, 1, 2, 3])), None);
    }

    #[test]
    fn a_large_outcome_is_cut_and_says_so() {
        let host = |at: u32| SweepHost {
            address: std::net::Ipv4Addr::from_bits(0x0a00_0000 + at).into(),
            mac: Some(Mac::default()),
            other_macs: Vec::new(),
            vendor: Some("A vendor with a name of some length".into()),
            source: Source::Arp,
            rtt: Some(0.25),
            vlan: None,
            router: false,
            own: false,
            names: Vec::new(),
        };
        let outcome = SweepOutcome {
            hosts: (0..10_000).map(host).collect(),
            found: 10_000,
            raw: vec!["x".into(); 10_000],
            ..SweepOutcome::default()
        };
        let cut: SweepOutcome = serde_json::from_value(fit(outcome.clone(), 100_000).unwrap()).unwrap();
        assert!(cut.raw.is_empty() && !cut.hosts.is_empty());
        assert_eq!(cut.hosts.len() as u64 + cut.left_out, cut.found);
        assert!(serde_json::to_vec(&cut).unwrap().len() <= 100_000);
        let whole: SweepOutcome = serde_json::from_value(fit(outcome.clone(), usize::MAX).unwrap()).unwrap();
        assert_eq!(whole, outcome);
    }
}
