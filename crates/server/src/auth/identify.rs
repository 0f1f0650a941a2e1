//! From a password to a session, and from a cookie or token to the one who asks.

use std::net::IpAddr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use netwark_model::auth::{Credentials, Token, User};
use netwark_store::StoreError;
use netwark_store::workers::WorkerCard;
use tokio::time::Instant;
use uuid::Uuid;

use super::password::PasswordError;
use super::principal::Principal;
use super::secret::{self, Secret};
use super::shared::Auth;
use super::users::{TOKEN_PREFIX, check_name};

/// How old the note of a session's last use may grow before it is renewed; not every request
/// writes to the database.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(5);
/// No secret of ours is longer.
const MAX_SECRET: usize = 128;

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    #[error("too many tries")]
    TooMany(Duration),
    #[error("name or password is wrong")]
    Wrong,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Auth {
    /// Counts a try to sign in or set up.
    pub(crate) fn count_try(&self, client: IpAddr, name: Option<&str>) -> Result<(), SignInError> {
        self.inner.limit.take(client, name, Instant::now()).map_err(SignInError::TooMany)
    }

    /// Counts a try to pair a worker.
    pub(crate) fn count_pairing(&self, client: IpAddr) -> Result<(), SignInError> {
        self.count_try(client, None)?;
        self.inner.pairings.take(Instant::now()).map_err(SignInError::TooMany)
    }

    /// Gives a try to pair a worker back, because the code was right.
    pub(crate) fn pairing_was_right(&self, client: IpAddr) {
        self.inner.limit.give_back(client, None);
    }

    /// Checks a name and password, and starts a session. An unknown name takes as long as a wrong
    /// password and gives the same answer.
    pub(crate) async fn sign_in(
        &self,
        credentials: &Credentials,
        client: IpAddr,
        now: Timestamp,
    ) -> Result<(User, Secret), SignInError> {
        let name = credentials.name.as_str();
        self.count_try(client, Some(name))?;
        let known = match check_name(name) {
            Ok(name) => self.inner.store.user_secrets(name).await?,
            Err(_) => None,
        };
        let hash = known.as_ref().map(|known| known.password_hash.as_str());
        let right = self.inner.passwords.verify(&credentials.password, hash).await?;
        let Some(known) = known.filter(|_| right) else { return Err(SignInError::Wrong) };
        self.inner.limit.give_back(client, Some(name));
        let secret = self.start_session(known.user.id, now).await?;
        Ok((known.user, secret))
    }

    /// Starts a session and returns what its cookie holds.
    pub(crate) async fn start_session(&self, user: Uuid, now: Timestamp) -> Result<Secret, StoreError> {
        let secret = Secret::new("");
        let expires_at = self.session_end(now, now);
        self.inner.store.start_session(secret.hash(), user, expires_at, now).await?;
        Ok(secret)
    }

    /// The signed-in user a cookie belongs to, with the id of the session.
    pub(crate) async fn session(
        &self,
        cookie: &str,
        now: Timestamp,
    ) -> Result<Option<(Principal, Uuid)>, StoreError> {
        if cookie.is_empty() || cookie.len() > MAX_SECRET {
            return Ok(None);
        }
        let Some(session) = self.inner.store.session(&secret::hash(cookie), now).await? else {
            return Ok(None);
        };
        if now.duration_since(session.last_seen_at) >= NOTED_EVERY {
            let expires_at = self.session_end(session.created_at, now);
            // A full disk must not sign anybody out.
            if let Err(error) = self.inner.store.session_used(session.id, expires_at, now).await {
                tracing::warn!(%error, "failed to note the use of a session");
            }
        }
        let User { id, name, role, .. } = session.user;
        Ok(Some((Principal::User { id, name, role }, session.id)))
    }

    /// Ends the session of a cookie.
    pub(crate) async fn end_session(&self, cookie: &str) -> Result<(), StoreError> {
        self.inner.store.end_session(secret::hash(cookie)).await
    }

    /// The program a token belongs to; believed for a few seconds without asking the database.
    pub(crate) async fn token(&self, secret: &str, now: Timestamp) -> Result<Option<Principal>, StoreError> {
        if !secret.starts_with(TOKEN_PREFIX) || secret.len() > MAX_SECRET {
            return Ok(None);
        }
        let hash = secret::hash(secret);
        let token = match self.inner.tokens.get(&hash).await {
            Some(token) => token,
            None => {
                let token = self.inner.store.token_by_hash(&hash).await?;
                if let Some(token) = &token {
                    self.note_use(token, now).await;
                }
                self.inner.tokens.insert(hash, token.clone()).await;
                token
            }
        };
        Ok(token.map(|Token { id, name, role, .. }| Principal::Token { id, name, role }))
    }

    /// The worker that a token belongs to. The database is asked each time: workers come with their token
    /// seldom, and have to be refused at once when it was replaced.
    pub(crate) async fn worker(&self, token: &str) -> Result<Option<(Uuid, WorkerCard)>, StoreError> {
        if token.len() > MAX_SECRET {
            return Ok(None);
        }
        self.inner.store.worker_by_token(&secret::hash(token)).await
    }

    async fn note_use(&self, token: &Token, now: Timestamp) {
        let minute = Timestamp::from_second(now.as_second() / 60 * 60).unwrap_or(now);
        if token.last_used_at.is_some_and(|at| at >= minute) {
            return;
        }
        if let Err(error) = self.inner.store.token_used(token.id, minute).await {
            tracing::warn!(%error, token = token.name, "failed to note the use of a token");
        }
    }

    /// When a session ends that began then and is used now.
    fn session_end(&self, began: Timestamp, now: Timestamp) -> Timestamp {
        let days = |days: u16| SignedDuration::from_hours(24 * i64::from(days));
        let unused = now.saturating_add(days(self.inner.settings.session_days));
        let at_last = began.saturating_add(days(self.inner.settings.session_max_days));
        match (unused, at_last) {
            (Ok(unused), Ok(at_last)) => unused.min(at_last),
            // Saturating fails for no duration of this kind; a session that has ended is safe.
            _ => now,
        }
    }
}

