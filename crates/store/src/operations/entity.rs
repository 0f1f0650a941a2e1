//! Rows of operations, results and the outbox.

/// An operation.
pub(crate) mod operation {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, serde::Serialize)]
    #[sea_orm(table_name = "operations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tool: String,
        #[sea_orm(column_type = "Text")]
        pub target: String,
        #[sea_orm(column_type = "Text", nullable)]
        pub options_sent: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub options: String,
        #[sea_orm(column_type = "Text")]
        pub queues: String,
        pub status: String,
        pub take_within_ms: i64,
        pub run_within_ms: i64,
        pub same_workers_as: Option<Uuid>,
        #[sea_orm(column_type = "Text")]
        pub created_by: String,
        pub version: i64,
        pub created_at: i64,
        pub updated_at: i64,
        pub finished_at: Option<i64>,
        #[sea_orm(column_type = "Text")]
        pub skipped: String,
        #[sea_orm(column_type = "Text", nullable)]
        pub idempotency_key: Option<String>,
        #[sea_orm(column_type = "Text", nullable)]
        pub request_hash: Option<String>,
        #[sea_orm(column_type = "Text", nullable)]
        pub selector: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An expected result.
pub(crate) mod result {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, serde::Serialize)]
    #[sea_orm(table_name = "results")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub operation_id: Uuid,
        pub worker_id: Option<Uuid>,
        #[sea_orm(column_type = "Text", nullable)]
        pub worker_name: Option<String>,
        pub queue: String,
        pub status: String,
        #[sea_orm(column_type = "Text", nullable)]
        pub payload: Option<String>,
        pub late: bool,
        pub deadline: Option<i64>,
        pub created_at: i64,
        pub updated_at: i64,
        pub started_at: Option<i64>,
        pub finished_at: Option<i64>,
        pub version: i64,
        pub direct: bool,
        pub mark: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A message that waits to be published.
pub(crate) mod outbox {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, serde::Serialize)]
    #[sea_orm(table_name = "outbox")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub result_id: Option<Uuid>,
        pub operation_id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub address: String,
        #[sea_orm(column_type = "Text")]
        pub body: String,
        pub created_at: i64,
        pub published_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
