//! The one-time code that makes the first administrator. There is at most one.

use jiff::Timestamp;
use netwark_model::auth::User;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, ExprTrait, Set};

use crate::convert::millis;
use crate::users::{self, NewUser};
use crate::{Store, StoreError};

/// The key of the only row.
const ONLY: i32 = 1;

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "setup_codes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        pub hash: Vec<u8>,
        pub expires_at: i64,
        pub tries_left: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What making the first administrator came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstUser {
    /// It was made and the code is used up.
    Made(User),
    /// There is a user already.
    UserExists,
    /// The code was wrong; the try was counted.
    WrongCode {
        /// How many more may be wrong.
        tries_left: u32,
    },
    /// No code can be right: none was made, it expired, or its tries are used up.
    NoCode,
}

/// What trying a code came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tried {
    /// It was right and is used up.
    Right,
    /// It was wrong; so many tries are left.
    Wrong(u32),
    /// There is no code that could be right: none was made, it expired, or its tries are used up.
    NoCode,
}

/// Tries a code: uses it up when it is right, counts the try when it is wrong.
async fn try_code<C: ConnectionTrait>(
    connection: &C,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Tried, StoreError> {
    use entity::Column;
    let alive = Column::TriesLeft.gt(0).and(Column::ExpiresAt.gt(millis(now)));
    // Deleting takes the lock of the row, so of two that have the right code one finds it gone.
    let used = entity::Entity::delete_many()
        .filter(Column::Hash.eq(hash.to_vec()))
        .filter(alive.clone())
        .exec(connection)
        .await?;
    if used.rows_affected > 0 {
        return Ok(Tried::Right);
    }
    let counted = entity::Entity::update_many()
        .col_expr(Column::TriesLeft, Expr::col(Column::TriesLeft).sub(1))
        .filter(alive)
        .exec(connection)
        .await?;
    if counted.rows_affected == 0 {
        return Ok(Tried::NoCode);
    }
    let row = entity::Entity::find_by_id(ONLY).one(connection).await?;
    Ok(Tried::Wrong(row.map_or(0, |row| u32::try_from(row.tries_left).unwrap_or(0))))
}

/// Removes the code, because a user exists now.
pub(crate) async fn remove<C: ConnectionTrait>(connection: &C) -> Result<(), StoreError> {
    entity::Entity::delete_many().exec(connection).await?;
    Ok(())
}

impl Store {
    /// Keeps the hash of a new code, instead of an earlier one. False, and nothing is kept, when
    /// there is a user already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replace_setup_code(
        &self,
        hash: [u8; 32],
        expires_at: Timestamp,
        tries: u32,
    ) -> Result<bool, StoreError> {
        let row = entity::ActiveModel {
            id: Set(ONLY),
            hash: Set(hash.to_vec()),
            expires_at: Set(millis(expires_at)),
            tries_left: Set(i32::try_from(tries).unwrap_or(i32::MAX)),
        };
        self.write(move |transaction| {
            Box::pin(async move {
                use entity::Column;
                if users::any(transaction).await? {
                    return Ok(false);
                }
                let update = OnConflict::column(Column::Id)
                    .update_columns([Column::Hash, Column::ExpiresAt, Column::TriesLeft])
                    .to_owned();
                entity::Entity::insert(row).on_conflict(update).exec_without_returning(transaction).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Makes the first user when the code is right and there is none; a wrong code is counted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn make_first_user(
        &self,
        code_hash: [u8; 32],
        new: NewUser,
        now: Timestamp,
    ) -> Result<FirstUser, StoreError> {
        let made = self
            .write(move |transaction| {
                Box::pin(async move {
                    if users::any(transaction).await? {
                        return Ok(FirstUser::UserExists);
                    }
                    Ok(match try_code(transaction, &code_hash, now).await? {
                        Tried::Wrong(tries_left) => FirstUser::WrongCode { tries_left },
                        Tried::NoCode => FirstUser::NoCode,
                        Tried::Right => {
                            FirstUser::Made(users::insert(transaction, new, Some(true), now).await?)
                        }
                    })
                })
            })
            .await;
        match made {
            Err(StoreError::Conflict(_)) => Ok(FirstUser::UserExists),
            // Another may have used the code up and made the first user in between.
            Ok(FirstUser::NoCode) if self.has_users().await? => Ok(FirstUser::UserExists),
            other => other,
        }
    }
}
