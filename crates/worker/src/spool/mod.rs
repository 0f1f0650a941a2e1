//! Reports that wait on the disk until the server has them.
//!
//! What is kept here is synced to the disk before its work is acknowledged, and before any of it is
//! delivered, so that no number of a stream is ever given twice. When there is no room the oldest
//! go first; that they were lost is kept itself, as an error for a result and as a gap for a
//! stream, and delivered before everything else.

mod log;
mod lost;
mod record;

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use netwark_model::assignments::StreamReport;
use netwark_model::messages::{LARGEST, News, Report};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use uuid::Uuid;

use self::log::{Log, Position};
use self::lost::Gaps;

/// Least room for reports.
const LEAST: u64 = 64 << 10;
/// Part of the room that is for what tells of losses.
const LOST_PART: u64 = 16;
/// Least room for that where the whole has twice as much: enough for every result that a worker with the usual
/// concurrency may lose in one outage.
const LOST_LEAST: u64 = 256 << 10;
/// Bytes of reports that are read at once.
const READ_BYTES: usize = 1 << 20;

/// Why a report could not be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    /// The disk refused.
    #[error("the spool in {} cannot be written: {source}", directory.display())]
    Io {
        /// Where it is.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A report that no bus would carry.
    #[error("a report has {0} bytes, more than a message may have")]
    TooLarge(usize),
}

/// How far a stream has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
}

/// Streams and how far they have come.
type Steps = HashMap<Uuid, Step>;

/// The oldest reports that wait.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) reports: Vec<Report>,
    end: Position,
    of_losses: bool,
}

/// Reports that wait on the disk. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Spool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// The last write that is known to be on the disk itself; held while it is made so.
    synced: Mutex<u64>,
    bytes: AtomicU64,
    arrived: Notify,
}

#[derive(Debug)]
struct State {
    directory: PathBuf,
    worker_id: Uuid,
    kept: Log,
    lost: Log,
    /// Most bytes of `kept` and of `lost`.
    most: (u64, u64),
    /// The last number given in each stream.
    given: Steps,
    /// The last number of each stream that the server has.
    settled: Steps,
    /// Numbers of streams that were given but could not be written.
    unwritten: Gaps,
    /// Counts what was written, with the file the last of it went to.
    writes: u64,
    written_to: Option<Arc<File>>,
}

impl Spool {
    /// Opens a worker's spool in a directory, which is made when it is missing. `most` is how many bytes may wait.
    ///
    /// # Errors
    /// When the directory cannot be read or written.
    pub(crate) fn open(directory: &Path, most: u64, worker_id: Uuid) -> Result<Self, SpoolError> {
        let state = State::open(directory, most, worker_id)
            .map_err(|source| SpoolError::Io { directory: directory.into(), source })?;
        let bytes = AtomicU64::new(state.bytes());
        Ok(Self(Arc::new(Inner {
            state: Mutex::new(state),
            synced: Mutex::new(0),
            bytes,
            arrived: Notify::new(),
        })))
    }

    /// Bytes that wait.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Ends once something waits. May end when nothing does.
    pub(crate) async fn arrived(&self) {
        let arrived = self.0.arrived.notified();
        if self.bytes() == 0 {
            arrived.await;
        }
    }

    /// Keeps a report. It survives a crash of the machine once this ends well.
    ///
    /// # Errors
    /// When it could not be written; it is not kept then.
    pub(crate) async fn keep(&self, report: Report) -> Result<(), SpoolError> {
        self.blocking(move |inner| {
            inner.write(|state| state.keep(&report)).and_then(|write| inner.sync(write))
        })
        .await
    }

    /// Gives a report of a stream its number and keeps it. What cannot be written is told as a gap later.
    ///
    /// # Errors
    /// When it could not be written.
    pub(crate) async fn keep_next(
        &self,
        stream: Uuid,
        epoch: u64,
        make: impl FnOnce(u64) -> Report + Send + 'static,
    ) -> Result<(), SpoolError> {
        // It is synced when it is about to leave.
        self.blocking(move |inner| inner.write(|state| state.keep_next(stream, epoch, make)).map(drop)).await
    }

