//! Operations as they change, by server-sent events.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use netwark_model::error::FieldError;
use netwark_model::operations::OperationDetail;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use uuid::Uuid;

use super::api::unknown;
use super::places;
use crate::app::App;
use crate::error::{Problem, ProblemBody};
use crate::extract::{Id, Params};
use crate::live::Told;

/// Events that may wait for a slow reader.
const WAITING: usize = 64;
/// A stream ends after so long; the browser opens the next one, and is asked anew who it is.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// Most operations one stream watches.
const MOST_IDS: usize = 100;
/// Changes that come closer together than this are told as one.
const GATHER: Duration = Duration::from_millis(40);
/// How often what is watched is read without a notice, where one of another server may be lost.
const LOOK: Duration = Duration::from_secs(10);

/// Watch one operation.
///
/// Events are `operation` and `result`, their data the same as in `GET /operations/{id}`, their id
/// the operation's version. A reconnect with `Last-Event-ID` gets what is newer. After the event
/// `end` nothing more comes.
#[utoipa::path(
    get, path = "/operations/{id}/events", operation_id = "watch_operation", tag = "Operations",
    params(
        ("id" = Uuid, Path, description = "Its id"),
        ("Last-Event-ID" = Option<i64>, Header, description = "The version that was seen last"),
    ),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String),
        (status = 400, description = "The id is no UUID, or the version no number", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such operation", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub async fn watch_operation(
    State(app): State<App>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seen = match headers.get("last-event-id").map(|value| value.to_str().unwrap_or_default().trim()) {
        None | Some("") => 0,
        Some(text) => text
            .parse::<i64>()
            .map_err(|_| FieldError::header("Last-Event-ID", "must be the id of an event, a whole number"))?,
    };
    let changes = app.live.watch();
    app.store.operation(id).await?.ok_or_else(|| unknown(id))?;
    let watch = Watch { app, changes, seen: BTreeMap::from([(id, seen)]), list: false, single: true };
    Ok(watch.respond())
}

