//! `/devices`.

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::Timestamp;
use netwark_model::error::FieldError;
use netwark_model::watch::access::AccessAction;
use netwark_model::watch::device::{
    Access, Criticality, Device, DeviceChange, DeviceDetail, DeviceSeverities,
};
use netwark_model::watch::kind;
use netwark_model::watch::presence::{Presence, PresenceSession};
use netwark_store::StoreError;
use netwark_store::watch::access::{AccessDraft, Entered};
use netwark_store::watch::devices::{DeviceEdit, DeviceFilter, DeviceSort, MOST_MERGED};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use uuid::Uuid;

use super::access::in_the_way;
use super::answers::{EntryTaken, Invalid, MayRead, MayWrite, NoDevice, NotThese};
use super::input::text;
use crate::app::App;
use crate::auth::Principal;
use crate::error::Problem;
use crate::extract::{self, Body, Id, Params, known};

/// Most characters of a name, an owner and a type.
const LONGEST_TEXT: usize = 100;
/// Most characters of notes.
const LONGEST_NOTES: usize = 4_000;
/// Most tags of a device.
const MOST_TAGS: usize = 50;
/// Most characters of a tag.
const LONGEST_TAG: usize = 64;

/// What is to change about a device; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DeviceChanges {
    /// Its name; null gives it back to what is heard.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<String>, example = "Printer 2nd floor", min_length = 1, max_length = 100)]
    name: Option<Option<String>>,
    /// What it is; null gives that back to the rules.
    #[serde(rename = "type", deserialize_with = "extract::given")]
    #[schema(value_type = Option<String>, example = "printer", min_length = 1, max_length = 100)]
    kind: Option<Option<String>>,
    /// Whose it is.
    #[schema(value_type = Option<String>, max_length = 100)]
    owner: Option<String>,
    /// What people should know of it.
    #[schema(value_type = Option<String>, max_length = 4000)]
    notes: Option<String>,
    /// Words to find it by: at most 50, each of at most 64 characters.
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    tags: Option<Vec<String>>,
    /// How much depends on it.
    #[schema(value_type = Option<Criticality>)]
    criticality: Option<Criticality>,
    /// How much it matters that it comes or goes, whatever its networks say.
    #[schema(value_type = Option<DeviceSeverities>)]
    severities: Option<DeviceSeverities>,
}

/// Devices that are the same one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Merge {
    /// The others, at most 50. They go, and what they had is this one's.
    #[schema(min_items = 1, max_items = 50)]
    devices: Vec<Uuid>,
}

/// Interfaces that are another device's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Split {
    /// Ids of interfaces of the device, not all of them.
    #[schema(min_items = 1, max_items = 50)]
    interfaces: Vec<Uuid>,
}

/// What the access list is to say of a device.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceAccess {
    /// What it says of each of its hardware addresses, on all networks; null to say nothing.
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<AccessAction>, required = true)]
    action: Option<AccessAction>,
    /// Why; the label of the device when left out.
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// What has to be said, be it null.
fn said<'de, D: Deserializer<'de>>(from: D) -> Result<Option<AccessAction>, D::Error> {
    Option::deserialize(from)
}

