//! Somebody on the other side, who takes notices or does not.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;

/// What was posted: headers and body.
pub(crate) type Posted = (HeaderMap, Value);

#[derive(Default)]
struct Inner {
    posted: Mutex<Vec<Posted>>,
    answers: Mutex<VecDeque<StatusCode>>,
}

/// A receiver of webhooks on loopback.
pub(crate) struct Receiver {
    pub(crate) url: String,
    inner: Arc<Inner>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let inner = Arc::new(Inner::default());
        let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inner }
    }

    /// What it answers next; afterwards it takes everything.
    pub(crate) fn answers(&self, answers: impl IntoIterator<Item = u16>) {
        let answers = answers.into_iter().map(|status| StatusCode::from_u16(status).unwrap());
        self.inner.answers.lock().unwrap().extend(answers);
    }

    /// Waits until so much was posted.
    pub(crate) async fn posted(&self, number: usize) -> Vec<Posted> {
        loop {
            let posted = self.inner.posted.lock().unwrap().clone();
            if posted.len() >= number {
                return posted;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

async fn take(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, [(&'static str, &'static str); 1], &'static str) {
    let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    inner.posted.lock().unwrap().push((headers, body));
    let answer = inner.answers.lock().unwrap().pop_front().unwrap_or(StatusCode::OK);
    (answer, [("retry-after", "1")], "heard")
}
