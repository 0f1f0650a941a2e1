//! Servers on loopback that end with the test.

use std::future::Future;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::pki::Identity;

/// A server; it ends when this is dropped.
pub(crate) struct Served {
    pub(crate) port: u16,
    _tasks: JoinSet<()>,
}

/// Hands every connection to `talk`.
pub(crate) async fn serve<F>(talk: impl Fn(TcpStream) -> F + Send + 'static) -> Served
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut talks = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            talks.spawn(talk(stream));
        }
    });
    Served { port, _tasks: tasks }
}

/// How a server of TLS presents itself.
pub(crate) fn acceptor(
    identity: &Identity,
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[&str],
    ocsp: Vec<u8>,
) -> TlsAcceptor {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert_with_ocsp(identity.chain.clone(), identity.key.clone_key(), ocsp)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// Makes handshakes and then waits until the client has gone.
pub(crate) async fn serve_tls(acceptor: TlsAcceptor) -> Served {
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.read_u8().await;
            }
        }
    })
    .await
}

/// The head of a request of HTTP/1.1, as far as its empty line.
pub(crate) async fn head(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Answers every request of HTTP/1.1 as `answer` says.
pub(crate) async fn serve_http(answer: impl Fn(&str) -> String + Clone + Send + Sync + 'static) -> Served {
    serve(move |mut stream| {
        let answer = answer.clone();
        async move {
            let head = head(&mut stream).await;
            let _ = stream.write_all(answer(&head).as_bytes()).await;
        }
    })
    .await
}

/// The same behind TLS.
pub(crate) async fn serve_https(
    acceptor: TlsAcceptor,
    answer: impl Fn(&str) -> String + Clone + Send + Sync + 'static,
) -> Served {
    serve(move |stream| {
        let (acceptor, answer) = (acceptor.clone(), answer.clone());
        async move {
            let Ok(mut stream): Result<TlsStream<TcpStream>, _> = acceptor.accept(stream).await else {
                return;
            };
            let head = head(&mut stream).await;
            let _ = stream.write_all(answer(&head).as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}
