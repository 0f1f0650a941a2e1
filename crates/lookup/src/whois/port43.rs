//! One question over port 43 (RFC 3912): a line is sent, and what comes until the end is the answer.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::charset;
use crate::outbound::Outbound;

/// The port of WHOIS.
const PORT: u16 = 43;

/// What a server sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Received {
    /// Its answer.
    pub(super) text: String,
    /// True when it would have sent more than is kept.
    pub(super) truncated: bool,
    /// Why it may not be all.
    pub(super) broken: Option<String>,
}

/// Asks a server, which may name a port of its own, with this line.
///
/// # Errors
/// When it cannot be reached, or sends nothing in time.
pub(super) async fn ask(
    outbound: &Outbound,
    server: &str,
    line: &str,
    within: Duration,
    largest: usize,
) -> Result<Received, String> {
    let deadline = Instant::now() + within;
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| format!("'{server}' has no valid port"))?),
        None => (server, PORT),
    };
    let connected = timeout_at(deadline, outbound.connect(host, port, &[PORT], within)).await;
    let mut stream = connected
        .map_err(|_| format!("{server} did not answer within {} ms", within.as_millis()))?
        .map_err(|error| error.to_string())?;
    let sent = timeout_at(deadline, stream.write_all(format!("{line}\r\n").as_bytes())).await;
    sent.map_err(|_| "it does not take the question".to_owned())?.map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 8192];
    let mut broken = None;
    let mut truncated = false;
    loop {
        match timeout_at(deadline, stream.read(&mut chunk)).await {
            Ok(Ok(0)) => break,
            Ok(Ok(read)) => {
                let room = largest - bytes.len();
                bytes.extend_from_slice(&chunk[..read.min(room)]);
                if read > room {
                    truncated = true;
                    break;
                }
            }
            Ok(Err(error)) => {
                broken = Some(format!("the connection broke: {error}"));
                break;
            }
            Err(_) => {
                broken = Some(format!("it was still sending after {} ms", within.as_millis()));
                break;
            }
        }
    }
    match broken {
        Some(why) if bytes.is_empty() => Err(why),
        broken => Ok(Received { text: charset::plain(&charset::decode(host, &bytes)), truncated, broken }),
    }
}
