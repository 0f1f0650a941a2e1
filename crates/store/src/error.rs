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
        "the database{} is damaged or no SQLite database ({detail}); nothing was changed. Restore a backup, or move the file away to begin anew",
        named(place)
    )]
    Corrupt {
        /// The file.
        place: String,
        /// What the database said.
        detail: String,
    },
    /// Another process holds the file.
    #[error(
        "the database{} is locked by another process; stop that process, or use another data directory",
        named(place)
    )]
    Locked {
        /// The file.
        place: String,
    },
    /// There is no room left.
    #[error("the disk that holds the database{} is full; make room and try again", named(place))]
    Full {
        /// The file or server.
        place: String,
    },
    /// The file cannot be written.
    #[error("the database{} cannot be opened or written: {detail}", named(place))]
    Access {
        /// The file.
        place: String,
        /// What the system said.
        detail: String,
    },
    /// The database was migrated by a newer version.
    #[error(
        "the database{} was made by a newer version of netwark ({detail}); run that version",
        named(place)
    )]
    Newer {
        /// The file or server.
        place: String,
        /// What the migration said.
        detail: String,
    },
    /// The server is older than what is supported.
    #[error("the database{} is {found}; netwark needs PostgreSQL 13 or later", named(place))]
    TooOld {
        /// The server.
        place: String,
        /// What it is.
        found: String,
    },
    /// It cannot hold every character.
    #[error(
        "the database{} stores text as {found}, which cannot hold every name; make one with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0 and name it in database.url",
        named(place)
    )]
    Encoding {
        /// The server.
        place: String,
        /// The encoding.
        found: String,
    },
    /// The schema is old, and it is not to be changed now.
    #[error(
        "the schema of the database{} is old ({pending} migrations are pending); run 'netwark migrate'",
        named(place)
    )]
    Old {
        /// The file or server.
        place: String,
        /// How many migrations have not been applied.
        pending: usize,
    },
    /// Another program's tables are in it.
    #[error(
        "the database{} is not netwark's: {detail}; nothing was changed. Name an empty database in database.url",
        named(place)
    )]
    Foreign {
        /// The file or server.
        place: String,
        /// What was found.
        detail: String,
    },
    /// The database does not answer, or has no time for this now.
    #[error("the database{} does not answer: {detail}", named(place))]
    Unavailable {
        /// The file or server.
        place: String,
        /// What happened.
        detail: String,
    },
    /// The write met another one that would not wait for it.
    #[error(
        "two writes to the database{} waited for each other, and one was given up: {detail}; try again",
        named(place)
    )]
    Contention {
        /// The server.
        place: String,
        /// What it said.
        detail: String,
    },
    /// A rule of the data would be broken.
    #[error("{0}")]
    Conflict(String),
    /// Another of its kind has the name.
    #[error("{0}")]
    NameTaken(String),
    /// Something names what does not exist.
    #[error("{detail}")]
    Missing {
        /// The field that names it.
        field: &'static str,
        /// What does not exist.
        detail: String,
    },
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

/// The name of a database, behind the word; nothing where it is not known.
fn named(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(" {place}") }
}

impl StoreError {
    /// True when trying again later can help.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::Contention { .. } | Self::Locked { .. } | Self::Full { .. }
        )
    }

    /// True when the very same write may succeed at once.
    pub(crate) fn is_contention(&self) -> bool {
        matches!(self, Self::Contention { .. })
    }

    /// True when it contradicts what is stored, so that it would not help to try again.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_) | Self::NameTaken(_) | Self::Missing { .. })
    }

    /// Who changes something has not read it as it is by now.
    pub(crate) fn changed_meanwhile() -> Self {
        Self::Conflict("somebody has changed it meanwhile; read it again, then change it".into())
    }

    /// The same error with the database it speaks of.
    pub(crate) fn at(self, name: &str) -> Self {
        match self {
            Self::Corrupt { detail, .. } => Self::Corrupt { place: name.into(), detail },
            Self::Locked { .. } => Self::Locked { place: name.into() },
            Self::Full { .. } => Self::Full { place: name.into() },
            Self::Access { detail, .. } => Self::Access { place: name.into(), detail },
            Self::Newer { detail, .. } => Self::Newer { place: name.into(), detail },
            Self::Contention { detail, .. } => Self::Contention { place: name.into(), detail },
            Self::TooOld { found, .. } => Self::TooOld { place: name.into(), found },
            Self::Encoding { found, .. } => Self::Encoding { place: name.into(), found },
            Self::Old { pending, .. } => Self::Old { place: name.into(), pending },
            Self::Foreign { detail, .. } => Self::Foreign { place: name.into(), detail },
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
            DbErr::ConnectionAcquire(_) => {
                return Self::Unavailable { place, detail: NO_CONNECTION.into() };
            }
            DbErr::Custom(text) if text.contains("has been applied but its file is missing") => {
                return Self::Newer { place, detail: text.clone() };
            }
            DbErr::Conn(RuntimeErr::SqlxError(inner))
            | DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => return Self::from_driver(inner),
            _ => {}
        }
        Self::Database(detail)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::from_driver(&error)
    }
}

