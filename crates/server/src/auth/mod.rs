//! Who is asking, and what they may do.
//!
//! [`guard::protect`] stands before all routes: it looks at `Host` and `Origin`, finds out the
//! [`Principal`] by session cookie or bearer token, and asks the table in [`access`] whether that
//! may use the route. Handlers take the [`Principal`] as an extractor.

pub mod access;
pub mod api;
mod error;
pub mod guard;
mod identify;
mod limit;
mod password;
mod principal;
mod secret;
pub mod secret_key;
mod settings;
mod setup;
mod site;
mod users;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use moka::future::Cache;
use netwark_model::auth::Token;
use netwark_store::{Store, StoreError};

pub use self::error::AuthError;
pub use self::guard::Client;
pub use self::password::{PasswordError, Passwords, check_policy};
pub use self::principal::Principal;
pub use self::secret::Secret;
pub use self::settings::AuthSettings;
pub use self::setup::{make_setup_code, setup_link};
pub use self::site::{Site, SiteSettings};
pub use self::users::{add_token, add_user};

/// How long a token is believed before the database is asked again.
const TOKEN_BELIEVED: Duration = Duration::from_secs(5);
/// Most tokens, known and unknown, that are remembered.
const TOKENS_REMEMBERED: u64 = 10_000;

/// Everything that signing in needs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Auth {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    settings: AuthSettings,
    site: Site,
    passwords: Passwords,
    limit: limit::SignInLimit,
    /// By hash of the secret; none for a secret that is no token.
    tokens: Cache<[u8; 32], Option<Token>>,
    /// Once there was a user there always is one.
    has_users: AtomicBool,
}

impl Auth {
    /// Ready to sign people in. The settings are taken as they are; see
    /// [`AuthSettings::mistakes`].
    pub fn new(store: Store, settings: AuthSettings, site: Site) -> Self {
        let tokens = Cache::builder().max_capacity(TOKENS_REMEMBERED).time_to_live(TOKEN_BELIEVED).build();
        let inner = Inner {
            store,
            settings,
            site,
            passwords: Passwords::default(),
            limit: limit::SignInLimit::default(),
            tokens,
            has_users: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// True while there is no user and the first administrator has to be made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setup_required(&self) -> Result<bool, StoreError> {
        if self.inner.has_users.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let has_users = self.inner.store.has_users().await?;
        self.inner.has_users.store(has_users, Ordering::Relaxed);
        Ok(!has_users)
    }
}

#[cfg(test)]
pub(crate) mod tests;
