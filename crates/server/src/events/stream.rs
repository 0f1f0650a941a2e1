//! The timeline as it grows, by server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use netwark_store::notices::{Channel, Heard};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use uuid::Uuid;

use crate::app::App;

/// Events that may wait for a slow reader; each says the same, so one is enough.
const WAITING: usize = 4;
/// A stream ends after so long; the browser opens the next one, and is asked anew who it is.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// Changes that come closer together than this are told as one.
const GATHER: Duration = Duration::from_millis(250);
/// How often the timeline is read without a notice: some of its lines come without one.
const LOOK: Duration = Duration::from_secs(3);

/// Item of a notice that something about older events has changed.
pub(crate) const OLDER: &str = "older";

/// Follow the timeline.
///
/// The event `events` says that it has changed; its data is `{"latest": ID, "changed": false}` with the id of the event that came
/// last. Who hears it reads `GET /events` again, and needs no more than what came after the last one it knows, by
/// `came_after`, unless `changed` is true: then events that came before may have been acknowledged.
#[utoipa::path(
    get, path = "/events/stream", operation_id = "follow_events", tag = "Events",
    responses((status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String)),
)]
pub(crate) async fn follow_events(State(app): State<App>) -> Response {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let live = app.live.clone();
        // Whether the reader has gone, the time is up or the server stops: the stream ends with its sender.
        tokio::select! {
            _ = tokio::time::timeout(LONGEST, follow(app, sender)) => {}
            () = live.closed() => {}
        }
    });
    let alive = KeepAlive::new().interval(Duration::from_secs(15)).text("alive");
    let mut response = Sse::new(ReceiverStream::new(receiver)).keep_alive(alive).into_response();
    // Proxies that gather small answers would hold back every event.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

async fn follow(app: App, sender: mpsc::Sender<Result<Event, Infallible>>) {
    let mut listener = app.store.listen();
    let mut latest = newest(&app).await;
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let (noticed, changed) = tokio::select! {
            () = sender.closed() => return,
            heard = listener.next() => match heard {
                Some(Heard::Notice { channel: Channel::Events, payload }) => {
                    (true, payload.split(',').any(|item| item == OLDER))
                }
                Some(Heard::Lost) => (true, true),
                Some(_) => continue,
                None => return,
            },
            _ = look.tick() => (false, false),
        };
        if noticed {
            tokio::time::sleep(GATHER).await;
        }
        let now = newest(&app).await;
        if noticed || now != latest {
            latest = now;
            let data = json!({ "latest": latest, "changed": changed });
            if sender.send(Ok(Event::default().event("events").data(data.to_string()))).await.is_err() {
                return;
            }
        }
    }
}

async fn newest(app: &App) -> Option<Uuid> {
    app.store.latest_event().await.ok()?
}
