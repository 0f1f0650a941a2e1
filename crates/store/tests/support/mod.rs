//! Databases for the cases.

use netwark_store::{Store, StoreOptions};

/// A fresh SQLite database, in a file so that readers and the writer are separate connections.
pub(crate) async fn sqlite() -> Store {
    Store::open(&StoreOptions::new(sqlite_url())).await.unwrap()
}

/// A fresh PostgreSQL database, or nothing where there is no server.
pub(crate) async fn postgres() -> Option<Store> {
    Some(Store::open(&StoreOptions::new(postgres_url().await?)).await.unwrap())
}

/// The URL of a SQLite file that does not exist yet.
pub(crate) fn sqlite_url() -> String {
    let directory = std::env::temp_dir().join(format!("netwark-store-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir_all(&directory).unwrap();
    format!("sqlite://{}/test.db", directory.display())
}

/// The URL of a PostgreSQL database that is empty.
pub(crate) async fn postgres_url() -> Option<String> {
    use sea_orm::{ConnectionTrait, Database};

    let Ok(server) = std::env::var("NETWARK_TEST_POSTGRES_URL") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "NETWARK_TEST_POSTGRES_URL is not set, and CI must test PostgreSQL"
        );
        eprintln!("skipped: NETWARK_TEST_POSTGRES_URL is not set");
        return None;
    };
    let name = format!("netwark_{}", uuid::Uuid::now_v7().simple());
    let admin = Database::connect(format!("{server}/postgres")).await.unwrap();
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    admin.close().await.unwrap();
    Some(format!("{server}/{name}"))
}
