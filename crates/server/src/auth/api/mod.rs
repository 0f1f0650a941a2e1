//! Routes of signing in, users and tokens.

mod answers;
mod password;
mod sessions;
mod tokens;
mod users;

use axum::extract::FromRef;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::AuthError;
use super::identify::SignInError;
use super::password::PasswordError;
use super::shared::Auth;
use crate::error::Problem;

/// The routes, to be nested under the base of the API.
pub fn routes<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Auth: FromRef<S>,
{
    OpenApiRouter::new()
        .routes(routes!(sessions::read_session, sessions::sign_in, sessions::sign_out))
        .routes(routes!(password::change_own_password))
        .routes(routes!(sessions::set_up))
        .routes(routes!(users::list_users, users::create_user))
        .routes(routes!(users::change_user, users::delete_user))
        .routes(routes!(tokens::list_tokens, tokens::create_token))
        .routes(routes!(tokens::delete_token))
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::unavailable(error.to_string(), 5),
            PasswordError::Hash(_) => Self::internal(&error),
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Invalid(errors) => Self::fields(errors),
            AuthError::Password(error) => error.into(),
            AuthError::Store(error) => error.into(),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::TooMany(wait) => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                let detail =
                    format!("too many tries from this address or for this name; try again in {seconds} s");
                Self::too_many(detail, seconds)
            }
            SignInError::Wrong => Self::unauthorized("the name or the password is wrong"),
            SignInError::Password(error) => error.into(),
            SignInError::Store(error) => error.into(),
        }
    }
}
