//! `[broker]`: what carries messages between servers and workers.

use std::path::PathBuf;

use netwark_bus::amqp::AmqpOptions;

use super::database::masked;
use super::layers::{Key, Layers};

/// What carries messages between servers and workers.
#[derive(Clone, Debug)]
pub struct Broker {
    /// How to reach RabbitMQ; none for the queues inside the server's own process.
    pub amqp: Option<AmqpOptions>,
}

/// See [`Broker::amqp`].
pub const URL: Key = Key {
    name: "broker.url",
    takes: "amqp://USER:PASSWORD@HOST/VHOST, or amqps:// for TLS",
    default: "none: queues inside the server's own process",
    about: "The RabbitMQ (3.8 or later) that carries messages between servers and workers. One server needs none, whether its workers connect to it or run inside it.",
};
const HEARTBEAT: Key = Key {
    name: "broker.heartbeat",
    takes: "a number from 1 to 300",
    default: "30",
    about: "Seconds between signs of life on a connection to the broker. One that is silent for two of them is made anew.",
};
const PREFETCH: Key = Key {
    name: "broker.prefetch",
    takes: "a number from 1 to 65535",
    default: "256",
    about: "Most reports of workers that a server has taken from the broker and not stored.",
};
const CA_FILE: Key = Key {
    name: "broker.ca_file",
    takes: "the path of a file",
    default: "none: the certificates of the system",
    about: "Certificates (PEM) that the broker's may be signed by, besides those of the system.",
};

impl Broker {
    /// Its keys.
    pub const KEYS: [&Key; 4] = [&URL, &HEARTBEAT, &PREFETCH, &CA_FILE];

    pub(super) fn read(layers: &mut Layers) -> Self {
        let url = layers.checked(&URL, None, |url: &Option<String>| match url {
            Some(url) => is_known(url),
            None => Ok(()),
        });
        if let Some(url) = &url {
            layers.show_as(serde_json::Value::from(masked(url)).to_string());
        }
        let between = |n: &u32, last: u16| match n {
            n if (1..=u32::from(last)).contains(n) => Ok(()),
            n => Err(format!("{n} is out of range")),
        };
        let number = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
        let heartbeat = layers.checked(&HEARTBEAT, AmqpOptions::HEARTBEAT.into(), |n| between(n, 300));
        let prefetch = layers.checked(&PREFETCH, AmqpOptions::PREFETCH.into(), |n| between(n, u16::MAX));
        let ca_file: Option<PathBuf> = layers.value(&CA_FILE, None);
        let amqp = url.map(|url| AmqpOptions {
            url,
            heartbeat: number(heartbeat),
            prefetch: number(prefetch),
            ca_file,
        });
        Self { amqp }
    }
}

fn is_known(url: &str) -> Result<(), String> {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    if !["amqp", "amqps"].contains(&scheme) {
        return Err(format!("'{}' is no broker it knows", masked(url)));
    }
    AmqpOptions::new(url).check().map_err(|error| {
        format!("'{}': {error}; in a password, write / ? # @ as %2F %3F %23 %40", masked(url))
    })
}
