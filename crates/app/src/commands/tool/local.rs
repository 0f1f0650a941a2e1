//! Measuring on this machine, without any server.

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use netwark_lookup::dns::Resolver;
use netwark_model::messages::RunOrder;
use netwark_probe::engine::{Engine, EngineOptions};
use netwark_probe::runner::NameLookup;
use netwark_worker::{Context, Policy, Toolbox};
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use super::places::Places;
use super::view::{self, View};
use super::{Job, finish};
use crate::failure::{Failure, Outcome};
use crate::output;

/// Least time between two snapshots: often enough to look immediate.
const PROGRESS: Duration = Duration::from_millis(100);

/// How long the report waits for names of hops that are still asked for.
const NAMES: Duration = Duration::from_millis(1000);

/// How a measurement ended.
enum End {
    Done(Value),
    Error(String),
    /// By hand; true for Ctrl-C.
    Stopped(bool),
}

/// Measures from this machine.
///
/// # Errors
/// When it cannot be measured.
pub async fn run(job: &Job) -> Outcome {
    let mut view = view::of(job)?;
    let enough = view.enough();
    let latest = Mutex::new(None);
    let places = Places::of(job.tool);
    let end = {
        let view = Mutex::new(&mut view);
        let on_snapshot = |mut payload: Value| {
            places.complete(&mut payload);
            view.lock().unwrap_or_else(PoisonError::into_inner).update(&payload);
            *latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(payload);
        };
        tokio::select! {
            measured = async { measure(job, context(job)?, &on_snapshot).await } => match measured {
                Ok(mut payload) => {
                    places.complete(&mut payload);
                    on_snapshot(payload.clone());
                    End::Done(payload)
                }
                Err(cause) => End::Error(cause),
            },
            interrupted = view::ended_by_hand(enough) => End::Stopped(interrupted),
        }
    };
    view.close();
    let latest = latest.into_inner().unwrap_or_else(PoisonError::into_inner);
    let outcome = ended(job, end, latest, view.as_ref());
    if !job.shared.json {
        places.attribute();
    }
    outcome
}

/// Tells the end.
fn ended(job: &Job, end: End, latest: Option<Value>, view: &dyn View) -> Outcome {
    match end {
        End::Done(payload) => Ok(tell(job, view, &payload)),
        End::Stopped(interrupted) => {
            let code = latest.map_or(ExitCode::FAILURE, |payload| tell(job, view, &payload));
            if interrupted { Err(Failure::Interrupted) } else { Ok(code) }
        }
        End::Error(cause) if job.shared.json => {
            output::json(&json!({ "cause": cause }));
            Ok(ExitCode::FAILURE)
        }
        End::Error(cause) => Err(Failure::Failed(cause)),
    }
}

/// Prints the end of a measurement; fine when the target answered.
fn tell(job: &Job, view: &dyn View, payload: &Value) -> ExitCode {
    let finished = finish::of(job, payload, view.told_replies());
    match job.shared.json {
        true => output::json(payload),
        false => output::lines(finished.lines),
    }
    if finished.fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a tool needs to run on this machine; the error is the cause, for people.
pub fn context(job: &Job) -> Result<Context, String> {
    let engine = Engine::start(EngineOptions::default()).map_err(|error| error.to_string())?;
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let mut context = Context::new(engine, Resolver::system(), Policy::of_its_user(), &host);
    context.progress_every = PROGRESS;
    context.most_bytes = None;
    context.names = if job.shared.numeric { NameLookup::Off } else { NameLookup::Within(NAMES) };
    Ok(context)
}

/// Runs the tool as a worker would; the error is the cause, for people.
pub async fn measure(
    job: &Job,
    context: Context,
    on_snapshot: &(dyn Fn(Value) + Sync),
) -> Result<Value, String> {
    let Some(runner) = Toolbox::standard().get(job.tool) else {
        return Err(format!("{} cannot be run without a server; use --from", job.tool));
    };
    let order = RunOrder {
        operation_id: Uuid::nil(),
        result_id: Uuid::nil(),
        queue: String::new(),
        tool: job.tool.into(),
        target: job.shared.target.clone(),
        options: job.options.clone(),
        run_within_ms: u64::MAX,
    };
    let (snapshots, mut latest) = watch::channel(None);
    let mut running = runner(context, order, snapshots);
    loop {
        tokio::select! {
            biased;
            outcome = &mut running => return outcome.map_err(|error| error.to_string()),
            Ok(()) = latest.changed() => {
                let snapshot = latest.borrow_and_update().clone();
                snapshot.into_iter().for_each(on_snapshot);
            }
        }
    }
}
