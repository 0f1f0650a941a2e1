//! Standing orders to sweep a network.

use std::net::IpAddr;

use netwark_model::assignments::{Assignment, AssignmentChange, StreamReport};
use netwark_model::watch::SWEEP;
use netwark_model::watch::report::{SweepReport, WatchReport};

use super::*;

const NETWORK: Uuid = Uuid::from_u128(7);

fn order(body: Value) -> Order {
    let held = Assignment { id: NETWORK, epoch: 3, kind: SWEEP.into(), every_ms: 3_600_000, body };
    Order::Assign(AssignmentChange { revision: 1, complete: true, held: vec![held], released: Vec::new() })
}

impl Pair {
    /// The next report of the network.
    async fn swept(&self) -> (StreamReport, SweepReport) {
        loop {
            if let News::Stream(report) = self.report().await.news {
                let WatchReport::Sweep(swept) = serde_json::from_value(report.body.clone()).unwrap() else {
                    panic!("{report:?}")
                };
                return (report, *swept);
            }
        }
    }
}

#[tokio::test]
async fn a_network_is_swept_at_once_and_when_it_is_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let pair = Pair::ready(directory.path(), None).await;
    // Our own addresses answer to everybody without a packet.
    pair.say(&control(pair.id), order(json!({ "prefixes": ["127.0.0.1/32"], "names": false }))).await;
    let (report, swept) = pair.swept().await;
    assert_eq!((report.stream, report.epoch, report.sequence), (NETWORK, 3, 1));
    assert_eq!((swept.complete, swept.part, swept.parts), (true, 1, 1), "{swept:?}");
    let addresses: Vec<_> = swept.sightings.iter().filter_map(|one| one.address).collect();
    assert_eq!(addresses, [IpAddr::from([127, 0, 0, 1])]);
    assert!(swept.ended_at >= swept.started_at);

    pair.say(&control(pair.id), Order::Now { assignment_id: NETWORK }).await;
    let (report, again) = pair.swept().await;
    assert_eq!(report.sequence, 2, "long before it is due");
    assert_ne!(again.sweep, swept.sweep);
    pair.stop().await;
}

#[tokio::test]
async fn what_cannot_be_swept_is_told_with_the_reason_and_nobody_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let pair = Pair::ready(directory.path(), None).await;
    for (at, (body, why)) in [
        (json!({ "prefixes": ["192.0.2.0/24"], "interface": "nothere0" }), "nothere0"),
        (json!({ "prefixes": "192.0.2.0/24" }), "does not understand the order"),
        (json!({ "prefixes": ["10.0.0.0/8"] }), "option large"),
    ]
    .into_iter()
    .enumerate()
    {
        let Order::Assign(mut change) = order(body) else { unreachable!("an assignment") };
        change.held[0].epoch += at as u64;
        pair.say(&control(pair.id), Order::Assign(change)).await;
        let (_, swept) = pair.swept().await;
        assert!(!swept.complete && swept.sightings.is_empty(), "{swept:?}");
        assert!(swept.error.as_deref().unwrap().contains(why), "{swept:?}");
    }
    pair.stop().await;
}
