//! Passwords: which are accepted, how they are hashed and checked.
//!
//! Argon2id with the defaults of its crate (19 MiB, 2 passes), on the blocking pool, few at a time:
//! a flood of sign-ins takes neither the memory nor the workers of the other requests.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

/// Fewest characters of a password.
pub(crate) const MIN_CHARACTERS: usize = 10;
/// Most bytes of a password.
pub(crate) const MAX_BYTES: usize = 1024;
/// Most hashes computed at once.
const AT_ONCE: usize = 2;
/// Longest a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hashed in place of a user's password when there is no such user, so that the time of the answer
/// does not tell which names exist. No password gives this hash.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ibw$\
     AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        .to_owned()
});

/// Why a password was neither hashed nor checked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many wait already.
    #[error("too many people are signing in at this moment; try again in a few seconds")]
    Busy,
    /// The hash could not be computed.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// Hashes and checks passwords, few at a time. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Passwords {
    /// The password as a PHC string, with a salt of its own.
    ///
    /// # Errors
    /// When too many wait, or the system gives no random salt.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let password = password.to_owned();
        self.in_turn(move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|error| PasswordError::Hash(error.to_string()))
        })
        .await?
    }

    /// True when the password gives this hash. Without a hash it takes as long and is false.
    ///
    /// # Errors
    /// When too many wait, or the stored hash cannot be read.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, PasswordError> {
        // What could never have been accepted costs no hash, whoever it is for.
        if password.len() > MAX_BYTES {
            return Ok(false);
        }
        let password = password.to_owned();
        let hash = hash.unwrap_or(&NOBODY).to_owned();
        self.in_turn(move || {
            let hash = PasswordHash::new(&hash).map_err(|error| {
                PasswordError::Hash(format!("the stored hash is not understood: {error}"))
            })?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        })
        .await?
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(PasswordError::Busy) };
        // The turn goes along: a request that is given up does not let another one start early.
        let work = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        work.await.map_err(|error| PasswordError::Hash(error.to_string()))
    }
}

/// What is wrong with a password for the user of this name.
///
/// # Errors
/// A sentence for the one who chose it.
pub fn check_policy(name: &str, password: &str) -> Result<(), String> {
    if password.len() > MAX_BYTES {
        return Err(format!("must be at most {MAX_BYTES} bytes, got {}", password.len()));
    }
    let characters = password.chars().count();
    if characters < MIN_CHARACTERS {
        return Err(format!("must be at least {MIN_CHARACTERS} characters, got {characters}"));
    }
    if password.to_lowercase() == name.trim().to_lowercase() {
        return Err("must not be the name of the user".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use argon2::Params;

    use super::*;

    #[tokio::test]
    async fn a_password_gives_its_hash_and_no_other() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$"), "{hash}");
        assert_ne!(hash, passwords.hash("correct horse").await.unwrap());
        assert!(passwords.verify("correct horse", Some(&hash)).await.unwrap());
        assert!(!passwords.verify("correct horsf", Some(&hash)).await.unwrap());
        assert!(!passwords.verify(&"x".repeat(MAX_BYTES + 1), Some(&hash)).await.unwrap());
        assert!(matches!(passwords.verify("x", Some("plain")).await, Err(PasswordError::Hash(_))));
    }

    #[tokio::test]
    async fn nobody_costs_as_much_as_somebody() {
        let passwords = Passwords::default();
        assert!(!passwords.verify("correct horse", None).await.unwrap());
        let nobody = PasswordHash::new(&NOBODY).unwrap();
        let params = Params::try_from(&nobody).unwrap();
        assert_eq!(params.m_cost(), Params::DEFAULT_M_COST);
        assert_eq!(params.t_cost(), Params::DEFAULT_T_COST);
        assert_eq!(params.p_cost(), Params::DEFAULT_P_COST);
        let somebody = passwords.hash("correct horse").await.unwrap();
        let somebody = PasswordHash::new(&somebody).unwrap();
        assert_eq!(nobody.hash.unwrap().len(), somebody.hash.unwrap().len());
    }

    #[test]
    fn weak_passwords_are_refused_with_a_reason() {
        assert!(check_policy("admin", "short").unwrap_err().contains("at least 10 characters, got 5"));
        assert!(check_policy("administrator", "ADMINistrator").unwrap_err().contains("name"));
        assert!(
            check_policy("admin", &"ä".repeat(513)).unwrap_err().contains("at most 1024 bytes, got 1026")
        );
        assert_eq!(check_policy("admin", "ääääääääää"), Ok(()));
    }
}
