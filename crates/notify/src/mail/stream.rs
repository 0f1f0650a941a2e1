//! A connection to a mail server as the client can bear it.
//!
//! Only so much is read, since the client reads a line to its end, however far that is. And it is given one line at a time:
//! what it has read ahead when TLS begins would count as said under TLS, and somebody on the way could put words into the
//! mouth of the server. Held back here, those words break the handshake.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most bytes a mail server says over one connection.
const MOST_HEARD: usize = 256 * 1024;

/// Bytes that are read at once.
const CHUNK: usize = 4096;

#[derive(Debug)]
pub(super) struct Bounded<S> {
    inner: S,
    peer: SocketAddr,
    left: usize,
    ahead: Vec<u8>,
    given: usize,
}

impl<S> Bounded<S> {
    pub(super) fn new(inner: S, peer: SocketAddr) -> Self {
        Self { inner, peer, left: MOST_HEARD, ahead: Vec::new(), given: 0 }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug> AsyncTokioStream for Bounded<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.given == self.ahead.len() {
            if self.left == 0 {
                let error = "the mail server says more than anybody would read";
                return Poll::Ready(Err(io::Error::other(error)));
            }
            let mut bytes = [0; CHUNK];
            let mut chunk = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.inner).poll_read(cx, &mut chunk))?;
            self.left = self.left.saturating_sub(chunk.filled().len());
            self.ahead = chunk.filled().to_vec();
            self.given = 0;
        }
        let rest = self.ahead.get(self.given..).unwrap_or_default();
        let line = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        let count = line.min(buf.remaining());
        buf.put_slice(rest.get(..count).unwrap_or_default());
        self.given += count;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
