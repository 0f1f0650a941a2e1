//! From what a client sends to a stored operation.

use std::collections::BTreeSet;

use jiff::Timestamp;
use netwark_model::error::FieldError;
use netwark_model::operations::{NewOperation, Skipped};
use netwark_model::selector::Selector;
use netwark_model::{queues, target};
use netwark_store::operations::{Created, OperationDraft, OutboxMessage};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::publish::publish;
use crate::app::App;
use crate::error::Problem;

/// Most queues of one operation.
const MOST_QUEUES: usize = 64;
/// Default for `take_within_ms`.
const TAKE_WITHIN_MS: u64 = 60_000;
/// What a run may take beyond what its options need, in milliseconds: names, starting, reporting.
const RUN_EXTRA_MS: u64 = 30_000;

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its id.
    pub operation_id: Uuid,
    /// True once its messages are with the bus; else they are sent when the bus takes them again.
    pub published: bool,
    /// Queues from which any one worker is to take it.
    direct: Vec<String>,
    /// How long they may wait for one, in milliseconds.
    take_within_ms: u64,
}

/// What may keep an operation from what was wanted: direct queues on which nobody who takes work listens now.
pub async fn warnings(app: &App, made: &Made) -> Vec<String> {
    let mut warnings = Vec::new();
    for queue in &made.direct {
        // The operation is made, so that a database which has gone since is no reason to refuse it.
        if matches!(app.directory.is_taken_from(&app.store, queue).await, Ok(false)) {
            let seconds = made.take_within_ms.div_ceil(1000);
            warnings.push(format!(
                "nobody takes work from {queue} now; the operation waits {seconds} s for a worker that does"
            ));
        }
    }
    warnings
}

/// Checks, stores and publishes an operation.
///
/// # Errors
/// Names every field that is wrong; 409 when nobody would run it; 422 when the idempotency key was
/// used for another request; 503 when the database does not answer.
pub async fn create(app: &App, request: NewOperation, by: &str, key: Option<&str>) -> Result<Made, Problem> {
    let idempotency = key.map(|key| (format!("{by}\n{key}"), hash(&request)));
    let mut draft = check(app, request, by).await?;
    draft.idempotency = idempotency;
    let tool = draft.tool.clone();
    let take_within_ms = draft.take_within_ms;
    let made = |operation_id, published, direct| Made { operation_id, published, direct, take_within_ms };
    let from = draft.selector.as_ref().map(ToString::to_string);
    match app.store.create_operation(draft, Timestamp::now()).await? {
        Created::New { operation_id, messages } => {
            app.metrics.operation(&tool);
            // What is logged from here on carries it.
            tracing::Span::current().record("operation", tracing::field::display(operation_id));
            let direct = direct_of(&messages);
            Ok(made(operation_id, publish(app, messages).await, direct))
        }
        Created::Repeated { operation_id, messages } => {
            let direct = direct_of(&messages);
            if !publish(app, messages).await {
                return Err(Problem::unavailable(
                    "the operation is stored but could not be published yet; try again",
                    2,
                ));
            }
            Ok(made(operation_id, true, direct))
        }
        Created::KeyReused => Err(Problem::new(
            axum::http::StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency-key",
            "The idempotency key was used before",
            "this Idempotency-Key was sent with another request; choose a new key",
        )),
        Created::Nobody { skipped } => Err(Problem::conflict(nobody(from.as_deref(), &skipped))),
        Created::NoSuchOperation => {
            Err(Problem::field(FieldError::body("same_workers_as", "there is no operation with this id")))
        }
        Created::Unselectable(error) => Err(Problem::field(FieldError::body("from", error.to_string()))),
    }
}

/// The queues among the addresses of messages; the others are inboxes.
fn direct_of(messages: &[OutboxMessage]) -> Vec<String> {
    let names = messages.iter().map(|message| message.address.as_str());
    names.filter(|name| queues::full_name(name).is_ok_and(|full| full == *name)).map(str::to_owned).collect()
}

