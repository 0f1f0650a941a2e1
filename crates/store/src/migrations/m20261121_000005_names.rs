//! Names of workers and of queues that differ only in letter case are the same name.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};
use sea_orm_migration::prelude::*;

use crate::names::folded;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        rename_workers(connection).await?;
        join_queues(connection).await?;
        for table in ["workers", "queues"] {
            let name = folded(connection.get_database_backend(), table).replace(&format!("{table}."), "");
            let index = format!("CREATE UNIQUE INDEX {table}_folded_name ON {table} ({name})");
            connection.execute_unprepared(&index).await?;
        }
        Ok(())
    }
}

/// Of workers that would have one name the first keeps it, and the others get a part of their id behind it.
async fn rename_workers<C: ConnectionTrait>(connection: &C) -> Result<(), DbErr> {
    let rows = all(connection, "SELECT id, name, overrides FROM workers ORDER BY created_at, id").await?;
    let mut seen = BTreeMap::new();
    for row in rows {
        let (id, name): (uuid::Uuid, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        if seen.insert(name.to_ascii_lowercase(), ()).is_none() {
            continue;
        }
        let name = format!("{name}-{}", &id.simple().to_string()[24..]);
        let mut overrides = json(&row.try_get_by_index::<String>(2)?)?;
        // What is set wins over what the worker says of itself.
        overrides["name"] = name.as_str().into();
        let values = [name.into(), overrides.to_string().into(), id.into()];
        run(connection, "UPDATE workers SET name = $1, overrides = $2 WHERE id = $3", values).await?;
    }
    Ok(())
}

/// Of queues that would have one name the first stays, with the members of all.
async fn join_queues<C: ConnectionTrait>(connection: &C) -> Result<(), DbErr> {
    let rows = all(connection, "SELECT name FROM queues ORDER BY builtin DESC, position, name").await?;
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    let mut renamed: HashMap<String, String> = HashMap::new();
    for row in rows {
        let name: String = row.try_get_by_index(0)?;
        let first = kept.entry(name.to_ascii_lowercase()).or_insert_with(|| name.clone());
        if *first != name {
            renamed.insert(name, first.clone());
        }
    }
    for (old, new) in &renamed {
        let join = "INSERT INTO queue_members (queue, worker_id) SELECT $1, worker_id FROM queue_members m \
                    WHERE m.queue = $2 AND NOT EXISTS \
                    (SELECT 1 FROM queue_members o WHERE o.queue = $3 AND o.worker_id = m.worker_id)";
        run(connection, join, [new.into(), old.into(), new.into()]).await?;
        run(connection, "DELETE FROM queue_members WHERE queue = $1", [old.into()]).await?;
        run(connection, "DELETE FROM queues WHERE name = $1", [old.into()]).await?;
    }
    if renamed.is_empty() {
        return Ok(());
    }
    for row in all(connection, "SELECT id, queues, overrides FROM workers").await? {
        let id: uuid::Uuid = row.try_get_by_index(0)?;
        let mut queues = json(&row.try_get_by_index::<String>(1)?)?;
        let mut overrides = json(&row.try_get_by_index::<String>(2)?)?;
        replace(&mut queues, &renamed);
        if let Some(set) = overrides.get_mut("queues") {
            replace(set, &renamed);
        }
        let values = [queues.to_string().into(), overrides.to_string().into(), id.into()];
        run(connection, "UPDATE workers SET queues = $1, overrides = $2 WHERE id = $3", values).await?;
    }
    Ok(())
}

/// Replaces names in a list, each of which stays in it once.
fn replace(list: &mut serde_json::Value, renamed: &HashMap<String, String>) {
    let Some(names) = list.as_array_mut() else { return };
    let mut kept: Vec<serde_json::Value> = Vec::new();
    for name in names.drain(..) {
        let new = name.as_str().and_then(|name| renamed.get(name)).map(|new| new.as_str().into());
        let name = new.unwrap_or(name);
        if !kept.contains(&name) {
            kept.push(name);
        }
    }
    *names = kept;
}

fn json(text: &str) -> Result<serde_json::Value, DbErr> {
    serde_json::from_str(text).map_err(|error| DbErr::Json(error.to_string()))
}

async fn all<C: ConnectionTrait>(connection: &C, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
    connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql)).await
}

