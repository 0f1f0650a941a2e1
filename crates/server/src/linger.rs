//! Hearing a refused request out, so that its client hears the answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use axum::http::Response;
use axum::middleware::Next;
use futures::{StreamExt, stream};
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How long, and for how many bytes, what nobody wants any more is still read.
const LONGEST: Duration = Duration::from_secs(2);
const MOST: usize = 16 << 20;

/// Reads what a refused request still sends. To close a connection on which bytes arrive resets it, and the client loses
/// the answer that it has not read yet (RFC 9112, section 9.6).
pub(crate) async fn hear_out(request: Request, next: Next) -> Response<Body> {
    if axum::body::HttpBody::is_end_stream(request.body()) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let unread = Arc::new(Mutex::new(body.into_data_stream()));
    let reading = stream::unfold(Arc::clone(&unread), |unread| async {
        let part = unread.lock().await.next().await?;
        Some((part, unread))
    });
    let response = next.run(Request::from_parts(head, Body::from_stream(reading))).await;
    if response.status().is_client_error() {
        // A client that is slower, or sends even more, is cut.
        let _ = timeout(LONGEST, discard(&mut *unread.lock().await)).await;
    }
    response
}

async fn discard(body: &mut BodyDataStream) {
    let mut bytes = 0;
    while let Some(Ok(part)) = body.next().await
        && bytes < MOST
    {
        bytes += part.len();
    }
}
