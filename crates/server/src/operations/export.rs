//! Results as files: JSON, CSV, text.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use netwark_model::operations::{OperationDetail, OperationResult};
use serde_json::Value;

use super::api::unknown;
use super::csv::csv;
use super::places;
use crate::app::App;
use crate::error::{Problem, ProblemBody};
use crate::extract::Id;

/// Export results as JSON.
#[utoipa::path(
    get, path = "/operations/{id}/results.json", operation_id = "export_results_json", tag = "Operations",
    params(("id" = uuid::Uuid, Path, description = "Its id")),
    responses(
        (status = 200, description = "All results", body = Vec<OperationResult>),
        (status = 400, description = "The id is no UUID", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such operation", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub async fn export_results_json(State(app): State<App>, Id(id): Id) -> Result<Response, Problem> {
    let detail = detail(&app, id).await?;
    Ok(named(Json(&detail.results).into_response(), &detail, "json"))
}

/// Export results as CSV: a line per reply of a ping, per hop of a trace, per connection or request.
#[utoipa::path(
    get, path = "/operations/{id}/results.csv", operation_id = "export_results_csv", tag = "Operations",
    params(("id" = uuid::Uuid, Path, description = "Its id")),
    responses(
        (status = 200, description = "All results", content_type = "text/csv", body = String),
        (status = 400, description = "The id is no UUID", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such operation", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub async fn export_results_csv(State(app): State<App>, Id(id): Id) -> Result<Response, Problem> {
    let detail = detail(&app, id).await?;
    let response = ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv(&detail)).into_response();
    Ok(named(response, &detail, "csv"))
}

/// Export results as text, the way the shell prints them.
#[utoipa::path(
    get, path = "/operations/{id}/results.txt", operation_id = "export_results_txt", tag = "Operations",
    params(("id" = uuid::Uuid, Path, description = "Its id")),
    responses(
        (status = 200, description = "All results", content_type = "text/plain", body = String),
        (status = 400, description = "The id is no UUID", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such operation", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub async fn export_results_txt(State(app): State<App>, Id(id): Id) -> Result<Response, Problem> {
    let detail = detail(&app, id).await?;
    let response = ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text(&detail)).into_response();
    Ok(named(response, &detail, "txt"))
}

async fn detail(app: &App, id: uuid::Uuid) -> Result<OperationDetail, Problem> {
    let mut detail = app.store.operation_since(id, 0).await?.ok_or_else(|| unknown(id))?;
    places::complete_detail(app, &mut detail).await;
    Ok(detail)
}

/// Gives a download a name that says what it is.
fn named(mut response: Response, detail: &OperationDetail, ending: &str) -> Response {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' };
    let target: String = detail.operation.target.chars().map(safe).take(80).collect();
    let name = format!("inline; filename=\"{}-{target}.{ending}\"", detail.operation.tool);
    if let Ok(value) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

fn text(detail: &OperationDetail) -> String {
    let mut text = String::new();
    for result in &detail.results {
        let worker = result.worker.as_deref().unwrap_or("no worker yet");
        // A selector that chose the worker has no queue.
        let queue = if result.queue.is_empty() { String::new() } else { format!(" ({})", result.queue) };
        let status = result.status.as_str();
        text.push_str(&format!("# {} from {worker}{queue}: {status}\n", detail.operation.tool));
        let payload = result.payload.as_ref().unwrap_or(&Value::Null);
        if let Some(cause) = payload.get("cause").and_then(Value::as_str) {
            text.push_str(cause);
            text.push('\n');
        } else if let Some(lines) = payload.get("raw").and_then(Value::as_array) {
            for line in lines.iter().filter_map(Value::as_str) {
                text.push_str(line);
                text.push('\n');
            }
        } else if !payload.is_null() {
            text.push_str(&serde_json::to_string_pretty(payload).unwrap_or_default());
            text.push('\n');
        }
        text.push('\n');
    }
    text
}