#[cfg(test)]
mod tests {
    use netwark_model::auth::Role;

    use super::super::tests::{PASSWORD, auth_with_users};
    use super::*;

    fn days(days: i64) -> SignedDuration {
        SignedDuration::from_hours(24 * days)
    }

    #[tokio::test]
    async fn a_session_slides_but_not_for_ever() {
        let (auth, _directory) = auth_with_users().await;
        let began = Timestamp::from_second(1_800_000_000).unwrap();
        let user = auth.inner.store.user_secrets("admin").await.unwrap().unwrap().user;
        let cookie = auth.start_session(user.id, began).await.unwrap();
        assert!(auth.session(cookie.reveal(), began + days(8)).await.unwrap().is_none());
        for day in [6, 12, 18, 24, 29] {
            let found = auth.session(cookie.reveal(), began + days(day)).await.unwrap();
            assert!(found.is_some(), "day {day}");
        }
        assert!(auth.session(cookie.reveal(), began + days(30)).await.unwrap().is_none());
        assert!(auth.session("", began).await.unwrap().is_none());
        assert!(auth.session(&"x".repeat(200), began).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn unknown_names_and_wrong_passwords_are_alike() {
        let (auth, _directory) = auth_with_users().await;
        let client = |last: u8| IpAddr::from([192, 0, 2, last]);
        for (last, (name, password)) in
            [("admin", "wrong horse"), ("nobody", PASSWORD), ("nul\0", PASSWORD), ("", ""), ("admin", "")]
                .into_iter()
                .enumerate()
        {
            let credentials = Credentials { name: name.into(), password: password.into() };
            let client = client(u8::try_from(last).unwrap());
            let refused = auth.sign_in(&credentials, client, Timestamp::now()).await;
            assert!(matches!(refused, Err(SignInError::Wrong)), "{name}");
        }
        let credentials = Credentials { name: " ADMIN".into(), password: PASSWORD.into() };
        let (user, _) = auth.sign_in(&credentials, client(9), Timestamp::now()).await.unwrap();
        assert_eq!((user.name.as_str(), user.role), ("admin", Role::Admin));
    }

    #[tokio::test]
    async fn the_use_of_a_token_is_noted_to_the_minute() {
        let (auth, _directory) = auth_with_users().await;
        let store = &auth.inner.store;
        let (token, secret) = super::super::add_token(store, "ci", Role::Operator).await.unwrap();
        let now = Timestamp::from_second(1_800_000_000 + 59).unwrap();
        let found = auth.token(secret.reveal(), now).await.unwrap();
        assert_eq!(found, Some(Principal::Token { id: token.id, name: "ci".into(), role: Role::Operator }));
        let noted = store.token_by_hash(&secret.hash()).await.unwrap().unwrap().last_used_at;
        assert_eq!(noted, Timestamp::from_second(1_800_000_000).ok());
        for unknown in ["nwk_x", "", "Bearer", &format!("nwk_{}", "x".repeat(500))] {
            assert_eq!(auth.token(unknown, now).await.unwrap(), None, "{unknown}");
        }
    }
}
