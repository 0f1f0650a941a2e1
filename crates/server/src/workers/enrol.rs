//! Enrolling workers: by a token, or with a code that is typed on the other side.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use jiff::{SignedDuration, Timestamp};
use netwark_bus::signing;
use netwark_model::error::FieldError;
use netwark_model::workers::Worker;
use netwark_store::workers::{self as stored, Credential};
use netwark_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::{Denied, Invalid, NameTaken, NoWorker, NotPaired, NotThisWorker, WorkersOnly};
use super::commands::{Commands, ServerUrl, pair_command};
use super::input::NewWorker;
use crate::app::App;
use crate::auth::{AuthError, Client, Principal, Secret, worker_token};
use crate::error::Problem;
use crate::extract::{Body, Id};

/// How long a pairing code may be exchanged.
const CODE_LIVES: SignedDuration = SignedDuration::from_mins(10);

/// A worker that may connect, with what it proves itself with.
#[derive(Serialize, ToSchema)]
pub(crate) struct EnrolledWorker {
    /// The worker.
    worker: Worker,
    /// Its token. It is not kept and cannot be shown again.
    #[schema(example = "nww_0197f3c86d8e7cc2a1f4d3b0c5e29a71_iTjN8n0n1pI8Vb9e3Jt0b5yH2VwQe7m4s6ZkP1xR0cA")]
    token: String,
    /// Ways to start it, with the token in them.
    commands: Commands,
}

/// A code that is typed where a worker is started.
#[derive(Serialize, ToSchema)]
pub(crate) struct StartedPairing {
    /// The worker, which nobody has connected yet.
    worker: Worker,
    /// The code. It is good for one worker and cannot be shown again.
    #[schema(example = "K7TM-3XWQ")]
    code: String,
    /// When it is of no use any more; a worker that was not paired by then is forgotten.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// What to type on the other side.
    #[schema(example = "netwark worker --server https://netwark.example --code K7TM-3XWQ")]
    command: String,
}

/// What a worker that has a code sends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PairRequest {
    /// The code, as it was typed: letter case, hyphens and space do not count.
    #[schema(example = "K7TM-3XWQ")]
    code: String,
    /// Ed25519 key its reports over a broker will be signed with: 32 bytes in base64.
    #[schema(example = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")]
    public_key: Option<String>,
}

/// What a worker gets for its code.
#[derive(Serialize, ToSchema)]
pub(crate) struct Paired {
    /// Its token, to be kept in a file that only it can read.
    #[schema(example = "nww_0197f3c86d8e7cc2a1f4d3b0c5e29a71_iTjN8n0n1pI8Vb9e3Jt0b5yH2VwQe7m4s6ZkP1xR0cA")]
    token: String,
    /// Its id.
    worker_id: Uuid,
    /// The name it has in this installation.
    #[schema(example = "paris-1")]
    name: String,
}

/// A key to verify reports with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkerKey {
    /// Ed25519 public key: 32 bytes in base64.
    #[schema(example = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")]
    public_key: String,
}

/// A pairing that waits for its worker.
#[derive(Debug)]
pub struct Pairing {
    /// The worker, which nobody has connected yet.
    pub worker: Worker,
    /// The code, to be shown once.
    pub code: String,
    /// When it is of no use any more.
    pub expires_at: Timestamp,
}

/// Enrols a worker and returns it with its token, which is not kept.
///
/// # Errors
/// When fields are wrong, the name is taken or the database fails.
pub async fn enrol(store: &Store, new: NewWorker, by: &str) -> Result<(Worker, Secret), AuthError> {
    let new = checked(store, new, by).await?;
    let token = worker_token::new(new.id);
    let worker = store.enrol_worker(new, Credential::Token(token.hash()), Timestamp::now()).await?;
    Ok((worker, token))
}

