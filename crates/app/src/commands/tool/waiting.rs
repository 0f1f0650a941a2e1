//! Says whom it waits for, to a person at a terminal who would otherwise see nothing.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use netwark_model::operations::OperationResult;
use tokio::time::Instant;

/// How long nothing is shown before it is said who is waited for.
const QUIET: Duration = Duration::from_secs(1);
/// Most workers that are named.
const NAMED: usize = 3;

/// A line on standard error that stands while nothing else is shown.
pub struct Waiting {
    /// Nowhere when nobody looks.
    out: Option<Box<dyn Write + Send>>,
    /// The longest line that the terminal does not break, in characters.
    width: usize,
    /// What stands there.
    shown: String,
    /// When it is time to look whether something is to be said.
    due: Instant,
}

impl Waiting {
    /// On standard error, when that is a terminal and `wanted`.
    pub fn new(wanted: bool) -> Self {
        let out = std::io::stderr();
        let width =
            crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns)).saturating_sub(1);
        let out: Option<Box<dyn Write + Send>> =
            (wanted && out.is_terminal()).then(|| Box::new(out) as Box<dyn Write + Send>);
        Self::on(out, width)
    }

    fn on(out: Option<Box<dyn Write + Send>>, width: usize) -> Self {
        Self { out, width, shown: String::new(), due: Instant::now() + QUIET }
    }

    /// How long nothing has to be shown until [`Waiting::say`] is of use.
    pub fn rest(&self) -> Duration {
        match self.out {
            Some(_) => self.due.saturating_duration_since(Instant::now()),
            None => Duration::MAX,
        }
    }

    /// Says who is waited for, in place of what was said before.
    pub fn say<'a>(&mut self, results: impl Iterator<Item = &'a OperationResult>) {
        self.due = Instant::now() + QUIET;
        let text: String = words(results).unwrap_or_default().chars().take(self.width).collect();
        if text != self.shown {
            self.wipe();
            self.write(&text);
            self.shown = text;
        }
    }

    /// Makes room, because something is to be shown.
    pub fn wipe(&mut self) {
        self.due = Instant::now() + QUIET;
        if !self.shown.is_empty() {
            self.write("\r\u{1b}[K");
            self.shown.clear();
        }
    }

    fn write(&mut self, text: &str) {
        if let Some(out) = &mut self.out {
            // There is nobody left to tell when that fails.
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Who has not ended yet: `waiting for far (queue netwark.paris)…`. Nothing when all have.
fn words<'a>(results: impl Iterator<Item = &'a OperationResult>) -> Option<String> {
    let open: Vec<_> = results.filter(|result| !result.status.is_final()).collect();
    let named: Vec<_> = open
        .iter()
        .take(NAMED)
        .map(|result| match (&result.worker, result.queue.as_str()) {
            (Some(worker), "") => worker.clone(),
            (Some(worker), queue) => format!("{worker} (queue {queue})"),
            (None, queue) => format!("a worker of the queue {queue}"),
        })
        .collect();
    let more = match open.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    (!open.is_empty()).then(|| format!("waiting for {}{more}…", named.join(", ")))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use serde_json::json;

    use super::*;

    /// What was written, for who looks at it later.
    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn result(worker: Option<&str>, queue: &str, status: &str) -> OperationResult {
        let at = "2026-11-21T12:00:00Z";
        serde_json::from_value(json!({
            "id": uuid::Uuid::now_v7(), "worker": worker, "queue": queue, "status": status, "payload": null,
            "late": false, "version": 1, "created_at": at, "updated_at": at, "started_at": null, "finished_at": null,
        }))
        .unwrap()
    }

    #[test]
    fn who_has_not_ended_is_named() {
        let of = |results: &[OperationResult]| words(results.iter());
        let far = result(Some("far"), "netwark.paris", "pending");
        assert_eq!(of(std::slice::from_ref(&far)).unwrap(), "waiting for far (queue netwark.paris)…");
        let direct = result(None, "netwark", "pending");
        let by_name = result(Some("rome"), "", "progress");
        let done = result(Some("lyon"), "", "done");
        assert_eq!(
            of(&[far.clone(), direct, done.clone(), by_name]).unwrap(),
            "waiting for far (queue netwark.paris), a worker of the queue netwark, rome…"
        );
        assert!(of(&vec![far; 5]).unwrap().ends_with(" and 2 more…"));
        assert_eq!(of(&[done]), None);
    }

    #[tokio::test]
    async fn the_line_is_wiped_before_anything_else_is_shown() {
        let page = Page::default();
        let read = || String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        let mut waiting = Waiting::on(Some(Box::new(page.clone())), 14);
        let far = [result(Some("far"), "", "pending")];
        waiting.say(far.iter());
        waiting.say(far.iter());
        assert_eq!(read(), "waiting for fa", "cut to the terminal, and said once");
        waiting.wipe();
        waiting.wipe();
        assert_eq!(read(), "waiting for fa\r\u{1b}[K");
        let mut unseen = Waiting::on(None, 80);
        unseen.say(far.iter());
        assert_eq!(unseen.rest(), Duration::MAX);
    }
}
