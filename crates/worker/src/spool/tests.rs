use std::time::Duration;

use netwark_model::messages::End;
use serde_json::json;

use super::lost::FULL;
use super::*;

const WORKER: Uuid = Uuid::from_u128(1);
const STREAM: Uuid = Uuid::from_u128(2);

fn result(number: u128, size: usize) -> Report {
    let end = End::Done { payload: json!("x".repeat(size)) };
    let (operation_id, result_id) = (Uuid::from_u128(number), Uuid::from_u128(number + 1_000_000));
    Report::new(WORKER, 7, News::Final { operation_id, result_id, end })
}

fn beat(epoch: u64, sequence: u64, size: usize) -> Report {
    let body = json!("x".repeat(size));
    Report::new(WORKER, 8, News::Stream(StreamReport { stream: STREAM, epoch, sequence, at_ms: 5, body }))
}

async fn next_beat(spool: &Spool, epoch: u64, size: usize) -> Result<(), SpoolError> {
    spool.keep_next(STREAM, epoch, move |sequence| beat(epoch, sequence, size)).await
}

/// Takes everything out, oldest first.
async fn drain(spool: &Spool) -> Vec<Report> {
    let mut all = Vec::new();
    loop {
        let batch = spool.oldest(10).await.unwrap();
        if batch.reports.is_empty() {
            return all;
        }
        all.extend(batch.reports.clone());
        spool.forget(batch).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_kept_survives_a_restart_and_leaves_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(directory.path(), 0, WORKER).unwrap();
    assert_eq!(spool.bytes(), 0);
    spool.keep(result(1, 10)).await.unwrap();
    next_beat(&spool, 3, 1).await.unwrap();
    next_beat(&spool, 3, 1).await.unwrap();
    let waiting = spool.bytes();
    drop(spool);

    let spool = Spool::open(directory.path(), 0, WORKER).unwrap();
    assert_eq!(spool.bytes(), waiting);
    next_beat(&spool, 3, 1).await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), spool.arrived()).await.unwrap();
    assert_eq!(drain(&spool).await, [result(1, 10), beat(3, 1, 1), beat(3, 2, 1), beat(3, 3, 1)]);
    assert_eq!((spool.bytes(), spool.settled(STREAM)), (0, Step { epoch: 3, sequence: 3 }));
    drop(spool);

    let spool = Spool::open(directory.path(), 0, WORKER).unwrap();
    next_beat(&spool, 3, 1).await.unwrap();
    next_beat(&spool, 4, 1).await.unwrap();
    assert_eq!(drain(&spool).await, [beat(3, 4, 1), beat(4, 1, 1)], "each epoch counts from 1");
}

#[tokio::test]
async fn a_full_spool_drops_the_oldest_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(directory.path(), LEAST, WORKER).unwrap();
    for number in 1..=3 {
        spool.keep(result(number, 1000)).await.unwrap();
        next_beat(&spool, 1, 1000).await.unwrap();
    }
    for _ in 4..=100 {
        next_beat(&spool, 1, 1000).await.unwrap();
        assert!(spool.bytes() <= LEAST);
    }
    let left = drain(&spool).await;
    let mut causes = 0;
    let mut reached = 0;
    for report in left {
        match report.news {
            News::Final { end: End::Error { cause }, .. } => {
                assert!(cause.contains("measured, but") && cause.contains("full (64 KiB)"), "{cause}");
                causes += 1;
            }
            News::Gap { stream, epoch, from, to, reason } => {
                assert_eq!((stream, epoch, reason.as_str()), (STREAM, 1, FULL));
                assert_eq!(from, reached + 1);
                reached = to;
            }
            News::Stream(report) => {
                assert_eq!(report.sequence, reached + 1);
                reached = report.sequence;
            }
            news => panic!("{news:?}"),
        }
    }
    assert_eq!((causes, reached), (3, 100), "every number is there or told to be missing");
}

#[tokio::test]
async fn a_small_spool_tells_of_every_result_of_one_outage() {
    for (most, results) in [(LEAST, 30), (1 << 20, 256)] {
        let directory = tempfile::tempdir().unwrap();
        let spool = Spool::open(directory.path(), most, WORKER).unwrap();
        for number in 1..=results {
            spool.keep(result(number, 10_000)).await.unwrap();
            assert!(spool.bytes() <= most);
        }
        let told: Vec<u128> = drain(&spool)
            .await
            .iter()
            .map(|report| match &report.news {
                News::Final { operation_id, .. } => operation_id.as_u128(),
                news => panic!("{news:?}"),
            })
            .collect();
        assert_eq!(told, (1..=results).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn what_tells_of_losses_is_bounded_too() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(directory.path(), LEAST, WORKER).unwrap();
    for number in 1..=300 {
        spool.keep(result(number, 300)).await.unwrap();
        next_beat(&spool, 1, 1).await.unwrap();
        assert!(spool.bytes() <= LEAST + 4096, "{} after {number}", spool.bytes());
    }
    let mut reached = 0;
    for report in drain(&spool).await {
        match report.news {
            News::Gap { from, to, .. } => {
                assert!(from <= reached + 1, "{from} after {reached}");
                reached = to.max(reached);
            }
            News::Stream(report) if report.sequence > reached => {
                assert_eq!(report.sequence, reached + 1);
                reached = report.sequence;
            }
            _ => {}
        }
    }
    assert_eq!(reached, 300, "results may be forgotten, gaps are not");
}

#[tokio::test]
async fn an_oversized_report_is_refused_and_a_number_that_is_not_written_becomes_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(directory.path(), 1 << 24, WORKER).unwrap();
    assert!(matches!(spool.keep(result(1, LARGEST)).await, Err(SpoolError::TooLarge(_))));
    next_beat(&spool, 1, LARGEST).await.unwrap_err();
    next_beat(&spool, 1, 1).await.unwrap();
    let left = drain(&spool).await;
    assert!(matches!(left[0].news, News::Gap { from: 1, to: 1, .. }), "{left:?}");
    assert_eq!(left[1], beat(1, 2, 1));
}
