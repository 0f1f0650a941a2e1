//! `[database]`: where everything is stored.

use std::path::Path;

use super::layers::{Key, Layers};

/// Where everything is stored.
#[derive(Clone, Debug)]
pub struct Database {
    /// `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/NAME`.
    pub url: String,
}

const URL: Key = Key {
    name: "database.url",
    takes: "sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME",
    default: "sqlite:// and netwark.db in the data directory",
    about: "Where everything is stored: a SQLite file, or PostgreSQL.",
};

impl Database {
    /// Its keys.
    pub const KEYS: [&Key; 1] = [&URL];

    pub(super) fn read(layers: &mut Layers, data_dir: &Path) -> Self {
        let default = format!("sqlite://{}", data_dir.join("netwark.db").display());
        let url = layers.checked(&URL, default, |url: &String| is_known(url));
        layers.show_as(serde_json::Value::from(masked(&url)).to_string());
        Self { url }
    }

    /// The file, when the database is one.
    pub fn file(&self) -> Option<&Path> {
        let path = self.url.strip_prefix("sqlite://").or_else(|| self.url.strip_prefix("sqlite:"))?;
        (path != ":memory:").then(|| Path::new(path))
    }
}

fn is_known(url: &str) -> Result<(), String> {
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
