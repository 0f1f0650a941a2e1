//! Questions that the server answers: from tables of its own, or by asking others.

mod ipcalc;
mod resource;

use std::net::SocketAddr;
use std::path::PathBuf;

use netwark_lookup::dns::Resolver;
use netwark_lookup::outbound::Outbound;
use netwark_lookup::resource::Sources;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// Settings of look-ups.
#[derive(Clone, Debug, Default)]
pub struct LookupSettings {
    /// Where what updates bring is kept; without it only what is compiled in is known.
    pub data_dir: Option<PathBuf>,
    /// Places that may be asked although they are not public.
    pub allowed: Vec<SocketAddr>,
}

/// What look-ups share.
#[derive(Clone, Debug)]
pub struct Lookups {
    /// The way to others.
    pub outbound: Outbound,
}

impl Lookups {
    /// Ready to answer.
    pub fn new(settings: &LookupSettings) -> Self {
        Self { outbound: Outbound::new(Resolver::system()).with_allowed(&settings.allowed) }
    }

    /// What everything that is known about a resource is gathered from.
    fn sources(&self) -> Sources {
        Sources { resolver: self.outbound.resolver().clone() }
    }
}

/// The routes, to be nested under the base of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(resource::look_up)).merge(ipcalc::routes())
}
