//! Looks over networks.

use std::collections::HashMap;

use jiff::Timestamp;
use netwark_model::watch::network::Sweep;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, QueryOrder, QuerySelect, Statement};
use uuid::Uuid;

use super::entity::sweep;
use super::networks::sweep_of;
use crate::convert::millis;
use crate::{Store, StoreError};

impl Store {
    /// Sweeps of a network that ended before this time, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweeps(
        &self,
        network: Uuid,
        before: Option<Timestamp>,
        limit: u64,
    ) -> Result<Vec<Sweep>, StoreError> {
        let mut query = sweep::Entity::find().filter(sweep::Column::NetworkId.eq(network));
        if let Some(before) = before {
            query = query.filter(sweep::Column::EndedAt.lt(millis(before)));
        }
        let rows = query.order_by_desc(sweep::Column::EndedAt).limit(limit).all(self.read()).await?;
        Ok(rows.into_iter().map(sweep_of).collect())
    }
}

/// The latest sweep of one network, or of each.
pub(super) async fn latest<C: ConnectionTrait>(
    connection: &C,
    one: Option<Uuid>,
) -> Result<HashMap<Uuid, Sweep>, StoreError> {
    let only = if one.is_some() { "AND n.id = $1" } else { "" };
    let sql = format!(
        "SELECT s.* FROM networks n JOIN sweeps s ON s.id = (SELECT l.id FROM sweeps l WHERE l.network_id = n.id \
         ORDER BY l.ended_at DESC LIMIT 1) WHERE n.deleted_at IS NULL {only}"
    );
    let values: Vec<sea_orm::Value> = one.map(Into::into).into_iter().collect();
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    let rows = sweep::Entity::find().from_raw_sql(statement).all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.network_id, sweep_of(row))).collect())
}
