//! Watched networks: which there are, the devices on them, the access list, and what is to be learned of it all.

mod access;
mod access_csv;
mod answers;
mod devices;
mod input;
mod networks;
mod offers;
mod plan;
mod presence;
mod statistics;

use netwark_model::mac::Mac;
use netwark_store::notices::Channel;
use netwark_store::watch::Vendors;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use self::input::text as line;
use crate::app::App;

/// The routes, to be nested under the base of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(networks::list_networks, networks::create_network))
        .routes(routes!(offers::list_offers))
        .routes(routes!(offers::dismiss_offer))
        .routes(routes!(networks::get_network, networks::change_network, networks::delete_network))
        .routes(routes!(networks::start_network))
        .routes(routes!(networks::stop_network))
        .routes(routes!(networks::list_sweeps, networks::sweep_now))
        .routes(routes!(plan::list_addresses))
        .routes(routes!(devices::list_devices))
        .routes(routes!(devices::list_types))
        .routes(routes!(devices::get_device, devices::change_device, devices::delete_device))
        .routes(routes!(devices::device_history))
        .routes(routes!(devices::device_presence))
        .routes(routes!(devices::merge_devices))
        .routes(routes!(devices::split_device))
        .routes(routes!(devices::set_device_access))
        .routes(routes!(devices::dismiss_proposal))
        .routes(routes!(access::list_access, access::add_access))
        .routes(routes!(access::get_access, access::change_access, access::remove_access))
        .routes(routes!(access_csv::export_access))
        .merge(access_csv::import_route())
        .routes(routes!(statistics::event_statistics))
        .routes(routes!(statistics::device_statistics))
        .routes(routes!(presence::presence_statistics))
}

/// To whom hardware addresses are assigned, as far as this server knows.
pub fn vendors(app: &App) -> Vendors {
    let table = app.lookups.oui.get();
    Vendors::new(move |mac: Mac| table.find(mac).map(|entry| entry.name.to_owned()))
}

/// Tells every server that something happened.
pub async fn happened(app: &App) {
    tell_of_events(app, "new").await;
}

/// Tells every server of news of the timeline.
pub(crate) async fn tell_of_events(app: &App, item: &str) {
    if let Err(error) = app.store.notify(Channel::Events, item).await {
        tracing::debug!(%error, "who follows the timeline was not told; it looks by itself");
    }
}
