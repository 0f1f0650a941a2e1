//! `/operations`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::IntoResponse;
use jiff::Timestamp;
use netwark_model::error::FieldError;
use netwark_model::operations::{NewOperation, Operation, OperationCreated, OperationDetail, Status};
use netwark_store::operations::OperationFilter;

use super::publish::publish;
use super::{create, places};
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Problem, ProblemBody};
use crate::extract::{Body, Id, Params, known};

/// Longest idempotency key in bytes.
const LONGEST_KEY: usize = 200;

/// Run a tool.
///
/// Makes an operation and hands it to the workers of its queues. Repeat a request whose answer was
/// lost with the same `Idempotency-Key`: it is run once.
#[utoipa::path(
    post, path = "/operations", operation_id = "create_operation", tag = "Operations",
    params(("Idempotency-Key" = Option<String>, Header, description = "At most 200 bytes; the same key with the same body is run once")),
    request_body(content = NewOperation, examples(
        ("ping" = (summary = "Ping from every worker", value = json!({"type": "ping", "target": "192.0.2.1", "options": {"count": 3}}))),
        ("selected" = (summary = "Trace from three workers of a site", value = json!({"type": "mtr", "target": "example.org", "from": "site:paris and not tag:lab limit 3"}))),
        ("older" = (summary = "The older form", value = json!({"type": "mtr", "target": "example.org", "options": "-c 5 -T -P 443", "queues": ["netwark"]}))),
    )),
    responses(
        (status = 201, description = "Made; `Location` leads to it", body = OperationCreated, headers(("Location" = String, description = "Path of the operation"))),
        (status = 202, description = "Stored; the broker does not answer, and the work is sent once it does, within `take_within_ms`", body = OperationCreated, headers(("Location" = String, description = "Path of the operation"))),
        (status = 400, description = "A field is wrong", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "No worker takes the work now", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The key was used for another request", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer; or a request that was stored before still waits for the broker", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub async fn create_operation(
    State(app): State<App>,
    principal: Principal,
    headers: HeaderMap,
    Body(request): Body<NewOperation>,
) -> Result<impl IntoResponse, Problem> {
    let key = idempotency_key(&headers)?;
    let made = create::create(&app, request, &principal.label(), key.as_deref()).await?;
    let location = format!("/api/v1/operations/{}", made.operation_id);
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&location) {
        headers.insert(header::LOCATION, value);
    }
    let warnings = create::warnings(&app, &made).await;
    let (status, message) = match made.published {
        true => (StatusCode::CREATED, "Operation created"),
        false => (StatusCode::ACCEPTED, "Operation accepted; it is sent to workers once the broker answers"),
    };
    Ok((
        status,
        headers,
        Json(OperationCreated { message: message.into(), operation_id: made.operation_id, warnings }),
    ))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let wrong = |text: &str| Problem::field(FieldError::header("Idempotency-Key", text));
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().map_err(|_| wrong("must be printable ASCII"))?.trim();
    match key.len() {
        0 => Err(wrong("must not be empty")),
        length if length > LONGEST_KEY => Err(wrong("must have at most 200 bytes")),
        _ => Ok(Some(key.to_owned())),
    }
}

/// List operations, newest first.
#[utoipa::path(
    get, path = "/operations", operation_id = "list_operations", tag = "Operations",
    params(
        ("status" = Option<Status>, Query, description = "Only of this status"),
        ("type" = Option<String>, Query, description = "Only of this tool"),
        ("target" = Option<String>, Query, description = "Only with this text in the target, letter case aside"),
        ("created_after" = Option<String>, Query, description = "Only made at or after this time, RFC 3339"),
        ("created_before" = Option<String>, Query, description = "Only made before this time, RFC 3339"),
        ("page" = Option<u64>, Query, description = "From 1"),
        ("per_page" = Option<u64>, Query, description = "1 to 1000, default 50"),
    ),
    responses(
        (status = 200, description = "A page of operations", body = Vec<Operation>, headers(
            ("X-Total-Count" = u64, description = "How many fit, exact to 10,000"),
            ("Link" = String, description = "The pages around this one, RFC 8288"),
        )),
        (status = 400, description = "A parameter is wrong", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub async fn list_operations(
    State(app): State<App>,
    uri: Uri,
    mut params: Params,
) -> Result<impl IntoResponse, Problem> {
    let page = params.page();
    let words = Status::ALL.map(Status::as_str).join(", ");
    let status = params.read("status", |text| known(Status::from_word(text), text, &words));
    let tool = params.read("type", |text| match app.tools.get(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err(format!("must be one of {}, got '{text}'", app.tools.names())),
    });
    let target = params.read("target", |text| match text.chars().count() {
        n if n > 255 => Err(format!("must have at most 255 characters, got {n}")),
        _ => Ok(text.to_owned()),
    });
    let filter = OperationFilter {
        status,
        tool,
        target,
        created_after: params.time("created_after"),
        created_before: params.time("created_before"),
        offset: page.offset(),
        limit: page.per_page,
    };
    params.finish()?;
    let (operations, total) = app.store.operations(&filter).await?;
    Ok((page.headers(uri.path(), uri.query().unwrap_or_default(), total), Json(operations)))
}

/// Show an operation with its results.
#[utoipa::path(
    get, path = "/operations/{id}", operation_id = "get_operation", tag = "Operations",
    params(("id" = uuid::Uuid, Path, description = "Its id")),
    responses(
        (status = 200, description = "The operation", body = OperationDetail),
        (status = 400, description = "The id is no UUID", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such operation", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub async fn get_operation(State(app): State<App>, Id(id): Id) -> Result<Json<OperationDetail>, Problem> {
    let mut detail = app.store.operation_since(id, 0).await?.ok_or_else(|| unknown(id))?;
    places::complete_detail(&app, &mut detail).await;
    Ok(Json(detail))
}

/// Cancel what of an operation has not ended.
///
/// What had been measured is kept. An operation that has ended already stays as it is.
#[utoipa::path(
    post, path = "/operations/{id}/cancel", operation_id = "cancel_operation", tag = "Operations",
    params(("id" = uuid::Uuid, Path, description = "Its id")),
    responses(
        (status = 200, description = "The operation as it is now", body = OperationDetail),
        (status = 400, description = "The id is no UUID", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such operation", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub async fn cancel_operation(State(app): State<App>, Id(id): Id) -> Result<Json<OperationDetail>, Problem> {
    let (change, messages) =
        app.store.cancel_operation(id, Timestamp::now()).await?.ok_or_else(|| unknown(id))?;
    publish(&app, messages).await;
    if let Some(change) = change {
        app.live.changed(change);
    }
    get_operation(State(app), Id(id)).await
}

pub(super) fn unknown(id: uuid::Uuid) -> Problem {
    Problem::not_found(format!("there is no operation {id}; it may have been deleted with old history"))
}
