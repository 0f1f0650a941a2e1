//! The access list: making, changing and removing entries, and what follows for who is there.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use netwark_model::mac::Mac;
use netwark_model::watch::access::{AccessAction, AccessEntry, MOST_ENTRIES, MacPattern};
use netwark_model::watch::device::Access;
use sea_orm::entity::prelude::*;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, ExprTrait, IntoActiveModel, QueryOrder, QuerySelect, QueryTrait,
    Set, Statement,
};
use uuid::Uuid;

use super::entity::{entry, entry_network, network, station};
use super::{columns, load, save};
use crate::convert::{millis, time};
use crate::locks::Lock;
use crate::names::has_text;
use crate::{Store, StoreError, rows};

/// An entry that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessDraft {
    /// What it says.
    pub action: AccessAction,
    /// Of whom.
    pub pattern: MacPattern,
    /// Why.
    pub note: String,
    /// The networks it holds on; empty for all.
    pub networks: Vec<Uuid>,
    /// When it ceases to hold.
    pub expires_at: Option<Timestamp>,
}

/// Which entries to list.
#[derive(Clone, Debug, Default)]
pub struct AccessFilter {
    /// Only those that hold on this network.
    pub network: Option<Uuid>,
    /// Only those that say this.
    pub action: Option<AccessAction>,
    /// Only with this in the note, letter case aside.
    pub text: Option<String>,
    /// Only those for an address that begins like this.
    pub pattern: Option<MacPattern>,
    /// How many to pass over.
    pub offset: u64,
    /// How many to return; 0 for all.
    pub limit: u64,
}

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entered {
    /// It is in the list now.
    Added(AccessEntry),
    /// The list has one that says the same.
    Known(AccessEntry),
    /// This one stands in its way.
    Refused(AccessEntry),
}

