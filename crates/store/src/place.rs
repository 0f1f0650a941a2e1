//! What a database URL names.

use std::path::PathBuf;

use crate::StoreError;

/// Which database a URL names.
pub(crate) enum Kind {
    /// A file, or nothing for a database in memory.
    Sqlite(Option<PathBuf>),
    /// A server.
    Postgres,
}

pub(crate) fn kind(url: &str) -> Result<Kind, StoreError> {
    let refuse = |reason: &str| Err(StoreError::Url { url: redacted(url), reason: reason.into() });
    if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
        return match path {
            "" => refuse("it names no file"),
            ":memory:" => Ok(Kind::Sqlite(None)),
            path => Ok(Kind::Sqlite(Some(PathBuf::from(path)))),
        };
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Kind::Postgres);
    }
    refuse("its scheme is neither sqlite nor postgres")
}

/// A URL without its password.
pub(crate) fn redacted(url: &str) -> String {
    if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
        return path.to_owned();
    }
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}{path}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(redacted("postgres://u:p@h:1/d"), "postgres://u@h:1/d");
        assert_eq!(redacted("postgres://h/d"), "postgres://h/d");
        assert_eq!(redacted("sqlite:///var/x.db"), "/var/x.db");
    }

    #[test]
    fn other_schemes_are_refused_naming_the_two() {
        let Err(error) = kind("mysql://u:secret@h/d") else { unreachable!() };
        let text = error.to_string();
        assert!(
            text.contains("sqlite://") && text.contains("postgres://") && !text.contains("secret"),
            "{text}"
        );
    }
}
