//! `/access-list`.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use netwark_model::error::FieldError;
use netwark_model::mac::Mac;
use netwark_model::watch::access::{AccessAction, AccessEntry, LONGEST_NOTE, MacPattern};
use netwark_store::watch::access::{AccessDraft, AccessFilter, Entered};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::{EntryInTheWay, EntryTaken, Invalid, MayRead, MayWrite, NoEntry};
use crate::app::App;
use crate::auth::Principal;
use crate::error::Problem;
use crate::extract::{self, Body, Id, Params, known};

/// Most networks one entry names.
const MOST_NETWORKS: usize = 1_000;
/// Most characters of a text that is looked for.
const LONGEST_TEXT: usize = 100;

/// A new entry, or what is to change about one.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AccessFields {
    /// What it says. A new entry needs it.
    #[schema(value_type = Option<AccessAction>)]
    action: Option<AccessAction>,
    /// A hardware address in any notation, or its first 6 to 11 digits. A new entry needs one.
    #[schema(value_type = Option<String>, example = "00:00:5e:00:53:01")]
    mac: Option<String>,
    /// Why.
    #[schema(value_type = Option<String>, example = "Anna's laptop", max_length = 500)]
    note: Option<String>,
    /// The networks it holds on; empty for all.
    #[schema(value_type = Option<Vec<Uuid>>)]
    networks: Option<Vec<Uuid>>,
    /// When it ceases to hold: a time, or a day, at whose end in `server.timezone` it does; null for never.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<String>, example = "2027-01-31")]
    expires_at: Option<Option<String>>,
}

/// List entries of the access list, by hardware address.
#[utoipa::path(
    get, path = "/access-list", operation_id = "list_access", tag = "Watch",
    params(
        ("network" = Option<Uuid>, Query, description = "Only those that hold on the network of this id"),
        ("action" = Option<AccessAction>, Query, description = "Only those that say this"),
        ("q" = Option<String>, Query, description = "Only for a hardware address that begins like this, or with this in the note"),
        ("page" = Option<u64>, Query, description = "From 1"),
        ("per_page" = Option<u64>, Query, description = "1 to 1000, default 50"),
    ),
    responses(
        (status = 200, description = "A page of entries", body = Vec<AccessEntry>, headers(
            ("X-Total-Count" = u64, description = "How many there are"),
            ("Link" = String, description = "The pages around this one, RFC 8288"),
        )),
        Invalid, MayRead,
    ),
)]
pub(crate) async fn list_access(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    mut params: Params,
) -> Result<impl IntoResponse, Problem> {
    let network = params.id("network");
    let action = params.read("action", |word| known(AccessAction::from_word(word), word, "allow, deny"));
    let text = params.read("q", |text| super::input::text(text, LONGEST_TEXT));
    let page = params.page();
    params.finish()?;
    let pattern = text.as_deref().and_then(|text| text.parse::<MacPattern>().ok());
    let text = text.filter(|_| pattern.is_none());
    let (offset, limit) = (page.offset(), page.per_page);
    let filter = AccessFilter { network, action, text, pattern, offset, limit };
    let (mut entries, total) = app.store.access_list(&filter).await?;
    name_vendors(&app, &mut entries);
    Ok((page.headers(uri.path(), uri.query().unwrap_or_default(), total), Json(entries)))
}

/// Show an entry of the access list.
#[utoipa::path(
    get, path = "/access-list/{id}", operation_id = "get_access_entry", tag = "Watch",
    params(("id" = Uuid, Path, description = "Id of the entry")),
    responses((status = 200, body = AccessEntry), MayRead, NoEntry),
)]
pub(crate) async fn get_access(State(app): State<App>, Id(id): Id) -> Result<Json<AccessEntry>, Problem> {
    let entry = app.store.access_entry(id).await?.ok_or_else(unknown)?;
    Ok(Json(with_vendor(&app, entry)))
}

