//! `[worker]`: the worker inside the server's process.

use std::path::PathBuf;

use netwark_model::queues;

use super::layers::{Key, Layers};

/// The worker inside the server's process.
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
}

const EMBEDDED: Key = Key {
    name: "worker.embedded",
    takes: "true or false",
    default: "true, and false when broker.url is set",
    about: "The server runs a worker of its own.",
};
const NAME: Key = Key {
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
    takes: "a list of queues that [[queues]] declares",
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
const POLICY_FILE: Key = Key {
    name: "worker.policy_file",
    takes: "the path of a file",
    default: "none: unicast, private and loopback addresses may be measured",
    about: "The list of what it may touch. An unreadable list forbids everything.",
};

impl Worker {
    /// Its keys.
    pub const KEYS: [&Key; 9] =
        [&EMBEDDED, &NAME, &SITE, &LOCATION, &TAGS, &QUEUES, &LISTEN_BUILTIN, &CONCURRENCY, &POLICY_FILE];

    /// `alone` when the server has no broker: then it runs a worker unless it is told otherwise.
    pub(super) fn read(layers: &mut Layers, declared: &[queues::QueueDefinition], alone: bool) -> Self {
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
                .checked(&QUEUES, Vec::new(), |names: &Vec<String>| {
                    names.iter().try_for_each(|name| is_declared(name, declared))
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
        }
    }
}

fn is_declared(name: &str, declared: &[queues::QueueDefinition]) -> Result<(), String> {
    let full = queues::full_name(name)?;
    let same = |queue: &queues::QueueDefinition| queues::full_name(&queue.name).as_ref() == Ok(&full);
    match declared.iter().chain(&queues::builtin()).any(same) {
        true => Ok(()),
        false => Err(format!("'{full}' is not declared")),
    }
}

fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().trim().to_owned();
    if name.is_empty() { "worker".into() } else { name }
}
