//! Making users and tokens, for the API and for the shell.

use jiff::Timestamp;
use netwark_model::auth::{Role, Token, User};
use netwark_model::error::FieldError;
use netwark_store::Store;
use netwark_store::user_changes::{Changed, UserChange};
use netwark_store::users::NewUser;

use super::error::AuthError;
use super::password::{self, Passwords};
use super::secret::Secret;

/// Most characters of the name of a user or token.
pub(crate) const MAX_NAME: usize = 64;
/// How every token begins, so that one that leaks is recognised.
pub(crate) const TOKEN_PREFIX: &str = "nwk_";

/// Makes a user.
///
/// # Errors
/// When the name or password is not acceptable, the name is taken, or the database fails.
pub async fn add_user(
    store: &Store,
    passwords: &Passwords,
    name: &str,
    password: &str,
    role: Role,
) -> Result<User, AuthError> {
    let name = check(name, password)?;
    let password_hash = passwords.hash(password).await?;
    Ok(store.add_user(NewUser { name, password_hash, role }, Timestamp::now()).await?)
}

/// Gives a user another password and ends every session of theirs. `None` when there is no such user.
///
/// # Errors
/// When the password is not acceptable, or the database fails.
pub async fn set_password(
    store: &Store,
    passwords: &Passwords,
    name: &str,
    password: &str,
) -> Result<Option<User>, AuthError> {
    let Some(secrets) = store.user_secrets(name.trim()).await? else { return Ok(None) };
    if let Err(description) = password::check_policy(&secrets.user.name, password) {
        return Err(AuthError::Invalid(vec![FieldError::body("password", description)]));
    }
    let password_hash = Some(passwords.hash(password).await?);
    let change = UserChange { password_hash, ..UserChange::default() };
    Ok(match store.change_user(secrets.user.id, change).await? {
        Changed::Done(user) => Some(user),
        Changed::Unknown | Changed::LastAdmin => None,
    })
}

/// Makes a token for a program and returns it with its secret, which is not kept.
///
/// # Errors
/// When the name is not acceptable or taken, or the database fails.
pub async fn add_token(store: &Store, name: &str, role: Role) -> Result<(Token, Secret), AuthError> {
    let name = name.trim();
    let description = match name.chars().count() {
        0 => Some("must not be empty".to_owned()),
        n if n > MAX_NAME => Some(format!("must be at most {MAX_NAME} characters, got {n}")),
        _ if name.chars().any(char::is_control) => Some("must hold no control characters".to_owned()),
        _ => None,
    };
    if let Some(description) = description {
        return Err(AuthError::Invalid(vec![FieldError::body("name", description)]));
    }
    let secret = Secret::new(TOKEN_PREFIX);
    let token = store.add_token(name, role, secret.hash(), Timestamp::now()).await?;
    Ok((token, secret))
}

/// The name of a user without space around it.
///
/// # Errors
/// What would be right.
pub(crate) fn check_name(name: &str) -> Result<&str, String> {
    let name = name.trim();
    match name.chars().count() {
        0 => Err("must not be empty".to_owned()),
        n if n > MAX_NAME => Err(format!("must be at most {MAX_NAME} characters, got {n}")),
        _ if name.chars().all(|c| c.is_alphanumeric() || "._-@+".contains(c)) => Ok(name),
        _ => Err("may hold letters, digits and . _ - @ +".to_owned()),
    }
}

/// Looks at the name and password of a user to be made; the name without space around it.
pub(crate) fn check(name: &str, password: &str) -> Result<String, AuthError> {
    let mut errors = Vec::new();
    let checked = check_name(name);
    if let Err(description) = &checked {
        errors.push(FieldError::body("name", description));
    }
    if let Err(description) = password::check_policy(name, password) {
        errors.push(FieldError::body("password", description));
    }
    match checked {
        Ok(name) if errors.is_empty() => Ok(name.to_owned()),
        _ => Err(AuthError::Invalid(errors)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::temporary_store;
    use super::*;

    #[tokio::test]
    async fn all_that_is_wrong_is_named_at_once() {
        let (store, _directory) = temporary_store().await;
        let passwords = Passwords::default();
        for name in ["", "  ", "two words", "nul\0", "a/b", &"x".repeat(65)] {
            let refused = add_user(&store, &passwords, name, "short", Role::Viewer).await.unwrap_err();
            let AuthError::Invalid(errors) = refused else { panic!("{refused}") };
            assert_eq!(errors.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["name", "password"]);
        }
        let user = add_user(&store, &passwords, " Zoë.M+1 ", "correct horse", Role::Viewer).await.unwrap();
        assert_eq!(user.name, "Zoë.M+1");
        let twin = add_user(&store, &passwords, "zoë.m+1", "correct horse", Role::Viewer).await.unwrap_err();
        assert!(matches!(&twin, AuthError::Store(error) if error.is_conflict()), "{twin}");
    }

    #[tokio::test]
    async fn the_secret_of_a_token_is_not_kept() {
        let (store, _directory) = temporary_store().await;
        let (token, secret) = add_token(&store, " ci ", Role::Operator).await.unwrap();
        assert_eq!(token.name, "ci");
        assert!(secret.reveal().starts_with(TOKEN_PREFIX));
        assert_eq!(store.token_by_hash(&secret.hash()).await.unwrap(), Some(token));
        assert!(matches!(add_token(&store, "a\nb", Role::Viewer).await, Err(AuthError::Invalid(_))));
        assert!(matches!(add_token(&store, "", Role::Viewer).await, Err(AuthError::Invalid(_))));
    }
}
