//! Forgetting what is old, in steps that hold the writer for moments only.

use std::time::Duration;

use jiff::Timestamp;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, ExprTrait, Statement, Value};
use uuid::Uuid;

use super::entity::network;
use crate::convert::millis;
use crate::{Store, StoreError};

/// Rows that go in one step.
const STEP: i64 = 2_000;
/// Pause between steps, in which others write.
const PAUSE: Duration = Duration::from_millis(20);

impl Store {
    /// Deletes sweeps, presences, changes and former addresses that are older than this; returns how many rows went.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_sightings(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut total = 0;
        for (table, old) in [
            ("sweeps", "ended_at < $1"),
            ("presence_sessions", "ended_at IS NOT NULL AND ended_at < $1"),
            ("device_changes", "at < $1"),
            ("station_addresses", "NOT current AND last_seen_at < $1"),
        ] {
            total += self.forget_steps(table, old, millis(before).into()).await?;
        }
        Ok(total)
    }

    /// Deletes what networks have left that were deleted with their history; returns how many networks. What a kill cuts
    /// short the next call brings to its end.
    ///
    /// # Errors
    /// When the database fails. What was deleted by then stays deleted.
    pub async fn forget_networks(&self) -> Result<usize, StoreError> {
        let goes = network::Column::DeletedAt.is_not_null().and(network::Column::HistoryGoes.eq(true));
        let rows = network::Entity::find().filter(goes).all(self.read()).await?;
        for row in &rows {
            self.forget_network(row.id).await?;
        }
        Ok(rows.len())
    }

    async fn forget_network(&self, id: Uuid) -> Result<(), StoreError> {
        for table in ["events", "sweeps", "presence_sessions", "station_addresses", "stations"] {
            self.forget_steps(table, "network_id = $1", id.into()).await?;
        }
        self.write(move |transaction| {
            Box::pin(async move {
                network::Entity::delete_by_id(id).exec(transaction).await?;
                // What was seen nowhere else is nowhere now.
                let sql = "DELETE FROM devices WHERE NOT EXISTS \
                           (SELECT 1 FROM stations s WHERE s.device_id = devices.id)";
                let backend = transaction.get_database_backend();
                transaction.execute_raw(Statement::from_string(backend, sql)).await?;
                Ok(())
            })
        })
        .await
    }

    pub(crate) async fn forget_steps(
        &self,
        table: &'static str,
        old: &str,
        value: Value,
    ) -> Result<u64, StoreError> {
        let sql =
            format!("DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {old} LIMIT {STEP})");
        let mut total = 0;
        loop {
            let (sql, value) = (sql.clone(), value.clone());
            let gone = self.write(move |transaction| {
                Box::pin(async move {
                    let backend = transaction.get_database_backend();
                    let statement = Statement::from_sql_and_values(backend, sql, [value]);
                    Ok(transaction.execute_raw(statement).await?.rows_affected())
                })
            });
            let gone = gone.await?;
            total += gone;
            if gone < STEP.unsigned_abs() {
                return Ok(total);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
