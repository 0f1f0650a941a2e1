//! What every handler and every task of the server shares.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use jiff::Timestamp;
use netwark_bus::ServerBus;
use netwark_bus::websocket::Keepalive;
use netwark_model::tools::Registry;
use netwark_store::Store;
use uuid::Uuid;

use crate::auth::Auth;
use crate::auth::secret_key::SecretKey;
use crate::channels::Channels;
use crate::listen::Room;
use crate::live::Live;
use crate::lookups::{LookupSettings, Lookups};
use crate::metrics::Metrics;
use crate::operations::publish::InHand;
use crate::ui::Pages;
use crate::workers::directory::Directory;
use crate::workers::link::registry::Links;

/// Settings of the server that its parts need while it runs.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Time zone of days and weeks, an IANA name.
    pub timezone: String,
    /// How long ended operations are kept, in days.
    pub history_days: u32,
    /// What the bus is, for people: `in-process` or a URL without its password.
    pub broker: String,
    /// The worker inside this process, when there is one. What it had begun in an earlier life of the
    /// process has ended with it.
    pub embedded_worker: Option<Uuid>,
    /// How long requests under way are waited for when the server ends.
    pub shutdown_deadline: Duration,
    /// How often both ends of a worker's link say that they are there.
    pub link_keepalive: Keepalive,
    /// What look-ups may use.
    pub lookups: LookupSettings,
    /// The key under which what is presented to others is sealed; without one nothing of that kind can be kept.
    pub secret_key: Option<SecretKey>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            timezone: "UTC".into(),
            history_days: 90,
            broker: "in-process".into(),
            embedded_worker: None,
            shutdown_deadline: Duration::from_secs(10),
            link_keepalive: Keepalive::DEFAULT,
            lookups: LookupSettings::default(),
            secret_key: None,
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
    /// What is known of workers, with every report they send.
    pub directory: Directory,
    /// Workers that are linked to this server over a WebSocket.
    pub links: Links,
    /// Questions it answers by itself.
    pub lookups: Lookups,
    /// What sending notices needs.
    pub(crate) channels: Channels,
    /// The server's own numbers.
    pub metrics: Metrics,
    /// The web UI, for each path it is served under.
    pub(crate) pages: Pages,
    /// Messages that are being published.
    pub(crate) in_hand: InHand,
    /// How many connections there may be.
    pub(crate) room: Room,
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
        let live = Live::new(&store);
        let pages = Pages::new(auth.bases());
        let lookups = Lookups::new(&settings.lookups);
        let channels = Channels::new(&settings);
        Self(Arc::new(Parts {
            store,
            bus,
            tools,
            auth,
            live,
            directory: Directory::default(),
            links: Links::default(),
            lookups,
            channels,
            metrics: Metrics::new(),
            pages,
            in_hand: InHand::default(),
            room: Room::default(),
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
