//! Names that are the same whatever the case of their letters.
//!
//! The letters from A to Z count as small ones; all others stay as they are, so that both databases and
//! [`str::to_ascii_lowercase`] agree.

use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr, SimpleExpr};
use sea_orm::{ConnectionTrait, DbBackend};

/// The name of a row of this table, as it is compared. It has a unique index.
pub(crate) fn folded(backend: DbBackend, table: &str) -> String {
    small(backend, &format!("{table}.name"))
}

/// A column in small letters, to be compared with what [`str::to_ascii_lowercase`] makes of a text.
pub(crate) fn small(backend: DbBackend, column: &str) -> String {
    match backend {
        // Other collations fold more letters, or the letter I otherwise.
        DbBackend::Postgres => format!(r#"lower({column} COLLATE "C")"#),
        _ => format!("lower({column})"),
    }
}

/// A column as a [`pattern`] is held against it. `LIKE` of SQLite takes both cases of the letters from A to Z as one.
pub(crate) fn sought(backend: DbBackend, column: &str) -> String {
    match backend {
        // The rules of a language would take several times as long, too.
        DbBackend::Postgres => small(backend, column),
        _ => column.to_owned(),
    }
}

/// A pattern of `LIKE` with the escape `\`, for what has this text in it.
pub(crate) fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_ascii_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// True for rows that have this in a column, whatever the case of the letters from A to Z.
pub(crate) fn has_text(backend: DbBackend, column: &str, text: &str) -> SimpleExpr {
    Expr::cust(sought(backend, column)).like(LikeExpr::new(pattern(text)).escape('\\'))
}

/// True for the row of this table that has the name, in letters of either case.
pub(crate) fn is_named<C: ConnectionTrait>(connection: &C, table: &str, name: &str) -> SimpleExpr {
    Expr::cust(folded(connection.get_database_backend(), table)).eq(name.to_ascii_lowercase())
}
