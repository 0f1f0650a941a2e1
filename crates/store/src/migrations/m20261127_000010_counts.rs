//! Events are counted, and those of a kind or severity found, by indexes alone: a year of them is too much to read as a
//! whole.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// Indexes of events with their columns. The time is followed by the id, since that is the order of the timeline.
const INDEXES: [(&str, &[&str]); 2] = [
    ("events_counts", &["at", "id", "severity", "kind", "network_id", "device_id"]),
    ("events_network_counts", &["network_id", "at", "id", "severity", "kind", "device_id"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, columns) in INDEXES {
            let mut index = Index::create().name(name).table("events").to_owned();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        // The new ones begin with the same columns.
        for old in ["events_times", "events_network_times"] {
            manager.drop_index(Index::drop().name(old).table("events").to_owned()).await?;
        }
        Ok(())
    }
}
