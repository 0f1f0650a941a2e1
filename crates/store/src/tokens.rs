//! Tokens of programs, known by their hash.

use jiff::Timestamp;
use netwark_model::auth::{Role, Token};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use crate::convert::{millis, time};
use crate::users::role;
use crate::{Store, StoreError};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tokens")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub name: String,
        pub hash: Vec<u8>,
        pub role: String,
        pub created_at: i64,
        pub last_used_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

fn token(row: entity::Model) -> Result<Token, StoreError> {
    Ok(Token {
        id: row.id,
        role: role(&row.role)?,
        name: row.name,
        created_at: time(row.created_at),
        last_used_at: row.last_used_at.map(time),
    })
}

impl Store {
    /// Makes a token.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`].
    pub async fn add_token(
        &self,
        name: &str,
        role: Role,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Token, StoreError> {
        let token = Token {
            id: Uuid::now_v7(),
            name: name.to_owned(),
            role,
            created_at: time(millis(now)),
            last_used_at: None,
        };
        let row = entity::ActiveModel {
            id: Set(token.id),
            name: Set(token.name.clone()),
            hash: Set(hash.to_vec()),
            role: Set(role.as_str().to_owned()),
            created_at: Set(millis(now)),
            last_used_at: Set(None),
        };
        let added = self
            .write(move |transaction| {
                Box::pin(async move {
                    entity::Entity::insert(row).exec_without_returning(transaction).await?;
                    Ok(())
                })
            })
            .await;
        match added {
            Ok(()) => Ok(token),
            Err(StoreError::Conflict(_)) => {
                Err(StoreError::NameTaken(format!("a token named '{name}' exists already")))
            }
            Err(other) => Err(other),
        }
    }

    /// Tokens in the order they were made, and how many there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tokens(&self, offset: u64, limit: u64) -> Result<(Vec<Token>, u64), StoreError> {
        let all = entity::Entity::find();
        let total = all.clone().count(self.read()).await?;
        let rows = all.order_by_asc(entity::Column::Id).offset(offset).limit(limit).all(self.read()).await?;
        Ok((rows.into_iter().map(token).collect::<Result<_, _>>()?, total))
    }

    /// The token of this hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token_by_hash(&self, hash: &[u8; 32]) -> Result<Option<Token>, StoreError> {
        let row =
            entity::Entity::find().filter(entity::Column::Hash.eq(hash.to_vec())).one(self.read()).await?;
        row.map(token).transpose()
    }

    /// Notes when a token was used.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token_used(&self, id: Uuid, at: Timestamp) -> Result<(), StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                entity::Entity::update_many()
                    .col_expr(entity::Column::LastUsedAt, Expr::value(millis(at)))
                    .filter(entity::Column::Id.eq(id))
                    .exec(transaction)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Removes a token. False when there is none of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_token(&self, id: Uuid) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                Ok(entity::Entity::delete_by_id(id).exec(transaction).await?.rows_affected > 0)
            })
        })
        .await
    }
}