/// Add an entry to the access list.
///
/// One that speaks of an address which the list has already on one of the same networks is refused, and so is one that
/// says the same again.
#[utoipa::path(
    post, path = "/access-list", operation_id = "add_access_entry", tag = "Watch",
    request_body(content = AccessFields, example = json!({"action": "allow", "mac": "00-00-5E-00-53-01", "note": "Anna's laptop"})),
    responses((status = 201, body = AccessEntry), Invalid, MayWrite, EntryTaken),
)]
pub(crate) async fn add_access(
    State(app): State<App>,
    principal: Principal,
    Body(fields): Body<AccessFields>,
) -> Result<impl IntoResponse, Problem> {
    let now = Timestamp::now();
    let draft = checked(&app, fields, None).map_err(Problem::fields)?;
    if let Some(Err(wrong)) = draft.expires_at.map(|at| to_come(at, now)) {
        return Err(FieldError::body("expires_at", wrong).into());
    }
    let entered = app.store.add_access(vec![draft], &principal.label(), now).await?;
    match entered.into_iter().next() {
        Some(Entered::Added(entry)) => {
            tracing::info!(by = principal.label(), mac = %entry.mac, action = ?entry.action, "an entry was added");
            Ok((StatusCode::CREATED, Json(with_vendor(&app, entry))))
        }
        Some(Entered::Known(other) | Entered::Refused(other)) => Err(in_the_way(&app, &other).await),
        None => Err(unknown()),
    }
}

/// Change an entry of the access list. What is left out stays.
#[utoipa::path(
    patch, path = "/access-list/{id}", operation_id = "change_access_entry", tag = "Watch",
    params(("id" = Uuid, Path, description = "Id of the entry")),
    request_body(content = AccessFields, example = json!({"action": "deny", "expires_at": null})),
    responses((status = 200, body = AccessEntry), Invalid, MayWrite, NoEntry, EntryInTheWay),
)]
pub(crate) async fn change_access(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    Body(fields): Body<AccessFields>,
) -> Result<Json<AccessEntry>, Problem> {
    let before = app.store.access_entry(id).await?.ok_or_else(unknown)?;
    let draft = checked(&app, fields, Some(before.clone())).map_err(Problem::fields)?;
    let changed = app.store.change_access(before, draft, Timestamp::now()).await?;
    match changed.ok_or_else(unknown)? {
        Entered::Added(entry) => {
            tracing::info!(by = principal.label(), mac = %entry.mac, action = ?entry.action, "an entry was changed");
            Ok(Json(with_vendor(&app, entry)))
        }
        Entered::Known(other) | Entered::Refused(other) => Err(in_the_way(&app, &other).await),
    }
}

/// Remove an entry from the access list.
#[utoipa::path(
    delete, path = "/access-list/{id}", operation_id = "remove_access_entry", tag = "Watch",
    params(("id" = Uuid, Path, description = "Id of the entry")),
    responses((status = 204, description = "Removed"), MayWrite, NoEntry),
)]
pub(crate) async fn remove_access(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let removed = app.store.remove_access(id, Timestamp::now()).await?.ok_or_else(unknown)?;
    tracing::info!(by = principal.label(), mac = %removed.mac, "an entry was removed");
    Ok(StatusCode::NO_CONTENT)
}

fn checked(
    app: &App,
    fields: AccessFields,
    before: Option<AccessEntry>,
) -> Result<AccessDraft, Vec<FieldError>> {
    let mut errors = Vec::new();
    let action = fields.action.or(before.as_ref().map(|before| before.action));
    if action.is_none() {
        errors.push(FieldError::body("action", "is missing"));
    }
    let pattern = match fields.mac {
        Some(mac) => pattern(&mac).map_err(|wrong| errors.push(FieldError::body("mac", wrong))).ok(),
        None => before.as_ref().map(|before| before.mac),
    };
    if pattern.is_none() && errors.iter().all(|error| error.name != "mac") {
        errors.push(FieldError::body("mac", "is missing"));
    }
    let said = fields.note.map(|text| note(&text)).transpose();
    let said = said.map_err(|wrong| errors.push(FieldError::body("note", wrong))).ok().flatten();
    let (note, networks, expires_at) = match before {
        Some(before) => (before.note, before.networks, before.expires_at),
        None => (String::new(), Vec::new(), None),
    };
    let zone = TimeZone::get(&app.settings.timezone).unwrap_or(TimeZone::UTC);
    let until = fields.expires_at.map(|until| until.map(|text| end(text.trim(), &zone)).transpose());
    let until = until.transpose().map_err(|wrong| errors.push(FieldError::body("expires_at", wrong)));
    let mut networks = fields.networks.unwrap_or(networks);
    networks.sort_unstable();
    networks.dedup();
    if networks.len() > MOST_NETWORKS {
        let wrong = format!("must have at most {MOST_NETWORKS} entries, got {}", networks.len());
        errors.push(FieldError::body("networks", wrong));
    }
    let (Some(action), Some(pattern), []) = (action, pattern, errors.as_slice()) else { return Err(errors) };
    Ok(AccessDraft {
        action,
        pattern,
        note: said.unwrap_or(note),
        networks,
        expires_at: until.ok().flatten().unwrap_or(expires_at),
    })
}

