//! The access list as a file: `action,mac,note,networks,expires_at`.

use std::collections::HashMap;

use axum::Json;
use axum::extract::rejection::StringRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use netwark_model::error::FieldError;
use netwark_model::watch::access::{AccessAction, MOST_ENTRIES};
use netwark_store::watch::access::{AccessDraft, AccessFilter, Entered};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::access::{end, note, pattern, to_come, told};
use super::answers::{Invalid, MayRead, MayWrite};
use crate::app::App;
use crate::auth::Principal;
use crate::csv;
use crate::error::Problem;
use crate::extract::Params;

/// The columns.
const COLUMNS: [&str; 5] = ["action", "mac", "note", "networks", "expires_at"];
/// Most bytes of a file.
const LARGEST: usize = 4 << 20;
/// Most lines that are told to be wrong.
const MOST_TOLD: usize = 100;

/// What became of a file.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Imported {
    /// Entries that are new.
    added: usize,
    /// Lines that say what the list says already.
    known: usize,
    /// Lines that could not be taken over; the first 100.
    refused: Vec<RefusedLine>,
    /// How many could not be taken over.
    refused_count: usize,
}

/// A line that could not be taken over.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefusedLine {
    /// Its number, from 1.
    line: usize,
    /// Why.
    #[schema(example = "00:00:5e:00:53:01 is denied already, on all networks (by user admin)")]
    reason: String,
}

/// Export the access list as CSV.
///
/// Networks stand by their names with `|` between them; an entry without any holds on all.
#[utoipa::path(
    get, path = "/access-list.csv", operation_id = "export_access_list", tag = "Watch",
    responses((status = 200, description = "All entries", content_type = "text/csv", body = String), MayRead),
)]
pub(crate) async fn export_access(State(app): State<App>) -> Result<Response, Problem> {
    let names = app.store.network_names().await?;
    let (entries, _) = app.store.access_list(&AccessFilter::default()).await?;
    let mut out = csv::line(COLUMNS);
    for entry in entries {
        let networks: Vec<&str> =
            entry.networks.iter().filter_map(|id| names.get(id)).map(String::as_str).collect();
        out.push_str(&csv::line([
            entry.action.as_str(),
            &entry.mac.to_string(),
            &entry.note,
            &networks.join("|"),
            &entry.expires_at.map(|at| at.to_string()).unwrap_or_default(),
        ]));
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"access-list.csv\""),
    ];
    Ok((headers, out).into_response())
}

/// The route, whose body is larger than others.
pub(super) fn import_route() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(import_access)).layer(DefaultBodyLimit::max(LARGEST))
}

