//! Counting who was there.

use jiff::Timestamp;
use sea_orm::{ConnectionTrait, Statement, Value};
use uuid::Uuid;

use super::statistics::BUCKET_MS;
use crate::convert::{millis, time};
use crate::{Store, StoreError};

/// The longest time from one sweep to the next, in milliseconds: what was seen before a range says this long who is
/// there.
const LONGEST_MS: i64 = 7 * 24 * 3600 * 1000;

/// Who was there between two times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PresenceCounts {
    /// In which quarter of an hour so many more devices were there than in the one before. A device that left within a
    /// quarter was there in it.
    pub changes: Vec<(Timestamp, i64)>,
    /// In which quarter of an hour a sweep ended, and how long it says who is there, in milliseconds.
    pub watched: Vec<(Timestamp, i64)>,
}

impl Store {
    /// Who was there between two times, each device once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_presence(
        &self,
        since: Timestamp,
        until: Timestamp,
        network: Option<Uuid>,
    ) -> Result<PresenceCounts, StoreError> {
        let bounds = (millis(since), millis(until));
        let changes = self.buckets(&changes(network.is_some()), bounds, network).await?;
        let bounds = (bounds.0.saturating_sub(LONGEST_MS), bounds.1);
        let watched = self.buckets(&watched(network.is_some()), bounds, network).await?;
        Ok(PresenceCounts { changes, watched })
    }

    /// Pairs of a quarter of an hour and a number.
    async fn buckets(
        &self,
        sql: &str,
        (since, until): (i64, i64),
        network: Option<Uuid>,
    ) -> Result<Vec<(Timestamp, i64)>, StoreError> {
        let mut values: Vec<Value> = vec![since.into(), until.into()];
        values.extend(network.map(Into::into));
        let statement = Statement::from_sql_and_values(self.read().get_database_backend(), sql, values);
        let rows = self.read().query_all_raw(statement).await?;
        rows.iter()
            .map(|row| {
                let (bucket, number): (i64, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
                Ok((time(bucket.saturating_mul(BUCKET_MS)), number))
            })
            .collect()
    }
}

/// Of each time of an interface only what no earlier one of the same device reaches is counted, so that it counts once.
fn changes(one_network: bool) -> String {
    let only = if one_network { "AND p.network_id = $3" } else { "" };
    format!(
        "WITH spans AS (\
           SELECT s.device_id AS device, \
             (CASE WHEN p.began_at < $1 THEN $1 ELSE p.began_at END) / {BUCKET_MS} AS first, \
             (CASE WHEN p.ended_at IS NULL OR p.ended_at >= $2 THEN $2 - 1 ELSE p.ended_at END) / {BUCKET_MS} AS last \
           FROM presence_sessions p JOIN stations s ON s.id = p.station_id \
           WHERE p.began_at < $2 AND (p.ended_at IS NULL OR p.ended_at >= $1) {only}), \
         reached AS (\
           SELECT first, last, max(last) OVER (PARTITION BY device ORDER BY first \
             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reach FROM spans), \
         news AS MATERIALIZED (\
           SELECT CASE WHEN first <= reach THEN reach + 1 ELSE first END AS first, last FROM reached \
           WHERE reach IS NULL OR last > reach), \
         steps AS (SELECT first AS bucket, 1 AS number FROM news UNION ALL SELECT last + 1, -1 FROM news) \
         SELECT bucket, CAST(sum(number) AS BIGINT) FROM steps GROUP BY 1 HAVING sum(number) <> 0 ORDER BY 1"
    )
}

fn watched(one_network: bool) -> String {
    let only = if one_network { "AND s.network_id = $3" } else { "" };
    format!(
        "SELECT s.ended_at / {BUCKET_MS}, max(n.every_ms) FROM sweeps s JOIN networks n ON n.id = s.network_id \
         WHERE s.ended_at >= $1 AND s.ended_at < $2 AND s.complete {only} GROUP BY 1 ORDER BY 1"
    )
}
