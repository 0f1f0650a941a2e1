//! ntfy, published as JSON. A message of more than 4,096 bytes would become an attachment.

use netwark_model::channels::config::Ntfy;
use netwark_model::channels::{Secret, Secrets};
use netwark_model::events::Severity;
use serde_json::{Value, json};

use crate::http::{Http, Request, url};
use crate::outcome::{Accepted, Failure};
use crate::view::{EventView, View};

const LONGEST_MESSAGE: usize = 3600;

pub(crate) async fn deliver(
    config: &Ntfy,
    secrets: &Secrets,
    view: &View,
    http: &Http,
) -> Result<Accepted, Failure> {
    let mut request =
        Request::post(url(&config.server)?, &body(config, view)).with("idempotency-key", &view.key)?;
    if let Some(token) = secrets.get("token").map(Secret::reveal) {
        request = request.with_secret("authorization", &format!("Bearer {token}"))?;
    }
    http.send(request).await?.accepted_if("ntfy", |answer| answer["id"].is_string())
}

pub(super) fn body(config: &Ntfy, view: &View) -> Value {
    let mut lines = view.lines(LONGEST_MESSAGE, EventView::line);
    lines.push(view.foot());
    let mut body = json!({
        "topic": config.topic,
        "title": view.title,
        "message": lines.join("\n"),
        "priority": priority(view),
        "tags": tags(view),
    });
    if let Some(link) = &view.link {
        body["click"] = link.as_str().into();
    }
    body
}

/// From 1, the lowest, to 5; 3 is usual.
fn priority(view: &View) -> u8 {
    match view.worst {
        _ if view.test => 3,
        Severity::Ok | Severity::Info => 2,
        Severity::Warning => 4,
        Severity::Alert => 5,
    }
}

/// Words that ntfy shows as pictures.
fn tags(view: &View) -> [&'static str; 1] {
    match view.worst {
        _ if view.test => ["test_tube"],
        Severity::Ok => ["white_check_mark"],
        Severity::Info => ["information_source"],
        Severity::Warning => ["warning"],
        Severity::Alert => ["rotating_light"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn config() -> Ntfy {
        Ntfy { server: "https://ntfy.sh".into(), topic: "noc".into() }
    }

    #[test]
    fn bodies() {
        insta::assert_json_snapshot!("ntfy_one", body(&config(), &sample::one()));
        insta::assert_json_snapshot!("ntfy_test", body(&config(), &sample::test()));
        insta::assert_json_snapshot!("ntfy_mean", body(&config(), &sample::mean()));
    }

    #[test]
    fn a_storm_fits() {
        assert!(body(&config(), &sample::storm())["message"].as_str().unwrap().len() <= 4096);
    }
}
