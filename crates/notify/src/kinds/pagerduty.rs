//! PagerDuty's Events API v2. What is down is an alert by itself and resolved when it is back; whatever else a notice
//! tells is one alert. An alert is known by its `dedup_key`, so what is sent twice is one. A summary has at most 1,024
//! characters, an event at most 512 KB.

use netwark_model::channels::Secrets;
use netwark_model::channels::config::Pagerduty;
use netwark_model::events::Severity;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::http::{Http, Request, below};
use crate::kinds::secret;
use crate::outcome::{Accepted, Failure};
use crate::sender::Options;
use crate::view::{EventView, View, worst_of};

const LONGEST_LINES: usize = 60_000;
/// Most that may be down in one notice for each to be an alert of its own; a storm is one alert.
const MOST_ALERTS: usize = 5;
/// What is over when something else happens to the same worker, device or channel.
const OVER: [(&str, &str); 3] =
    [("device_down", "device_up"), ("worker_offline", "worker_online"), ("channel_failing", "channel_ok")];

pub(crate) async fn deliver(
    config: &Pagerduty,
    secrets: &Secrets,
    view: &View,
    options: &Options,
    http: &Http,
) -> Result<Accepted, Failure> {
    let url = below(&config.server, &["v2", "enqueue"])?;
    let bodies = bodies(secret(secrets, "key")?, view, &options.hostname);
    let all = async {
        let mut taken = Vec::new();
        for body in &bodies {
            let answer = http.send(Request::post(url.clone(), body)).await?;
            taken.push(answer.accepted_if("PagerDuty", |answer| answer["status"] == "success")?);
        }
        // All are answered alike.
        Ok(taken.pop().unwrap_or_else(|| Accepted::new("there was nothing to say")))
    };
    let within = options.timeout.saturating_mul(2);
    timeout(within, all).await.unwrap_or_else(|_| {
        Err(Failure::later(format!("not all was taken within {} s", within.as_secs_f32())))
    })
}

/// What is sent for a notice: an alert for each that is down, one for all else, and the end of those that are over. To
/// send them again changes nothing.
fn bodies(key: &str, view: &View, hostname: &str) -> Vec<Value> {
    let mut rest: Vec<EventView> = Vec::new();
    // How each subject is at the end of the notice: what is down, or nothing where that is over.
    let mut subjects: Vec<(String, Option<&EventView>)> = Vec::new();
    for event in &view.events {
        let Some((subject, is_over)) = subject(event) else {
            rest.push(event.clone());
            continue;
        };
        let down = (!is_over).then_some(event);
        match subjects.iter_mut().find(|(known, _)| *known == subject) {
            Some((_, state)) => *state = down,
            None => subjects.push((subject, down)),
        }
        // That a stranger is back is the end of nothing.
        if is_over && event.weight >= Severity::Warning {
            rest.push(event.clone());
        }
    }
    let mut down: Vec<(&String, &EventView)> =
        subjects.iter().filter_map(|(subject, down)| Some((subject, (*down)?))).collect();
    if down.len() > MOST_ALERTS || view.more > 0 {
        rest.extend(down.drain(..).map(|(_, event)| event.clone()));
        rest.sort_by(|one, other| one.id.cmp(&other.id));
    }
    let mut bodies = Vec::new();
    match rest.len() == view.events.len() {
        true => bodies.push(body(key, view, hostname)),
        false if rest.is_empty() && view.more == 0 => {}
        false => bodies.push(body(key, &view.part(rest, view.more), hostname)),
    }
    bodies.extend(down.into_iter().map(|(subject, event)| {
        let mut body = body(key, &view.part(vec![event.clone()], 0), hostname);
        body["dedup_key"] = subject.as_str().into();
        body
    }));
    let over = subjects.iter().filter(|(_, down)| down.is_none());
    bodies.extend(
        over.map(|(subject, _)| json!({"routing_key": key, "event_action": "resolve", "dedup_key": subject})),
    );
    bodies
}

