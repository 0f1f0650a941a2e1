//! What a channel presents to the other side and nobody else may see.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use utoipa::ToSchema;

/// Most bytes of one secret.
pub const LONGEST_SECRET: usize = 4096;

/// A password, token or key, or a URL that is one. It can be read in, never written out; its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text as a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for whoever it is meant for.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The secrets of one channel, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, Secret>);

impl Secrets {
    /// The secret of this name, when there is one.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }

    /// Sets a secret.
    pub fn set(&mut self, name: impl Into<String>, secret: Secret) {
        self.0.insert(name.into(), secret);
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().map(|(name, secret)| (name.as_str(), secret))
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>> FromIterator<(N, Secret)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (N, Secret)>>(secrets: I) -> Self {
        Self(secrets.into_iter().map(|(name, secret)| (name.into(), secret)).collect())
    }
}

/// A secret that a kind of channel takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretField {
    /// Its name.
    pub name: &'static str,
    /// The channel cannot do without it.
    pub needed: bool,
}

impl SecretField {
    /// One that the channel cannot do without.
    pub const fn needed(name: &'static str) -> Self {
        Self { name, needed: true }
    }

    /// One that may be left out.
    pub const fn optional(name: &'static str) -> Self {
        Self { name, needed: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secrets: Secrets = [("token", Secret::new("hunter2"))].into_iter().collect();
        assert_eq!(format!("{secrets:?}"), r#"Secrets({"token": [secret]})"#);
        assert_eq!(secrets.get("token").map(Secret::reveal), Some("hunter2"));
    }
}
