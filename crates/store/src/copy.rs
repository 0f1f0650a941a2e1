//! Moving an installation from one database to another.

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, QueryResult, Statement, TransactionTrait, Value,
};
use uuid::Uuid;

use crate::{Store, StoreError, schema};

/// Every table, those that others point to first. A test compares this with the schema.
pub(crate) const TABLES: &[&str] = &[
    "settings",
    "setup_codes",
    "users",
    "sessions",
    "tokens",
    "workers",
    "queues",
    "queue_members",
    "pairings",
    "events",
    "assignments",
    "assignment_epochs",
    "streams",
    "held_reports",
    "stream_gaps",
    "networks",
    "sweeps",
    "sweep_parts",
    "devices",
    "device_changes",
    "device_proposals",
    "stations",
    "station_addresses",
    "presence_sessions",
    "access_entries",
    "access_entry_networks",
    "channels",
    "subscriptions",
    "subscription_channels",
    "deliveries",
    "unnoticed_events",
    "operations",
    "results",
    "outbox",
];

/// Most values bound in one statement; SQLite takes 32,766.
const VALUES: usize = 16_000;
/// Most rows in one statement. Payloads are large, so it is not the values that count.
const ROWS: usize = 500;

/// How many rows of a table were copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The table.
    pub table: &'static str,
    /// Its rows, there and here.
    pub rows: u64,
}

/// How a column is read and bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Uuid,
    Text,
    Bytes,
    Bool,
    Int,
    BigInt,
    Double,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    name: String,
    kind: Type,
    /// Place in the primary key, from 1.
    key: Option<usize>,
}

/// Copies everything from one database into another that is empty, in one transaction of the latter. Both
/// have the current schema. Nothing may write to the first meanwhile.
///
/// # Errors
/// When the target holds something, the numbers of rows differ afterwards, or a database fails. The target
/// is as it was then.
pub async fn copy(from: &Store, to: &Store) -> Result<Vec<Copied>, StoreError> {
    for table in TABLES {
        if count(to.read(), table).await.map_err(|error| error.at(to.place()))? > 0 {
            return Err(StoreError::Conflict(format!(
                "the database {} is not empty: its table {table} has rows; copy into a new one",
                to.place()
            )));
        }
    }
    let source = from.clone();
    to.write(move |target| Box::pin(async move { fill(&source, target).await })).await
}

async fn fill(from: &Store, target: &DatabaseTransaction) -> Result<Vec<Copied>, StoreError> {
    let failed = |error: StoreError| error.at(from.place());
    let source = from.read().connection.begin().await.map_err(|error| failed(error.into()))?;
    if source.get_database_backend() == DbBackend::Postgres {
        source.execute_unprepared("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        schema::take_time(&source).await.map_err(failed)?;
    }
    if target.get_database_backend() == DbBackend::Postgres {
        schema::take_time(target).await?;
    }
    let mut copied = Vec::new();
    for table in TABLES {
        let columns = columns(&source, table).await.map_err(failed)?;
        let mut after = None;
        loop {
            let rows = page(&source, table, &columns, after).await.map_err(failed)?;
            let Some(last) = rows.last() else { break };
            after = Some(key(&columns, last));
            insert(target, table, &columns, rows).await?;
        }
        let (there, here) = (count(&source, table).await.map_err(failed)?, count(target, table).await?);
        if there != here {
            return Err(StoreError::Database(format!("{table} has {there} rows, but {here} were copied")));
        }
        advance(target, table, &columns).await?;
        tracing::info!(table, rows = here, "copied");
        copied.push(Copied { table, rows: here });
    }
    source.rollback().await?;
    Ok(copied)
}

async fn count<C: ConnectionTrait>(connection: &C, table: &str) -> Result<u64, StoreError> {
    let sql = format!("SELECT count(*) FROM {table}");
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await?;
    let rows: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
    Ok(u64::try_from(rows).unwrap_or_default())
}

/// The columns of a table in their order.
async fn columns<C: ConnectionTrait>(connection: &C, table: &str) -> Result<Vec<Column>, StoreError> {
    let backend = connection.get_database_backend();
    let statement = match backend {
        DbBackend::Postgres => Statement::from_sql_and_values(
            backend,
            "SELECT a.attname::text, format_type(a.atttypid, NULL), \
             coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0)::bigint \
             FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
             WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            [table.into()],
        ),
        _ => Statement::from_sql_and_values(
            backend,
            "SELECT name, lower(type), pk FROM pragma_table_info(?) ORDER BY cid",
            [table.into()],
        ),
    };
    let rows = connection.query_all_raw(statement).await?;
    let mut columns = Vec::new();
    for row in rows {
        let name: String = row.try_get_by_index(0)?;
        let declared: String = row.try_get_by_index(1)?;
        let place: i64 = row.try_get_by_index(2)?;
        let kind = kind(&declared, backend).ok_or_else(|| {
            StoreError::Database(format!("the column {name} of {table} has the unknown type '{declared}'"))
        })?;
        let key = usize::try_from(place).ok().filter(|place| *place > 0);
        columns.push(Column { name, kind, key });
    }
    Ok(columns)
}

/// The type of a column as either database declares it.
fn kind(declared: &str, backend: DbBackend) -> Option<Type> {
    let declared = declared.split('(').next().unwrap_or_default().trim();
    Some(match declared {
        "uuid" | "uuid_text" => Type::Uuid,
        "text" | "character varying" | "varchar" => Type::Text,
        "bytea" | "blob" | "varbinary_blob" => Type::Bytes,
        "boolean" => Type::Bool,
        "integer" if backend == DbBackend::Postgres => Type::Int,
        // SQLite has one type for whole numbers of any size.
        "integer" => Type::BigInt,
        "bigint" => Type::BigInt,
        "double" | "double precision" => Type::Double,
        _ => return None,
    })
}

/// The columns of the primary key in its order, as places among the columns.
fn key_places(columns: &[Column]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..columns.len()).filter(|at| columns[*at].key.is_some()).collect();
    places.sort_by_key(|at| columns[*at].key);
    places
}

