//! What every handler and every task of the server shares.

use std::sync::Arc;

use axum::extract::FromRef;
use jiff::Timestamp;
use netwark_bus::ServerBus;
use netwark_model::tools::Registry;
use netwark_store::Store;

use crate::auth::Auth;
use crate::live::Live;
use crate::metrics::Metrics;

/// Settings of the server that its parts need while it runs.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// URLs by which users reach the server, besides the addresses it listens on.
    pub public_urls: Vec<String>,
    /// Time zone of days and weeks, an IANA name.
    pub timezone: String,
    /// How long ended operations are kept, in days.
    pub history_days: u32,
    /// What the bus is, for people: `in-process` or a URL without its password.
    pub broker: String,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            public_urls: Vec::new(),
            timezone: "UTC".into(),
            history_days: 90,
            broker: "in-process".into(),
        }
    }
}

/// The server's parts. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The server's parts.
pub struct Parts {
    /// What is stored.
    pub store: Store,
    /// The way to workers.
    pub bus: Arc<dyn ServerBus>,
    /// The tools this version knows.
    pub tools: Registry,
    /// Who is asking.
    pub auth: Auth,
    /// Who watches what.
    pub live: Live,
    /// The server's own numbers.
    pub metrics: Metrics,
    /// Settings.
    pub settings: ServerSettings,
    /// When this process started.
    pub started_at: Timestamp,
}

impl App {
    /// Puts the parts together.
    pub fn new(
        store: Store,
        bus: Arc<dyn ServerBus>,
        tools: Registry,
        auth: Auth,
        settings: ServerSettings,
    ) -> Self {
        Self(Arc::new(Parts {
            store,
            bus,
            tools,
            auth,
            live: Live::default(),
            metrics: Metrics::new(),
            settings,
            started_at: Timestamp::now(),
        }))
    }
}

impl FromRef<App> for Auth {
    fn from_ref(app: &App) -> Self {
        app.auth.clone()
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}
