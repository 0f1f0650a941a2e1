//! A worker's end of the link.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use netwark_model::messages::{Report, Unwelcome};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval_at, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::connect::{NoConnection, OptionsError, Socket, Target, connect};
use super::consumer::{Listeners, Said};
use super::frames::{FromServer, FromWorker, read, write};
use super::{Keepalive, Timing, WebSocketOptions};
use crate::{Answer, BusError, Consumer, LinkState, WorkerBus};

/// Reports that wait to be written; beyond it their makers wait.
const WAITING: usize = 64;
/// A link that held for so long was a good one: the next pause is short again.
const HELD: Duration = Duration::from_secs(10);
/// How long a last word may take.
const LAST_WORD: Duration = Duration::from_secs(1);

type Settled = oneshot::Sender<Result<(), BusError>>;

/// Reports whose fate is not known yet, by their ids.
#[derive(Default)]
struct InFlight(Mutex<HashMap<u64, Settled>>);

impl InFlight {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Settled>> {
        // Every change is one call on a map, so a panic elsewhere leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker's side of the bus over a WebSocket.
pub struct WebSocketBus {
    listeners: Arc<Listeners>,
    reports: mpsc::Sender<(u64, String, Settled)>,
    next_id: AtomicU64,
    state: watch::Receiver<LinkState>,
    task: JoinHandle<()>,
    first_hop: String,
}

impl WebSocketBus {
    /// Begins to connect, in a task of the current runtime, and goes on trying until it is dropped or the
    /// server says not to.
    ///
    /// # Errors
    /// When the options cannot be used at all. A server that does not answer is no error.
    pub fn connect(options: &WebSocketOptions) -> Result<Self, OptionsError> {
        let target = options.target()?;
        let first_hop = target.first_hop().to_owned();
        let (listeners, saying) = Listeners::new();
        let (reports, reporting) = mpsc::channel(WAITING);
        let (told, state) = watch::channel(LinkState::Down { reason: "not connected yet".into() });
        let link = Link {
            target,
            timing: options.timing,
            listeners: Arc::clone(&listeners),
            saying,
            reporting,
            in_flight: InFlight::default(),
            told,
        };
        let task = tokio::spawn(link.run());
        Ok(Self { listeners, reports, next_id: AtomicU64::new(1), state, task, first_hop })
    }

    /// The host whose name is looked up on the way to the server: the proxy where there is one, else the server.
    pub fn first_hop(&self) -> &str {
        &self.first_hop
    }
}

impl Drop for WebSocketBus {
    fn drop(&mut self) {
        self.task.abort();
        self.listeners.close();
    }
}

impl std::fmt::Debug for WebSocketBus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebSocketBus").field("state", &*self.state.borrow()).finish_non_exhaustive()
    }
}

impl WorkerBus for WebSocketBus {
    fn listen(&self, addresses: Vec<String>, most: usize) -> Box<dyn Consumer> {
        Box::new(self.listeners.add(addresses, most))
    }

    fn report(&self, report: Report) -> Answer<'_, Result<(), BusError>> {
        Box::pin(async move {
            if *self.state.borrow() != LinkState::Up {
                return Err(BusError::Gone);
            }
            let id = self.next_id.fetch_add(1, Ordering::Relaxed);
            let frame = write(&FromWorker::Report { id, report: Box::new(report) })?;
            let (settled, answer) = oneshot::channel();
            self.reports.send((id, frame, settled)).await.map_err(|_| BusError::Gone)?;
            answer.await.map_err(|_| BusError::Gone)?
        })
    }

    fn state(&self) -> watch::Receiver<LinkState> {
        self.state.clone()
    }
}

/// Why a connection ended.
enum End {
    /// It is made again.
    Lost(String),
    /// For good.
    Unwelcome(Unwelcome),
}

/// The task that holds the connection.
struct Link {
    target: Target,
    timing: Timing,
    listeners: Arc<Listeners>,
    saying: mpsc::UnboundedReceiver<Said>,
    reporting: mpsc::Receiver<(u64, String, Settled)>,
    in_flight: InFlight,
    told: watch::Sender<LinkState>,
}

