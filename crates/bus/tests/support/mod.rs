//! What tests of the bus share.

#![expect(dead_code, reason = "each file of tests uses a part of it")]

pub mod broker;
pub mod proxy;
pub mod tls;

use std::time::Duration;

use netwark_bus::signing::SigningKey;
use netwark_bus::{Consumer, IncomingDelivery};
use netwark_model::messages::{Delivery, Order};
use uuid::Uuid;

/// Longer than anything here takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Has what the bus says of itself written beside a failure: what went wrong at a broker is seldom seen twice.
pub fn log() {
    let lines = tracing_subscriber::fmt().with_test_writer().with_env_filter("info,netwark_bus=debug");
    // Tests of one process share it.
    let _ = lines.with_ansi(false).try_init();
}

/// What a future brings; fails when it takes for ever.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not happen"),
    }
}

/// Tries until it succeeds.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut attempt: impl FnMut() -> F) -> T {
    soon(what, async {
        loop {
            if let Some(value) = attempt().await {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
}

/// The next message.
pub async fn take(consumer: &mut Box<dyn Consumer>) -> IncomingDelivery {
    soon("a message", consumer.next()).await.unwrap()
}

/// A message that is known by its number.
pub fn numbered(number: usize) -> Delivery {
    Delivery::new(Order::Cancel { operation_id: Uuid::from_u128(u128::try_from(number).unwrap()) })
}

/// The number of a message.
pub fn number(delivery: &Delivery) -> usize {
    match delivery.order {
        Order::Cancel { operation_id } => usize::try_from(operation_id.as_u128()).unwrap(),
        _ => panic!("not a numbered message: {delivery:?}"),
    }
}

/// A key that nobody keeps.
pub fn key() -> SigningKey {
    let directory = tempfile::tempdir().unwrap();
    SigningKey::load_or_create(&directory.path().join("worker.key")).unwrap()
}