async fn run<C: ConnectionTrait, const N: usize>(
    connection: &C,
    sql: &str,
    values: [Value; N],
) -> Result<(), DbErr> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.execute_raw(statement).await.map(drop)
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectOptions, Database, DatabaseConnection};

    use super::*;
    use crate::migrations::Migrator;

    /// Everything before this migration.
    const BEFORE: u32 = 4;

    async fn same_names_are_parted(connection: &DatabaseConnection) {
        Migrator::up(connection, Some(BEFORE)).await.unwrap();
        let (one, two) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(0x00ab));
        for (at, id, name) in [(1, one, "paris"), (2, two, "Paris")] {
            let sql = "INSERT INTO workers (id, name, site, location, tags, version, queues, capabilities, policy, \
                       embedded, online, running, created_at, last_seen_at, overrides) \
                       VALUES ($1, $2, '', '', '[]', '', '[\"netwark.LAB\",\"netwark.lab\"]', '{}', '', false, false, \
                       0, $3, 0, '{\"queues\":[\"netwark.LAB\"]}')";
            run(connection, sql, [id.into(), name.into(), i64::from(at).into()]).await.unwrap();
        }
        for name in ["netwark.LAB", "netwark.lab"] {
            let sql = "INSERT INTO queues (name, label, location, broadcast, builtin, position) \
                       VALUES ($1, '', '', false, false, $2)";
            let position = i32::from(name == "netwark.LAB");
            run(connection, sql, [name.into(), position.into()]).await.unwrap();
            let sql = "INSERT INTO queue_members (queue, worker_id) VALUES ($1, $2)";
            run(connection, sql, [name.into(), one.into()]).await.unwrap();
        }
        run(
            connection,
            "INSERT INTO queue_members (queue, worker_id) VALUES ($1, $2)",
            ["netwark.LAB".into(), two.into()],
        )
        .await
        .unwrap();

        Migrator::up(connection, None).await.unwrap();
        let text = async |sql: &str| -> Vec<String> {
            all(connection, sql).await.unwrap().iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
        };
        assert_eq!(text("SELECT name FROM workers ORDER BY created_at").await, ["paris", "Paris-000000ab"]);
        let overrides = text("SELECT overrides FROM workers ORDER BY created_at").await;
        assert_eq!(json(&overrides[0]).unwrap(), serde_json::json!({"queues": ["netwark.lab"]}));
        assert_eq!(json(&overrides[1]).unwrap()["name"], "Paris-000000ab");
        assert_eq!(text("SELECT queues FROM workers").await, [r#"["netwark.lab"]"#; 2]);
        assert_eq!(text("SELECT name FROM queues").await, ["netwark.lab"]);
        assert_eq!(text("SELECT queue FROM queue_members").await, ["netwark.lab"; 2]);
    }

    #[tokio::test]
    async fn names_that_are_the_same_now_are_parted_on_sqlite() {
        let mut options = ConnectOptions::new("sqlite::memory:");
        options.max_connections(1);
        same_names_are_parted(&Database::connect(options).await.unwrap()).await;
    }

    #[tokio::test]
    async fn names_that_are_the_same_now_are_parted_on_postgresql() {
        let Ok(url) = std::env::var("NETWARK_TEST_POSTGRES_URL") else {
            assert!(std::env::var_os("CI").is_none(), "NETWARK_TEST_POSTGRES_URL is not set");
            eprintln!("skipped: NETWARK_TEST_POSTGRES_URL is not set");
            return;
        };
        let mut options = ConnectOptions::new(format!("{url}/postgres"));
        // What is set of a connection holds for the next statement.
        options.max_connections(1);
        let connection = Database::connect(options).await.unwrap();
        let schema = format!("names_{}", uuid::Uuid::now_v7().simple());
        connection.execute_unprepared(&format!("CREATE SCHEMA {schema}")).await.unwrap();
        connection.execute_unprepared(&format!("SET search_path TO {schema}")).await.unwrap();
        same_names_are_parted(&connection).await;
        connection.execute_unprepared(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
    }
}
