//! PagerDuty's Events API v2. Every notice triggers an alert whose `dedup_key` is the key of the notice, so one that
//! is sent twice is one alert. A summary has at most 1,024 characters, an event at most 512 KB.

use netwark_model::channels::Secrets;
use netwark_model::channels::config::Pagerduty;
use netwark_model::events::Severity;
use serde_json::{Value, json};

use crate::http::{Http, Request, below};
use crate::kinds::secret;
use crate::outcome::{Accepted, Failure};
use crate::sender::Options;
use crate::view::{EventView, View, worst_of};

const LONGEST_LINES: usize = 60_000;

pub(crate) async fn deliver(
    config: &Pagerduty,
    secrets: &Secrets,
    view: &View,
    options: &Options,
    http: &Http,
) -> Result<Accepted, Failure> {
    let url = below(&config.server, &["v2", "enqueue"])?;
    let request = Request::post(url, &body(secret(secrets, "key")?, view, &options.hostname));
    http.send(request).await?.accepted_if("PagerDuty", |answer| answer["status"] == "success")
}

pub(super) fn body(key: &str, view: &View, hostname: &str) -> Value {
    let worst = worst_of(&view.events, view.worst);
    let about = |name: fn(&EventView) -> Option<&String>| worst.and_then(name);
    let mut body = json!({
        "routing_key": key,
        "event_action": "trigger",
        "dedup_key": view.key,
        "client": "Netwark",
        "payload": {
            "summary": view.title,
            "source": about(|event| event.device.as_ref().or(event.worker.as_ref()))
                .map_or(hostname, String::as_str),
            "severity": severity(view),
            "timestamp": worst.map_or(&view.made_at, |event| &event.at),
            "component": about(|event| event.network.as_ref()),
            "class": about(|event| Some(&event.kind)),
            "custom_details": {
                "count": view.count,
                "more": view.more,
                "subscription": view.subscription,
                "events": view.lines(LONGEST_LINES, EventView::line),
            },
        },
    });
    if let Some(link) = &view.link {
        body["client_url"] = link.as_str().into();
        body["links"] = json!([{"href": link, "text": "Open in Netwark"}]);
    }
    body
}

fn severity(view: &View) -> &'static str {
    match view.worst {
        Severity::Ok | Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Alert => "critical",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn bodies() {
        let body = |view: &View| body("0123456789abcdef0123456789abcdef", view, "netwark.example.org");
        insta::assert_json_snapshot!("pagerduty_one", body(&sample::one()));
        insta::assert_json_snapshot!("pagerduty_test", body(&sample::test()));
        insta::assert_json_snapshot!("pagerduty_mean", body(&sample::mean()));
    }

    #[test]
    fn a_storm_fits() {
        let body = body("0123456789abcdef0123456789abcdef", &sample::storm(), "netwark.example.org");
        assert!(body.to_string().len() <= 500_000);
        assert!(body["payload"]["summary"].as_str().unwrap().chars().count() <= 1024);
    }
}
