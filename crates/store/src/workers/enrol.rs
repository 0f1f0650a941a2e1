//! Who may connect: workers that an administrator makes, their tokens, keys and pairing codes.

use jiff::Timestamp;
use netwark_model::events::Severity;
use netwark_model::messages::Hello;
use netwark_model::workers::{Capabilities, Worker, WorkerOverrides};
use sea_orm::entity::prelude::*;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, ExprTrait, IntoActiveModel, QuerySelect, Set,
};
use uuid::Uuid;

use super::presence::{about, apply, set_members};
use super::{Effective, WorkerCard, card, entity, history, worker};
use crate::convert::{millis, to_text};
use crate::events;
use crate::names::is_named;
use crate::{Store, StoreError};

mod pairing {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "pairings")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false, column_type = "VarBinary(StringLen::None)")]
        pub code_hash: Vec<u8>,
        pub worker_id: Uuid,
        pub expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A worker to be enrolled.
#[derive(Clone, Debug)]
pub struct NewWorker {
    /// Its id, which its token names.
    pub id: Uuid,
    /// What an administrator says of it; its name has to be there, its queues by full name.
    pub overrides: WorkerOverrides,
    /// Ed25519 key its reports will be signed with, in base64.
    pub public_key: Option<String>,
    /// Who enrols it, for people.
    pub by: String,
}

/// What a new worker proves itself with.
#[derive(Clone, Copy, Debug)]
pub enum Credential {
    /// A token, by its SHA-256.
    Token([u8; 32]),
    /// A code that is exchanged for a token.
    Code {
        /// Its SHA-256.
        hash: [u8; 32],
        /// When it is of no use any more.
        expires_at: Timestamp,
    },
}

impl Store {
    /// Enrols a worker.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when its name is taken.
    pub async fn enrol_worker(
        &self,
        new: NewWorker,
        credential: Credential,
        now: Timestamp,
    ) -> Result<Worker, StoreError> {
        let name = new.overrides.name.clone().unwrap_or_default();
        let made = self.write(move |transaction| Box::pin(enrol(transaction, new, credential, now))).await;
        match made {
            Err(StoreError::Conflict(_)) => Err(name_taken(self.read(), &name)
                .await?
                .unwrap_or_else(|| StoreError::NameTaken(format!("another worker is named '{name}'")))),
            other => other,
        }
    }

    /// The worker that a pairing code is for, while it may be exchanged.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pairing(&self, code_hash: [u8; 32], now: Timestamp) -> Result<Option<Uuid>, StoreError> {
        let row = pairing::Entity::find_by_id(code_hash.to_vec()).one(self.read()).await?;
        Ok(row.filter(|row| row.expires_at > millis(now)).map(|row| row.worker_id))
    }

    /// Exchanges a pairing code for a token. `None` when the code is of no use (any more): of two who
    /// exchange it at once, one gets this answer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_pairing(
        &self,
        code_hash: [u8; 32],
        worker_id: Uuid,
        token_hash: [u8; 32],
        public_key: Option<String>,
        now: Timestamp,
    ) -> Result<Option<Worker>, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                use pairing::Column;
                // Deleting takes the lock of the row, so of two that have the code one finds it gone.
                let used = pairing::Entity::delete_many()
                    .filter(Column::CodeHash.eq(code_hash.to_vec()))
                    .filter(Column::WorkerId.eq(worker_id))
                    .filter(Column::ExpiresAt.gt(millis(now)))
                    .exec(transaction)
                    .await?;
                let Some(row) = locked(transaction, worker_id).await?.filter(|_| used.rows_affected > 0)
                else {
                    return Ok(None);
                };
                let namesake = history::namesake(transaction, row.id, &row.name).await?;
                let text = format!("{} was paired with its code{namesake}", row.name);
                events::insert(transaction, about(&row, Severity::Info, "worker_enrolled", text), now)
                    .await?;
                let mut row = row.into_active_model();
                row.token_hash = Set(Some(token_hash.to_vec()));
                if public_key.is_some() {
                    row.public_key = Set(public_key);
                }
                worker(row.update(transaction).await?).map(Some)
            })
        })
        .await
    }

    /// Removes codes that were not exchanged in time, with the workers that were made for them alone.
    /// Returns the names of these.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_pairings(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let expired = pairing::Column::ExpiresAt.lte(millis(now));
        if pairing::Entity::find().filter(expired.clone()).limit(1).one(self.read()).await?.is_none() {
            return Ok(Vec::new());
        }
        self.write(move |transaction| {
            Box::pin(async move {
                let rows = pairing::Entity::find().filter(expired.clone()).all(transaction).await?;
                pairing::Entity::delete_many().filter(expired).exec(transaction).await?;
                let unused = entity::Column::Id
                    .is_in(rows.iter().map(|row| row.worker_id))
                    .and(entity::Column::TokenHash.is_null())
                    .and(entity::Column::Declared.is_null());
                let workers = entity::Entity::find().filter(unused.clone()).all(transaction).await?;
                entity::Entity::delete_many().filter(unused).exec(transaction).await?;
                Ok(workers.into_iter().map(|row| row.name).collect())
            })
        })
        .await
    }

    /// Gives a worker another token; the one before is of no use from here on. `None` when there is no
    /// such worker.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it was revoked, or runs inside the server's process.
    pub async fn replace_worker_token(
        &self,
        id: Uuid,
        token_hash: [u8; 32],
        by: &str,
        now: Timestamp,
    ) -> Result<Option<Worker>, StoreError> {
        let by = by.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                let Some(row) = locked(transaction, id).await? else { return Ok(None) };
                if row.revoked_at.is_some() {
                    return Err(StoreError::Conflict(format!(
                        "{} was revoked; enrol a new worker",
                        row.name
                    )));
                }
                if row.embedded {
                    return Err(StoreError::Conflict(format!(
                        "{} runs inside the server's process and needs no token",
                        row.name
                    )));
                }
                // A code that is still open would bring a second token.
                forget_codes(transaction, id).await?;
                let text =
                    format!("{} got another token from {by}; the one before is of no use any more", row.name);
                let event = about(&row, Severity::Info, "worker_token_replaced", text);
                events::insert(transaction, event, now).await?;
                let mut row = row.into_active_model();
                row.token_hash = Set(Some(token_hash.to_vec()));
                worker(row.update(transaction).await?).map(Some)
            })
        })
        .await
    }

    /// Registers the key that a worker signs its reports with. False when there is no such worker.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_worker_key(&self, id: Uuid, public_key: String) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                let set = entity::Entity::update_many()
                    .col_expr(entity::Column::PublicKey, Expr::value(public_key))
                    .filter(entity::Column::Id.eq(id))
                    .exec(transaction)
                    .await?;
                Ok(set.rows_affected > 0)
            })
        })
        .await
    }

    /// The worker that this token belongs to, revoked ones included.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn worker_by_token(
        &self,
        token_hash: &[u8; 32],
    ) -> Result<Option<(Uuid, WorkerCard)>, StoreError> {
        let row = entity::Entity::find()
            .filter(entity::Column::TokenHash.eq(token_hash.to_vec()))
            .one(self.read())
            .await?;
        row.map(|row| Ok((row.id, card(row)?))).transpose()
    }
}

