//! What standing orders bring.

use netwark_model::assignments::StreamReport;
use netwark_store::Store;
use netwark_store::events::EventFilter;
use netwark_store::streams::{StreamApplied, StreamNews};
use serde_json::json;
use uuid::Uuid;

use super::assignments::order;
use super::{at, enter};

/// A worker that holds an order, in epoch 1.
async fn holder(store: &Store) -> ((Uuid, String), Uuid) {
    store.declare_queues(&[]).await.unwrap();
    let worker = enter(store, "paris").await;
    let id = order(store, "all").await;
    store.place_assignments(at(60), at(0)).await.unwrap();
    (worker, id)
}

fn report(stream: Uuid, epoch: u64, sequence: u64) -> StreamReport {
    StreamReport { stream, epoch, sequence, at_ms: 5, body: json!({ "beat": sequence }) }
}

fn gap(stream: Uuid, from: u64, to: u64) -> StreamNews {
    StreamNews::Gap { stream, epoch: 1, from, to, reason: "spool full".into() }
}

/// The numbers that were applied, or none.
async fn say(store: &Store, worker: &(Uuid, String), news: StreamNews) -> Vec<u64> {
    match store.apply_stream(worker.clone(), news, at(1)).await.unwrap() {
        StreamApplied::Applied { reports, is_current: true, .. } => {
            reports.into_iter().map(|report| report.sequence).collect()
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn reports_are_applied_once_and_in_order(store: &Store) {
    let (worker, id) = holder(store).await;
    let one = |sequence| StreamNews::Report(report(id, 1, sequence));
    let apply = |news| store.apply_stream(worker.clone(), news, at(1));
    assert_eq!(say(store, &worker, one(1)).await, [1]);
    assert_eq!(apply(one(1)).await.unwrap(), StreamApplied::Known);
    assert_eq!(apply(one(4)).await.unwrap(), StreamApplied::Held);
    assert_eq!(apply(one(3)).await.unwrap(), StreamApplied::Held);
    assert_eq!(apply(one(3)).await.unwrap(), StreamApplied::Held);
    assert_eq!(say(store, &worker, one(2)).await, [2, 3, 4]);
    assert_eq!(apply(one(3)).await.unwrap(), StreamApplied::Known);
    let state = store.stream_state(worker.0, id, 1).await.unwrap().unwrap();
    assert_eq!((state.applied, state.received, state.missing), (4, 4, 0));

    let refused = [report(Uuid::now_v7(), 1, 1), report(id, 2, 1), report(id, 0, 1), report(id, 1, 0)];
    for report in refused {
        assert_eq!(apply(StreamNews::Report(report)).await.unwrap(), StreamApplied::Refused);
    }
    let rome = enter(store, "rome").await;
    let foreign = store.apply_stream(rome, one(5), at(1)).await.unwrap();
    assert_eq!(foreign, StreamApplied::Refused, "the epoch is another worker's");
}

pub(crate) async fn a_gap_leads_on_and_is_told(store: &Store) {
    let (worker, id) = holder(store).await;
    let one = |sequence| StreamNews::Report(report(id, 1, sequence));
    let apply = |news| store.apply_stream(worker.clone(), news, at(1));
    for early in [one(3), gap(id, 6, 8), one(9)] {
        assert_eq!(apply(early).await.unwrap(), StreamApplied::Held);
    }
    assert_eq!(say(store, &worker, gap(id, 1, 5)).await, [3, 9]);
    assert_eq!(apply(gap(id, 2, 5)).await.unwrap(), StreamApplied::Known);
    assert_eq!(apply(gap(id, 12, 11)).await.unwrap(), StreamApplied::Refused);
    assert_eq!(apply(gap(id, 10, u64::MAX)).await.unwrap(), StreamApplied::Refused);
    assert_eq!(say(store, &worker, one(10)).await, [10]);
    let state = store.stream_state(worker.0, id, 1).await.unwrap().unwrap();
    assert_eq!((state.applied, state.received, state.missing), (10, 3, 7));
    assert_eq!(state.gaps, [(1, 5, "spool full".to_owned()), (6, 8, "spool full".to_owned())]);
    let all = EventFilter { limit: 10, ..EventFilter::default() };
    let told = store.events(&all).await.unwrap().into_iter().filter(|event| event.kind == "spool_gap");
    let told: Vec<_> = told.map(|event| event.text).collect();
    assert_eq!(told.len(), 2);
    assert_eq!(
        told[1],
        format!("4 reports of paris to its standing order {id} are missing (1 to 5): spool full")
    );
}

pub(crate) async fn an_earlier_epoch_is_data_only(store: &Store) {
    let (paris, id) = holder(store).await;
    let rome = enter(store, "rome").await;
    store.worker_gone(paris.0, 0, at(50)).await.unwrap();
    store.place_assignments(at(160), at(61)).await.unwrap();
    let old = StreamNews::Report(report(id, 1, 1));
    let applied = store.apply_stream(paris.clone(), old, at(70)).await.unwrap();
    assert!(matches!(applied, StreamApplied::Applied { is_current: false, .. }));
    assert_eq!(say(store, &rome, StreamNews::Report(report(id, 2, 1))).await, [1]);
    let states = (store.stream_state(paris.0, id, 1).await, store.stream_state(rome.0, id, 2).await);
    assert_eq!((states.0.unwrap().unwrap().received, states.1.unwrap().unwrap().received), (1, 1));
}

pub(crate) async fn only_who_held_an_epoch_reports_of_it(store: &Store) {
    let (paris, id) = holder(store).await;
    let rome = enter(store, "rome").await;
    let oslo = enter(store, "oslo").await;
    store.worker_gone(oslo.0, 0, at(50)).await.unwrap();
    store.worker_gone(paris.0, 0, at(50)).await.unwrap();
    store.place_assignments(at(160), at(61)).await.unwrap();
    store.renew_epochs(rome.0).await.unwrap();
    let says = async |worker: &(Uuid, String), epoch| {
        let news = StreamNews::Report(report(id, epoch, 1));
        match store.apply_stream(worker.clone(), news, at(70)).await.unwrap() {
            StreamApplied::Applied { is_current, .. } => Some(is_current),
            StreamApplied::Refused => None,
            other => panic!("{other:?}"),
        }
    };
    // Paris held epoch 1, Rome 2 and 3, and Oslo never held any.
    let mut heard = Vec::new();
    for worker in [&paris, &rome, &oslo] {
        for epoch in 0..=4 {
            heard.push(says(worker, epoch).await);
        }
    }
    let (data, current) = (Some(false), Some(true));
    let expected =
        [[None, data, None, None, None], [None, None, data, current, None], [None, None, None, None, None]];
    assert_eq!(heard, expected.as_flattened());
    for epoch in 1..=3 {
        assert_eq!(store.stream_state(oslo.0, id, epoch).await.unwrap(), None, "nothing of it is stored");
    }
    store.remove_assignment(id).await.unwrap();
    assert_eq!(says(&paris, 1).await, None);
}

pub(crate) async fn two_servers_apply_at_once(store: &Store) {
    let (worker, id) = holder(store).await;
    let mut tasks = tokio::task::JoinSet::new();
    for sequence in (1..=40_u64).rev().chain(1..=40) {
        let (store, worker) = (store.clone(), worker.clone());
        let news = StreamNews::Report(report(id, 1, sequence));
        tasks.spawn(async move {
            match store.apply_stream(worker, news, at(1)).await.unwrap() {
                StreamApplied::Applied { reports, .. } => reports.len(),
                _ => 0,
            }
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().sum::<usize>(), 40, "each once");
    let state = store.stream_state(worker.0, id, 1).await.unwrap().unwrap();
    assert_eq!((state.applied, state.received, state.missing), (40, 40, 0));
}

pub(crate) async fn what_is_held_is_bounded(store: &Store) {
    let (worker, id) = holder(store).await;
    let apply =
        |sequence| store.apply_stream(worker.clone(), StreamNews::Report(report(id, 1, sequence)), at(1));
    assert_eq!(apply(10_000).await.unwrap(), StreamApplied::Held);
    assert_eq!(apply(10_001).await.unwrap(), StreamApplied::Full);
    assert_eq!(say(store, &worker, StreamNews::Report(report(id, 1, 1))).await, [1]);
    assert_eq!(apply(10_001).await.unwrap(), StreamApplied::Held);
}