/// Watch many operations in one stream.
///
/// Names each operation by `id`; with `list=true` the headers of every operation that changes come,
/// too. The data of `result` events has the `operation_id` beside. There is no resuming: the stream
/// begins with everything there is of the named operations.
#[utoipa::path(
    get, path = "/operations/events", operation_id = "watch_operations", tag = "Operations",
    params(
        ("id" = Option<Vec<Uuid>>, Query, description = "Operations to watch, at most 100"),
        ("list" = Option<bool>, Query, description = "Also the headers of every operation that changes"),
    ),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String),
        (status = 400, description = "A parameter is wrong", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub async fn watch_operations(State(app): State<App>, mut params: Params) -> Result<Response, Problem> {
    let list = params.flag("list");
    let mut seen = BTreeMap::new();
    let mut errors = Vec::new();
    for text in params.take_all("id") {
        match Uuid::try_parse(text.trim()) {
            Ok(id) => {
                seen.insert(id, 0);
            }
            Err(_) => errors.push(FieldError::query("id", "must be a UUID")),
        }
    }
    if seen.len() > MOST_IDS {
        errors.push(FieldError::query("id", format!("at most {MOST_IDS} operations can be watched")));
    }
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    params.finish()?;
    let changes = app.live.watch();
    Ok(Watch { app, changes, seen, list: list.unwrap_or(false), single: false }.respond())
}

struct Watch {
    app: App,
    changes: broadcast::Receiver<Told>,
    /// The version each watched operation was last told of.
    seen: BTreeMap<Uuid, i64>,
    list: bool,
    single: bool,
}

type Sender = mpsc::Sender<Result<Event, Infallible>>;

/// The reader has gone.
struct Gone;

impl Watch {
    fn respond(self) -> Response {
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            let live = self.app.live.clone();
            // Whether the reader has gone, the time is up or the server stops: the stream ends with its sender.
            tokio::select! {
                _ = tokio::time::timeout(LONGEST, self.run(sender)) => {}
                () = live.closed() => {}
            }
        });
        let alive = KeepAlive::new().interval(Duration::from_secs(15)).text("alive");
        let mut response = Sse::new(ReceiverStream::new(receiver)).keep_alive(alive).into_response();
        // Proxies that gather small answers would hold back every event.
        response.headers_mut().insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
        response
    }

    async fn run(mut self, sender: Sender) -> Result<(), Gone> {
        let ids: Vec<Uuid> = self.seen.keys().copied().collect();
        for id in ids {
            if self.tell(id, &sender).await? && self.single {
                return self.end(&sender).await;
            }
        }
        loop {
            let changed = tokio::select! {
                changed = self.next_changes() => changed?,
                () = sender.closed() => return Err(Gone),
            };
            for (id, in_list) in changed {
                if self.seen.contains_key(&id) {
                    if self.tell(id, &sender).await? && self.single {
                        return self.end(&sender).await;
                    }
                } else if in_list {
                    self.tell_header(id, &sender).await?;
                }
            }
        }
    }

    /// The operations that changed, gathered for a moment; true for those only the list asks for.
    async fn next_changes(&mut self) -> Result<BTreeMap<Uuid, bool>, Gone> {
        let mut changed = BTreeMap::new();
        let mut until = self.app.live.is_shared().then(|| tokio::time::Instant::now() + LOOK);
        loop {
            let next = match until {
                None => self.changes.recv().await,
                Some(until) => match tokio::time::timeout_at(until, self.changes.recv()).await {
                    Ok(next) => next,
                    Err(_) if changed.is_empty() => return Ok(self.everything()),
                    Err(_) => return Ok(changed),
                },
            };
            match next {
                Ok(Told::Changed(change)) => {
                    let watched = self.seen.get(&change.operation_id);
                    if watched.is_some_and(|seen| *seen < change.version) || (watched.is_none() && self.list)
                    {
                        changed.insert(change.operation_id, watched.is_none());
                    }
                }
                // It is not known what changed. Who sees the list opens the stream anew and reads the list again.
                Ok(Told::Missed) | Err(RecvError::Lagged(_)) if self.list => return Err(Gone),
                // Everything that is watched is read again.
                Ok(Told::Missed) | Err(RecvError::Lagged(_)) => return Ok(self.everything()),
                Err(RecvError::Closed) => return Err(Gone),
            }
            if !changed.is_empty() {
                // The first change begins the moment; later ones do not make it longer.
                let moment = tokio::time::Instant::now() + GATHER;
                until = Some(until.map_or(moment, |until| until.min(moment)));
            }
        }
    }

    fn everything(&self) -> BTreeMap<Uuid, bool> {
        self.seen.keys().map(|id| (*id, false)).collect()
    }

    /// Tells what is new of an operation. True once it is final.
    async fn tell(&mut self, id: Uuid, sender: &Sender) -> Result<bool, Gone> {
        let seen = self.seen.get(&id).copied().unwrap_or_default();
        let mut detail = match self.app.store.operation_since(id, seen).await {
            Ok(Some(detail)) => detail,
            Ok(None) => return Ok(true),
            Err(error) => {
                tracing::warn!(%error, "a watched operation cannot be read");
                return Ok(false);
            }
        };
        let is_final = detail.operation.status.is_final();
        let version = detail.operation.version;
        if version > seen {
            places::complete_detail(&self.app, &mut detail).await;
            for event in self.events(detail) {
                sender.send(Ok(event)).await.map_err(|_| Gone)?;
            }
            self.seen.insert(id, version);
        }
        Ok(is_final)
    }

    fn events(&self, detail: OperationDetail) -> Vec<Event> {
        let version = detail.operation.version.to_string();
        let mut events = Vec::with_capacity(detail.results.len() + 1);
        for result in detail.results {
            let mut data = json!(result);
            if let (false, Value::Object(map)) = (self.single, &mut data) {
                map.insert("operation_id".into(), json!(detail.operation.id));
            }
            events.push(Event::default().event("result").data(data.to_string()));
        }
        // The id comes with the last event: who loses the connection in between is told everything again.
        events
            .push(Event::default().event("operation").id(version).data(json!(detail.operation).to_string()));
        events
    }

    async fn tell_header(&self, id: Uuid, sender: &Sender) -> Result<(), Gone> {
        if let Ok(Some(operation)) = self.app.store.operation(id).await {
            let event = Event::default().event("operation").data(json!(operation).to_string());
            sender.send(Ok(event)).await.map_err(|_| Gone)?;
        }
        Ok(())
    }

    async fn end(&self, sender: &Sender) -> Result<(), Gone> {
        sender.send(Ok(Event::default().event("end").data("{}"))).await.map_err(|_| Gone)
    }
}
