//! How messages get to a syslog server.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::address::{connect, resolve};
use crate::outcome::Failure;
use crate::tls::Tls;

/// How long is waited for word that nobody listens there.
const ECHO: Duration = Duration::from_millis(250);
/// How long a server may take to close its side.
const GOODBYE: Duration = Duration::from_secs(2);
/// Most bytes that are read from a server that talks back.
const MOST_HEARD: usize = 64 * 1024;

pub(super) async fn udp(server: &str, port: u16, messages: &[String]) -> Result<(), Failure> {
    let mut why = String::new();
    for place in resolve(server, port).await? {
        match datagrams(place, messages).await {
            Ok(()) => return Ok(()),
            Err(error) => why = format!("{server} ({place}) does not take syslog messages: {error}"),
        }
    }
    Err(Failure::later(why))
}

async fn datagrams(place: SocketAddr, messages: &[String]) -> io::Result<()> {
    let own: SocketAddr = match place {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(own).await?;
    socket.connect(place).await?;
    for message in messages {
        socket.send(message.as_bytes()).await?;
    }
    // A host on which nothing listens says so, if it says anything.
    match timeout(ECHO, socket.recv(&mut [0; 1])).await {
        Ok(Err(error)) => Err(error),
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

pub(super) async fn tcp(server: &str, port: u16, messages: &[String]) -> Result<(), Failure> {
    let stream = connect(server, port).await?;
    write(stream, messages).await.map_err(|error| broken(server, &error))
}

pub(super) async fn tls(server: &str, port: u16, messages: &[String], tls: &Tls) -> Result<(), Failure> {
    let stream = tls.connect(server, connect(server, port).await?).await?;
    write(stream, messages).await.map_err(|error| broken(server, &error))
}

fn broken(server: &str, error: &io::Error) -> Failure {
    Failure::later(format!("the connection to {server} broke: {error}"))
}

/// Writes all messages, each behind its length (RFC 6587 section 3.4.1), and waits for the other side to close.
async fn write(mut stream: impl AsyncRead + AsyncWrite + Unpin, messages: &[String]) -> io::Result<()> {
    let framed: String = messages.iter().map(|message| format!("{} {message}", message.len())).collect();
    stream.write_all(framed.as_bytes()).await?;
    stream.flush().await?;
    stream.shutdown().await?;
    let goodbye = timeout(GOODBYE, async {
        let (mut heard, mut buffer) = (0, [0; 1024]);
        while heard < MOST_HEARD {
            match stream.read(&mut buffer).await? {
                0 => break,
                count => heard += count,
            }
        }
        io::Result::Ok(())
    });
    match goodbye.await {
        // Many close a connection of TLS without a word.
        Ok(Err(error)) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(()),
    }
}