/// Add entries from CSV to the access list.
///
/// The first line names the columns: `mac`, and `action`, `note`, `networks` (names with `|` between them, or nothing
/// for all) and `expires_at` (a day, or a time) in any order. Where there is no `action`, all are allowed. Good lines are taken over, others
/// are told with their reasons; with `dry_run` the same is told and nothing is taken over.
#[utoipa::path(
    post, path = "/access-list/import", operation_id = "import_access_list", tag = "Watch",
    params(("dry_run" = Option<bool>, Query, description = "Only read the file and say which lines are wrong")),
    request_body(
        content = String,
        content_type = "text/csv",
        description = "At most 4 MiB and 20,000 lines",
        example = "action,mac,note\nallow,00:00:5e:00:53:01,Anna's laptop\n"
    ),
    responses((status = 200, body = Imported), Invalid, MayWrite),
)]
pub(crate) async fn import_access(
    State(app): State<App>,
    principal: Principal,
    mut params: Params,
    body: Result<String, StringRejection>,
) -> Result<Json<Imported>, Problem> {
    let dry_run = params.flag("dry_run").unwrap_or(false);
    params.finish()?;
    let body = body.map_err(|error| unreadable(&error))?;
    let now = Timestamp::now();
    let networks = app.store.networks(now).await?;
    let ids: HashMap<String, Uuid> =
        networks.iter().map(|network| (network.name.to_ascii_lowercase(), network.id)).collect();
    let zone = TimeZone::get(&app.settings.timezone).unwrap_or(TimeZone::UTC);
    let read = read(&body, &ids, &zone, now).map_err(|wrong| FieldError::body("body", wrong))?;
    let mut imported = Imported::default();
    let mut drafts = Vec::new();
    for (line, draft) in read {
        match draft {
            Ok(draft) => drafts.push((line, draft)),
            Err(reason) => imported.refuse(line, reason),
        }
    }
    let names = app.store.network_names().await?;
    let (lines, drafts): (Vec<usize>, Vec<AccessDraft>) = drafts.into_iter().unzip();
    let entered = match dry_run {
        true => app.store.try_access(drafts, now).await?,
        false => app.store.add_access(drafts, &principal.label(), now).await?,
    };
    let mut added = HashMap::new();
    for (line, entered) in lines.into_iter().zip(entered) {
        match entered {
            Entered::Added(entry) => {
                imported.added += 1;
                added.insert(entry.id, line);
            }
            Entered::Known(_) => imported.known += 1,
            Entered::Refused(other) => imported.refuse(
                line,
                match added.get(&other.id) {
                    Some(first) => format!("mac: line {first} says something else of {}", other.mac),
                    None => told(&other, &names, now),
                },
            ),
        }
    }
    if !dry_run {
        tracing::info!(by = principal.label(), added = imported.added, "entries were imported");
    }
    imported.refused.sort_by_key(|refused| refused.line);
    imported.refused.truncate(MOST_TOLD);
    Ok(Json(imported))
}

/// Why a file was not read.
fn unreadable(error: &StringRejection) -> Problem {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "The body is too large",
            "a file for the access list has at most 4 MiB; send it in parts",
        ),
        _ => FieldError::body("body", "must be text in UTF-8").into(),
    }
}

impl Imported {
    fn refuse(&mut self, line: usize, reason: String) {
        self.refused_count += 1;
        self.refused.push(RefusedLine { line, reason });
    }
}

/// The lines of a file, each an entry or what is wrong with it.
type Lines = Vec<(usize, Result<AccessDraft, String>)>;

fn read(
    text: &str,
    networks: &HashMap<String, Uuid>,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Lines, String> {
    let records = csv::read(text).map_err(|(line, wrong)| format!("line {line}: {wrong}"))?;
    let mut records = records.into_iter();
    let Some((_, head)) = records.next() else {
        return Err("is empty; its first line names the columns".into());
    };
    let head: Vec<String> = head.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    if let Some(unknown) = head.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        let shown: String = unknown.chars().take(60).collect();
        return Err(format!("has an unknown column '{shown}'; the columns are {}", COLUMNS.join(", ")));
    }
    if let Some(twice) = COLUMNS.iter().find(|name| head.iter().filter(|column| column == *name).count() > 1)
    {
        return Err(format!("has the column '{twice}' twice"));
    }
    let column = |name: &str| head.iter().position(|column| column == name);
    if column("mac").is_none() {
        return Err("has no column 'mac' in its first line".into());
    }
    if records.len() > MOST_ENTRIES {
        return Err(format!("has {} lines, and at most {MOST_ENTRIES} can be read", records.len()));
    }
    let entry = |fields: &[String]| {
        if let Some(more) = fields.iter().skip(head.len()).find(|field| !field.trim().is_empty()) {
            return Err(format!("has more fields than the first line: '{}'", short(more)));
        }
        let field = |name: &str| column(name).and_then(|at| fields.get(at)).map_or("", |field| plain(field));
        let action = match field("action").to_ascii_lowercase().as_str() {
            "" => AccessAction::Allow,
            word => AccessAction::from_word(word)
                .ok_or_else(|| format!("action: must be allow or deny, got '{}'", short(word)))?,
        };
        let pattern = pattern(field("mac")).map_err(|wrong| format!("mac: {wrong}"))?;
        let note = note(field("note")).map_err(|wrong| format!("note: {wrong}"))?;
        let named = field("networks").split('|').map(str::trim).filter(|name| !name.is_empty());
        let mut ids = Vec::new();
        for name in named {
            let id = networks.get(&name.to_ascii_lowercase());
            ids.push(*id.ok_or_else(|| format!("networks: there is no network named '{}'", short(name)))?);
        }
        ids.sort_unstable();
        ids.dedup();
        let expires_at = match field("expires_at") {
            "" => None,
            time => Some(expiry(time, zone, now).map_err(|wrong| format!("expires_at: {wrong}"))?),
        };
        Ok(AccessDraft { action, pattern, note, networks: ids, expires_at })
    };
    Ok(records.map(|(line, fields)| (line, entry(&fields))).collect())
}

