//! An installation that moves, with rows in every table there is.

use std::collections::HashMap;

use netwark_store::copy::copy;
use netwark_store::{Store, StoreError};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::{open, support};

/// More than are copied at once.
const ROWS: i64 = 700;

async fn texts(store: &Store, sql: &str) -> Vec<String> {
    let rows = store.read().query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

async fn execute(store: &Store, sql: String) -> Result<(), StoreError> {
    store.write(move |t| Box::pin(async move { Ok(t.execute_unprepared(&sql).await.map(|_| ())?) })).await
}

async fn tables(store: &Store) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' \
               AND name <> 'seaql_migrations' ORDER BY name";
    texts(store, sql).await
}

/// The type that each column has on PostgreSQL, which tells numbers apart that SQLite does not.
async fn types(server: &Store) -> HashMap<String, String> {
    let sql = "SELECT table_name || '.' || column_name, data_type::text FROM information_schema.columns \
               WHERE table_schema = 'public'";
    let rows = server.read().query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
    rows.iter().map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())).collect()
}

/// A statement that fills a table with values of all kinds, whatever its columns are.
async fn filling(store: &Store, table: &str, types: &HashMap<String, String>) -> String {
    let parents = format!("SELECT \"from\" || ' ' || \"table\" FROM pragma_foreign_key_list('{table}')");
    let parents = texts(store, &parents).await;
    let columns = "SELECT name || ' ' || (\"notnull\" OR pk > 0) FROM pragma_table_info";
    let mut values = Vec::new();
    for (place, column) in
        texts(store, &format!("{columns}('{table}') ORDER BY cid")).await.iter().enumerate()
    {
        let (name, required) = column.split_once(' ').unwrap();
        let parent = parents.iter().find_map(|parent| parent.strip_prefix(&format!("{name} ")));
        let kind = types[&format!("{table}.{name}")].as_str();
        values.push(match (parent, kind) {
            (Some(parent), _) => format!(
                "(SELECT id FROM (SELECT id, row_number() OVER () - 1 AS place FROM {parent}) WHERE place = n)"
            ),
            // One of them is unique and true once at most.
            (None, "boolean") if required == "0" => "NULL".to_owned(),
            (None, kind) if required == "0" && place % 2 == 0 => {
                format!("CASE WHEN n % 3 = 0 THEN NULL ELSE {} END", value(kind))
            }
            (None, kind) => value(kind).to_owned(),
        });
    }
    format!(
        "WITH RECURSIVE count(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM count WHERE n < {ROWS} - 1) \
         INSERT INTO {table} SELECT {} FROM count",
        values.join(", ")
    )
}

fn value(kind: &str) -> &'static str {
    match kind {
        "uuid" => "randomblob(16)",
        "bytea" => "randomblob(32)",
        "boolean" => "n % 2",
        "integer" => "2147483000 - n",
        "bigint" => "9223372036854770000 - n",
        "double precision" => "n / 3.0",
        _ => "'Ä \"quoted\" ''text'' \\ ' || char(10) || n",
    }
}

/// Everything there is, in a form that is equal when it is the same.
async fn dump(store: &Store) -> Vec<(String, Vec<String>)> {
    let mut dump = Vec::new();
    for table in tables(store).await {
        let columns = texts(store, &format!("SELECT name FROM pragma_table_info('{table}')")).await;
        let quoted: Vec<String> = columns.iter().map(|name| format!("quote(\"{name}\")")).collect();
        let rows = texts(store, &format!("SELECT {} FROM {table} ORDER BY 1", quoted.join("||'|'||"))).await;
        dump.push((table, rows));
    }
    dump
}

#[tokio::test]
async fn everything_moves_there_and_back() {
    let old = support::sqlite().await;
    let Some(server) = support::postgres().await else { return };
    let types = types(&server).await;
    let mut fill = Vec::new();
    for table in tables(&old).await {
        fill.push(filling(&old, &table, &types).await);
    }
    // Who is pointed to comes first; each round fills what it can.
    while !fill.is_empty() {
        let mut waiting = Vec::new();
        let before = fill.len();
        for sql in fill {
            let filled = execute(&old, sql.clone()).await;
            if let Err(error) = filled {
                waiting.push((sql, error));
            }
        }
        assert!(waiting.len() < before, "these cannot be filled: {waiting:?}");
        fill = waiting.into_iter().map(|(sql, _)| sql).collect();
    }
    let copied = copy(&old, &server).await.unwrap();
    assert!(copied.iter().all(|copied| copied.rows == ROWS.unsigned_abs()), "{copied:?}");
    let new = support::sqlite().await;
    assert_eq!(copy(&server, &new).await.unwrap(), copied);
    let (left, right) = (dump(&old).await, dump(&new).await);
    assert_eq!(left.len(), copied.len());
    assert!(left == right, "what came back is what was there");
}

#[tokio::test]
async fn a_target_that_holds_something_is_left_as_it_is() {
    let (old, new) = (support::sqlite().await, open(&support::sqlite_url()).await);
    old.replace_setting("key", "old").await.unwrap();
    new.replace_setting("key", "new").await.unwrap();
    let refused = copy(&old, &new).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Conflict(text) if text.contains("settings")), "{refused}");
    assert_eq!(new.setting("key").await.unwrap().as_deref(), Some("new"));
}