/// Why nobody runs it.
fn nobody(from: Option<&str>, skipped: &[Skipped]) -> String {
    let reasons: Vec<_> =
        skipped.iter().map(|one| format!("{} is {}", one.worker, one.reason.as_str())).collect();
    match (from, reasons.is_empty()) {
        (Some(from), true) => format!("no worker fits '{from}'; nothing was started"),
        (None, true) => "no worker listens on these queues; nothing was started".to_owned(),
        (_, false) => format!("no worker takes this work now: {}; nothing was started", reasons.join(", ")),
    }
}

/// What was sent, as a hash that is the same for the same request.
fn hash(request: &NewOperation) -> String {
    let bytes = serde_json::to_vec(request).unwrap_or_default();
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn check(app: &App, request: NewOperation, by: &str) -> Result<OperationDraft, Problem> {
    let mut errors = Vec::new();
    let mut note = |error: FieldError| errors.push(error);
    let (target, checked) = match app.tools.get(&request.tool) {
        Some(tool) => {
            let checked = tool.check_any(request.options.as_ref());
            let target = tool.check_target(&request.target, checked.as_ref().ok()).map_err(&mut note).ok();
            (target, checked.map_err(|found| found.into_iter().for_each(&mut note)).ok())
        }
        None => {
            let shown: String = request.tool.chars().take(40).collect();
            note(FieldError::body(
                "type",
                format!("'{shown}' is no tool; the tools are {}", app.tools.names()),
            ));
            (target::check(&request.target).map_err(&mut note).ok(), None)
        }
    };
    for (name, value, least, most) in [
        ("take_within_ms", request.take_within_ms, 1_000, 86_400_000),
        ("run_within_ms", request.run_within_ms, 1_000, 1_260_000),
    ] {
        if let Some(value) = value.filter(|value| !(least..=most).contains(value)) {
            note(FieldError::body(name, format!("must be from {least} to {most}, got {value}")));
        }
    }
    let named = request.queues.unwrap_or_default();
    let given = [
        ("queues", !named.is_empty()),
        ("from", request.from.is_some()),
        ("same_workers_as", request.same_workers_as.is_some()),
    ];
    let mut given = given.into_iter().filter_map(|(name, given)| given.then_some(name));
    if let (Some(first), Some(second)) = (given.next(), given.next()) {
        note(FieldError::body(first, format!("must be left out when {second} is given")));
    }
    let selector = request.from.as_deref().map(Selector::parse).transpose();
    let selector = selector.map_err(|error| note(FieldError::body("from", error.to_string()))).ok().flatten();
    let queues = match request.from.is_some() || request.same_workers_as.is_some() {
        true => Vec::new(),
        false => check_queues(app, named, &mut note).await?,
    };
    match (target, checked) {
        (Some(target), Some(checked)) if errors.is_empty() => Ok(OperationDraft {
            tool: request.tool,
            target,
            options_sent: request.options,
            options: checked.typed,
            queues,
            same_workers_as: request.same_workers_as,
            selector,
            take_within_ms: request.take_within_ms.unwrap_or(TAKE_WITHIN_MS),
            run_within_ms: request.run_within_ms.unwrap_or(checked.longest_ms + RUN_EXTRA_MS),
            created_by: by.to_owned(),
            idempotency: None,
        }),
        _ => Err(Problem::fields(errors)),
    }
}

/// Full names of queues with their kind; without any, the queue of every worker.
async fn check_queues(
    app: &App,
    named: Vec<String>,
    note: &mut impl FnMut(FieldError),
) -> Result<Vec<(String, bool)>, Problem> {
    let named = if named.is_empty() { vec![queues::BROADCAST.to_owned()] } else { named };
    if named.len() > MOST_QUEUES {
        note(FieldError::body("queues", format!("must be at most {MOST_QUEUES}, got {}", named.len())));
        return Ok(Vec::new());
    }
    let kinds = app.store.queue_kinds().await?;
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (index, name) in named.iter().enumerate() {
        let known = queues::full_name(name).and_then(|full| {
            kinds.get(&full).ok_or_else(|| {
                let known: Vec<&str> = kinds.names().collect();
                format!("'{full}' is no queue; the queues are {}", known.join(", "))
            })
        });
        match known {
            Err(description) => note(FieldError::body(format!("queues[{index}]"), description)),
            Ok((queue, broadcast)) => {
                if seen.insert(queue) {
                    found.push((queue.to_owned(), broadcast));
                }
            }
        }
    }
    Ok(found)
}
