//! How certificates of name servers are checked.

use std::sync::{Arc, LazyLock};

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_platform_verifier::BuilderVerifierExt;

type Made = Result<Arc<ClientConfig>, String>;

/// How certificates are checked. Cheap to clone.
#[derive(Clone)]
pub struct Tls(Arc<LazyLock<Made, Box<dyn FnOnce() -> Made + Send>>>);

impl Default for Tls {
    fn default() -> Self {
        Self::system()
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// Against the authorities of the system, which are read when they are needed first.
    pub fn system() -> Self {
        Self::lazy(Box::new(|| {
            let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .and_then(BuilderVerifierExt::with_platform_verifier);
            let why =
                |error: rustls::Error| format!("certificates cannot be checked on this system: {error}");
            builder.map(|builder| Arc::new(builder.with_no_client_auth())).map_err(why)
        }))
    }

    /// As this configuration has it.
    pub fn of(config: ClientConfig) -> Self {
        Self::lazy(Box::new(|| Ok(Arc::new(config))))
    }

    fn lazy(make: Box<dyn FnOnce() -> Made + Send>) -> Self {
        Self(Arc::new(LazyLock::new(make)))
    }

    /// The configuration.
    ///
    /// # Errors
    /// When the system has no authorities.
    pub fn config(&self) -> Made {
        (*self.0).clone()
    }
}