fn key(columns: &[Column], row: &[Value]) -> Vec<Value> {
    key_places(columns).into_iter().map(|at| row[at].clone()).collect()
}

/// The next rows behind a key.
async fn page<C: ConnectionTrait>(
    connection: &C,
    table: &str,
    columns: &[Column],
    after: Option<Vec<Value>>,
) -> Result<Vec<Vec<Value>>, StoreError> {
    let backend = connection.get_database_backend();
    let names = |places: &mut dyn Iterator<Item = usize>| {
        places.map(|at| format!("\"{}\"", columns[at].name)).collect::<Vec<_>>().join(", ")
    };
    let selected = names(&mut (0..columns.len()));
    let keys = names(&mut key_places(columns).into_iter());
    let values = after.unwrap_or_default();
    let filter = match values.len() {
        0 => String::new(),
        n => format!(" WHERE ({keys}) > ({})", marks(backend, 0, n)),
    };
    let rows = ROWS.min(VALUES / columns.len().max(1));
    let sql = format!("SELECT {selected} FROM {table}{filter} ORDER BY {keys} LIMIT {rows}");
    let rows = connection.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    rows.iter()
        .map(|row| columns.iter().enumerate().map(|(at, column)| read(row, at, column.kind)).collect())
        .collect()
}

fn read(row: &QueryResult, at: usize, kind: Type) -> Result<Value, StoreError> {
    Ok(match kind {
        Type::Uuid => Value::from(row.try_get_by_index::<Option<Uuid>>(at)?),
        Type::Text => Value::from(row.try_get_by_index::<Option<String>>(at)?),
        Type::Bytes => Value::from(row.try_get_by_index::<Option<Vec<u8>>>(at)?),
        Type::Bool => Value::from(row.try_get_by_index::<Option<bool>>(at)?),
        Type::Int => Value::from(row.try_get_by_index::<Option<i32>>(at)?),
        Type::BigInt => Value::from(row.try_get_by_index::<Option<i64>>(at)?),
        Type::Double => Value::from(row.try_get_by_index::<Option<f64>>(at)?),
    })
}

/// Marks for bound values, such as `$4, $5`.
fn marks(backend: DbBackend, bound: usize, more: usize) -> String {
    let mark = |n: usize| match backend {
        DbBackend::Postgres => format!("${n}"),
        _ => "?".to_owned(),
    };
    (bound + 1..=bound + more).map(mark).collect::<Vec<_>>().join(", ")
}

async fn insert(
    target: &DatabaseTransaction,
    table: &str,
    columns: &[Column],
    rows: Vec<Vec<Value>>,
) -> Result<(), StoreError> {
    let backend = target.get_database_backend();
    let names: Vec<String> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let groups: Vec<String> = (0..rows.len())
        .map(|row| format!("({})", marks(backend, row * columns.len(), columns.len())))
        .collect();
    let sql = format!("INSERT INTO {table} ({}) VALUES {}", names.join(", "), groups.join(", "));
    let values: Vec<Value> = rows.into_iter().flatten().collect();
    target.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(())
}

/// Lets a counter of PostgreSQL go on behind the numbers that were copied. SQLite's does so by itself.
async fn advance(target: &DatabaseTransaction, table: &str, columns: &[Column]) -> Result<(), StoreError> {
    if target.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    for column in columns.iter().filter(|column| matches!(column.kind, Type::Int | Type::BigInt)) {
        let name = &column.name;
        let sql = format!(
            "SELECT setval(counter, (SELECT max(\"{name}\") FROM {table})::bigint) \
             FROM (SELECT pg_get_serial_sequence('{table}', '{name}') AS counter) AS counters \
             WHERE counter IS NOT NULL AND EXISTS (SELECT 1 FROM {table})"
        );
        target.execute_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreOptions;

    #[tokio::test]
    async fn every_table_is_in_the_list_and_every_column_can_be_copied() {
        let store = Store::open(&StoreOptions::new("sqlite::memory:")).await.unwrap();
        let mut real = schema::tables(store.read()).await.unwrap();
        real.retain(|table| table != "seaql_migrations");
        let mut listed: Vec<&str> = TABLES.to_vec();
        listed.sort_unstable();
        assert_eq!(real, listed);
        for table in TABLES {
            let columns = columns(store.read(), table).await.unwrap();
            assert!(!key_places(&columns).is_empty(), "{table} has no primary key");
        }
    }
}
