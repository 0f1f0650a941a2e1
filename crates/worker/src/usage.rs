//! What the tools send and receive: by tool and month, kept over restarts, held to a cap.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use netwark_model::workers::ToolUsage;
use netwark_probe::engine::Traffic;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::standing::write;

/// How often what was counted goes to the disk.
const WRITTEN_EVERY: Duration = Duration::from_secs(5);
/// Months that are kept: after a start with a wrong clock the right month is still there.
const MONTHS: usize = 12;

/// Bytes of one tool in one month, headers of IP included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Bytes {
    sent: u64,
    received: u64,
}

/// Month, such as `2026-11`, to tool to bytes.
type Months = BTreeMap<String, BTreeMap<String, Bytes>>;

/// A run that counts, and what of it has been added already.
#[derive(Debug)]
struct Counting {
    tool: String,
    traffic: Arc<Traffic>,
    added: Bytes,
}

#[derive(Debug, Default)]
struct Counts {
    months: Months,
    running: Vec<Counting>,
    /// True when the disk does not have it all.
    changed: bool,
}

/// Why nothing more is measured this month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this worker's monthly cap of {cap} bytes (worker.monthly_cap) is reached: its tools have sent and received \
     {used} bytes in {month}; it measures again from {next}-01 00:00 UTC, or once the cap is raised"
)]
pub(crate) struct CapReached {
    cap: u64,
    used: u64,
    month: String,
    next: String,
}

/// What the tools of a worker have sent and received.
#[derive(Debug)]
pub(crate) struct Usage {
    file: Option<PathBuf>,
    cap: Option<u64>,
    counts: Mutex<Counts>,
    /// Held while the file is written: the last writing, at stop, may meet one that is not over.
    writing: Mutex<()>,
}

impl Usage {
    /// What the file `usage.json` in this directory remembers; nothing when there is none or it cannot be read.
    /// Without a directory it counts from zero at every start.
    pub(crate) fn open(directory: Option<&Path>, cap: Option<u64>) -> Self {
        let file = directory.map(|directory| directory.join("usage.json"));
        let months = file.as_deref().map(read).unwrap_or_default();
        let counts = Mutex::new(Counts { months, ..Counts::default() });
        Self { file, cap, counts, writing: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Every change is a number made larger, so a panic elsewhere leaves it whole.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Most bytes of a month.
    pub(crate) fn cap(&self) -> Option<u64> {
        self.cap
    }

    /// Counts what a run of this tool puts into the traffic it is given, for as long as anybody else holds it.
    ///
    /// # Errors
    /// When the cap of this month is reached.
    pub(crate) fn begin(&self, tool: &str, now: Timestamp) -> Result<Arc<Traffic>, CapReached> {
        let mut counts = self.lock();
        counts.gather(now);
        let month = month(now);
        let used = counts.months.get(&month).map_or(0, |tools| {
            tools
                .values()
                .fold(0u64, |sum, bytes| sum.saturating_add(bytes.sent).saturating_add(bytes.received))
        });
        if let Some(cap) = self.cap.filter(|cap| used >= *cap) {
            return Err(CapReached { cap, used, month, next: next_month(now) });
        }
        let traffic = Arc::new(Traffic::default());
        let counting = Counting { tool: tool.into(), traffic: Arc::clone(&traffic), added: Bytes::default() };
        counts.running.push(counting);
        Ok(traffic)
    }

    /// What was used in the month of this time, by tool; what still runs is included.
    pub(crate) fn of_month(&self, now: Timestamp) -> Vec<ToolUsage> {
        let mut counts = self.lock();
        counts.gather(now);
        let month = month(now);
        let tools = counts.months.get(&month).into_iter().flatten();
        let usage = |(tool, bytes): (&String, &Bytes)| ToolUsage {
            tool: tool.clone(),
            month: month.clone(),
            bytes_sent: bytes.sent,
            bytes_received: bytes.received,
        };
        tools.map(usage).collect()
    }

    /// Writes from time to time what was counted, until stopped.
    pub(crate) async fn keep(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(WRITTEN_EVERY) => Arc::clone(&self).save().await,
            }
        }
    }

    /// Writes what the disk does not have yet. What cannot be written is tried again later, and counts all the same.
    pub(crate) async fn save(self: Arc<Self>) {
        let saved = tokio::task::spawn_blocking(move || self.write(Timestamp::now())).await;
        match saved {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "what the tools have used of this month cannot be written down");
            }
            Err(error) => {
                tracing::error!(%error, "what the tools have used of this month was not written down");
            }
        }
    }

    fn write(&self, now: Timestamp) -> io::Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counts = self.lock();
        counts.gather(now);
        let Some(file) = self.file.as_deref().filter(|_| counts.changed) else { return Ok(()) };
        let months = counts.months.clone();
        counts.changed = false;
        // Runs that begin do not wait for the disk.
        drop(counts);
        let written = write(file, &months);
        self.lock().changed |= written.is_err();
        written
    }
}

impl Counts {
    /// Adds what the runs have sent and received since the last time to the month of this time.
    fn gather(&mut self, now: Timestamp) {
        let month = month(now);
        let Self { months, running, changed } = self;
        running.retain_mut(|run| {
            // Asked for before the numbers are read: nobody else can count any more.
            let is_over = Arc::get_mut(&mut run.traffic).is_some();
            let all = Bytes { sent: run.traffic.sent(), received: run.traffic.received() };
            if all != run.added {
                let tools = months.entry(month.clone()).or_default();
                let bytes = tools.entry(run.tool.clone()).or_default();
                bytes.sent = bytes.sent.saturating_add(all.sent - run.added.sent);
                bytes.received = bytes.received.saturating_add(all.received - run.added.received);
                run.added = all;
                *changed = true;
            }
            !is_over
        });
        while months.len() > MONTHS {
            months.pop_first();
        }
    }
}

