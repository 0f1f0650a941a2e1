//! The bus over RabbitMQ (AMQP 0.9.1).
//!
//! Names, arguments and permissions of everything on the broker stand in [`topology`] and, for the
//! people who run a broker, in `docs/broker.md`. A lost connection is made again with growing
//! pauses ([`link`]); nothing here waits for it but those who listen.

mod consume;
mod examine;
mod link;
mod options;
mod probe;
mod publish;
mod reports;
mod server;
mod topology;
mod wire;
mod worker;

pub use examine::{examine_server, examine_worker};
pub use options::{AmqpOptions, OptionsError};
pub use probe::{BrokerInfo, OLDEST_BROKER};
pub use server::AmqpServerBus;
pub use topology::{DEAD, REPORTS, queue_name};
pub use worker::AmqpWorkerBus;
