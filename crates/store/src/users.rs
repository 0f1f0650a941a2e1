//! Users: their names, roles and the hashes of their passwords.

use jiff::Timestamp;
use netwark_model::auth::{Role, User};
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use crate::convert::{millis, time};
use crate::{Store, StoreError};

pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub name: String,
        pub folded_name: String,
        #[sea_orm(column_type = "Text")]
        pub password_hash: String,
        pub role: String,
        pub first: Option<bool>,
        pub created_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A user to be made.
#[derive(Clone)]
pub struct NewUser {
    /// Name to sign in with, unique whatever its case.
    pub name: String,
    /// The password as a PHC string, never the password itself.
    pub password_hash: String,
    /// What it may do.
    pub role: Role,
}

/// A user with what its password is checked against.
#[derive(Clone)]
pub struct UserSecrets {
    /// The user.
    pub user: User,
    /// The password as a PHC string.
    pub password_hash: String,
}

/// How names are compared: without case.
pub(crate) fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// True when there is any user.
pub(crate) async fn any<C: ConnectionTrait>(connection: &C) -> Result<bool, StoreError> {
    let id: Option<Uuid> = entity::Entity::find()
        .select_only()
        .column(entity::Column::Id)
        .limit(1)
        .into_tuple()
        .one(connection)
        .await?;
    Ok(id.is_some())
}

/// A stored user as the rest of the program knows it.
pub(crate) fn user(row: entity::Model) -> Result<User, StoreError> {
    Ok(User { id: row.id, role: role(&row.role)?, name: row.name, created_at: time(row.created_at) })
}

/// A role from its word in the database.
pub(crate) fn role(word: &str) -> Result<Role, StoreError> {
    word.parse().map_err(|detail| StoreError::Content { what: "role", detail })
}

/// Enters a user. The caller ends the set-up code in the same transaction.
pub(crate) async fn insert<C: ConnectionTrait>(
    connection: &C,
    new: NewUser,
    first: Option<bool>,
    now: Timestamp,
) -> Result<User, StoreError> {
    let user = User { id: Uuid::now_v7(), name: new.name, role: new.role, created_at: time(millis(now)) };
    let row = entity::ActiveModel {
        id: Set(user.id),
        name: Set(user.name.clone()),
        folded_name: Set(folded(&user.name)),
        password_hash: Set(new.password_hash),
        role: Set(user.role.as_str().to_owned()),
        first: Set(first),
        created_at: Set(millis(now)),
    };
    entity::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(user)
}

impl Store {
    /// True when there is any user; until then the first administrator has to be made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_users(&self) -> Result<bool, StoreError> {
        any(self.read()).await
    }

    /// Users in the order they were made, and how many there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn users(&self, offset: u64, limit: u64) -> Result<(Vec<User>, u64), StoreError> {
        let all = entity::Entity::find();
        let total = all.clone().count(self.read()).await?;
        let rows = all.order_by_asc(entity::Column::Id).offset(offset).limit(limit).all(self.read()).await?;
        Ok((rows.into_iter().map(user).collect::<Result<_, _>>()?, total))
    }

    /// The user of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user(&self, id: Uuid) -> Result<Option<User>, StoreError> {
        entity::Entity::find_by_id(id).one(self.read()).await?.map(user).transpose()
    }

    /// The user of this name, whatever its case, with the hash of its password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_secrets(&self, name: &str) -> Result<Option<UserSecrets>, StoreError> {
        let row = entity::Entity::find()
            .filter(entity::Column::FoldedName.eq(folded(name)))
            .one(self.read())
            .await?;
        row.map(|row| {
            let password_hash = row.password_hash.clone();
            Ok(UserSecrets { user: user(row)?, password_hash })
        })
        .transpose()
    }
}
