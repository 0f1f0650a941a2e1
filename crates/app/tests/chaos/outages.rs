//! The broker or the database away, and a server that dies between storing and publishing: what is asked for
//! meanwhile is refused for now, or done once they are back.

use std::time::Duration;

use serde_json::Value;

use crate::chaos::asking::{Target, anyone, everyone, ping, results, status};
use crate::chaos::cluster::{Cluster, Part, Shape};
use crate::chaos::detour::Weather;
use crate::chaos::process::until;

/// One server, a worker of each kind, and detours that notice silence at once.
const SHAPE: Shape =
    Shape { servers: 1, workers: &[Some(0), None], heartbeat: 1, mortal: true, detours: true };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_for_during_an_outage_is_done_after_it_or_refused_for_now() {
    if !crate::chaos::services::are_installed() {
        return;
    }
    let mut cluster = Cluster::start(SHAPE).await;
    copied_only_when_nobody_serves(&mut cluster).await;
    without_broker(&mut cluster).await;
    without_database(&mut cluster).await;
    with_a_silent_database(&cluster).await;
    killed_between_storing_and_publishing(&mut cluster).await;
    cluster.stop().await;
}

async fn copied_only_when_nobody_serves(cluster: &mut Cluster) {
    until("the server leads", || async {
        cluster.get("/readyz").await.is_some_and(|(_, body)| body["leader"] == true)
    })
    .await;
    let refused = cluster.copy();
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && told.contains("a server uses"), "{told}");
    cluster.kill(Part::Server(0));
    let copied = cluster.copy();
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    cluster.start_again(Part::Server(0)).await;
    cluster.wait_for_workers().await;
}

/// The reason that `/readyz` gives for a part, when it is not ready.
async fn unready(cluster: &Cluster, part: &str) -> bool {
    let answer = cluster.get("/readyz").await;
    answer.is_some_and(|(status, body)| status == 503 && body.to_string().contains(part))
}

async fn without_broker(cluster: &mut Cluster) {
    cluster.kill(Part::Broker);
    until("the server notices", || unready(cluster, "broker")).await;
    let bodies = [("direct", ping(1, anyone())), ("broadcast", ping(1, everyone()))];
    let mut made = Vec::new();
    for (key, body) in &bodies {
        let answer = cluster.post(key, body).await.unwrap();
        assert_eq!(answer.status, 202, "stored, and not published: {answer:?}");
        // Its answer may be lost, and whoever asks again hears that it still waits.
        cluster.post(key, body).await.unwrap().is_put_off();
        let waits = cluster.operation(&answer.id()).await;
        assert_eq!(waits["status"], "pending", "{waits}");
        made.push(answer.id());
    }
    cluster.start_again(Part::Broker).await;
    for (id, (key, body)) in made.iter().zip(&bodies) {
        assert_eq!(&cluster.made_in_the_end(key, body).await, id, "the same operation");
    }
    cluster.becomes(&made[0], "is done", |detail| detail["status"] == "done").await;
    cluster.done_by(&made[1], &[0, 1]).await;
}

async fn without_database(cluster: &mut Cluster) {
    let id = cluster.made("before", &ping(1, anyone())).await;
    cluster.kill(Part::Database);
    cluster.post("without-database", &ping(1, anyone())).await.unwrap().is_put_off();
    let (status, _) = cluster.get(&format!("/api/v1/operations/{id}")).await.unwrap();
    assert_eq!(status, 503);
    assert_eq!(cluster.get("/healthz").await.unwrap().0, 200, "the server itself lives");
    until("it says why", || unready(cluster, "database")).await;
    cluster.start_again(Part::Database).await;
    let after = cluster.made_in_the_end("without-database", &ping(1, anyone())).await;
    // What was under way when the database went is not lost either.
    for id in [id, after] {
        let done = cluster.becomes(&id, "is done", |detail| detail["status"] == "done").await;
        assert_eq!(results(&done).len(), 1, "{done}");
    }
}

/// Nothing is closed and nothing answers, also to what is under way: what waits is given up, and nothing hangs.
async fn with_a_silent_database(cluster: &Cluster) {
    let running = cluster.made("under-way", &ping(10, everyone())).await;
    cluster.becomes(&running, "begins", |detail| detail["status"] == "progress").await;
    cluster.detours().database.set(Weather::Silent);
    // Reports and sweeps meet the silence before anybody asks.
    tokio::time::sleep(Duration::from_secs(1)).await;
    cluster.post("silent", &ping(1, anyone())).await.unwrap().is_put_off();
    cluster.detours().database.set(Weather::Fine);
    let after = cluster.made_in_the_end("silent", &ping(1, anyone())).await;
    cluster.becomes(&after, "is done", |detail| detail["status"] == "done").await;
    cluster.done_by(&running, &[0, 1]).await;
}

async fn killed_between_storing_and_publishing(cluster: &mut Cluster) {
    let target = Target::new();
    let id = cluster.made("once", &target.traced()).await;
    cluster.becomes(&id, "is done", |detail| detail["status"] == "done").await;
    let one_run = target.probes();
    assert!(one_run > 0, "the probes of a run come here");

    // Everything that is published from here on is held back, and never arrives.
    cluster.detours().broker.set(Weather::Silent);
    let body = target.traced();
    let stored = async {
        let (key, path) = ("twice", "/api/v1/operations?status=pending");
        let made = cluster.post(key, &body);
        let seen = async {
            loop {
                match cluster.get(path).await {
                    Some((200, Value::Array(all))) if !all.is_empty() => {
                        return all[0]["id"].as_str().unwrap().to_owned();
                    }
                    _ => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        tokio::pin!(made);
        tokio::select! {
            id = seen => id,
            // Told before it was seen.
            answer = &mut made => {
                let answer = answer.unwrap();
                assert_eq!(answer.status, 202, "{answer:?}");
                answer.id()
            }
        }
    };
    let id = stored.await;
    cluster.kill(Part::Server(0));
    cluster.detours().broker.set(Weather::Cut);
    cluster.start_again(Part::Server(0)).await;
    // The client that heard nothing tries again, with the broker still away and once it is back.
    cluster.post("twice", &body).await.unwrap().is_put_off();
    cluster.detours().broker.set(Weather::Fine);
    assert_eq!(cluster.made_in_the_end("twice", &body).await, id, "one operation");
    let done = cluster.becomes(&id, "is done", |detail| detail["status"] == "done").await;
    assert_eq!(results(&done).iter().map(status).collect::<Vec<_>>(), ["done"], "{done}");
    // What comes after it is done, so nothing of it waits in the queue any more.
    let last = cluster.made("afterwards", &ping(1, anyone())).await;
    cluster.becomes(&last, "is done", |detail| detail["status"] == "done").await;
    assert_eq!(target.probes(), one_run, "it was run once");
    let (_, all) = cluster.get("/api/v1/operations?type=mtr").await.unwrap();
    assert_eq!(all.as_array().unwrap().len(), 2, "{all}");
}
