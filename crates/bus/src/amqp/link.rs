//! One connection to the broker, made again whenever it ends.
//!
//! A connection is never repaired: when it ends, everybody who used it opens channels on the next
//! one. That way there is one path for the first connection and for the hundredth.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use lapin::{Connect, Connection, ConnectionProperties, Event};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::options::Target;
use super::{probe, wire};
use crate::{BusError, LinkState};

/// How long a connection may take to stand.
const PATIENCE: Duration = Duration::from_secs(10);
/// The first pause before another try; it doubles with every failure.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause while nothing answers there: who asks costs little then, and is there soon after the broker.
const LONGEST_AWAY: Duration = Duration::from_secs(5);
/// The longest pause while the broker refuses, which takes somebody to change it, or loses every connection.
const LONGEST_REFUSED: Duration = Duration::from_secs(30);
/// A connection that ends sooner counts as a failure.
const SHORTEST_LIFE: Duration = Duration::from_secs(5);
/// How often a connection is looked at without a sign of change.
const LOOK: Duration = Duration::from_millis(500);

/// How the connection is.
#[derive(Clone)]
enum Status {
    Up(Arc<Connection>),
    Down(String),
}

/// A connection that is made again whenever it ends, until this is dropped.
pub(super) struct Link {
    status: watch::Receiver<Status>,
    state: watch::Receiver<LinkState>,
    task: AbortHandle,
}

impl Link {
    /// Begins to connect. `name` is shown in the broker's list of connections.
    pub(super) fn start(target: Target, name: String) -> Arc<Self> {
        let reason = format!("it has not answered yet ({target})");
        let (status_sender, status) = watch::channel(Status::Down(reason.clone()));
        let (state_sender, state) = watch::channel(LinkState::Down { reason });
        let keeper = Keeper { target, name, status: status_sender, state: state_sender };
        let task = tokio::spawn(keeper.run()).abort_handle();
        Arc::new(Self { status, state, task })
    }

    /// The connection as it stands now.
    pub(super) fn connection(&self) -> Result<Arc<Connection>, BusError> {
        match &*self.status.borrow() {
            Status::Up(connection) if connection.status().connected() => Ok(Arc::clone(connection)),
            Status::Up(_) => Err(BusError::Unavailable("the connection has ended".into())),
            Status::Down(reason) => Err(BusError::Unavailable(reason.clone())),
        }
    }

    /// The connection, once it stands; `None` when there will be none any more.
    pub(super) async fn up(&self) -> Option<Arc<Connection>> {
        let mut status = self.status.clone();
        let found = status.wait_for(|status| matches!(status, Status::Up(_))).await.ok()?;
        match &*found {
            Status::Up(connection) => Some(Arc::clone(connection)),
            Status::Down(_) => None,
        }
    }

    /// Returns when this connection is not the one that stands any more.
    pub(super) async fn ended(&self, connection: &Arc<Connection>) {
        let is_current =
            |status: &Status| matches!(status, Status::Up(current) if Arc::ptr_eq(current, connection));
        // There will be no other either when nobody keeps the link any more.
        let _ = self.status.clone().wait_for(|status| !is_current(status)).await;
    }

