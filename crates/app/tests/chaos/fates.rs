//! What became of every operation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use crate::chaos::cluster::Cluster;
use crate::chaos::load::{Posted, offer};
use crate::chaos::process::until_or_tell;

/// How many ended in which way.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    acknowledged: usize,
    given_up: usize,
    results: BTreeMap<String, usize>,
    /// Workers that were away when an operation for all was made.
    skipped: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} operations acknowledged, {} given up by their clients; results: {:?}, skipped: {}",
            self.acknowledged, self.given_up, self.results, self.skipped
        )
    }
}

/// Waits until every acknowledged operation has ended, and fails unless each ended as it should: every worker
/// lives again by now, so each result is there, once.
pub(crate) async fn settle_and_judge(cluster: &Cluster, posted: &[Posted]) -> Counts {
    let client = cluster.client();
    let base = cluster.base(0);
    cluster.wait_for_workers().await;
    let mut counts = Counts::default();
    let mut odd = Vec::new();
    for operation in posted {
        let Some(id) = &operation.id else {
            counts.given_up += 1;
            continue;
        };
        counts.acknowledged += 1;
        let url = format!("{base}/api/v1/operations/{id}");
        let ask = || async {
            let Ok(answer) = client.get(&url).send().await else { return Value::Null };
            answer.json().await.unwrap_or_default()
        };
        let what = || format!("operation {id} ends; {}", cluster.logs());
        until_or_tell(what, || async {
            let detail: Value = ask().await;
            detail["status"].as_str().is_some_and(|status| !matches!(status, "pending" | "progress"))
        })
        .await;
        judge(cluster, operation, &ask().await, &mut counts, &mut odd);
    }
    assert!(odd.is_empty(), "{} of {counts}\n{}\n{}", odd.len(), odd.join("\n"), cluster.logs());
    assert!(counts.acknowledged > 20, "there was hardly a load: {counts}");

    // What is asked for again with the same key is the same operation, on any server.
    for operation in posted.iter().filter(|operation| operation.id.is_some()).step_by(17) {
        let again = offer(&client, &cluster.bases(), 1, &operation.key, &operation.body).await;
        assert_eq!(again, operation.id);
    }
    counts
}

fn judge(cluster: &Cluster, operation: &Posted, detail: &Value, counts: &mut Counts, odd: &mut Vec<String>) {
    let results = detail["results"].as_array().cloned().unwrap_or_default();
    let mut workers = BTreeSet::new();
    for result in &results {
        let status = result["status"].as_str().unwrap_or_default();
        let cause = result["payload"]["cause"].as_str().unwrap_or_default();
        *counts.results.entry(format!("{status} {cause}").trim().to_owned()).or_default() += 1;
        let honest = match status {
            "done" => result["payload"]["statistics"].is_object() || result["payload"].is_object(),
            "error" | "timeout" => !cause.is_empty(),
            _ => false,
        };
        if !honest || status != "done" {
            odd.push(format!("{} {status} {cause}: {result}", operation.key));
        }
        if !workers.insert(result["worker"].as_str().unwrap_or_default().to_owned()) {
            odd.push(format!("{}: two results of one worker: {detail}", operation.key));
        }
    }
    if operation.direct {
        if results.len() != 1 {
            odd.push(format!("{}: {} results", operation.key, results.len()));
        }
        return;
    }
    // Each worker has a result, or was away when the operation was made and is named.
    for skipped in detail["skipped"].as_array().into_iter().flatten() {
        counts.skipped += 1;
        let worker = skipped["worker"].as_str().unwrap_or_default().to_owned();
        if skipped["reason"] != "offline" || !workers.insert(worker) {
            odd.push(format!("{}: {skipped} of {detail}", operation.key));
        }
    }
    if workers != cluster.names() {
        odd.push(format!("{}: only {workers:?} are accounted for: {detail}", operation.key));
    }
}
