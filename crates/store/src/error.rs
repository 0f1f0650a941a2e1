//! What can go wrong with the database, in words for the person who runs it.

use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// An error of the store.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database this program knows.
    #[error(
        "database.url '{url}' is not understood: {reason}; use sqlite://PATH or postgres://USER@HOST/NAME"
    )]
    Url {
        /// The URL without its password.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The file is no database, or damaged.
    #[error(
        "the database {place} is damaged or no SQLite database ({detail}); nothing was changed. Restore a backup, or move the file away to begin anew"
    )]
    Corrupt {
        /// The file.
        place: String,
        /// What the database said.
        detail: String,
    },
    /// Another process holds the file.
    #[error(
        "the database {place} is locked by another process; stop that process, or use another data directory"
    )]
    Locked {
        /// The file.
        place: String,
    },
    /// There is no room left.
    #[error("the disk that holds the database {place} is full; make room and try again")]
    Full {
        /// The file or server.
        place: String,
    },
    /// The file cannot be written.
    #[error("the database {place} cannot be opened or written: {detail}")]
    Access {
        /// The file.
        place: String,
        /// What the system said.
        detail: String,
    },
    /// The database was migrated by a newer version.
    #[error("the database {place} was made by a newer version of netwark ({detail}); run that version")]
    Newer {
        /// The file or server.
        place: String,
        /// What the migration said.
        detail: String,
    },
    /// The database does not answer.
    #[error("the database {place} does not answer: {detail}")]
    Unavailable {
        /// The file or server.
        place: String,
        /// What happened.
        detail: String,
    },
    /// A rule of the data would be broken, such as a name that is taken.
    #[error("{0}")]
    Conflict(String),
    /// What is stored cannot be understood.
    #[error("a stored {what} cannot be understood: {detail}")]
    Content {
        /// What it is.
        what: &'static str,
        /// Why.
        detail: String,
    },
    /// Anything else the database said.
    #[error("the database said: {0}")]
    Database(String),
}

impl StoreError {
    /// True when trying again later can help.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Locked { .. } | Self::Full { .. })
    }

    /// True when a unique name or key is taken.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }

    /// The same error with the database it speaks of.
    pub(crate) fn at(self, name: &str) -> Self {
        match self {
            Self::Corrupt { detail, .. } => Self::Corrupt { place: name.into(), detail },
            Self::Locked { .. } => Self::Locked { place: name.into() },
            Self::Full { .. } => Self::Full { place: name.into() },
            Self::Access { detail, .. } => Self::Access { place: name.into(), detail },
            Self::Newer { detail, .. } => Self::Newer { place: name.into(), detail },
            Self::Unavailable { detail, .. } => Self::Unavailable { place: name.into(), detail },
            other => other,
        }
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if let Some(SqlErr::UniqueConstraintViolation(detail)) = error.sql_err() {
            return Self::Conflict(detail);
        }
        let detail = error.to_string();
        let place = String::new();
        match &error {
            DbErr::Migration(text) => return Self::Newer { place, detail: text.clone() },
            DbErr::ConnectionAcquire(_) => return Self::Unavailable { place, detail },
            DbErr::Custom(text) if text.contains("has been applied but its file is missing") => {
                return Self::Newer { place, detail: text.clone() };
            }
            DbErr::Conn(RuntimeErr::SqlxError(inner))
            | DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => return Self::from_sqlx(inner),
            _ => {}
        }
        Self::Database(detail)
    }
}

impl StoreError {
    /// Sorts an error of the driver into a kind that a person can act on.
    pub(crate) fn from_sqlx(error: &sqlx::Error) -> Self {
        let detail = error.to_string();
        let place = String::new();
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Tls(_) => Self::Unavailable { place, detail },
            sqlx::Error::Database(inner) => {
                // SQLite's primary result codes stand in the low byte of its extended ones.
                let primary = inner.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
                let sqlite = inner.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some();
                match primary {
                    Some(5 | 6) if sqlite => Self::Locked { place },
                    Some(11 | 26) if sqlite => Self::Corrupt { place, detail },
                    Some(13) if sqlite => Self::Full { place },
                    Some(8 | 14 | 10) if sqlite => Self::Access { place, detail },
                    _ if inner.is_unique_violation() => Self::Conflict(detail),
                    _ => Self::Database(detail),
                }
            }
            _ => Self::Database(detail),
        }
    }
}
