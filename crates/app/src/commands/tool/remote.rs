//! Measuring through a server: the operation is posted, and its results are shown as they arrive.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::Duration;

use netwark_model::operations::{
    NewOperation, Operation, OperationCreated, OperationDetail, OperationResult, Status,
};
use serde_json::Value;
use uuid::Uuid;

use super::view::{self, View};
use super::waiting::Waiting;
use super::{Job, finish};
use crate::api::sse::{Event, Parser};
use crate::api::{Api, understood};
use crate::failure::{Failure, Outcome};
use crate::output;

/// How often a broken connection is made again before giving up.
const ATTEMPTS: u32 = 10;
/// How long the server may take to cancel.
const CANCEL_WITHIN: Duration = Duration::from_secs(5);

/// Measures from whom this selector finds.
///
/// # Errors
/// When the server cannot be reached or refuses, and when no worker could measure.
pub async fn run(job: &Job, from: String) -> Outcome {
    measure(job, from, None).await.map(|(code, _)| code)
}

/// The same beside others: nothing is printed, but given back once all is there.
///
/// # Errors
/// Those of [`run`].
pub async fn gather(job: &Job, from: String) -> Result<(ExitCode, Vec<String>), Failure> {
    measure(job, from, Some(Vec::new())).await
}

async fn measure(
    job: &Job,
    from: String,
    kept: Option<Vec<String>>,
) -> Result<(ExitCode, Vec<String>), Failure> {
    let server = Api::new(&job.shared.server)?;
    let operation = NewOperation {
        tool: job.tool.into(),
        target: job.shared.target.clone(),
        options: Some(job.options.clone()),
        from: Some(from),
        ..NewOperation::default()
    };
    let created: OperationCreated = server.post("operations", &operation).await?;
    let id = created.operation_id;
    for warning in &created.warnings {
        output::complain(&format!("warning: {warning}"));
    }
    let detail: OperationDetail = server.get(&format!("operations/{id}")).await?;
    for skipped in &detail.operation.skipped {
        let worker = with_queue(&skipped.worker, &skipped.queue);
        output::complain(&format!("{worker} is {} and was skipped", skipped.reason.as_str()));
    }
    // Replies of several workers would run into each other, so only a single one is shown live.
    let alone = detail.results.len() == 1 && kept.is_none();
    let view = if alone { Some(view::of(job)?) } else { None };
    let live = view.is_some() && !job.shared.json && !job.shared.report;
    let mut show = Show {
        job,
        view,
        live,
        // A table takes the whole terminal.
        waiting: Waiting::new(kept.is_none() && !(live && job.wants_table())),
        kept,
        ended: BTreeSet::new(),
        fine: false,
        quit: false,
        results: BTreeMap::new(),
    };
    for result in detail.results {
        show.result(result);
    }
    let enough = show.view.as_ref().and_then(|view| view.enough());
    let by_hand = tokio::select! {
        followed = follow(&server, id, &mut show) => { followed?; None }
        interrupted = view::ended_by_hand(enough) => Some(interrupted),
    };
    if by_hand.is_some() {
        show.quit = true;
        for result in cancel(&server, id).await?.results {
            show.result(result);
        }
    }
    show.close();
    if job.shared.json {
        let operation: Value = server.get(&format!("operations/{id}")).await?;
        match &mut show.kept {
            Some(lines) => lines.push(operation.to_string()),
            None => output::json(&operation),
        }
    }
    match by_hand {
        Some(true) => Err(Failure::Interrupted),
        _ => {
            let code = if show.fine { ExitCode::SUCCESS } else { ExitCode::FAILURE };
            Ok((code, show.kept.unwrap_or_default()))
        }
    }
}

/// Cancels an operation, unless the server does not answer in time or the person who watches has no patience.
async fn cancel(server: &Api, id: Uuid) -> Result<OperationDetail, Failure> {
    let (path, nothing) = (format!("operations/{id}/cancel"), serde_json::json!({}));
    tokio::select! {
        cancelled = server.post(&path, &nothing) => cancelled,
        () = tokio::time::sleep(CANCEL_WITHIN) => {
            let seconds = CANCEL_WITHIN.as_secs();
            let why = format!("{} did not say within {seconds} s that operation {id} is cancelled", server.base);
            Err(Failure::Failed(why))
        }
        _ = view::ended_by_hand(None) => Err(Failure::Interrupted),
    }
}

/// A worker and the queue that named it; a selector has none.
fn with_queue(worker: &str, queue: &str) -> String {
    if queue.is_empty() { worker.to_owned() } else { format!("{worker} ({queue})") }
}

