//! Counting what happened.

use std::collections::BTreeMap;

use jiff::Timestamp;
use netwark_model::events::Severity;
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};
use uuid::Uuid;

use super::devices::tally;
use crate::convert::{millis, time};
use crate::{Store, StoreError};

/// A quarter of an hour, in milliseconds: all time zones of today differ by multiples of it.
pub const BUCKET_MS: i64 = 15 * 60 * 1000;

/// How many events there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventCounts {
    /// By the quarter of an hour in which they happened, in order of time; severities of which there were none are left
    /// out.
    pub quarters: Vec<(Timestamp, Severity, u64)>,
    /// By the network they are about.
    pub networks: Vec<(Option<Uuid>, Severity, u64)>,
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
    /// How many events there were between two times, by quarter of an hour and by network.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_events(
        &self,
        since: Timestamp,
        until: Timestamp,
        network: Option<Uuid>,
    ) -> Result<EventCounts, StoreError> {
        let only = if network.is_some() { "AND network_id = $3" } else { "" };
        let wher = format!("FROM events WHERE at >= $1 AND at < $2 {only}");
        let mut values: Vec<Value> = vec![millis(since).into(), millis(until).into()];
        values.extend(network.map(Into::into));
        // A year has tens of thousands of quarters, so that each is one row, whatever there was in it.
        let each = Severity::ALL
            .map(|one| format!("sum(CASE WHEN severity = '{}' THEN 1 ELSE 0 END)", one.as_str()));
        let sql = format!("SELECT at / {BUCKET_MS}, {} {wher} GROUP BY 1 ORDER BY 1", each.join(", "));
        let mut counts = EventCounts::default();
        for row in self.counted(sql, values.clone()).await? {
            let bucket: i64 = row.try_get_by_index(0)?;
            for (place, severity) in (1..).zip(Severity::ALL) {
                let number = number(&row, place)?;
                if number > 0 {
                    counts.quarters.push((time(bucket.saturating_mul(BUCKET_MS)), severity, number));
                }
            }
        }
        let sql = format!("SELECT network_id, severity, count(*) {wher} GROUP BY 1, 2 ORDER BY 1, 2");
        for row in self.counted(sql, values).await? {
            let word: String = row.try_get_by_index(1)?;
            let severity = Severity::from_word(&word).unwrap_or(Severity::Info);
            counts.networks.push((row.try_get_by_index(0)?, severity, number(&row, 2)?));
        }
        Ok(counts)
    }

    async fn counted(&self, sql: String, values: Vec<Value>) -> Result<Vec<QueryResult>, StoreError> {
        let statement = Statement::from_sql_and_values(self.read().get_database_backend(), sql, values);
        Ok(self.read().query_all_raw(statement).await?)
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
            "SELECT d.id, d.label, c.number FROM (SELECT e.device_id AS device, count(*) AS number FROM events e \
             WHERE e.at >= $1 AND e.at < $2 AND {kind} {only} GROUP BY 1) c \
             JOIN devices d ON d.id = c.device ORDER BY 3 DESC, 2 LIMIT $4"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut values: Vec<Value> =
            vec![millis(since).into(), millis(until).into(), list.into(), limit.into()];
        values.extend(network.map(Into::into));
        let rows = self.counted(sql, values).await?;
        rows.iter()
            .map(|row| {
                Ok(DeviceCount {
                    device: row.try_get_by_index(0)?,
                    label: row.try_get_by_index(1)?,
                    number: number(row, 2)?,
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
        let rows = self.counted(sql, vec![millis(since).into(), millis(until).into()]).await?;
        rows.iter()
            .map(|row| {
                let bucket: i64 = row.try_get_by_index(0)?;
                Ok((time(bucket.saturating_mul(BUCKET_MS)), number(row, 1)?))
            })
            .collect()
    }
}

/// The number in a column.
fn number(row: &QueryResult, place: usize) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.try_get_by_index::<i64>(place)?).unwrap_or_default())
}
