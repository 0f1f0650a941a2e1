//! What all workers prove themselves with and were told, for links that are open.

use std::collections::HashMap;

use sea_orm::entity::prelude::*;
use sea_orm::{FromQueryResult, QuerySelect};
use uuid::Uuid;

use super::DrainOrder;
use super::entity::{Column, Entity};
use crate::{Store, StoreError};

/// What a worker proves itself with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerCredential {
    /// SHA-256 of its token; none before it has one.
    pub token_hash: Option<Vec<u8>>,
    /// True when an administrator revoked it.
    pub revoked: bool,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    token_hash: Option<Vec<u8>>,
    revoked_at: Option<i64>,
}

impl Store {
    /// What each worker proves itself with.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn worker_credentials(&self) -> Result<HashMap<Uuid, WorkerCredential>, StoreError> {
        let rows = Entity::find()
            .select_only()
            .columns([Column::Id, Column::TokenHash, Column::RevokedAt])
            .into_model::<Row>()
            .all(self.read())
            .await?;
        let credential = |row: Row| {
            let revoked = row.revoked_at.is_some();
            (row.id, WorkerCredential { token_hash: row.token_hash, revoked })
        };
        Ok(rows.into_iter().map(credential).collect())
    }

    /// What an administrator wants of each worker that was ever told to drain.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drain_orders(&self) -> Result<HashMap<Uuid, DrainOrder>, StoreError> {
        let query = Entity::find()
            .select_only()
            .columns([Column::Id, Column::DrainWanted, Column::DrainRevision])
            .filter(Column::DrainRevision.gt(0))
            .into_tuple::<(Uuid, bool, i64)>();
        let rows = query.all(self.read()).await?;
        let order = |(id, draining, revision)| {
            (id, DrainOrder { draining, revision: u64::try_from(revision).unwrap_or(0) })
        };
        Ok(rows.into_iter().map(order).collect())
    }
}
