//! What people decide about subscriptions, checked field by field.

use netwark_model::error::FieldError;
use netwark_model::events::Severity;
use netwark_model::subscriptions::{
    Hours, LONGEST_GROUP_MS, MOST_CHANNELS, MOST_ENTRIES, MOST_PER_HOUR_EVER, Rules, Subscription,
};
use netwark_store::channels::SubscriptionDraft;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::input::named;
use crate::extract;
use crate::watch::line;

/// Why a subscription without a channel is none.
const NO_CHANNEL: &str = "must name at least one channel";

/// Most characters of a text that is looked for.
const LONGEST_TEXT: usize = 200;
/// Most characters of the kind of an event.
const LONGEST_KIND: usize = 60;

/// What people decide about a subscription. When one is made, what is left out is as usual; when one is changed, it
/// stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SubscriptionFields {
    /// Its name, unique. A new subscription needs one.
    #[schema(value_type = Option<String>, example = "Newcomers by mail", min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Whether events become notices; true when left out.
    enabled: Option<bool>,
    /// The channels its notices go to. A new subscription needs at least one.
    #[schema(value_type = Option<Vec<Uuid>>)]
    channels: Option<Vec<Uuid>>,
    /// Of these severities; `warning` and `alert` when left out, all when empty.
    #[schema(value_type = Option<Vec<Severity>>)]
    severities: Option<Vec<Severity>>,
    /// Of these kinds; all when empty.
    #[schema(value_type = Option<Vec<String>>, example = json!(["device_new"]), max_items = 200)]
    kinds: Option<Vec<String>>,
    /// About one of these networks; all when empty.
    #[schema(value_type = Option<Vec<Uuid>>, max_items = 200)]
    networks: Option<Vec<Uuid>>,
    /// About one of these devices; all when empty.
    #[schema(value_type = Option<Vec<Uuid>>, max_items = 200)]
    devices: Option<Vec<Uuid>>,
    /// About one of these workers; all when empty.
    #[schema(value_type = Option<Vec<Uuid>>, max_items = 200)]
    workers: Option<Vec<Uuid>>,
    /// With this in the text, letter case aside.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<String>, max_length = 200)]
    text: Option<Option<String>>,
    /// Happened within these hours; null for any time.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<Hours>)]
    hours: Option<Option<Hours>>,
    /// Hours in which notices are held until their end; null for none.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<Hours>)]
    quiet_hours: Option<Option<Hours>>,
    /// A notice with an event of severity `alert` leaves in quiet hours, too; true when left out.
    alerts_break_quiet: Option<bool>,
    /// How long a notice gathers events once there is one, in milliseconds; a minute when left out, 0 to send at once.
    #[schema(value_type = Option<u64>, minimum = 0, maximum = 86400000)]
    group_for_ms: Option<i64>,
    /// Most notices to one channel in an hour; 30 when left out. Further events gather until the next one may leave.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 3600)]
    most_per_hour: Option<i64>,
}

type Errors = Vec<FieldError>;

impl SubscriptionFields {
    /// What a new subscription is.
    pub(super) fn create(self) -> Result<SubscriptionDraft, Errors> {
        let mut errors = Vec::new();
        if self.name.is_none() {
            errors.push(FieldError::body("name", "is missing"));
        }
        if self.channels.as_ref().is_none_or(Vec::is_empty) {
            errors.push(FieldError::body("channels", NO_CHANNEL));
        }
        self.apply(usual(), errors)
    }

    /// What a subscription is with these changes.
    pub(super) fn change(self, before: Subscription) -> Result<SubscriptionDraft, Errors> {
        let Subscription { name, enabled, channels, rules, .. } = before;
        let mut errors = Vec::new();
        if self.channels.as_ref().is_some_and(Vec::is_empty) {
            errors.push(FieldError::body("channels", NO_CHANNEL));
        }
        self.apply(SubscriptionDraft { name, enabled, channels, rules }, errors)
    }

