//! Workers: who they are, whether they are here, and the queues they listen on.

mod answers;
pub mod api;
pub mod commands;
pub mod directory;
pub mod embedded;
pub mod enrol;
pub mod input;
pub mod link;
pub mod presence;
pub mod queues;

use netwark_store::notices::Channel;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::app::App;
use crate::error::Problem;

/// The routes, to be nested under the base of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(api::list_workers, enrol::create_worker))
        .routes(routes!(enrol::create_pairing))
        .routes(routes!(enrol::pair))
        .routes(routes!(api::get_worker, api::change_worker, api::delete_worker))
        .routes(routes!(enrol::rotate_token))
        .routes(routes!(api::drain_worker))
        .routes(routes!(api::revoke_worker))
        .routes(routes!(enrol::set_key))
        .routes(routes!(queues::list_queues, queues::create_queue))
        .routes(routes!(queues::change_queue, queues::delete_queue))
}

/// Forgets what this server knows of a worker, because it changed, and tells every server. A link that is
/// no longer right is cut by whoever holds it.
pub async fn changed(app: &App, id: Uuid) {
    app.directory.forget(id).await;
    if let Err(error) = app.store.notify(Channel::Workers, &id.to_string()).await {
        tracing::warn!(worker = %id, %error, "other servers could not be told; they find out within seconds");
    }
}

fn unknown() -> Problem {
    Problem::not_found("there is no worker of this id")
}
