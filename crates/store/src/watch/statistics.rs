//! Counting what happened.

use std::collections::BTreeMap;

use jiff::Timestamp;
use netwark_model::events::Severity;
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

use super::devices::tally;
use crate::convert::{millis, time};
use crate::{Store, StoreError};

/// A quarter of an hour, in milliseconds: all time zones of today differ by multiples of it.
pub const BUCKET_MS: i64 = 15 * 60 * 1000;

/// How many events of one severity began in a quarter of an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCount {
    /// When it began.
    pub at: Timestamp,
    /// The severity.
    pub severity: Severity,
    /// The network they are about.
    pub network: Option<Uuid>,
    /// How many.
    pub number: u64,
}

/// How often something happened with a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCount {
    /// The device.
    pub device: Uuid,
    /// What it is shown as.
    pub label: String,
    /// How often.
    pub number: u64,
}

impl Store {
    /// How many events there were between two times, by quarter of an hour, severity and network.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_events(
        &self,
        since: Timestamp,
        until: Timestamp,
        network: Option<Uuid>,
    ) -> Result<Vec<EventCount>, StoreError> {
        let only = if network.is_some() { "AND network_id = $3" } else { "" };
        let sql = format!(
            "SELECT at / {BUCKET_MS}, severity, network_id, count(*) FROM events \
             WHERE at >= $1 AND at < $2 {only} GROUP BY 1, 2, 3 ORDER BY 1"
        );
        let mut values: Vec<sea_orm::Value> = vec![millis(since).into(), millis(until).into()];
        values.extend(network.map(Into::into));
        let statement = Statement::from_sql_and_values(self.read().get_database_backend(), sql, values);
        let rows = self.read().query_all_raw(statement).await?;
        rows.iter()
            .map(|row| {
                let (bucket, word): (i64, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
                let number: i64 = row.try_get_by_index(3)?;
                Ok(EventCount {
                    at: time(bucket.saturating_mul(BUCKET_MS)),
                    severity: Severity::from_word(&word).unwrap_or(Severity::Info),
                    network: row.try_get_by_index(2)?,
                    number: u64::try_from(number).unwrap_or_default(),
                })
            })
            .collect()
    }

    /// Devices with which these kinds of events happened most often between two times, on one network or on all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn busiest_devices(
        &self,
        since: Timestamp,
        until: Timestamp,
        kinds: &[&str],
        network: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<DeviceCount>, StoreError> {
        let backend = self.read().get_database_backend();
        let list = crate::convert::to_text("list of kinds", &kinds)?;
        let kind =
            if kinds.is_empty() { "$3 <> ''".to_owned() } else { crate::rows::is_word(backend, "e.kind", 3) };
        let only = if network.is_some() { "AND e.network_id = $5" } else { "" };
        let sql = format!(
            "SELECT e.device_id, d.label, count(*) FROM events e JOIN devices d ON d.id = e.device_id \
             WHERE e.at >= $1 AND e.at < $2 AND {kind} {only} GROUP BY 1, 2 ORDER BY 3 DESC, 2 LIMIT $4"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut values: Vec<sea_orm::Value> =
            vec![millis(since).into(), millis(until).into(), list.into(), limit.into()];
        values.extend(network.map(Into::into));
        let rows = self.read().query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
        rows.iter()
            .map(|row| {
                let number: i64 = row.try_get_by_index(2)?;
                Ok(DeviceCount {
                    device: row.try_get_by_index(0)?,
                    label: row.try_get_by_index(1)?,
                    number: u64::try_from(number).unwrap_or_default(),
                })
            })
            .collect()
    }

    /// How many devices there are of each type, and of each vendor; most first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tally_devices(&self) -> Result<[BTreeMap<String, u64>; 2], StoreError> {
        let number = |rows: Vec<(String, i64)>| {
            rows.into_iter().map(|(word, number)| (word, u64::try_from(number).unwrap_or_default())).collect()
        };
        Ok([number(tally(self.read(), "kind").await?), number(tally(self.read(), "vendor").await?)])
    }

    /// When devices were first seen, between two times.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn newcomers(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(Timestamp, u64)>, StoreError> {
        let sql = format!(
            "SELECT first_seen_at / {BUCKET_MS}, count(*) FROM devices WHERE first_seen_at >= $1 \
             AND first_seen_at < $2 GROUP BY 1 ORDER BY 1"
        );
        let values: [sea_orm::Value; 2] = [millis(since).into(), millis(until).into()];
        let statement = Statement::from_sql_and_values(self.read().get_database_backend(), sql, values);
        let rows = self.read().query_all_raw(statement).await?;
        rows.iter()
            .map(|row| {
                let (bucket, number): (i64, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
                Ok((time(bucket.saturating_mul(BUCKET_MS)), u64::try_from(number).unwrap_or_default()))
            })
            .collect()
    }
}
