//! `/users`.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use netwark_model::auth::{Role, User};
use netwark_model::error::FieldError;
use netwark_store::user_changes::{self as stored, Changed};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answers::{Denied, Invalid, LAST_ADMIN, LastAdmin, NotFound, Taken};
use crate::auth::guard::Client;
use crate::auth::password::check_policy;
use crate::auth::principal::Principal;
use crate::auth::shared::Auth;
use crate::auth::users::add_user;
use crate::error::Problem;
use crate::extract::{Body, Id, Params};

/// A user to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// Name to sign in with, unique whatever its case: letters, digits and `. _ - @ +`.
    #[schema(example = "zoe", max_length = 64)]
    name: String,
    /// Its password, at least 10 characters.
    #[schema(example = "correct horse", min_length = 10, max_length = 1024)]
    password: String,
    /// What it may do.
    role: Role,
}

/// What is to change about a user; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChange {
    /// What it may do from now on.
    role: Option<Role>,
    /// Its new password, at least 10 characters. Ends its sessions, but for the one that asks.
    #[schema(example = "battery staple", min_length = 10, max_length = 1024)]
    password: Option<String>,
}

/// List users, in the order they were made.
#[utoipa::path(
    get,
    path = "/users",
    tag = "Sign-in",
    params(
        ("page" = Option<u64>, Query, description = "Page, from 1", minimum = 0),
        ("per_page" = Option<u64>, Query, description = "Entries of a page, 50 unless told", minimum = 1, maximum = 1000),
    ),
    responses(
        (status = 200, body = Vec<User>, headers(
            ("X-Total-Count" = u64, description = "How many there are"),
            ("Link" = String, description = "The first, last, previous and next page"),
        )),
        Denied,
    )
)]
pub(super) async fn list_users(
    State(auth): State<Auth>,
    OriginalUri(uri): OriginalUri,
    mut params: Params,
) -> Result<impl IntoResponse, Problem> {
    let page = params.page();
    params.finish()?;
    let (users, total) = auth.inner.store.users(page.offset(), page.per_page).await?;
    Ok((page.headers(uri.path(), uri.query().unwrap_or_default(), total), Json(users)))
}

/// Make a user.
#[utoipa::path(
    post,
    path = "/users",
    tag = "Sign-in",
    request_body(content = NewUser, example = json!({"name": "alice", "password": "correct horse", "role": "operator"})),
    responses((status = 201, body = User), Invalid, Denied, Taken)
)]
pub(super) async fn create_user(
    State(auth): State<Auth>,
    principal: Principal,
    Body(new): Body<NewUser>,
) -> Result<impl IntoResponse, Problem> {
    let user = add_user(&auth.inner.store, &auth.inner.passwords, &new.name, &new.password, new.role).await?;
    tracing::info!(by = principal.label(), user = user.name, role = user.role.as_str(), "a user was made");
    Ok((StatusCode::CREATED, Json(user)))
}

/// Change the role or password of a user.
#[utoipa::path(
    patch,
    path = "/users/{id}",
    tag = "Sign-in",
    params(("id" = uuid::Uuid, Path, description = "Id of the user")),
    request_body(content = UserChange, example = json!({"role": "operator"})),
    responses((status = 200, body = User), Invalid, Denied, NotFound, LastAdmin)
)]
pub(super) async fn change_user(
    State(auth): State<Auth>,
    principal: Principal,
    client: Client,
    Id(id): Id,
    Body(change): Body<UserChange>,
) -> Result<Json<User>, Problem> {
    let user = auth.inner.store.user(id).await?.ok_or_else(unknown)?;
    let password_hash = match &change.password {
        Some(password) => {
            check_policy(&user.name, password).map_err(|wrong| FieldError::body("password", wrong))?;
            Some(auth.inner.passwords.hash(password).await?)
        }
        None => None,
    };
    let new_password = password_hash.is_some();
    let change = stored::UserChange { role: change.role, password_hash, keep_session: client.session };
    let user = done(auth.inner.store.change_user(id, change).await?)?;
    tracing::info!(
        by = principal.label(),
        user = user.name,
        role = user.role.as_str(),
        new_password,
        "a user was changed"
    );
    Ok(Json(user))
}

/// Remove a user.
///
/// Ends its sessions. What it ran stays, under its name.
#[utoipa::path(
    delete,
    path = "/users/{id}",
    tag = "Sign-in",
    params(("id" = uuid::Uuid, Path, description = "Id of the user")),
    responses((status = 204, description = "Removed"), Denied, NotFound, LastAdmin)
)]
pub(super) async fn delete_user(
    State(auth): State<Auth>,
    principal: Principal,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let user = done(auth.inner.store.remove_user(id).await?)?;
    tracing::info!(by = principal.label(), user = user.name, "a user was removed");
    Ok(StatusCode::NO_CONTENT)
}

fn done(changed: Changed) -> Result<User, Problem> {
    match changed {
        Changed::Done(user) => Ok(user),
        Changed::Unknown => Err(unknown()),
        Changed::LastAdmin => Err(Problem::conflict(LAST_ADMIN)),
    }
}

fn unknown() -> Problem {
    Problem::not_found("there is no user of this id")
}
