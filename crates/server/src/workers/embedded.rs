//! The bus of the worker inside a server's own process, when a broker carries the messages: it takes its
//! work from the broker through the server, and its reports need no broker to come here.

use netwark_bus::{Answer, BusError, Consumer, LinkState, WorkerBus};
use netwark_model::messages::Report;
use tokio::sync::watch;

use crate::app::App;
use crate::operations::reports::receive;
use crate::workers::presence::EMBEDDED;

/// A worker's side of the server's own bus.
#[derive(Debug)]
pub struct EmbeddedBus {
    app: App,
    state: watch::Sender<LinkState>,
}

impl EmbeddedBus {
    /// For the worker inside this server.
    pub fn new(app: App) -> Self {
        Self { app, state: watch::Sender::new(LinkState::Up) }
    }
}

impl WorkerBus for EmbeddedBus {
    fn listen(&self, addresses: Vec<String>, most: usize) -> Box<dyn Consumer> {
        self.app.bus.listen(addresses, most)
    }

    fn report(&self, report: Report) -> Answer<'_, Result<(), BusError>> {
        Box::pin(receive(&self.app, report, EMBEDDED))
    }

    fn state(&self) -> watch::Receiver<LinkState> {
        self.state.subscribe()
    }
}
