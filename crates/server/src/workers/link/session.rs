//! Passing messages over one link, for as long as it holds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use jiff::Timestamp;
use netwark_bus::websocket::frames::{FromServer, FromWorker, read, write};
use netwark_bus::websocket::{Keepalive, MOST_HELD};
use netwark_bus::{BusError, IncomingDelivery};
use netwark_model::messages::{Report, Unwelcome, control, inbox};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, interval_at, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::app::App;
use crate::operations::reports::receive;
use crate::workers::changed;
use crate::workers::presence::direct_queues;

/// How a worker over such a link is linked.
const LINK: &str = "websocket";
/// A worker whose link was lost usually is back within so long, and within the time it took to notice.
const COMES_BACK: Duration = Duration::from_secs(10);
/// How long a last word may take.
const LAST_WORD: Duration = Duration::from_secs(2);
/// Frames that wait to be written; beyond it who makes them waits.
const WAITING: usize = 8;
/// Most reports of a link that are applied at the same time.
const REPORTS: usize = 32;
/// Most times a link listens at once.
const MOST_LISTENS: usize = 16;
/// Most addresses it listens on at a time.
const MOST_ADDRESSES: usize = 1000;
/// The pause after the database failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Why a link ends.
enum End {
    /// It has gone, or was silent.
    Gone,
    /// It said what it must not.
    Broken(u16, String),
    /// It is not wanted any more.
    Unwelcome(Unwelcome),
    /// The server stops.
    Closing,
}

/// Messages that the worker has and has not acknowledged.
#[derive(Default)]
struct Held {
    last_tag: u64,
    messages: HashMap<u64, IncomingDelivery>,
}

