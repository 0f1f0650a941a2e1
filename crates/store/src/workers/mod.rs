//! Workers: who they are, whether they are here, and what they listen on.

mod credentials;
mod enrol;
pub(crate) mod entity;
mod facts;
mod history;
mod manage;
pub(crate) mod member;
mod presence;

use netwark_model::messages::{Alive, Hello};
use netwark_model::workers::{Coordinates, SelfTest, Worker, WorkerOverrides, WorkerState};
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, FromQueryResult, JoinType, QueryOrder, QuerySelect, RelationTrait};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::credentials::WorkerCredential;
pub use self::enrol::{Credential, NewWorker};
pub(crate) use self::facts::facts;
pub use self::manage::Edit;
pub use self::presence::{Arrival, Greeting, Presence};
use crate::convert::{from_text, time};
use crate::{Store, StoreError};

/// What is known of a worker and never searched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Details {
    pub(crate) coordinates: Option<Coordinates>,
    pub(crate) country: String,
    pub(crate) asn: Option<u32>,
    pub(crate) concurrency: u32,
    pub(crate) self_test: Vec<SelfTest>,
    pub(crate) usage_cap_bytes: Option<u64>,
    pub(crate) unknown_queues: Vec<String>,
}

/// What counts of a worker: what an administrator has set, else what the worker says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Effective {
    pub(crate) name: String,
    pub(crate) site: String,
    pub(crate) location: String,
    pub(crate) tags: Vec<String>,
    pub(crate) queues: Vec<String>,
    pub(crate) details: Details,
}

impl Effective {
    pub(crate) fn of(hello: Hello, overrides: &WorkerOverrides) -> Self {
        let set = overrides.clone();
        Self {
            name: set.name.unwrap_or(hello.name),
            site: set.site.unwrap_or(hello.site),
            location: set.location.unwrap_or(hello.location),
            tags: set.tags.unwrap_or(hello.tags),
            queues: set.queues.unwrap_or(hello.queues),
            details: Details {
                coordinates: set.coordinates.or(hello.coordinates),
                country: set.country.unwrap_or(hello.country),
                asn: set.asn.or(hello.asn),
                concurrency: hello.concurrency,
                self_test: hello.self_test,
                usage_cap_bytes: hello.usage_cap_bytes,
                unknown_queues: Vec::new(),
            },
        }
    }
}

impl Effective {
    /// What counted when the row was written.
    pub(crate) fn of_row(row: &entity::Model) -> Result<Self, StoreError> {
        Ok(Self {
            name: row.name.clone(),
            site: row.site.clone(),
            location: row.location.clone(),
            tags: from_text("list of tags", &row.tags)?,
            queues: from_text("list of queues", &row.queues)?,
            details: from_text("set of details", &row.details)?,
        })
    }
}

/// What has to be known of a worker before its reports are listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerCard {
    /// Its name.
    pub name: String,
    /// Ed25519 key its reports are signed with, in base64.
    pub public_key: Option<String>,
    /// True when an administrator revoked it.
    pub revoked: bool,
    /// True once it has said hello.
    pub introduced: bool,
    /// What an administrator last wanted of it.
    pub drain: DrainOrder,
    /// How it reaches the server: `embedded`, `websocket` or `amqp`; empty before its first hello.
    pub link: String,
    /// Queues it may listen on.
    pub queues: Vec<String>,
}

/// What an administrator wants of a worker, beside what it wants by itself: it drains when either does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrainOrder {
    /// True when it is to take no new work.
    pub draining: bool,
    /// How often that was said, so that an order which is lost or late is recognised; 0 when it never was.
    pub revision: u64,
}

impl DrainOrder {
    fn of(row: &entity::Model) -> Self {
        Self { draining: row.drain_wanted, revision: u64::try_from(row.drain_revision).unwrap_or(0) }
    }
}

/// A worker as a member of a queue.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub(crate) struct Member {
    pub(crate) queue: String,
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) online: bool,
    pub(crate) draining: bool,
    pub(crate) last_seen_at: i64,
}

impl Member {
    pub(crate) fn state(&self) -> WorkerState {
        state(None, self.online, self.draining, self.last_seen_at)
    }
}

/// True when a worker that takes work is a member of this queue.
pub(crate) async fn is_taken_from<C: ConnectionTrait>(
    connection: &C,
    queue: &str,
) -> Result<bool, StoreError> {
    let member = member::Entity::find()
        .join(JoinType::InnerJoin, member::Relation::Worker.def())
        .filter(member::Column::Queue.eq(queue))
        .filter(entity::Column::RevokedAt.is_null())
        .filter(entity::Column::Online.eq(true))
        .filter(entity::Column::Draining.eq(false));
    Ok(member.limit(1).one(connection).await?.is_some())
}