impl Store {
    /// Adds entries in their order; what became of each.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there would be too many, or [`StoreError::Missing`] when one names a network that does
    /// not exist.
    pub async fn add_access(
        &self,
        drafts: Vec<AccessDraft>,
        by: &str,
        now: Timestamp,
    ) -> Result<Vec<Entered>, StoreError> {
        let by = by.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                Lock::AccessList.take(transaction).await?;
                let mut list = List::load(transaction).await?;
                let entered = list.enter(drafts, &by, now)?;
                let made: Vec<&AccessEntry> = entered
                    .iter()
                    .filter_map(|entered| if let Entered::Added(made) = entered { Some(made) } else { None })
                    .collect();
                let mut touched = Touched::default();
                made.iter().for_each(|made| touched.note(&made.networks));
                insert(transaction, &made).await?;
                judge(transaction, &touched, now).await?;
                Ok(entered)
            })
        })
        .await
    }

    /// What would become of each entry if they were added now, in their order.
    ///
    /// # Errors
    /// As [`Self::add_access`].
    pub async fn try_access(
        &self,
        drafts: Vec<AccessDraft>,
        now: Timestamp,
    ) -> Result<Vec<Entered>, StoreError> {
        List::load(self.read()).await?.enter(drafts, "", now)
    }

    /// Makes another of an entry as it was read; none when it was removed. Its hardware address may change, too.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody has changed it since, or [`StoreError::Missing`] when it names a network that
    /// does not exist.
    pub async fn change_access(
        &self,
        read: AccessEntry,
        draft: AccessDraft,
        now: Timestamp,
    ) -> Result<Option<Entered>, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                Lock::AccessList.take(transaction).await?;
                let list = List::load(transaction).await?;
                let id = read.id;
                let Some(before) = list.by_id(id) else { return Ok(None) };
                if !says_the_same(&before, &read) {
                    return Err(StoreError::changed_meanwhile());
                }
                list.check_networks(&draft.networks)?;
                if let Some(other) = list.in_the_way(&draft, Some(id)) {
                    return Ok(Some(Entered::Refused(other)));
                }
                let mut touched = Touched::default();
                touched.note(&before.networks);
                touched.note(&draft.networks);
                let after = AccessEntry {
                    action: draft.action,
                    mac: draft.pattern,
                    note: draft.note,
                    networks: draft.networks,
                    expires_at: draft.expires_at,
                    ..before
                };
                entry::Entity::delete_by_id(id).exec(transaction).await?;
                insert(transaction, &[&after]).await?;
                judge(transaction, &touched, now).await?;
                Ok(Some(Entered::Added(after)))
            })
        })
        .await
    }

    /// Removes an entry, and returns it; none when there is none of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_access(&self, id: Uuid, now: Timestamp) -> Result<Option<AccessEntry>, StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                Lock::AccessList.take(transaction).await?;
                let Some(before) = List::load(transaction).await?.by_id(id) else { return Ok(None) };
                entry::Entity::delete_by_id(id).exec(transaction).await?;
                let mut touched = Touched::default();
                touched.note(&before.networks);
                judge(transaction, &touched, now).await?;
                Ok(Some(before))
            })
        })
        .await
    }

    /// Entries that fit the filter, by hardware address, and how many there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn access_list(&self, filter: &AccessFilter) -> Result<(Vec<AccessEntry>, u64), StoreError> {
        let mut query = entry::Entity::find();
        query = query
            .apply_if(filter.action, |query, action| query.filter(entry::Column::Action.eq(action.as_str())));
        query = query.apply_if(filter.text.as_deref(), |query, text| {
            query.filter(has_text(self.read().get_database_backend(), "access_entries.note", text))
        });
        if let Some(pattern) = filter.pattern {
            let (first, last) = super::devices::mac_range(pattern);
            query = query.filter(entry::Column::Mac.between(first, last));
            query = query.filter(entry::Column::Bits.gte(i32::from(pattern.bits())));
        }
        if let Some(network) = filter.network {
            let there = entry_network::Entity::find().filter(entry_network::Column::NetworkId.eq(network));
            let there = there.select_only().column(entry_network::Column::EntryId).into_query();
            let everywhere = entry::Column::Everywhere.eq(true);
            query = query.filter(everywhere.or(entry::Column::Id.in_subquery(there)));
        }
        let total = query.clone().count(self.read()).await?;
        query = query.order_by_asc(entry::Column::Mac).order_by_asc(entry::Column::Bits);
        query = query.order_by_asc(entry::Column::Id);
        if filter.limit > 0 {
            query = query.offset(filter.offset).limit(filter.limit);
        }
        let found = query.all(self.read()).await?;
        let ids: Vec<Uuid> = found.iter().map(|row| row.id).collect();
        let mut networks = networks_of(self.read(), &ids).await?;
        let entries = found.into_iter().filter_map(|row| shown(row, &mut networks)).collect();
        Ok((entries, total))
    }

    /// Entries for this very hardware address.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn access_of(&self, mac: Mac) -> Result<Vec<AccessEntry>, StoreError> {
        let filter = AccessFilter { pattern: Some(mac.into()), ..AccessFilter::default() };
        let (mut entries, _) = self.access_list(&filter).await?;
        entries.retain(|entry| entry.mac.mac() == Some(mac));
        Ok(entries)
    }

    /// One entry.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn access_entry(&self, id: Uuid) -> Result<Option<AccessEntry>, StoreError> {
        let Some(row) = entry::Entity::find_by_id(id).one(self.read()).await? else { return Ok(None) };
        let mut networks = networks_of(self.read(), &[id]).await?;
        Ok(shown(row, &mut networks))
    }

    /// Takes it back from who was allowed or denied by an entry that has ceased to hold since then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire_access(&self, since: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let expired = entry::Column::ExpiresAt.between(millis(since), millis(now));
        if entry::Entity::find().filter(expired).count(self.read()).await? == 0 {
            return Ok(());
        }
        self.write(move |transaction| {
            Box::pin(async move {
                judge(transaction, &Touched { everywhere: true, ..Touched::default() }, now).await
            })
        })
        .await
    }
}

/// Networks on which an entry came or went.
#[derive(Default)]
struct Touched {
    everywhere: bool,
    networks: HashSet<Uuid>,
}

impl Touched {
    fn note(&mut self, networks: &[Uuid]) {
        self.everywhere |= networks.is_empty();
        self.networks.extend(networks);
    }
}

