//! `/deliveries`: what became of notices.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, Uri};
use axum::response::IntoResponse;
use jiff::Timestamp;
use netwark_model::subscriptions::{Delivery, DeliveryStatus};
use netwark_store::channels::{Again, DeliveryFilter};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::{Invalid, MayManageSubscriptions, NoChannel, NoDelivery, NotAgain, no_channel};
use crate::app::App;
use crate::auth::Principal;
use crate::error::Problem;
use crate::extract::{Id, Params, known, page_before};

/// List deliveries, newest first.
///
/// The next page is the same request with `before` set to the id of the last delivery of this one.
#[utoipa::path(
    get, path = "/deliveries", operation_id = "list_deliveries", tag = "Notices",
    params(
        ("channel" = Option<Uuid>, Query, description = "Only over the channel of this id"),
        ("subscription" = Option<Uuid>, Query, description = "Only of the subscription of this id"),
        ("status" = Option<DeliveryStatus>, Query, description = "Only with this status"),
        ("before" = Option<Uuid>, Query, description = "Only older than the delivery of this id"),
        ("per_page" = Option<u64>, Query, description = "1 to 1000, default 50"),
    ),
    responses(
        (status = 200, description = "A page of deliveries", body = Vec<Delivery>, headers(
            ("Link" = String, description = "The page behind this one, RFC 8288; absent on the last"),
        )),
        Invalid, MayManageSubscriptions,
    ),
)]
pub(crate) async fn list_deliveries(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    mut params: Params,
) -> Result<impl IntoResponse, Problem> {
    let channel = params.id("channel");
    page(&app, &uri, filter(channel, params)?).await
}

/// List deliveries over a channel, newest first.
#[utoipa::path(
    get, path = "/channels/{id}/deliveries", operation_id = "list_channel_deliveries", tag = "Notices",
    params(
        ("id" = Uuid, Path, description = "Id of the channel"),
        ("subscription" = Option<Uuid>, Query, description = "As of `GET /deliveries`"),
        ("status" = Option<DeliveryStatus>, Query, description = "As of `GET /deliveries`"),
        ("before" = Option<Uuid>, Query, description = "As of `GET /deliveries`"),
        ("per_page" = Option<u64>, Query, description = "1 to 1000, default 50"),
    ),
    responses(
        (status = 200, description = "A page of deliveries", body = Vec<Delivery>, headers(
            ("Link" = String, description = "The page behind this one, RFC 8288; absent on the last"),
        )),
        Invalid, MayManageSubscriptions, NoChannel,
    ),
)]
pub(crate) async fn list_channel_deliveries(
    State(app): State<App>,
    Id(id): Id,
    OriginalUri(uri): OriginalUri,
    params: Params,
) -> Result<impl IntoResponse, Problem> {
    let filter = filter(Some(id), params)?;
    app.store.channel(id).await?.ok_or_else(no_channel)?;
    page(&app, &uri, filter).await
}

/// What narrows the list, and one more than are asked for, which tells whether there is another page.
fn filter(channel: Option<Uuid>, mut params: Params) -> Result<DeliveryFilter, Problem> {
    let words = DeliveryStatus::ALL.map(DeliveryStatus::as_str).join(", ");
    let limit = params.per_page();
    let filter = DeliveryFilter {
        channel,
        subscription: params.id("subscription"),
        status: params.read("status", |word| known(DeliveryStatus::from_word(word), word, &words)),
        before: params.id("before"),
        limit: limit + 1,
    };
    params.finish()?;
    Ok(filter)
}

async fn page(
    app: &App,
    uri: &Uri,
    filter: DeliveryFilter,
) -> Result<(HeaderMap, Json<Vec<Delivery>>), Problem> {
    let found = app.store.deliveries(&filter).await?;
    Ok(page_before(found, filter.limit - 1, uri, |delivery| delivery.id.to_string()))
}

/// Try a delivery again now.
///
/// One that was given up is tried again under the same id, by which the other side knows it, for another week. One that
/// waits for its next try need not wait, and neither do others of its channel.
#[utoipa::path(
    post, path = "/deliveries/{id}/retry", operation_id = "retry_delivery", tag = "Notices",
    params(("id" = Uuid, Path, description = "Id of the delivery")),
    responses((status = 200, body = Delivery), MayManageSubscriptions, NoDelivery, NotAgain),
)]
pub(crate) async fn retry_delivery(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
) -> Result<Json<Delivery>, Problem> {
    match app.store.try_again(id, Timestamp::now()).await?.ok_or_else(unknown)? {
        Again::Tried => {}
        Again::Not(status) => {
            let text = format!("it is {}; only what is due or dead is tried again", status.as_str());
            return Err(Problem::conflict(text));
        }
        Again::Test => return Err(Problem::conflict("it was a test; send another one over the channel")),
    }
    tracing::info!(by = principal.label(), delivery = %id, "a delivery is tried again");
    app.store.delivery(id).await?.map(Json).ok_or_else(unknown)
}

/// How many notices are tried again.
#[derive(Serialize, ToSchema)]
pub(crate) struct TriedAgain {
    /// Their number.
    notices: u64,
}

/// Try again all that a channel has failed to deliver.
///
/// Notices that were given up, and those that wait for their next try, are tried now, the oldest first.
#[utoipa::path(
    post, path = "/channels/{id}/retry", operation_id = "retry_channel", tag = "Notices",
    params(("id" = Uuid, Path, description = "Id of the channel")),
    responses((status = 200, body = TriedAgain), MayManageSubscriptions, NoChannel),
)]
pub(crate) async fn retry_channel(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
) -> Result<Json<TriedAgain>, Problem> {
    let notices = app.store.try_all_again(id, Timestamp::now()).await?.ok_or_else(no_channel)?;
    tracing::info!(by = principal.label(), channel = %id, notices, "what a channel failed to deliver is tried again");
    Ok(Json(TriedAgain { notices }))
}

fn unknown() -> Problem {
    Problem::not_found("there is no delivery of this id")
}
