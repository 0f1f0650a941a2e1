//! Making, changing and removing users, with what hangs on them: sessions and the set-up code.

use jiff::Timestamp;
use netwark_model::auth::{Role, User};
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use crate::users::{NewUser, entity, insert, user};
use crate::{Store, StoreError, sessions, setup_codes};

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
    /// Makes a user.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`].
    pub async fn add_user(&self, new: NewUser, now: Timestamp) -> Result<User, StoreError> {
        let name = new.name.clone();
        let added = self
            .write(move |transaction| {
                Box::pin(async move {
                    // Whoever holds a code for the first administrator is too late now.
                    setup_codes::remove(transaction).await?;
                    insert(transaction, new, None, now).await
                })
            })
            .await;
        added.map_err(|error| match error {
            StoreError::Conflict(_) => StoreError::NameTaken(format!("a user named '{name}' exists already")),
            other => other,
        })
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
