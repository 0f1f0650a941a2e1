//! Who would run an operation.

use axum::Json;
use axum::extract::State;
use netwark_model::error::FieldError;
use netwark_model::operations::Selection;
use netwark_model::selector::Selector;

use crate::app::App;
use crate::auth::Principal;
use crate::error::{Problem, ProblemBody};
use crate::extract::Params;

/// Show who would run an operation.
///
/// Reads a selector as `from` of a new operation is read, and runs nothing. With a limit, `workers` are all those it
/// would be drawn from.
#[utoipa::path(
    get, path = "/workers/select", operation_id = "select_workers", tag = "Workers",
    params(("from" = String, Query, description = "A selector, at most 2,000 bytes", example = "site:paris and not tag:lab limit 3")),
    responses(
        (status = 200, description = "Who would run it now", body = Selection),
        (status = 400, description = "The selector has a mistake, or a word of it stands for nothing", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub async fn select_workers(
    State(app): State<App>,
    principal: Principal,
    mut params: Params,
) -> Result<Json<Selection>, Problem> {
    let from = params.take("from").unwrap_or_default();
    params.finish()?;
    let wrong = |error: &dyn std::fmt::Display| Problem::field(FieldError::query("from", error.to_string()));
    let selector = Selector::parse(&from).map_err(|error| wrong(&error))?;
    let selection = app.store.select_workers(selector, &principal.label()).await?;
    selection.map(Json).map_err(|error| wrong(&error))
}
