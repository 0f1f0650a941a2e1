//! `/updates`: how old the data of look-ups is, fetching it now, and keeping it new where a schedule is set.
//!
//! Each server has a data directory of its own, so each sees to its own data; on the timeline its name tells them
//! apart.

pub mod account;
mod api;
mod run;
mod runs;
mod status;

use std::path::Path;
use std::sync::Arc;

use netwark_lookup::update::{Schedule, Source};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub(crate) use self::run::run;
pub use self::runs::{RunState, Runs, UpdateRun};
pub use self::status::{SourceAccount, SourceStatus};

/// A source, and how often this server asks it.
#[derive(Clone, Debug)]
pub struct Scheduled {
    /// The source.
    pub source: Arc<dyn Source>,
    /// How often.
    pub schedule: Schedule,
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(api::list_updates))
        .routes(routes!(api::update_source))
        .routes(routes!(api::set_account, api::remove_account))
}

/// A number that keeps apart servers with the same schedule, and stays the same for each.
fn spread(data_dir: &Path, source: &str) -> u64 {
    let host = rustix::system::uname();
    let parts = [host.nodename().to_bytes(), data_dir.as_os_str().as_encoded_bytes(), source.as_bytes()];
    // FNV-1a: what matters is only that it differs.
    parts
        .concat()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