/// The whole list, to be compared with what is to be added.
struct List {
    entries: HashMap<MacPattern, Vec<AccessEntry>>,
    number: usize,
    networks: HashSet<Uuid>,
}

impl List {
    async fn load<C: ConnectionTrait>(transaction: &C) -> Result<Self, StoreError> {
        let found = entry::Entity::find().all(transaction).await?;
        let number = found.len();
        let all = entry_network::Entity::find().all(transaction).await?;
        let mut of: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        all.into_iter().for_each(|row| of.entry(row.entry_id).or_default().push(row.network_id));
        let mut entries: HashMap<MacPattern, Vec<AccessEntry>> = HashMap::new();
        for entry in found.into_iter().filter_map(|row| shown(row, &mut of)) {
            entries.entry(entry.mac).or_default().push(entry);
        }
        let living = network::Entity::find().filter(network::Column::DeletedAt.is_null());
        let living: Vec<Uuid> =
            living.select_only().column(network::Column::Id).into_tuple().all(transaction).await?;
        Ok(Self { entries, number, networks: living.into_iter().collect() })
    }

    fn len(&self) -> usize {
        self.number
    }

    fn by_id(&self, id: Uuid) -> Option<AccessEntry> {
        self.entries.values().flatten().find(|entry| entry.id == id).cloned()
    }

    fn check_networks(&self, ids: &[Uuid]) -> Result<(), StoreError> {
        match ids.iter().find(|id| !self.networks.contains(id)) {
            Some(missing) => {
                let detail = format!("there is no network {missing}");
                Err(StoreError::Missing { field: "networks", detail })
            }
            None => Ok(()),
        }
    }

    /// An entry for the same addresses on one of the same networks.
    fn in_the_way(&self, draft: &AccessDraft, but: Option<Uuid>) -> Option<AccessEntry> {
        let same = self.entries.get(&draft.pattern)?;
        let meets = |entry: &&AccessEntry| {
            let everywhere = entry.networks.is_empty() || draft.networks.is_empty();
            everywhere || entry.networks.iter().any(|id| draft.networks.contains(id))
        };
        same.iter().filter(|entry| Some(entry.id) != but).find(meets).cloned()
    }

    /// Takes in entries in their order; what became of each.
    fn enter(
        &mut self,
        drafts: Vec<AccessDraft>,
        by: &str,
        now: Timestamp,
    ) -> Result<Vec<Entered>, StoreError> {
        let mut entered = Vec::with_capacity(drafts.len());
        for draft in drafts {
            self.check_networks(&draft.networks)?;
            if let Some(other) = self.in_the_way(&draft, None) {
                let same = other.action == draft.action && same_set(&other.networks, &draft.networks);
                entered.push(if same { Entered::Known(other) } else { Entered::Refused(other) });
                continue;
            }
            if self.len() >= MOST_ENTRIES {
                return Err(StoreError::Conflict(format!(
                    "the list has {MOST_ENTRIES} entries, and no more are possible; remove some first"
                )));
            }
            entered.push(Entered::Added(self.add(draft, by, now)));
        }
        Ok(entered)
    }

    fn add(&mut self, draft: AccessDraft, by: &str, now: Timestamp) -> AccessEntry {
        let made = AccessEntry {
            id: Uuid::now_v7(),
            action: draft.action,
            mac: draft.pattern,
            vendor: None,
            note: draft.note,
            networks: draft.networks,
            expires_at: draft.expires_at,
            created_at: now,
            created_by: by.to_owned(),
        };
        self.entries.entry(made.mac).or_default().push(made.clone());
        self.number += 1;
        made
    }
}

/// Whether people have decided the same in both.
fn says_the_same(one: &AccessEntry, other: &AccessEntry) -> bool {
    let said = |entry: &AccessEntry| (entry.action, entry.mac, entry.note.clone(), entry.expires_at);
    said(one) == said(other) && same_set(&one.networks, &other.networks)
}