    /// The oldest reports that wait, those of losses first. Empty when nothing waits.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) async fn oldest(&self, most: usize) -> Result<Batch, SpoolError> {
        self.blocking(move |inner| {
            let (batch, write) = inner.lock().oldest(most)?;
            inner.sync(write)?;
            Ok(batch)
        })
        .await
    }

    /// Forgets reports that were delivered.
    ///
    /// # Errors
    /// When the disk refuses; they are delivered again after a restart then.
    pub(crate) async fn forget(&self, batch: Batch) -> Result<(), SpoolError> {
        self.blocking(move |inner| {
            let mut state = inner.lock();
            let forgotten = state.forget(&batch);
            inner.bytes.store(state.bytes(), Ordering::Relaxed);
            forgotten
        })
        .await
    }

    /// How far the server has a stream.
    pub(crate) fn settled(&self, stream: Uuid) -> Step {
        self.0.lock().settled.get(&stream).copied().unwrap_or_default()
    }

    /// Forgets how far the streams other than these have come, when nothing of them can wait.
    pub(crate) fn retain(&self, held: &HashSet<Uuid>) {
        let mut state = self.0.lock();
        if state.bytes() == 0 {
            state.given.retain(|stream, _| held.contains(stream));
            state.settled.retain(|stream, _| held.contains(stream));
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, SpoolError> + Send + 'static,
    ) -> Result<T, SpoolError> {
        let inner = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || work(&inner)).await {
            Ok(result) => result,
            Err(error) => {
                let directory = self.0.lock().directory.clone();
                Err(SpoolError::Io { directory, source: io::Error::other(error) })
            }
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        // What a panic may have left half done is on the disk, where checksums find it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes something, and returns the number of that write.
    fn write(&self, work: impl FnOnce(&mut State) -> Result<(), SpoolError>) -> Result<u64, SpoolError> {
        let mut state = self.lock();
        let result = work(&mut state);
        self.bytes.store(state.bytes(), Ordering::Relaxed);
        let write = state.writes;
        drop(state);
        self.arrived.notify_one();
        result.map(|()| write)
    }

    /// Sees to it that this write, and those before it, are on the disk itself. Several who wait share one sync.
    fn sync(&self, write: u64) -> Result<(), SpoolError> {
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if *synced >= write {
            return Ok(());
        }
        let (writes, file, directory) = {
            let state = self.lock();
            (state.writes, state.written_to.clone(), state.directory.clone())
        };
        if let Some(file) = file {
            file.sync_data().map_err(|source| SpoolError::Io { directory, source })?;
        }
        *synced = writes;
        Ok(())
    }
}

impl State {
    fn open(directory: &Path, most: u64, worker_id: Uuid) -> io::Result<Self> {
        let most = most.max(LEAST);
        let lost = (most / LOST_PART).max(LOST_LEAST.min(most / 2));
        let file_bytes = |most: u64| (most / 32).clamp(2 << 10, 1 << 20);
        let kept = Log::open(&directory.join("kept"), file_bytes(most))?;
        let settled = fs::read(directory.join("streams.json")).ok();
        let settled: Steps =
            settled.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let mut state = Self {
            directory: directory.into(),
            worker_id,
            kept,
            lost: Log::open(&directory.join("lost"), file_bytes(lost))?,
            most: (most - lost, lost),
            given: settled.clone(),
            settled,
            unwritten: Gaps::default(),
            writes: 0,
            written_to: None,
        };
        state.count()?;
        Ok(state)
    }

    /// Finds the last number given in each stream.
    fn count(&mut self) -> io::Result<()> {
        for log in [&self.lost, &self.kept] {
            let mut at = log.head();
            loop {
                let chunk = log.read(at, usize::MAX, READ_BYTES)?;
                if chunk.payloads.is_empty() {
                    break;
                }
                for report in chunk.payloads.iter().filter_map(|payload| report_from(payload)) {
                    if let Some((stream, step)) = last_step(&report.news) {
                        reach(&mut self.given, stream, step);
                    }
                }
                at = chunk.end;
            }
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.kept.bytes() + self.lost.bytes()
    }

    fn io(&self, source: io::Error) -> SpoolError {
        SpoolError::Io { directory: self.directory.clone(), source }
    }

    fn keep(&mut self, report: &Report) -> Result<(), SpoolError> {
        let payload = serde_json::to_vec(report).map_err(|error| self.io(error.into()))?;
        if payload.len() > LARGEST {
            return Err(SpoolError::TooLarge(payload.len()));
        }
        self.make_room(record::length_of(&payload) as u64);
        let file = self.kept.append(&payload).map_err(|error| self.io(error))?;
        self.writes += 1;
        self.written_to = Some(file);
        self.tell_unwritten();
        Ok(())
    }

    fn keep_next(
        &mut self,
        stream: Uuid,
        epoch: u64,
        make: impl FnOnce(u64) -> Report,
    ) -> Result<(), SpoolError> {
        let last = self.given.get(&stream).copied().unwrap_or_default();
        let sequence = if last.epoch == epoch { last.sequence + 1 } else { 1 };
        self.given.insert(stream, Step { epoch, sequence });
        let kept = self.keep(&make(sequence));
        if kept.is_err() {
            self.unwritten.add(stream, epoch, (sequence, sequence));
        }
        kept
    }

    fn oldest(&self, most: usize) -> Result<(Batch, u64), SpoolError> {
        let of_losses = self.lost.bytes() > 0;
        let log = if of_losses { &self.lost } else { &self.kept };
        let chunk = log.read(log.head(), most, READ_BYTES).map_err(|error| self.io(error))?;
        let reports: Vec<_> = chunk.payloads.iter().filter_map(|payload| report_from(payload)).collect();
        let unreadable = chunk.payloads.len() - reports.len();
        if chunk.damaged > 0 || unreadable > 0 {
            tracing::error!(
                places = chunk.damaged,
                reports = unreadable,
                directory = %self.directory.display(),
                "reports that waited on the disk are damaged and lost; check the disk"
            );
        }
        Ok((Batch { reports, end: chunk.end, of_losses }, self.writes))
    }

    fn forget(&mut self, batch: &Batch) -> Result<(), SpoolError> {
        let mut moved = false;
        for (stream, step) in batch.reports.iter().filter_map(|report| last_step(&report.news)) {
            moved = true;
            reach(&mut self.settled, stream, step);
            reach(&mut self.given, stream, step);
        }
        if moved {
            self.write_settled().map_err(|error| self.io(error))?;
        }
        let log = if batch.of_losses { &mut self.lost } else { &mut self.kept };
        log.forget(batch.end).map_err(|source| SpoolError::Io { directory: self.directory.clone(), source })
    }

    /// Written before the reports are forgotten: with both gone the numbers would begin anew.
    fn write_settled(&self) -> io::Result<()> {
        let fresh = self.directory.join("streams.json.new");
        let file = File::create(&fresh)?;
        serde_json::to_writer(&file, &self.settled)?;
        file.sync_data()?;
        fs::rename(fresh, self.directory.join("streams.json"))
    }
}

fn report_from(payload: &[u8]) -> Option<Report> {
    serde_json::from_slice(payload).ok()
}

fn reach(steps: &mut Steps, stream: Uuid, step: Step) {
    let reached = steps.entry(stream).or_default();
    *reached = step.max(*reached);
}

/// How far a report leads its stream.
pub(crate) fn last_step(news: &News) -> Option<(Uuid, Step)> {
    match news {
        News::Stream(StreamReport { stream, epoch, sequence, .. }) => {
            Some((*stream, Step { epoch: *epoch, sequence: *sequence }))
        }
        News::Gap { stream, epoch, to, .. } => Some((*stream, Step { epoch: *epoch, sequence: *to })),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
