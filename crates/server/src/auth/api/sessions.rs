//! `/session` and `/setup`: signing in and out, and the first administrator.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use netwark_model::auth::{Credentials, Permission, Session, Setup, User};
use netwark_store::setup_codes::FirstUser;

use super::answers::{Invalid, NotSetUp, NotSignedIn, SET_UP_ALREADY};
use crate::auth::error::AuthError;
use crate::auth::guard::{Client, session_cookie, set_cookie};
use crate::auth::identify::SignInError;
use crate::auth::principal::Principal;
use crate::auth::secret::Secret;
use crate::auth::setup;
use crate::auth::shared::Auth;
use crate::error::Problem;
use crate::extract::Body;

/// Say who is asking, and what they may do.
///
/// Answers strangers too: the page asks this first, and learns whether to sign in or to set up.
#[utoipa::path(
    get,
    path = "/session",
    tag = "Sign-in",
    security(()),
    responses((status = 200, body = Session, example = json!({
        "kind": "user", "name": "admin", "role": "admin",
        "permissions": ["operations:read", "operations:run", "workers:read", "users:manage", "tokens:manage", "metrics:read"],
        "setup_required": false, "insecure": false,
    })))
)]
pub(super) async fn read_session(
    State(auth): State<Auth>,
    principal: Principal,
    client: Client,
) -> Result<Response, Problem> {
    let session = session(&auth, &principal, &client, auth.setup_required().await?);
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(session)).into_response())
}

/// Sign in.
///
/// Sets the session cookie. An address and a name have 5 tries, and one more every 10 seconds;
/// right ones do not count.
#[utoipa::path(
    post,
    path = "/session",
    tag = "Sign-in",
    security(()),
    request_body(content = Credentials, example = json!({"name": "admin", "password": "correct horse"})),
    responses(
        (status = 200, body = Session, headers(("Set-Cookie" = String, description = "The session cookie"))),
        Invalid,
        NotSignedIn,
    )
)]
pub(super) async fn sign_in(
    State(auth): State<Auth>,
    client: Client,
    headers: HeaderMap,
    Body(credentials): Body<Credentials>,
) -> Result<Response, Problem> {
    let signed_in = auth.sign_in(&credentials, client.address, Timestamp::now()).await;
    let (user, secret) = signed_in.inspect_err(|error| {
        if matches!(error, SignInError::Wrong | SignInError::TooMany(_)) {
            tracing::warn!(client = %client.address, %error, "somebody failed to sign in");
        }
    })?;
    // A session that is left for another must not live on.
    if let Some(earlier) = session_cookie(&headers, &client) {
        auth.end_session(&earlier).await?;
    }
    tracing::info!(client = %client.address, user = user.name, "signed in");
    Ok(begin(&auth, &client, StatusCode::OK, user, &secret))
}

/// Sign out.
#[utoipa::path(
    delete,
    path = "/session",
    tag = "Sign-in",
    security(()),
    responses((status = 204, description = "Signed out, whether somebody was signed in or not"))
)]
pub(super) async fn sign_out(
    State(auth): State<Auth>,
    client: Client,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(cookie) = session_cookie(&headers, &client) {
        auth.end_session(&cookie).await?;
    }
    let cookie = set_cookie(&client, "", 0);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Make the first administrator.
///
/// Needs the one-time code that the server printed when it started on an empty database, or that
/// `netwark user setup-link` prints. Signs in at once.
#[utoipa::path(
    post,
    path = "/setup",
    tag = "Sign-in",
    security(()),
    request_body(content = Setup, example = json!({
        "code": "7d9f4be1c0a24f6b8e3d5a1c9b7f2e60", "name": "admin", "password": "correct horse",
    })),
    responses(
        (status = 201, body = Session, headers(("Set-Cookie" = String, description = "The session cookie"))),
        Invalid,
        NotSetUp,
    )
)]
pub(super) async fn set_up(
    State(auth): State<Auth>,
    client: Client,
    Body(body): Body<Setup>,
) -> Result<Response, Problem> {
    if !auth.setup_required().await? {
        return Err(Problem::conflict(SET_UP_ALREADY));
    }
    auth.count_try(client.address, None)?;
    let now = Timestamp::now();
    let outcome = setup::set_up(&auth.inner.store, &auth.inner.passwords, &body, now).await;
    if matches!(outcome, Ok(FirstUser::Made(_)) | Err(AuthError::Invalid(_))) {
        auth.inner.limit.give_back(client.address, None);
    }
    match outcome? {
        FirstUser::Made(user) => {
            tracing::info!(client = %client.address, user = user.name, "the first administrator was made");
            let secret = auth.start_session(user.id, now).await?;
            Ok(begin(&auth, &client, StatusCode::CREATED, user, &secret))
        }
        FirstUser::UserExists => Err(Problem::conflict(SET_UP_ALREADY)),
        FirstUser::WrongCode { tries_left } => {
            tracing::warn!(client = %client.address, tries_left, "a wrong code to set up");
            Err(Problem::forbidden(match tries_left {
                0 => format!("the code is wrong, and that was the last try; {NEW_CODE}"),
                1 => "the code is wrong; 1 more try".to_owned(),
                n => format!("the code is wrong; {n} more tries"),
            }))
        }
        FirstUser::NoCode => {
            Err(Problem::forbidden(format!("the code has expired or is used up; {NEW_CODE}")))
        }
    }
}

const NEW_CODE: &str = "'netwark user setup-link' on the server prints a new one";

/// The answer that begins a session.
fn begin(auth: &Auth, client: &Client, status: StatusCode, user: User, secret: &Secret) -> Response {
    let User { id, name, role, .. } = user;
    let session = session(auth, &Principal::User { id, name, role }, client, false);
    let cookie = set_cookie(client, secret.reveal(), auth.inner.settings.session_max_days);
    let headers = [(header::SET_COOKIE, cookie), (header::CACHE_CONTROL, "no-store".to_owned())];
    (status, headers, Json(session)).into_response()
}

fn session(auth: &Auth, principal: &Principal, client: &Client, setup_required: bool) -> Session {
    let permissions = Permission::ALL.into_iter().filter(|permission| auth.may(principal, *permission));
    Session {
        kind: principal.kind().to_owned(),
        name: principal.name().map(str::to_owned),
        role: principal.role(),
        permissions: permissions.collect(),
        setup_required,
        insecure: client.insecure,
    }
}