/// Enrols a worker that will come with a code.
///
/// # Errors
/// When fields are wrong, the name is taken or the database fails.
pub async fn start_pairing(
    store: &Store,
    new: NewWorker,
    by: &str,
    now: Timestamp,
) -> Result<Pairing, AuthError> {
    let new = checked(store, new, by).await?;
    // A name that only an expired code holds is free.
    store.forget_pairings(now).await?;
    let code = worker_token::new_code();
    let hash = worker_token::code_hash(&code).unwrap_or_default();
    let expires_at = now.saturating_add(CODE_LIVES).unwrap_or(now);
    let worker = store.enrol_worker(new, Credential::Code { hash, expires_at }, now).await?;
    Ok(Pairing { worker, code, expires_at })
}

/// Gives a worker another token; the one before is of no use from here on. `None` when there is no such
/// worker.
///
/// # Errors
/// When the worker was revoked, needs no token, or the database fails.
pub async fn rotate(store: &Store, id: Uuid, by: &str) -> Result<Option<(Worker, Secret)>, StoreError> {
    let token = worker_token::new(id);
    let worker = store.replace_worker_token(id, token.hash(), by, Timestamp::now()).await?;
    Ok(worker.map(|worker| (worker, token)))
}

async fn checked(store: &Store, new: NewWorker, by: &str) -> Result<stored::NewWorker, AuthError> {
    let queues = store.queue_kinds().await?;
    let name = new.name.trim().to_owned();
    let (overrides, public_key) = match new.checked(&queues) {
        Ok(checked) => checked,
        Err(mut errors) => {
            // Told with the others, it need not be told once they are mended.
            let holder = store.worker_named(&name).await?;
            let taken = holder.map(|worker| format!("another worker is named '{}'", worker.name));
            errors.splice(0..0, taken.map(|taken| FieldError::body("name", taken)));
            return Err(AuthError::Invalid(errors));
        }
    };
    Ok(stored::NewWorker { id: Uuid::now_v7(), overrides, public_key, by: by.to_owned() })
}

/// Enrol a worker.
///
/// Makes its token, which is shown this once, and commands to start it with. What is set here wins over
/// what the worker says of itself; what is left out is as it says.
#[utoipa::path(
    post, path = "/workers", operation_id = "create_worker", tag = "Workers",
    request_body(content = NewWorker, example = json!({"name": "paris-1", "site": "paris", "tags": ["dc"]})),
    responses((status = 201, body = EnrolledWorker), Invalid, Denied, NameTaken)
)]
pub(crate) async fn create_worker(
    State(app): State<App>,
    principal: Principal,
    server: ServerUrl,
    Body(new): Body<NewWorker>,
) -> Result<impl IntoResponse, Problem> {
    let (worker, token) = enrol(&app.store, new, &principal.label()).await?;
    tracing::info!(by = principal.label(), worker = %worker.name, id = %worker.id, "a worker was enrolled");
    Ok((StatusCode::CREATED, NOT_KEPT, Json(enrolled(worker, &token, &server))))
}

/// Let a worker pair with a code.
///
/// The code is typed where the worker is started, within 10 minutes, and is good for one worker.
#[utoipa::path(
    post, path = "/workers/pairings", operation_id = "create_pairing", tag = "Workers",
    request_body(content = NewWorker, example = json!({"name": "paris-1", "site": "paris"})),
    responses((status = 201, body = StartedPairing), Invalid, Denied, NameTaken)
)]
pub(crate) async fn create_pairing(
    State(app): State<App>,
    principal: Principal,
    server: ServerUrl,
    Body(new): Body<NewWorker>,
) -> Result<impl IntoResponse, Problem> {
    let Pairing { worker, code, expires_at } =
        start_pairing(&app.store, new, &principal.label(), Timestamp::now()).await?;
    tracing::info!(by = principal.label(), worker = %worker.name, id = %worker.id, "a worker may be paired");
    let command = pair_command(&server.0, &code);
    Ok((StatusCode::CREATED, NOT_KEPT, Json(StartedPairing { worker, code, expires_at, command })))
}

