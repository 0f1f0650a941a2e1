//! What the parts of signing in share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::uri::Authority;
use moka::future::Cache;
use netwark_model::auth::{Permission, Token};
use netwark_store::{Store, StoreError};

use super::limit::{CommonLimit, SignInLimit};
use super::password::Passwords;
use super::principal::Principal;
use super::settings::AuthSettings;
use super::site::Site;

/// How long a token is believed before the database is asked again.
const TOKEN_BELIEVED: Duration = Duration::from_secs(5);
/// Most tokens, known and unknown, that are remembered.
const TOKENS_REMEMBERED: u64 = 10_000;

/// Everything that signing in needs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Auth {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) settings: AuthSettings,
    pub(super) site: Site,
    pub(super) passwords: Passwords,
    pub(super) limit: SignInLimit,
    /// Tries to pair a worker, of everybody together.
    pub(super) pairings: CommonLimit,
    /// By hash of the secret; none for a secret that is no token.
    pub(super) tokens: Cache<[u8; 32], Option<Token>>,
    /// Once there was a user there always is one.
    pub(super) has_users: AtomicBool,
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
            limit: SignInLimit::default(),
            pairings: CommonLimit::default(),
            tokens,
            has_users: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// True when whoever asks holds the permission on this server.
    pub(crate) fn may(&self, principal: &Principal, permission: Permission) -> bool {
        principal.role().is_some_and(|role| self.inner.settings.allow(role, permission))
    }

    /// The paths the server is reached under, each once.
    pub(crate) fn bases(&self) -> Vec<Arc<str>> {
        self.inner.site.bases()
    }

    /// Under which path a request came, and what it asks for below that.
    pub(crate) fn below<'a>(
        &self,
        host: impl FnOnce() -> Option<Authority>,
        path: &'a str,
    ) -> (Arc<str>, &'a str) {
        self.inner.site.below(host, path)
    }

    /// Where others find this server: the public URL of this name, else the first there is, else the name
    /// itself.
    pub(crate) fn url(&self, host: Option<&Authority>, https: bool) -> String {
        self.inner.site.url(host, https)
    }

    /// The first of the URLs people type, where one is configured.
    pub(crate) fn public_url(&self) -> Option<String> {
        self.inner.site.public_url()
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
