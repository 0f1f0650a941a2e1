//! The events of a notice.

use crate::events::{Event, Severity};

use super::MOST_TOLD;

/// Events that go out together: at most as many as can be told, and the number of the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gathered {
    /// What is told, oldest first.
    pub events: Vec<Event>,
    /// How many there are besides.
    pub more: u64,
}

impl Gathered {
    /// Adds events. When there are too many to tell, the worst ones stay, and of equal ones the oldest. Returns whether
    /// what is told is another now.
    pub fn add(&mut self, events: impl IntoIterator<Item = Event>) -> bool {
        let before = self.events.len();
        self.events.extend(events);
        let added = self.events.len() - before;
        if self.events.len() <= MOST_TOLD {
            self.events.sort_by_key(|event| event.id);
            return added > 0;
        }
        let told: Vec<_> = self.events.iter().take(before).map(|event| event.id).collect();
        self.events.sort_by_key(|event| (std::cmp::Reverse(event.severity), event.id));
        self.more += (self.events.len() - MOST_TOLD) as u64;
        self.events.truncate(MOST_TOLD);
        self.events.sort_by_key(|event| event.id);
        !self.events.iter().map(|event| event.id).eq(told)
    }

    /// How many events there are.
    pub fn count(&self) -> u64 {
        self.events.len() as u64 + self.more
    }

    /// The worst of what is told, which is the worst there is.
    pub fn worst(&self) -> Severity {
        self.events.iter().map(|event| event.severity).max().unwrap_or(Severity::Info)
    }

    /// The first of the worst events in words, for a list.
    pub fn summary(&self) -> &str {
        let worst = self.worst();
        self.events.iter().find(|event| event.severity == worst).map_or("", |event| event.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::tests::event;
    use super::*;

    #[test]
    fn a_storm_does_not_hide_the_alert_in_it() {
        let mut gathered = Gathered::default();
        assert!(gathered.add((0..80).map(|n| event(Severity::Warning, n))));
        assert!(gathered.add((80..120).map(|n| event(Severity::Warning, n))));
        assert_eq!((gathered.events.len(), gathered.more), (100, 20));
        let first = gathered.events[0].id;
        assert!(!gathered.add((120..5000).map(|n| event(Severity::Warning, n))), "nothing new is told");
        let mut alert = event(Severity::Alert, 5000);
        alert.text = "Rogue DHCP server".into();
        assert!(gathered.add([alert.clone()]));
        assert_eq!((gathered.events.len(), gathered.count()), (100, 5001));
        assert_eq!(gathered.events[0].id, first, "of equal ones the oldest stay");
        assert_eq!(gathered.events.last(), Some(&alert), "oldest first");
        assert_eq!((gathered.worst(), gathered.summary()), (Severity::Alert, "Rogue DHCP server"));
        assert!(gathered.events.is_sorted_by_key(|event| event.id));
    }

    #[test]
    fn nothing_is_nothing() {
        let mut gathered = Gathered::default();
        assert!(!gathered.add([]));
        assert_eq!((gathered.count(), gathered.worst(), gathered.summary()), (0, Severity::Info, ""));
    }
}
