//! The kinds of channels that speak HTTP, each with the format that the other side documents.

pub(crate) mod discord;
pub(crate) mod gotify;
pub(crate) mod matrix;
pub(crate) mod ntfy;
pub(crate) mod pagerduty;
pub(crate) mod slack;
pub(crate) mod teams;
pub(crate) mod telegram;
pub(crate) mod webhook;

use netwark_model::channels::Secrets;

use crate::outcome::Failure;

/// A secret that the channel cannot do without.
pub(crate) fn secret<'a>(secrets: &'a Secrets, name: &str) -> Result<&'a str, Failure> {
    let missing = || Failure::never(format!("this channel has no {name}; give it one"));
    secrets.get(name).map(netwark_model::channels::Secret::reveal).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use netwark_model::channels::config::{Ntfy, Telegram, Webhook};
    use netwark_model::channels::{ChannelConfig, Notice};
    use netwark_model::events::{Event, Severity};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::sample::{event, notice};
    use crate::view::View;

    /// Texts as a hostile host would choose them.
    fn text() -> impl Strategy<Value = String> {
        let mean = prop_oneof![
            Just("<b>&amp;\"'`*_~|[x](y)\\".to_owned()),
            Just("\r\n\u{0}\u{1b}\u{202e}".to_owned()),
            Just("\u{1f9ea}é\u{65e5}".to_owned()),
            ".{0,20}",
        ];
        let parts = prop::collection::vec(mean, 0..5).prop_map(|parts| parts.concat());
        (parts, 1..40_usize).prop_map(|(text, times)| text.repeat(times))
    }

    fn events() -> impl Strategy<Value = Event> {
        let names = prop::collection::vec(prop::option::of(text()), 3);
        (0..1000_u128, 0..4_usize, text(), names, any::<bool>()).prop_map(
            |(number, severity, text, names, data)| {
                let mut names = names.into_iter();
                let mut name = || names.next().flatten();
                let data = data.then(|| json!({"text": text}));
                let event = event(number, Severity::ALL[severity], &text);
                Event { worker: name(), network: name(), device: name(), data, ..event }
            },
        )
    }

    fn views() -> impl Strategy<Value = View> {
        let more = prop_oneof![Just(0), Just(1), any::<u32>()];
        (
            prop_oneof![0..5_usize, 95..=100_usize]
                .prop_flat_map(|count| prop::collection::vec(events(), count)),
            more,
            prop::option::of(text()),
            any::<bool>(),
        )
            .prop_map(|(events, more, subscription, test)| {
                let notice = Notice { more: u64::from(more), subscription, test, ..notice(events) };
                View::of(&notice, &TimeZone::UTC)
            })
    }

    fn characters(json: &Value) -> usize {
        json.as_str().map_or(0, |text| text.chars().count())
    }

    /// What stands between the tags of a text, which must be only those that are its own.
    fn tags(text: &str) -> Vec<&str> {
        text.split('<').skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap_or_default()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn every_body_keeps_to_the_limits_of_its_format(view in views()) {
            for block in slack::body(&view)["blocks"].as_array().unwrap() {
                prop_assert!(characters(&block["text"]["text"]) <= 3000);
                prop_assert!(characters(&block["elements"][0]["text"]) <= 3000);
            }
            prop_assert!(characters(&slack::body(&view)["text"]) <= 12_000);
            prop_assert!(teams::body(&view).to_string().len() <= 28_000);
            let embed = &discord::body(&view)["embeds"][0];
            let (title, text) = (characters(&embed["title"]), characters(&embed["description"]));
            prop_assert!((1..=256).contains(&title) && text <= 4096);
            prop_assert!(title + text + characters(&embed["footer"]["text"]) <= 6000);
            prop_assert!(matrix::body(&view).to_string().len() <= 60_000);
            let ntfy = Ntfy { server: "https://ntfy.sh".into(), topic: "noc".into() };
            let ntfy = ntfy::body(&ntfy, &view);
            prop_assert!(ntfy["message"].as_str().unwrap().len() <= 4096);
            prop_assert!(!gotify::body(&view)["message"].as_str().unwrap().is_empty());
            let pagerduty = pagerduty::body("key", &view, "host");
            prop_assert!(pagerduty.to_string().len() <= 512_000);
            prop_assert!((1..=1024).contains(&characters(&pagerduty["payload"]["summary"])));
        }

        #[test]
        fn no_text_becomes_markup(view in views()) {
            let telegram: Telegram = serde_json::from_value(json!({"chat_id": "1"})).unwrap();
            let telegram = telegram::body(&telegram, &view);
            let text = telegram["text"].as_str().unwrap();
            prop_assert!(text.encode_utf16().count() <= 4096);
            prop_assert_eq!(tags(text), ["b", "/b", "i", "/i", "a", "/a"]);
            let matrix = matrix::body(&view);
            let own = ["strong", "/strong", "ul", "/ul", "li", "/li", "br", "em", "/em", "a", "/a"];
            let found = tags(matrix["formatted_body"].as_str().unwrap());
            prop_assert!(found.iter().all(|tag| own.contains(tag)), "{:?}", found);
            let slack = slack::body(&view);
            prop_assert_eq!(slack["text"].as_str().unwrap().matches('<').count(), 1);
        }

        #[test]
        fn webhooks_are_json(view in views()) {
            let hook = |template: Option<&str>| Webhook {
                headers: std::collections::BTreeMap::new(),
                template: template.map(str::to_owned),
                sign: false,
            };
            let whole: Value = serde_json::from_str(&webhook::body(&hook(None), &view).unwrap()).unwrap();
            prop_assert_eq!(&whole["data"]["title"], &view.title);
            let own = "{\"a\": {{ title }}, \"b\": {{ events }}, \"c\": {{ subscription }}}";
            let made: Value = serde_json::from_str(&webhook::body(&hook(Some(own)), &view).unwrap()).unwrap();
            prop_assert_eq!(&made["a"], &view.title);
            prop_assert_eq!(made["b"].as_array().unwrap().len(), view.events.len());
        }
    }

    proptest! {
        #[test]
        fn any_configuration_is_read_or_refused(text in "\\{\"kind\":\"[a-z]{4,9}\",\"(server|url|room)\":\".{0,12}\"\\}") {
            if let Ok(config) = serde_json::from_str::<ChannelConfig>(&text) {
                crate::check(&config, &Secrets::default());
            }
        }
    }
}