fn read(file: &Path) -> Months {
    let months = match fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Months::new(),
        Err(error) => Err(error),
    };
    months.unwrap_or_else(|error| {
        tracing::error!(file = %file.display(), %error, "what the tools have used of this month cannot be read; it is counted from zero");
        Months::new()
    })
}

fn month(now: Timestamp) -> String {
    now.strftime("%Y-%m").to_string()
}

fn next_month(now: Timestamp) -> String {
    let first: Date = TimeZone::UTC.to_datetime(now).date().first_of_month();
    first.saturating_add(1.month()).strftime("%Y-%m").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// One run of a tool from beginning to end.
    fn run(usage: &Usage, tool: &str, (sent, received): (u64, u64), now: Timestamp) {
        let traffic = usage.begin(tool, now).unwrap();
        traffic.add_sent(sent);
        traffic.add_received(received);
        drop(traffic);
        usage.lock().gather(now);
    }

    fn used(usage: &Usage, now: Timestamp) -> Vec<(String, String, u64, u64)> {
        let used = usage.of_month(now).into_iter();
        used.map(|used| (used.tool, used.month, used.bytes_sent, used.bytes_received)).collect()
    }

    fn row(tool: &str, month: &str, sent: u64, received: u64) -> (String, String, u64, u64) {
        (tool.into(), month.into(), sent, received)
    }

    #[test]
    fn runs_add_up_by_tool_while_they_run() {
        let now = at("2026-11-21T12:00:00Z");
        let usage = Usage::open(None, None);
        assert_eq!(used(&usage, now), []);
        run(&usage, "ping", (840, 756), now);
        let long = usage.begin("mtr", now).unwrap();
        long.add_sent(60);
        assert_eq!(used(&usage, now), [row("mtr", "2026-11", 60, 0), row("ping", "2026-11", 840, 756)]);
        long.add_sent(40);
        drop(long);
        run(&usage, "ping", (84, 84), now);
        assert_eq!(used(&usage, now), [row("mtr", "2026-11", 100, 0), row("ping", "2026-11", 924, 840)]);
        assert!(usage.lock().running.is_empty(), "runs that are over are forgotten");
    }

    #[test]
    fn a_month_begins_anew_in_utc() {
        let usage = Usage::open(None, Some(100));
        let old = at("2026-12-31T23:59:59Z");
        let long = usage.begin("mtr", old).unwrap();
        long.add_sent(100);
        let refused = usage.begin("ping", old).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "this worker's monthly cap of 100 bytes (worker.monthly_cap) is reached: its tools have sent and received \
             100 bytes in 2026-12; it measures again from 2027-01-01 00:00 UTC, or once the cap is raised"
        );
        let new = at("2027-01-01T00:00:00Z");
        long.add_received(30);
        assert_eq!(used(&usage, new), [row("mtr", "2027-01", 0, 30)], "what runs goes on in the new month");
        run(&usage, "ping", (5, 5), new);
    }

    #[test]
    fn the_cap_counts_both_directions_of_all_tools() {
        let now = at("2026-11-21T12:00:00Z");
        let usage = Usage::open(None, Some(100));
        run(&usage, "ping", (40, 30), now);
        run(&usage, "mtr", (29, 0), now);
        run(&usage, "ping", (1, 500), now);
        assert_eq!(usage.begin("mtr", now).unwrap_err().used, 600, "one that has begun may end");
        assert!(Usage::open(None, Some(0)).begin("ping", now).is_err());
        assert!(Usage::open(None, None).begin("ping", now).is_ok());
    }

    #[test]
    fn what_was_used_survives_restarts() {
        let directory = tempfile::tempdir().unwrap();
        let now = at("2026-11-21T12:00:00Z");
        let open = |cap| Usage::open(Some(directory.path()), cap);
        let usage = open(None);
        run(&usage, "ping", (840, 756), now);
        usage.write(now).unwrap();
        let usage = open(Some(1_000));
        assert_eq!(used(&usage, now), [row("ping", "2026-11", 840, 756)]);
        assert!(usage.begin("ping", now).is_err(), "the cap too");

        // A start with a clock that is years behind.
        let wrong = at("1999-12-01T00:00:00Z");
        run(&usage, "ping", (1, 1), wrong);
        usage.write(wrong).unwrap();
        assert_eq!(used(&open(None), now), [row("ping", "2026-11", 840, 756)]);

        let usage = open(None);
        for month in 1..=12 {
            run(&usage, "ping", (1, 1), at(&format!("2025-{month:02}-03T00:00:00Z")));
        }
        usage.write(now).unwrap();
        let usage = open(None);
        let months: Vec<_> = usage.lock().months.keys().cloned().collect();
        assert_eq!((months.len(), months[0].as_str(), months[11].as_str()), (12, "2025-02", "2026-11"));

        fs::write(directory.path().join("usage.json"), "{").unwrap();
        assert_eq!(used(&open(None), now), []);
    }

    #[test]
    fn what_cannot_be_written_is_tried_again() {
        let directory = tempfile::tempdir().unwrap();
        let gone = directory.path().join("gone");
        let now = at("2026-11-21T12:00:00Z");
        let usage = Usage::open(Some(&gone), None);
        usage.write(now).unwrap();
        run(&usage, "ping", (84, 84), now);
        assert!(usage.write(now).is_err());
        fs::create_dir(&gone).unwrap();
        usage.write(now).unwrap();
        assert_eq!(used(&Usage::open(Some(&gone), None), now), [row("ping", "2026-11", 84, 84)]);
    }
}
