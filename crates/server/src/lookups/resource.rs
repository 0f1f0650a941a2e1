//! `/lookup`: everything that is known about anything.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use netwark_lookup::resource::{Known, PartName, Parts, Resource, Subject, gather};
use netwark_model::auth::Permission;
use serde::Serialize;
use serde_json::json;

use super::turns::Turn;
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Problem, ProblemBody};
use crate::extract::Params;

/// Tell everything that is known about an address, prefix, range, name, AS number, MAC address or URL.
///
/// Each look-up that has something to say of such a thing is a part of the answer, with how it ended: `ok`, `nothing`
/// (there is nothing), `error`, `not_allowed` or `not_available`, the latter four with a reason. Parts for which the
/// server asks others need `lookups:ask`; of questions with such parts each user or token has at most 8 under way.
///
/// With `Accept: text/event-stream` the parts come as they arrive: the event `subject` first, which says what was
/// understood and which parts there will be, then an event `part` for each of them, its data an object with that one
/// part, and `end` at last.
#[utoipa::path(
    get, path = "/lookup", operation_id = "look_up", tag = "Look-ups",
    params(
        ("q" = String, Query, description = "What is asked about, at most 2048 bytes"),
        ("parts" = Option<String>, Query, description = "Only these parts, separated by commas; a part there is not of such a thing is left out"),
    ),
    responses(
        (status = 200, description = "Everything known", body = Known),
        (status = 400, description = "It is none of these things, or a parameter is wrong", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Who asks has too many such questions under way", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn look_up(
    State(app): State<App>,
    principal: Principal,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Response, Problem> {
    let text = params.take("q").unwrap_or_default();
    let resource = params.check("q", text.parse::<Resource>().map_err(|error| error.to_string()));
    let asked = params.read("parts", names);
    params.finish()?;
    // A text that is nothing was an error of the parameters.
    let resource = resource.ok_or_else(|| Problem::internal(&"a parameter was neither read nor refused"))?;
    let mut expected = resource.parts();
    if let Some(asked) = asked {
        expected.retain(|name| asked.contains(name));
    }
    let may_ask = app.auth.may(&principal, Permission::LookupsAsk);
    let turn = match may_ask && expected.iter().any(|name| name.asks_others()) {
        true => Some(turn(&app, &principal)?),
        false => None,
    };
    let parts = gather(&resource, &expected, &app.lookups.sources(), may_ask);
    // The turn lasts as long as the answer, which a stream of events drops when whoever reads it is gone.
    let parts = parts.map(move |part| {
        let _ = &turn;
        part
    });
    let subject = Subject::new(&text, &resource, expected);
    if wants_events(&headers) {
        return Ok(events(&subject, parts));
    }
    let parts = parts.fold(Parts::default(), |mut all, part| {
        all.merge(part);
        std::future::ready(all)
    });
    let mut parts = parts.await;
    parts.settle();
    Ok(Json(Known { subject, parts }).into_response())
}

/// A place among the questions of who asks.
fn turn(app: &App, principal: &Principal) -> Result<Turn, Problem> {
    let turns = &app.lookups.turns;
    turns.take(principal).ok_or_else(|| {
        let told = format!(
            "{} such questions of yours are under way, which is as many as there may be; ask again when one has ended",
            turns.most()
        );
        Problem::too_many(told, 1)
    })
}

fn names(list: &str) -> Result<Vec<PartName>, String> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::parse).collect()
}

fn wants_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|kind| kind.trim().starts_with("text/event-stream"))
}

fn events(subject: &Subject, parts: impl Stream<Item = Parts> + Send + 'static) -> Response {
    let first = stream::iter([event("subject", subject)]);
    let last = stream::iter([event("end", &json!({}))]);
    let all = first.chain(parts.map(|part| event("part", &part))).chain(last).map(Ok::<_, Infallible>);
    let alive = KeepAlive::new().interval(Duration::from_secs(15)).text("alive");
    let mut response = Sse::new(all).keep_alive(alive).into_response();
    // Proxies that gather small answers would hold back every event.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn event(name: &str, data: &impl Serialize) -> Event {
    // Text at once: a JSON value holds no number of 128 bits, which a count of addresses may have.
    let text = serde_json::to_string(data).unwrap_or_else(|error| {
        tracing::error!(%error, name, "an event cannot be written");
        "{}".to_owned()
    });
    Event::default().event(name).data(text)
}
