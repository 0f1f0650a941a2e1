//! `/session/password`: a user's own password.

use axum::extract::State;
use axum::http::StatusCode;
use netwark_model::error::FieldError;
use netwark_store::user_changes::{Changed, UserChange};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answers::{Denied, Invalid, TooMany};
use crate::auth::guard::Client;
use crate::auth::password::check_policy;
use crate::auth::principal::Principal;
use crate::auth::shared::Auth;
use crate::error::Problem;
use crate::extract::Body;

/// A user's password and what it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// The password as it is.
    #[schema(example = "correct horse")]
    current: String,
    /// The new one, at least 10 characters.
    #[schema(example = "battery staple", min_length = 10, max_length = 1024)]
    new: String,
}

/// Change one's own password.
///
/// Ends the user's other sessions. Tries are counted as those to sign in are; right ones do not count.
#[utoipa::path(
    post,
    path = "/session/password",
    tag = "Sign-in",
    request_body(content = NewPassword, example = json!({"current": "correct horse", "new": "battery staple"})),
    responses((status = 204, description = "Changed"), Invalid, Denied, TooMany)
)]
pub(super) async fn change_own_password(
    State(auth): State<Auth>,
    principal: Principal,
    client: Client,
    Body(request): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    let Principal::User { id, name, .. } = principal else {
        return Err(Problem::forbidden("only users who sign in have a password"));
    };
    auth.count_try(client.address, Some(&name))?;
    let secrets = auth.inner.store.user_secrets(&name).await?;
    let hash = secrets.as_ref().map(|secrets| secrets.password_hash.as_str());
    if !auth.inner.passwords.verify(&request.current, hash).await? {
        tracing::warn!(client = %client.address, user = name, "a wrong current password");
        return Err(FieldError::body("current", "is not the password of this user").into());
    }
    auth.inner.limit.give_back(client.address, Some(&name));
    check_policy(&name, &request.new).map_err(|wrong| FieldError::body("new", wrong))?;
    let password_hash = Some(auth.inner.passwords.hash(&request.new).await?);
    let change = UserChange { password_hash, keep_session: client.session, ..UserChange::default() };
    match auth.inner.store.change_user(id, change).await? {
        Changed::Done(_) => {
            tracing::info!(client = %client.address, user = name, "a user changed the own password");
            Ok(StatusCode::NO_CONTENT)
        }
        Changed::Unknown | Changed::LastAdmin => Err(Problem::unauthorized("this user was removed")),
    }
}
