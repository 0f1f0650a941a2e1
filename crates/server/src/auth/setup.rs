//! Making the first administrator with a one-time code.
//!
//! The code has 128 bits, lives for 30 minutes, may be wrong five times, and only its hash is
//! stored. The link to the page carries it behind `#`, so that it reaches no log of a proxy.

use jiff::{SignedDuration, Timestamp};
use netwark_model::auth::{Role, Setup};
use netwark_store::setup_codes::FirstUser;
use netwark_store::users::NewUser;
use netwark_store::{Store, StoreError};

use super::error::AuthError;
use super::password::Passwords;
use super::secret::{self, Secret};
use super::users;

/// How long a code can be used.
pub(crate) const LIFETIME: SignedDuration = SignedDuration::from_mins(30);
/// How many wrong codes are borne.
pub(crate) const TRIES: u32 = 5;

/// Makes a code for the first administrator; an earlier one no longer works. None when there is a
/// user already.
///
/// # Errors
/// When the database fails.
pub async fn make_setup_code(store: &Store) -> Result<Option<Secret>, StoreError> {
    make_setup_code_at(store, Timestamp::now()).await
}

async fn make_setup_code_at(store: &Store, now: Timestamp) -> Result<Option<Secret>, StoreError> {
    let code = Secret::code();
    Ok(store.replace_setup_code(code.hash(), now + LIFETIME, TRIES).await?.then_some(code))
}

/// The link that opens the page of first set-up with a code, under a base such as
/// `http://127.0.0.1:6543`.
pub fn setup_link(base: &str, code: &Secret) -> String {
    format!("{}/setup#code={}", base.trim_end_matches('/'), code.reveal())
}

/// Makes the first administrator when the code is right.
///
/// # Errors
/// When the name or password is not acceptable, or the database fails. A wrong code is no error
/// but an outcome.
pub(crate) async fn set_up(
    store: &Store,
    passwords: &Passwords,
    setup: &Setup,
    now: Timestamp,
) -> Result<FirstUser, AuthError> {
    let name = users::check(&setup.name, &setup.password)?;
    let password_hash = passwords.hash(&setup.password).await?;
    let code = secret::hash(&setup.code.trim().to_ascii_lowercase());
    let user = NewUser { name, password_hash, role: Role::Admin };
    Ok(store.make_first_user(code, user, now).await?)
}

#[cfg(test)]
mod tests {
    use super::super::tests::temporary_store;
    use super::*;

    fn setup(code: &str) -> Setup {
        Setup { code: code.into(), name: "admin".into(), password: "correct horse".into() }
    }

    #[tokio::test]
    async fn the_latest_code_makes_an_administrator_once() {
        let (store, _directory) = temporary_store().await;
        let (passwords, now) = (Passwords::default(), Timestamp::now());
        let earlier = make_setup_code(&store).await.unwrap().unwrap();
        let code = make_setup_code(&store).await.unwrap().unwrap();
        let tried = set_up(&store, &passwords, &setup(earlier.reveal()), now).await.unwrap();
        assert_eq!(tried, FirstUser::WrongCode { tries_left: 4 });
        let typed = format!(" {} ", code.reveal().to_ascii_uppercase());
        let made = set_up(&store, &passwords, &setup(&typed), now).await.unwrap();
        assert!(matches!(&made, FirstUser::Made(user) if user.role == Role::Admin), "{made:?}");
        let again = set_up(&store, &passwords, &setup(code.reveal()), now).await.unwrap();
        assert_eq!(again, FirstUser::UserExists);
        assert!(make_setup_code(&store).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_code_ends_after_half_an_hour() {
        let (store, _directory) = temporary_store().await;
        let now = Timestamp::now();
        let code = make_setup_code_at(&store, now).await.unwrap().unwrap();
        let late =
            set_up(&store, &Passwords::default(), &setup(code.reveal()), now + LIFETIME).await.unwrap();
        assert_eq!(late, FirstUser::NoCode);
    }

    #[tokio::test]
    async fn a_weak_password_costs_no_try() {
        let (store, _directory) = temporary_store().await;
        let code = make_setup_code(&store).await.unwrap().unwrap();
        let weak = Setup { password: "short".into(), ..setup(code.reveal()) };
        let refused = set_up(&store, &Passwords::default(), &weak, Timestamp::now()).await;
        assert!(matches!(&refused, Err(AuthError::Invalid(errors)) if errors[0].name == "password"));
        let made = set_up(&store, &Passwords::default(), &setup(code.reveal()), Timestamp::now()).await;
        assert!(matches!(made, Ok(FirstUser::Made(_))));
    }

    #[tokio::test]
    async fn the_link_keeps_the_code_from_the_server() {
        let code = Secret::code();
        let link = setup_link("http://127.0.0.1:6543/", &code);
        assert_eq!(link, format!("http://127.0.0.1:6543/setup#code={}", code.reveal()));
    }
}
