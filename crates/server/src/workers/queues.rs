//! Queues: which there are, and those that administrators make.

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use netwark_model::error::FieldError;
use netwark_model::messages::Order;
use netwark_model::queues::{Queue, QueueDefinition, full_name, new_name};
use netwark_model::workers::Worker;
use netwark_store::StoreError;
use netwark_store::queue_changes::QueueChange;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::{Denied, Invalid, NoQueue, NotThisQueue, QueueTaken};
use super::presence;
use crate::app::App;
use crate::auth::Principal;
use crate::error::Problem;
use crate::extract::Body;

/// Most characters of a label and a location.
const LONGEST_TEXT: usize = 100;

/// A queue to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewQueue {
    /// Its name: letters, digits and `- _ . :`; the prefix `netwark.` is added when left out.
    #[schema(example = "netwark.paris", max_length = 208)]
    queue: String,
    /// Its label for people; the name when left out.
    #[schema(example = "Paris", max_length = 100)]
    name: Option<String>,
    /// Where it leads, for people.
    #[serde(default)]
    #[schema(example = "Paris, TH2", max_length = 100)]
    location: String,
    /// True when every member gets a copy, false when any one of them takes the work.
    #[serde(default)]
    broadcast: bool,
}

/// What is to change about a queue; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueueChanges {
    /// Its label for people.
    #[schema(example = "Paris", min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Where it leads, for people.
    #[schema(example = "Paris, TH2", max_length = 100)]
    location: Option<String>,
    /// True when every member gets a copy, false when any one of them takes the work.
    broadcast: Option<bool>,
}

/// A queue that was deleted.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedQueue {
    /// The name it had.
    #[schema(example = "netwark.paris")]
    queue: String,
    /// How many workers listened on it and no longer do.
    workers: usize,
}

/// The name of a queue in a path, by its full name.
pub(crate) struct QueueName(String);

impl<S: Send + Sync> FromRequestParts<S> for QueueName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let wrong = |told: String| Problem::field(FieldError::path("name", told));
        let name = Path::<String>::from_request_parts(parts, state).await;
        let Path(name) = name.map_err(|_| wrong("must be the name of a queue".into()))?;
        full_name(&name).map(Self).map_err(wrong)
    }
}

/// List queues, built-in ones first.
#[utoipa::path(
    get, path = "/management/backend/queues", operation_id = "list_queues", tag = "Workers",
    responses((status = 200, description = "All queues", body = Vec<Queue>), Denied),
)]
pub(crate) async fn list_queues(State(app): State<App>) -> Result<Json<Vec<Queue>>, Problem> {
    Ok(Json(app.store.queues().await?))
}

/// Make a queue.
///
/// Workers listen on it once their configuration names it, or an administrator gives it to them.
#[utoipa::path(
    post, path = "/management/backend/queues", operation_id = "create_queue", tag = "Workers",
    request_body(content = NewQueue, example = json!({"queue": "paris", "name": "Paris", "broadcast": true})),
    responses((status = 201, body = Queue), Invalid, Denied, QueueTaken),
)]
pub(crate) async fn create_queue(
    State(app): State<App>,
    principal: Principal,
    Body(new): Body<NewQueue>,
) -> Result<impl IntoResponse, Problem> {
    let mut errors = Vec::new();
    let name = read("queue", new_name(&new.queue), &mut errors);
    // A label that is empty is none.
    let label = new.name.filter(|label| !label.trim().is_empty());
    let label = label.and_then(|label| read("name", text(&label), &mut errors));
    let location = read("location", text(&new.location), &mut errors);
    let (Some(name), Some(location), []) = (name, location, errors.as_slice()) else {
        return Err(Problem::fields(errors));
    };
    let definition = QueueDefinition { name: name.clone(), label, location, broadcast: new.broadcast };
    let added = app.store.add_queue(definition).await.map_err(|error| match error {
        StoreError::Conflict(detail) => {
            Problem::conflict(detail.clone()).with_errors(vec![FieldError::body("queue", detail)])
        }
        other => other.into(),
    })?;
    let queue = added.ok_or_else(unknown)?;
    tracing::info!(by = principal.label(), queue = name, "a queue was made");
    if !queue.broadcast {
        declare(&app, name.clone()).await;
    }
    let workers = app.store.workers().await?;
    let asks = |worker: &&Worker| worker.unknown_queues.iter().any(|asked| asked.eq_ignore_ascii_case(&name));
    introduce(&app, workers.iter().filter(asks).map(|worker| worker.id).collect()).await;
    Ok((StatusCode::CREATED, Json(queue)))
}

