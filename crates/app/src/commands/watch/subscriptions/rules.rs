//! What a subscription wants to hear of, as flags.

use netwark_model::events::Severity;
use netwark_model::subscriptions::{Day, Hours};
use serde_json::{Map, Value, json};

use super::super::{channels, find, input, text};
use crate::api::Api;
use crate::failure::Failure;
use crate::output::shown;

/// Which events, and when they are told.
#[derive(Debug, clap::Args)]
pub(super) struct RulesFlags {
    /// Of these severities: ok, info, warning, alert, or none for all; warning and alert when left out
    #[arg(long = "severity", value_name = "SEVERITY", value_delimiter = ',', value_parser = severity)]
    severities: Vec<String>,
    /// Of these kinds, as device_new; none for all
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',')]
    kinds: Vec<String>,
    /// About this network, by name or id; may be given more than once, none for all
    #[arg(long = "network", value_name = "NETWORK")]
    networks: Vec<String>,
    /// About this device, by name, address or id; may be given more than once, none for all
    #[arg(long = "device", value_name = "DEVICE")]
    devices: Vec<String>,
    /// About this worker, by name or id; may be given more than once, none for all
    #[arg(long = "worker", value_name = "WORKER")]
    workers: Vec<String>,
    /// With this in the text, letter case aside; none for any
    #[arg(long, value_parser = input::text_or_none)]
    text: Option<Value>,
    /// Happened within these hours, as '08:00-18:00' or 'mon,tue 08:00-18:00'; none for any time
    #[arg(long, value_parser = hours)]
    hours: Option<Value>,
    /// Hours in which notices are held until their end, as 22:00-07:00; none for none
    #[arg(long, value_name = "HOURS", value_parser = hours)]
    quiet_hours: Option<Value>,
    /// An alert leaves in quiet hours, too; it does unless this is false
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    alerts_break_quiet: Option<bool>,
    /// How long a notice gathers events, as 5m; 0s to send at once, a minute when left out
    #[arg(long, value_name = "TIME", value_parser = input::milliseconds)]
    group_for: Option<i64>,
    /// Most notices to one channel in an hour, 30 when left out; what comes above that gathers
    #[arg(long, value_name = "NOTICES")]
    most_per_hour: Option<i64>,
}

impl RulesFlags {
    /// The fields of the API that were named.
    ///
    /// # Errors
    /// When there is no network, device or worker of a name, and those of the server.
    pub async fn fields(self, api: &Api) -> Result<Map<String, Value>, Failure> {
        let mut fields = Map::new();
        for (name, words) in [("severities", self.severities), ("kinds", self.kinds)] {
            if !words.is_empty() {
                fields.insert(name.into(), input::list(&words));
            }
        }
        if !self.networks.is_empty() {
            let mut ids = Vec::new();
            for named in named(&self.networks) {
                ids.push(find::network(api, named).await?.id);
            }
            fields.insert("networks".into(), json!(ids));
        }
        if !self.devices.is_empty() {
            let mut ids = Vec::new();
            for named in named(&self.devices) {
                ids.push(find::device(api, named).await?.id);
            }
            fields.insert("devices".into(), json!(ids));
        }
        if !self.workers.is_empty() {
            let workers: Vec<Value> = api.get("workers").await?;
            let ids: Result<Vec<&str>, _> =
                named(&self.workers).iter().map(|named| worker(&workers, named)).collect();
            fields.insert("workers".into(), json!(ids?));
        }
        let others = [
            ("text", self.text),
            ("hours", self.hours),
            ("quiet_hours", self.quiet_hours),
            ("alerts_break_quiet", self.alerts_break_quiet.map(Value::from)),
            ("group_for_ms", self.group_for.map(Value::from)),
            ("most_per_hour", self.most_per_hour.map(Value::from)),
        ];
        fields.extend(others.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Ok(fields)
    }
}

/// The ids of channels by their names.
///
/// # Errors
/// When there is no channel of a name, and those of the server.
pub(super) async fn channel_ids(api: &Api, channels: &[String]) -> Result<Value, Failure> {
    let mut ids = Vec::new();
    for named in channels {
        ids.push(text(&channels::find(api, named).await?, "id").to_owned());
    }
    Ok(ids.into())
}

/// What was named; nothing when that is `none`.
fn named(list: &[String]) -> &[String] {
    match list {
        [only] if only == input::NONE => &[],
        list => list,
    }
}

fn worker<'w>(workers: &'w [Value], named: &str) -> Result<&'w str, Failure> {
    let fits = |worker: &&Value| {
        text(worker, "id") == named || text(worker, "name").to_lowercase() == named.to_lowercase()
    };
    workers.iter().find(fits).map(|worker| text(worker, "id")).ok_or_else(|| {
        Failure::Failed(format!("there is no worker '{}'; 'netwark workers list' shows all", shown(named)))
    })
}

fn severity(text: &str) -> Result<String, String> {
    match text {
        input::NONE => Ok(text.to_owned()),
        _ => input::severity(text).map(|severity: Severity| severity.as_str().to_owned()),
    }
}

/// Hours such as `22:00-07:00` and `sat,sun 00:00-00:00`, or null for `none`.
fn hours(text: &str) -> Result<Value, String> {
    if text == input::NONE {
        return Ok(Value::Null);
    }
    let wrong = || "write hours as 22:00-07:00, with the days before them where they are not all: 'sat,sun 22:00-07:00'";
    let (days, times) = text.trim().rsplit_once(' ').unwrap_or(("", text.trim()));
    let (from, to) = times.split_once('-').ok_or_else(wrong)?;
    let day = |word: &str| {
        let read = serde_json::from_value::<Day>(word.trim().to_ascii_lowercase().into());
        read.map_err(|_| format!("'{}' is no day; they are mon, tue, wed, thu, fri, sat, sun", word.trim()))
    };
    let words = days.split(',').filter(|word| !word.trim().is_empty());
    let hours =
        Hours { days: words.map(day).collect::<Result<_, _>>()?, from: from.parse()?, to: to.parse()? };
    Ok(json!(hours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_as_people_write_them() {
        let read = hours("22:00-07:00").unwrap();
        assert_eq!(read, json!({"days": [], "from": "22:00", "to": "07:00"}));
        let read = hours("Sat, sun 08:30-18:00").unwrap();
        assert_eq!(read, json!({"days": ["sat", "sun"], "from": "08:30", "to": "18:00"}));
        assert_eq!(hours("none"), Ok(Value::Null));
        for wrong in ["", "22:00", "22-07", "noday 22:00-07:00", "22:00-25:00", "22:00 - 07:00"] {
            assert!(hours(wrong).is_err(), "{wrong}");
        }
    }
}
