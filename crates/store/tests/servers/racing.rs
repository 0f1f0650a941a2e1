//! Several servers that write about the same operations at the same time.

use futures::future::join_all;
use jiff::Timestamp;
use netwark_model::messages::{End, Hello, Order};
use netwark_model::operations::Status;
use netwark_store::Store;
use netwark_store::operations::{Applied, Created, OperationDraft, ResultNews};
use netwark_store::workers::Arrival;
use serde_json::json;
use uuid::Uuid;

use super::{open, support};

pub(super) fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(super) fn draft(queue: &str, broadcast: bool) -> OperationDraft {
    OperationDraft {
        tool: "ping".into(),
        target: "192.0.2.1".into(),
        options_sent: None,
        options: json!({}),
        queues: vec![(queue.into(), broadcast)],
        same_workers_as: None,
        selector: None,
        take_within_ms: 60_000,
        run_within_ms: 30_000,
        created_by: "user admin".into(),
        idempotency: None,
    }
}

async fn servers() -> Option<[Store; 3]> {
    let url = support::postgres_url().await?;
    Some([open(&url).await, open(&url).await, open(&url).await])
}

#[tokio::test]
async fn one_key_makes_one_operation() {
    let Some(servers) = servers().await else { return };
    for round in 0..5 {
        let key = Some((format!("key {round}"), "hash".to_owned()));
        let asked = (0..60).map(|n| {
            let draft = OperationDraft { idempotency: key.clone(), ..draft("netwark", false) };
            servers[n % 3].create_operation(draft, now())
        });
        let mut new = Vec::new();
        let mut repeated = Vec::new();
        for created in join_all(asked).await {
            match created.unwrap() {
                Created::New { operation_id, .. } => new.push(operation_id),
                Created::Repeated { operation_id, .. } => repeated.push(operation_id),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(new.len(), 1);
        assert!(repeated.len() == 59 && repeated.iter().all(|id| *id == new[0]), "{repeated:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reports_that_cross_end_every_operation_once() {
    let Some(servers) = servers().await else { return };
    let mut workers = Vec::new();
    for n in 0..4 {
        let name = format!("worker {n}");
        let hello =
            Hello { name: name.clone(), queues: vec!["netwark.broadcast".into()], ..Hello::default() };
        let arrival = Arrival {
            id: Uuid::now_v7(),
            hello,
            unknown_queues: Vec::new(),
            link: "amqp",
            mark: 0,
            again: false,
            enter: true,
        };
        workers.push((arrival.id, name));
        servers[0].worker_hello(arrival, now()).await.unwrap();
    }
    let created = (0..50).map(|n| servers[n % 3].create_operation(draft("netwark.broadcast", true), now()));
    let mut reports = Vec::new();
    let mut operations = Vec::new();
    let mut notes = Vec::new();
    for created in join_all(created).await {
        let Created::New { operation_id, messages } = created.unwrap() else { panic!() };
        operations.push(operation_id);
        for message in &messages {
            let Order::Run(run) = &message.delivery.order else { panic!() };
            let holder =
                workers.iter().find(|worker| message.address.contains(&worker.0.to_string())).unwrap();
            reports.push((holder.clone(), operation_id, run.result_id));
        }
        notes.push(messages.into_iter().map(|message| message.id).collect::<Vec<_>>());
    }
    // Each server hears the reports in another order, and each report is heard by two; all of it at once.
    let mut said = Vec::new();
    for (place, server) in servers.iter().enumerate() {
        for n in 0..reports.len() {
            let step = [1, 67, 131][place];
            let at = (n * step) % reports.len();
            if (at + place) % 3 == 0 {
                continue;
            }
            let (worker, operation_id, result_id) = reports[at].clone();
            let end = ResultNews::Final(End::Done { payload: json!({ "n": n }) });
            said.push(server.apply_report(worker, operation_id, result_id, end, now()));
        }
    }
    let noted = notes.into_iter().enumerate().map(|(n, ids)| servers[n % 3].published(ids, now()));
    let (fates, noted, cancelled) =
        tokio::join!(join_all(said), join_all(noted), servers[1].cancel_operation(operations[7], now()));
    cancelled.unwrap();
    noted.into_iter().for_each(|noted| noted.unwrap());
    let changed =
        fates.into_iter().filter(|fate| matches!(fate.as_ref().unwrap(), Applied::Changed(_))).count();
    assert!(
        (reports.len() - 4..=reports.len()).contains(&changed),
        "{changed} results were ended by reports"
    );
    for id in operations {
        let detail = servers[2].operation_since(id, 0).await.unwrap().unwrap();
        assert!(detail.operation.status.is_final(), "{detail:?}");
        assert!(detail.results.iter().all(|result| result.status != Status::Pending));
    }
    assert!(
        servers[0]
            .unpublished(now(), 1000)
            .await
            .unwrap()
            .iter()
            .all(|message| { matches!(message.delivery.order, Order::Cancel { .. }) })
    );
}
