//! Many rows in one statement whose text does not depend on their number: they travel as one JSON value.
//!
//! A statement with a mark for every value has another text for every number of rows, and each text would be
//! parsed and planned anew.
//!
//! PostgreSQL takes what a function returns for a hundred rows, and to join a small table with so many it reads the
//! whole of it; the plan is kept while the table grows. An array it takes for ten values that are looked up in the
//! index, so what is changed or loaded is always found by an array.

use sea_orm::sea_query::ColumnType;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IdenStatic, Iterable, Statement};
use serde::Serialize;
use uuid::Uuid;

use crate::StoreError;
use crate::convert::to_text;

/// A condition: the column is one of the ids in the JSON list that is bound at `place`.
pub(crate) fn is_id(backend: DbBackend, column: &str, place: usize) -> String {
    match backend {
        DbBackend::Postgres => {
            format!("{column} = ANY(ARRAY(SELECT value::uuid FROM json_array_elements_text(${place}::json)))")
        }
        _ => format!("{column} IN (SELECT unhex(value, '-') FROM json_each(?{place}))"),
    }
}

/// A condition: the column is one of the words in the JSON list that is bound at `place`.
pub(crate) fn is_word(backend: DbBackend, column: &str, place: usize) -> String {
    match backend {
        DbBackend::Postgres => {
            format!("{column} = ANY(ARRAY(SELECT value FROM json_array_elements_text(${place}::json)))")
        }
        _ => format!("{column} IN (SELECT value FROM json_each(?{place}))"),
    }
}

/// A condition: the column is one of the byte strings whose hexadecimal digits are in the JSON list that is bound at
/// `place`.
pub(crate) fn is_bytes(backend: DbBackend, column: &str, place: usize) -> String {
    match backend {
        DbBackend::Postgres => format!(
            "{column} = ANY(ARRAY(SELECT decode(value, 'hex') FROM json_array_elements_text(${place}::json)))"
        ),
        _ => format!("{column} IN (SELECT unhex(value) FROM json_each(?{place}))"),
    }
}

/// What is bound for [`is_id`].
pub(crate) fn id_list(ids: &[Uuid]) -> Result<sea_orm::Value, StoreError> {
    Ok(to_text("list of ids", &ids)?.into())
}

/// Makes what is selected with this locked until the commit; SQLite has one writer and needs no such word.
pub(crate) fn for_update(backend: DbBackend) -> &'static str {
    if backend == DbBackend::Postgres { "FOR NO KEY UPDATE" } else { "" }
}

/// Inserts rows; they are serialised models.
pub(crate) async fn insert<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    rows: &[E::Model],
) -> Result<(), StoreError>
where
    E::Model: Serialize,
{
    let backend = connection.get_database_backend();
    let all: Vec<E::Column> = E::Column::iter().collect();
    let names: Vec<String> = all.iter().map(|column| format!("\"{}\"", column.as_str())).collect();
    let names = names.join(", ");
    let sql = format!(
        "INSERT INTO {} ({names}) SELECT {names} FROM {} AS v WHERE true",
        E::default().as_str(),
        source::<E>(backend, &all)?,
    );
    // What one statement takes is bounded by memory alone; so that one does not hold the writer for long.
    for chunk in rows.chunks(1000) {
        let rows = to_text("set of rows", &chunk)?;
        connection.execute_raw(Statement::from_sql_and_values(backend, &sql, [rows.into()])).await?;
    }
    Ok(())
}

/// Writes these columns of rows that exist, found by their `id`; `ids` are those of the rows.
pub(crate) async fn update<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    ids: &[Uuid],
    rows: &[impl Serialize],
    columns: &[E::Column],
) -> Result<(), StoreError> {
    let backend = connection.get_database_backend();
    let id = E::Column::iter().find(|column| column.as_str() == "id");
    let known: Vec<E::Column> = id.into_iter().chain(columns.iter().copied()).collect();
    let set: Vec<String> = columns.iter().map(|c| format!("\"{0}\" = v.\"{0}\"", c.as_str())).collect();
    let table = E::default();
    let table = table.as_str();
    let mut sql = format!(
        "UPDATE {table} SET {} FROM {} AS v WHERE {table}.id = v.id",
        set.join(", "),
        source::<E>(backend, &known)?,
    );
    let mut values = vec![to_text("set of rows", &rows)?.into()];
    // SQLite would begin with the ids, and read the whole list of rows for each of them.
    if backend == DbBackend::Postgres {
        sql = format!("{sql} AND {}", is_id(backend, &format!("{table}.id"), 2));
        values.push(id_list(ids)?);
    }
    connection.execute_raw(Statement::from_sql_and_values(backend, &sql, values)).await?;
    Ok(())
}

/// The JSON list of objects that is bound first, as a table with these columns.
fn source<E: EntityTrait>(backend: DbBackend, columns: &[E::Column]) -> Result<String, StoreError> {
    let mut parts = Vec::new();
    for column in columns {
        let name = column.as_str();
        let kind = match column.def().get_column_type() {
            ColumnType::Uuid => "uuid",
            ColumnType::Text | ColumnType::String(_) => "text",
            ColumnType::BigInteger => "bigint",
            ColumnType::Integer => "integer",
            ColumnType::Boolean => "boolean",
            ColumnType::Binary(_) | ColumnType::VarBinary(_) | ColumnType::Blob => "bytea",
            other => {
                return Err(StoreError::Database(format!(
                    "a column of type {other:?} does not travel in JSON"
                )));
            }
        };
        parts.push(match (backend, kind) {
            (DbBackend::Postgres, kind) => format!("\"{name}\" {kind}"),
            (_, "uuid") => format!("unhex(value->>'{name}', '-') AS \"{name}\""),
            // Behind the `\x` that PostgreSQL reads bytes by.
            (_, "bytea") => format!("unhex(substr(value->>'{name}', 3)) AS \"{name}\""),
            (_, _) => format!("value->>'{name}' AS \"{name}\""),
        });
    }
    let parts = parts.join(", ");
    Ok(match backend {
        // An alias of a function takes the list of columns behind it, so it is wrapped.
        DbBackend::Postgres => format!("(SELECT * FROM json_to_recordset($1::json) AS j({parts}))"),
        _ => format!("(SELECT {parts} FROM json_each(?1))"),
    })
}
