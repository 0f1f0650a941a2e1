//! A worker at another site, played by a network namespace whose link is cut for longer than all time-outs, or
//! slow and lossy.
//!
//! Needs root for the namespace, and nft. Where `CI` is set, their absence is a failure.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::chaos::detour::Detour;
use crate::chaos::process::{free_port, until};
use crate::chaos::scene::Scene;
use crate::chaos::site::Site;

/// How much each piece is held back on a slow link, each way.
const DELAY: Duration = Duration::from_millis(150);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_measured_while_the_link_was_cut_arrives_late() {
    let Some(site) = Site::new() else { return };
    let scene = Scene::start(&site, &format!("{}:{}", site.address(1), free_port()), None, 1).await;
    assert_eq!(scene.comings_and_goings().await, ["worker_online"]);

    // Four seconds of work in two seconds of time: it ends without its worker.
    let options = json!({"count": 20, "interval_ms": 200});
    let body = json!({"options": options, "queues": ["netwark.broadcast"], "run_within_ms": 2_000});
    let path = scene.ping(&body).await;
    until("it begins", || scene.is(&path, "progress")).await;
    site.link("down");
    until("its time ends", || scene.is(&path, "timeout")).await;
    // Both ends give the link up after some seconds of silence, and the worker is offline some seconds later.
    until("the worker is offline", || async { scene.comings_and_goings().await.len() == 2 }).await;
    assert_eq!(scene.comings_and_goings().await, ["worker_online", "worker_offline"]);
    let still = scene.get(&path).await;
    assert_eq!(
        (&still["status"], &still["results"][0]["late"]),
        (&"timeout".into(), &false.into()),
        "{still}"
    );

    site.link("up");
    until("what was measured arrives", || async { scene.get(&path).await["results"][0]["late"] == true })
        .await;
    let late = scene.get(&path).await;
    assert_eq!(late["status"], "timeout", "a late report changes no status");
    assert!(late["results"][0]["payload"]["transmitted"].as_u64().is_some_and(|sent| sent > 0), "{late}");
    until("the worker is back", || async { scene.comings_and_goings().await.len() == 3 }).await;
    assert_eq!(scene.comings_and_goings().await, ["worker_online", "worker_offline", "worker_online"]);

    let path = scene.ping(&json!({"options": {"count": 1}, "queues": ["netwark"]})).await;
    until("the worker works again", || scene.is(&path, "done")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_end_over_a_slow_and_lossy_link() {
    let Some(site) = Site::new() else { return };
    if !Path::new("/usr/sbin/nft").exists() {
        assert!(std::env::var_os("CI").is_none(), "install nftables");
        eprintln!("skipped: nft is missing");
        return;
    }
    site.lose();
    let port = free_port();
    let detour = Detour::start(&format!("{}:0", site.address(1)), port).await;
    detour.delay(DELAY);
    let reached = detour.address().to_string();
    let scene = Scene::start(&site, &format!("127.0.0.1:{port}"), Some(&reached), 20).await;
    let mut paths = Vec::new();
    for number in 0..20 {
        let queue = ["netwark", "netwark.broadcast"][number % 2];
        let options = json!({"count": 3, "interval_ms": 200});
        paths.push(scene.ping(&json!({"options": options, "queues": [queue]})).await);
    }
    for path in &paths {
        let ended = || async { !scene.is(path, "pending").await && !scene.is(path, "progress").await };
        until("it ends", ended).await;
        let detail = scene.get(path).await;
        let results = detail["results"].as_array().unwrap();
        assert!(results.len() == 1 && results[0]["status"] == "done", "{detail}");
        // What is lost on the way to the server is not what is measured.
        assert_eq!(results[0]["payload"]["received"], 3, "{detail}");
    }
    assert!(site.lost() > 0, "packets were lost");
}
