//! `[database]`: where everything is stored.

use std::path::Path;
use std::time::Duration;

use netwark_store::StoreOptions;

use super::layers::{Key, Layers};

/// Where everything is stored.
#[derive(Clone, Debug)]
pub struct Database {
    /// `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/NAME`.
    pub url: String,
    /// Most connections.
    pub max_connections: u32,
    /// How long a statement may take on PostgreSQL, in milliseconds.
    pub statement_timeout: u32,
    /// A server that starts brings the schema up to date.
    pub migrate: bool,
}

/// The key of the URL.
pub const URL: Key = Key {
    name: "database.url",
    takes: "sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME",
    default: "sqlite:// and netwark.db in the data directory",
    about: "Where everything is stored: a SQLite file, or PostgreSQL 13 and later.",
};
const MAX_CONNECTIONS: Key = Key {
    name: "database.max_connections",
    takes: "a number from 2 to 1000",
    default: "10",
    about: "Most connections to PostgreSQL, or most readers of SQLite. A server takes two more on PostgreSQL: one for the lock of the leader, one to hear other servers.",
};
const STATEMENT_TIMEOUT: Key = Key {
    name: "database.statement_timeout",
    takes: "milliseconds from 100 to 3600000",
    default: "30000",
    about: "How long a statement may take on PostgreSQL before it is ended, and the request answered by 503. Waiting for a lock ends after ten seconds, or this when it is shorter.",
};
const MIGRATE: Key = Key {
    name: "database.migrate",
    takes: "true or false",
    default: "true",
    about: "Bring an old schema up to date at the start. Without it a server refuses an old schema, and `netwark migrate` is run by hand.",
};

impl Database {
    /// Its keys.
    pub const KEYS: [&Key; 4] = [&URL, &MAX_CONNECTIONS, &STATEMENT_TIMEOUT, &MIGRATE];

    pub(super) fn read(layers: &mut Layers, data_dir: &Path) -> Self {
        let default = format!("sqlite://{}", data_dir.join("netwark.db").display());
        let url = layers.checked(&URL, default, |url: &String| is_known(url));
        layers.show_as(serde_json::Value::from(masked(&url)).to_string());
        let within = |least: u32, most: u32| {
            move |n: &u32| match (least..=most).contains(n) {
                true => Ok(()),
                false => Err(format!("{n} is out of range")),
            }
        };
        Self {
            url,
            max_connections: layers.checked(&MAX_CONNECTIONS, 10, within(2, 1000)),
            statement_timeout: layers.checked(&STATEMENT_TIMEOUT, 30_000, within(100, 3_600_000)),
            migrate: layers.value(&MIGRATE, true),
        }
    }

    /// How it is opened.
    pub fn options(&self) -> StoreOptions {
        StoreOptions {
            max_connections: self.max_connections,
            statement_timeout: Duration::from_millis(self.statement_timeout.into()),
            migrate: self.migrate,
            ..StoreOptions::new(&self.url)
        }
    }

    /// The file, when the database is one.
    pub fn file(&self) -> Option<&Path> {
        file(&self.url)
    }
}

/// The file that a URL names, when it names one.
pub fn file(url: &str) -> Option<&Path> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))?;
    (path != ":memory:").then(|| Path::new(path))
}

/// Says what is wrong with the URL of a database.
///
/// # Errors
/// When it names none, or one that is not known.
pub fn is_known(url: &str) -> Result<(), String> {
    let Some((scheme, rest)) = url.split_once(':') else {
        return Err(format!("'{}' is no URL", masked(url)));
    };
    match scheme {
        "sqlite" if rest.trim_start_matches('/').is_empty() => Err(format!("'{url}' names no file")),
        "postgres" | "postgresql" if reqwest::Url::parse(url).is_err() => {
            Err(format!("'{}' is no URL; in a password, write / ? # @ as %2F %3F %23 %40", masked(url)))
        }
        "sqlite" | "postgres" | "postgresql" => Ok(()),
        _ => Err(format!("'{scheme}' is no database it knows")),
    }
}

/// A URL whose password is hidden.
pub(super) fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // A password that holds an unescaped slash reaches beyond the first one, so the last @ counts.
    let Some((user, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    match user.split_once(':') {
        Some((name, _)) => format!("{scheme}://{name}:***@{host}"),
        None => url.to_owned(),
    }
}
