//! From the spool to the server: oldest first, each stream in order, not faster than the server likes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use netwark_bus::{BusError, LinkState};
use netwark_model::assignments::StreamReport;
use netwark_model::messages::{News, Report};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::spool::{Spool, SpoolError, last_step};
use crate::worker::Shared;

/// Reports that are taken out of the spool at once.
const BATCH: usize = 50;
/// Reports that are on their way at the same time; those of one stream follow each other.
const AT_ONCE: usize = 8;
/// Time for each report: 200 a second, so that fresh ones get through beside them.
const EACH: Duration = Duration::from_millis(5);
/// How long an answer is waited for.
const ANSWER: Duration = Duration::from_secs(30);
/// Longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Why reports stay in the spool.
#[derive(Debug, thiserror::Error)]
enum Stuck {
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error("the server does not answer")]
    Silent,
}

/// Delivers what waits in the spool whenever the link is up, until stopped.
pub(crate) async fn deliver(shared: Arc<Shared>, spool: Spool, stop: CancellationToken) {
    let mut link = shared.bus.state();
    let mut welcome = shared.welcome.subscribe();
    let mut pause = Duration::from_millis(100);
    loop {
        let turn = async {
            // Nobody changes the state of a link that has no state: then it is as it was.
            let up = link.wait_for(|state| *state == LinkState::Up).await.map(drop);
            let welcomed = welcome.wait_for(Option::is_some).await.map(drop);
            if up.is_err() || welcomed.is_err() {
                std::future::pending::<()>().await;
            }
            spool.arrived().await;
            hand_over(&shared, &spool).await
        };
        let turn = tokio::select! {
            () = stop.cancelled() => return,
            turn = turn => turn,
        };
        match turn {
            Ok(0) => pause = Duration::from_millis(100),
            Ok(number) => {
                pause = Duration::from_millis(100);
                tracing::debug!(number, left_bytes = spool.bytes(), "reports that waited were delivered");
                tokio::time::sleep(EACH * u32::try_from(number).unwrap_or(u32::MAX)).await;
            }
            Err(error) => {
                tracing::debug!(%error, "reports that wait cannot be delivered now");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Delivers the oldest reports; returns how many.
async fn hand_over(shared: &Shared, spool: &Spool) -> Result<usize, Stuck> {
    let batch = spool.oldest(BATCH).await?;
    let number = batch.reports.len();
    let mut lines: HashMap<Uuid, Vec<Report>> = HashMap::new();
    for report in &batch.reports {
        let line = match &report.news {
            News::Final { result_id, .. } => *result_id,
            news => last_step(news).map_or(Uuid::nil(), |(stream, _)| stream),
        };
        lines.entry(line).or_default().push(report.clone());
    }
    let deliveries = lines.into_iter().map(|(line, reports)| send_in_order(shared, spool, line, reports));
    let results: Vec<_> = stream::iter(deliveries).buffer_unordered(AT_ONCE).collect().await;
    results.into_iter().collect::<Result<(), _>>()?;
    spool.forget(batch).await?;
    Ok(number)
}

/// Delivers the reports of one stream, or the end of one run. Numbers that are not there any more are told as a gap.
async fn send_in_order(
    shared: &Shared,
    spool: &Spool,
    line: Uuid,
    reports: Vec<Report>,
) -> Result<(), Stuck> {
    let mut reached = spool.settled(line);
    for report in reports {
        if let News::Stream(StreamReport { stream, epoch, sequence, .. }) = &report.news {
            let last = if reached.epoch == *epoch { reached.sequence } else { 0 };
            if reached.epoch <= *epoch && *sequence > last + 1 {
                let reason = "damaged on the worker's disk".to_owned();
                let (from, to) = (last + 1, sequence - 1);
                let gap = News::Gap { stream: *stream, epoch: *epoch, from, to, reason };
                send(shared, shared.marked(gap)).await?;
            }
        }
        if let Some((_, step)) = last_step(&report.news) {
            reached = reached.max(step);
        }
        send(shared, report).await?;
    }
    Ok(())
}

async fn send(shared: &Shared, report: Report) -> Result<(), Stuck> {
    match tokio::time::timeout(ANSWER, shared.bus.report(report)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) if error.is_temporary() => Err(error.into()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a report that had waited was refused");
            Ok(())
        }
        Err(_) => Err(Stuck::Silent),
    }
}