/// A time to come, or a day, at whose end in this time zone an entry ceases to hold.
fn expiry(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, String> {
    to_come(end(text, zone)?, now)
}

/// A field without the blanks around it, and without the quote that keeps spreadsheets from running it.
fn plain(field: &str) -> &str {
    let field = field.trim();
    field.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '@', '-'])).unwrap_or(field)
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_entries_or_say_what_is_wrong() {
        let office = Uuid::from_u128(1);
        let networks = HashMap::from([("office".to_owned(), office)]);
        let text = "mac,action,networks,note\n00:00:5e:00:53:01,deny,Office,'=x\n0000.5e00.5302,,,\nx,,,\n00005e,,Home,\n";
        let lines = read(text, &networks, &TimeZone::UTC, Timestamp::UNIX_EPOCH).unwrap();
        let (line, first) = &lines[0];
        let first = first.as_ref().unwrap();
        assert_eq!((*line, first.action, first.note.as_str()), (2, AccessAction::Deny, "=x"));
        assert_eq!(first.networks, [office]);
        assert_eq!(lines[1].1.as_ref().unwrap().action, AccessAction::Allow);
        assert!(lines[2].1.as_ref().unwrap_err().starts_with("mac: must be a MAC address"));
        assert_eq!(lines[3], (5, Err("networks: there is no network named 'Home'".into())));
    }

    #[test]
    fn a_file_without_the_right_columns_is_refused() {
        let none = HashMap::new();
        let told = |text: &str| read(text, &none, &TimeZone::UTC, Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(told("mac,note,MAC\nx,,").contains("'mac' twice"));
        assert!(told("").contains("is empty"));
        assert!(told("note\nx").contains("no column 'mac'"));
        assert!(told("mac,colour\nx,y").contains("unknown column 'colour'"));
        assert!(told("mac\n\"x").contains("line 2"));
    }

    #[test]
    fn every_kind_of_wrong_line_says_what_is_wrong() {
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let one = |line: &str| {
            let text = format!("mac,action,note,networks,expires_at\n{line}\n");
            read(&text, &HashMap::new(), &zone, now).unwrap().remove(0).1
        };
        for (line, wrong) in [
            ("00:00:5e:00:53:01,perhaps", "action: must be allow or deny, got 'perhaps'"),
            ("zz", "mac: must be a MAC address"),
            ("ff:ff:ff:ff:ff:ff", "mac: is of a group of receivers"),
            ("01:00:5e", "mac: is of a group of receivers"),
            ("00:00:5e:00:53:01,,\"two\nlines\"", "note: must hold no control characters"),
            ("00:00:5e:00:53:01,,,Home", "networks: there is no network named 'Home'"),
            ("00:00:5e:00:53:01,,,,tomorrow", "expires_at: must be a day such as 2027-01-31 or a time"),
            ("00:00:5e:00:53:01,,,,2026-11-25", "expires_at: is over already"),
            ("00:00:5e:00:53:01,,,,,x", "has more fields than the first line: 'x'"),
        ] {
            let told = one(line).unwrap_err();
            assert!(told.starts_with(wrong), "{line}: {told}");
        }
        // A day holds to its end.
        let until = one("00:00:5e:00:53:01,,,,2026-11-26,").unwrap().expires_at;
        assert_eq!(until, Some("2026-11-26T23:00:00Z".parse().unwrap()));
    }
}
