//! Bytes by tool and month, and the cap.

use netwark_model::messages::End;
use netwark_model::workers::ToolUsage;
use serde_json::json;
use tempfile::TempDir;

use super::{Pair, skipped};

/// What the worker has used, as tool, bytes sent and bytes received.
async fn used(pair: &Pair) -> Vec<(String, u64, u64)> {
    let usage = pair.alive().await.usage.into_iter();
    usage
        .map(|ToolUsage { tool, bytes_sent, bytes_received, .. }| (tool, bytes_sent, bytes_received))
        .collect()
}

/// Pings loopback five times; false where this machine does not allow it.
async fn ping(pair: &Pair) -> bool {
    match pair.run("ping", json!({ "count": 5, "interval_ms": 10, "size": 100 })).await {
        End::Done { .. } => true,
        End::Error { cause } if cause.contains("cannot be sent from here") => {
            skipped(&cause);
            false
        }
        end => panic!("{end:?}"),
    }
}

#[tokio::test]
async fn a_ping_counts_what_it_sends_and_receives_and_a_restart_remembers_it() {
    let directory = TempDir::new().unwrap();
    let pair = Pair::ready(directory.path(), None).await;
    assert_eq!(used(&pair).await, [], "the self-test is no tool");
    if !ping(&pair).await {
        return;
    }
    // Five packets of 20 bytes of IP, 8 of ICMP and 100 of payload.
    assert_eq!(used(&pair).await, [("ping".to_owned(), 640, 640)]);
    pair.stop().await;

    let pair = Pair::ready(directory.path(), None).await;
    assert_eq!(used(&pair).await, [("ping".to_owned(), 640, 640)]);
    assert!(ping(&pair).await);
    assert_eq!(used(&pair).await, [("ping".to_owned(), 1_280, 1_280)]);
}

#[tokio::test]
async fn a_worker_that_has_reached_its_cap_measures_nothing_more() {
    let directory = TempDir::new().unwrap();
    let pair = Pair::ready(directory.path(), Some(1_000)).await;
    if !ping(&pair).await {
        return;
    }
    for tool in ["ping", "quick"] {
        let cause = pair.cause(tool).await;
        let begins = cause.starts_with(
            "this worker's monthly cap of 1000 bytes (worker.monthly_cap) is reached: its tools have sent and received \
             1280 bytes in 2",
        );
        assert!(begins && cause.contains("measures again from 2"), "{cause}");
    }
    pair.stop().await;

    let pair = Pair::ready(directory.path(), Some(1_281)).await;
    assert!(matches!(pair.run("quick", json!({})).await, End::Done { .. }), "a higher cap lets it measure");
}

#[tokio::test]
async fn the_cap_is_told() {
    let directory = TempDir::new().unwrap();
    let keeping =
        netwark_worker::Keeping { monthly_cap: Some(7), ..netwark_worker::Keeping::new(directory.path()) };
    let pair = Pair::start(keeping, netwark_lookup::dns::Resolver::with_servers(&[]));
    assert_eq!(pair.welcome().await.usage_cap_bytes, Some(7));
}
