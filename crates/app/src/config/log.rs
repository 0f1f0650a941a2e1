//! `[log]`: what is written, and where.

use std::path::PathBuf;

use tracing_subscriber::EnvFilter;

use super::layers::{Key, Layers};
use super::setting::Setting;

/// What is written, and where.
#[derive(Clone, Debug)]
pub struct Log {
    /// Which lines, such as `info,netwark_server=debug`.
    pub filter: String,
    /// How a line looks.
    pub format: Format,
    /// The file lines go to; none for standard error.
    pub file: Option<PathBuf>,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Setting for Format {
    fn from_text(text: &str) -> Result<Self, String> {
        match text.trim() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("'{text}' is no format")),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Text => "\"text\"".into(),
            Self::Json => "\"json\"".into(),
        }
    }
}

const FILTER: Key = Key {
    name: "log.filter",
    takes: "a level (error, warn, info, debug, trace), or levels by module such as info,netwark_server=debug",
    default: "info,sea_orm_migration=warn,lapin=off",
    about: "Which lines are written. `sqlx=debug` adds every SQL statement with the time it took. Read again on SIGHUP.",
};
const FORMAT: Key =
    Key { name: "log.format", takes: "text or json", default: "text", about: "How a line looks." };
const FILE: Key = Key {
    name: "log.file",
    takes: "the path of a file",
    default: "none: standard error",
    about: "Where lines are written. The file is opened anew on SIGHUP, for who moves it away.",
};

impl Log {
    /// Its keys.
    pub const KEYS: [&Key; 3] = [&FILTER, &FORMAT, &FILE];

    pub(super) fn read(layers: &mut Layers) -> Self {
        Self {
            filter: layers.checked(&FILTER, FILTER.default.into(), |text: &String| {
                EnvFilter::try_new(text).map(|_| ()).map_err(|e| format!("'{text}' is no filter ({e})"))
            }),
            format: layers.value(&FORMAT, Format::Text),
            file: layers.value(&FILE, None),
        }
    }
}
