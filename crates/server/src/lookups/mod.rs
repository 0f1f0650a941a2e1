//! Questions that the server answers: from tables of its own, or by asking others.

mod dns;
mod geoip;
mod ipcalc;
pub mod mac_oui;
mod resource;
mod turns;
pub mod updates;
mod whois;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use netwark_lookup::dns::Resolver;
use netwark_lookup::dns::ask::{Asker, Trust};
use netwark_lookup::dns::client::Permit;
use netwark_lookup::geoip::{GeoIp, GeoIpSettings};
use netwark_lookup::oui::{self, Vendors};
use netwark_lookup::outbound::Outbound;
use netwark_lookup::resource::Sources;
use netwark_lookup::update::{Kept, directory};
use netwark_lookup::whois::{self as registries, Registries, Whois};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::turns::Turns;
use crate::app::App;

/// How often files of data are looked after.
const LOOK: Duration = Duration::from_secs(5);

/// Settings of look-ups.
#[derive(Clone, Debug, Default)]
pub struct LookupSettings {
    /// Where what updates bring is kept; without it only what is compiled in is known.
    pub data_dir: Option<PathBuf>,
    /// Places that may be asked although they are not public.
    pub allowed: Vec<SocketAddr>,
    /// Files of places and autonomous systems.
    pub geoip: GeoIpSettings,
    /// Where newer data is from, and how often this server fetches it.
    pub updates: Vec<updates::Scheduled>,
    /// Name servers that are asked instead of those of the system.
    pub resolvers: Vec<SocketAddr>,
    /// Where delegations and trust in signatures begin.
    pub trust: Arc<Trust>,
    /// Which registry knows what.
    pub registries: Registries,
}

/// Ports of name servers, by UDP and TCP, TLS and HTTPS.
const NAME_SERVER_PORTS: &[u16] = &[53, 853, 443];
/// Questions to name servers that are under way at once.
const QUESTIONS: usize = 64;
/// Questions for the records of names that are under way at once for those who ask about anything. They wait for each
/// other, and so must not use up what is there for those who are refused at once.
const RECORDS: usize = 64;
/// Questions about anything that one principal may have under way, when others are asked for them.
const ABOUT_ANYTHING: usize = 8;

/// What look-ups share.
#[derive(Clone, Debug)]
pub struct Lookups {
    /// The way to others.
    pub outbound: Outbound,
    /// Where addresses are.
    pub geoip: GeoIp,
    /// To whom MAC addresses are assigned.
    pub oui: Arc<Kept<Vendors>>,
    /// Asks name servers.
    pub dns: Asker,
    /// How many more questions to name servers may be under way.
    pub(crate) questions: Arc<Semaphore>,
    /// The same for those who ask about anything.
    records: Arc<Semaphore>,
    /// Questions about anything that are under way, by who asks.
    turns: Turns,
    /// The registries of domains, addresses and AS numbers.
    pub whois: Whois,
    /// Updates that wait, are under way or have ended.
    pub(crate) runs: Arc<updates::Runs>,
}

impl Lookups {
    /// Ready to answer.
    pub fn new(settings: &LookupSettings) -> Self {
        let place = |source| settings.data_dir.as_ref().map(|data_dir| directory(data_dir, source));
        let resolver = match settings.resolvers.as_slice() {
            [] => Resolver::system(),
            servers => Resolver::with_servers(servers),
        };
        let outbound = Outbound::new(resolver.clone()).with_allowed(&settings.allowed);
        let rules = outbound.clone();
        let permit: Permit =
            Arc::new(move |place| rules.check(place, NAME_SERVER_PORTS).map_err(|error| error.to_string()));
        let dns = Asker::new(resolver, permit, Arc::clone(&settings.trust));
        let known = registries::kept(place(registries::SOURCE), settings.registries.clone());
        let whois = Whois::following(outbound.clone(), known);
        Self {
            outbound,
            whois,
            geoip: GeoIp::new(settings.geoip.clone()),
            oui: Arc::new(Kept::new(place(oui::NAME), Vendors::BuiltIn, oui::load)),
            dns,
            questions: Arc::new(Semaphore::new(QUESTIONS)),
            records: Arc::new(Semaphore::new(RECORDS)),
            turns: Turns::new(ABOUT_ANYTHING),
            runs: Arc::default(),
        }
    }

    /// Takes over what updates have brought since the last time. Reads files.
    pub fn refresh(&self) {
        if self.oui.refresh() {
            tracing::info!(entries = self.oui.get().len(), "another table of MAC vendors is in use");
        }
        if self.whois.refresh() {
            tracing::info!("another table of registries is in use");
        }
    }

    /// What everything that is known about a resource is gathered from.
    pub fn sources(&self) -> Sources {
        Sources {
            resolver: self.outbound.resolver().clone(),
            geoip: self.geoip.clone(),
            vendors: Arc::clone(&self.oui),
            dns: self.dns.clone(),
            turns: Arc::clone(&self.records),
            whois: self.whois.clone(),
            inside: false,
        }
    }
}

/// The routes, to be nested under the base of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(resource::look_up))
        .merge(geoip::routes())
        .merge(ipcalc::routes())
        .merge(mac_oui::routes())
        .merge(updates::routes())
        .routes(routes!(dns::look_up_dns))
        .routes(routes!(dns::query_dns))
        .merge(whois::routes())
}

/// Takes in files of data that are new or changed, until it is stopped.
pub async fn run(app: App, stop: CancellationToken) {
    loop {
        let geoip = app.lookups.geoip.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || geoip.refresh()).await {
            tracing::error!(%error, "files of data could not be looked after");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
    }
}
