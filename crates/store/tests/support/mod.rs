//! Databases for the cases.

use netwark_store::{Store, StoreOptions};

/// A fresh SQLite database, in a file so that readers and the writer are separate connections.
pub(crate) async fn sqlite() -> Store {
    let directory = std::env::temp_dir().join(format!("netwark-store-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir_all(&directory).unwrap();
    let url = format!("sqlite://{}/test.db", directory.display());
    Store::open(&StoreOptions::new(url)).await.unwrap()
}

/// A fresh PostgreSQL database, or nothing where there is no server.
pub(crate) async fn postgres() -> Option<Store> {
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
    Some(Store::open(&StoreOptions::new(format!("{server}/{name}"))).await.unwrap())
}