    /// What a subscription would want to hear of, whatever its name and channels.
    pub(super) fn rules(self) -> Result<Rules, Errors> {
        Ok(self.apply(usual(), Vec::new())?.rules)
    }

    fn apply(self, mut draft: SubscriptionDraft, mut errors: Errors) -> Result<SubscriptionDraft, Errors> {
        let e = &mut errors;
        if let Some(name) = self.name {
            draft.name = named(&name, e).unwrap_or_default();
        }
        draft.enabled = self.enabled.unwrap_or(draft.enabled);
        let most = usize::try_from(MOST_CHANNELS).unwrap_or(usize::MAX);
        set(&mut draft.channels, self.channels, "channels", most, e);
        let rules = &mut draft.rules;
        set(&mut rules.severities, self.severities, "severities", MOST_ENTRIES, e);
        set(&mut rules.networks, self.networks, "networks", MOST_ENTRIES, e);
        set(&mut rules.devices, self.devices, "devices", MOST_ENTRIES, e);
        set(&mut rules.workers, self.workers, "workers", MOST_ENTRIES, e);
        if let Some(kinds) = &self.kinds {
            for (at, kind) in kinds.iter().enumerate().take(MOST_ENTRIES) {
                if let Err(wrong) = line(kind, LONGEST_KIND) {
                    e.push(FieldError::body(format!("kinds[{at}]"), wrong));
                }
            }
        }
        let kinds = self.kinds.map(|kinds| kinds.iter().map(|kind| kind.trim().to_owned()).collect());
        set(&mut rules.kinds, kinds, "kinds", MOST_ENTRIES, e);
        match self.text.map(|text| text.filter(|text| !text.trim().is_empty())) {
            Some(Some(text)) => match line(&text, LONGEST_TEXT) {
                Ok(text) => rules.text = Some(text),
                Err(wrong) => e.push(FieldError::body("text", wrong)),
            },
            Some(None) => rules.text = None,
            None => {}
        }
        for (to, hours, field) in [
            (&mut rules.hours, self.hours, "hours"),
            (&mut rules.quiet_hours, self.quiet_hours, "quiet_hours"),
        ] {
            let Some(hours) = hours else { continue };
            *to = hours.map(tidy);
            if field == "quiet_hours" && to.as_ref().is_some_and(Hours::is_always) {
                e.push(FieldError::body(field, "must end at some time; these are all hours of all days"));
            }
        }
        rules.alerts_break_quiet = self.alerts_break_quiet.unwrap_or(rules.alerts_break_quiet);
        let longest = i64::try_from(LONGEST_GROUP_MS).unwrap_or(i64::MAX);
        if let Some(group) = within(self.group_for_ms, (0, longest), "group_for_ms", e) {
            rules.group_for_ms = group.unsigned_abs();
        }
        if let Some(most) = within(self.most_per_hour, (1, i64::from(MOST_PER_HOUR_EVER)), "most_per_hour", e)
        {
            rules.most_per_hour = u32::try_from(most).unwrap_or(MOST_PER_HOUR_EVER);
        }
        if errors.is_empty() { Ok(draft) } else { Err(errors) }
    }
}

/// What a subscription is of which nothing was said.
fn usual() -> SubscriptionDraft {
    SubscriptionDraft { name: String::new(), enabled: true, channels: Vec::new(), rules: Rules::default() }
}

/// Days in their order, each once.
fn tidy(mut hours: Hours) -> Hours {
    hours.days.sort_unstable();
    hours.days.dedup();
    hours
}

/// Takes over a list that was given, each entry once.
fn set<T: PartialEq>(to: &mut Vec<T>, list: Option<Vec<T>>, field: &str, most: usize, errors: &mut Errors) {
    let Some(list) = list else { return };
    if list.len() > most {
        let text = format!("must have at most {most} entries, got {}", list.len());
        errors.push(FieldError::body(field, text));
        return;
    }
    to.clear();
    for entry in list {
        if !to.contains(&entry) {
            to.push(entry);
        }
    }
}

