//! Reports as messages: signed and sent by a worker, taken by a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lapin::message::Delivery as Message;
use lapin::types::{AMQPValue, FieldTable};
use netwark_model::messages::Report;
use tokio::runtime::Handle;

use super::consume::{Held, Read, Verdict};
use super::publish::Parcel;
use super::{topology, wire};
use crate::signing::SigningKey;
use crate::{BusError, IncomingReport, Proof};

/// The pause before a report that could not be stored is given out again.
const BEFORE_RETURN: Duration = Duration::from_secs(1);

/// A report, signed.
pub(super) fn parcel(report: &Report, key: &SigningKey) -> Result<Parcel, BusError> {
    let body = wire::write(report)?;
    let mut headers = FieldTable::default();
    headers.insert(wire::SIGNATURE.into(), AMQPValue::LongString(STANDARD.encode(key.sign(&body)).into()));
    headers.insert(wire::WORKER.into(), AMQPValue::LongString(report.worker_id.to_string().into()));
    Ok(Parcel {
        exchange: topology::REPORTS.into(),
        key: "".into(),
        body,
        headers: Some(headers),
        expires_in: None,
    })
}

/// Reads reports as they come; what cannot be read is counted and goes to the dead letters.
pub(super) fn reader(malformed: Arc<AtomicU64>) -> Read<IncomingReport> {
    let runtime = Handle::current();
    Arc::new(move |message, held| match read(&message) {
        Ok((report, signature)) => {
            let runtime = runtime.clone();
            let proof = Proof::Signature { body: message.data, signature };
            let redelivered = message.redelivered;
            let incoming = IncomingReport::new(report, proof, move |result| settle(held, result, &runtime));
            Some(incoming.again(redelivered))
        }
        Err(reason) => {
            malformed.fetch_add(1, Ordering::Relaxed);
            let begins = wire::excerpt(&message.data);
            tracing::warn!(%reason, %begins, "a report cannot be read; it is with the dead letters");
            held.settle(Verdict::Bury);
            None
        }
    })
}

fn read(message: &Message) -> Result<(Report, Vec<u8>), String> {
    let header =
        message.properties.headers().as_ref().and_then(|headers| headers.inner().get(wire::SIGNATURE));
    let Some(AMQPValue::LongString(signature)) = header else {
        return Err("it is not signed".into());
    };
    let signature =
        STANDARD.decode(signature.as_bytes()).map_err(|_| "its signature is not base64".to_owned())?;
    Ok((wire::read_report(&message.data)?, signature))
}

fn settle(held: Held, result: Result<(), BusError>, runtime: &Handle) {
    match result {
        Err(error) if error.is_temporary() => {
            runtime.spawn(async move {
                tokio::time::sleep(BEFORE_RETURN).await;
                held.settle(Verdict::Return);
            });
        }
        // A refused report is refused for ever; whoever refused it has counted it.
        _ => held.settle(Verdict::Acknowledge),
    }
}
