//! What `doctor` asks a broker: can a server work with it, and what may a worker do there?

use std::time::Duration;

use futures::{FutureExt, StreamExt};
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{
    BasicProperties, Channel, Confirmation, Connect, Connection, ConnectionProperties, ErrorKind, Event,
};
use netwark_model::messages;
use uuid::Uuid;

use super::options::{AmqpOptions, Target};
use super::topology::{DEAD, REPORTS, queue_name};
use super::{probe, wire};

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the broker is, after a server's work was tried on it: declare, publish, confirm, consume,
/// acknowledge, delete. The queue it uses has a name of its own and is removed.
///
/// # Errors
/// What did not work, for people.
pub async fn examine_server(options: &AmqpOptions) -> Result<probe::BrokerInfo, String> {
    let target = options.target().map_err(|error| error.to_string())?;
    within(async {
        let found = probe::look(&target).await?;
        found.check_age()?;
        let connection = connect(&target).await?;
        try_work(&connection).await?;
        Ok(found)
    })
    .await
}

/// What these credentials of a worker allow or forbid against the rules of `docs/broker.md`; empty
/// when they are right. `own` is the worker, where it is known: then its own queues are tried too.
///
/// # Errors
/// Why it could not be tried.
pub async fn examine_worker(options: &AmqpOptions, own: Option<Uuid>) -> Result<Vec<String>, String> {
    let target = options.target().map_err(|error| error.to_string())?;
    within(async {
        let connection = connect(&target).await?;
        let mut wrong = Vec::new();
        if may(&connection, Deed::Declare(&format!("nw.doctor.{}", Uuid::now_v7()))).await? {
            wrong.push("they may declare queues; the configure permission has to be ^$".to_owned());
        }
        if may(&connection, Deed::Consume(&queue_name(&messages::inbox(Uuid::now_v7())))).await? {
            wrong.push("they may read the inboxes of other workers".to_owned());
        }
        for (queue, what) in [(REPORTS, "the reports of other workers"), (DEAD, "the dead letters")] {
            if may(&connection, Deed::Consume(queue)).await? {
                wrong.push(format!("they may read {what}, and so take them away"));
            }
        }
        if may(&connection, Deed::Write("")).await? {
            wrong.push("they may write to queues, and so give orders to workers".to_owned());
        }
        if !may(&connection, Deed::Write(REPORTS)).await? {
            wrong.push(format!("they may not write to the exchange {REPORTS}, so no report can be sent"));
        }
        if let Some(own) = own {
            for (address, what) in
                [(messages::inbox(own), "inbox"), (messages::control(own), "control queue")]
            {
                if !may(&connection, Deed::Consume(&queue_name(&address))).await? {
                    wrong.push(format!("they may not read the worker's own {what}"));
                }
            }
        }
        Ok(wrong)
    })
    .await
}

async fn within<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| Err(format!("it did not finish within {} seconds", PATIENCE.as_secs())))
}

async fn connect(target: &Target) -> Result<Connection, String> {
    let properties = ConnectionProperties::default().with_connection_name("netwark doctor".into());
    let runtime = lapin::runtime::default_runtime().map_err(|error| error.to_string())?;
    let Target { uri, tls } = target.clone();
    uri.connect_with_config(properties, tls, runtime).await.map_err(|error| target.refusal(&error))
}

async fn try_work(connection: &Connection) -> Result<(), String> {
    let queue = format!("nw.doctor.{}", Uuid::now_v7());
    let failed =
        |step: &'static str| move |error: lapin::Error| format!("{step} failed: {}", wire::words(&error));
    let channel = connection.create_channel().await.map_err(failed("opening a channel"))?;
    channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(failed("asking for confirms"))?;
    // Gone with this connection, whatever happens.
    let options =
        QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    channel
        .queue_declare(queue.as_str().into(), options, FieldTable::default())
        .await
        .map_err(failed("declaring a queue"))?;
    match publish(&channel, "", &queue).await.map_err(failed("publishing"))? {
        Confirmation::Ack(None) => {}
        _ => return Err("a message was not taken by the queue that was just declared".into()),
    }
    let mut consumer = channel
        .basic_consume(
            queue.as_str().into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await
        .map_err(failed("consuming"))?;
    let message = match consumer.next().await {
        Some(message) => message.map_err(failed("consuming"))?,
        None => return Err("consuming failed: the broker ended it".into()),
    };
    message.ack(BasicAckOptions::default()).await.map_err(failed("acknowledging"))?;
    channel.close(200, "OK".into()).await.map_err(failed("closing a channel"))
}

/// Something that permissions allow or forbid.
enum Deed<'a> {
    Declare(&'a str),
    Consume(&'a str),
    /// To this exchange; the one without a name leads to all queues.
    Write(&'a str),
}

/// True when it is allowed. Each is tried on a channel of its own, which ends when it is not.
async fn may(connection: &Connection, deed: Deed<'_>) -> Result<bool, String> {
    let mut events = Box::pin(connection.events_listener());
    while let Some(Some(_)) = events.next().now_or_never() {}
    let channel = connection.create_channel().await.map_err(|error| wire::words(&error))?;
    let tried = match deed {
        Deed::Declare(queue) => {
            let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
            channel.queue_declare(queue.into(), options, FieldTable::default()).await.map(|_| ())
        }
        Deed::Consume(queue) => consume(&channel, queue).await,
        Deed::Write(exchange) => write_nothing(&channel, exchange).await,
    };
    let tried = match tried {
        // The refusal came between two steps, and the second says only that the channel is gone.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidChannelState(..)) => {
            let told = events.filter_map(|event| async { refusal(event) });
            Err(Box::pin(told).next().await.unwrap_or(error))
        }
        other => other,
    };
    match tried {
        Ok(()) => {
            // What it left behind goes with the connection.
            let _ = channel.close(200, "OK".into()).await;
            Ok(true)
        }
        Err(error) if wire::is_forbidden(&error) => Ok(false),
        // Permissions are looked at first: who learns that a queue is missing might have read it.
        Err(error) if wire::is_missing(&error) => Ok(true),
        Err(error) => Err(wire::words(&error)),
    }
}

fn refusal(event: Event) -> Option<lapin::Error> {
    match event {
        Event::Error(error) => Some(error),
        _ => None,
    }
}

/// Listens for a moment and lets go; a message that came in between goes back.
async fn consume(channel: &Channel, queue: &str) -> lapin::Result<()> {
    channel.basic_qos(1, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    let consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?;
    channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await
}

/// Writes a message and takes it back before it counts.
async fn write_nothing(channel: &Channel, exchange: &str) -> lapin::Result<()> {
    channel.tx_select().await?;
    publish(channel, exchange, "nw.doctor.nothing").await?;
    channel.tx_rollback().await
}

/// Writes an empty message; where confirms were asked for, waits for it.
async fn publish(channel: &Channel, exchange: &str, key: &str) -> lapin::Result<Confirmation> {
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    let properties = BasicProperties::default().with_expiration("1000".into());
    channel.basic_publish(exchange.into(), key.into(), options, b"", properties).await?.await
}
