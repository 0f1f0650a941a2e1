//! What a subscription wants to hear of, and when a notice may leave.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{GROUP_FOR_MS, Hours, MOST_PER_HOUR};
use crate::events::{Event, Severity};

/// The time over which notices are counted.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What a subscription wants to hear of, and when. An event has to fit every condition; an empty list is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Rules {
    /// Of these severities.
    #[schema(example = json!(["warning", "alert"]))]
    pub severities: Vec<Severity>,
    /// Of these kinds.
    #[schema(example = json!(["device_new"]))]
    pub kinds: Vec<String>,
    /// About one of these networks.
    pub networks: Vec<Uuid>,
    /// About one of these devices.
    pub devices: Vec<Uuid>,
    /// About one of these workers.
    pub workers: Vec<Uuid>,
    /// With this in the text, letter case aside.
    pub text: Option<String>,
    /// Happened within these hours; at any time when there are none.
    pub hours: Option<Hours>,
    /// Hours in which notices are held until their end.
    pub quiet_hours: Option<Hours>,
    /// A notice with an event of severity `alert` leaves in quiet hours, too.
    pub alerts_break_quiet: bool,
    /// How long a notice gathers events once there is one, in milliseconds; 0 to send at once.
    #[schema(maximum = 86400000)]
    pub group_for_ms: u64,
    /// Most notices to one channel in an hour; further events gather until the next one may leave.
    #[schema(minimum = 1, maximum = 3600)]
    pub most_per_hour: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            severities: vec![Severity::Warning, Severity::Alert],
            kinds: Vec::new(),
            networks: Vec::new(),
            devices: Vec::new(),
            workers: Vec::new(),
            text: None,
            hours: None,
            quiet_hours: None,
            alerts_break_quiet: true,
            group_for_ms: GROUP_FOR_MS,
            most_per_hour: MOST_PER_HOUR,
        }
    }
}

/// A subscription as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Subscription {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// Its name, unique.
    #[schema(example = "Newcomers by mail")]
    pub name: String,
    /// Whether events become notices. What was gathered before it was switched off is still sent.
    pub enabled: bool,
    /// The channels its notices go to.
    pub channels: Vec<Uuid>,
    /// What it wants to hear of, and when.
    #[serde(flatten)]
    pub rules: Rules,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Who made it.
    #[schema(example = "user admin")]
    pub created_by: String,
}

impl Rules {
    /// Whether it wants to hear of an event.
    pub fn want(&self, event: &Event, zone: &TimeZone) -> bool {
        let about = |wanted: &[Uuid], id: Option<Uuid>| {
            wanted.is_empty() || id.is_some_and(|id| wanted.contains(&id))
        };
        (self.severities.is_empty() || self.severities.contains(&event.severity))
            && (self.kinds.is_empty() || self.kinds.contains(&event.kind))
            && about(&self.networks, event.network_id)
            && about(&self.devices, event.device_id)
            && about(&self.workers, event.worker_id)
            && self.text.as_ref().is_none_or(|text| contains(&event.text, text))
            && self.hours.as_ref().is_none_or(|hours| hours.contain(event.at, zone))
    }

    /// When a notice may leave that was opened at `opened` and whose worst event is `worst`. `recent` says when the
    /// latest notices left to the same channel, the last one first.
    pub fn leave_at(
        &self,
        opened: Timestamp,
        worst: Severity,
        recent: &[Timestamp],
        zone: &TimeZone,
    ) -> Timestamp {
        let group = SignedDuration::from_millis(i64::try_from(self.group_for_ms).unwrap_or(i64::MAX));
        let gathered = opened.checked_add(group).unwrap_or(Timestamp::MAX);
        let most = usize::try_from(self.most_per_hour.max(1)).unwrap_or(usize::MAX);
        let turn = recent.get(most - 1).and_then(|sent| sent.checked_add(HOUR).ok());
        self.awake_at(turn.map_or(gathered, |turn| gathered.max(turn)), worst, zone)
    }

    /// The first moment, at or after this one, at which quiet hours do not hold a notice whose worst event is `worst`.
    pub fn awake_at(&self, at: Timestamp, worst: Severity, zone: &TimeZone) -> Timestamp {
        match &self.quiet_hours {
            Some(_) if self.alerts_break_quiet && worst == Severity::Alert => at,
            Some(quiet) => quiet.over_at(at, zone),
            None => at,
        }
    }
}

