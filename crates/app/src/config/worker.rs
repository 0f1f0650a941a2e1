//! `[worker]`: what a worker is, inside the server's process or on a machine of its own.

use std::path::PathBuf;
use std::time::Duration;

use netwark_model::queues;
use netwark_model::workers::Coordinates;

use super::layers::{Key, Layers};
use super::setting::Setting;

/// What a worker is.
#[derive(Clone, Debug)]
pub struct Worker {
    /// The server runs a worker of its own.
    pub embedded: bool,
    /// Its name.
    pub name: String,
    /// The site it stands at.
    pub site: String,
    /// Where that is, for people.
    pub location: String,
    /// Free words to select it by.
    pub tags: Vec<String>,
    /// Queues it listens on besides the built-in ones, full names.
    pub queues: Vec<String>,
    /// It listens on the built-in queues.
    pub listen_builtin: bool,
    /// Most operations it runs at once.
    pub concurrency: u32,
    /// The list of what it may touch.
    pub policy_file: Option<PathBuf>,
    /// URL of the server that `netwark worker` connects to.
    pub server: Option<String>,
    /// The token it proves itself with.
    pub token: Option<Secret>,
    /// Certificates (PEM) that the server's may be signed by, besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// Where it stands on the map.
    pub coordinates: Option<Coordinates>,
    /// Its country as ISO 3166-1 alpha-2 has it, in capitals; empty when nobody said.
    pub country: String,
    /// Number of the autonomous system it stands in.
    pub asn: Option<u32>,
    /// How long what runs may take to end when the worker is stopped.
    pub drain: Duration,
    /// Most bytes of reports that wait on its disk.
    pub spool_bytes: u64,
    /// Most bytes its tools may send and receive in a month.
    pub monthly_cap: Option<u64>,
}

/// Text that is not shown.
#[derive(Clone)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Setting for Secret {
    fn from_text(text: &str) -> Result<Self, String> {
        match text.trim() {
            text if text.chars().all(|c| c.is_ascii_graphic()) => Ok(Self(text.to_owned())),
            _ => Err("it is not one word".into()),
        }
    }

    fn show(&self) -> String {
        "\"***\"".into()
    }
}

impl Setting for Coordinates {
    fn from_text(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no latitude and longitude");
        let (latitude, longitude) = text.split_once(',').ok_or_else(wrong)?;
        let degrees = |text: &str| text.trim().parse::<f64>().map_err(|_| wrong());
        let place = Self { latitude: degrees(latitude)?, longitude: degrees(longitude)? };
        match place.mistakes().next() {
            None => Ok(place),
            Some((part, wrong)) => Err(format!("the {part} {wrong}")),
        }
    }

    fn show(&self) -> String {
        format!("\"{},{}\"", self.latitude, self.longitude)
    }
}

const EMBEDDED: Key = Key {
    name: "worker.embedded",
    takes: "true or false",
    default: "true, and false when broker.url is set",
    about: "The server runs a worker of its own.",
};
/// See [`Worker::name`].
pub const NAME: Key = Key {
    name: "worker.name",
    takes: "1 to 100 characters",
    default: "the host name",
    about: "Its name, unique in the installation.",
};
const SITE: Key = Key {
    name: "worker.site",
    takes: "at most 100 characters",
    default: "\"\"",
    about: "The site it stands at, such as paris.",
};
const LOCATION: Key = Key {
    name: "worker.location",
    takes: "at most 100 characters",
    default: "\"\"",
    about: "Where that is, for people.",
};
const TAGS: Key = Key {
    name: "worker.tags",
    takes: "a list of at most 32 words",
    default: "[]",
    about: "Free words to select it by.",
};
const QUEUES: Key = Key {
    name: "worker.queues",
    takes: "a list of queues that the server has",
    default: "[]",
    about: "Queues it listens on besides the built-in ones.",
};
const LISTEN_BUILTIN: Key = Key {
    name: "worker.listen_builtin",
    takes: "true or false",
    default: "true",
    about: "It listens on netwark and netwark.broadcast.",
};
const CONCURRENCY: Key = Key {
    name: "worker.concurrency",
    takes: "a number from 1 to 10000",
    default: "256",
    about: "Most operations it runs at once; more wait in their queues.",
};
/// See [`Worker::policy_file`].
pub const POLICY_FILE: Key = Key {
    name: "worker.policy_file",
    takes: "the path of a file",
    default: "none: unicast, private and loopback addresses may be measured",
    about: "The list of what it may touch. An unreadable list forbids everything. Read again on SIGHUP.",
};

