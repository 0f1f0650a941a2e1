//! Keys of PostgreSQL's advisory locks, all in one place so that no two are the same.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement};

use crate::StoreError;

/// What a lock is held for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub(crate) enum Lock {
    /// Bringing the schema up to date.
    Migration = 0x6e65_7477_6172_6b01,
    /// Being the leader; held for as long as a server is.
    Leader = 0x6e65_7477_6172_6b02,
    /// Changing the access list: two entries may not say different things.
    AccessList = 0x6e65_7477_6172_6b03,
    /// Turning events into notices, so that they stay in their order.
    Notices = 0x6e65_7477_6172_6b04,
    /// Changing a setting that may not be there yet.
    Settings = 0x6e65_7477_6172_6b05,
}

impl Lock {
    /// Its number.
    pub(crate) fn key(self) -> i64 {
        self as i64
    }

    /// Waits for it and holds it until the commit. SQLite has one writer, who holds everything.
    pub(crate) async fn take(self, transaction: &DatabaseTransaction) -> Result<(), StoreError> {
        if transaction.get_database_backend() == DbBackend::Postgres {
            let sql = "SELECT pg_advisory_xact_lock($1)";
            let lock = Statement::from_sql_and_values(DbBackend::Postgres, sql, [self.key().into()]);
            transaction.execute_raw(lock).await?;
        }
        Ok(())
    }

    /// Holds it until the commit, unless somebody else does; whether it could be had.
    pub(crate) async fn try_take(self, transaction: &DatabaseTransaction) -> Result<bool, StoreError> {
        if transaction.get_database_backend() != DbBackend::Postgres {
            return Ok(true);
        }
        let sql = "SELECT pg_try_advisory_xact_lock($1)";
        let lock = Statement::from_sql_and_values(DbBackend::Postgres, sql, [self.key().into()]);
        let row = transaction.query_one_raw(lock).await?;
        Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(false))
    }
}