fn same_set(one: &[Uuid], other: &[Uuid]) -> bool {
    let set = |ids: &[Uuid]| ids.iter().copied().collect::<HashSet<_>>();
    set(one) == set(other)
}

async fn insert(transaction: &DatabaseTransaction, made: &[&AccessEntry]) -> Result<(), StoreError> {
    for entries in made.chunks(500) {
        let rows = entries.iter().map(|made| entry::ActiveModel {
            id: Set(made.id),
            action: Set(made.action.as_str().into()),
            mac: Set(made.mac.bytes().to_vec()),
            bits: Set(i32::from(made.mac.bits())),
            note: Set(made.note.clone()),
            everywhere: Set(made.networks.is_empty()),
            expires_at: Set(made.expires_at.map(millis)),
            created_at: Set(millis(made.created_at)),
            created_by: Set(made.created_by.clone()),
        });
        entry::Entity::insert_many(rows).exec_without_returning(transaction).await?;
        let rows: Vec<_> = entries
            .iter()
            .flat_map(|made| made.networks.iter().map(|network| (made.id, *network)))
            .map(|(entry_id, network_id)| entry_network::Model { entry_id, network_id }.into_active_model())
            .collect();
        for rows in rows.chunks(1000) {
            entry_network::Entity::insert_many(rows.to_vec()).exec_without_returning(transaction).await?;
        }
    }
    Ok(())
}

async fn networks_of<C: ConnectionTrait>(
    connection: &C,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Uuid>>, StoreError> {
    let mut networks: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    if ids.is_empty() {
        return Ok(networks);
    }
    let backend = connection.get_database_backend();
    let sql = format!("SELECT * FROM access_entry_networks WHERE {}", rows::is_id(backend, "entry_id", 1));
    let statement = Statement::from_sql_and_values(backend, sql, [rows::id_list(ids)?]);
    for row in entry_network::Entity::find().from_raw_sql(statement).all(connection).await? {
        networks.entry(row.entry_id).or_default().push(row.network_id);
    }
    Ok(networks)
}

/// An entry as it is listed; one that cannot be understood is left out.
fn shown(row: entry::Model, networks: &mut HashMap<Uuid, Vec<Uuid>>) -> Option<AccessEntry> {
    let mut networks = networks.remove(&row.id).unwrap_or_default();
    networks.sort_unstable();
    Some(AccessEntry {
        id: row.id,
        action: AccessAction::from_word(&row.action)?,
        mac: MacPattern::new(row.mac.as_slice().try_into().ok()?, u8::try_from(row.bits).ok()?)?,
        vendor: None,
        note: row.note,
        networks,
        expires_at: row.expires_at.map(time),
        created_at: time(row.created_at),
        created_by: row.created_by,
    })
}

/// Says anew of everybody on these networks what the list says.
async fn judge(
    transaction: &DatabaseTransaction,
    touched: &Touched,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut networks = network::Entity::find().filter(network::Column::DeletedAt.is_null());
    if !touched.everywhere {
        if touched.networks.is_empty() {
            return Ok(());
        }
        networks = networks.filter(network::Column::Id.is_in(touched.networks.iter().copied()));
    }
    // In one order, and each before its stations, as reports are taken in.
    let networks = networks.order_by_asc(network::Column::Id).lock_exclusive().all(transaction).await?;
    for network in networks {
        let rules = load::rules(transaction, network.id, now).await?;
        let stations = station::Entity::find()
            .filter(station::Column::NetworkId.eq(network.id))
            .filter(station::Column::Standing.ne(columns::access_word(Access::Worker)))
            .filter(station::Column::Mac.is_not_null())
            .all(transaction)
            .await?;
        let changed: Vec<station::Model> = stations
            .into_iter()
            .filter_map(|mut row| {
                let access = columns::access_word(rules.access(columns::mac(row.mac.as_deref()?)?));
                (row.standing != access).then(|| {
                    access.clone_into(&mut row.standing);
                    row
                })
            })
            .collect();
        let ids: Vec<Uuid> = changed.iter().map(|row| row.id).collect();
        save::update::<station::Entity>(transaction, &ids, &changed, &[station::Column::Standing]).await?;
    }
    Ok(())
}