    /// The state of the connection, as it changes.
    pub(super) fn state(&self) -> watch::Receiver<LinkState> {
        self.state.clone()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why there is no connection.
struct NotOpen {
    reason: String,
    /// The longest pause before another try.
    longest: Duration,
}

impl NotOpen {
    fn refused(reason: String) -> Self {
        Self { reason, longest: LONGEST_REFUSED }
    }
}

struct Keeper {
    target: Target,
    name: String,
    status: watch::Sender<Status>,
    state: watch::Sender<LinkState>,
}

impl Keeper {
    async fn run(self) {
        let (mut failures, mut short_lives) = (0, 0);
        loop {
            let pause = match self.open().await {
                Ok(connection) => {
                    // However long the broker was away, the first connection that is lost is made again at once.
                    failures = 0;
                    let since = Instant::now();
                    let reason = self.hold(connection).await;
                    short_lives = if since.elapsed() < SHORTEST_LIFE { short_lives + 1 } else { 0 };
                    self.down(&reason);
                    tracing::warn!(broker = %self.target, %reason, "the connection to the broker is lost");
                    pause(short_lives, LONGEST_REFUSED)
                }
                Err(NotOpen { reason, longest }) => {
                    failures += 1;
                    self.down(&reason);
                    tracing::warn!(broker = %self.target, %reason, failures, "the broker cannot be used");
                    pause(failures, longest)
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn open(&self) -> Result<Arc<Connection>, NotOpen> {
        let found = probe::look(&self.target).await;
        let found = found.map_err(|reason| NotOpen { reason, longest: LONGEST_AWAY })?;
        found.check_age().map_err(NotOpen::refused)?;
        let properties = ConnectionProperties::default()
            .with_connection_name(self.name.as_str().into())
            .with_client_property("product".into(), "Netwark".into())
            .with_client_property("version".into(), env!("CARGO_PKG_VERSION").into());
        let runtime =
            lapin::runtime::default_runtime().map_err(|error| NotOpen::refused(error.to_string()))?;
        let Target { uri, tls, .. } = self.target.clone();
        let opening = uri.connect_with_config(properties, tls, runtime);
        match tokio::time::timeout(PATIENCE, opening).await {
            Ok(Ok(connection)) => {
                tracing::info!(
                    broker = %self.target,
                    product = %found.product,
                    version = %found.version,
                    "connected to the broker"
                );
                Ok(Arc::new(connection))
            }
            Ok(Err(error)) => Err(NotOpen::refused(self.target.refusal(&error))),
            Err(_) => Err(NotOpen::refused(format!(
                "it does not open the connection within {} seconds",
                PATIENCE.as_secs()
            ))),
        }
    }

    /// Lets others use the connection until it ends, and says why it did.
    async fn hold(&self, connection: Arc<Connection>) -> String {
        let mut events = Box::pin(connection.events_listener());
        self.status.send_replace(Status::Up(Arc::clone(&connection)));
        self.state.send_replace(LinkState::Up);
        let mut look = tokio::time::interval(LOOK);
        let mut reason = None;
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                _ = look.tick() => None,
            };
            match event {
                Some(Event::ConnectionBlocked(why)) => {
                    tracing::warn!(broker = %self.target, reason = %why, "the broker takes no messages");
                }
                Some(Event::ConnectionUnblocked) => {
                    tracing::info!(broker = %self.target, "the broker takes messages again");
                }
                // Errors of channels come here too; what counts is whether the connection stands.
                Some(Event::Error(error)) => reason = Some(wire::words(&error)),
                _ => {}
            }
            if !connection.status().connected() {
                return reason.unwrap_or_else(|| "the broker closed it".into());
            }
        }
    }

    fn down(&self, reason: &str) {
        self.status.send_replace(Status::Down(reason.to_owned()));
        self.state.send_replace(LinkState::Down { reason: reason.to_owned() });
    }
}

/// A pause that grows with the failures, and differs between many who lost the same broker.
fn pause(failures: u32, longest: Duration) -> Duration {
    let longest = SHORTEST_PAUSE.saturating_mul(1 << failures.min(10)).min(longest);
    longest.mul_f64(rand::random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_end_and_differ() {
        for failures in [0, 1, 5, 10, u32::MAX] {
            let longest = SHORTEST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_AWAY);
            let pauses: Vec<_> = (0..50).map(|_| pause(failures, LONGEST_AWAY)).collect();
            assert!(pauses.iter().all(|pause| *pause <= longest && *pause >= longest / 2), "{failures}");
            assert!(pauses.iter().any(|pause| Some(pause) != pauses.first()), "{failures}");
        }
        assert!(pause(10, LONGEST_REFUSED) >= LONGEST_REFUSED / 2);
    }
}