/// Change a queue.
///
/// Its kind can be changed while no operation waits in it. Queues that always exist, and those that the
/// configuration declares, cannot be changed here.
#[utoipa::path(
    patch, path = "/management/backend/queues/{name}", operation_id = "change_queue", tag = "Workers",
    params(("name" = String, Path, description = "Name of the queue; the prefix may be left out", example = "netwark.paris")),
    request_body(content = QueueChanges, example = json!({"name": "Paris"})),
    responses((status = 200, body = Queue), Invalid, Denied, NoQueue, NotThisQueue),
)]
pub(crate) async fn change_queue(
    State(app): State<App>,
    principal: Principal,
    QueueName(name): QueueName,
    Body(changes): Body<QueueChanges>,
) -> Result<Json<Queue>, Problem> {
    let mut errors = Vec::new();
    let label = changes.name.and_then(|label| {
        let label = match label.trim() {
            "" => Err("must not be empty".to_owned()),
            label => text(label),
        };
        read("name", label, &mut errors)
    });
    let location = changes.location.and_then(|place| read("location", text(&place), &mut errors));
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    let before = app.store.queue(&name).await?.ok_or_else(unknown)?;
    let name = before.queue;
    let change = QueueChange { label, location, broadcast: changes.broadcast };
    let queue = app.store.change_queue(&name, change).await?.ok_or_else(unknown)?;
    tracing::info!(by = principal.label(), queue = name, "a queue was changed");
    if before.broadcast != queue.broadcast {
        match queue.broadcast {
            true => remove(&app, name.clone()).await,
            false => declare(&app, name.clone()).await,
        }
        let workers = app.store.workers().await?;
        introduce(&app, workers.iter().filter(|w| w.queues.contains(&name)).map(|w| w.id).collect()).await;
    }
    Ok(Json(queue))
}

/// Delete a queue.
///
/// Its members no longer listen on it; the answer says how many there were. While operations wait in it,
/// it stays. Queues that always exist, and those that the configuration declares, cannot be deleted here.
#[utoipa::path(
    delete, path = "/management/backend/queues/{name}", operation_id = "delete_queue", tag = "Workers",
    params(("name" = String, Path, description = "Name of the queue; the prefix may be left out", example = "netwark.paris")),
    responses((status = 200, body = DeletedQueue), Invalid, Denied, NoQueue, NotThisQueue),
)]
pub(crate) async fn delete_queue(
    State(app): State<App>,
    principal: Principal,
    QueueName(name): QueueName,
) -> Result<Json<DeletedQueue>, Problem> {
    let removed = app.store.remove_queue(&name).await?.ok_or_else(unknown)?;
    let (name, workers) = (removed.name, removed.workers.len());
    tracing::info!(by = principal.label(), queue = name, workers, "a queue was deleted");
    introduce(&app, removed.workers).await;
    if !removed.broadcast {
        remove(&app, name.clone()).await;
    }
    Ok(Json(DeletedQueue { queue: name, workers }))
}

/// Lets workers say hello again, so that they learn what they may listen on.
async fn introduce(app: &App, workers: Vec<Uuid>) {
    for id in workers {
        super::changed(app, id).await;
        presence::tell(app, id, Order::Introduce, presence::ANSWER_WITHIN).await;
    }
}

/// Makes the address of a direct queue. When the broker is away, the first worker that says hello does it.
async fn declare(app: &App, queue: String) {
    if let Err(error) = app.bus.declare(vec![queue]).await {
        tracing::warn!(%error, "a queue could not be declared; it is when a worker comes");
    }
}

async fn remove(app: &App, queue: String) {
    if let Err(error) = app.bus.remove(vec![queue]).await {
        tracing::warn!(%error, "a queue could not be removed from the broker");
    }
}

fn read<T>(field: &str, value: Result<T, String>, errors: &mut Vec<FieldError>) -> Option<T> {
    value.map_err(|wrong| errors.push(FieldError::body(field, wrong))).ok()
}

fn text(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        n if n > LONGEST_TEXT => Err(format!("must be at most {LONGEST_TEXT} characters, got {n}")),
        _ if text.chars().any(char::is_control) => Err("must hold no control characters".into()),
        _ => Ok(text.to_owned()),
    }
}

fn unknown() -> Problem {
    Problem::not_found("there is no queue of this name")
}
