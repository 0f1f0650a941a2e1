//! Secrets of channels, which are kept sealed under the key of the server.

use std::collections::BTreeMap;

use netwark_model::channels::{Secret, Secrets};
use uuid::Uuid;

use crate::auth::secret_key::{OpenError, SecretKey};

/// Why the secrets of a channel cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum SecretError {
    /// This process has no key.
    #[error("the secrets of the channel cannot be opened: this process has no server.secret_key")]
    NoKey,
    /// What was sealed does not open.
    #[error("the secret {name} of the channel cannot be opened: {error}; give it again")]
    Sealed {
        /// Which.
        name: String,
        /// Why.
        error: OpenError,
    },
}

/// What a secret is sealed for: it cannot stand in another channel's place, nor in another field's.
fn context(channel: Uuid, name: &str) -> String {
    format!("channels/{channel}/{name}")
}

/// Seals secrets for a channel.
pub(super) fn seal(key: &SecretKey, channel: Uuid, secrets: &Secrets) -> BTreeMap<String, String> {
    let seal = |(name, secret): (&str, &Secret)| {
        (name.to_owned(), key.seal(&context(channel, name), secret.reveal().as_bytes()))
    };
    secrets.iter().map(seal).collect()
}

/// Opens the secrets of a channel.
///
/// # Errors
/// Names the first that does not open.
pub(super) fn open(
    key: Option<&SecretKey>,
    channel: Uuid,
    sealed: &BTreeMap<String, String>,
) -> Result<Secrets, SecretError> {
    let mut secrets = Secrets::default();
    for (name, sealed) in sealed {
        let key = key.ok_or(SecretError::NoKey)?;
        let failed = |error| SecretError::Sealed { name: name.clone(), error };
        let bytes = key.unseal(&context(channel, name), sealed).map_err(failed)?;
        let text = String::from_utf8(bytes).map_err(|_| failed(OpenError::Malformed))?;
        secrets.set(name.clone(), Secret::new(text));
    }
    Ok(secrets)
}

#[cfg(test)]
mod tests {
    use netwark_store::{Store, StoreOptions};

    use super::*;

    #[tokio::test]
    async fn a_secret_opens_in_its_channel_and_field_only() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/test.db", directory.path().display());
        let store = Store::open(&StoreOptions::new(url)).await.unwrap();
        let key = SecretKey::open(&directory.path().join("key"), &store).await.unwrap();
        let channel = Uuid::now_v7();
        let secrets: Secrets = [("token", Secret::new("hunter2"))].into_iter().collect();
        let sealed = seal(&key, channel, &secrets);
        assert!(!sealed["token"].contains("hunter2"));
        assert_eq!(open(Some(&key), channel, &sealed).unwrap(), secrets);
        assert!(matches!(open(Some(&key), Uuid::now_v7(), &sealed), Err(SecretError::Sealed { .. })));
        let moved = BTreeMap::from([("url".to_owned(), sealed["token"].clone())]);
        assert!(matches!(open(Some(&key), channel, &moved), Err(SecretError::Sealed { .. })));
        assert!(matches!(open(None, channel, &sealed), Err(SecretError::NoKey)));
        assert!(open(None, channel, &BTreeMap::new()).unwrap().is_empty());
    }
}
