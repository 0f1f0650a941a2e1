//! DNS over HTTPS (RFC 8484), over HTTP/2 or 1.1, whichever the server prefers. Redirects are not followed.

use std::time::Instant;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::endpoint::Endpoint;
use super::tls::Tls;
use super::transport::{Answer, Failure, answer, secured};
use crate::dns::wire::message::{Asking, Question, query};
use crate::outbound;

const MEDIA_TYPE: &str = "application/dns-message";

pub(super) async fn ask(
    server: &Endpoint,
    question: &Question,
    asking: Asking,
    tls: &Tls,
) -> Result<Answer, Failure> {
    let began = Instant::now();
    let stream = secured(server, tls, &[b"h2", b"http/1.1"]).await?;
    let second = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let io = TokioIo::new(stream);
    // A number of zero lets caches on the way work (RFC 8484 §4.1).
    let body = Full::new(Bytes::from(query(0, question, asking)));
    let (response, connect, asked) = if second {
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), io).await.map_err(|error| broken(&error))?;
        let _driver = AbortOnDrop(tokio::spawn(connection));
        let (connect, asked) = (began.elapsed(), Instant::now());
        let request = request(server, None, body)?;
        (receive(sender.send_request(request).await.map_err(|error| broken(&error))?).await?, connect, asked)
    } else {
        let (mut sender, connection) = http1::handshake(io).await.map_err(|error| broken(&error))?;
        let _driver = AbortOnDrop(tokio::spawn(connection));
        let (connect, asked) = (began.elapsed(), Instant::now());
        let request = request(server, Some(authority(server)), body)?;
        (receive(sender.send_request(request).await.map_err(|error| broken(&error))?).await?, connect, asked)
    };
    answer(&response, 0, question, asked.elapsed(), connect)
}

/// The driver of a connection, which ends with the question.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn authority(server: &Endpoint) -> String {
    let host = if server.host.contains(':') { format!("[{}]", server.host) } else { server.host.clone() };
    match server.address.port() {
        443 => host,
        port => format!("{host}:{port}"),
    }
}

/// HTTP/1.1 names the host in a header, HTTP/2 in the URL.
fn request(
    server: &Endpoint,
    host: Option<String>,
    body: Full<Bytes>,
) -> Result<Request<Full<Bytes>>, Failure> {
    let builder = match host {
        Some(host) => Request::post(&server.path).header(HOST, host),
        None => Request::post(format!("https://{}{}", authority(server), server.path)),
    };
    builder
        .header(ACCEPT, MEDIA_TYPE)
        .header(CONTENT_TYPE, MEDIA_TYPE)
        .header(USER_AGENT, outbound::USER_AGENT)
        .body(body)
        .map_err(|error| Failure::Broken(error.to_string()))
}

async fn receive(response: Response<Incoming>) -> Result<Bytes, Failure> {
    if response.status() != hyper::StatusCode::OK {
        return Err(Failure::Broken(format!("the server answers {} by HTTP", response.status())));
    }
    let media_type =
        response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media_type.split(';').next().map(str::trim) != Some(MEDIA_TYPE) {
        return Err(Failure::NotUnderstood(format!("it is {media_type:?}, not {MEDIA_TYPE}")));
    }
    let body = Limited::new(response.into_body(), usize::from(u16::MAX));
    let body =
        body.collect().await.map_err(|error| Failure::Broken(format!("the answer breaks off: {error}")))?;
    Ok(body.to_bytes())
}

fn broken(error: &hyper::Error) -> Failure {
    Failure::Broken(crate::fetch::causes(error))
}
