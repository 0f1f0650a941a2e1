//! What a notice says, in the words that all kinds share. All texts in it are cleaned and bounded.

use jiff::tz::TimeZone;
use netwark_model::channels::Notice;
use netwark_model::events::{Event, Severity};
use serde::Serialize;
use serde_json::Value;

use crate::text::{clean, clip};

/// Most characters of what an event says.
const LONGEST_TEXT: usize = 400;
/// Most characters of a name.
const LONGEST_NAME: usize = 100;
/// Most characters of a title.
const LONGEST_TITLE: usize = 250;
/// Most bytes of the figures behind an event.
const LONGEST_DATA: usize = 4096;

/// A notice as it is told; what templates see.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct View {
    /// The key of the notice.
    pub(crate) key: String,
    /// When it was opened, in RFC 3339.
    pub(crate) made_at: String,
    /// Nothing has happened.
    pub(crate) test: bool,
    /// Severity and headline.
    pub(crate) title: String,
    /// What happened, in a sentence.
    pub(crate) headline: String,
    /// The worst severity.
    pub(crate) severity: &'static str,
    /// How many events there are.
    pub(crate) count: u64,
    /// How many of them are not told in full.
    pub(crate) more: u64,
    /// The subscription it belongs to.
    pub(crate) subscription: Option<String>,
    /// The page that shows them.
    pub(crate) link: Option<String>,
    /// The events, oldest first.
    pub(crate) events: Vec<EventView>,
    #[serde(skip)]
    pub(crate) worst: Severity,
    #[serde(skip)]
    pub(crate) opened: jiff::Timestamp,
}

/// An event as it is told.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct EventView {
    pub(crate) id: String,
    /// When it happened, in RFC 3339.
    pub(crate) at: String,
    /// The same for people, in the server's time zone.
    pub(crate) time: String,
    pub(crate) severity: &'static str,
    pub(crate) kind: String,
    pub(crate) text: String,
    pub(crate) worker: Option<String>,
    pub(crate) worker_id: Option<String>,
    pub(crate) network: Option<String>,
    pub(crate) network_id: Option<String>,
    pub(crate) device: Option<String>,
    pub(crate) device_id: Option<String>,
    pub(crate) data: Option<Value>,
    #[serde(skip)]
    pub(crate) weight: Severity,
    #[serde(skip)]
    pub(crate) happened: jiff::Timestamp,
}

impl View {
    /// How a notice is told, with times in this zone.
    pub(crate) fn of(notice: &Notice, zone: &TimeZone) -> Self {
        let events: Vec<EventView> = notice.events.iter().map(|event| EventView::of(event, zone)).collect();
        let headline = match notice.test {
            true => "A test of this channel; nothing has happened".into(),
            false => headline(notice.total(), notice.worst, &events),
        };
        let title = match notice.test {
            true => clip(&headline, LONGEST_TITLE),
            false => title(notice.worst, &headline),
        };
        Self {
            key: notice.key.to_string(),
            made_at: notice.made_at.to_string(),
            test: notice.test,
            title,
            headline,
            severity: notice.worst.as_str(),
            count: notice.total(),
            more: notice.more,
            subscription: notice.subscription.as_deref().map(name),
            link: notice.link.as_ref().map(ToString::to_string),
            events,
            worst: notice.worst,
            opened: notice.made_at,
        }
    }

    /// The same notice as if it told these events only, and so many that are not told in full.
    pub(crate) fn part(&self, events: Vec<EventView>, more: u64) -> Self {
        let count = events.len() as u64 + more;
        let told = events.iter().map(|event| event.weight).max();
        let worst = if more > 0 { self.worst } else { told.unwrap_or(self.worst) };
        let headline = headline(count, worst, &events);
        Self {
            title: title(worst, &headline),
            headline,
            severity: worst.as_str(),
            count,
            more,
            events,
            worst,
            ..self.clone()
        }
    }

    /// A line for each event, written by `line`, that fit into so many bytes, and one that counts the rest.
    pub(crate) fn lines(&self, most: usize, line: impl Fn(&EventView) -> String) -> Vec<String> {
        let lines: Vec<(Severity, String)> =
            self.events.iter().map(|event| (event.weight, line(event))).collect();
        // Room for the line that counts, which is never longer.
        let kept = crate::text::fitting(&lines, most.saturating_sub(40));
        let rest = self.count.saturating_sub(kept.len() as u64);
        let mut kept: Vec<String> = kept.into_iter().map(str::to_owned).collect();
        match rest {
            0 => {}
            1 => kept.push("and 1 more event".into()),
            _ => kept.push(format!("and {rest} more events")),
        }
        kept
    }

    /// Who says it, for the foot of a message.
    pub(crate) fn foot(&self) -> String {
        match &self.subscription {
            Some(subscription) => format!("Netwark · {subscription}"),
            None => "Netwark".into(),
        }
    }
}

impl EventView {
    fn of(event: &Event, zone: &TimeZone) -> Self {
        let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string());
        let small = |data: &&Value| data.to_string().len() <= LONGEST_DATA;
        Self {
            id: event.id.to_string(),
            at: event.at.to_string(),
            time: event.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
            severity: event.severity.as_str(),
            kind: name(&event.kind),
            text: clip(&clean(&event.text), LONGEST_TEXT),
            worker: event.worker.as_deref().map(name),
            worker_id: id(event.worker_id),
            network: event.network.as_deref().map(name),
            network_id: id(event.network_id),
            device: event.device.as_deref().map(name),
            device_id: id(event.device_id),
            data: event.data.as_ref().filter(small).cloned(),
            weight: event.severity,
            happened: event.at,
        }
    }

    /// What it says, with the network where the text does not name it.
    pub(crate) fn sentence(&self) -> String {
        match &self.network {
            Some(network) if !self.text.contains(network.as_str()) => format!("{} ({network})", self.text),
            _ => self.text.clone(),
        }
    }

    /// When, how bad and what, in one line.
    pub(crate) fn line(&self) -> String {
        format!("{} {}: {}", self.time, self.severity, self.sentence())
    }
}

fn name(text: &str) -> String {
    clip(&clean(text), LONGEST_NAME)
}

fn title(worst: Severity, headline: &str) -> String {
    clip(&format!("{}: {headline}", capital(worst.as_str())), LONGEST_TITLE)
}

fn headline(total: u64, worst: Severity, events: &[EventView]) -> String {
    match (total, worst_of(events, worst)) {
        (1, Some(event)) => event.sentence(),
        (total, Some(event)) => format!("{total} events, among them: {}", event.sentence()),
        (total, None) => format!("{total} events"),
    }
}

/// The first of the worst events, which stands for all of them.
pub(crate) fn worst_of(events: &[EventView], worst: Severity) -> Option<&EventView> {
    events.iter().find(|event| event.weight == worst).or(events.first())
}

/// A word with its first letter as a capital.
pub(crate) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