/// Whether a text has another in it, whatever the case of the letters from A to Z.
fn contains(text: &str, wanted: &str) -> bool {
    text.to_ascii_lowercase().contains(&wanted.to_ascii_lowercase())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn event(severity: Severity, second: i64) -> Event {
        Event {
            id: Uuid::now_v7(),
            at: Timestamp::from_second(1_800_000_000 + second).unwrap(),
            severity,
            kind: "device_new".into(),
            worker_id: None,
            worker: None,
            text: "New station 192.0.2.7".into(),
            network_id: Some(Uuid::from_u128(1)),
            network: Some("Office".into()),
            device_id: Some(Uuid::from_u128(2)),
            device: None,
            data: None,
            acknowledged_at: None,
            acknowledged_by: None,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn hours(from: &str, to: &str) -> Hours {
        Hours { days: Vec::new(), from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    #[test]
    fn every_condition_has_to_fit() {
        let event = event(Severity::Warning, 0);
        let wants = |change: &dyn Fn(&mut Rules)| {
            let mut rules = Rules::default();
            change(&mut rules);
            rules.want(&event, &TimeZone::UTC)
        };
        assert!(wants(&|_| {}));
        assert!(wants(&|rules| rules.severities.clear()));
        assert!(!wants(&|rules| rules.severities = vec![Severity::Info]));
        assert!(wants(&|rules| rules.kinds = vec!["worker_offline".into(), "device_new".into()]));
        assert!(!wants(&|rules| rules.kinds = vec!["worker_offline".into()]));
        assert!(wants(&|rules| rules.networks = vec![Uuid::from_u128(1)]));
        assert!(!wants(&|rules| rules.networks = vec![Uuid::from_u128(9)]));
        assert!(wants(&|rules| rules.devices = vec![Uuid::from_u128(9), Uuid::from_u128(2)]));
        assert!(!wants(&|rules| rules.workers = vec![Uuid::from_u128(1)]), "it is about no worker");
        assert!(wants(&|rules| rules.text = Some("STATION 192".into())));
        assert!(!wants(&|rules| rules.text = Some("printer".into())));
        // 2027-01-15T08:00:00Z.
        assert!(wants(&|rules| rules.hours = Some(hours("08:00", "18:00"))));
        assert!(!wants(&|rules| rules.hours = Some(hours("18:00", "08:00"))));
    }

    #[test]
    fn a_notice_gathers_and_keeps_quiet() {
        let rules = Rules { quiet_hours: Some(hours("22:00", "07:00")), ..Rules::default() };
        let leave = |rules: &Rules, opened, worst| rules.leave_at(at(opened), worst, &[], &TimeZone::UTC);
        let noon = leave(&rules, "2026-11-20T12:00:00Z", Severity::Warning);
        assert_eq!(noon, at("2026-11-20T12:01:00Z"));
        let night = leave(&rules, "2026-11-20T23:00:00Z", Severity::Warning);
        assert_eq!(night, at("2026-11-21T07:00:00Z"));
        let alert = leave(&rules, "2026-11-20T23:00:00Z", Severity::Alert);
        assert_eq!(alert, at("2026-11-20T23:01:00Z"));
        let strict = Rules { alerts_break_quiet: false, group_for_ms: 0, ..rules };
        assert_eq!(leave(&strict, "2026-11-20T23:00:00Z", Severity::Alert), at("2026-11-21T07:00:00Z"));
        assert_eq!(leave(&strict, "2026-11-20T12:00:00Z", Severity::Alert), at("2026-11-20T12:00:00Z"));
    }

    #[test]
    fn above_the_rate_a_notice_waits_for_its_turn() {
        let rules = Rules { group_for_ms: 0, most_per_hour: 2, ..Rules::default() };
        let opened = at("2026-11-20T12:00:00Z");
        let leave = |recent: &[&str]| {
            let recent: Vec<Timestamp> = recent.iter().map(|text| at(text)).collect();
            rules.leave_at(opened, Severity::Alert, &recent, &TimeZone::UTC)
        };
        assert_eq!(leave(&["2026-11-20T11:59:00Z"]), opened);
        let turn = at("2026-11-20T12:30:00Z");
        assert_eq!(leave(&["2026-11-20T11:59:00Z", "2026-11-20T11:30:00Z"]), turn);
        assert_eq!(leave(&["2026-11-20T11:59:00Z", "2026-11-20T10:30:00Z"]), opened);
        // What has to wait until quiet hours have begun waits until their end.
        let quiet = Rules { quiet_hours: Some(hours("12:15", "13:00")), alerts_break_quiet: false, ..rules };
        let recent = [at("2026-11-20T11:59:00Z"), at("2026-11-20T11:30:00Z")];
        let held = quiet.leave_at(opened, Severity::Alert, &recent, &TimeZone::UTC);
        assert_eq!(held, at("2026-11-20T13:00:00Z"));
    }
}
