//! Trying a channel out.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use netwark_model::events::Severity;
use netwark_model::subscriptions::{Delivery, DeliveryStatus, Gathered};
use netwark_store::channels::StoredChannel;
use uuid::Uuid;

use super::answers::{Busy, MayManageChannels, NoChannel, no_channel};
use super::{notice, secrets};
use crate::app::App;
use crate::auth::Principal;
use crate::error::Problem;
use crate::extract::Id;
use crate::watch::happened;

/// Seconds after which somebody who was refused may try again.
const LATER: u64 = 5;

/// Send a test over a channel.
///
/// It answers once the other side has taken it or has not: `status` is `delivered` or `dead`, and `answer` or `error`
/// says what was said. A test that fails is not tried again; one that is delivered lets those that wait be tried at once.
#[utoipa::path(
    post, path = "/channels/{id}/test", operation_id = "test_channel", tag = "Notices",
    params(("id" = Uuid, Path, description = "Id of the channel")),
    responses(
        (status = 200, description = "What became of it", body = Delivery), MayManageChannels, NoChannel, Busy,
    ),
)]
pub(crate) async fn test_channel(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
) -> Result<Json<Delivery>, Problem> {
    let channel = app.store.channel(id).await?.ok_or_else(no_channel)?;
    let Ok(_turn) = app.channels.trying.try_acquire() else {
        return Err(Problem::too_many("other channels are being tried out; try again in a moment", LATER));
    };
    let now = Timestamp::now();
    let mut delivery = Delivery {
        id: Uuid::now_v7(),
        channel_id: id,
        channel: channel.name.clone(),
        subscription_id: None,
        subscription: None,
        test: true,
        status: DeliveryStatus::Due,
        worst: Severity::Info,
        events: 0,
        summary: format!("A test by {}", principal.label()),
        opened_at: now,
        next_at: None,
        attempts: 1,
        began_at: Some(now),
        ended_at: None,
        error: None,
        answer: None,
    };
    match send(&app, &channel, &delivery).await {
        Ok(answer) => (delivery.status, delivery.answer) = (DeliveryStatus::Delivered, Some(answer)),
        Err(error) => (delivery.status, delivery.error) = (DeliveryStatus::Dead, Some(error)),
    }
    let ended = Timestamp::now();
    delivery.ended_at = Some(ended);
    tracing::info!(by = principal.label(), channel = channel.name, status = ?delivery.status, "a channel was tried out");
    let finished = app.store.note_test(delivery.clone(), ended).await?;
    if finished.told {
        happened(&app).await;
    }
    Ok(Json(delivery))
}

/// Tries once; what the other side said, or why it did not take it.
async fn send(app: &App, channel: &StoredChannel, delivery: &Delivery) -> Result<String, String> {
    let opened = secrets::open(app.settings.secret_key.as_ref(), channel.id, &channel.secrets);
    let secrets = opened.map_err(|error| error.to_string())?;
    let notice = notice(app, delivery, Gathered::default());
    let sent = app.channels.sender.deliver(&channel.config, &secrets, &notice).await;
    sent.map(|accepted| accepted.answer).map_err(|failure| failure.text)
}
