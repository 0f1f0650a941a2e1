//! `/events`.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;
use netwark_model::events::{Event, Severity};
use netwark_store::events::EventFilter;
use uuid::Uuid;

use crate::app::App;
use crate::error::{Problem, ProblemBody};
use crate::extract::Params;

/// Lists events, newest first.
///
/// The next page is the same request with `before` set to the id of the last event of this one.
#[utoipa::path(
    get, path = "/events", operation_id = "list_events", tag = "Events",
    params(
        ("worker" = Option<Uuid>, Query, description = "Only about the worker of this id"),
        ("severity" = Option<Severity>, Query, description = "Only of this severity; may be given more than once, or as a list with commas"),
        ("before" = Option<Uuid>, Query, description = "Only older than the event of this id"),
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
    let id = |text: &str| {
        let shown: String = text.chars().take(60).collect();
        Uuid::try_parse(text).map_err(|_| format!("must be a UUID, got '{shown}'"))
    };
    let worker = params.read("worker", id);
    let before = params.read("before", id);
    let words = params.take_all("severity").join(",");
    let severities = params.check("severity", severities(&words)).unwrap_or_default();
    let limit = params.per_page();
    params.finish()?;
    let filter = EventFilter { worker, severities, before, limit: limit + 1 };
    let mut events = app.store.events(&filter).await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = events.len() > page;
    events.truncate(page);
    let mut headers = HeaderMap::new();
    if let (true, Some(last)) = (more, events.last())
        && let Some(link) = next(uri.path(), uri.query().unwrap_or_default(), last.id)
    {
        headers.insert(header::LINK, link);
    }
    Ok((headers, Json(events)))
}

fn severities(words: &str) -> Result<Vec<Severity>, String> {
    let words = words.split(',').map(str::trim).filter(|word| !word.is_empty());
    let read = |word: &str| {
        let shown: String = word.chars().take(60).collect();
        let known = Severity::ALL.map(Severity::as_str).join(", ");
        Severity::from_word(word).ok_or_else(|| format!("must be one of {known}, got '{shown}'"))
    };
    words.map(read).collect()
}

/// A link to the events before this one, with the other parameters as they were sent.
fn next(path: &str, query: &str, before: Uuid) -> Option<HeaderValue> {
    let rest = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("before="));
    let query: Vec<String> = rest.map(str::to_owned).chain([format!("before={before}")]).collect();
    HeaderValue::from_str(&format!("<{path}?{}>; rel=\"next\"", query.join("&"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_filters() {
        let link = next("/api/v1/events", "before=x&severity=alert", Uuid::nil()).unwrap();
        let expected = format!("</api/v1/events?severity=alert&before={}>; rel=\"next\"", Uuid::nil());
        assert_eq!(link, expected);
    }

    #[test]
    fn severities_are_words() {
        assert_eq!(severities("ok, alert").unwrap(), [Severity::Ok, Severity::Alert]);
        assert_eq!(severities("").unwrap(), []);
        assert!(severities("bad").unwrap_err().contains("must be one of ok, info, warning, alert"));
    }
}