/// List devices.
#[utoipa::path(
    get, path = "/devices", operation_id = "list_devices", tag = "Watch",
    params(
        ("network" = Option<Uuid>, Query, description = "Only on the network of this id"),
        ("access" = Option<Access>, Query, description = "Only of whom the access list says this"),
        ("presence" = Option<Presence>, Query, description = "Only those that are there, are not, or of which nobody knows"),
        ("type" = Option<String>, Query, description = "Only of this type; `-` for those of which nobody knows it"),
        ("vendor" = Option<String>, Query, description = "Only with this in the name of the vendor"),
        ("owner" = Option<String>, Query, description = "Only of this owner"),
        ("tag" = Option<String>, Query, description = "Only with this tag"),
        ("criticality" = Option<Criticality>, Query, description = "Only on which this much depends"),
        ("first_seen_after" = Option<String>, Query, description = "Only first seen at or after this time"),
        ("q" = Option<String>, Query, description = "Only with this in a name, note, owner, vendor, tag or type; or with this address, prefix, hardware address or beginning of one", example = "192.0.2."),
        ("sort" = Option<String>, Query, description = "`label`, `last_seen`, `first_seen`, `address`, `vendor` or `type`"),
        ("descending" = Option<bool>, Query, description = "The other way around"),
        ("page" = Option<u64>, Query, description = "From 1"),
        ("per_page" = Option<u64>, Query, description = "1 to 1000, default 50"),
    ),
    responses(
        (status = 200, description = "A page of devices", body = Vec<Device>, headers(
            ("X-Total-Count" = u64, description = "How many there are"),
            ("Link" = String, description = "The pages around this one, RFC 8288"),
        )),
        Invalid, MayRead,
    ),
)]
pub(crate) async fn list_devices(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    mut params: Params,
) -> Result<impl IntoResponse, Problem> {
    let network = params.id("network");
    let access =
        params.read("access", |word| known(Access::from_word(word), word, "worker, known, unknown, denied"));
    let presence =
        params.read("presence", |word| known(Presence::from_word(word), word, "up, down, unknown"));
    let criticality = params
        .read("criticality", |word| known(Criticality::from_word(word), word, "low, normal, high, critical"));
    let words = DeviceSort::ALL.map(DeviceSort::as_str).join(", ");
    let sort = params.read("sort", |word| known(DeviceSort::from_word(word), word, &words));
    let short = |text: &str| super::input::text(text, LONGEST_TEXT);
    let kind = params.read("type", short).map(|kind| if kind == "-" { String::new() } else { kind });
    let filter = DeviceFilter {
        network,
        access,
        presence,
        kind,
        vendor: params.read("vendor", short),
        owner: params.read("owner", short),
        tag: params.read("tag", short),
        criticality,
        first_seen_after: params.time("first_seen_after"),
        text: params.read("q", short),
        sort: sort.unwrap_or_default(),
        descending: params.flag("descending").unwrap_or(false),
        offset: 0,
        limit: 0,
    };
    let page = params.page();
    params.finish()?;
    let filter = DeviceFilter { offset: page.offset(), limit: page.per_page, ..filter };
    let (devices, total) = app.store.devices(&filter, Timestamp::now()).await?;
    Ok((page.headers(uri.path(), uri.query().unwrap_or_default(), total), Json(devices)))
}

/// List the types that rules give to devices.
#[utoipa::path(
    get, path = "/devices/types", operation_id = "list_device_types", tag = "Watch",
    responses((status = 200, description = "Every type, in alphabetical order", body = Vec<String>), MayRead),
)]
pub(crate) async fn list_types() -> Json<Vec<&'static str>> {
    Json(kind::all())
}

/// Show a device with its interfaces, names and addresses.
#[utoipa::path(
    get, path = "/devices/{id}", operation_id = "get_device", tag = "Watch",
    params(("id" = Uuid, Path, description = "Id of the device")),
    responses((status = 200, body = DeviceDetail), MayRead, NoDevice),
)]
pub(crate) async fn get_device(State(app): State<App>, Id(id): Id) -> Result<Json<DeviceDetail>, Problem> {
    app.store.device(id, Timestamp::now()).await?.map(Json).ok_or_else(unknown)
}

/// Change what people say of a device.
#[utoipa::path(
    patch, path = "/devices/{id}", operation_id = "change_device", tag = "Watch",
    params(("id" = Uuid, Path, description = "Id of the device")),
    request_body(content = DeviceChanges, example = json!({"name": "Printer 2nd floor", "owner": "Facilities", "tags": ["floor-2"]})),
    responses((status = 200, body = DeviceDetail), Invalid, MayWrite, NoDevice),
)]
pub(crate) async fn change_device(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    Body(changes): Body<DeviceChanges>,
) -> Result<Json<DeviceDetail>, Problem> {
    let edit = checked(changes).map_err(Problem::fields)?;
    let changed = app.store.change_device(id, edit, &principal.label(), Timestamp::now()).await?;
    let device = changed.ok_or_else(unknown)?;
    tracing::info!(by = principal.label(), device = device.device.label, %id, "a device was changed");
    Ok(Json(device))
}

/// Delete a device.
///
/// What was seen of it goes with it. When it is seen again, it is a new one.
#[utoipa::path(
    delete, path = "/devices/{id}", operation_id = "delete_device", tag = "Watch",
    params(("id" = Uuid, Path, description = "Id of the device")),
    responses((status = 204, description = "Deleted"), MayWrite, NoDevice),
)]
pub(crate) async fn delete_device(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    if !app.store.remove_device(id).await? {
        return Err(unknown());
    }
    tracing::info!(by = principal.label(), device = %id, "a device was deleted");
    Ok(StatusCode::NO_CONTENT)
}

/// List what changed about a device, the latest first: addresses, names, vendors, and what people said of it.
#[utoipa::path(
    get, path = "/devices/{id}/history", operation_id = "list_device_changes", tag = "Watch",
    params(
        ("id" = Uuid, Path, description = "Id of the device"),
        ("before" = Option<Uuid>, Query, description = "Only older than the change of this id"),
        ("per_page" = Option<u64>, Query, description = "1 to 1000, default 50"),
    ),
    responses((status = 200, body = Vec<DeviceChange>), Invalid, MayRead, NoDevice),
)]
pub(crate) async fn device_history(
    State(app): State<App>,
    Id(id): Id,
    mut params: Params,
) -> Result<Json<Vec<DeviceChange>>, Problem> {
    let before = params.id("before");
    let limit = params.per_page();
    params.finish()?;
    of_device(&app, id, app.store.device_history(id, before, limit).await?).await
}

