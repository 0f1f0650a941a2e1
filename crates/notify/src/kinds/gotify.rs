//! Gotify: a message of an application.

use netwark_model::channels::Secrets;
use netwark_model::channels::config::Gotify;
use netwark_model::events::Severity;
use serde_json::{Value, json};

use crate::http::{Http, Request, below};
use crate::kinds::secret;
use crate::outcome::{Accepted, Failure};
use crate::view::{EventView, View};

const LONGEST_MESSAGE: usize = 12_000;

pub(crate) async fn deliver(
    config: &Gotify,
    secrets: &Secrets,
    view: &View,
    http: &Http,
) -> Result<Accepted, Failure> {
    let request = Request::post(below(&config.server, &["message"])?, &body(view))
        .with("idempotency-key", &view.key)?
        .with_secret("x-gotify-key", secret(secrets, "token")?)?;
    http.send(request).await?.accepted_if("Gotify", |answer| answer["id"].is_number())
}

pub(super) fn body(view: &View) -> Value {
    let mut lines = view.lines(LONGEST_MESSAGE, EventView::line);
    lines.push(view.foot());
    // So that no text is read as Markdown.
    let mut extras = json!({"client::display": {"contentType": "text/plain"}});
    if let Some(link) = &view.link {
        extras["client::notification"] = json!({"click": {"url": link}});
    }
    json!({"title": view.title, "message": lines.join("\n"), "priority": priority(view), "extras": extras})
}

/// From 0 to 10: below 4 a telephone stays silent, from 8 on it insists.
fn priority(view: &View) -> u8 {
    match view.worst {
        _ if view.test => 5,
        Severity::Ok => 2,
        Severity::Info => 3,
        Severity::Warning => 6,
        Severity::Alert => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn bodies() {
        insta::assert_json_snapshot!("gotify_one", body(&sample::one()));
        insta::assert_json_snapshot!("gotify_test", body(&sample::test()));
        insta::assert_json_snapshot!("gotify_mean", body(&sample::mean()));
    }
}