/// Exchange a pairing code for a token.
///
/// For workers; needs nothing but the code. An address has 5 tries, and one more every 10 seconds; all
/// addresses together have one a second.
#[utoipa::path(
    post, path = "/workers/pair", operation_id = "pair_worker", tag = "Workers",
    security(()),
    request_body(content = PairRequest, example = json!({"code": "K7TM-3XWQ"})),
    responses((status = 200, body = Paired), Invalid, NotPaired)
)]
pub(crate) async fn pair(
    State(app): State<App>,
    client: Client,
    Body(request): Body<PairRequest>,
) -> Result<impl IntoResponse, Problem> {
    let public_key = request.public_key.as_deref().map(key).transpose()?;
    app.auth.count_pairing(client.address)?;
    let now = Timestamp::now();
    let paired = async {
        let Some(code) = worker_token::code_hash(&request.code) else { return Ok(None) };
        let Some(id) = app.store.pairing(code, now).await? else { return Ok(None) };
        let token = worker_token::new(id);
        let worker = app.store.finish_pairing(code, id, token.hash(), public_key, now).await?;
        Ok::<_, StoreError>(worker.map(|worker| (worker, token)))
    };
    let Some((worker, token)) = paired.await? else {
        tracing::warn!(client = %client.address, "a wrong pairing code");
        return Err(Problem::forbidden(WRONG_CODE));
    };
    app.auth.pairing_was_right(client.address);
    super::changed(&app, worker.id).await;
    tracing::info!(client = %client.address, worker = %worker.name, id = %worker.id, "a worker was paired");
    let paired = Paired { token: token.reveal().to_owned(), worker_id: worker.id, name: worker.name };
    Ok((NOT_KEPT, Json(paired)))
}

/// Give a worker another token.
///
/// The one before is of no use from here on, and a link that was made with it is cut.
#[utoipa::path(
    post, path = "/workers/{id}/token", operation_id = "rotate_worker_token", tag = "Workers",
    params(("id" = Uuid, Path, description = "Id of the worker")),
    responses((status = 200, body = EnrolledWorker), Denied, NoWorker, NotThisWorker)
)]
pub(crate) async fn rotate_token(
    State(app): State<App>,
    principal: Principal,
    server: ServerUrl,
    Id(id): Id,
) -> Result<impl IntoResponse, Problem> {
    let (worker, token) = rotate(&app.store, id, &principal.label()).await?.ok_or_else(super::unknown)?;
    super::changed(&app, id).await;
    tracing::info!(by = principal.label(), worker = %worker.name, %id, "the token of a worker was replaced");
    Ok((NOT_KEPT, Json(enrolled(worker, &token, &server))))
}

/// Register the key that a worker signs its reports with.
///
/// For the worker itself, with its token. Reports that come over a message broker are listened to only
/// when they are signed with it.
#[utoipa::path(
    put, path = "/worker/key", operation_id = "set_worker_key", tag = "Workers",
    request_body = WorkerKey,
    responses((status = 204, description = "Registered, instead of an earlier one"), Invalid, WorkersOnly)
)]
pub(crate) async fn set_key(
    State(app): State<App>,
    principal: Principal,
    Body(request): Body<WorkerKey>,
) -> Result<StatusCode, Problem> {
    let key = key(&request.public_key)?;
    let Principal::Worker { id, name } = principal else { return Err(super::unknown()) };
    if !app.store.set_worker_key(id, key).await? {
        return Err(super::unknown());
    }
    super::changed(&app, id).await;
    tracing::info!(worker = %name, %id, "a worker registered its key");
    Ok(StatusCode::NO_CONTENT)
}

/// What holds a secret must not stay in a cache.
const NOT_KEPT: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// Said when a code cannot be exchanged; whether it ever was one is not told.
pub(super) const WRONG_CODE: &str =
    "the code is wrong, has expired or was used; an administrator makes a new one under Workers";

fn enrolled(worker: Worker, token: &Secret, server: &ServerUrl) -> EnrolledWorker {
    let commands = Commands::new(&server.0, token.reveal());
    EnrolledWorker { worker, token: token.reveal().to_owned(), commands }
}

fn key(text: &str) -> Result<String, Problem> {
    signing::public_key(text).map_err(|wrong| FieldError::body("public_key", wrong.to_string()).into())
}
