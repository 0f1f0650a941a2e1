//! What workers prove themselves with, for links that are open.

use std::collections::HashMap;

use sea_orm::entity::prelude::*;
use sea_orm::{FromQueryResult, QuerySelect};
use uuid::Uuid;

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
}