/// Who is a member of which queue, by queue and name.
pub(crate) async fn members<C: ConnectionTrait>(connection: &C) -> Result<Vec<Member>, StoreError> {
    let members = member::Entity::find()
        .select_only()
        .column(member::Column::Queue)
        .column(entity::Column::Id)
        .column(entity::Column::Name)
        .column(entity::Column::Online)
        .column(entity::Column::Draining)
        .column(entity::Column::LastSeenAt)
        .join(JoinType::InnerJoin, member::Relation::Worker.def())
        .filter(entity::Column::RevokedAt.is_null())
        .order_by_asc(member::Column::Queue)
        .order_by_asc(entity::Column::Name)
        .into_model::<Member>()
        .all(connection)
        .await?;
    Ok(members)
}

impl Store {
    /// All workers by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn workers(&self) -> Result<Vec<Worker>, StoreError> {
        let rows = entity::Entity::find().order_by_asc(entity::Column::Name).all(self.read()).await?;
        rows.into_iter().map(worker).collect()
    }

    /// What has to be known of a worker before its reports are listened to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn worker_card(&self, id: Uuid) -> Result<Option<WorkerCard>, StoreError> {
        entity::Entity::find_by_id(id).one(self.read()).await?.map(card).transpose()
    }

    /// One worker.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn worker(&self, id: Uuid) -> Result<Option<Worker>, StoreError> {
        entity::Entity::find_by_id(id).one(self.read()).await?.map(worker).transpose()
    }
}

fn card(row: entity::Model) -> Result<WorkerCard, StoreError> {
    Ok(WorkerCard {
        drain: DrainOrder::of(&row),
        name: row.name,
        public_key: row.public_key,
        revoked: row.revoked_at.is_some(),
        introduced: row.declared.is_some(),
        link: row.link,
        queues: from_text("list of queues", &row.queues)?,
    })
}

/// Where a worker stands, by its columns.
fn state(revoked_at: Option<i64>, online: bool, draining: bool, last_seen_at: i64) -> WorkerState {
    match (revoked_at, online, draining) {
        (Some(_), ..) => WorkerState::Revoked,
        (None, true, true) => WorkerState::Draining,
        (None, true, false) => WorkerState::Online,
        (None, false, _) if last_seen_at == 0 => WorkerState::Enrolled,
        (None, false, _) => WorkerState::Offline,
    }
}

pub(crate) fn worker(row: entity::Model) -> Result<Worker, StoreError> {
    let details: Details = from_text("set of details", &row.details)?;
    let vitals: Alive = from_text("set of vitals", &row.vitals)?;
    let hello: Option<Hello> = row.declared.map(|text| from_text("hello", &text)).transpose()?;
    Ok(Worker {
        id: row.id,
        state: state(row.revoked_at, row.online, row.draining, row.last_seen_at),
        name: row.name,
        site: row.site,
        location: row.location,
        tags: from_text("list of tags", &row.tags)?,
        version: row.version,
        queues: from_text("list of queues", &row.queues)?,
        unknown_queues: details.unknown_queues,
        capabilities: from_text("list of capabilities", &row.capabilities)?,
        policy: row.policy,
        embedded: row.embedded,
        online: row.online,
        link: row.link,
        coordinates: details.coordinates,
        country: details.country,
        asn: details.asn,
        concurrency: details.concurrency,
        load: vitals.load,
        spool_bytes: vitals.spool_bytes,
        clock_offset_ms: vitals.clock_offset_ms,
        self_test: if vitals.self_test.is_empty() { details.self_test } else { vitals.self_test },
        usage: vitals.usage,
        usage_cap_bytes: details.usage_cap_bytes,
        overrides: from_text("set of overrides", &row.overrides)?,
        links: hello.as_ref().map(|hello| hello.links.clone()).unwrap_or_default(),
        declared: hello.map(declared),
        has_key: row.public_key.is_some(),
        running: u32::try_from(row.running).unwrap_or(0),
        created_at: time(row.created_at),
        last_seen_at: (row.last_seen_at != 0).then(|| time(row.last_seen_at)),
    })
}

/// What a worker says of itself of what an administrator may set, too.
fn declared(hello: Hello) -> WorkerOverrides {
    WorkerOverrides {
        name: Some(hello.name),
        site: Some(hello.site),
        location: Some(hello.location),
        coordinates: hello.coordinates,
        country: Some(hello.country),
        asn: hello.asn,
        tags: Some(hello.tags),
        queues: Some(hello.queues),
    }
}