/// See [`Worker::server`].
pub const SERVER: Key = Key {
    name: "worker.server",
    takes: "https://HOST, with a port and a path where it has them",
    default: "none",
    about: "The server that `netwark worker` connects to.",
};
/// See [`Worker::token`].
pub const TOKEN: Key = Key {
    name: "worker.token",
    takes: "a token that begins with nww_",
    default: "what worker.token_file holds, else what enrolling left in the data directory",
    about: "The token `netwark worker` proves itself with. Better in a file of its own than here.",
};
/// See [`Worker::token`].
pub const TOKEN_FILE: Key = Key {
    name: "worker.token_file",
    takes: "the path of a file",
    default: "none",
    about: "A file that holds the token and nothing else, such as a credential of systemd.",
};
const CA_FILE: Key = Key {
    name: "worker.ca_file",
    takes: "the path of a file",
    default: "none: the certificates of the system",
    about: "Certificates (PEM) that the server's may be signed by, besides those of the system.",
};
const COORDINATES: Key = Key {
    name: "worker.coordinates",
    takes: "latitude and longitude in degrees, such as 48.85,2.35",
    default: "none",
    about: "Where it stands on the map.",
};
const COUNTRY: Key = Key {
    name: "worker.country",
    takes: "two letters, such as FR",
    default: "\"\"",
    about: "The country it stands in (ISO 3166-1).",
};
const ASN: Key = Key {
    name: "worker.asn",
    takes: "a number from 1 to 4294967295",
    default: "none",
    about: "The autonomous system it stands in.",
};
const DRAIN: Key = Key {
    name: "worker.drain",
    takes: "a number from 0 to 1200",
    default: "30",
    about: "Seconds that what runs may take to end when the worker is stopped.",
};
const SPOOL_BYTES: Key = Key {
    name: "worker.spool_bytes",
    takes: "a number of at least 65536",
    default: "268435456",
    about: "Most bytes of reports that wait on its disk while no server hears it.",
};
const MONTHLY_CAP: Key = Key {
    name: "worker.monthly_cap",
    takes: "a number of bytes",
    default: "none",
    about: "Most bytes its tools may send and receive in a calendar month; beyond it they refuse to run.",
};

impl Worker {
    /// Its keys.
    pub const KEYS: [&Key; 19] = [
        &EMBEDDED,
        &NAME,
        &SITE,
        &LOCATION,
        &TAGS,
        &QUEUES,
        &LISTEN_BUILTIN,
        &CONCURRENCY,
        &POLICY_FILE,
        &SERVER,
        &TOKEN,
        &TOKEN_FILE,
        &CA_FILE,
        &COORDINATES,
        &COUNTRY,
        &ASN,
        &DRAIN,
        &SPOOL_BYTES,
        &MONTHLY_CAP,
    ];

    /// `alone` when the server has no broker: then it runs a worker unless it is told otherwise.
    pub(super) fn read(layers: &mut Layers, alone: bool) -> Self {
        let short = |text: &String| match text.chars().count() {
            n if n > 100 => Err(format!("it has {n} characters")),
            _ => Ok(()),
        };
        let named = |text: &String| match text.is_empty() {
            true => Err("it is empty".into()),
            false => short(text),
        };
        Self {
            embedded: layers.value(&EMBEDDED, alone),
            name: layers.checked(&NAME, host_name(), named),
            site: layers.checked(&SITE, String::new(), short),
            location: layers.checked(&LOCATION, String::new(), short),
            tags: layers.checked(&TAGS, Vec::new(), |tags: &Vec<String>| match tags.len() {
                n if n > 32 => Err(format!("it has {n} words")),
                _ => tags.iter().try_for_each(short),
            }),
            queues: layers
                // Whether the server has them it says itself, when the worker says hello.
                .checked(&QUEUES, Vec::new(), |names: &Vec<String>| {
                    names.iter().try_for_each(|name| queues::full_name(name).map(drop))
                })
                .iter()
                .filter_map(|name| queues::full_name(name).ok())
                .collect(),
            listen_builtin: layers.value(&LISTEN_BUILTIN, true),
            concurrency: layers.checked(&CONCURRENCY, 256, |n: &u32| match n {
                1..=10_000 => Ok(()),
                n => Err(format!("{n} is out of range")),
            }),
            policy_file: layers.value(&POLICY_FILE, None),
            server: layers.value(&SERVER, None),
            token: token(layers),
            ca_file: layers.value(&CA_FILE, None),
            coordinates: layers.value(&COORDINATES, None),
            country: layers
                .checked(&COUNTRY, String::new(), |country: &String| match country.len() {
                    0 => Ok(()),
                    2 if country.bytes().all(|byte| byte.is_ascii_alphabetic()) => Ok(()),
                    _ => Err(format!("'{country}' is no country")),
                })
                .to_ascii_uppercase(),
            asn: layers.checked(&ASN, None, |asn: &Option<u32>| match asn {
                Some(0) => Err("0 is out of range".into()),
                _ => Ok(()),
            }),
            drain: Duration::from_secs(u64::from(layers.checked(&DRAIN, 30, |n: &u32| match n {
                0..=1200 => Ok(()),
                n => Err(format!("{n} is out of range")),
            }))),
            spool_bytes: layers.checked(&SPOOL_BYTES, netwark_worker::SPOOL_BYTES, |n: &u64| match n {
                0..65_536 => Err(format!("{n} is out of range")),
                _ => Ok(()),
            }),
            monthly_cap: layers.value(&MONTHLY_CAP, None),
        }
    }
}

/// The token, or what the file of it holds.
fn token(layers: &mut Layers) -> Option<Secret> {
    let token: Option<Secret> = layers.value(&TOKEN, None);
    let mut held = None;
    layers.checked(&TOKEN_FILE, None, |path: &Option<PathBuf>| {
        let Some(path) = path else { return Ok(()) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        held = Some(Secret::from_text(&text).map_err(|wrong| format!("{}: {wrong}", path.display()))?);
        Ok(())
    });
    token.or(held)
}

fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().trim().to_owned();
    if name.is_empty() { "worker".into() } else { name }
}
