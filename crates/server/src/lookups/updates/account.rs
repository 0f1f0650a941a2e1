//! Accounts at providers of data that were given to the server: the number as it is, the key sealed.

use std::sync::Arc;

use netwark_lookup::update::{Account, Source};
use netwark_store::{Store, StoreError};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::secret_key::{OpenError, SecretKey};

/// Why an account cannot be used or kept.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This process has no key to seal with.
    #[error("the account of {0} cannot be opened: this process has no server.secret_key")]
    NoKey(&'static str),
    /// What was sealed does not open.
    #[error("the account of {source_name} cannot be opened: {error}; give it again on the page Sources")]
    Sealed {
        /// The source.
        source_name: &'static str,
        /// Why.
        error: OpenError,
    },
}

/// An account as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    number: String,
    /// Sealed for [`context`].
    key: String,
}

/// The name of the setting.
fn setting(source: &str) -> String {
    format!("updates.{source}.account")
}

/// What the key is sealed for: that of one account cannot stand beside another number.
fn context(source: &str, number: &str) -> String {
    format!("updates/{source}/account/{number}/key")
}

async fn stored(store: &Store, source: &str) -> Result<Option<Stored>, StoreError> {
    let setting = store.setting(&setting(source)).await?;
    Ok(setting.and_then(|text| serde_json::from_str(&text).ok()))
}

/// The number of the account that was given for a source.
///
/// # Errors
/// When the database fails.
pub async fn number(store: &Store, source: &str) -> Result<Option<String>, StoreError> {
    Ok(stored(store, source).await?.map(|stored| stored.number))
}

/// The source as it is to be asked: with the account that was given for it, otherwise as it is configured.
///
/// # Errors
/// When the database fails, or the key cannot be opened.
pub async fn with_stored(
    store: &Store,
    secret: Option<&SecretKey>,
    source: &Arc<dyn Source>,
) -> Result<Arc<dyn Source>, AccountError> {
    let Some(takes) = source.as_with_account() else { return Ok(Arc::clone(source)) };
    let name = source.name();
    let Some(Stored { number, key }) = stored(store, name).await? else { return Ok(Arc::clone(source)) };
    let secret = secret.ok_or(AccountError::NoKey(name))?;
    let sealed = |error| AccountError::Sealed { source_name: name, error };
    let key = secret.unseal(&context(name, &number), &key).map_err(sealed)?;
    let key = String::from_utf8(key).map_err(|_| sealed(OpenError::Malformed))?;
    Ok(takes.with_account(Account { number, key }))
}

/// The same with what this server has.
pub(super) async fn applied(app: &App, source: &Arc<dyn Source>) -> Result<Arc<dyn Source>, AccountError> {
    with_stored(&app.store, app.settings.secret_key.as_ref(), source).await
}

/// Keeps an account for a source, its key sealed.
pub(super) async fn keep(
    store: &Store,
    secret: &SecretKey,
    source: &str,
    account: &Account,
) -> Result<(), StoreError> {
    let key = secret.seal(&context(source, &account.number), account.key.as_bytes());
    let stored = Stored { number: account.number.clone(), key };
    // Two texts can always be written.
    let text = serde_json::to_string(&stored).unwrap_or_default();
    store.replace_setting(&setting(source), &text).await
}

/// Forgets the account of a source; false when there was none.
pub(super) async fn forget(store: &Store, source: &str) -> Result<bool, StoreError> {
    store.remove_setting(&setting(source)).await
}
