//! Users: their names, roles and the hashes of their passwords.

use jiff::Timestamp;
use netwark_model::auth::{Role, User};
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use crate::convert::{millis, time};
use crate::setup_codes::{self, Tried};
use crate::{Store, StoreError, sessions};

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

/// What is to change about a user; what is absent stays.
#[derive(Clone, Default)]
pub struct UserChange {
    /// The new role.
    pub role: Option<Role>,
    /// The new password as a PHC string. All sessions of the user end with the old one.
    pub password_hash: Option<String>,
    /// A session that goes on, because the change is made in it.
    pub keep_session: Option<Uuid>,
}

/// What changing or removing a user came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It was done; the user as it is now, or was last.
    Done(User),
    /// There is no such user.
    Unknown,
    /// It would leave no administrator.
    LastAdmin,
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

async fn insert<C: ConnectionTrait>(
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
    // Whoever holds a code for the first administrator is too late now.
    setup_codes::remove(connection).await?;
    Ok(user)
}

/// True when nobody but this user is an administrator. Locks the rows of the administrators, so
/// that two who demote each other at once cannot both succeed.
async fn is_last_admin<C: ConnectionTrait>(connection: &C, id: Uuid) -> Result<bool, StoreError> {
    let admins = entity::Entity::find()
        .filter(entity::Column::Role.eq(Role::Admin.as_str()))
        .order_by_asc(entity::Column::Id)
        .lock_exclusive()
        .all(connection)
        .await?;
    Ok(admins.iter().any(|admin| admin.id == id) && admins.len() == 1)
}

impl Store {
    /// True when there is any user; until then the first administrator has to be made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_users(&self) -> Result<bool, StoreError> {
        any(self.read()).await
    }

    /// Makes a user.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken.
    pub async fn add_user(&self, new: NewUser, now: Timestamp) -> Result<User, StoreError> {
        let name = new.name.clone();
        let added = self
            .write(move |transaction| Box::pin(async move { insert(transaction, new, None, now).await }))
            .await;
        added.map_err(|error| match error {
            StoreError::Conflict(_) => StoreError::Conflict(format!("a user named '{name}' exists already")),
            other => other,
        })
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
                    if any(transaction).await? {
                        return Ok(FirstUser::UserExists);
                    }
                    Ok(match setup_codes::try_code(transaction, &code_hash, now).await? {
                        Tried::Wrong(tries_left) => FirstUser::WrongCode { tries_left },
                        Tried::NoCode => FirstUser::NoCode,
                        Tried::Right => FirstUser::Made(insert(transaction, new, Some(true), now).await?),
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

    /// Changes a user, never so that no administrator is left.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_user(&self, id: Uuid, change: UserChange) -> Result<Changed, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                let demoted = change.role.is_some_and(|role| role != Role::Admin);
                if demoted && is_last_admin(transaction, id).await? {
                    return Ok(Changed::LastAdmin);
                }
                let Some(row) = entity::Entity::find_by_id(id).one(transaction).await? else {
                    return Ok(Changed::Unknown);
                };
                let mut row = entity::ActiveModel::from(row);
                if let Some(role) = change.role {
                    row.role = Set(role.as_str().to_owned());
                }
                if let Some(hash) = change.password_hash {
                    row.password_hash = Set(hash);
                    sessions::end_all(transaction, id, change.keep_session).await?;
                }
                Ok(Changed::Done(user(row.update(transaction).await?)?))
            })
        })
        .await
    }

    /// Removes a user and its sessions, never the last administrator.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_user(&self, id: Uuid) -> Result<Changed, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                if is_last_admin(transaction, id).await? {
                    return Ok(Changed::LastAdmin);
                }
                let Some(row) = entity::Entity::find_by_id(id).one(transaction).await? else {
                    return Ok(Changed::Unknown);
                };
                sessions::end_all(transaction, id, None).await?;
                entity::Entity::delete_by_id(id).exec(transaction).await?;
                Ok(Changed::Done(user(row)?))
            })
        })
        .await
    }
}
