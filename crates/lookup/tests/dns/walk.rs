//! Traces from a private root.

use netwark_model::tools::dns::{DnsOptions, DnsOutcome, StepKind};

use crate::lab::Lab;

async fn trace(lab: &Lab, name: &str, kind: &str) -> DnsOutcome {
    let options = DnsOptions { trace: true, timeout_ms: 1000, tries: 1, ..DnsOptions::default() };
    lab.ask(name, kind, options).await
}

fn way(outcome: &DnsOutcome) -> Vec<(&str, StepKind)> {
    outcome.trace.iter().flatten().map(|step| (step.zone.as_str(), step.kind)).collect()
}

#[tokio::test]
async fn delegations_are_followed() {
    use StepKind::{Alias, Answer, Lame, Nothing, Referral};
    let lab = Lab::start().await;

    let outcome = trace(&lab, "www.signed.test", "A").await;
    assert_eq!(way(&outcome), [(".", Referral), ("test.", Referral), ("signed.test.", Answer)]);
    assert_eq!(outcome.essence, ["A 192.0.2.1"]);
    let steps = outcome.trace.unwrap();
    assert_eq!(steps[0].text, "refers to the servers of test.");
    assert_eq!(
        (steps[1].server.as_str(), steps[1].records[0].data.as_str()),
        ("ns.test.", "ns.signed.test.")
    );

    let outcome = trace(&lab, "outside.signed.test", "A").await;
    let kinds: Vec<_> = way(&outcome).into_iter().map(|(_, kind)| kind).collect();
    // The zone of the second name is found from the servers that are known already.
    assert_eq!(kinds, [Referral, Referral, Alias, Referral, Answer]);
    assert_eq!(outcome.essence, ["A 192.0.2.7", "CNAME www.unsigned.test."]);

    let outcome = trace(&lab, "missing.signed.test", "A").await;
    assert_eq!(way(&outcome).last(), Some(&("signed.test.", Nothing)));
    assert_eq!(outcome.status.as_deref(), Some("NXDOMAIN"));

    let outcome = trace(&lab, "www.lame.test", "A").await;
    assert_eq!(way(&outcome).last(), Some(&("lame.test.", Lame)));
    assert!(outcome.verdict.summary.contains("lame.test."), "{:?}", outcome.verdict);

    // A server whose address stands in another zone, which has to be found first.
    let outcome = trace(&lab, "www.borrowed.test", "A").await;
    assert_eq!(way(&outcome), [(".", Referral), ("test.", Referral), ("borrowed.test.", Answer)]);

    // Two zones whose servers stand in each other, and names that are each other's.
    let outcome = trace(&lab, "www.round-a.test", "A").await;
    assert_eq!((outcome.status, outcome.trace.map(|steps| steps.len())), (None, Some(2)));
    let outcome = trace(&lab, "circle-a.signed.test", "A").await;
    assert_eq!(outcome.status.as_deref(), Some("NOERROR"));
    assert_eq!(outcome.verdict.findings[0].kind, netwark_model::tools::verdict::FindingKind::NoRecord);
}
