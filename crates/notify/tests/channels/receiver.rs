//! An HTTP receiver that says what it is told to say, and remembers what it was asked.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

/// What came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What goes out.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    /// Repeats the whole request in the answer.
    pub(crate) echo: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), echo: false }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[derive(Default)]
struct Memory {
    replies: VecDeque<Reply>,
    received: Vec<Received>,
}

/// A running receiver. It takes everything with 200 once it has nothing else to say.
#[derive(Clone)]
pub(crate) struct Receiver {
    place: SocketAddr,
    memory: Arc<Mutex<Memory>>,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Receiver {
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let memory =
            Arc::new(Mutex::new(Memory { replies: replies.into_iter().collect(), ..Memory::default() }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap();
        let router = Router::new().fallback(take).with_state(memory.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { place, memory }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.place)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.memory.lock().unwrap().received.clone()
    }

    pub(crate) fn only(&self) -> Received {
        let mut received = self.received();
        assert_eq!(received.len(), 1, "{received:?}");
        received.remove(0)
    }
}

async fn take(
    State(memory): State<Arc<Mutex<Memory>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut memory = memory.lock().unwrap();
    let mut reply = memory.replies.pop_front().unwrap_or_else(|| Reply::new(200, "ok"));
    if reply.echo {
        let told: Vec<String> = headers.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        reply.body = format!("{method} {uri} {} {}", told.join(" "), String::from_utf8_lossy(&body));
    }
    memory.received.push(Received { method, uri, headers, body });
    let mut response = (StatusCode::from_u16(reply.status).unwrap(), reply.body).into_response();
    for (name, value) in reply.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// A server that does with each connection what `serve` says; returns its URL.
pub(crate) async fn raw<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    format!("http://{place}")
}

/// A place at which nobody listens.
pub(crate) async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}
