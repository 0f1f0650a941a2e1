//! Watched networks: what was seen on them, the devices behind it, the access list, and events about them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, binary_null, boolean, integer, integer_null, string, text,
    text_null, uuid, uuid_null,
};

use crate::names::folded;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        networks(manager).await?;
        sweeps(manager).await?;
        devices(manager).await?;
        stations(manager).await?;
        presence(manager).await?;
        access(manager).await?;
        events(manager).await
    }
}

fn to(from: &'static str, column: &'static str, table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(from, column).to(table, "id").on_delete(ForeignKeyAction::Cascade).to_owned()
}

async fn index(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    let mut index = Index::create().name(name).table(table).to_owned();
    for column in columns {
        index.col(*column);
    }
    manager.create_index(index).await
}

async fn networks(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let networks = Table::create()
        .table("networks")
        .col(uuid("id").primary_key())
        .col(text("name"))
        .col(text("prefixes"))
        .col(text("exclude"))
        .col(text("selector"))
        .col(text_null("interface"))
        .col(integer_null("vlan"))
        .col(big_integer("every_ms"))
        .col(big_integer_null("rate_pps"))
        .col(boolean("passive"))
        .col(boolean("names"))
        .col(boolean("large"))
        .col(integer("grace_sweeps"))
        .col(text("severities"))
        .col(text("dhcp_servers"))
        .col(text("routers"))
        .col(big_integer_null("learn_until"))
        // The standing order that sweeps it; none while it is stopped. Another one each time it is started, because
        // reports are numbered anew.
        .col(uuid_null("assignment_id"))
        .col(text_null("problem"))
        // When the latest complete sweep ended. A station that is up and missed none was last seen then.
        .col(big_integer_null("seen_at"))
        .col(text("memory"))
        .col(text_null("link"))
        .col(big_integer("created_at"))
        .col(text("created_by"))
        // Deleted, but its history is kept.
        .col(big_integer_null("deleted_at"))
        .to_owned();
    manager.create_table(networks).await?;
    let connection = manager.get_connection();
    let name = folded(connection.get_database_backend(), "networks").replace("networks.", "");
    let names =
        format!("CREATE UNIQUE INDEX networks_folded_name ON networks ({name}) WHERE deleted_at IS NULL");
    connection.execute_unprepared(&names).await?;
    index(manager, "networks_assignment", "networks", &["assignment_id"]).await
}

async fn sweeps(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let sweeps = Table::create()
        .table("sweeps")
        .col(uuid("id").primary_key())
        .col(uuid("network_id"))
        .col(uuid("worker_id"))
        .col(text("worker_name"))
        .col(big_integer("started_at"))
        .col(big_integer("ended_at"))
        .col(boolean("complete"))
        .col(big_integer("probed"))
        .col(integer("hosts"))
        .col(integer("newcomers"))
        .col(integer("gone"))
        .col(text_null("error"))
        .foreign_key(&mut to("sweeps", "network_id", "networks"))
        .to_owned();
    manager.create_table(sweeps).await?;
    index(manager, "sweeps_network", "sweeps", &["network_id", "ended_at"]).await?;
    index(manager, "sweeps_ended", "sweeps", &["ended_at"]).await?;
    // Parts of a sweep until its last one is there.
    let parts = Table::create()
        .table("sweep_parts")
        .col(uuid("network_id"))
        .col(uuid("sweep"))
        .col(integer("part"))
        .col(text("body"))
        .primary_key(Index::create().col("network_id").col("sweep").col("part"))
        .foreign_key(&mut to("sweep_parts", "network_id", "networks"))
        .to_owned();
    manager.create_table(parts).await
}

async fn devices(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let devices = Table::create()
        .table("devices")
        .col(uuid("id").primary_key())
        .col(text_null("name"))
        .col(text("label"))
        .col(text("kind"))
        .col(boolean("kind_is_set"))
        .col(text("owner"))
        .col(text("notes"))
        .col(text("tags"))
        .col(string("criticality"))
        .col(text("severities"))
        .col(text_null("vendor"))
        .col(big_integer("first_seen_at"))
        .col(big_integer("last_seen_at"))
        .to_owned();
    manager.create_table(devices).await?;
    index(manager, "devices_first_seen", "devices", &["first_seen_at"]).await?;
    let changes = Table::create()
        .table("device_changes")
        .col(uuid("id").primary_key())
        .col(uuid("device_id"))
        .col(uuid_null("network_id"))
        .col(big_integer("at"))
        .col(string("field"))
        .col(text_null("old"))
        .col(text_null("new"))
        .col(text("source"))
        .foreign_key(&mut to("device_changes", "device_id", "devices"))
        .to_owned();
    manager.create_table(changes).await?;
    index(manager, "device_changes_device", "device_changes", &["device_id", "id"]).await?;
    index(manager, "device_changes_at", "device_changes", &["at"]).await?;
    let proposals = Table::create()
        .table("device_proposals")
        .col(uuid("id").primary_key())
        .col(uuid("device_id"))
        .col(uuid("other_id"))
        .col(text("reason"))
        .col(big_integer("at"))
        // Somebody said that they are not the same.
        .col(boolean("dismissed"))
        .foreign_key(&mut to("device_proposals", "device_id", "devices"))
        .foreign_key(&mut to("device_proposals", "other_id", "devices"))
        .to_owned();
    manager.create_table(proposals).await?;
    index(manager, "device_proposals_device", "device_proposals", &["device_id"]).await?;
    index(manager, "device_proposals_other", "device_proposals", &["other_id"]).await
}

