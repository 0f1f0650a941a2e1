//! Nothing happens for long, and firewalls on the way forget the connections: the next POST works.
//!
//! `make soak` is quiet for 300 seconds (`NETWARK_QUIET_SECONDS`) with the usual heartbeats.

use std::time::Duration;

use crate::chaos::asking::{anyone, everyone, ping};
use crate::chaos::cluster::{Cluster, Shape};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_long_quiet_a_post_works_although_idle_connections_were_forgotten() {
    if !crate::chaos::services::are_installed() {
        return;
    }
    let seconds = std::env::var("NETWARK_QUIET_SECONDS").ok().and_then(|text| text.parse().ok());
    let heartbeat = if seconds.is_some() { 30 } else { 1 };
    let shape = Shape { servers: 1, workers: &[Some(0), None], heartbeat, mortal: false, detours: true };
    let cluster = Cluster::start(shape).await;
    let id = cluster.made("before", &ping(1, everyone())).await;
    cluster.done_by(&id, &[0, 1]).await;

    // Forgotten at the beginning and found out by heartbeats; and once more at the end, when nobody knows yet.
    forget(&cluster);
    tokio::time::sleep(Duration::from_secs(seconds.unwrap_or(5))).await;
    forget(&cluster);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut made = Vec::new();
    for (key, body) in [("direct", ping(1, anyone())), ("broadcast", ping(1, everyone()))] {
        let answer = cluster.post(key, &body).await.unwrap();
        // 202 when the broker's silence shows only now: it is sent by a new connection.
        assert!(matches!(answer.status, 201 | 202), "{answer:?}; {}", cluster.logs());
        made.push(answer.id());
    }
    cluster.becomes(&made[0], "is done", |detail| detail["status"] == "done").await;
    cluster.done_by(&made[1], &[0, 1]).await;
    cluster.stop().await;
}

fn forget(cluster: &Cluster) {
    cluster.detours().broker.forget();
    cluster.detours().database.forget();
}