/// What the tasks of one link share.
#[derive(Clone)]
struct Shared {
    app: App,
    worker: Uuid,
    out: mpsc::Sender<FromServer>,
    held: Arc<Mutex<Held>>,
    permits: Arc<Semaphore>,
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, Held> {
        // Every change is one call on a map, so a panic elsewhere leaves it whole.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes messages until the link ends. What was not acknowledged goes back to its address.
pub(super) async fn run(app: &App, worker: Uuid, socket: WebSocket, cut: oneshot::Receiver<Unwelcome>) {
    let (mut sink, stream) = socket.split();
    let (out, outgoing) = mpsc::channel(WAITING);
    let shared = Shared {
        app: app.clone(),
        worker,
        out,
        held: Arc::default(),
        permits: Arc::new(Semaphore::new(REPORTS)),
    };
    let end = tokio::select! {
        end = hear(&shared, stream) => end,
        end = speak(&mut sink, outgoing, app.settings.link_keepalive) => end,
        Ok(unwelcome) = cut => End::Unwelcome(unwelcome),
        () = app.live.closed() => End::Closing,
    };
    shared.held().messages.clear();
    // Who is sent away is gone as well, but for a worker that is here by another link. One that the server leaves
    // goes on at another server, or here after the next start.
    if !matches!(end, End::Closing) {
        tokio::spawn(lost(app.clone(), worker, Timestamp::now()));
    }
    // A worker that still hears learns why.
    let _ = timeout(LAST_WORD, last_word(app, worker, &mut sink, end)).await;
}

/// Notes a worker as gone, unless it comes back soon, here or at another server.
async fn lost(app: App, worker: Uuid, at: Timestamp) {
    sleep(COMES_BACK.min(app.settings.link_keepalive.silence())).await;
    match app.store.worker_lost(worker, at, Timestamp::now()).await {
        Ok(Some(name)) => {
            tracing::warn!(worker = %name, "a worker's link was lost, and it did not come back");
            changed(&app, worker).await;
        }
        Ok(None) => {}
        // Its silence is noticed later.
        Err(error) => tracing::debug!(%error, "a lost worker cannot be noted"),
    }
}

async fn last_word(app: &App, worker: Uuid, sink: &mut SplitSink<WebSocket, Message>, end: End) {
    let (code, reason) = match end {
        End::Gone => return,
        End::Closing => (close_code::AWAY, "the server stops".to_owned()),
        End::Broken(code, reason) => {
            app.links.count_malformed();
            tracing::warn!(%worker, %reason, "a worker's link is cut");
            (code, reason)
        }
        End::Unwelcome(unwelcome) => {
            let reason = unwelcome.reason.clone();
            if let Ok(text) = write(&FromServer::End(unwelcome)) {
                let _ = sink.send(Message::text(text)).await;
            }
            (close_code::POLICY, reason)
        }
    };
    // A control frame holds at most 125 bytes.
    let reason: String = reason.chars().filter(char::is_ascii).take(120).collect();
    let _ = sink.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
    let _ = sink.close().await;
}

/// Writes what has to be said, and signs of life.
async fn speak(
    sink: &mut SplitSink<WebSocket, Message>,
    mut outgoing: mpsc::Receiver<FromServer>,
    keepalive: Keepalive,
) -> End {
    let mut pings = interval_at(Instant::now() + keepalive.every(), keepalive.every());
    loop {
        let message = tokio::select! {
            frame = outgoing.recv() => match frame.map(|frame| write(&frame)) {
                Some(Ok(text)) => Message::text(text),
                Some(Err(error)) => {
                    tracing::error!(%error, "a message is too large for a link");
                    continue;
                }
                None => return End::Gone,
            },
            _ = pings.tick() => Message::Ping(Vec::new().into()),
        };
        // A link that takes nothing is as good as a silent one.
        match timeout(keepalive.silence(), sink.send(message)).await {
            Ok(Ok(())) => {}
            _ => return End::Gone,
        }
    }
}

/// Hears what the worker says.
async fn hear(shared: &Shared, mut stream: SplitStream<WebSocket>) -> End {
    let mut listens: HashMap<u64, DropGuard> = HashMap::new();
    let silence = shared.app.settings.link_keepalive.silence();
    loop {
        let text = match timeout(silence, stream.next()).await {
            Err(_) | Ok(None | Some(Ok(Message::Close(_)))) => return End::Gone,
            Ok(Some(Err(error))) => {
                let error = error.to_string();
                // The library tells this from a broken connection by its words only.
                return match error.contains("too long") || error.contains("size limit") {
                    true => End::Broken(close_code::SIZE, error),
                    false => End::Gone,
                };
            }
            Ok(Some(Ok(Message::Text(text)))) => text,
            Ok(Some(Ok(Message::Binary(_)))) => {
                return End::Broken(close_code::UNSUPPORTED, "frames are text".into());
            }
            Ok(Some(Ok(_))) => continue,
        };
        if let Err(end) = follow(shared, &mut listens, &text).await {
            return end;
        }
    }
}

/// Does what a frame says.
async fn follow(shared: &Shared, listens: &mut HashMap<u64, DropGuard>, text: &Utf8Bytes) -> Result<(), End> {
    let frame = read(text).map_err(|error| {
        let error = format!("a frame cannot be understood: {error}");
        End::Broken(close_code::POLICY, error)
    })?;
    match frame {
        FromWorker::Report { id, report } => {
            // Beyond so many at once the worker waits, because nothing more is read.
            let permit = Arc::clone(&shared.permits).acquire_owned().await.map_err(|_| End::Gone)?;
            let shared = shared.clone();
            // Applied to the end, even when the link is lost meanwhile: it may be stored already.
            tokio::spawn(async move {
                let turn = shared.app.links.turn().await;
                let error = Box::pin(take_in(&shared, *report)).await.err().map(Into::into);
                // A worker that does not take its answer keeps nobody else waiting.
                drop(turn);
                let _ = shared.out.send(FromServer::Settled { id, error }).await;
                drop(permit);
            });
        }
        FromWorker::Listen { id, addresses, most } => {
            check(shared.worker, &addresses)?;
            if listens.len() >= MOST_LISTENS || listens.contains_key(&id) {
                return Err(End::Broken(close_code::POLICY, "it listens too often".into()));
            }
            let ended = CancellationToken::new();
            listens.insert(id, ended.clone().drop_guard());
            tokio::spawn(pump(shared.clone(), id, addresses, most.clamp(1, MOST_HELD), ended));
        }
        FromWorker::Unlisten { id } => drop(listens.remove(&id)),
        FromWorker::Ack { tag } => {
            let message = shared.held().messages.remove(&tag);
            if let Some(message) = message {
                message.acknowledge();
            }
        }
        FromWorker::Back { tag } => {
            let message = shared.held().messages.remove(&tag);
            drop(message);
        }
    }
    Ok(())
}

/// Applies a report, if it is from the worker whose link this is.
async fn take_in(shared: &Shared, report: Report) -> Result<(), BusError> {
    let (app, worker) = (&shared.app, shared.worker);
    if report.worker_id != worker {
        tracing::warn!(%worker, named = %report.worker_id, "a worker reports in the name of another");
        app.metrics.report("refused");
        return Err(BusError::Refused("a worker reports in its own name only".into()));
    }
    receive(app, report, LINK).await
}

/// Makes sure that nobody listens on what belongs to another worker.
fn check(worker: Uuid, addresses: &[String]) -> Result<(), End> {
    if addresses.len() > MOST_ADDRESSES {
        return Err(End::Broken(close_code::POLICY, format!("more than {MOST_ADDRESSES} addresses at once")));
    }
    let own = [inbox(worker), control(worker)];
    let foreign = |address: &&String| {
        (address.starts_with("inbox.") || address.starts_with("control.")) && !own.contains(address)
    };
    match addresses.iter().find(foreign) {
        Some(_) => {
            Err(End::Broken(close_code::POLICY, "it listens on what belongs to another worker".into()))
        }
        None => Ok(()),
    }
}

/// The addresses the worker may listen on. What it asks for may be older than what it is granted, so the rest
/// is left out and not held against it.
async fn granted(shared: &Shared, addresses: &[String]) -> Vec<String> {
    let (app, worker) = (&shared.app, shared.worker);
    let own = [inbox(worker), control(worker)];
    loop {
        let queues = Box::pin(async {
            let _turn = app.links.turn().await;
            // Not what is remembered of the worker: the answer counts for as long as it listens.
            let card = app.store.worker_card(worker).await.map_err(|error| error.to_string())?;
            let queues = card.map(|card| card.queues).unwrap_or_default();
            direct_queues(app, &queues).await.map_err(|error| error.to_string())
        });
        match queues.await {
            Ok(queues) => {
                let allowed = |address: &&String| own.contains(address) || queues.contains(address);
                return addresses.iter().filter(allowed).cloned().collect();
            }
            Err(error) => tracing::warn!(%worker, %error, "what a worker may listen on cannot be read"),
        }
        sleep(AFTER_FAILURE).await;
    }
}

/// Passes on messages from some addresses until nobody wants them any more.
async fn pump(shared: Shared, listen: u64, addresses: Vec<String>, most: usize, ended: CancellationToken) {
    let passing = async {
        let granted = granted(&shared, &addresses).await;
        drop(addresses);
        let mut consumer = shared.app.bus.listen(granted, most);
        while let Some(message) = consumer.next().await {
            let redelivered = message.redelivered;
            let delivery = Box::new(message.delivery.clone());
            let tag = {
                let mut held = shared.held();
                held.last_tag += 1;
                let tag = held.last_tag;
                held.messages.insert(tag, message);
                tag
            };
            let frame = FromServer::Delivery { listen, tag, redelivered, delivery };
            // What is not sent when this ends has to go back.
            let unsent = GiveBack { shared: &shared, tag: Some(tag) };
            if shared.out.send(frame).await.is_err() {
                return;
            }
            unsent.sent();
        }
    };
    tokio::select! {
        () = ended.cancelled() => {}
        () = passing => {}
    }
}

/// Gives a message back unless it was sent.
struct GiveBack<'a> {
    shared: &'a Shared,
    tag: Option<u64>,
}

impl GiveBack<'_> {
    fn sent(mut self) {
        self.tag = None;
    }
}

impl Drop for GiveBack<'_> {
    fn drop(&mut self) {
        if let Some(tag) = self.tag {
            let message = self.shared.held().messages.remove(&tag);
            drop(message);
        }
    }
}
