//! Rows of workers and of who is a member of which queue.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub site: String,
    #[sea_orm(column_type = "Text")]
    pub location: String,
    #[sea_orm(column_type = "Text")]
    pub tags: String,
    #[sea_orm(column_type = "Text")]
    pub version: String,
    #[sea_orm(column_type = "Text")]
    pub queues: String,
    #[sea_orm(column_type = "Text")]
    pub capabilities: String,
    #[sea_orm(column_type = "Text")]
    pub policy: String,
    pub embedded: bool,
    pub online: bool,
    pub running: i32,
    pub created_at: i64,
    /// 0 before it was here.
    pub last_seen_at: i64,
    /// What an administrator has set, a [`WorkerOverrides`](netwark_model::workers::WorkerOverrides).
    #[sea_orm(column_type = "Text")]
    pub overrides: String,
    /// The latest [`Hello`](netwark_model::messages::Hello).
    #[sea_orm(column_type = "Text", nullable)]
    pub declared: Option<String>,
    /// [`Details`](super::Details) of the latest hello and of what an administrator has set.
    #[sea_orm(column_type = "Text")]
    pub details: String,
    /// The latest [`Alive`](netwark_model::messages::Alive).
    #[sea_orm(column_type = "Text")]
    pub vitals: String,
    pub link: String,
    #[sea_orm(column_type = "VarBinary(StringLen::None)", nullable)]
    pub token_hash: Option<Vec<u8>>,
    #[sea_orm(column_type = "Text", nullable)]
    pub public_key: Option<String>,
    pub revoked_at: Option<i64>,
    pub draining: bool,
    pub drain_wanted: bool,
    pub drain_revision: i64,
    pub mark: i64,
    pub revision: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
