//! Microsoft Teams: a workflow that begins with "When a Teams webhook request is received" and posts the Adaptive Card
//! it is sent. Messages have at most 28 KB. What comes from the network stands in `TextRun`s, which know no Markdown.

use netwark_model::channels::Secrets;
use netwark_model::events::Severity;
use serde_json::{Value, json};

use crate::http::{Http, Request, url};
use crate::kinds::secret;
use crate::outcome::{Accepted, Failure};
use crate::view::{EventView, View};

/// Bytes for the lines of events. Each has about a hundred around it, and is encoded in JSON.
const LONGEST_LINES: usize = 9000;

pub(crate) async fn deliver(secrets: &Secrets, view: &View, http: &Http) -> Result<Accepted, Failure> {
    let request =
        Request::post(url(secret(secrets, "url")?)?, &body(view)).with("idempotency-key", &view.key)?;
    Ok(http.send(request).await?.accepted())
}

pub(super) fn body(view: &View) -> Value {
    let title = json!({"type": "TextRun", "text": view.title, "size": "medium", "weight": "bolder",
        "color": color(view)});
    let mut card = vec![rich(&title)];
    for line in view.lines(LONGEST_LINES, EventView::line) {
        card.push(rich(&json!({"type": "TextRun", "text": line})));
    }
    card.push(rich(&json!({"type": "TextRun", "text": view.foot(), "size": "small", "isSubtle": true})));
    let mut content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": card,
    });
    if let Some(link) = &view.link {
        content["actions"] = json!([{"type": "Action.OpenUrl", "title": "Open", "url": link}]);
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": content,
        }],
    })
}

fn rich(run: &Value) -> Value {
    json!({"type": "RichTextBlock", "inlines": [run]})
}

fn color(view: &View) -> &'static str {
    match view.worst {
        _ if view.test => "default",
        Severity::Ok => "good",
        Severity::Info => "accent",
        Severity::Warning => "warning",
        Severity::Alert => "attention",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn bodies() {
        insta::assert_json_snapshot!("teams_one", body(&sample::one()));
        insta::assert_json_snapshot!("teams_test", body(&sample::test()));
        insta::assert_json_snapshot!("teams_mean", body(&sample::mean()));
    }

    #[test]
    fn a_storm_fits() {
        let body = body(&sample::storm()).to_string();
        assert!(body.len() <= 24_000, "{}", body.len());
        assert!(body.contains("more events"));
    }
}
