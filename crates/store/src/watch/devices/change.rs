//! What people say of a device.

use jiff::Timestamp;
use netwark_model::watch::device::{Criticality, DeviceDetail, DeviceSeverities};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, IntoActiveModel, QuerySelect, Set};
use uuid::Uuid;

use super::super::entity::{change, device};
use crate::convert::{from_text, millis, to_text};
use crate::{Store, StoreError};

/// What is to change about a device; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct DeviceEdit {
    /// Its name; none gives it back to what is heard.
    pub name: Option<Option<String>>,
    /// What it is; none gives that back to the rules.
    pub kind: Option<Option<String>>,
    /// Whose it is.
    pub owner: Option<String>,
    /// What people should know of it.
    pub notes: Option<String>,
    /// Words to find it by.
    pub tags: Option<Vec<String>>,
    /// How much depends on it.
    pub criticality: Option<Criticality>,
    /// How much it matters that it comes or goes.
    pub severities: Option<DeviceSeverities>,
}

impl Store {
    /// Changes what people say of a device, and notes that; none when there is none of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_device(
        &self,
        id: Uuid,
        edit: DeviceEdit,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<DeviceDetail>, StoreError> {
        let by = by.to_owned();
        let changed = self.write(move |transaction| {
            Box::pin(async move {
                let row = device::Entity::find_by_id(id).lock_exclusive().one(transaction).await?;
                let Some(row) = row else { return Ok(false) };
                apply(transaction, row, edit, &by, now).await?;
                Ok(true)
            })
        });
        if changed.await? { self.device(id, now).await } else { Ok(None) }
    }
}

async fn apply(
    transaction: &DatabaseTransaction,
    row: device::Model,
    edit: DeviceEdit,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = row.clone();
    let mut after = row.clone();
    if let Some(name) = edit.name {
        if let Some(name) = &name {
            after.label.clone_from(name);
        }
        // Without a name it is called as before until something is heard of it again.
        after.name = name;
    }
    if let Some(kind) = edit.kind {
        after.kind_is_set = kind.is_some();
        after.kind = kind.unwrap_or_default();
    }
    if let Some(owner) = edit.owner {
        after.owner = owner;
    }
    if let Some(notes) = edit.notes {
        after.notes = notes;
    }
    if let Some(tags) = edit.tags {
        after.tags = to_text("list of tags", &tags)?;
    }
    if let Some(criticality) = edit.criticality {
        after.criticality = criticality.as_str().into();
    }
    if let Some(severities) = edit.severities {
        after.severities = to_text("set of severities", &severities)?;
    }
    let words = |tags: &str| -> Result<String, StoreError> {
        Ok(from_text::<Vec<String>>("list of tags", tags)?.join(", "))
    };
    let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let pairs = [
        ("name", before.name.clone(), after.name.clone()),
        ("type", told(&before.kind), told(&after.kind)),
        ("owner", told(&before.owner), told(&after.owner)),
        ("notes", told(&before.notes), told(&after.notes)),
        ("tags", told(&words(&before.tags)?), told(&words(&after.tags)?)),
        ("criticality", told(&before.criticality), told(&after.criticality)),
        ("severities", told(&before.severities), told(&after.severities)),
    ];
    for (field, old, new) in pairs {
        if old != new {
            note(transaction, row.id, field, (old, new), by, now).await?;
        }
    }
    if after == before {
        return Ok(());
    }
    let mut change = row.into_active_model();
    change.name = Set(after.name);
    change.label = Set(after.label);
    change.kind = Set(after.kind);
    change.kind_is_set = Set(after.kind_is_set);
    change.owner = Set(after.owner);
    change.notes = Set(after.notes);
    change.tags = Set(after.tags);
    change.criticality = Set(after.criticality);
    change.severities = Set(after.severities);
    change.update(transaction).await?;
    Ok(())
}

/// Notes that somebody changed something about a device.
pub(super) async fn note(
    transaction: &DatabaseTransaction,
    device_id: Uuid,
    field: &str,
    (old, new): (Option<String>, Option<String>),
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = change::Model {
        id: Uuid::now_v7(),
        device_id,
        network_id: None,
        at: millis(now),
        field: field.to_owned(),
        old,
        new,
        source: by.to_owned(),
    };
    change::Entity::insert(row.into_active_model()).exec_without_returning(transaction).await?;
    Ok(())
}
