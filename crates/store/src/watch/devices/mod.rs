//! Devices: listing and showing them, and what people say of them.

mod change;
mod filter;
mod merge;
mod show;

use jiff::Timestamp;
use netwark_model::watch::device::{Device, DeviceChange, DeviceDetail};
use netwark_model::watch::presence::PresenceSession;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, ExprTrait, QueryOrder, QuerySelect, Statement};
use uuid::Uuid;

pub use self::change::DeviceEdit;
pub(super) use self::filter::mac_range;
pub use self::filter::{DeviceFilter, DeviceSort};
pub use self::merge::MOST_MERGED;
pub(super) use self::show::tally;
use super::columns;
use super::entity::{change as changes, device, presence, station};
use crate::convert::{millis, time};
use crate::{Store, StoreError, rows};

impl Store {
    /// Devices that fit the filter, and how many there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn devices(
        &self,
        filter: &DeviceFilter,
        now: Timestamp,
    ) -> Result<(Vec<Device>, u64), StoreError> {
        let query = filter::query(self.read().get_database_backend(), filter, millis(now));
        let total = self.read().query_one_raw(query.count()).await?;
        let total: i64 = total.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
        let found = device::Entity::find().from_raw_sql(query.page(filter)).all(self.read()).await?;
        let devices = show::devices(self.read(), found, now).await?;
        Ok((devices, u64::try_from(total).unwrap_or_default()))
    }

    /// One device with all that is known of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn device(&self, id: Uuid, now: Timestamp) -> Result<Option<DeviceDetail>, StoreError> {
        let Some(row) = device::Entity::find_by_id(id).one(self.read()).await? else { return Ok(None) };
        show::detail(self.read(), row, now).await.map(Some)
    }

    /// Deletes a device with all that was seen of it; when it is seen again it is a new one. False when there is none of
    /// this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_device(&self, id: Uuid) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                merge::lock_networks(transaction, &[id]).await?;
                Ok(device::Entity::delete_by_id(id).exec(transaction).await?.rows_affected > 0)
            })
        })
        .await
    }

    /// What changed about a device, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn device_history(
        &self,
        id: Uuid,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<DeviceChange>, StoreError> {
        let mut query = changes::Entity::find().filter(changes::Column::DeviceId.eq(id));
        use changes::Column::{At, Id};
        if let Some(before) = before {
            // A change that is forgotten by now had all older ones go before it.
            let Some(row) = changes::Entity::find_by_id(before).one(self.read()).await? else {
                return Ok(Vec::new());
            };
            query = query.filter(At.lte(row.at).and(At.lt(row.at).or(Id.lt(before))));
        }
        let query = query.order_by_desc(At).order_by_desc(Id).limit(limit);
        let rows = query.all(self.read()).await?;
        let change = |row: changes::Model| DeviceChange {
            id: row.id,
            at: time(row.at),
            field: row.field,
            old: row.old,
            new: row.new,
            source: row.source,
            network_id: row.network_id,
        };
        Ok(rows.into_iter().map(change).collect())
    }

    /// When the interfaces of a device were there, the latest first: presences that had not ended at `since`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn device_presence(
        &self,
        id: Uuid,
        since: Option<Timestamp>,
        limit: u64,
    ) -> Result<Vec<PresenceSession>, StoreError> {
        let stations =
            station::Entity::find().filter(station::Column::DeviceId.eq(id)).all(self.read()).await?;
        let mut query = presence::Entity::find()
            .filter(presence::Column::StationId.is_in(stations.iter().map(|station| station.id)));
        if let Some(since) = since {
            let ended = presence::Column::EndedAt;
            query = query.filter(ended.is_null().or(ended.gte(millis(since))));
        }
        let rows = query.order_by_desc(presence::Column::BeganAt).limit(limit).all(self.read()).await?;
        let session = |row: presence::Model| {
            let station = stations.iter().find(|station| station.id == row.station_id);
            PresenceSession {
                id: row.id,
                network_id: row.network_id,
                mac: station.and_then(|station| station.mac.as_deref()).and_then(columns::mac),
                began_at: time(row.began_at),
                ended_at: row.ended_at.map(time),
            }
        };
        Ok(rows.into_iter().map(session).collect())
    }
}

/// Rows of a table whose column is one of these ids.
async fn of_ids<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    table: &str,
    column: &str,
    ids: &[Uuid],
) -> Result<Vec<E::Model>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let backend = connection.get_database_backend();
    let sql = format!("SELECT * FROM {table} WHERE {}", rows::is_id(backend, column, 1));
    let statement = Statement::from_sql_and_values(backend, sql, [rows::id_list(ids)?]);
    Ok(E::find().from_raw_sql(statement).all(connection).await?)
}