/// Says that another worker has this name, when one has.
pub(super) async fn name_taken<C: ConnectionTrait>(
    connection: &C,
    name: &str,
) -> Result<Option<StoreError>, StoreError> {
    let holder = named(connection, name).await?;
    Ok(holder.map(|row| {
        let to_do = match row.revoked_at {
            Some(_) => "; it was revoked, delete it to free its name",
            None => "",
        };
        StoreError::NameTaken(format!("another worker is named '{}'{to_do}", row.name))
    }))
}

/// The row of the worker of this name, in letters of either case.
pub(super) async fn named<C: ConnectionTrait>(
    connection: &C,
    name: &str,
) -> Result<Option<entity::Model>, StoreError> {
    Ok(entity::Entity::find().filter(is_named(connection, "workers", name)).one(connection).await?)
}

/// The row of a worker, locked until the commit.
pub(super) async fn locked(
    transaction: &DatabaseTransaction,
    id: Uuid,
) -> Result<Option<entity::Model>, StoreError> {
    Ok(entity::Entity::find_by_id(id).lock_exclusive().one(transaction).await?)
}

/// Forgets the pairing codes of a worker.
pub(super) async fn forget_codes(transaction: &DatabaseTransaction, id: Uuid) -> Result<(), StoreError> {
    pairing::Entity::delete_many().filter(pairing::Column::WorkerId.eq(id)).exec(transaction).await?;
    Ok(())
}

async fn enrol(
    transaction: &DatabaseTransaction,
    new: NewWorker,
    credential: Credential,
    now: Timestamp,
) -> Result<Worker, StoreError> {
    let NewWorker { id, overrides, public_key, by } = new;
    let effective = Effective::of(Hello::default(), &overrides);
    let token_hash = match credential {
        Credential::Token(hash) => Some(hash.to_vec()),
        Credential::Code { .. } => None,
    };
    let mut row = entity::ActiveModel {
        id: Set(id),
        version: Set(String::new()),
        capabilities: Set(to_text("list of capabilities", &Capabilities::default())?),
        policy: Set(String::new()),
        embedded: Set(false),
        online: Set(false),
        running: Set(0),
        created_at: Set(millis(now)),
        last_seen_at: Set(0),
        overrides: Set(to_text("set of overrides", &overrides)?),
        declared: Set(None),
        vitals: Set("{}".into()),
        link: Set(String::new()),
        token_hash: Set(token_hash),
        public_key: Set(public_key),
        revoked_at: Set(None),
        draining: Set(false),
        drain_wanted: Set(false),
        drain_revision: Set(0),
        mark: Set(0),
        revision: Set(0),
        ..Default::default()
    };
    apply(&mut row, &effective)?;
    let row = row.insert(transaction).await?;
    set_members(transaction, id, &effective.queues).await?;
    match credential {
        Credential::Token(_) => {
            let namesake = history::namesake(transaction, id, &row.name).await?;
            let text = format!("{} was enrolled by {by}{namesake}", row.name);
            events::insert(transaction, about(&row, Severity::Info, "worker_enrolled", text), now).await?;
        }
        Credential::Code { hash, expires_at } => {
            let code = pairing::ActiveModel {
                code_hash: Set(hash.to_vec()),
                worker_id: Set(id),
                expires_at: Set(millis(expires_at)),
            };
            pairing::Entity::insert(code).exec_without_returning(transaction).await?;
        }
    }
    worker(row)
}
