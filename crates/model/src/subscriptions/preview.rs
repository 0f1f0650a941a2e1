//! What a subscription would have brought.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use utoipa::ToSchema;

use super::Rules;
use crate::events::{Event, Severity};

/// Events that are shown as examples.
const EXAMPLES: usize = 5;

/// What a subscription would have brought to each of its channels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Preview {
    /// Events that it would have told.
    pub events: u64,
    /// Notices they would have come in.
    pub notices: u64,
    /// The latest of the events, newest first, at most 5.
    pub latest: Vec<Event>,
}

/// What rules would have brought of these events, which are in the order in which they were stored.
pub fn preview(rules: &Rules, events: &[Event], zone: &TimeZone) -> Preview {
    let mut found = Preview::default();
    // When notices left, the last one first as far as it matters.
    let mut left: Vec<Timestamp> = Vec::new();
    let mut open: Option<(Timestamp, Severity)> = None;
    let mut now = Timestamp::MIN;
    let most = usize::try_from(rules.most_per_hour).unwrap_or(usize::MAX);
    for event in events.iter().filter(|event| rules.want(event, zone)) {
        now = now.max(event.at);
        found.events += 1;
        if let Some((opened, worst)) = open {
            let leaves = rules.leave_at(opened, worst, &left, zone);
            if leaves < now {
                left.insert(0, leaves);
                left.truncate(most);
                found.notices += 1;
                open = None;
            }
        }
        open = match open {
            Some((opened, worst)) => Some((opened, worst.max(event.severity))),
            None => Some((now, event.severity)),
        };
    }
    found.notices += u64::from(open.is_some());
    found.latest =
        events.iter().rev().filter(|event| rules.want(event, zone)).take(EXAMPLES).cloned().collect();
    found
}

#[cfg(test)]
mod tests {
    use super::super::rules::tests::event;
    use super::*;

    fn notices(rules: &Rules, seconds: impl IntoIterator<Item = i64>) -> (u64, u64) {
        let events: Vec<Event> = seconds.into_iter().map(|at| event(Severity::Warning, at)).collect();
        let preview = preview(rules, &events, &TimeZone::UTC);
        (preview.events, preview.notices)
    }

    #[test]
    fn events_close_together_are_one_notice() {
        let rules = Rules::default();
        assert_eq!(notices(&rules, []), (0, 0));
        assert_eq!(notices(&rules, [0, 10, 59]), (3, 1));
        assert_eq!(notices(&rules, [0, 10, 61]), (3, 2));
        assert_eq!(notices(&Rules { severities: vec![Severity::Ok], ..rules }, [0, 10]), (0, 0));
    }

    #[test]
    fn a_storm_is_few_notices() {
        let rules = Rules { group_for_ms: 0, most_per_hour: 3, ..Rules::default() };
        // One event a second for an hour and a half: three at once, then three each hour.
        let (events, notices) = notices(&rules, 0..5400);
        assert_eq!(events, 5400);
        assert!((6..=8).contains(&notices), "{notices}");
    }

    #[test]
    fn the_latest_come_first() {
        let events: Vec<Event> = (0..9).map(|at| event(Severity::Alert, at)).collect();
        let preview = preview(&Rules::default(), &events, &TimeZone::UTC);
        assert_eq!(preview.latest.len(), 5);
        assert_eq!(preview.latest[0], events[8]);
    }
}
