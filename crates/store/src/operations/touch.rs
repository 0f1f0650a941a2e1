//! Raising an operation's version, and folding the states of its results into its own.

use jiff::Timestamp;
use netwark_model::operations::Status;
use sea_orm::entity::prelude::*;
use sea_orm::{DatabaseTransaction, ExprTrait, QuerySelect};
use uuid::Uuid;

use super::Change;
use super::entity::{operation, result};
use crate::StoreError;
use crate::convert::millis;

/// Raises the version of an operation and returns it. The row is locked from here to the commit,
/// so that two reports about one operation cannot both count the same results.
pub(super) async fn raise(
    transaction: &DatabaseTransaction,
    operation_id: Uuid,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let updated = operation::Entity::update_many()
        .col_expr(operation::Column::Version, Expr::col(operation::Column::Version).add(1))
        .col_expr(operation::Column::UpdatedAt, Expr::value(millis(now)))
        .filter(operation::Column::Id.eq(operation_id))
        .exec(transaction)
        .await?;
    if updated.rows_affected == 0 {
        return Ok(None);
    }
    let version: Option<i64> = operation::Entity::find_by_id(operation_id)
        .select_only()
        .column(operation::Column::Version)
        .into_tuple()
        .one(transaction)
        .await?;
    Ok(version)
}

/// Sets the status of an operation from those of its results.
pub(super) async fn settle(
    transaction: &DatabaseTransaction,
    operation_id: Uuid,
    version: i64,
    now: Timestamp,
) -> Result<Change, StoreError> {
    let words: Vec<String> = result::Entity::find()
        .filter(result::Column::OperationId.eq(operation_id))
        .select_only()
        .column(result::Column::Status)
        .into_tuple()
        .all(transaction)
        .await?;
    let status = Status::of_operation(words.iter().filter_map(|word| Status::from_word(word)));
    let finished = status.is_final().then(|| millis(now));
    operation::Entity::update_many()
        .col_expr(operation::Column::Status, Expr::value(status.as_str()))
        .col_expr(operation::Column::FinishedAt, Expr::value(finished))
        .filter(operation::Column::Id.eq(operation_id))
        .exec(transaction)
        .await?;
    Ok(Change { operation_id, version, is_final: status.is_final() })
}
