//! A handshake of TLS that looks at everything and believes nothing: certificates are recorded, and judged afterwards.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use netwark_model::tools::tls::TlsSession;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, ProtocolVersion, SignatureScheme,
    SupportedProtocolVersion,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate;
use super::trust::Trust;
use crate::words;

/// What a handshake is to be like.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The name that is asked for; an address is asked for by nobody (RFC 6066), but checked.
    pub(crate) name: ServerName<'static>,
    /// The versions that are offered.
    pub(crate) versions: &'static [&'static SupportedProtocolVersion],
    /// The protocols that are offered by ALPN, best first.
    pub(crate) alpn: Vec<Vec<u8>>,
}

/// How a handshake ended.
pub(crate) struct Shaken<S> {
    /// The encrypted stream, or why there is none, as a clause.
    pub(crate) stream: Result<TlsStream<S>, String>,
    /// What was agreed and shown; nothing when the server showed nothing.
    pub(crate) session: Option<TlsSession>,
}

/// Makes a handshake on a stream, whatever the certificates.
pub(crate) async fn shake<S>(stream: S, wanted: &Wanted, trust: &Trust) -> Shaken<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let recorder = Arc::new(Recorder { provider: Arc::clone(trust.provider()), seen: Mutex::new(None) });
    let config = match config(wanted, trust, &recorder) {
        Ok(config) => config,
        Err(error) => return Shaken { stream: Err(error.to_string()), session: None },
    };
    let shaken = TlsConnector::from(Arc::new(config)).connect(wanted.name.clone(), stream).await;
    let seen = recorder.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    let session = match (&shaken, seen) {
        (Err(_), None) => None,
        (shaken, seen) => {
            let connection = shaken.as_ref().ok().map(|stream| stream.get_ref().1);
            Some(session(connection, &seen.unwrap_or_default(), wanted, trust, Timestamp::now()))
        }
    };
    Shaken { stream: shaken.map_err(|error| of_handshake(&error)), session }
}

fn config(wanted: &Wanted, trust: &Trust, recorder: &Arc<Recorder>) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::clone(trust.provider()))
        .with_protocol_versions(wanted.versions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(recorder) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    config.alpn_protocols.clone_from(&wanted.alpn);
    // Each handshake shows everything.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn session(
    connection: Option<&ClientConnection>,
    seen: &Seen,
    wanted: &Wanted,
    trust: &Trust,
    now: Timestamp,
) -> TlsSession {
    let staple = trust.staple(&seen.ocsp, &seen.chain, now);
    let problems = trust.problems(&seen.chain, &wanted.name, staple.as_ref(), now);
    let alpn = connection.and_then(|connection| connection.alpn_protocol());
    TlsSession {
        protocol: connection.and_then(|connection| connection.protocol_version()).map(version),
        cipher: connection
            .and_then(|connection| connection.negotiated_cipher_suite())
            .map(|suite| format!("{:?}", suite.suite())),
        key_exchange: connection
            .and_then(|connection| connection.negotiated_key_exchange_group())
            .map(|group| format!("{:?}", group.name())),
        alpn: alpn.map(|name| String::from_utf8_lossy(name).into_owned()),
        trusted: problems.is_empty(),
        problems,
        chain: seen
            .chain
            .iter()
            .take(certificate::MOST)
            .filter_map(|one| certificate::read(one, now))
            .collect(),
        ocsp: staple,
    }
}

/// The name of a version as people write it.
pub(super) fn version(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_2 => "TLS 1.2".into(),
        ProtocolVersion::TLSv1_3 => "TLS 1.3".into(),
        other => format!("{other:?}"),
    }
}

/// Why a handshake failed, as a clause.
fn of_handshake(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::AlertReceived(alert)) => format!("the server ends the handshake by the alert {alert:?}"),
        Some(Error::InvalidMessage(_)) => "what answers does not speak TLS".into(),
        // Certificates are judged elsewhere; here it is the proof that the server has the key of one.
        Some(Error::InvalidCertificate(_)) => {
            "that the server holds the key of its certificate cannot be checked: the certificate is damaged, or has an old \
             form, before version 3"
                .into()
        }
        Some(other) => other.to_string(),
        None => match error.kind() {
            io::ErrorKind::UnexpectedEof => "the server closed the connection during the handshake".into(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                "the server reset the connection during the handshake".into()
            }
            _ => words::of_system(error),
        },
    }
}

/// What a server showed.
#[derive(Debug, Default)]
struct Seen {
    chain: Vec<CertificateDer<'static>>,
    ocsp: Vec<u8>,
}

/// Records certificates. That the server holds the key of the first is checked all the same: without that they say
/// nothing of the server.
#[derive(Debug)]
struct Recorder {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Option<Seen>>,
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(end_entity).chain(intermediates);
        let seen =
            Seen { chain: chain.map(|one| one.clone().into_owned()).collect(), ocsp: ocsp_response.to_vec() };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rustls::CertificateError;

    use super::*;

    #[test]
    fn a_certificate_without_a_key_to_check_is_told_in_words() {
        let error = io::Error::other(Error::InvalidCertificate(CertificateError::BadEncoding));
        let told = of_handshake(&error);
        assert!(told.contains("old form") && !told.contains("BadEncoding"), "{told}");
    }
}
