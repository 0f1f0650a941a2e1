//! A stream whose bytes are counted.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::engine::{Pacer, Traffic};

/// Bytes of data that a segment carries on most links.
const SEGMENT: u64 = 1400;

/// A connection that adds what it sends and receives to a count, with the headers of a segment for each piece that is
/// handed to the kernel or taken from it.
#[derive(Debug)]
pub(crate) struct Counted {
    stream: TcpStream,
    traffic: Arc<Traffic>,
    headers: u64,
    pace: Option<(Pacer, IpAddr)>,
}

impl Counted {
    pub(crate) fn new(stream: TcpStream, traffic: Arc<Traffic>, headers: u64) -> Self {
        Self { stream, traffic, headers, pace: None }
    }

    /// The same, with the packets noted that it sends to an address.
    pub(crate) fn at_pace(mut self, pacer: Pacer, to: IpAddr) -> Self {
        self.pace = Some((pacer, to));
        self
    }

    fn note(&self, packets: u64) {
        if let Some((pacer, to)) = &self.pace {
            pacer.note(*to, packets);
        }
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let read = buffer.filled().len().saturating_sub(before);
        if read > 0 {
            self.traffic.add_received(read as u64 + self.headers);
            // What has come is acknowledged.
            self.note(1);
        }
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(written)) = polled {
            self.traffic.add_sent(written as u64 + self.headers);
            self.note((written as u64).div_ceil(SEGMENT));
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