/// List when a device was there, by interface, the latest first.
#[utoipa::path(
    get, path = "/devices/{id}/presence", operation_id = "list_device_presence", tag = "Watch",
    params(
        ("id" = Uuid, Path, description = "Id of the device"),
        ("since" = Option<String>, Query, description = "Only what had not ended at this time"),
        ("per_page" = Option<u64>, Query, description = "1 to 1000, default 50"),
    ),
    responses((status = 200, body = Vec<PresenceSession>), Invalid, MayRead, NoDevice),
)]
pub(crate) async fn device_presence(
    State(app): State<App>,
    Id(id): Id,
    mut params: Params,
) -> Result<Json<Vec<PresenceSession>>, Problem> {
    let since = params.time("since");
    let limit = params.per_page();
    params.finish()?;
    of_device(&app, id, app.store.device_presence(id, since, limit).await?).await
}

/// What was read of a device. Of one that does not exist there is nothing, which is to be said.
async fn of_device<T>(app: &App, id: Uuid, read: Vec<T>) -> Result<Json<Vec<T>>, Problem> {
    if read.is_empty() {
        app.store.device(id, Timestamp::now()).await?.ok_or_else(unknown)?;
    }
    Ok(Json(read))
}

/// Say that other devices are the same as this one.
#[utoipa::path(
    post, path = "/devices/{id}/merge", operation_id = "merge_devices", tag = "Watch",
    params(("id" = Uuid, Path, description = "Id of the device that stays")),
    request_body(content = Merge, example = json!({"devices": ["01933f6e-1234-7abc-8def-0123456789ab"]})),
    responses((status = 200, body = DeviceDetail), Invalid, MayWrite, NoDevice, NotThese),
)]
pub(crate) async fn merge_devices(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    Body(Merge { devices }): Body<Merge>,
) -> Result<Json<DeviceDetail>, Problem> {
    if devices.is_empty() || devices.len() > MOST_MERGED {
        let wrong = format!("must have from 1 to {MOST_MERGED} entries, got {}", devices.len());
        return Err(FieldError::body("devices", wrong).into());
    }
    if devices.contains(&id) {
        return Err(FieldError::body("devices", "must not name the device itself").into());
    }
    let merged = app.store.merge_devices(id, devices, &principal.label(), Timestamp::now()).await;
    let device = merged.map_err(|error| stands_in(error, "devices"))?.ok_or_else(unknown)?;
    tracing::info!(by = principal.label(), device = device.device.label, %id, "devices were merged");
    Ok(Json(device))
}

/// Say that some interfaces of a device are another device's; answers with that one.
#[utoipa::path(
    post, path = "/devices/{id}/split", operation_id = "split_device", tag = "Watch",
    params(("id" = Uuid, Path, description = "Id of the device")),
    request_body(content = Split, example = json!({"interfaces": ["01933f6e-1234-7abc-8def-0123456789ab"]})),
    responses((status = 201, body = DeviceDetail), Invalid, MayWrite, NoDevice, NotThese),
)]
pub(crate) async fn split_device(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    Body(Split { interfaces }): Body<Split>,
) -> Result<impl IntoResponse, Problem> {
    if interfaces.is_empty() || interfaces.len() > MOST_MERGED {
        let wrong = format!("must have from 1 to {MOST_MERGED} entries, got {}", interfaces.len());
        return Err(FieldError::body("interfaces", wrong).into());
    }
    let split = app.store.split_device(id, interfaces, &principal.label(), Timestamp::now()).await;
    let device = split.map_err(|error| stands_in(error, "interfaces"))?.ok_or_else(unknown)?;
    tracing::info!(by = principal.label(), device = device.device.label, %id, "a device was split");
    Ok((StatusCode::CREATED, Json(device)))
}

/// What the store says against what a field names.
fn stands_in(error: StoreError, field: &str) -> Problem {
    match error {
        StoreError::Conflict(detail) => {
            Problem::conflict(detail.clone()).with_errors(vec![FieldError::body(field, detail)])
        }
        other => other.into(),
    }
}

