//! Telegram's Bot API: `sendMessage` in its HTML, at most 4,096 characters. The token stands in the path.

use netwark_model::channels::Secrets;
use netwark_model::channels::config::Telegram;
use netwark_model::events::Severity;
use serde_json::{Value, json};

use crate::http::{Http, Request, below};
use crate::kinds::secret;
use crate::outcome::{Accepted, Failure};
use crate::text::html as escape;
use crate::view::View;

const LONGEST_LINES: usize = 3300;

pub(crate) async fn deliver(
    config: &Telegram,
    secrets: &Secrets,
    view: &View,
    http: &Http,
) -> Result<Accepted, Failure> {
    let bot = format!("bot{}", secret(secrets, "token")?);
    let url = below(&config.server, &[&bot, "sendMessage"])?;
    let request = Request::post(url, &body(config, view)).with("idempotency-key", &view.key)?;
    http.send(request).await?.accepted_if("Telegram", |answer| answer["ok"] == true)
}

pub(super) fn body(config: &Telegram, view: &View) -> Value {
    let mut parts = vec![format!("<b>{}</b>", escape(&view.title))];
    parts.extend(view.lines(LONGEST_LINES, |event| escape(&event.line())));
    let foot = escape(&view.foot());
    parts.push(match &view.link {
        Some(link) => format!("<i>{foot}</i> · <a href=\"{}\">Open</a>", escape(link)),
        None => format!("<i>{foot}</i>"),
    });
    let mut body = json!({
        "chat_id": config.chat_id,
        "text": parts.join("\n"),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": true},
        "disable_notification": matches!(view.worst, Severity::Ok | Severity::Info),
    });
    if let Some(thread) = config.thread_id {
        body["message_thread_id"] = thread.into();
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn config() -> Telegram {
        Telegram { chat_id: "-100123".into(), thread_id: Some(7), server: "https://api.telegram.org".into() }
    }

    #[test]
    fn bodies() {
        insta::assert_json_snapshot!("telegram_one", body(&config(), &sample::one()));
        insta::assert_json_snapshot!("telegram_test", body(&config(), &sample::test()));
        insta::assert_json_snapshot!("telegram_mean", body(&config(), &sample::mean()));
    }

    #[test]
    fn a_storm_fits() {
        let body = body(&config(), &sample::storm());
        assert!(body["text"].as_str().unwrap().encode_utf16().count() <= 4096);
    }
}