/// One hardware address on one network; beyond the link, one address.
async fn stations(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let stations = Table::create()
        .table("stations")
        .col(uuid("id").primary_key())
        .col(uuid("device_id"))
        .col(uuid("network_id"))
        .col(binary_null("mac"))
        .col(text_null("vendor"))
        .col(string("standing"))
        .col(boolean("up"))
        .col(integer("missed"))
        .col(boolean("router"))
        .col(string("source"))
        .col(text("names"))
        .col(big_integer("since"))
        .col(big_integer("first_seen_at"))
        .col(big_integer("last_seen_at"))
        // The presence that has not ended.
        .col(uuid_null("session_id"))
        .foreign_key(&mut to("stations", "device_id", "devices"))
        .foreign_key(&mut to("stations", "network_id", "networks"))
        .to_owned();
    manager.create_table(stations).await?;
    index(manager, "stations_device", "stations", &["device_id"]).await?;
    index(manager, "stations_mac", "stations", &["mac"]).await?;
    let own = Index::create()
        .name("stations_network_mac")
        .table("stations")
        .col("network_id")
        .col("mac")
        .unique()
        .to_owned();
    manager.create_index(own).await?;
    let addresses = Table::create()
        .table("station_addresses")
        .col(uuid("id").primary_key())
        .col(uuid("station_id"))
        .col(uuid("network_id"))
        // 16 bytes, of IPv4 mapped into IPv6; the family is 4 or 6, and the length that of one host.
        .col(binary("address"))
        .col(integer("family"))
        .col(integer("length"))
        .col(boolean("current"))
        .col(integer("missed"))
        .col(big_integer("first_seen_at"))
        .col(big_integer("last_seen_at"))
        .foreign_key(&mut to("station_addresses", "station_id", "stations"))
        .to_owned();
    manager.create_table(addresses).await?;
    index(manager, "station_addresses_station", "station_addresses", &["station_id"]).await?;
    index(manager, "station_addresses_network", "station_addresses", &["network_id"]).await?;
    index(manager, "station_addresses_address", "station_addresses", &["address"]).await
}

async fn presence(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let presence = Table::create()
        .table("presence_sessions")
        .col(uuid("id").primary_key())
        .col(uuid("station_id"))
        .col(uuid("network_id"))
        .col(big_integer("began_at"))
        .col(big_integer_null("ended_at"))
        .foreign_key(&mut to("presence_sessions", "station_id", "stations"))
        .to_owned();
    manager.create_table(presence).await?;
    index(manager, "presence_sessions_station", "presence_sessions", &["station_id", "began_at"]).await?;
    index(manager, "presence_sessions_network", "presence_sessions", &["network_id"]).await?;
    index(manager, "presence_sessions_ended", "presence_sessions", &["ended_at"]).await
}

async fn access(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let entries = Table::create()
        .table("access_entries")
        .col(uuid("id").primary_key())
        .col(string("action"))
        // The beginning of hardware addresses, zero behind its bits.
        .col(binary("mac"))
        .col(integer("bits"))
        .col(text("note"))
        .col(boolean("everywhere"))
        .col(big_integer_null("expires_at"))
        .col(big_integer("created_at"))
        .col(text("created_by"))
        .to_owned();
    manager.create_table(entries).await?;
    index(manager, "access_entries_mac", "access_entries", &["mac", "bits"]).await?;
    let networks = Table::create()
        .table("access_entry_networks")
        .col(uuid("entry_id"))
        .col(uuid("network_id"))
        .primary_key(Index::create().col("entry_id").col("network_id"))
        .foreign_key(&mut to("access_entry_networks", "entry_id", "access_entries"))
        .foreign_key(&mut to("access_entry_networks", "network_id", "networks"))
        .to_owned();
    manager.create_table(networks).await?;
    index(manager, "access_entry_networks_network", "access_entry_networks", &["network_id"]).await
}

async fn events(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let added = [
        uuid_null("network_id"),
        text_null("network_name"),
        uuid_null("device_id"),
        text_null("device_name"),
        text_null("data"),
        big_integer_null("acknowledged_at"),
        text_null("acknowledged_by"),
    ];
    for column in added {
        manager.alter_table(Table::alter().table("events").add_column(column).to_owned()).await?;
    }
    index(manager, "events_network", "events", &["network_id", "id"]).await?;
    index(manager, "events_device", "events", &["device_id", "id"]).await
}
