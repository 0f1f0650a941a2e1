//! How a value is written in the file and in the environment.

use std::net::SocketAddr;
use std::path::PathBuf;

use netwark_model::auth::Role;
use serde_json::Value;

/// A type that a key can have. In the environment and on the command line every value is text, in the file it
/// has a type of its own.
pub trait Setting: Sized {
    /// Reads it from text.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    fn from_text(text: &str) -> Result<Self, String>;

    /// Reads it from the file.
    ///
    /// # Errors
    /// Says what is wrong with the value.
    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Self::from_text(text),
            other => Err(format!("{other} is no string")),
        }
    }

    /// Writes it as the file would have it; empty for what is not set.
    fn show(&self) -> String;
}

/// Text as TOML writes it. What TOML escapes, JSON escapes alike, with one exception: DEL.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

impl Setting for String {
    fn from_text(text: &str) -> Result<Self, String> {
        match text.chars().any(char::is_control) {
            true => Err(format!("{} holds control characters", quoted(text))),
            false => Ok(text.trim().to_owned()),
        }
    }

    fn show(&self) -> String {
        quoted(self)
    }
}

impl Setting for PathBuf {
    fn from_text(text: &str) -> Result<Self, String> {
        match text.is_empty() || text.contains('\0') {
            true => Err(format!("{} is no path", quoted(text))),
            false => Ok(Self::from(text)),
        }
    }

    fn show(&self) -> String {
        quoted(&self.display().to_string())
    }
}

impl Setting for SocketAddr {
    fn from_text(text: &str) -> Result<Self, String> {
        text.trim().parse().map_err(|_| format!("'{text}' is no address with a port"))
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Setting for bool {
    fn from_text(text: &str) -> Result<Self, String> {
        match text.trim() {
            "true" | "1" | "yes" => Ok(true),
            "false" | "0" | "no" => Ok(false),
            _ => Err(format!("'{text}' is neither true nor false")),
        }
    }

    fn from_value(value: &Value) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| format!("{value} is neither true nor false"))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for u32 {
    fn from_text(text: &str) -> Result<Self, String> {
        text.trim().parse().map_err(|_| format!("'{text}' is no whole number"))
    }

    fn from_value(value: &Value) -> Result<Self, String> {
        let number = value.as_u64().ok_or_else(|| format!("{value} is no whole number"))?;
        Self::try_from(number).map_err(|_| format!("{number} is too large"))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for u64 {
    fn from_text(text: &str) -> Result<Self, String> {
        text.trim().parse().map_err(|_| format!("'{text}' is no whole number"))
    }

    fn from_value(value: &Value) -> Result<Self, String> {
        value.as_u64().ok_or_else(|| format!("{value} is no whole number"))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for Vec<String> {
    fn from_text(text: &str) -> Result<Self, String> {
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(String::from_text).collect()
    }

    fn from_value(value: &Value) -> Result<Self, String> {
        let Value::Array(items) = value else { return Err(format!("{value} is no list of strings")) };
        items.iter().map(String::from_value).collect()
    }

    fn show(&self) -> String {
        format!("[{}]", self.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
    }
}

/// Paths, one or several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paths(pub Vec<PathBuf>);

impl Setting for Paths {
    fn from_text(text: &str) -> Result<Self, String> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        items.map(PathBuf::from_text).collect::<Result<_, _>>().map(Self)
    }

    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::Array(items) => items.iter().map(PathBuf::from_value).collect::<Result<_, _>>().map(Self),
            Value::String(path) => PathBuf::from_text(path).map(|path| Self(vec![path])),
            other => Err(format!("{other} is no path")),
        }
    }

    fn show(&self) -> String {
        match self.0.as_slice() {
            [] => String::new(),
            [path] => path.show(),
            paths => format!("[{}]", paths.iter().map(PathBuf::show).collect::<Vec<_>>().join(", ")),
        }
    }
}

impl Setting for Role {
    fn from_text(text: &str) -> Result<Self, String> {
        text.trim().parse()
    }

    fn show(&self) -> String {
        quoted(self.as_str())
    }
}

/// What may be absent: an empty text, or the word `none`, takes it away again.
impl<T: Setting> Setting for Option<T> {
    fn from_text(text: &str) -> Result<Self, String> {
        match text.trim() {
            "" | "none" => Ok(None),
            text => T::from_text(text).map(Some),
        }
    }

    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Self::from_text(text),
            other => T::from_value(other).map(Some),
        }
    }

    fn show(&self) -> String {
        self.as_ref().map(T::show).unwrap_or_default()
    }
}
