//! What stands on the broker: names, arguments, and how it comes there.
//!
//! Everything begins with `nw.`, so that it meets nothing else on a shared broker. The server
//! declares; a worker only consumes and publishes reports.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ExchangeKind};
use netwark_model::messages::LARGEST;

/// What every name begins with.
const PREFIX: &str = "nw.";
/// The exchange and the queue of reports. A worker may write to the exchange and to nothing else.
pub const REPORTS: &str = "nw.reports";
/// The exchange and the queue of dead letters.
pub const DEAD: &str = "nw.dead";
/// Most messages that wait at one address; more are refused.
const LONGEST_QUEUE: i64 = 100_000;
/// Most bytes of reports that wait; more are refused, and stay with their workers.
const REPORT_BYTES: i64 = 256 * LARGEST as i64;
/// Most dead letters that are kept; the oldest make room.
const DEAD_LETTERS: i64 = 10_000;
/// Most bytes of dead letters that are kept.
const DEAD_BYTES: i64 = 64 * LARGEST as i64;
/// Milliseconds that a dead letter is kept, and that an inbox which nobody uses is: 7 days.
const WEEK: i64 = 7 * 24 * 3_600_000;

/// The name of an address's queue.
pub fn queue_name(address: &str) -> String {
    format!("{PREFIX}{address}")
}

/// True for an address that belongs to one worker.
pub(super) fn is_of_worker(address: &str) -> bool {
    address.starts_with("inbox.") || address.starts_with("control.")
}

/// Makes the exchanges, the queue of reports and that of dead letters.
pub(super) async fn declare_common(channel: &Channel) -> lapin::Result<()> {
    exchange(channel, DEAD, ExchangeKind::Fanout).await?;
    let limits = [
        ("x-max-length", number(DEAD_LETTERS)),
        ("x-max-length-bytes", number(DEAD_BYTES)),
        ("x-message-ttl", number(WEEK)),
    ];
    queue(channel, DEAD, limits).await?;
    bind(channel, DEAD, DEAD).await?;
    exchange(channel, REPORTS, ExchangeKind::Fanout).await?;
    let limits = [
        ("x-max-length-bytes", number(REPORT_BYTES)),
        ("x-overflow", text("reject-publish")),
        ("x-dead-letter-exchange", text(DEAD)),
    ];
    queue(channel, REPORTS, limits).await?;
    bind(channel, REPORTS, REPORTS).await
}

/// Makes the queue of an address.
pub(super) async fn declare_address(channel: &Channel, address: &str) -> lapin::Result<()> {
    let mut arguments = vec![
        ("x-max-length", number(LONGEST_QUEUE)),
        ("x-overflow", text("reject-publish")),
        ("x-dead-letter-exchange", text(DEAD)),
    ];
    // The address of one worker goes some time after the worker; a queue that people named stays.
    if is_of_worker(address) {
        arguments.push(("x-expires", number(WEEK)));
    }
    queue(channel, &queue_name(address), arguments).await
}

/// Removes the queue of an address, with what waits in it.
pub(super) async fn remove_address(channel: &Channel, address: &str) -> lapin::Result<()> {
    channel.queue_delete(queue_name(address).into(), QueueDeleteOptions::default()).await.map(|_| ())
}

async fn queue(
    channel: &Channel,
    name: &str,
    arguments: impl IntoIterator<Item = (&'static str, AMQPValue)>,
) -> lapin::Result<()> {
    let mut table = FieldTable::default();
    for (argument, value) in arguments {
        table.insert(argument.into(), value);
    }
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), options, table).await.map(|_| ())
}

async fn exchange(channel: &Channel, name: &str, kind: ExchangeKind) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(name.into(), kind, options, FieldTable::default()).await
}

async fn bind(channel: &Channel, queue: &str, exchange: &str) -> lapin::Result<()> {
    let key = ShortString::default();
    channel
        .queue_bind(queue.into(), exchange.into(), key, QueueBindOptions::default(), FieldTable::default())
        .await
}

fn number(value: i64) -> AMQPValue {
    AMQPValue::LongLongInt(value)
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}
