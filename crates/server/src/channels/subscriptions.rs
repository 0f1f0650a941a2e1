//! `/subscriptions`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::{SignedDuration, Timestamp};
use netwark_model::events::Event;
use netwark_model::subscriptions::{Preview, Subscription, preview};
use netwark_store::events::EventFilter;
use serde::Serialize;
use utoipa::ToSchema;

use super::answers::{
    Invalid, MayManageSubscriptions, MayReadSubscriptions, NoSubscription, SubscriptionTaken, no_subscription,
};
use super::subscription_input::SubscriptionFields;
use crate::app::App;
use crate::auth::Principal;
use crate::error::Problem;
use crate::extract::{Body, Id};

/// How far a preview looks back: a week.
const LOOKS_BACK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Most events a preview looks at.
const LOOKED_AT: usize = 20_000;
/// Events that are read at once.
const AT_ONCE: u64 = 1_000;

/// What a subscription would have brought of late.
#[derive(Serialize, ToSchema)]
pub(crate) struct SubscriptionPreview {
    /// From when on events were looked at: a week ago, or later when there were more than 20,000 since.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// What it would have brought to each of its channels.
    #[serde(flatten)]
    brought: Preview,
}

/// List subscriptions by name.
#[utoipa::path(
    get, path = "/subscriptions", operation_id = "list_subscriptions", tag = "Notices",
    responses((status = 200, description = "All subscriptions", body = Vec<Subscription>), MayReadSubscriptions),
)]
pub(crate) async fn list_subscriptions(State(app): State<App>) -> Result<Json<Vec<Subscription>>, Problem> {
    Ok(Json(app.store.subscriptions().await?))
}

/// Make a subscription.
///
/// It hears of what happens from now on.
#[utoipa::path(
    post, path = "/subscriptions", operation_id = "create_subscription", tag = "Notices",
    request_body(content = SubscriptionFields, example = json!({
        "name": "Newcomers", "channels": ["01933f6e-1234-7abc-8def-0123456789ab"], "kinds": ["device_new"],
        "quiet_hours": {"from": "22:00", "to": "07:00"},
    })),
    responses((status = 201, body = Subscription), Invalid, MayManageSubscriptions, SubscriptionTaken),
)]
pub(crate) async fn create_subscription(
    State(app): State<App>,
    principal: Principal,
    Body(fields): Body<SubscriptionFields>,
) -> Result<impl IntoResponse, Problem> {
    let draft = fields.create().map_err(Problem::fields)?;
    let name = draft.name.clone();
    let id = app.store.add_subscription(draft, &principal.label(), Timestamp::now()).await?;
    tracing::info!(by = principal.label(), subscription = name, "a subscription was made");
    let subscription = app.store.subscription(id).await?.ok_or_else(no_subscription)?;
    Ok((StatusCode::CREATED, Json(subscription)))
}

/// Show a subscription.
#[utoipa::path(
    get, path = "/subscriptions/{id}", operation_id = "get_subscription", tag = "Notices",
    params(("id" = Uuid, Path, description = "Id of the subscription")),
    responses((status = 200, body = Subscription), MayReadSubscriptions, NoSubscription),
)]
pub(crate) async fn get_subscription(
    State(app): State<App>,
    Id(id): Id,
) -> Result<Json<Subscription>, Problem> {
    app.store.subscription(id).await?.map(Json).ok_or_else(no_subscription)
}

/// Change a subscription.
///
/// What is left out stays. When notices that gather leave is decided anew.
#[utoipa::path(
    patch, path = "/subscriptions/{id}", operation_id = "change_subscription", tag = "Notices",
    params(("id" = Uuid, Path, description = "Id of the subscription")),
    request_body(content = SubscriptionFields, example = json!({"enabled": false})),
    responses((status = 200, body = Subscription), Invalid, MayManageSubscriptions, NoSubscription, SubscriptionTaken),
)]
pub(crate) async fn change_subscription(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    Body(fields): Body<SubscriptionFields>,
) -> Result<Json<Subscription>, Problem> {
    let before = app.store.subscription(id).await?.ok_or_else(no_subscription)?;
    let draft = fields.change(before.clone()).map_err(Problem::fields)?;
    let name = draft.name.clone();
    if !app.store.change_subscription(before, draft, Timestamp::now()).await? {
        return Err(no_subscription());
    }
    tracing::info!(by = principal.label(), subscription = name, "a subscription was changed");
    get_subscription(State(app), Id(id)).await
}

/// Delete a subscription.
///
/// What it has gathered is sent at once.
#[utoipa::path(
    delete, path = "/subscriptions/{id}", operation_id = "delete_subscription", tag = "Notices",
    params(("id" = Uuid, Path, description = "Id of the subscription")),
    responses((status = 204, description = "Deleted"), MayManageSubscriptions, NoSubscription),
)]
pub(crate) async fn delete_subscription(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let name = app.store.remove_subscription(id, Timestamp::now()).await?.ok_or_else(no_subscription)?;
    tracing::info!(by = principal.label(), subscription = name, "a subscription was deleted");
    Ok(StatusCode::NO_CONTENT)
}

/// Say what a subscription would have brought in the last week.
///
/// Name and channels may be left out. Nothing is stored or sent.
#[utoipa::path(
    post, path = "/subscriptions/preview", operation_id = "preview_subscription", tag = "Notices",
    request_body(content = SubscriptionFields, example = json!({"severities": ["alert"], "group_for_ms": 300000})),
    responses((status = 200, body = SubscriptionPreview), Invalid, MayManageSubscriptions),
)]
pub(crate) async fn preview_subscription(
    State(app): State<App>,
    Body(fields): Body<SubscriptionFields>,
) -> Result<Json<SubscriptionPreview>, Problem> {
    let rules = fields.rules().map_err(Problem::fields)?;
    let (since, events) = of_late(&app, Timestamp::now()).await?;
    let zone = app.channels.zone.clone();
    let brought = tokio::task::spawn_blocking(move || preview(&rules, &events, &zone)).await;
    let brought = brought.map_err(|error| Problem::internal(&error))?;
    Ok(Json(SubscriptionPreview { since, brought }))
}

/// What happened in the last week in the order in which it was stored, and since when all of it is there.
async fn of_late(app: &App, now: Timestamp) -> Result<(Timestamp, Vec<Event>), Problem> {
    let since = now.checked_sub(LOOKS_BACK).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut filter = EventFilter { limit: AT_ONCE, ..EventFilter::default() };
    let mut found: Vec<Event> = Vec::new();
    let mut reached = false;
    while !reached && found.len() < LOOKED_AT {
        let page = app.store.events(&filter).await?;
        reached = page.len() < usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
        for event in page {
            filter.before = Some(event.id);
            if event.at < since {
                reached = true;
                break;
            }
            found.push(event);
        }
    }
    // Notices follow what is stored, which for what was told late is after what happened next.
    found.sort_unstable_by_key(|event| event.id);
    let first = found.iter().map(|event| event.at).min();
    Ok((if reached { since } else { first.unwrap_or(since) }, found))
}