/// The key of what is down or, with `true`, is over with this event; none for all other events.
fn subject(event: &EventView) -> Option<(String, bool)> {
    let (down, up) = OVER.iter().find(|(down, up)| event.kind == *down || event.kind == *up)?;
    let id = match *down {
        "device_down" => event.device_id.as_deref(),
        "worker_offline" => event.worker_id.as_deref(),
        _ => event.data.as_ref().and_then(|data| data.get("channel_id")?.as_str()),
    };
    Some((format!("netwark/{down}/{}", id?), event.kind == *up))
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
    use netwark_model::events::Event;
    use uuid::Uuid;

    use super::*;
    use crate::sample;

    #[test]
    fn bodies() {
        let body = |view: &View| body("0123456789abcdef0123456789abcdef", view, "netwark.example.org");
        insta::assert_json_snapshot!("pagerduty_one", body(&sample::one()));
        insta::assert_json_snapshot!("pagerduty_test", body(&sample::test()));
        insta::assert_json_snapshot!("pagerduty_mean", body(&sample::mean()));
    }

    /// A notice of these events, each about the worker of that number.
    fn about(events: &[(&str, Severity, u128)]) -> View {
        let events = events.iter().zip(1..).map(|(&(kind, severity, worker), number)| {
            let event = sample::event(number, severity, &format!("{kind} {worker}"));
            let worker_id = Some(Uuid::from_u128(worker));
            Event { kind: kind.into(), worker_id, device_id: worker_id, ..event }
        });
        View::of(&sample::notice(events.collect()), &jiff::tz::TimeZone::UTC)
    }

    /// What is sent: the action, the part of the key that tells, and what is said.
    fn sent(view: &View) -> Vec<(String, String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let told = |body: Value| {
            let key = text(&body["dedup_key"]).replace("00000000-0000-0000-0000-00000000000", "");
            (text(&body["event_action"]), key, text(&body["payload"]["summary"]))
        };
        super::bodies("key", view, "host").into_iter().map(told).collect()
    }

    fn expect(action: &str, key: &str, summary: &str) -> (String, String, String) {
        (action.into(), key.into(), summary.into())
    }

    #[test]
    fn what_is_back_is_resolved() {
        use Severity::{Alert, Info, Ok, Warning};
        let down = sent(&about(&[("worker_offline", Warning, 1)]));
        let said = "Warning: worker_offline 1 (office)";
        assert_eq!(down, [expect("trigger", "netwark/worker_offline/1", said)]);
        let up = sent(&about(&[("worker_online", Ok, 1)]));
        assert_eq!(up, [expect("resolve", "netwark/worker_offline/1", "")]);

        // What is over by the end of the notice wakes nobody, and what is down by then does.
        let turns = [("worker_offline", Warning, 1), ("worker_online", Ok, 1), ("device_up", Info, 2)];
        let turns = sent(&about(&[&turns[..], &[("device_down", Alert, 2)]].concat()));
        let expected = [
            expect("trigger", "netwark/device_down/2", "Alert: device_down 2 (office)"),
            expect("resolve", "netwark/worker_offline/1", ""),
        ];
        assert_eq!(turns, expected);

        // A stranger that is back is told, too; other events are one alert by the key of the notice.
        let view = about(&[("device_up", Warning, 3), ("rogue_dhcp", Alert, 4), ("device_down", Warning, 5)]);
        let mixed = sent(&view);
        let expected = [
            expect("trigger", &view.key, "Alert: 2 events, among them: rogue_dhcp 4 (office)"),
            expect("trigger", "netwark/device_down/5", "Warning: device_down 5 (office)"),
            expect("resolve", "netwark/device_down/3", ""),
        ];
        assert_eq!(mixed, expected);
    }

    #[test]
    fn a_storm_is_one_alert() {
        let down: Vec<_> = (1..=6).map(|worker| ("worker_offline", Severity::Warning, worker)).collect();
        let view = about(&down);
        let said = "Warning: 6 events, among them: worker_offline 1 (office)";
        assert_eq!(sent(&view), [expect("trigger", &view.key, said)]);
        let few = about(&down[..5]);
        assert_eq!(sent(&few).len(), 5);
    }

    #[test]
    fn a_storm_fits() {
        let body = body("0123456789abcdef0123456789abcdef", &sample::storm(), "netwark.example.org");
        assert!(body.to_string().len() <= 500_000);
        assert!(body["payload"]["summary"].as_str().unwrap().chars().count() <= 1024);
    }
}
