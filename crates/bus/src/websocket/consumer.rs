//! Messages that came over a link, on their way to who wanted them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use netwark_model::messages::Delivery;
use tokio::sync::mpsc;

use super::frames::FromWorker;
use crate::{Answer, Consumer, Fate, IncomingDelivery};

/// What has to be said besides reports, and the connection on which it has a meaning.
pub(super) type Said = (u64, FromWorker);

/// A message, and the connection it came by.
struct Arrived {
    connection: u64,
    tag: u64,
    redelivered: bool,
    delivery: Delivery,
}

struct Wanted {
    addresses: Vec<String>,
    most: usize,
    out: mpsc::Sender<Arrived>,
}

#[derive(Default)]
struct State {
    /// The number of the connection there is now, or was last.
    connection: u64,
    next_id: u64,
    wanted: HashMap<u64, Wanted>,
}

/// Who wants which messages.
pub(super) struct Listeners {
    state: Mutex<State>,
    said: mpsc::UnboundedSender<Said>,
}

impl Listeners {
    /// Nobody yet. What has to be said to the server comes out of the receiver; at most one thing for each
    /// message that is held and each consumer there is.
    pub(super) fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<Said>) {
        let (said, saying) = mpsc::unbounded_channel();
        (Arc::new(Self { state: Mutex::default(), said }), saying)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is one call on a map, so a panic elsewhere leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wants messages, from now on and over every connection to come.
    pub(super) fn add(self: &Arc<Self>, addresses: Vec<String>, most: usize) -> LinkConsumer {
        let most = most.clamp(1, super::MOST_HELD);
        let (out, arrived) = mpsc::channel(most);
        let mut state = self.lock();
        state.next_id += 1;
        let id = state.next_id;
        let connection = state.connection;
        state.wanted.insert(id, Wanted { addresses: addresses.clone(), most, out });
        // A connection that is yet to come is told by `connected`.
        self.say((connection, FromWorker::Listen { id, addresses, most }));
        LinkConsumer { id, arrived, listeners: Arc::clone(self) }
    }

    /// A connection is there. Returns its number and what to say first.
    pub(super) fn connected(&self) -> (u64, Vec<FromWorker>) {
        let mut state = self.lock();
        state.connection += 1;
        let listens = state.wanted.iter().map(|(id, wanted)| FromWorker::Listen {
            id: *id,
            addresses: wanted.addresses.clone(),
            most: wanted.most,
        });
        (state.connection, listens.collect())
    }

    /// Hands a message to who wanted it.
    ///
    /// # Errors
    /// When more came than was asked for.
    pub(super) fn arrived(
        &self,
        connection: u64,
        listen: u64,
        tag: u64,
        redelivered: bool,
        delivery: Delivery,
    ) -> Result<(), &'static str> {
        let state = self.lock();
        let message = Arrived { connection, tag, redelivered, delivery };
        let sent = match state.wanted.get(&listen) {
            Some(wanted) => wanted.out.try_send(message),
            None => Err(mpsc::error::TrySendError::Closed(message)),
        };
        match sent {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => Err("the server sends more than was asked for"),
            // It was on its way when it ceased to be wanted.
            Err(mpsc::error::TrySendError::Closed(message)) => {
                self.say((connection, FromWorker::Back { tag: message.tag }));
                Ok(())
            }
        }
    }

    /// Nothing comes any more.
    pub(super) fn close(&self) {
        self.lock().wanted.clear();
    }

    fn say(&self, said: Said) {
        // Nobody hears it once the bus is gone.
        let _ = self.said.send(said);
    }
}

/// Takes messages that come over a link.
pub(super) struct LinkConsumer {
    id: u64,
    arrived: mpsc::Receiver<Arrived>,
    listeners: Arc<Listeners>,
}

impl Consumer for LinkConsumer {
    fn next(&mut self) -> Answer<'_, Option<IncomingDelivery>> {
        Box::pin(async move {
            loop {
                let Arrived { connection, tag, redelivered, delivery } = self.arrived.recv().await?;
                if self.listeners.lock().connection != connection {
                    // The server took it back with the connection it came by, and it will come again.
                    continue;
                }
                let listeners = Arc::clone(&self.listeners);
                return Some(IncomingDelivery::new(delivery, redelivered, move |fate| {
                    let said = match fate {
                        Fate::Acknowledged => FromWorker::Ack { tag },
                        Fate::Returned(_) => FromWorker::Back { tag },
                    };
                    listeners.say((connection, said));
                }));
            }
        })
    }
}

impl Drop for LinkConsumer {
    fn drop(&mut self) {
        let connection = {
            let mut state = self.listeners.lock();
            state.wanted.remove(&self.id);
            state.connection
        };
        self.listeners.say((connection, FromWorker::Unlisten { id: self.id }));
        self.arrived.close();
        while let Ok(Arrived { connection, tag, .. }) = self.arrived.try_recv() {
            self.listeners.say((connection, FromWorker::Back { tag }));
        }
    }
}
