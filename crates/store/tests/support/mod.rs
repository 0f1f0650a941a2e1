//! Databases for the cases.

use netwark_store::{Store, StoreOptions};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

/// A fresh SQLite database, in a file so that readers and the writer are separate connections.
pub(crate) async fn sqlite() -> Store {
    Store::open(&StoreOptions::new(sqlite_url())).await.unwrap()
}

/// A fresh PostgreSQL database, or nothing where there is no server.
pub(crate) async fn postgres() -> Option<Store> {
    let server = postgres_server()?;
    let admin = Database::connect(format!("{server}/postgres")).await.unwrap();
    let template = template(&admin, &server).await;
    let name = fresh_name();
    admin.execute_unprepared(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await.unwrap();
    admin.close().await.unwrap();
    Some(Store::open(&StoreOptions::new(format!("{server}/{name}"))).await.unwrap())
}

/// The name of a migrated database: a copy of it is made faster than another one is migrated. Tests are processes, and
/// the first of them makes it.
async fn template(admin: &DatabaseConnection, server: &str) -> &'static str {
    const NAME: &str = "netwark_template";
    // It is given back with the connection.
    admin.execute_unprepared("SELECT pg_advisory_lock(7237)").await.unwrap();
    let asked = format!("SELECT 1 FROM pg_database WHERE datname = '{NAME}'");
    if admin.query_one_raw(Statement::from_string(DbBackend::Postgres, asked)).await.unwrap().is_none() {
        let name = fresh_name();
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        Store::open(&StoreOptions::new(format!("{server}/{name}"))).await.unwrap().close().await;
        admin.execute_unprepared(&format!("ALTER DATABASE {name} RENAME TO {NAME}")).await.unwrap();
    }
    admin.execute_unprepared("SELECT pg_advisory_unlock(7237)").await.unwrap();
    NAME
}

/// The URL of a SQLite file that does not exist yet.
pub(crate) fn sqlite_url() -> String {
    let directory = std::env::temp_dir().join(format!("netwark-store-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir_all(&directory).unwrap();
    format!("sqlite://{}/test.db", directory.display())
}

/// The URL of a PostgreSQL database that is empty.
pub(crate) async fn postgres_url() -> Option<String> {
    let server = postgres_server()?;
    let name = fresh_name();
    let admin = Database::connect(format!("{server}/postgres")).await.unwrap();
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    admin.close().await.unwrap();
    Some(format!("{server}/{name}"))
}

fn fresh_name() -> String {
    format!("netwark_{}", uuid::Uuid::now_v7().simple())
}

/// The URL of the PostgreSQL server, or nothing where there is none.
fn postgres_server() -> Option<String> {
    let server = std::env::var("NETWARK_TEST_POSTGRES_URL").ok();
    if server.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "NETWARK_TEST_POSTGRES_URL is not set, and CI must test PostgreSQL"
        );
        eprintln!("skipped: NETWARK_TEST_POSTGRES_URL is not set");
    }
    server
}
