//! Making a connection to a server: name, TCP, TLS, upgrade.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use netwark_model::messages::Unwelcome;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;
use serde::Deserialize;
use tokio::net::{TcpStream, lookup_host};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, Uri, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

use super::frames::LARGEST_FRAME;
use super::proxy::{self, Proxy};
use super::{KEEPALIVE, Keepalive, PATH, REFUSED, REVOKED, UNWELCOME, WebSocketOptions};

/// Bytes that are read at once, and gathered before they are written. The library's own choice takes
/// 128 KiB for every link.
const BUFFER: usize = 4 * 1024;
/// Most addresses of a name that are tried.
const MOST_ADDRESSES: usize = 8;
/// How long one address may take to answer, when there are others.
const ONE_ADDRESS: Duration = Duration::from_secs(4);

/// A connection.
pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why a server cannot even be tried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// The URL is none.
    #[error("the URL of the server is not understood: {0}; it looks like https://HOST or https://HOST/PATH")]
    Url(String),
    /// The token cannot be sent.
    #[error("the token is not understood; it is one word that begins with nww_")]
    Token,
    /// The certificates cannot be used.
    #[error("the certificates in {0} cannot be used: {1}")]
    Certificates(PathBuf, String),
    /// The environment names a proxy that cannot be used.
    #[error("{0}")]
    Proxy(String),
    /// TLS cannot be used on this machine.
    #[error("TLS cannot be used: {0}")]
    Tls(String),
}

/// Why there is no connection.
pub(super) enum NoConnection {
    /// It is tried again.
    Later(String),
    /// The server says not to come back.
    Unwelcome(Unwelcome),
}

/// What is needed to connect.
pub(super) struct Target {
    request: Request,
    host: String,
    port: u16,
    proxy: Option<Proxy>,
    tls: Option<Connector>,
}

impl Target {
    /// The host that is connected to.
    pub(super) fn first_hop(&self) -> &str {
        self.proxy.as_ref().map_or(&self.host, |proxy| &proxy.host)
    }
}

impl WebSocketOptions {
    /// What is needed to connect.
    pub(super) fn target(&self) -> Result<Target, OptionsError> {
        let (uri, encrypted) = link_uri(&self.server).map_err(OptionsError::Url)?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let mut request = uri.into_client_request().map_err(|error| OptionsError::Url(error.to_string()))?;
        let headers = request.headers_mut();
        let bearer = HeaderValue::try_from(format!("Bearer {}", self.token.trim()));
        let mut bearer = bearer.map_err(|_| OptionsError::Token)?;
        bearer.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, bearer);
        if let Ok(agent) = HeaderValue::try_from(format!("netwark/{}", self.version)) {
            headers.insert(header::USER_AGENT, agent);
        }
        let tls = if encrypted { Some(self.tls()?) } else { None };
        let proxy = proxy::on_the_way(&host, encrypted).map_err(OptionsError::Proxy)?;
        Ok(Target { request, host, port, proxy, tls })
    }

    fn tls(&self) -> Result<Connector, OptionsError> {
        let extra: Vec<CertificateDer<'static>> = match &self.ca_file {
            None => Vec::new(),
            Some(path) => {
                let broken = |why: String| OptionsError::Certificates(path.clone(), why);
                let read =
                    CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
                let read = read.map_err(|error| broken(error.to_string()))?;
                if read.is_empty() {
                    return Err(broken("it holds no certificate".into()));
                }
                read
            }
        };
        let failed = |error: rustls::Error| OptionsError::Tls(error.to_string());
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider)).map_err(failed)?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Connector::Rustls(Arc::new(config)))
    }
}

/// The URL of the link, and whether it is encrypted.
fn link_uri(server: &str) -> Result<(Uri, bool), String> {
    let server = server.trim().trim_end_matches('/');
    let Some((scheme, rest)) = server.split_once("://") else {
        return Err(format!("'{server}' does not begin with https://"));
    };
    let encrypted = match scheme.to_ascii_lowercase().as_str() {
        "https" | "wss" => true,
        "http" | "ws" => false,
        other => return Err(format!("a server is not reached by '{other}'")),
    };
    if rest.contains(['?', '#', '@']) {
        return Err("it has no user, query or fragment".into());
    }
    let scheme = if encrypted { "wss" } else { "ws" };
    let uri: Uri = format!("{scheme}://{rest}{PATH}").parse().map_err(|error| format!("{error}"))?;
    match uri.host() {
        None | Some("") => Err("it names no host".into()),
        Some(_) => Ok((uri, encrypted)),
    }
}

