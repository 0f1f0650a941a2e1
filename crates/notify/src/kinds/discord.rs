//! Discord's webhooks: one embed with a title of at most 256 characters and a description of at most 4,096. Nobody is
//! mentioned, whatever a text says, and what Markdown would read is escaped.

use netwark_model::channels::Secrets;
use netwark_model::events::Severity;
use serde_json::{Value, json};
use url::Url;

use crate::http::{Http, Request, url};
use crate::kinds::secret;
use crate::outcome::{Accepted, Failure};
use crate::text::{clip, markdown as escape};
use crate::view::View;

const LONGEST_TITLE: usize = 256;
const LONGEST_DESCRIPTION: usize = 4000;

pub(crate) async fn deliver(secrets: &Secrets, view: &View, http: &Http) -> Result<Accepted, Failure> {
    let url = waiting(url(secret(secrets, "url")?)?);
    let request = Request::post(url, &body(view)).with("idempotency-key", &view.key)?;
    http.send(request).await?.accepted_if("Discord", |answer| answer["id"].is_string())
}

/// The URL with the wish to be told which message was made; without it success is said before there is one.
fn waiting(mut url: Url) -> Url {
    let others: Vec<(String, String)> =
        url.query_pairs().filter(|(name, _)| name != "wait").map(|(n, v)| (n.into(), v.into())).collect();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair("wait", "true");
    url
}

pub(super) fn body(view: &View) -> Value {
    let mut title = escape(&view.title);
    if title.chars().count() > LONGEST_TITLE {
        // Half of it is escapes, at worst.
        title = escape(&clip(&view.title, LONGEST_TITLE / 2));
    }
    let mut embed = json!({
        "title": title,
        "color": color(view),
        "timestamp": view.made_at,
        "footer": {"text": view.foot()},
    });
    let lines = view.lines(LONGEST_DESCRIPTION, |event| escape(&event.line())).join("\n");
    if !lines.is_empty() {
        embed["description"] = lines.into();
    }
    if let Some(link) = &view.link {
        embed["url"] = link.as_str().into();
    }
    json!({"username": "Netwark", "embeds": [embed], "allowed_mentions": {"parse": []}})
}

fn color(view: &View) -> u32 {
    match view.worst {
        _ if view.test => 0x64_74_8b,
        Severity::Ok => 0x16_a3_4a,
        Severity::Info => 0x25_63_eb,
        Severity::Warning => 0xd9_77_06,
        Severity::Alert => 0xdc_26_26,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn bodies() {
        insta::assert_json_snapshot!("discord_one", body(&sample::one()));
        insta::assert_json_snapshot!("discord_test", body(&sample::test()));
        insta::assert_json_snapshot!("discord_mean", body(&sample::mean()));
    }

    #[test]
    fn a_storm_fits() {
        let body = body(&sample::storm());
        let embed = &body["embeds"][0];
        let length = |name: &str| embed[name].as_str().unwrap().chars().count();
        assert!(length("title") <= 256 && length("description") <= 4096);
        assert!(length("title") + length("description") <= 5900);
    }

    #[test]
    fn a_thread_stays_chosen() {
        let url = |text: &str| waiting(text.parse().unwrap()).to_string();
        assert_eq!(url("https://d.example/x?thread_id=7"), "https://d.example/x?thread_id=7&wait=true");
        assert_eq!(url("https://d.example/x?wait=false"), "https://d.example/x?wait=true");
    }
}