impl StoreError {
    /// Sorts an error of the driver into a kind that a person can act on.
    fn from_driver(error: &sqlx::Error) -> Self {
        let detail = error.to_string();
        let place = String::new();
        match error {
            sqlx::Error::PoolTimedOut => Self::Unavailable { place, detail: NO_CONNECTION.into() },
            // A connection that breaks in the middle of an answer shows as a breach of the protocol, or as a
            // transaction that could not be begun.
            sqlx::Error::Io(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::BeginFailed
            | sqlx::Error::WorkerCrashed => Self::Unavailable { place, detail },
            sqlx::Error::Database(inner) => match inner.code() {
                _ if inner.is_unique_violation() => Self::Conflict(detail),
                Some(code) if inner.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() => {
                    Self::from_sqlite(&code, detail)
                }
                Some(code) => Self::from_sqlstate(&code, inner.message().to_owned()),
                None => Self::Database(detail),
            },
            _ => Self::Database(detail),
        }
    }

    fn from_sqlite(code: &str, detail: String) -> Self {
        let place = String::new();
        // The primary result codes stand in the low byte of the extended ones.
        match code.parse::<u32>().map(|code| code & 0xff) {
            Ok(5 | 6) => Self::Locked { place },
            Ok(11 | 26) => Self::Corrupt { place, detail },
            Ok(13) => Self::Full { place },
            Ok(8 | 10 | 14) => Self::Access { place, detail },
            _ => Self::Database(detail),
        }
    }

    /// By the classes of appendix A of the PostgreSQL manual.
    fn from_sqlstate(code: &str, detail: String) -> Self {
        let place = String::new();
        match code {
            "53100" => Self::Full { place },
            // Serialization, deadlocks, and locks that were waited for too long.
            "55P03" => Self::Contention { place, detail },
            _ if code.starts_with("40") => Self::Contention { place, detail },
            // Connections, resources, operator intervention (which is also a time-out of a statement), time-outs of
            // idle transactions, and a server that became a standby.
            "25006" | "25P03" => Self::Unavailable { place, detail },
            _ if ["08", "53", "57"].iter().any(|class| code.starts_with(class)) => {
                Self::Unavailable { place, detail }
            }
            // No such user, database or schema, or a right that is missing.
            "42501" | "3D000" | "3F000" => Self::Access { place, detail },
            _ if code.starts_with("28") => Self::Access { place, detail },
            _ => Self::Database(detail),
        }
    }
}

/// What is said when no connection could be had in time.
const NO_CONNECTION: &str =
    "no connection could be had in time; it is down, or all of database.max_connections are in use";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_where_its_name_is_known() {
        let error = StoreError::from_sqlstate("08006", "gone".into());
        assert_eq!(error.to_string(), "the database does not answer: gone");
        let error = error.at("postgres://db/netwark");
        assert_eq!(error.to_string(), "the database postgres://db/netwark does not answer: gone");
    }

    #[test]
    fn what_passes_by_itself_is_temporary() {
        for code in ["08006", "57P01", "57P03", "57014", "53300", "40001", "40P01", "55P03", "25P03"] {
            assert!(StoreError::from_sqlstate(code, "x".into()).is_temporary(), "{code}");
        }
        for code in ["42P01", "28P01", "3D000", "42501", "22P02"] {
            assert!(!StoreError::from_sqlstate(code, "x".into()).is_temporary(), "{code}");
        }
    }
}