/// Connects; also returns how often signs of life are sent, when the server says so.
pub(super) async fn connect(target: &Target) -> Result<(Socket, Option<Keepalive>), NoConnection> {
    let later = |what: &str, why: &dyn std::fmt::Display| NoConnection::Later(format!("{what}: {why}"));
    let stream = match &target.proxy {
        None => dial(&target.host, target.port).await?,
        Some(proxy) => {
            let stream = dial(&proxy.host, proxy.port).await?;
            let tunnel = proxy::tunnel(stream, proxy, &target.host, target.port);
            tunnel.await.map_err(NoConnection::Later)?
        }
    };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the connection may gather small packets");
    }
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(LARGEST_FRAME))
        .max_frame_size(Some(LARGEST_FRAME));
    let connector = target.tls.clone().unwrap_or(Connector::Plain);
    let upgraded =
        client_async_tls_with_config(target.request.clone(), stream, Some(config), Some(connector)).await;
    match upgraded {
        Ok((socket, answer)) => {
            let said = answer.headers().get(KEEPALIVE).and_then(|value| value.to_str().ok()?.parse().ok());
            Ok((socket, said.and_then(Keepalive::new)))
        }
        Err(Error::Http(answer)) => Err(refused(&answer)),
        Err(error) => Err(later("the server does not open the link", &error)),
    }
}

/// A TCP connection to one of a host's addresses.
async fn dial(host: &str, port: u16) -> Result<TcpStream, NoConnection> {
    let found = lookup_host((host, port)).await;
    let addresses: Vec<_> = found
        .map_err(|error| NoConnection::Later(format!("the name {host} cannot be resolved: {error}")))?
        .take(MOST_ADDRESSES)
        .collect();
    let mut last = format!("the name {host} has no address");
    for address in &addresses {
        let patience = if addresses.len() == 1 { Duration::MAX } else { ONE_ADDRESS };
        match tokio::time::timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = format!("{address} cannot be reached: {error}"),
            Err(_) => last = format!("{address} does not answer"),
        }
    }
    Err(NoConnection::Later(last))
}

/// The part of a problem (RFC 9457) that is shown.
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

/// What an answer that opens no link means. A proxy may refuse for reasons of its own, which pass; only the
/// server itself, which says so in a header, sends a worker away.
fn refused(answer: &Response) -> NoConnection {
    let status = answer.status();
    let body = answer.body().as_deref().unwrap_or_default();
    let detail = serde_json::from_slice::<Problem>(body).ok().map(|problem| problem.detail);
    let revoked = match answer.headers().get(UNWELCOME).and_then(|value| value.to_str().ok()) {
        Some(REVOKED) => true,
        Some(REFUSED) => false,
        _ => {
            let why = detail.unwrap_or_else(|| "is this the URL of a Netwark server?".into());
            return NoConnection::Later(format!("the server answers {status}: {why}"));
        }
    };
    let usual = if revoked { "this worker was revoked" } else { "the token of this worker is not known" };
    NoConnection::Unwelcome(Unwelcome { revoked, reason: detail.unwrap_or_else(|| usual.into()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_stands_below_the_url_of_the_server() {
        let link = |url: &str| link_uri(url).map(|(uri, encrypted)| (uri.to_string(), encrypted));
        for (url, expected) in [
            ("https://example.org", "wss://example.org/api/v1/workers/link"),
            ("https://example.org:8443/", "wss://example.org:8443/api/v1/workers/link"),
            (" https://example.org/netwark/ ", "wss://example.org/netwark/api/v1/workers/link"),
            ("HTTPS://[2001:db8::1]", "wss://[2001:db8::1]/api/v1/workers/link"),
        ] {
            assert_eq!(link(url), Ok((expected.into(), true)), "{url}");
        }
        assert_eq!(
            link("http://127.0.0.1:6543"),
            Ok(("ws://127.0.0.1:6543/api/v1/workers/link".into(), false))
        );
        for url in
            ["", "example.org", "ftp://example.org", "https://", "https://u:p@example.org", "https://a?b"]
        {
            assert!(link(url).is_err(), "{url}: {:?}", link(url));
        }
    }

    #[test]
    fn options_that_cannot_be_used_are_said_to_be_so() {
        let mut options = WebSocketOptions::new("https://example.org", "nww_x\ny", "0");
        assert!(matches!(options.target().map(|_| ()), Err(OptionsError::Token)));
        options.token = "nww_x".into();
        options.ca_file = Some("/does/not/exist.pem".into());
        assert!(matches!(options.target().map(|_| ()), Err(OptionsError::Certificates(..))));
        assert!(!format!("{options:?}").contains("nww_x"));
    }
}
