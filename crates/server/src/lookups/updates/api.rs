//! What can be asked and changed about the sources of look-ups.

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use jiff::Timestamp;
use netwark_lookup::update::Account;
use netwark_model::error::FieldError;
use serde::Deserialize;
use utoipa::{IntoResponses, ToSchema};

use super::{Scheduled, SourceStatus, account, status};
use crate::answers::{Responses, conflict, denied, invalid, not_found};
use crate::app::App;
use crate::auth::Principal;
use crate::error::Problem;
use crate::extract::Body;

/// Whoever may change sources.
const MANAGE: &str = "lookups:manage";

/// An account at a provider.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    /// Its number.
    #[schema(example = "123456", pattern = "^[0-9]{1,20}$")]
    number: String,
    /// Its licence key. It is kept sealed and never shown again.
    #[schema(example = "abcdef_0123456789", min_length = 1, max_length = 128)]
    key: String,
}

/// No such source.
struct NoSource;

impl IntoResponses for NoSource {
    fn responses() -> Responses {
        [not_found("There is no such source", "there is no source 'cats'; there are oui, geoip, rdap")].into()
    }
}

/// Who may not.
struct Denied;

impl IntoResponses for Denied {
    fn responses() -> Responses {
        denied(MANAGE)
    }
}

/// An update of the source waits or is under way.
struct UnderWay;

impl IntoResponses for UnderWay {
    fn responses() -> Responses {
        [conflict("It is being updated", "oui is being updated; GET /updates says how far it is")].into()
    }
}

/// What is wrong with an account.
struct WrongAccount;

impl IntoResponses for WrongAccount {
    fn responses() -> Responses {
        let mut responses = invalid("number: must be a number of at most 20 digits");
        responses.extend([conflict("The source takes no account", "oui is asked without an account")]);
        responses
    }
}

/// The name of a source in a path.
pub(crate) struct SourceName(String);

impl<S: Send + Sync> FromRequestParts<S> for SourceName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let name = Path::<String>::from_request_parts(parts, state).await;
        let wrong = |_| Problem::field(FieldError::path("source", "must be the name of a source"));
        name.map(|Path(name)| Self(name)).map_err(wrong)
    }
}

fn find<'a>(app: &'a App, name: &SourceName) -> Result<&'a Scheduled, Problem> {
    let sources = &app.settings.lookups.updates;
    sources.iter().find(|one| one.source.name() == name.0).ok_or_else(|| {
        let known: Vec<&str> = sources.iter().map(|one| one.source.name()).collect();
        let shown: String = name.0.chars().take(60).collect();
        Problem::not_found(format!("there is no source '{shown}'; there are {}", known.join(", ")))
    })
}

async fn tell(app: &App, one: &Scheduled) -> Result<SourceStatus, Problem> {
    let number = match one.source.as_with_account() {
        Some(_) => account::number(&app.store, one.source.name()).await?,
        None => None,
    };
    Ok(status::of(app, one, number))
}

/// List the sources of look-up data: how old it is, and how it is kept new.
#[utoipa::path(
    get, path = "/updates", operation_id = "list_updates", tag = "Look-ups",
    responses((status = 200, description = "Every source", body = Vec<SourceStatus>)),
)]
pub(crate) async fn list_updates(State(app): State<App>) -> Result<Json<Vec<SourceStatus>>, Problem> {
    let mut all = Vec::new();
    for one in &app.settings.lookups.updates {
        all.push(tell(&app, one).await?);
    }
    Ok(Json(all))
}

/// Fetch the data of a source now.
///
/// Sources are updated one after another. `run` of the answer, and of `GET /updates`, says how far it is; its end is
/// a line of the timeline. A failure leaves the data as it was.
#[utoipa::path(
    post, path = "/updates/{source}", operation_id = "update_source", tag = "Look-ups",
    params(("source" = String, Path, description = "Name of the source", example = "oui")),
    responses((status = 202, description = "It begins, or waits for another", body = SourceStatus),
        Denied, NoSource, UnderWay),
)]
pub(crate) async fn update_source(
    State(app): State<App>,
    principal: Principal,
    name: SourceName,
) -> Result<(StatusCode, Json<SourceStatus>), Problem> {
    let one = find(&app, &name)?;
    let source = one.source.name();
    if app.settings.lookups.data_dir.is_none() {
        return Err(Problem::conflict("this server has no data directory to keep it in"));
    }
    if !app.lookups.runs.ask(source, Some(principal.label()), Timestamp::now()) {
        return Err(Problem::conflict(format!("{source} is being updated; GET /updates says how far it is")));
    }
    Ok((StatusCode::ACCEPTED, Json(tell(&app, one).await?)))
}

/// Give the account a source is asked with.
///
/// It is kept for all servers on this database and wins over that of their configuration. The key is sealed under the
/// key of the server.
#[utoipa::path(
    put, path = "/updates/{source}/account", operation_id = "set_update_account", tag = "Look-ups",
    params(("source" = String, Path, description = "Name of the source", example = "geoip")),
    request_body(content = NewAccount, example = json!({"number": "123456", "key": "the licence key"})),
    responses((status = 200, description = "It is used from the next update on", body = SourceStatus),
        Denied, NoSource, WrongAccount),
)]
pub(crate) async fn set_account(
    State(app): State<App>,
    principal: Principal,
    name: SourceName,
    Body(new): Body<NewAccount>,
) -> Result<Json<SourceStatus>, Problem> {
    let one = taking_accounts(&app, &name)?;
    let (number, key) = (new.number.trim(), new.key.trim());
    let wrong = [("number", Account::check_number(number)), ("key", Account::check_key(key))];
    let wrong: Vec<FieldError> = wrong
        .into_iter()
        .filter_map(|(field, checked)| Some(FieldError::body(field, checked.err()?)))
        .collect();
    if !wrong.is_empty() {
        return Err(Problem::fields(wrong));
    }
    let Some(secret) = &app.settings.secret_key else {
        return Err(Problem::conflict("this server has no key to seal it with"));
    };
    let account = Account { number: number.into(), key: key.into() };
    account::keep(&app.store, secret, one.source.name(), &account).await?;
    tracing::info!(by = principal.label(), source = one.source.name(), number, "an account was given");
    Ok(Json(tell(&app, one).await?))
}

/// Forget the account that was given for a source; that of the configuration counts again.
#[utoipa::path(
    delete, path = "/updates/{source}/account", operation_id = "remove_update_account", tag = "Look-ups",
    params(("source" = String, Path, description = "Name of the source", example = "geoip")),
    responses((status = 200, description = "It is forgotten", body = SourceStatus), Denied, NoSource),
)]
pub(crate) async fn remove_account(
    State(app): State<App>,
    principal: Principal,
    name: SourceName,
) -> Result<Json<SourceStatus>, Problem> {
    let one = find(&app, &name)?;
    if account::forget(&app.store, one.source.name()).await? {
        tracing::info!(by = principal.label(), source = one.source.name(), "an account was forgotten");
    }
    Ok(Json(tell(&app, one).await?))
}

fn taking_accounts<'a>(app: &'a App, name: &SourceName) -> Result<&'a Scheduled, Problem> {
    let one = find(app, name)?;
    match one.source.as_with_account() {
        Some(_) => Ok(one),
        None => Err(Problem::conflict(format!("{} is asked without an account", one.source.name()))),
    }
}