fn within(number: Option<i64>, bounds: (i64, i64), field: &str, errors: &mut Errors) -> Option<i64> {
    let number = number?;
    let (least, most) = bounds;
    if (least..=most).contains(&number) {
        return Some(number);
    }
    errors.push(FieldError::body(field, format!("must be from {least} to {most}, got {number}")));
    None
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn create(body: Value) -> Result<SubscriptionDraft, String> {
        let fields: SubscriptionFields = serde_json::from_value(body).map_err(|error| error.to_string())?;
        let told = |errors: Errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        fields.create().map_err(told)
    }

    #[test]
    fn what_is_left_out_is_as_usual() {
        let channel = Uuid::now_v7();
        let draft = create(json!({"name": " Newcomers ", "channels": [channel, channel]})).unwrap();
        assert_eq!((draft.name.as_str(), draft.enabled), ("Newcomers", true));
        assert_eq!(draft.channels, [channel]);
        assert_eq!(draft.rules, Rules::default());
    }

    #[test]
    fn every_field_is_checked() {
        let wrong = create(json!({
            "name": "", "channels": [], "kinds": [""], "text": "a\nb", "group_for_ms": -1, "most_per_hour": 0,
            "quiet_hours": {"from": "08:00", "to": "08:00"},
        }));
        let wrong = wrong.unwrap_err();
        for field in ["name", "channels", "kinds[0]", "text", "group_for_ms", "most_per_hour", "quiet_hours"]
        {
            assert!(wrong.contains(&format!("{field}: ")), "{field}: {wrong}");
        }
        let hours = |hours: Value| create(json!({"name": "x", "channels": [Uuid::nil()], "hours": hours}));
        assert!(hours(json!({"from": "24:00", "to": "08:00"})).unwrap_err().contains("from 00:00 to 23:59"));
        assert!(hours(json!({"from": "22:00", "to": "08:00", "days": ["noday"]})).is_err());
        assert!(hours(json!({"from": "22:00"})).is_err());
        assert!(create(json!({"nmae": "x"})).unwrap_err().contains("unknown field"));
        let many: Vec<Uuid> = (0..201).map(Uuid::from_u128).collect();
        let many = create(json!({"name": "x", "channels": [Uuid::nil()], "devices": many})).unwrap_err();
        assert_eq!(many, "devices: must have at most 200 entries, got 201");
    }

    #[test]
    fn changes_leave_the_rest() {
        let rules = Rules { text: Some("printer".into()), ..Rules::default() };
        let before = Subscription {
            id: Uuid::nil(),
            name: "x".into(),
            enabled: true,
            channels: vec![Uuid::nil()],
            rules,
            created_at: jiff::Timestamp::UNIX_EPOCH,
            created_by: "user admin".into(),
        };
        let change = |body: Value| {
            let fields: SubscriptionFields = serde_json::from_value(body).unwrap();
            fields.change(before.clone()).unwrap()
        };
        let changed = change(json!({"enabled": false, "group_for_ms": 0}));
        assert_eq!((changed.enabled, changed.rules.group_for_ms), (false, 0));
        assert_eq!(changed.rules.text.as_deref(), Some("printer"));
        assert_eq!(change(json!({"text": null})).rules.text, None);
        let hours = json!({"from": "22:00", "to": "07:00", "days": ["sun", "mon", "sun"]});
        let changed = change(json!({"quiet_hours": hours}));
        assert_eq!(changed.rules.quiet_hours.unwrap().days.len(), 2);
        let none: SubscriptionFields = serde_json::from_value(json!({"channels": []})).unwrap();
        assert_eq!(none.change(before.clone()).unwrap_err()[0].name, "channels");
    }
}
