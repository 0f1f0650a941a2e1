//! `/whois`: who holds a domain, an address or an AS number.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use netwark_lookup::whois::{Question, WhoisAnswer};
use netwark_model::error::FieldError;
use utoipa::IntoResponses;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answers::{Responses, denied, invalid};
use crate::app::App;
use crate::error::Problem;
use crate::extract::Params;

/// What may go wrong.
struct Refused;

impl IntoResponses for Refused {
    fn responses() -> Responses {
        let mut responses = denied("lookups:ask");
        let wrong = invalid("q: must be a domain, an address, a prefix or an AS number such as AS64500");
        responses.extend(wrong.into_iter().filter(|(status, _)| status == "400"));
        responses
    }
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(ask_registries)).routes(routes!(ask_registries_by_path))
}

/// Ask the registries who holds a domain, an address, a prefix or an AS number.
///
/// RDAP is asked first where the registry has it, otherwise WHOIS on port 43; referrals are followed. What a registry
/// refuses or does not know is part of the answer, with all that was said in `steps`. Answers are kept for an hour,
/// and each registry is asked at most once a second in the long run.
#[utoipa::path(
    get, path = "/whois", operation_id = "ask_registries", tag = "Look-ups",
    params(
        ("q" = String, Query, description = "What is asked about: a domain (international ones too), an address, a prefix, or an AS number", example = "example.com"),
        ("fresh" = Option<bool>, Query, description = "Ask again, although an answer is kept"),
    ),
    responses((status = 200, description = "What the registries say", body = WhoisAnswer), Refused),
)]
async fn ask_registries(State(app): State<App>, mut params: Params) -> Result<Json<WhoisAnswer>, Problem> {
    let text = params.take("q").unwrap_or_default();
    let question = params.check("q", Question::parse(&text).map_err(|error| error.to_string()));
    let fresh = fresh(&mut params);
    params.finish()?;
    answer(&app, question, fresh).await
}

/// Ask the registries, with what is asked about in the path.
#[utoipa::path(
    get, path = "/whois/{resource}", operation_id = "ask_registries_by_path", tag = "Look-ups",
    params(
        ("resource" = String, Path, description = "What is asked about; the slash of a prefix is written %2F", example = "example.com"),
        ("fresh" = Option<bool>, Query, description = "Ask again, although an answer is kept"),
    ),
    responses((status = 200, description = "What the registries say", body = WhoisAnswer), Refused),
)]
async fn ask_registries_by_path(
    State(app): State<App>,
    resource: Result<Path<String>, PathRejection>,
    mut params: Params,
) -> Result<Json<WhoisAnswer>, Problem> {
    let wrong = |text: String| Problem::field(FieldError::path("resource", text));
    let Path(text) = resource.map_err(|error| wrong(error.body_text()))?;
    let fresh = fresh(&mut params);
    params.finish()?;
    let question = Question::parse(&text).map_err(|error| wrong(error.to_string()))?;
    answer(&app, Some(question), fresh).await
}

fn fresh(params: &mut Params) -> bool {
    let read = |text: &str| match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    };
    params.read("fresh", read).unwrap_or_default()
}

async fn answer(app: &App, question: Option<Question>, fresh: bool) -> Result<Json<WhoisAnswer>, Problem> {
    let Some(question) = question else {
        return Err(Problem::internal(&"a question was accepted that is none"));
    };
    let answer = app.lookups.whois.look_up(&question, fresh).await;
    Ok(Json(WhoisAnswer::clone(&answer)))
}
