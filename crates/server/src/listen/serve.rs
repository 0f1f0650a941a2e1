//! Taking connections and answering on them, with bounds for those who are slow or many.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::Layer;

use super::{Listener, Peer, Socket, tls};

/// Most connections of all listeners together. Who comes beyond it waits in the kernel's queue.
const MOST_CONNECTIONS: usize = 16_384;
/// Most TLS handshakes that are done at the same time.
const MOST_HANDSHAKES: usize = 256;
/// How long the head of a request may take, and how long a connection may wait for its next request.
const HEAD: Duration = Duration::from_secs(60);
/// Most bytes of the head of a request, and of what is buffered for a connection.
const BUFFER: usize = 64 * 1024;

/// How many connections and handshakes there may be; shared by all listeners of a server.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    connections: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            connections: Arc::new(Semaphore::new(MOST_CONNECTIONS)),
            handshakes: Arc::new(Semaphore::new(MOST_HANDSHAKES)),
        }
    }
}

impl Room {
    /// How many connections are open.
    pub(crate) fn taken(&self) -> usize {
        MOST_CONNECTIONS - self.connections.available_permits()
    }
}

/// A connection that was taken, and the room it takes up.
enum Taken {
    Tcp(tokio::net::TcpStream, Peer),
    Unix(tokio::net::UnixStream),
}

/// Answers on a listener until told to stop; ends once every connection has ended. Dropping it cuts them.
pub(crate) async fn serve(mut listener: Listener, router: Router, room: Room, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        let (taken, permit) = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            next = next(&mut listener.socket, &room) => match next {
                Some(next) => next,
                None => break,
            },
        };
        let (router, stop, tls, room) = (router.clone(), stop.clone(), listener.tls.clone(), room.clone());
        connections.spawn(async move {
            let _permit = permit;
            match (taken, tls) {
                (Taken::Unix(stream), _) => {
                    answer(stream, Peer { address: None, tls: false }, router, stop).await;
                }
                (Taken::Tcp(stream, peer), None) => answer(stream, peer, router, stop).await,
                (Taken::Tcp(stream, peer), Some(tls)) => {
                    match tls::handshake(stream, &tls, &room.handshakes).await {
                        Ok(stream) => answer(stream, Peer { tls: true, ..peer }, router, stop).await,
                        Err(error) => tracing::debug!(peer = ?peer.address, %error, "no TLS connection"),
                    }
                }
            }
        });
    }
    // Nobody new is heard while those under way end.
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// The next connection, once there is room for it. What fails while taking one concerns that one only,
/// or passes: axum's own listeners wait and try again.
async fn next(socket: &mut Socket, room: &Room) -> Option<(Taken, OwnedSemaphorePermit)> {
    let permit = Arc::clone(&room.connections).acquire_owned().await.ok()?;
    let taken = match socket {
        Socket::Tcp(listener) => {
            let (stream, address) = axum::serve::Listener::accept(listener).await;
            // Live events are small and must leave at once.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection may gather small packets");
            }
            Taken::Tcp(stream, Peer::from(address))
        }
        Socket::Unix(listener) => Taken::Unix(axum::serve::Listener::accept(listener).await.0),
    };
    Some((taken, permit))
}

/// Answers requests of one connection. When the server stops, the request under way is the last.
async fn answer<S>(stream: S, peer: Peer, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(Extension(ConnectInfo(peer)).layer(router));
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BUFFER);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients go away in the middle every day.
        tracing::trace!(?peer, %error, "a connection ended");
    }
}
