//! TCP connect: one connection after the other, each with its time and what became of it.

mod text;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netwark_model::tools::tcp::{
    TcpAttempt, TcpFate, TcpOptions, TcpOutcome, TcpReport, TcpStatistics, port_of,
};
use netwark_model::tools::verdict::Verdict;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{self, Instant};

use crate::dial::{Dialer, Fate};
use crate::runner::ProbeError;
use crate::stats::{Spread, ms, nearest_rank};
use crate::verdict;

pub use text::{attempt_line, head_line};

/// Connects to a target as often as the options say; `on_snapshot` is given the outcome so far, now and then.
///
/// # Errors
/// [`ProbeError`] when nothing can be measured.
pub async fn run(
    dialer: &Dialer,
    target: &str,
    options: &TcpOptions,
    progress_every: Duration,
    mut on_snapshot: impl FnMut(TcpOutcome) + Send,
) -> Result<TcpOutcome, ProbeError> {
    let (host, port) =
        port_of(target, options.port, None).map_err(|error| ProbeError::Target(error.description))?;
    let mut reports = Vec::new();
    for choice in dialer.addresses(&host, options.family, options.source).await? {
        dialer.check(SocketAddr::new(choice.address, port))?;
        reports.push(TcpReport {
            address: choice.address,
            port,
            chosen: choice.reason,
            statistics: TcpStatistics::default(),
            attempts: Vec::new(),
            verdict: Verdict::default(),
        });
    }
    let shared = Arc::new(Shared { reports: Mutex::new(reports.clone()), news: Notify::new() });
    let begin = Instant::now();
    let mut connecting = JoinSet::new();
    for (index, report) in reports.iter().enumerate() {
        let place = SocketAddr::new(report.address, report.port);
        let (dialer, options, shared) = (dialer.clone(), options.clone(), Arc::clone(&shared));
        connecting.spawn(async move { attempts(&dialer, place, &options, begin, index, &shared).await });
    }
    let mut next = Instant::now();
    loop {
        tokio::select! {
            done = connecting.join_next() => match done {
                None => break,
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(error))) => return Err(error),
                Some(Err(_)) => return Err(crate::engine::EngineError::Stopped.into()),
            },
            () = shared.due(next) => {
                next = Instant::now() + progress_every;
                on_snapshot(shared.outcome(target));
            }
        }
    }
    Ok(shared.outcome(target))
}

/// What the connections to all addresses have come to.
struct Shared {
    reports: Mutex<Vec<TcpReport>>,
    news: Notify,
}

impl Shared {
    /// Waits for news, and until they may be told.
    async fn due(&self, earliest: Instant) {
        self.news.notified().await;
        time::sleep_until(earliest).await;
    }

    fn add(&self, index: usize, attempt: TcpAttempt) {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(report) = reports.get_mut(index) {
            report.attempts.push(attempt);
        }
        drop(reports);
        self.news.notify_one();
    }

    fn outcome(&self, target: &str) -> TcpOutcome {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for report in &mut reports {
            report.statistics = statistics(&report.attempts);
            report.verdict = verdict::tcp(report);
        }
        TcpOutcome { raw: text::lines(target, &reports), reports }
    }
}

async fn attempts(
    dialer: &Dialer,
    place: SocketAddr,
    options: &TcpOptions,
    begin: Instant,
    index: usize,
    shared: &Shared,
) -> Result<(), ProbeError> {
    let (interval, timeout) = (options.interval_ms, options.timeout_ms);
    let timeout = Duration::from_millis(timeout.into());
    for seq in 1..=options.count {
        if seq > 1 {
            time::sleep_until(begin + Duration::from_millis(u64::from(seq - 1) * u64::from(interval))).await;
        }
        let turn = dialer.turn(place).await;
        let at_ms = ms(begin.elapsed());
        let fate = match dialer.dial(turn, options.source, timeout).await? {
            Fate::Connected { stream, took } => {
                drop(stream);
                TcpFate::Connected { rtt: ms(took) }
            }
            Fate::Refused { took } => TcpFate::Refused { rtt: ms(took) },
            Fate::Filtered { took, from, message } => TcpFate::Filtered { rtt: ms(took), from, message },
            Fate::Unanswered => TcpFate::Unanswered,
            Fate::Unsent { message } => TcpFate::Unsent { message },
        };
        shared.add(index, TcpAttempt { seq, at_ms, fate });
    }
    Ok(())
}

/// The numbers over some connections.
fn statistics(attempts: &[TcpAttempt]) -> TcpStatistics {
    let mut numbers = TcpStatistics::default();
    let mut spread = Spread::default();
    let mut times = Vec::new();
    for attempt in attempts {
        let counter = match &attempt.fate {
            TcpFate::Connected { rtt } => {
                spread.add(*rtt);
                times.push(*rtt);
                &mut numbers.connected
            }
            TcpFate::Refused { .. } => &mut numbers.refused,
            TcpFate::Filtered { .. } => &mut numbers.filtered,
            TcpFate::Unanswered => &mut numbers.unanswered,
            TcpFate::Unsent { .. } => &mut numbers.unsent,
        };
        *counter += 1;
        numbers.attempted += u32::from(!matches!(attempt.fate, TcpFate::Unsent { .. }));
    }
    times.sort_by(f64::total_cmp);
    if let (Some(first), Some(last)) = (times.first(), times.last()) {
        numbers.min = Some(*first);
        numbers.max = Some(*last);
        numbers.average = Some(spread.average());
        numbers.stddev = Some(spread.stddev());
        numbers.median = nearest_rank(&times, 50);
        numbers.p95 = nearest_rank(&times, 95);
    }
    numbers
}

#[cfg(test)]
mod tests;