/// A hardware address, or the beginning of some, that devices can have.
pub(super) fn pattern(text: &str) -> Result<MacPattern, String> {
    let pattern = text.parse::<MacPattern>().map_err(|wrong| wrong.to_string())?;
    match Mac::new(pattern.bytes()).is_multicast() {
        true => Err(format!("is of a group of receivers, not of a device: {pattern}")),
        false => Ok(pattern),
    }
}

/// A time, or the end of a day in this time zone.
pub(super) fn end(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    let end = |day: Date| day.tomorrow()?.to_zoned(zone.clone()).map(|time| time.timestamp());
    let time = text.parse::<Timestamp>().or_else(|_| text.parse::<Date>().and_then(end));
    time.map_err(|_| {
        let shown: String = text.chars().take(60).collect();
        format!("must be a day such as 2027-01-31 or a time such as 2027-01-31T00:00:00Z, got '{shown}'")
    })
}

/// When an entry ceases to hold, which must be later than now.
pub(super) fn to_come(at: Timestamp, now: Timestamp) -> Result<Timestamp, String> {
    if at > now { Ok(at) } else { Err(format!("is over already: {at:.0}")) }
}

/// Why an entry is there: a text of one line, which may be empty.
pub(super) fn note(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Ok(String::new()) } else { super::input::text(text, LONGEST_NOTE) }
}

/// The problem that another entry stands in the way.
pub(super) async fn in_the_way(app: &App, other: &AccessEntry) -> Problem {
    let names = app.store.network_names().await.unwrap_or_default();
    let detail = told(other, &names, Timestamp::now());
    Problem::conflict(detail.clone()).with_errors(vec![FieldError::body("mac", detail)])
}

/// Which entry stands in the way, in words.
pub(super) fn told(other: &AccessEntry, names: &HashMap<Uuid, String>, now: Timestamp) -> String {
    let said = match other.action {
        AccessAction::Allow => "allowed",
        AccessAction::Deny => "denied",
    };
    let networks: Vec<&str> =
        other.networks.iter().map(|id| names.get(id).map_or("a network", String::as_str)).take(5).collect();
    let place = match networks.as_slice() {
        [] => "all networks".to_owned(),
        some if other.networks.len() > some.len() => {
            format!("{} and {} more", some.join(", "), other.networks.len() - some.len())
        }
        some => some.join(", "),
    };
    let note = if other.note.is_empty() { String::new() } else { format!("'{}', ", other.note) };
    let holds = match other.expires_at {
        Some(at) if at <= now => format!("was {said} until {at:.0}"),
        _ => format!("is {said} already"),
    };
    format!(
        "{} {holds}, on {place} ({note}by {}); change or remove entry {}",
        other.mac, other.created_by, other.id
    )
}

/// Says to whom the addresses of entries are assigned.
pub(super) fn name_vendors(app: &App, entries: &mut [AccessEntry]) {
    let table = app.lookups.oui.get();
    for entry in entries {
        let found = table.find(Mac::new(entry.mac.bytes()));
        // A pattern that is shorter than the block it begins with speaks of others, too.
        let found = found.filter(|found| found.registry.bits() <= u32::from(entry.mac.bits()));
        entry.vendor = found.map(|found| found.name.to_owned());
    }
}

fn with_vendor(app: &App, mut entry: AccessEntry) -> AccessEntry {
    name_vendors(app, std::slice::from_mut(&mut entry));
    entry
}

fn unknown() -> Problem {
    Problem::not_found("the access list has no entry of this id")
}
