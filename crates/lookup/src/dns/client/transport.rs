//! One question and its answer over UDP, TCP, TLS (RFC 7858) or HTTPS (RFC 8484).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::endpoint::Endpoint;
use super::https;
use super::tls::Tls;
use crate::dns::wire::message::{Asking, Message, Question, query};

/// How a question travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// One datagram each way.
    Udp,
    /// A connection of its own.
    Tcp,
    /// DNS over TLS.
    Tls,
    /// DNS over HTTPS.
    Https,
}

impl Carrier {
    /// The usual port.
    pub fn port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 53,
            Self::Tls => 853,
            Self::Https => 443,
        }
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Https => "https",
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The address may not be asked.
    #[error("not asked: {0}")]
    NotAllowed(String),
    /// Nothing came in time.
    #[error("no answer within {0} ms")]
    Silent(u128),
    /// The system or the other side said no.
    #[error("{0}")]
    Broken(String),
    /// What came is no answer.
    #[error("the answer is not understood: {0}")]
    NotUnderstood(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Broken(match error.kind() {
            io::ErrorKind::ConnectionRefused => "refused: nothing listens there".into(),
            io::ErrorKind::UnexpectedEof => "the server closed the connection without an answer".into(),
            _ => error.to_string(),
        })
    }
}

/// An answer and what it took.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The answer.
    pub message: Message,
    /// From the question to the answer.
    pub took: Duration,
    /// What the connection took.
    pub connect: Option<Duration>,
}

/// Asks once. The time counts for connection and answer together.
///
/// # Errors
/// When there is no answer in time, or none that answers this question.
pub async fn exchange(
    server: &Endpoint,
    question: &Question,
    asking: Asking,
    within: Duration,
    tls: &Tls,
) -> Result<Answer, Failure> {
    let asked = async {
        match server.carrier {
            Carrier::Udp => by_udp(server.address, question, asking).await,
            Carrier::Tcp => {
                let began = Instant::now();
                let stream = TcpStream::connect(server.address).await?;
                by_stream(stream, question, asking, began.elapsed()).await
            }
            Carrier::Tls => {
                let began = Instant::now();
                let stream = secured(server, tls, &[b"dot"]).await?;
                by_stream(stream, question, asking, began.elapsed()).await
            }
            Carrier::Https => https::ask(server, question, asking, tls).await,
        }
    };
    timeout(within, asked).await.unwrap_or(Err(Failure::Silent(within.as_millis())))
}

async fn by_udp(server: SocketAddr, question: &Question, asking: Asking) -> Result<Answer, Failure> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // The port is the system's choice, which is random; with the number it keeps guessers out (RFC 5452).
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    let id = random();
    let began = Instant::now();
    socket.send(&query(id, question, asking)).await?;
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let took = began.elapsed();
        let bytes = buffer.get(..length).unwrap_or_default();
        // Whatever is not the answer to this question may come from anybody and ends nothing.
        match Message::read(bytes) {
            Ok(message) if message.answers(id, question) => {
                return Ok(Answer { message, took, connect: None });
            }
            Err(error) if bytes.get(..2) == Some(&id.to_be_bytes()) => {
                return Err(Failure::NotUnderstood(error.to_string()));
            }
            _ => {}
        }
    }
}

async fn by_stream<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    question: &Question,
    asking: Asking,
    connect: Duration,
) -> Result<Answer, Failure> {
    let id = random();
    let asked = query(id, question, asking);
    // A question has at most 300 bytes.
    let mut framed = (asked.len() as u16).to_be_bytes().to_vec();
    framed.extend_from_slice(&asked);
    let began = Instant::now();
    stream.write_all(&framed).await?;
    stream.flush().await?;
    let length = stream.read_u16().await?;
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes).await?;
    answer(&bytes, id, question, began.elapsed(), connect)
}

/// Reads what came over a connection, where only the server itself can answer.
pub(super) fn answer(
    bytes: &[u8],
    id: u16,
    question: &Question,
    took: Duration,
    connect: Duration,
) -> Result<Answer, Failure> {
    let message = Message::read(bytes).map_err(|error| Failure::NotUnderstood(error.to_string()))?;
    if !message.answers(id, question) {
        return Err(Failure::NotUnderstood("it answers another question".into()));
    }
    Ok(Answer { message, took, connect: Some(connect) })
}

/// A connection by TLS whose certificate fits the server's name.
pub(super) async fn secured(
    server: &Endpoint,
    tls: &Tls,
    protocols: &[&[u8]],
) -> Result<TlsStream<TcpStream>, Failure> {
    let name = ServerName::try_from(server.host.clone())
        .map_err(|_| Failure::Broken(format!("'{}' is no name for a certificate", server.host)))?;
    let mut config = ClientConfig::clone(&*tls.config().map_err(Failure::Broken)?);
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let stream = TcpStream::connect(server.address).await?;
    // The question is small and must not wait for more.
    stream.set_nodelay(true)?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(|error| Failure::Broken(format!("no secure connection with {}: {error}", server.host)))
}

/// A number nobody can guess.
fn random() -> u16 {
    rand::random()
}
