//! `/events`.

use axum::extract::{OriginalUri, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use netwark_model::events::{Event, Severity};
use netwark_store::events::EventFilter;

use crate::app::App;
use crate::csv;
use crate::error::{Problem, ProblemBody};
use crate::extract::{Params, known, page_before};

/// Most lines of a file.
const EXPORTED: usize = 100_000;
/// Lines that are read at once.
const EXPORTED_AT_ONCE: u64 = 1_000;
/// Most kinds that are asked for.
const MOST_KINDS: usize = 50;
/// Most characters of a text that is looked for.
const LONGEST_TEXT: usize = 200;

/// List events, what happened last first.
///
/// What a worker tells of late stands where it happened.
/// The next page is the same request with `before` set to the id of the last event of this one.
#[utoipa::path(
    get, path = "/events", operation_id = "list_events", tag = "Events",
    params(
        ("worker" = Option<Uuid>, Query, description = "Only about the worker of this id"),
        ("network" = Option<Uuid>, Query, description = "Only about the network of this id"),
        ("device" = Option<Uuid>, Query, description = "Only about the device of this id"),
        ("kind" = Option<String>, Query, description = "Only of this kind; may be given more than once, or as a list with commas", example = "device_new,device_down"),
        ("q" = Option<String>, Query, description = "Only with this in the text, letter case aside"),
        ("acknowledged" = Option<bool>, Query, description = "Only those that somebody has acknowledged, or that nobody has"),
        ("since" = Option<String>, Query, description = "Only what happened at or after this time"),
        ("until" = Option<String>, Query, description = "Only what happened before this time"),
        ("severity" = Option<Severity>, Query, description = "Only of this severity; may be given more than once, or as a list with commas"),
        ("came_after" = Option<Uuid>, Query, description = "Only what came after the event of this id, whenever it happened, and what came up to a minute before it: to read what is new"),
        ("before" = Option<Uuid>, Query, description = "Only what happened before the event of this id"),
        ("per_page" = Option<u64>, Query, description = "1 to 1000, default 50"),
    ),
    responses(
        (status = 200, description = "A page of events", body = Vec<Event>, headers(
            ("Link" = String, description = "The page behind this one, RFC 8288; absent on the last"),
        )),
        (status = 400, description = "A parameter is wrong", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_events(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    mut params: Params,
) -> Result<impl IntoResponse, Problem> {
    let filter = filter(&mut params);
    let limit = params.per_page();
    params.finish()?;
    let filter = EventFilter { limit: limit + 1, ..filter };
    Ok(page_before(app.store.events(&filter).await?, limit, &uri, |event| event.id.to_string()))
}

/// Export the timeline, or what of it fits the filters, as CSV; at most 100,000 lines, what happened last
/// first.
#[utoipa::path(
    get, path = "/events.csv", operation_id = "export_events", tag = "Events",
    params(
        ("worker" = Option<Uuid>, Query, description = "As of `GET /events`"),
        ("network" = Option<Uuid>, Query, description = "As of `GET /events`"),
        ("device" = Option<Uuid>, Query, description = "As of `GET /events`"),
        ("kind" = Option<String>, Query, description = "As of `GET /events`"),
        ("q" = Option<String>, Query, description = "As of `GET /events`"),
        ("acknowledged" = Option<bool>, Query, description = "As of `GET /events`"),
        ("since" = Option<String>, Query, description = "As of `GET /events`"),
        ("until" = Option<String>, Query, description = "As of `GET /events`"),
        ("severity" = Option<Severity>, Query, description = "As of `GET /events`"),
        ("came_after" = Option<Uuid>, Query, description = "As of `GET /events`"),
        ("before" = Option<Uuid>, Query, description = "As of `GET /events`"),
    ),
    responses(
        (status = 200, description = "Events", content_type = "text/csv", body = String),
        (status = 400, description = "A parameter is wrong", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn export_events(State(app): State<App>, mut params: Params) -> Result<Response, Problem> {
    let mut filter = EventFilter { limit: EXPORTED_AT_ONCE, ..filter(&mut params) };
    params.finish()?;
    let mut out =
        csv::line(["at", "severity", "kind", "network", "device", "worker", "text", "acknowledged_by"]);
    let mut lines = 0;
    while lines < EXPORTED {
        let events = app.store.events(&filter).await?;
        let Some(last) = events.last() else { break };
        filter.before = Some(last.id);
        lines += events.len();
        for event in events {
            out.push_str(&csv::line([
                event.at.to_string().as_str(),
                event.severity.as_str(),
                &event.kind,
                event.network.as_deref().unwrap_or_default(),
                event.device.as_deref().unwrap_or_default(),
                event.worker.as_deref().unwrap_or_default(),
                &event.text,
                event.acknowledged_by.as_deref().unwrap_or_default(),
            ]));
        }
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"events.csv\""),
    ];
    Ok((headers, out).into_response())
}

/// What narrows the timeline; its limit is not read.
fn filter(params: &mut Params) -> EventFilter {
    let words = params.take_all("severity").join(",");
    let severities = params.check("severity", severities(&words)).unwrap_or_default();
    let words = params.take_all("kind").join(",");
    let kinds = params.check("kind", kinds(&words)).unwrap_or_default();
    let (since, until) = (params.time("since"), params.time("until"));
    if let (Some(since), Some(until)) = (since, until)
        && until <= since
    {
        params.check::<()>("until", Err("must be after since".into()));
    }
    EventFilter {
        worker: params.id("worker"),
        network: params.id("network"),
        device: params.id("device"),
        severities,
        kinds,
        text: params.read("q", |text| match text.chars().count() {
            n if n > LONGEST_TEXT => Err(format!("must be at most {LONGEST_TEXT} characters, got {n}")),
            _ => Ok(text.to_owned()),
        }),
        acknowledged: params.flag("acknowledged"),
        since,
        until,
        came_after: params.id("came_after"),
        before: params.id("before"),
        limit: 0,
    }
}

fn kinds(words: &str) -> Result<Vec<String>, String> {
    let words = words.split(',').map(str::trim).filter(|word| !word.is_empty());
    let kinds: Vec<String> = words.map(str::to_owned).collect();
    match kinds.len() {
        0..=MOST_KINDS => Ok(kinds),
        many => Err(format!("must be at most {MOST_KINDS} kinds, got {many}")),
    }
}

fn severities(words: &str) -> Result<Vec<Severity>, String> {
    let words = words.split(',').map(str::trim).filter(|word| !word.is_empty());
    let all = Severity::ALL.map(Severity::as_str).join(", ");
    words.map(|word| known(Severity::from_word(word), word, &all)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_bounded_and_none_is_left_out() {
        assert_eq!(kinds("device_new, ,device_up").unwrap(), ["device_new", "device_up"]);
        assert!(kinds(&"x,".repeat(MOST_KINDS)).is_ok());
        assert_eq!(kinds(&"x,".repeat(MOST_KINDS + 1)).unwrap_err(), "must be at most 50 kinds, got 51");
    }

    #[test]
    fn severities_are_words() {
        assert_eq!(severities("ok, alert").unwrap(), [Severity::Ok, Severity::Alert]);
        assert_eq!(severities("").unwrap(), []);
        assert!(severities("bad").unwrap_err().contains("must be one of ok, info, warning, alert"));
    }
}
