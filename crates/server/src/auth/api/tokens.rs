//! `/tokens`.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use netwark_model::auth::{Role, Token};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answers::{Denied, Invalid, NotFound, Taken};
use crate::auth::principal::Principal;
use crate::auth::shared::Auth;
use crate::auth::users::add_token;
use crate::error::Problem;
use crate::extract::{Body, Id, Params};

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// What it is for, unique.
    #[schema(example = "ci", min_length = 1, max_length = 64)]
    name: String,
    /// What it may do.
    role: Role,
}

/// A token that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeToken {
    #[serde(flatten)]
    token: Token,
    /// The secret, for `Authorization: Bearer`. It is not kept and cannot be shown again.
    #[schema(example = "nwk_iTjN8n0n1pI8Vb9e3Jt0b5yH2VwQe7m4s6ZkP1xR0cA")]
    secret: String,
}

/// List tokens, in the order they were made, without their secrets.
#[utoipa::path(
    get,
    path = "/tokens",
    tag = "Sign-in",
    params(
        ("page" = Option<u64>, Query, description = "Page, from 1", minimum = 0),
        ("per_page" = Option<u64>, Query, description = "Entries of a page, 50 unless told", minimum = 1, maximum = 1000),
    ),
    responses(
        (status = 200, body = Vec<Token>, headers(
            ("X-Total-Count" = u64, description = "How many there are"),
            ("Link" = String, description = "The first, last, previous and next page"),
        )),
        Denied,
    )
)]
pub(super) async fn list_tokens(
    State(auth): State<Auth>,
    OriginalUri(uri): OriginalUri,
    mut params: Params,
) -> Result<impl IntoResponse, Problem> {
    let page = params.page();
    params.finish()?;
    let (tokens, total) = auth.inner.store.tokens(page.offset(), page.per_page).await?;
    Ok((page.headers(uri.path(), uri.query().unwrap_or_default(), total), Json(tokens)))
}

/// Make a token for a program.
#[utoipa::path(
    post,
    path = "/tokens",
    tag = "Sign-in",
    request_body(content = NewToken, example = json!({"name": "backup-script", "role": "operator"})),
    responses((status = 201, body = MadeToken), Invalid, Denied, Taken)
)]
pub(super) async fn create_token(
    State(auth): State<Auth>,
    principal: Principal,
    Body(new): Body<NewToken>,
) -> Result<impl IntoResponse, Problem> {
    let (token, secret) = add_token(&auth.inner.store, &new.name, new.role).await?;
    tracing::info!(
        by = principal.label(),
        token = token.name,
        role = token.role.as_str(),
        "a token was made"
    );
    let made = MadeToken { token, secret: secret.reveal().to_owned() };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(made)))
}

/// Revoke a token.
///
/// This server refuses it at once, others on the same database within 5 seconds.
#[utoipa::path(
    delete,
    path = "/tokens/{id}",
    tag = "Sign-in",
    params(("id" = uuid::Uuid, Path, description = "Id of the token")),
    responses((status = 204, description = "Revoked"), Denied, NotFound)
)]
pub(super) async fn delete_token(
    State(auth): State<Auth>,
    principal: Principal,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    if !auth.inner.store.remove_token(id).await? {
        return Err(Problem::not_found("there is no token of this id"));
    }
    auth.inner.tokens.invalidate_all();
    tracing::info!(by = principal.label(), token = %id, "a token was revoked");
    Ok(StatusCode::NO_CONTENT)
}
