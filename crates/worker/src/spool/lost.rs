//! What is dropped for want of room, and what is kept of it.

use std::collections::{BTreeMap, VecDeque};
use std::io;

use netwark_model::assignments::StreamReport;
use netwark_model::messages::{End, News, Report};
use uuid::Uuid;

use super::{State, record, report_from};

/// Why reports of a stream are missing.
pub(super) const FULL: &str = "spool full";
/// Causes up to this length are kept as they are.
const SHORT: usize = 400;

/// Ranges of numbers that are missing, one for each stream and epoch.
#[derive(Debug, Default)]
pub(super) struct Gaps(BTreeMap<(Uuid, u64), (u64, u64)>);

impl Gaps {
    /// Adds a range. What lies between two ranges of a stream was delivered before, so that naming it does no harm.
    pub(super) fn add(&mut self, stream: Uuid, epoch: u64, (from, to): (u64, u64)) {
        let range = self.0.entry((stream, epoch)).or_insert((from, to));
        *range = (range.0.min(from), range.1.max(to));
    }

    fn news(&self, reason: &str) -> Vec<News> {
        let gap = |(&(stream, epoch), &(from, to)): (&(Uuid, u64), &(u64, u64))| News::Gap {
            stream,
            epoch,
            from,
            to,
            reason: reason.into(),
        };
        self.0.iter().map(gap).collect()
    }
}

impl State {
    /// Drops the oldest reports until there is room for so many bytes more.
    pub(super) fn make_room(&mut self, bytes: u64) {
        while self.kept.bytes() + bytes > self.most.0 {
            match self.kept.drop_oldest() {
                Ok(Some(chunk)) => self.lose(&chunk.payloads),
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(%error, "old reports cannot be dropped to make room");
                    return;
                }
            }
        }
    }

    /// Keeps of reports that were dropped that they were.
    fn lose(&mut self, payloads: &[Vec<u8>]) {
        tracing::warn!(
            reports = payloads.len(),
            most_bytes = self.most.0 + self.most.1,
            "the spool is full; the oldest reports were dropped"
        );
        let mut gaps = Gaps::default();
        let mut left = Vec::new();
        for report in payloads.iter().filter_map(|payload| report_from(payload)) {
            match report.news {
                News::Stream(StreamReport { stream, epoch, sequence, .. }) => {
                    gaps.add(stream, epoch, (sequence, sequence));
                }
                News::Final { operation_id, result_id, end } => {
                    let news = News::Final { operation_id, result_id, end: self.without_payload(end) };
                    left.push(Report::new(report.worker_id, report.mark, news));
                }
                _ => left.push(report),
            }
        }
        left.extend(gaps.news(FULL).into_iter().map(|news| Report::new(self.worker_id, 0, news)));
        for report in left {
            if let Err(error) = self.keep_loss(&report) {
                tracing::error!(%error, "it cannot be kept that reports were dropped");
                self.unwritten_from(&report.news);
            }
        }
    }

    /// How a run ended whose outcome was dropped.
    fn without_payload(&self, end: End) -> End {
        match end {
            End::Error { cause } if cause.len() <= SHORT => End::Error { cause },
            End::Cancelled { .. } => End::Cancelled { payload: None },
            _ => End::Error {
                cause: format!(
                    "measured, but the outcome was dropped before it could be delivered: the spool of the worker \
                     was full ({} KiB); make the outage shorter or worker.spool_bytes larger",
                    (self.most.0 + self.most.1) >> 10
                ),
            },
        }
    }

    /// Keeps what tells of a loss.
    fn keep_loss(&mut self, report: &Report) -> io::Result<()> {
        let payload = serde_json::to_vec(report)?;
        if self.lost.bytes() + record::length_of(&payload) as u64 > self.most.1 {
            self.draw_together()?;
        }
        self.lost.append(&payload).map(drop)
    }

    /// Makes room among what tells of losses: one gap for each stream, and of the results the latest. The server
    /// has ended the others long ago.
    fn draw_together(&mut self) -> io::Result<()> {
        let mut gaps = Gaps::default();
        let mut results = VecDeque::new();
        let mut bytes = 0;
        let mut forgotten = 0_u64;
        while let Some(chunk) = self.lost.drop_oldest()? {
            for payload in chunk.payloads {
                match report_from(&payload).map(|report| report.news) {
                    Some(News::Gap { stream, epoch, from, to, .. }) => gaps.add(stream, epoch, (from, to)),
                    Some(_) => {
                        bytes += record::length_of(&payload) as u64;
                        results.push_back(payload);
                    }
                    None => {}
                }
            }
            while bytes > self.most.1 / 2
                && let Some(oldest) = results.pop_front()
            {
                bytes -= record::length_of(&oldest) as u64;
                forgotten += 1;
            }
        }
        if forgotten > 0 {
            tracing::warn!(results = forgotten, "results that were dropped are not told of any more");
        }
        for news in gaps.news(FULL) {
            let report = Report::new(self.worker_id, 0, news);
            self.lost.append(&serde_json::to_vec(&report)?)?;
        }
        results.iter().try_for_each(|payload| self.lost.append(payload).map(drop))
    }

    /// Remembers a gap that could not be written.
    fn unwritten_from(&mut self, news: &News) {
        if let News::Gap { stream, epoch, from, to, .. } = news {
            self.unwritten.add(*stream, *epoch, (*from, *to));
        }
    }

    /// Tells of numbers that were given but could not be written, now that writing works.
    pub(super) fn tell_unwritten(&mut self) {
        if self.unwritten.0.is_empty() {
            return;
        }
        let gaps = std::mem::take(&mut self.unwritten);
        for news in gaps.news("the disk of the worker was full") {
            let report = Report::new(self.worker_id, 0, news);
            if self.keep_loss(&report).is_err() {
                self.unwritten_from(&report.news);
            }
        }
    }
}
