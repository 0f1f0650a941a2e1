//! Workers killed before and after they take work, over WebSocket and over the broker.

use crate::chaos::asking::{anyone, everyone, only, ping, results, status, worker};
use crate::chaos::cluster::{Cluster, Part, Shape, name};

/// One server and a worker of each kind.
const SHAPE: Shape =
    Shape { servers: 1, workers: &[Some(0), None], heartbeat: 5, mortal: false, detours: false };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_of_a_killed_worker_runs_elsewhere_or_when_it_is_back_or_ends_with_its_reason() {
    if !crate::chaos::services::are_installed() {
        return;
    }
    let mut cluster = Cluster::start(SHAPE).await;
    for (victim, other) in [(0, 1), (1, 0)] {
        killed_before_taking(&mut cluster, victim, other).await;
        killed_after_taking(&mut cluster, victim).await;
        killed_with_work_that_another_can_do(&mut cluster, victim, other).await;
    }
    cluster.stop().await;
}

/// Waits until the only result ended by its time, with a reason, or with what had been measured until then.
async fn ended_by_time(cluster: &Cluster, id: &str) {
    let ended = cluster.becomes(id, "ends", |detail| detail["status"] == "timeout").await;
    let [result] = results(&ended) else { panic!("{ended}") };
    assert_eq!(status(result), "timeout", "{ended}");
    let reason = result["payload"]["cause"].as_str().is_some_and(|cause| !cause.is_empty());
    assert!(reason || result["payload"]["transmitted"].is_number(), "{ended}");
}

async fn killed_before_taking(cluster: &mut Cluster, victim: usize, other: usize) {
    let key = |what: &str| format!("before-{victim}-{what}");
    cluster.kill(Part::Worker(victim));
    let inbox = cluster.made(&key("inbox"), &ping(1, only(victim))).await;
    let mut short = ping(1, only(victim));
    short["take_within_ms"] = 1_000.into();
    let short = cluster.made(&key("short"), &short).await;
    let broadcast = cluster.made(&key("broadcast"), &ping(1, everyone())).await;
    let direct = cluster.made(&key("direct"), &ping(1, anyone())).await;

    cluster.done_by(&direct, &[other]).await;
    ended_by_time(cluster, &short).await;
    let half = |detail: &serde_json::Value| {
        let found = |number, word| {
            results(detail).iter().any(|result| worker(result) == name(number) && status(result) == word)
        };
        found(other, "done") && found(victim, "pending")
    };
    cluster.becomes(&broadcast, "is done by who lives", half).await;
    assert_eq!(cluster.operation(&inbox).await["status"], "pending");

    cluster.start_again(Part::Worker(victim)).await;
    cluster.done_by(&inbox, &[victim]).await;
    let both = [victim.min(other), victim.max(other)];
    cluster.done_by(&broadcast, &both).await;
    ended_by_time(cluster, &short).await;
}

async fn killed_after_taking(cluster: &mut Cluster, victim: usize) {
    let key = |what: &str| format!("after-{victim}-{what}");
    let long = cluster.made(&key("long"), &ping(15, only(victim))).await;
    let mut short = ping(15, only(victim));
    short["run_within_ms"] = 2_000.into();
    let short = cluster.made(&key("short"), &short).await;
    for id in [&long, &short] {
        cluster.becomes(id, "begins", |detail| detail["status"] == "progress").await;
    }
    cluster.kill(Part::Worker(victim));
    ended_by_time(cluster, &short).await;
    assert_eq!(cluster.operation(&long).await["status"], "progress");
    cluster.start_again(Part::Worker(victim)).await;
    cluster.done_by(&long, &[victim]).await;
    ended_by_time(cluster, &short).await;
}

async fn killed_with_work_that_another_can_do(cluster: &mut Cluster, victim: usize, other: usize) {
    // The other is away, so it is this one that takes it.
    cluster.kill(Part::Worker(other));
    let direct = cluster.made(&format!("after-{victim}-direct"), &ping(15, anyone())).await;
    let taken = |detail: &serde_json::Value| {
        detail["status"] == "progress" && results(detail).iter().all(|result| worker(result) == name(victim))
    };
    cluster.becomes(&direct, "is taken", taken).await;
    cluster.kill(Part::Worker(victim));
    cluster.start_again(Part::Worker(other)).await;
    cluster.done_by(&direct, &[other]).await;
    cluster.start_again(Part::Worker(victim)).await;
}