impl Link {
    async fn run(mut self) {
        let mut pause = self.timing.first_pause;
        loop {
            let began = Instant::now();
            let end = match timeout(self.timing.connect, connect(&self.target)).await {
                Ok(Ok((socket, keepalive))) => self.hold(socket, keepalive).await,
                Ok(Err(NoConnection::Later(reason))) => End::Lost(reason),
                Ok(Err(NoConnection::Unwelcome(unwelcome))) => End::Unwelcome(unwelcome),
                Err(_) => End::Lost("the server does not answer in time".into()),
            };
            let reason = match end {
                End::Lost(reason) => reason,
                End::Unwelcome(unwelcome) => {
                    self.told.send_replace(LinkState::Ended(unwelcome));
                    self.forget();
                    return;
                }
            };
            let down = LinkState::Down { reason: reason.clone() };
            let is_news = self.told.send_if_modified(|state| {
                *state != down && {
                    *state = down;
                    true
                }
            });
            // Once for each reason; a server that is away for a night does not fill the log.
            if is_news {
                tracing::warn!(%reason, "no link to the server; trying again");
            }
            self.forget();
            if began.elapsed() >= HELD {
                pause = self.timing.first_pause;
            }
            // Half of it by chance, so that the workers of a server that restarts do not come all at once.
            sleep(pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
            self.forget();
            pause = (pause * 2).min(self.timing.longest_pause);
        }
    }

    /// Nobody will say what became of the reports in flight, and those that wait were made for a link that
    /// has gone.
    fn forget(&mut self) {
        self.in_flight.lock().clear();
        while self.reporting.try_recv().is_ok() {}
        while self.saying.try_recv().is_ok() {}
    }

    /// Passes messages until the connection ends.
    async fn hold(&mut self, socket: Socket, keepalive: Option<Keepalive>) -> End {
        let (mut sink, stream) = socket.split();
        let (connection, first) = self.listeners.connected();
        for frame in first {
            if let Err(end) = send(&mut sink, &frame).await {
                return end;
            }
        }
        self.told.send_replace(LinkState::Up);
        tracing::info!("linked to the server");
        let Self { timing, listeners, saying, reporting, in_flight, .. } = self;
        let (ping, silence) = match keepalive {
            Some(keepalive) => (keepalive.every(), keepalive.silence()),
            None => (timing.ping, timing.silence),
        };
        let end = tokio::select! {
            end = hear(stream, connection, listeners, in_flight, silence) => end,
            end = speak(&mut sink, connection, saying, reporting, in_flight, ping) => end,
        };
        if let End::Lost(reason) = &end {
            // A server that still hears learns why, at once and not by silence.
            let reason = reason.chars().take(100).collect::<String>().into();
            let close = Message::Close(Some(CloseFrame { code: CloseCode::Away, reason }));
            let _ = timeout(LAST_WORD, sink.send(close)).await;
        }
        end
    }
}

type Sink = SplitSink<Socket, Message>;

async fn send(sink: &mut Sink, frame: &FromWorker) -> Result<(), End> {
    match write(frame) {
        Ok(text) => sink.send(Message::text(text)).await.map_err(|error| End::Lost(error.to_string())),
        // Only reports can be large, and those were looked at before.
        Err(error) => Err(End::Lost(error.to_string())),
    }
}

/// Writes what has to be said.
async fn speak(
    sink: &mut Sink,
    connection: u64,
    saying: &mut mpsc::UnboundedReceiver<Said>,
    reporting: &mut mpsc::Receiver<(u64, String, Settled)>,
    in_flight: &InFlight,
    every: Duration,
) -> End {
    let mut pings = interval_at(Instant::now() + every, every);
    loop {
        let result = tokio::select! {
            Some((of, frame)) = saying.recv() => {
                if of != connection {
                    continue;
                }
                send(sink, &frame).await
            }
            Some((id, frame, settled)) = reporting.recv() => {
                in_flight.lock().insert(id, settled);
                sink.send(Message::text(frame)).await.map_err(|error| End::Lost(error.to_string()))
            }
            _ = pings.tick() => {
                sink.send(Message::Ping(Vec::new().into())).await.map_err(|error| End::Lost(error.to_string()))
            }
        };
        if let Err(end) = result {
            return end;
        }
    }
}

/// Hears what the server says.
async fn hear(
    mut stream: SplitStream<Socket>,
    connection: u64,
    listeners: &Listeners,
    in_flight: &InFlight,
    silence: Duration,
) -> End {
    loop {
        let text = match timeout(silence, stream.next()).await {
            Err(_) => return End::Lost(format!("the server was silent for {} s", silence.as_secs())),
            Ok(None) => return End::Lost("the server closed the link".into()),
            Ok(Some(Err(error))) => return End::Lost(error.to_string()),
            Ok(Some(Ok(Message::Text(text)))) => text,
            Ok(Some(Ok(Message::Close(why)))) => {
                let why = why.map(|why| why.reason.to_string()).filter(|why| !why.is_empty());
                return End::Lost(why.unwrap_or_else(|| "the server closed the link".into()));
            }
            Ok(Some(Ok(_))) => continue,
        };
        match read(&text) {
            Ok(FromServer::Settled { id, error }) => {
                if let Some(settled) = in_flight.lock().remove(&id) {
                    // Its maker may have ceased to wait.
                    let _ = settled.send(error.map_or(Ok(()), |error| Err(error.into())));
                }
            }
            Ok(FromServer::Delivery { listen, tag, redelivered, delivery }) => {
                if let Err(broken) = listeners.arrived(connection, listen, tag, redelivered, *delivery) {
                    return End::Lost(broken.into());
                }
            }
            Ok(FromServer::End(unwelcome)) => return End::Unwelcome(unwelcome),
            Err(error) => {
                tracing::warn!(%error, "the server says what cannot be understood; update this worker");
            }
        }
    }
}
