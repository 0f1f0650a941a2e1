//! What can fail when someone signs in or is given the means to.

use netwark_model::error::FieldError;
use netwark_store::StoreError;

use super::password::PasswordError;

/// Why a user or token was not made.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Fields are wrong; the request changes nothing until all are right.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// The password could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The name is taken, or the database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
