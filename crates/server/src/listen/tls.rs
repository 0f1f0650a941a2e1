//! HTTPS: a certificate that can be replaced while connections live, and handshakes with bounds.

use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificate::{Certificate, provider};

/// How long a handshake may take, the wait for its turn included.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// First byte of every TLS connection: the record type of a handshake (RFC 8446, 5.1).
const TLS_RECORD: u8 = 22;
/// What someone hears who speaks plain HTTP here.
const PLAIN: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 48\r\n\
    Connection: close\r\n\r\nthis port speaks HTTPS; use https:// in the URL\n";

/// TLS with the certificate of the moment. Clones share it.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("current", &self.current).finish_non_exhaustive()
    }
}

/// The certificate that the next handshake shows.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Tls {
    /// TLS 1.2 and 1.3 with this certificate, HTTP/1.1 inside.
    ///
    /// # Errors
    /// When the cryptography offers neither version.
    pub fn new(certificate: &Certificate) -> Result<Self, rustls::Error> {
        let current = Arc::new(Current(RwLock::new(certificate.key())));
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), current })
    }

    /// Shows another certificate from the next handshake on. Connections that are there stay as they are.
    pub fn replace(&self, certificate: &Certificate) {
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = certificate.key();
    }
}

/// Makes a TLS connection of a plain one.
pub(super) async fn handshake(
    mut stream: TcpStream,
    tls: &Tls,
    turns: &Semaphore,
) -> io::Result<TlsStream<TcpStream>> {
    let shaken = tokio::time::timeout(HANDSHAKE, async {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first[0] != TLS_RECORD {
            if first[0].is_ascii_uppercase() {
                stream.write_all(PLAIN).await?;
                stream.shutdown().await?;
            }
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the client does not speak TLS"));
        }
        // The semaphore is never closed.
        let _turn = turns.acquire().await;
        tls.acceptor.accept(stream).await
    });
    shaken.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
