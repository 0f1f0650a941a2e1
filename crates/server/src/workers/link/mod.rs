//! The server's end of a worker's link.
//!
//! [`session`] passes messages for one link, [`registry`] knows all of this server, and [`watch`] cuts
//! those of workers that were revoked, wherever that was said.

pub mod registry;
mod session;
pub mod watch;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use netwark_bus::websocket::KEEPALIVE;
use netwark_bus::websocket::frames::LARGEST_FRAME;
use netwark_store::notices::Channel;

use crate::app::App;
use crate::auth::Principal;
use crate::error::{Problem, ProblemBody};

/// Bytes that are read at once. The library's own choice takes 128 KiB for every link.
const BUFFER: usize = 2 * 1024;

/// Open a worker's link.
///
/// A WebSocket over which a worker takes its work and sends its reports, each frame a JSON message. It is
/// for `netwark worker` and not for browsers, which are refused.
#[utoipa::path(
    get, path = "/workers/link", operation_id = "open_worker_link", tag = "Workers",
    responses(
        (status = 101, description = "The link is open"),
        (status = 400, description = "This is no request to open a WebSocket", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "The token is missing or unknown; then the header `netwark-unwelcome` is `refused`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The worker was revoked, and the header `netwark-unwelcome` is `revoked`; or a browser asks", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub async fn open_worker_link(
    State(app): State<App>,
    principal: Principal,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    if headers.contains_key(header::ORIGIN) || headers.contains_key(header::COOKIE) {
        return Err(Problem::forbidden("this is for workers, not for browsers"));
    }
    let (Principal::Worker { id, name }, Some(token_hash)) = (principal, crate::auth::bearer_hash(&headers))
    else {
        return Err(Problem::unauthorized("send the token of a worker; this is for workers"));
    };
    let upgrade = upgrade.map_err(|rejection| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "no-websocket",
            "This is no request to open a WebSocket",
            format!("{rejection}; a proxy in between has to pass on the headers Upgrade and Connection"),
        )
    })?;
    let upgrade = upgrade
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_message_size(LARGEST_FRAME)
        .max_frame_size(LARGEST_FRAME);
    let keepalive = [(KEEPALIVE, app.settings.link_keepalive.seconds().to_string())];
    let opened = upgrade.on_upgrade(async move |socket| {
        let (place, cut) = app.links.enter(id, token_hash);
        let other_servers = format!("{id}@{}", place.link);
        if let Err(error) = app.store.notify(Channel::Workers, &other_servers).await {
            tracing::debug!(%error, "other servers were not told of a link");
        }
        tracing::debug!(worker = %name, "a worker is linked");
        session::run(&app, id, socket, cut).await;
        tracing::debug!(worker = %name, "a worker's link has ended");
        drop(place);
    });
    Ok((keepalive, opened).into_response())
}
