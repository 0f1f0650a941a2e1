//! The timeline is read in the order in which things happened, and a network whose deletion was cut short is found again.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::boolean;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// Indexes of events, with what they narrow by before the time.
const INDEXES: [(&str, &[&str]); 4] = [
    ("events_times", &[]),
    ("events_worker_times", &["worker_id"]),
    ("events_network_times", &["network_id"]),
    ("events_device_times", &["device_id"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, first) in INDEXES {
            let mut index = Index::create().name(name).table("events").to_owned();
            for column in first.iter().chain(&["at", "id"]) {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        // What they were for is found by the new ones.
        for old in ["events_at", "events_worker", "events_network", "events_device"] {
            manager.drop_index(Index::drop().name(old).table("events").to_owned()).await?;
        }
        let goes = boolean("history_goes").default(false).to_owned();
        manager.alter_table(Table::alter().table("networks").add_column(goes).to_owned()).await
    }
}
