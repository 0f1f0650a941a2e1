//! What selectors ask of workers.

use netwark_model::selector::Facts;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, FromQueryResult, QueryOrder, QuerySelect};
use serde::Deserialize;
use uuid::Uuid;

use super::{entity, state};
use crate::StoreError;
use crate::convert::from_text;

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    name: String,
    site: String,
    tags: String,
    queues: String,
    details: String,
    online: bool,
    draining: bool,
    revoked_at: Option<i64>,
    last_seen_at: i64,
}

/// The part of [`Details`](super::Details) that is asked for.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Place {
    country: String,
    asn: Option<u32>,
}

/// What selectors ask of workers, by name.
pub(crate) async fn facts<C: ConnectionTrait>(connection: &C) -> Result<Vec<Facts>, StoreError> {
    use entity::Column;
    let rows = entity::Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::Name,
            Column::Site,
            Column::Tags,
            Column::Queues,
            Column::Details,
            Column::Online,
            Column::Draining,
            Column::RevokedAt,
            Column::LastSeenAt,
        ])
        .order_by_asc(Column::Name)
        .into_model::<Row>()
        .all(connection)
        .await?;
    let facts = rows.into_iter().map(|row| {
        let place: Place = from_text("set of details", &row.details)?;
        Ok(Facts {
            id: row.id,
            name: row.name,
            site: row.site,
            tags: from_text("list of tags", &row.tags)?,
            country: place.country,
            asn: place.asn,
            queues: from_text("list of queues", &row.queues)?,
            state: state(row.revoked_at, row.online, row.draining, row.last_seen_at),
        })
    });
    facts.collect()
}
