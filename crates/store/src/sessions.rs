//! Sessions of signed-in users, known by the hash of what their cookie holds.

use jiff::Timestamp;
use netwark_model::auth::User;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, Set};
use uuid::Uuid;

use crate::convert::{millis, time};
use crate::{Store, StoreError, users};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sessions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub token_hash: Vec<u8>,
        pub user_id: Uuid,
        pub created_at: i64,
        pub expires_at: i64,
        pub last_seen_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "crate::users::entity::Entity",
            from = "Column::UserId",
            to = "crate::users::entity::Column::Id"
        )]
        User,
    }

    impl Related<crate::users::entity::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::User.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A session that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// Its id.
    pub id: Uuid,
    /// Whose it is, as that user is now.
    pub user: User,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends unless it is used before.
    pub expires_at: Timestamp,
    /// When its use was last noted.
    pub last_seen_at: Timestamp,
}

/// Ends the sessions of a user, but for one.
pub(crate) async fn end_all<C: ConnectionTrait>(
    connection: &C,
    user: Uuid,
    keep: Option<Uuid>,
) -> Result<(), StoreError> {
    let mut delete = entity::Entity::delete_many().filter(entity::Column::UserId.eq(user));
    if let Some(keep) = keep {
        delete = delete.filter(entity::Column::Id.ne(keep));
    }
    delete.exec(connection).await?;
    Ok(())
}

impl Store {
    /// Starts a session and returns its id; what has expired by `now` is removed.
    ///
    /// # Errors
    /// When the user is gone or the database fails.
    pub async fn start_session(
        &self,
        token_hash: [u8; 32],
        user: Uuid,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Uuid, StoreError> {
        let id = Uuid::now_v7();
        let row = entity::ActiveModel {
            id: Set(id),
            token_hash: Set(token_hash.to_vec()),
            user_id: Set(user),
            created_at: Set(millis(now)),
            expires_at: Set(millis(expires_at)),
            last_seen_at: Set(millis(now)),
        };
        self.write(move |transaction| {
            Box::pin(async move {
                entity::Entity::delete_many()
                    .filter(entity::Column::ExpiresAt.lte(millis(now)))
                    .exec(transaction)
                    .await?;
                entity::Entity::insert(row).exec_without_returning(transaction).await?;
                Ok(id)
            })
        })
        .await
    }

    /// The session of this token, unless it has ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(
        &self,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<StoredSession>, StoreError> {
        let found = entity::Entity::find()
            .filter(entity::Column::TokenHash.eq(token_hash.to_vec()))
            .filter(entity::Column::ExpiresAt.gt(millis(now)))
            .find_also_related(users::entity::Entity)
            .one(self.read())
            .await?;
        let Some((row, Some(user))) = found else { return Ok(None) };
        Ok(Some(StoredSession {
            id: row.id,
            user: users::user(user)?,
            created_at: time(row.created_at),
            expires_at: time(row.expires_at),
            last_seen_at: time(row.last_seen_at),
        }))
    }

    /// Notes that a session is used and moves its end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_used(
        &self,
        id: Uuid,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                entity::Entity::update_many()
                    .col_expr(entity::Column::ExpiresAt, Expr::value(millis(expires_at)))
                    .col_expr(entity::Column::LastSeenAt, Expr::value(millis(now)))
                    .filter(entity::Column::Id.eq(id))
                    .exec(transaction)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Ends the session of this token; one that is unknown has ended already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session(&self, token_hash: [u8; 32]) -> Result<(), StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                entity::Entity::delete_many()
                    .filter(entity::Column::TokenHash.eq(token_hash.to_vec()))
                    .exec(transaction)
                    .await?;
                Ok(())
            })
        })
        .await
    }
}
