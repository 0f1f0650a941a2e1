//! Questions that the server answers: from tables of its own, or by asking others.

mod geoip;
mod ipcalc;
mod resource;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use netwark_lookup::dns::Resolver;
use netwark_lookup::geoip::{GeoIp, GeoIpSettings};
use netwark_lookup::outbound::Outbound;
use netwark_lookup::resource::Sources;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
}

/// What look-ups share.
#[derive(Clone, Debug)]
pub struct Lookups {
    /// The way to others.
    pub outbound: Outbound,
    /// Where addresses are.
    pub geoip: GeoIp,
}

impl Lookups {
    /// Ready to answer.
    pub fn new(settings: &LookupSettings) -> Self {
        Self {
            outbound: Outbound::new(Resolver::system()).with_allowed(&settings.allowed),
            geoip: GeoIp::new(settings.geoip.clone()),
        }
    }

    /// What everything that is known about a resource is gathered from.
    fn sources(&self) -> Sources {
        Sources { resolver: self.outbound.resolver().clone(), geoip: self.geoip.clone() }
    }
}

/// The routes, to be nested under the base of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(resource::look_up)).merge(geoip::routes()).merge(ipcalc::routes())
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
