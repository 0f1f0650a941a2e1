//! Slack's incoming webhooks, which Mattermost and Rocket.Chat understand too: they show `text`, Slack shows `blocks`.
//! Slack takes 3,000 characters in a section and asks for `&`, `<` and `>` to be escaped.

use netwark_model::channels::Secrets;
use serde_json::{Value, json};

use crate::http::{Http, Request, url};
use crate::kinds::secret;
use crate::outcome::{Accepted, Failure};
use crate::text::slack as escape;
use crate::view::View;

const LONGEST_SECTION: usize = 2900;

pub(crate) async fn deliver(secrets: &Secrets, view: &View, http: &Http) -> Result<Accepted, Failure> {
    let request =
        Request::post(url(secret(secrets, "url")?)?, &body(view)).with("idempotency-key", &view.key)?;
    Ok(http.send(request).await?.accepted())
}

pub(super) fn body(view: &View) -> Value {
    let title = format!("*{}*", escape(&view.title));
    let lines = view.lines(LONGEST_SECTION, |event| escape(&event.line())).join("\n");
    let mut foot = escape(&view.foot());
    if let Some(link) = &view.link {
        foot = format!("{foot} · <{}|Open>", escape(link).replace('|', "%7C"));
    }
    let section = |text: &str| json!({"type": "section", "text": mrkdwn(text)});
    let mut blocks = vec![section(&title)];
    if !lines.is_empty() {
        blocks.push(section(&lines));
    }
    blocks.push(json!({"type": "context", "elements": [mrkdwn(&foot)]}));
    let parts: Vec<&str> = [&title, &lines, &foot].into_iter().map(String::as_str).collect();
    let text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n");
    json!({"text": text, "blocks": blocks, "unfurl_links": false, "unfurl_media": false})
}

/// Text in which names are no mentions and addresses no links.
fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn bodies() {
        insta::assert_json_snapshot!("slack_one", body(&sample::one()));
        insta::assert_json_snapshot!("slack_test", body(&sample::test()));
        insta::assert_json_snapshot!("slack_mean", body(&sample::mean()));
    }

    #[test]
    fn a_storm_fits() {
        let body = body(&sample::storm());
        for block in body["blocks"].as_array().unwrap() {
            let text = block.pointer("/text/text").or(block.pointer("/elements/0/text")).unwrap();
            assert!(text.as_str().unwrap().chars().count() <= 3000);
        }
        assert!(body["text"].as_str().unwrap().contains("more events"));
    }
}
