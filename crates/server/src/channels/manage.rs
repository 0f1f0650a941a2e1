//! `/channels`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::Timestamp;
use netwark_model::channels::Secret;
use uuid::Uuid;

use super::answers::{
    Channel, ChannelTaken, Invalid, MayManageChannels, MayReadChannels, NoChannel, no_channel, shown,
};
use super::input::ChannelFields;
use crate::app::App;
use crate::auth::Principal;
use crate::error::Problem;
use crate::extract::{Body, Id};

/// List channels by name.
#[utoipa::path(
    get, path = "/channels", operation_id = "list_channels", tag = "Notices",
    responses((status = 200, description = "All channels", body = Vec<Channel>), MayReadChannels),
)]
pub(crate) async fn list_channels(
    State(app): State<App>,
    principal: Principal,
) -> Result<Json<Vec<Channel>>, Problem> {
    let channels = app.store.channels().await?;
    Ok(Json(channels.into_iter().map(|channel| shown(&app, &principal, channel)).collect()))
}

/// Make a channel.
///
/// What `config` holds depends on its `kind`, and so does which `secrets` it takes: `password` of mail with a user name;
/// `url`, `signing_key` and `authorization` of webhooks; `url` of Slack, Teams and Discord; `token` of Telegram, Matrix,
/// ntfy and Gotify; `key` of PagerDuty.
#[utoipa::path(
    post, path = "/channels", operation_id = "create_channel", tag = "Notices",
    request_body(content = ChannelFields, example = json!({
        "name": "On-call mail",
        "config": {
            "kind": "mail", "server": "mail.example.org", "username": "netwark",
            "from": "netwark@example.org", "to": ["noc@example.org"],
        },
        "secrets": {"password": "correct horse"},
    })),
    responses((status = 201, body = Channel), Invalid, MayManageChannels, ChannelTaken),
)]
pub(crate) async fn create_channel(
    State(app): State<App>,
    principal: Principal,
    Body(fields): Body<ChannelFields>,
) -> Result<impl IntoResponse, Problem> {
    let id = Uuid::now_v7();
    let (draft, made) = fields.create(app.settings.secret_key.as_ref(), id)?;
    let (name, kind) = (draft.name.clone(), draft.config.kind().as_str());
    app.store.add_channel(id, draft, &principal.label(), Timestamp::now()).await?;
    tracing::info!(by = principal.label(), channel = name, kind, "a channel was made");
    let channel = app.store.channel(id).await?.ok_or_else(no_channel)?;
    Ok((StatusCode::CREATED, Json(with_key(shown(&app, &principal, channel), made))))
}

/// Show a channel.
#[utoipa::path(
    get, path = "/channels/{id}", operation_id = "get_channel", tag = "Notices",
    params(("id" = Uuid, Path, description = "Id of the channel")),
    responses((status = 200, body = Channel), MayReadChannels, NoChannel),
)]
pub(crate) async fn get_channel(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
) -> Result<Json<Channel>, Problem> {
    let channel = app.store.channel(id).await?.ok_or_else(no_channel)?;
    Ok(Json(shown(&app, &principal, channel)))
}

/// Change a channel.
///
/// What is left out stays; `config` is replaced as a whole. Notices that wait for their next try are tried at once.
#[utoipa::path(
    patch, path = "/channels/{id}", operation_id = "change_channel", tag = "Notices",
    params(("id" = Uuid, Path, description = "Id of the channel")),
    request_body(content = ChannelFields, example = json!({"secrets": {"password": "battery staple"}})),
    responses((status = 200, body = Channel), Invalid, MayManageChannels, NoChannel, ChannelTaken),
)]
pub(crate) async fn change_channel(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    Body(fields): Body<ChannelFields>,
) -> Result<Json<Channel>, Problem> {
    let before = app.store.channel(id).await?.ok_or_else(no_channel)?;
    let (draft, made) = fields.change(app.settings.secret_key.as_ref(), &before)?;
    let name = draft.name.clone();
    if !app.store.change_channel(before, draft, Timestamp::now()).await? {
        return Err(no_channel());
    }
    tracing::info!(by = principal.label(), channel = name, "a channel was changed");
    let channel = app.store.channel(id).await?.ok_or_else(no_channel)?;
    Ok(Json(with_key(shown(&app, &principal, channel), made)))
}

/// The answer to who has to be told the key that was made.
fn with_key(mut channel: Channel, made: Option<Secret>) -> Channel {
    channel.signing_key = made.map(|key| key.reveal().to_owned());
    channel
}

/// Delete a channel.
///
/// What waits for it is not sent any more, and its deliveries go, too. Subscriptions stay, without it.
#[utoipa::path(
    delete, path = "/channels/{id}", operation_id = "delete_channel", tag = "Notices",
    params(("id" = Uuid, Path, description = "Id of the channel")),
    responses((status = 204, description = "Deleted"), MayManageChannels, NoChannel),
)]
pub(crate) async fn delete_channel(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let name = app.store.remove_channel(id).await?.ok_or_else(no_channel)?;
    tracing::info!(by = principal.label(), channel = name, "a channel was deleted");
    Ok(StatusCode::NO_CONTENT)
}
