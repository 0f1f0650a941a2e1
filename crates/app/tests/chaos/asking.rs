//! What a client asks of a server, step by step.

use std::net::UdpSocket;

use reqwest::header::RETRY_AFTER;
use serde_json::{Value, json};

use crate::chaos::cluster::{Cluster, name};
use crate::chaos::process::until_or_tell;

/// What was answered to a POST.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Seconds after which to try again.
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Value,
}

impl Answer {
    /// The id of the operation.
    pub(crate) fn id(&self) -> String {
        self.body["operation_id"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }

    /// Fails unless it says to try again, and when.
    pub(crate) fn is_put_off(&self) {
        assert_eq!(self.status, 503, "{self:?}");
        assert!(self.retry_after.is_some_and(|seconds| seconds > 0), "{self:?}");
    }
}

/// A ping of so many fifths of a second, for these workers.
pub(crate) fn ping(fifths: u32, to: (&str, Value)) -> Value {
    let mut body = json!({
        "type": "ping", "target": "127.0.0.1", "options": {"count": fifths, "interval_ms": 200},
        "take_within_ms": 300_000, "run_within_ms": 300_000,
    });
    body[to.0] = to.1;
    body
}

/// Any one worker.
pub(crate) fn anyone() -> (&'static str, Value) {
    ("queues", json!(["netwark"]))
}

/// Every worker.
pub(crate) fn everyone() -> (&'static str, Value) {
    ("queues", json!(["netwark.broadcast"]))
}

/// This worker, by its inbox.
pub(crate) fn only(worker: usize) -> (&'static str, Value) {
    ("from", Value::from(name(worker)))
}

/// A port that counts the probes that come to it.
pub(crate) struct Target(UdpSocket);

impl Target {
    pub(crate) fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        Self(socket)
    }

    /// A trace of one cycle and one hop that ends here, for any one worker.
    pub(crate) fn traced(&self) -> Value {
        let options = json!({
            "protocol": "udp", "port": self.0.local_addr().unwrap().port(), "cycles": 1, "last_ttl": 1,
            "timeout_ms": 200,
        });
        json!({
            "type": "mtr", "target": "127.0.0.1", "options": options, "queues": ["netwark"],
            "take_within_ms": 300_000, "run_within_ms": 300_000,
        })
    }

    /// How many probes came since it was last asked.
    pub(crate) fn probes(&self) -> usize {
        let mut number = 0;
        while self.0.recv(&mut [0; 2048]).is_ok() {
            number += 1;
        }
        number
    }
}

impl Cluster {
    /// Posts an operation to the first server, once. None when it gave no answer.
    pub(crate) async fn post(&self, key: &str, body: &Value) -> Option<Answer> {
        let request = self.client().post(format!("{}/api/v1/operations", self.base(0)));
        let answer = request.header("idempotency-key", key).json(body).send().await.ok()?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|text| text.to_str().ok()?.parse().ok());
        let body = answer.json().await.unwrap_or_default();
        Some(Answer { status, retry_after, body })
    }

    /// Posts an operation that has to be made at once; returns its id.
    pub(crate) async fn made(&self, key: &str, body: &Value) -> String {
        let answer = self.post(key, body).await.unwrap();
        assert_eq!(answer.status, 201, "{answer:?}; {}", self.logs());
        answer.id()
    }

    /// Posts the same until it is made; returns its id.
    pub(crate) async fn made_in_the_end(&self, key: &str, body: &Value) -> String {
        let answer = tokio::sync::Mutex::new(None);
        let told = || format!("{key} is made: {:?}; {}", answer.try_lock().ok(), self.logs());
        until_or_tell(told, || async {
            let mut answer = answer.lock().await;
            *answer = self.post(key, body).await;
            answer.as_ref().is_some_and(|answer| answer.status == 201)
        })
        .await;
        answer.into_inner().unwrap().id()
    }

    /// What the first server says at a path, when it says something.
    pub(crate) async fn get(&self, path: &str) -> Option<(u16, Value)> {
        let answer = self.client().get(format!("{}{path}", self.base(0))).send().await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.unwrap_or_default()))
    }

    /// An operation in all its detail.
    pub(crate) async fn operation(&self, id: &str) -> Value {
        match self.get(&format!("/api/v1/operations/{id}")).await {
            Some((200, detail)) => detail,
            _ => Value::Null,
        }
    }

    /// Waits until an operation is as it should be; returns it.
    pub(crate) async fn becomes(&self, id: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let seen = tokio::sync::Mutex::new(Value::Null);
        let told = || format!("operation {id} {what}: {:?}; {}", seen.try_lock().ok(), self.logs());
        until_or_tell(told, || async {
            let mut seen = seen.lock().await;
            *seen = self.operation(id).await;
            is(&seen)
        })
        .await;
        seen.into_inner()
    }

    /// Waits until an operation is done by exactly these workers, once each.
    pub(crate) async fn done_by(&self, id: &str, workers: &[usize]) {
        let ended =
            |detail: &Value| detail["status"].as_str().is_some_and(|s| !matches!(s, "pending" | "progress"));
        let detail = self.becomes(id, "ends", ended).await;
        let mut found: Vec<_> =
            results(&detail).iter().map(|result| (status(result), worker(result))).collect();
        found.sort_unstable();
        let names: Vec<_> = workers.iter().map(|number| name(*number)).collect();
        let expected: Vec<_> = names.iter().map(|name| ("done", name.as_str())).collect();
        assert_eq!(found, expected, "{detail}; {}", self.logs());
    }
}

/// The results of an operation.
pub(crate) fn results(operation: &Value) -> &[Value] {
    operation["results"].as_array().map_or(&[], Vec::as_slice)
}

/// The status of a result.
pub(crate) fn status(result: &Value) -> &str {
    result["status"].as_str().unwrap_or_default()
}

/// The worker of a result.
pub(crate) fn worker(result: &Value) -> &str {
    result["worker"].as_str().unwrap_or_default()
}
