//! Who is asking.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use netwark_model::auth::Role;
use uuid::Uuid;

/// Who makes a request. As an extractor it is what the guard found out; a route that the guard
/// does not stand before gets a stranger without any role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A signed-in user.
    User {
        /// Its id.
        id: Uuid,
        /// Its name.
        name: String,
        /// What it may do.
        role: Role,
    },
    /// A program with a token.
    Token {
        /// Id of the token.
        id: Uuid,
        /// Name of the token.
        name: String,
        /// What it may do.
        role: Role,
    },
    /// A worker with its token.
    Worker {
        /// Its id.
        id: Uuid,
        /// Its name.
        name: String,
    },
    /// Nobody we know.
    Anonymous {
        /// What strangers may do (`auth.anonymous_role`).
        role: Option<Role>,
    },
}

impl Principal {
    /// What to call it in a list or a log: `user admin`, `token ci`, `anonymous`.
    pub fn label(&self) -> String {
        match self {
            Self::User { name, .. } => format!("user {name}"),
            Self::Token { name, .. } => format!("token {name}"),
            Self::Worker { name, .. } => format!("worker {name}"),
            Self::Anonymous { .. } => "anonymous".to_owned(),
        }
    }

    /// What it may do; none for a stranger and for a worker, which has ways of its own.
    pub fn role(&self) -> Option<Role> {
        match self {
            Self::Worker { .. } => None,
            Self::User { role, .. } | Self::Token { role, .. } => Some(*role),
            Self::Anonymous { role } => *role,
        }
    }

    /// `user`, `token`, `worker` or `anonymous`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::Token { .. } => "token",
            Self::Worker { .. } => "worker",
            Self::Anonymous { .. } => "anonymous",
        }
    }

    /// The name of the user, token or worker.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::User { name, .. } | Self::Token { name, .. } | Self::Worker { name, .. } => Some(name),
            Self::Anonymous { .. } => None,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or(Self::Anonymous { role: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_roles() {
        let user = Principal::User { id: Uuid::nil(), name: "admin".into(), role: Role::Admin };
        let token = Principal::Token { id: Uuid::nil(), name: "ci".into(), role: Role::Operator };
        let stranger = Principal::Anonymous { role: None };
        assert_eq!([user.label(), token.label(), stranger.label()], ["user admin", "token ci", "anonymous"]);
        let worker = Principal::Worker { id: Uuid::nil(), name: "paris-1".into() };
        assert_eq!((worker.label().as_str(), worker.role()), ("worker paris-1", None));
        assert_eq!(
            [user.role(), token.role(), stranger.role()],
            [Some(Role::Admin), Some(Role::Operator), None]
        );
        assert_eq!(Principal::Anonymous { role: Some(Role::Viewer) }.role(), Some(Role::Viewer));
    }
}
