//! How to reach a broker.

use std::path::PathBuf;

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::tcp::OwnedTLSConfig;
use lapin::uri::{AMQPScheme, AMQPUri};

use super::wire;

/// Largest frame, in bytes. lapin keeps 64 frames of it in memory for every connection, so the
/// broker's default of 128 KiB would cost a worker 8 MiB.
const FRAME: u32 = 16 * 1024;

/// How to reach a broker.
#[derive(Clone)]
pub struct AmqpOptions {
    /// `amqp://USER:PASSWORD@HOST:PORT/VHOST`, or `amqps` for TLS. The ports are 5672 and 5671 when
    /// it has none, the virtual host is `/`.
    pub url: String,
    /// Seconds between heartbeats. A connection that is silent for two of them is cut.
    pub heartbeat: u16,
    /// Most reports that a server has taken and not stored.
    pub prefetch: u16,
    /// Certificates (PEM) that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
}

impl AmqpOptions {
    /// Heartbeat in seconds when nobody says otherwise.
    pub const HEARTBEAT: u16 = 30;
    /// Reports taken at once when nobody says otherwise.
    pub const PREFETCH: u16 = 256;

    /// The defaults for this URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), heartbeat: Self::HEARTBEAT, prefetch: Self::PREFETCH, ca_file: None }
    }

    /// Checks that they can be used, without connecting.
    ///
    /// # Errors
    /// What is wrong with the URL or the file.
    pub fn check(&self) -> Result<(), OptionsError> {
        self.target().map(|_| ())
    }

    /// Scheme, host, port and virtual host, without user and password; empty when there are none.
    pub fn place(&self) -> String {
        self.target().map_or_else(|_| String::new(), |target| target.to_string())
    }

    /// What is needed to connect.
    pub(super) fn target(&self) -> Result<Target, OptionsError> {
        let mut uri: AMQPUri = self.url.parse().map_err(OptionsError::Url)?;
        let Some((_, rest)) = self.url.split_once("://") else {
            return Err(OptionsError::Url("it has no ://".into()));
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        // The parser knows no IPv6 addresses: it puts localhost in their place.
        if let Some((address, _)) = host.strip_prefix('[').and_then(|host| host.split_once(']')) {
            uri.authority.host = address.into();
        } else if host.is_empty() || host.starts_with(':') {
            return Err(OptionsError::Url("it names no host".into()));
        }
        // AMQP has a virtual host of no name, which nobody uses; a slash at the end is a habit.
        if uri.vhost.is_empty() {
            uri.vhost = "/".into();
        }
        uri.query.frame_max = Some(FRAME);
        uri.query.heartbeat = Some(self.heartbeat);
        let certificates = match &self.ca_file {
            None => None,
            Some(path) => match std::fs::read_to_string(path) {
                Ok(text) if text.contains("-----BEGIN CERTIFICATE-----") => Some(text),
                Ok(_) => {
                    return Err(OptionsError::Certificates(path.clone(), "it holds no certificate".into()));
                }
                Err(error) => return Err(OptionsError::Certificates(path.clone(), error.to_string())),
            },
        };
        let tls = OwnedTLSConfig { identity: None, cert_chain: certificates };
        Ok(Target { uri, tls })
    }
}

impl std::fmt::Debug for AmqpOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL holds a password.
        f.debug_struct("AmqpOptions").field("heartbeat", &self.heartbeat).finish_non_exhaustive()
    }
}

/// Why a broker cannot even be tried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// The URL is none.
    #[error("the URL of the broker is not understood: {0}; it looks like amqp://USER:PASSWORD@HOST/VHOST")]
    Url(String),
    /// The certificates cannot be read.
    #[error("the certificates in {0} cannot be used: {1}")]
    Certificates(PathBuf, String),
}

/// What is needed to connect.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) uri: AMQPUri,
    pub(super) tls: OwnedTLSConfig,
}

impl Target {
    /// Why the broker refused a connection, with what to look at.
    pub(super) fn refusal(&self, error: &lapin::Error) -> String {
        let said = wire::words(error);
        let ErrorKind::ProtocolError(error) = error.kind() else { return said };
        match error.kind() {
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => {
                let user = &self.uri.authority.userinfo.username;
                format!("it refuses the user '{user}' or the password ({said})")
            }
            AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => {
                format!("it refuses the virtual host '{}' ({said})", self.uri.vhost)
            }
            _ => said,
        }
    }
}

impl std::fmt::Display for Target {
    /// Host, port and virtual host: enough to find it, and no password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = match self.uri.scheme {
            AMQPScheme::AMQP => "amqp",
            AMQPScheme::AMQPS => "amqps",
        };
        let AMQPUri { authority, vhost, .. } = &self.uri;
        let host = match authority.host.contains(':') {
            true => format!("[{}]", authority.host),
            false => authority.host.clone(),
        };
        write!(f, "{scheme}://{host}:{}/{}", authority.port, vhost.trim_start_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> Result<String, OptionsError> {
        let options = AmqpOptions::new(url);
        options.check().map(|()| options.place())
    }

    #[test]
    fn urls_are_read_and_shown_without_the_password() {
        assert_eq!(shown("amqp://u:hush@mq"), Ok("amqp://mq:5672/".into()));
        assert_eq!(shown("amqps://u:hush@mq/tools"), Ok("amqps://mq:5671/tools".into()));
        assert_eq!(shown("amqp://u:hush@[2001:db8::1]:99/%2f"), Ok("amqp://[2001:db8::1]:99/".into()));
        assert_eq!(shown("amqp://127.0.0.1:1/"), Ok("amqp://127.0.0.1:1/".into()));
    }

    #[test]
    fn a_slash_at_the_end_is_the_usual_virtual_host() {
        for url in ["amqp://mq", "amqp://mq/", "amqp://mq/%2F"] {
            assert_eq!(AmqpOptions::new(url).target().unwrap().uri.vhost, "/", "{url}");
        }
    }

    #[test]
    fn what_is_no_broker_is_refused() {
        for url in ["", "mq", "http://mq", "amqp://", "amqp:///x", "amqp://:5672", "amqp://u:p@/x"] {
            assert!(matches!(shown(url), Err(OptionsError::Url(_))), "{url}: {:?}", shown(url));
        }
    }

    #[test]
    fn certificates_must_be_there() {
        let mut options = AmqpOptions::new("amqps://mq");
        options.ca_file = Some("/does/not/exist.pem".into());
        assert!(matches!(options.check(), Err(OptionsError::Certificates(..))));
        let file = tempfile::NamedTempFile::new().unwrap();
        options.ca_file = Some(file.path().into());
        let error = options.check().unwrap_err().to_string();
        assert!(error.contains("holds no certificate"), "{error}");
    }

    #[test]
    fn debugging_shows_no_password() {
        let shown = format!("{:?}", AmqpOptions::new("amqp://u:hush@mq"));
        assert!(!shown.contains("hush"), "{shown}");
    }
}
