//! Saying that events were seen to.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use netwark_model::error::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::auth::Principal;
use crate::error::{Problem, ProblemBody};
use crate::events::stream::OLDER;
use crate::extract::Body;
use crate::watch::tell_of_events;

/// Most events of one request.
const MOST: usize = 1_000;

/// Events that were seen to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acknowledge {
    /// Their ids, at most 1,000.
    #[schema(min_items = 1, max_items = 1000)]
    ids: Vec<Uuid>,
    /// False to take it back.
    #[serde(default = "yes")]
    #[schema(default = true)]
    acknowledged: bool,
}

fn yes() -> bool {
    true
}

/// What became of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Acknowledged {
    /// How many events that changed.
    changed: u64,
}

/// Say that events were seen to, or take that back.
#[utoipa::path(
    post, path = "/events/acknowledge", operation_id = "acknowledge_events", tag = "Events",
    request_body(content = Acknowledge, example = json!({"ids": ["01933f6e-1234-7abc-8def-0123456789ab"]})),
    responses(
        (status = 200, body = Acknowledged),
        (status = 400, description = "A field is wrong", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn acknowledge_events(
    State(app): State<App>,
    principal: Principal,
    Body(Acknowledge { ids, acknowledged }): Body<Acknowledge>,
) -> Result<Json<Acknowledged>, Problem> {
    if ids.is_empty() || ids.len() > MOST {
        return Err(FieldError::body(
            "ids",
            format!("must have from 1 to {MOST} entries, got {}", ids.len()),
        )
        .into());
    }
    let by = acknowledged.then(|| principal.label());
    let changed = app.store.acknowledge_events(ids, by, Timestamp::now()).await?;
    if changed > 0 {
        tell_of_events(&app, OLDER).await;
    }
    Ok(Json(Acknowledged { changed }))
}