/// Allow or deny a device, or say nothing of it.
///
/// Makes, changes or removes the entries of its hardware addresses that hold on all networks.
#[utoipa::path(
    post, path = "/devices/{id}/access", operation_id = "set_device_access", tag = "Watch",
    params(("id" = Uuid, Path, description = "Id of the device")),
    request_body(content = DeviceAccess, example = json!({"action": "allow"})),
    responses((status = 200, body = DeviceDetail), Invalid, MayWrite, NoDevice, EntryTaken),
)]
pub(crate) async fn set_device_access(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    Body(wanted): Body<DeviceAccess>,
) -> Result<Json<DeviceDetail>, Problem> {
    let now = Timestamp::now();
    let device = app.store.device(id, now).await?.ok_or_else(unknown)?.device;
    let note = wanted.note.as_deref().map(super::access::note).transpose();
    let note = note.map_err(|wrong| FieldError::body("note", wrong))?.unwrap_or_else(|| device.label.clone());
    if device.macs.is_empty() {
        return Err(Problem::conflict(format!(
            "{} has no hardware address that could be listed",
            device.label
        )));
    }
    for mac in device.macs {
        let draft = |action| AccessDraft {
            action,
            pattern: mac.into(),
            note: note.clone(),
            networks: Vec::new(),
            expires_at: None,
        };
        let known = app.store.access_of(mac).await?.into_iter().find(|entry| entry.networks.is_empty());
        let entered = match (wanted.action, known) {
            (None, None) => continue,
            (None, Some(entry)) => {
                app.store.remove_access(entry.id, now).await?;
                continue;
            }
            (Some(action), Some(entry)) => app.store.change_access(entry, draft(action), now).await?,
            (Some(action), None) => {
                app.store.add_access(vec![draft(action)], &principal.label(), now).await?.pop()
            }
        };
        if let Some(Entered::Refused(other)) = entered {
            return Err(in_the_way(&app, &other).await);
        }
    }
    tracing::info!(by = principal.label(), device = device.label, action = ?wanted.action, "access of a device was set");
    get_device(State(app), Id(id)).await
}

/// Say that two devices are not the same, so that it is not proposed any more.
#[utoipa::path(
    delete, path = "/devices/{id}/proposals/{proposal}", operation_id = "dismiss_proposal", tag = "Watch",
    params(
        ("id" = Uuid, Path, description = "Id of one of the devices"),
        ("proposal" = Uuid, Path, description = "Id of the proposal"),
    ),
    responses((status = 204, description = "It is not proposed any more"), MayWrite, NoDevice),
)]
pub(crate) async fn dismiss_proposal(
    State(app): State<App>,
    Path((id, proposal)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let read =
        |name: &str, text: &str| crate::extract::id(text).map_err(|wrong| FieldError::path(name, wrong));
    let (id, proposal) = (read("id", &id)?, read("proposal", &proposal)?);
    if app.store.dismiss_proposal(id, proposal).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("there is no such proposal for this device"))
    }
}

fn checked(changes: DeviceChanges) -> Result<DeviceEdit, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut check = |field: &str, value: Option<Result<String, String>>| {
        value.and_then(|value| value.map_err(|wrong| errors.push(FieldError::body(field, wrong))).ok())
    };
    let short = |value: String| text(&value, LONGEST_TEXT);
    let name = changes.name.map(|name| name.map(|name| check("name", Some(short(name)))));
    let kind = changes.kind.map(|kind| kind.map(|kind| check("type", Some(short(kind)))));
    let owner = check(
        "owner",
        changes.owner.map(|owner| if owner.trim().is_empty() { Ok(String::new()) } else { short(owner) }),
    );
    let notes = check("notes", changes.notes.map(|notes| long(&notes)));
    let tags = changes.tags.map(|tags| tags_of(&tags, &mut errors));
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(DeviceEdit {
        name: name.map(Option::flatten),
        kind: kind.map(Option::flatten),
        owner,
        notes,
        tags,
        criticality: changes.criticality,
        severities: changes.severities,
    })
}

/// A text of several lines, which may be empty.
fn long(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        n if n > LONGEST_NOTES => Err(format!("must be at most {LONGEST_NOTES} characters, got {n}")),
        _ if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) => {
            Err("must hold no control characters but line breaks".into())
        }
        _ => Ok(text.to_owned()),
    }
}

fn tags_of(tags: &[String], errors: &mut Vec<FieldError>) -> Vec<String> {
    if tags.len() > MOST_TAGS {
        errors.push(FieldError::body(
            "tags",
            format!("must have at most {MOST_TAGS} entries, got {}", tags.len()),
        ));
    }
    let mut read: Vec<String> = Vec::new();
    for (at, tag) in tags.iter().enumerate().take(MOST_TAGS) {
        match text(tag, LONGEST_TAG) {
            Ok(tag) if tag.contains(['"', '\\']) => {
                errors
                    .push(FieldError::body(format!("tags[{at}]"), "must hold no quotes and no backslashes"));
            }
            Ok(tag) if !read.contains(&tag) => read.push(tag),
            Ok(_) => {}
            Err(wrong) => errors.push(FieldError::body(format!("tags[{at}]"), wrong)),
        }
    }
    read
}

fn unknown() -> Problem {
    Problem::not_found("there is no device of this id")
}
