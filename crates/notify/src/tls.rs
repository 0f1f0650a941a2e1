//! How the certificates of the other side are checked.

use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::outcome::Failure;

type Made = Result<Arc<ClientConfig>, String>;

/// Against the authorities of the system and some more. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tls {
    authorities: Arc<[CertificateDer<'static>]>,
    made: Arc<OnceLock<Made>>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("authorities", &self.authorities.len()).finish_non_exhaustive()
    }
}

impl Tls {
    pub(crate) fn new(authorities: Vec<CertificateDer<'static>>) -> Self {
        Self { authorities: authorities.into(), made: Arc::default() }
    }

    /// The authorities that are trusted besides those of the system.
    pub(crate) fn authorities(&self) -> &[CertificateDer<'static>] {
        &self.authorities
    }

    /// The configuration; the authorities of the system are read when it is asked for first.
    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>, Failure> {
        self.made.get_or_init(|| make(&self.authorities)).clone().map_err(Failure::later)
    }
}

impl Tls {
    /// Makes a connection private, with a certificate for this host.
    pub(crate) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        let name = ServerName::try_from(host.to_owned());
        let name =
            name.map_err(|_| Failure::never(format!("'{host}' is no name that a certificate can hold")))?;
        let connected = TlsConnector::from(self.config()?).connect(name, stream).await;
        connected.map_err(|error| Failure::later(format!("TLS with {host} fails: {error}")))
    }
}

fn make(authorities: &[CertificateDer<'static>]) -> Made {
    let why = |error: rustls::Error| format!("certificates cannot be checked on this system: {error}");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier =
        Verifier::new_with_extra_roots(authorities.iter().cloned(), provider.clone()).map_err(why)?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(why)?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    Ok(Arc::new(builder.with_no_client_auth()))
}
