//! Operations posted without pause, each until some server has taken it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::chaos::cluster::Cluster;

/// Tasks that post.
const CLIENTS: u64 = 4;
/// How long one operation is offered before it is given up; nobody has acknowledged it then.
const OFFERED: Duration = Duration::from_secs(30);

/// An operation as its client knows it.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    /// Its idempotency key.
    pub(crate) key: String,
    /// What was sent.
    pub(crate) body: Value,
    /// Its id, once a server has acknowledged it.
    pub(crate) id: Option<String>,
    /// True when it goes to whoever takes it.
    pub(crate) direct: bool,
}

/// A load under way.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    tasks: JoinSet<Vec<Posted>>,
}

impl Load {
    pub(crate) fn start(cluster: &Cluster, seed: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let number = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for task in 0..CLIENTS {
            let (stop, number) = (Arc::clone(&stop), Arc::clone(&number));
            let (client, bases) = (cluster.client(), cluster.bases());
            let mut random = StdRng::seed_from_u64(seed ^ task);
            tasks.spawn(async move {
                let mut posted = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let direct = random.random_bool(0.7);
                    let queue = if direct { "netwark" } else { "netwark.broadcast" };
                    let body = json!({
                        "type": "ping", "target": "127.0.0.1", "queues": [queue],
                        "options": {"count": 1, "interval_ms": 200},
                        "take_within_ms": 300_000, "run_within_ms": 300_000,
                    });
                    let key = format!("chaos-{}", number.fetch_add(1, Ordering::Relaxed));
                    let first = random.random_range(0..bases.len());
                    let id = offer(&client, &bases, first, &key, &body).await;
                    posted.push(Posted { key, body, id, direct });
                    tokio::time::sleep(Duration::from_millis(random.random_range(10..120))).await;
                }
                posted
            });
        }
        Self { stop, tasks }
    }

    /// Ends the load and returns what was posted.
    pub(crate) async fn stop(self) -> Vec<Posted> {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await.into_iter().flatten().collect()
    }
}

/// Posts to one server after the other, always with the same key, until one has taken it.
pub(crate) async fn offer(
    client: &reqwest::Client,
    bases: &[String],
    first: usize,
    key: &str,
    body: &Value,
) -> Option<String> {
    let began = Instant::now();
    let mut at = first;
    while began.elapsed() < OFFERED {
        let url = format!("{}/api/v1/operations", bases[at % bases.len()]);
        at += 1;
        if let Ok(answer) = client.post(url).header("idempotency-key", key).json(body).send().await {
            let status = answer.status().as_u16();
            match status {
                200..=202 => {
                    let answer: Value = answer.json().await.unwrap_or_default();
                    if let Some(id) = answer["operation_id"].as_str() {
                        return Some(id.to_owned());
                    }
                }
                // Nobody listens at this moment, or a part is away: another try can help.
                409 | 500..=599 => assert!(status != 500, "{}", answer.text().await.unwrap_or_default()),
                _ => panic!("{status}: {}", answer.text().await.unwrap_or_default()),
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    None
}
