//! Migrations, oldest first. One list for both databases.

use sea_orm_migration::prelude::*;

mod m20261121_000001_operations;
mod m20261121_000002_auth;
mod m20261121_000003_many_machines;
mod m20261121_000004_creator;
mod m20261121_000005_names;
mod m20261126_000006_watch;
mod m20261126_000007_channels;
mod m20261126_000008_times;
mod m20261126_000009_rates;
mod m20261127_000010_counts;

pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_operations::Migration),
            Box::new(m20261121_000002_auth::Migration),
            Box::new(m20261121_000003_many_machines::Migration),
            Box::new(m20261121_000004_creator::Migration),
            Box::new(m20261121_000005_names::Migration),
            Box::new(m20261126_000006_watch::Migration),
            Box::new(m20261126_000007_channels::Migration),
            Box::new(m20261126_000008_times::Migration),
            Box::new(m20261126_000009_rates::Migration),
            Box::new(m20261127_000010_counts::Migration),
        ]
    }
}
