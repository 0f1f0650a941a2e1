//! Looking at a broker before it is used: does it speak AMQP, what is it, how old is it?
//!
//! lapin does not tell what the broker says of itself, and a peer that accepts a connection and
//! stays silent would hold a thread of it for ever. So the first frame is read here.

use std::io;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use lapin::tcp::AMQPUriTcpExt;
use lapin::types::{AMQPValue, FieldTable, parsing};

use super::options::Target;

/// The oldest RabbitMQ that is used.
pub const OLDEST_BROKER: &str = "3.8";
/// How long a broker may take to say what it is.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of a broker's first frame.
const LARGEST: usize = 64 * 1024;

/// What a broker says of itself before anybody signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerInfo {
    /// Such as `RabbitMQ`.
    pub product: String,
    /// Such as `3.10.8`.
    pub version: String,
}

impl BrokerInfo {
    /// Refuses a RabbitMQ that is too old. Other products are tried: some speak the same protocol.
    ///
    /// # Errors
    /// When it is older than [`OLDEST_BROKER`], with both versions.
    pub fn check_age(&self) -> Result<(), String> {
        let major_and_minor = |version: &str| {
            let mut parts = version.split(['.', '-', '+']).map(|part| part.parse::<u32>().ok());
            Some((parts.next()??, parts.next()??))
        };
        match (major_and_minor(&self.version), major_and_minor(OLDEST_BROKER)) {
            (Some(found), Some(oldest)) if self.product == "RabbitMQ" && found < oldest => {
                Err(format!("it is RabbitMQ {}; Netwark needs {OLDEST_BROKER} or later", self.version))
            }
            _ => Ok(()),
        }
    }
}

/// Asks a broker what it is, without signing in.
pub(super) async fn look(target: &Target) -> Result<BrokerInfo, String> {
    match tokio::time::timeout(PATIENCE, ask(target)).await {
        Ok(Ok(frame)) => read(&frame),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it does not say what it is within {} seconds", PATIENCE.as_secs())),
    }
}

/// The first frame of the broker, without its header and its end.
async fn ask(target: &Target) -> io::Result<Vec<u8>> {
    let runtime = lapin::runtime::default_runtime().map_err(io::Error::other)?;
    let mut stream = target.uri.connect_with_config_async(target.tls.as_ref(), &runtime).await?;
    stream.write_all(b"AMQP\x00\x00\x09\x01").await?;
    stream.flush().await?;
    let mut header = [0; 7];
    stream.read_exact(&mut header).await?;
    let [kind, channel_high, channel_low, a, b, c, d] = header;
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if (kind, channel_high, channel_low) != (1, 0, 0) || length > LARGEST {
        return Err(io::Error::other("what answers there does not speak AMQP 0.9.1"));
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame).await?;
    Ok(frame)
}

/// Reads `connection.start`: class 10, method 10, two bytes of version, a table of properties.
fn read(frame: &[u8]) -> Result<BrokerInfo, String> {
    let [0, 10, 0, 10, 0, 9, table @ ..] = frame else {
        return Err("what answers there does not begin as AMQP 0.9.1 does".into());
    };
    let (_, properties) =
        parsing::parse_field_table(table).map_err(|_| "what it says of itself is malformed".to_owned())?;
    let text = |key: &str| text(&properties, key).unwrap_or_default();
    Ok(BrokerInfo { product: text("product"), version: text("version") })
}

fn text(properties: &FieldTable, key: &str) -> Option<String> {
    match properties.inner().get(key)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_broker_is_judged_by_numbers() {
        let age = |product: &str, version: &str| {
            BrokerInfo { product: product.into(), version: version.into() }.check_age()
        };
        for fine in ["3.8.0", "3.10.8", "3.13", "4.1.0-rc.1", "40.0.0"] {
            assert_eq!(age("RabbitMQ", fine), Ok(()), "{fine}");
        }
        let told = age("RabbitMQ", "3.7.28").unwrap_err();
        assert!(told.contains("3.7.28") && told.contains("3.8"), "{told}");
        assert!(age("RabbitMQ", "2.9.9").is_err());
        assert_eq!(age("LavinMQ", "2.1.0"), Ok(()), "another product counts its own way");
        assert_eq!(age("RabbitMQ", "main"), Ok(()), "a build without a number");
    }

    #[test]
    fn the_first_frame_is_read_whatever_it_holds() {
        // product = "RabbitMQ", version = "3.8.1", and a table nested in the table.
        let mut entries = Vec::new();
        for (key, value) in [("product", "RabbitMQ"), ("version", "3.8.1")] {
            entries.push(u8::try_from(key.len()).unwrap());
            entries.extend_from_slice(key.as_bytes());
            entries.push(b'S');
            entries.extend_from_slice(&u32::try_from(value.len()).unwrap().to_be_bytes());
            entries.extend_from_slice(value.as_bytes());
        }
        entries.extend_from_slice(b"\x0ccapabilitiesF\x00\x00\x00\x00");
        let mut frame = vec![0, 10, 0, 10, 0, 9];
        frame.extend_from_slice(&u32::try_from(entries.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(&entries);
        frame.extend_from_slice(b"\x00\x00\x00\x05PLAIN\x00\x00\x00\x05en_US");
        let found = BrokerInfo { product: "RabbitMQ".into(), version: "3.8.1".into() };
        assert_eq!(read(&frame), Ok(found));
        for length in 0..frame.len().min(40) {
            assert!(read(frame.get(..length).unwrap()).is_err(), "{length}");
        }
        assert!(read(b"HTTP/1.1 400 Bad Request\r\n").is_err());
    }
}
