//! Rows of watched networks.

use serde::Serializer;

/// Bytes as they travel in JSON: PostgreSQL reads them as they are, SQLite behind the first two letters.
fn hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("\\x");
    for byte in bytes {
        use std::fmt::Write as _;
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    serializer.serialize_str(&text)
}

fn hex_or_null<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
    match bytes {
        Some(bytes) => hex(bytes, serializer),
        None => serializer.serialize_none(),
    }
}

/// A network.
pub(crate) mod network {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "networks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub name: String,
        #[sea_orm(column_type = "Text")]
        pub prefixes: String,
        #[sea_orm(column_type = "Text")]
        pub exclude: String,
        #[sea_orm(column_type = "Text")]
        pub selector: String,
        #[sea_orm(column_type = "Text", nullable)]
        pub interface: Option<String>,
        pub vlan: Option<i32>,
        pub every_ms: i64,
        pub rate_pps: Option<i64>,
        pub rate_bps: Option<i64>,
        pub share: Option<i32>,
        pub passive: bool,
        pub names: bool,
        pub large: bool,
        pub grace_sweeps: i32,
        #[sea_orm(column_type = "Text")]
        pub severities: String,
        #[sea_orm(column_type = "Text")]
        pub dhcp_servers: String,
        #[sea_orm(column_type = "Text")]
        pub routers: String,
        pub learn_until: Option<i64>,
        pub assignment_id: Option<Uuid>,
        #[sea_orm(column_type = "Text", nullable)]
        pub problem: Option<String>,
        pub seen_at: Option<i64>,
        #[sea_orm(column_type = "Text")]
        pub memory: String,
        #[sea_orm(column_type = "Text", nullable)]
        pub link: Option<String>,
        pub created_at: i64,
        #[sea_orm(column_type = "Text")]
        pub created_by: String,
        pub deleted_at: Option<i64>,
        /// Once it is deleted, what was seen on it goes, too.
        pub history_goes: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One look over a network.
pub(crate) mod sweep {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sweeps")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub network_id: Uuid,
        pub worker_id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub worker_name: String,
        pub started_at: i64,
        pub ended_at: i64,
        pub complete: bool,
        pub probed: i64,
        pub hosts: i32,
        pub newcomers: i32,
        pub gone: i32,
        #[sea_orm(column_type = "Text", nullable)]
        pub error: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A part of a sweep whose last part is not there yet.
pub(crate) mod part {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sweep_parts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub network_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub sweep: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub part: i32,
        #[sea_orm(column_type = "Text")]
        pub body: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A device.
pub(crate) mod device {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, serde::Serialize)]
    #[sea_orm(table_name = "devices")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[sea_orm(column_type = "Text", nullable)]
        pub name: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub label: String,
        #[sea_orm(column_type = "Text")]
        pub kind: String,
        pub kind_is_set: bool,
        #[sea_orm(column_type = "Text")]
        pub owner: String,
        #[sea_orm(column_type = "Text")]
        pub notes: String,
        #[sea_orm(column_type = "Text")]
        pub tags: String,
        pub criticality: String,
        #[sea_orm(column_type = "Text")]
        pub severities: String,
        #[sea_orm(column_type = "Text", nullable)]
        pub vendor: Option<String>,
        pub first_seen_at: i64,
        pub last_seen_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Something about a device that changed.
pub(crate) mod change {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, serde::Serialize)]
    #[sea_orm(table_name = "device_changes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub device_id: Uuid,
        pub network_id: Option<Uuid>,
        pub at: i64,
        pub field: String,
        #[sea_orm(column_type = "Text", nullable)]
        pub old: Option<String>,
        #[sea_orm(column_type = "Text", nullable)]
        pub new: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub source: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Two devices that may be one.
pub(crate) mod proposal {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, serde::Serialize)]
    #[sea_orm(table_name = "device_proposals")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub device_id: Uuid,
        pub other_id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub reason: String,
        pub at: i64,
        pub dismissed: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One hardware address on one network; beyond the link, one address.
pub(crate) mod station {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, serde::Serialize)]
    #[sea_orm(table_name = "stations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub device_id: Uuid,
        pub network_id: Uuid,
        #[serde(serialize_with = "super::hex_or_null")]
        pub mac: Option<Vec<u8>>,
        #[sea_orm(column_type = "Text", nullable)]
        pub vendor: Option<String>,
        pub standing: String,
        pub up: bool,
        pub missed: i32,
        pub router: bool,
        pub source: String,
        #[sea_orm(column_type = "Text")]
        pub names: String,
        pub since: i64,
        pub first_seen_at: i64,
        pub last_seen_at: i64,
        pub session_id: Option<Uuid>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An address of a station.
pub(crate) mod address {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, serde::Serialize)]
    #[sea_orm(table_name = "station_addresses")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub station_id: Uuid,
        pub network_id: Uuid,
        #[serde(serialize_with = "super::hex")]
        pub address: Vec<u8>,
        pub family: i32,
        pub length: i32,
        pub current: bool,
        pub missed: i32,
        pub first_seen_at: i64,
        pub last_seen_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A time during which a station was there.
pub(crate) mod presence {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, serde::Serialize)]
    #[sea_orm(table_name = "presence_sessions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub station_id: Uuid,
        pub network_id: Uuid,
        pub began_at: i64,
        pub ended_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An entry of the access list.
pub(crate) mod entry {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_entries")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub action: String,
        pub mac: Vec<u8>,
        pub bits: i32,
        #[sea_orm(column_type = "Text")]
        pub note: String,
        pub everywhere: bool,
        pub expires_at: Option<i64>,
        pub created_at: i64,
        #[sea_orm(column_type = "Text")]
        pub created_by: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A network on which an entry holds that does not hold everywhere.
pub(crate) mod entry_network {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_entry_networks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub entry_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub network_id: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
