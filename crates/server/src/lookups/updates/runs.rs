//! Which updates wait, which is under way, and how the last ones ended. It is forgotten with the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::Notify;
use utoipa::ToSchema;

/// How far an update is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UpdateRunState)]
pub enum RunState {
    /// It waits until the update of another source has ended.
    Waiting,
    /// It is under way.
    Running,
    /// It brought something.
    Updated,
    /// The source has what is there already.
    Unchanged,
    /// It brought nothing, and `detail` says why.
    Failed,
}

impl RunState {
    fn is_over(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

/// The latest update of a source by this server since it was started.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UpdateRun {
    /// How far it is.
    pub state: RunState,
    /// Who asked for it; absent when the schedule did.
    #[schema(example = "user admin")]
    pub by: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub asked_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// What became of it.
    pub detail: Option<String>,
    /// How many bytes were fetched so far, while it is under way.
    pub bytes: Option<u64>,
}

/// An update whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// The source.
    pub source: &'static str,
    /// Who asked for it.
    pub by: Option<String>,
}

/// The latest update of each source.
#[derive(Debug, Default)]
pub struct Runs {
    all: Mutex<BTreeMap<&'static str, UpdateRun>>,
    wanted: Notify,
}

impl Runs {
    fn all(&self) -> MutexGuard<'_, BTreeMap<&'static str, UpdateRun>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The latest of a source.
    pub(super) fn of(&self, source: &str) -> Option<UpdateRun> {
        self.all().get(source).cloned()
    }

    /// Asks for an update; false when one waits or is under way.
    pub(super) fn ask(&self, source: &'static str, by: Option<String>, now: Timestamp) -> bool {
        let mut all = self.all();
        if all.get(source).is_some_and(|run| !run.state.is_over()) {
            return false;
        }
        let state = RunState::Waiting;
        all.insert(source, UpdateRun { state, by, asked_at: now, ended_at: None, detail: None, bytes: None });
        drop(all);
        self.wanted.notify_one();
        true
    }

    /// Asks for an update because it is time for it.
    pub(super) fn due(&self, source: &'static str) {
        self.ask(source, None, Timestamp::now());
    }

    /// Waits until an update is asked for.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Begins the update that has waited longest.
    pub(super) fn next(&self) -> Option<Turn> {
        let mut all = self.all();
        let waiting = all.iter_mut().filter(|(_, run)| run.state == RunState::Waiting);
        let (source, run) = waiting.min_by_key(|(_, run)| run.asked_at)?;
        run.state = RunState::Running;
        Some(Turn { source, by: run.by.clone() })
    }

    /// Notes how an update ended.
    pub(super) fn ended(&self, source: &'static str, state: RunState, detail: String, now: Timestamp) {
        if let Some(run) = self.all().get_mut(source) {
            (run.state, run.detail, run.ended_at) = (state, Some(detail), Some(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_in_turn() {
        let runs = Runs::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(runs.next(), None);
        assert!(runs.ask("oui", Some("user admin".into()), at(2)));
        assert!(runs.ask("geoip", None, at(1)));
        assert!(!runs.ask("oui", None, at(3)), "it waits");
        assert_eq!(runs.next(), Some(Turn { source: "geoip", by: None }));
        assert!(!runs.ask("geoip", None, at(3)), "it is under way");
        assert_eq!(runs.next().map(|turn| turn.by), Some(Some("user admin".into())));
        assert_eq!(runs.next(), None);
        runs.ended("geoip", RunState::Failed, "no".into(), at(4));
        let run = runs.of("geoip").unwrap();
        assert_eq!((run.state, run.detail, run.ended_at), (RunState::Failed, Some("no".into()), Some(at(4))));
        assert!(runs.ask("geoip", None, at(5)));
        assert_eq!(runs.of("geoip").unwrap().ended_at, None);
    }
}