/// What was heard of an operation so far.
struct Show<'a> {
    job: &'a Job,
    view: Option<Box<dyn View>>,
    /// The view shows what comes while it is measured.
    live: bool,
    waiting: Waiting,
    /// What would be printed, where it is kept until all is there.
    kept: Option<Vec<String>>,
    ended: BTreeSet<Uuid>,
    fine: bool,
    /// The person who watches has seen enough, so that a cancelled measurement is a finished one.
    quit: bool,
    results: BTreeMap<Uuid, OperationResult>,
}

impl Show<'_> {
    fn result(&mut self, result: OperationResult) {
        let known = self.results.get(&result.id);
        if known.is_some_and(|known| known.version >= result.version) && !result.status.is_final() {
            return;
        }
        if let (Some(view), Some(payload), false) =
            (&mut self.view, &result.payload, result.status == Status::Error)
        {
            if self.live {
                self.waiting.wipe();
            }
            view.update(payload);
        }
        if result.status.is_final() && self.ended.insert(result.id) {
            self.end(&result);
        }
        self.results.insert(result.id, result);
    }

    /// Prints what one worker made of it.
    fn end(&mut self, result: &OperationResult) {
        self.waiting.wipe();
        let told_replies = self.view.as_mut().is_some_and(|view| {
            view.close();
            view.told_replies()
        });
        let finished = match (&result.payload, result.status) {
            (Some(payload), Status::Done | Status::Cancelled | Status::Timeout) => {
                finish::of(self.job, payload, told_replies)
            }
            _ => finish::Finished::default(),
        };
        let ended = result.status == Status::Done || (self.quit && result.status == Status::Cancelled);
        self.fine |= finished.fine && ended;
        if self.job.shared.json {
            return;
        }
        let worker = result.worker.as_deref().unwrap_or("no worker");
        // Beside other targets it must be said which one this is of.
        let target = self.kept.as_ref().map(|_| format!("{}, ", self.job.shared.target)).unwrap_or_default();
        let worker = with_queue(worker, &result.queue);
        let mut lines = vec![format!("--- {target}{worker}: {}", result.status.as_str())];
        let cause = result.payload.as_ref().and_then(|payload| payload.get("cause")).and_then(Value::as_str);
        lines.extend(cause.map(str::to_owned));
        if result.worker.is_none() && result.status == Status::Timeout {
            lines.push("nobody took the work in time; is a worker listening on this queue?".into());
        }
        lines.extend(finished.lines);
        lines.push(String::new());
        match &mut self.kept {
            Some(kept) => kept.extend(lines),
            None => output::lines(lines),
        }
    }

    fn close(&mut self) {
        self.waiting.wipe();
        if let Some(view) = &mut self.view {
            view.close();
        }
    }
}

/// Shows events until the operation has ended, across connections that break.
async fn follow(server: &Api, id: Uuid, show: &mut Show<'_>) -> Result<(), Failure> {
    let mut last_id = None;
    let mut failures = 0;
    loop {
        let before = last_id.clone();
        match listen(server, id, &mut last_id, show).await {
            Ok(true) => return Ok(()),
            Ok(false) if last_id != before => failures = 0,
            Ok(false) => failures += 1,
            Err(Failure::Failed(text)) if failures >= ATTEMPTS => return Err(Failure::Failed(text)),
            Err(Failure::Failed(_)) => failures += 1,
            Err(other) => return Err(other),
        }
        if failures > ATTEMPTS {
            return Err(Failure::Failed(format!("the connection to {} breaks again and again", server.base)));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Shows the events of one connection; true once the operation has ended.
async fn listen(
    server: &Api,
    id: Uuid,
    last_id: &mut Option<String>,
    show: &mut Show<'_>,
) -> Result<bool, Failure> {
    let mut request = server.request(reqwest::Method::GET, &format!("operations/{id}/events"));
    if let Some(last) = last_id.as_ref() {
        request = request.header("Last-Event-ID", last);
    }
    let mut response = server.send(request.header("Accept", "text/event-stream")).await?;
    let mut parser = Parser::default();
    loop {
        let Ok(chunk) = tokio::time::timeout(show.waiting.rest(), response.chunk()).await else {
            show.waiting.say(show.results.values());
            continue;
        };
        let Some(bytes) = chunk.map_err(|error| server.unreachable(&error))? else { return Ok(false) };
        for event in parser.push(&bytes).map_err(Failure::Failed)? {
            if take(&event, show)? {
                return Ok(true);
            }
            *last_id = event.id.or_else(|| last_id.take());
        }
    }
}

/// Shows one event; true when the operation has ended.
fn take(event: &Event, show: &mut Show<'_>) -> Result<bool, Failure> {
    match event.kind.as_str() {
        "result" => show.result(understood(&event.data)?),
        "operation" => drop(understood::<Operation>(&event.data)?),
        "end" => return Ok(true),
        // Kinds that a later server adds.
        _ => {}
    }
    Ok(false)
}
