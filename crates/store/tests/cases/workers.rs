//! Workers and queues.

use netwark_model::messages::{Alive, Hello};
use netwark_model::queues::QueueDefinition;
use netwark_model::workers::{SelfTest, WorkerState};
use netwark_store::Store;
use netwark_store::events::EventFilter;
use netwark_store::workers::{Arrival, Edit, Greeting, Presence};
use uuid::Uuid;

use super::{arrival, at, enter, hello};

pub(crate) async fn hello_makes_a_member_and_silence_ends_it(store: &Store) {
    store.declare_queues(&[]).await.unwrap();
    let (id, _) = enter(store, "paris").await;
    let queues = store.queues().await.unwrap();
    assert_eq!(queues.iter().map(|q| (q.workers, q.online)).collect::<Vec<_>>(), [(1, 1), (1, 1)]);

    let alive = |running| Alive { running, load: Some(0.5), ..Alive::default() };
    assert_eq!(store.worker_alive(id, alive(3), 0, at(10)).await.unwrap(), Presence::Known);
    assert_eq!(store.workers().await.unwrap()[0].running, 3);
    assert_eq!(store.worker_lost(id, at(9), at(10)).await.unwrap(), None, "it was heard of since");
    assert!(store.workers_silent_since(at(10), at(11)).await.unwrap().is_empty());
    assert_eq!(store.workers_silent_since(at(11), at(61)).await.unwrap(), ["paris"]);
    assert!(!store.workers().await.unwrap()[0].online);
    assert_eq!(store.queues().await.unwrap()[1].online, 0);

    store.worker_hello(arrival(id, hello("paris", &["netwark"])), at(70)).await.unwrap();
    assert_eq!(store.worker_lost(id, at(71), at(81)).await.unwrap().as_deref(), Some("paris"));
    store.worker_hello(arrival(id, hello("paris", &["netwark"])), at(82)).await.unwrap();
    let queues = store.queues().await.unwrap();
    assert_eq!(queues.iter().map(|q| (q.workers, q.online)).collect::<Vec<_>>(), [(1, 1), (0, 0)]);
    store.worker_gone(id, 0, at(83)).await.unwrap();
    let worker = &store.workers().await.unwrap()[0];
    assert_eq!((worker.online, worker.state), (false, WorkerState::Offline));
    assert_eq!(store.worker_alive(Uuid::now_v7(), alive(0), 0, at(30)).await.unwrap(), Presence::Unknown);

    let all = EventFilter { limit: 10, ..EventFilter::default() };
    let told: Vec<_> = store.events(&all).await.unwrap().into_iter().map(|event| event.text).collect();
    assert_eq!(
        told,
        [
            "paris was stopped",
            "paris is online",
            "paris is offline: its link was lost, nothing heard for 11 s",
            "paris is online",
            "paris is offline: nothing heard for 51 s",
            "paris is online"
        ]
    );
}

pub(crate) async fn what_is_said_again_is_recognised(store: &Store) {
    store.declare_queues(&[]).await.unwrap();
    let id = Uuid::now_v7();
    let hello = |mark| Arrival { mark, ..arrival(id, hello("paris", &["netwark"])) };
    let given_out_again = || Arrival { again: true, ..hello(10) };
    assert!(matches!(store.worker_hello(hello(10), at(0)).await.unwrap(), Greeting::Welcome { .. }));
    let greeting = store.worker_hello(given_out_again(), at(0)).await.unwrap();
    assert!(matches!(greeting, Greeting::Welcome { .. }), "the answer may not have been sent");
    assert_eq!(store.worker_hello(hello(10), at(0)).await.unwrap(), Greeting::Replayed);
    assert_eq!(store.worker_alive(id, Alive::default(), 11, at(1)).await.unwrap(), Presence::Known);
    assert_eq!(store.worker_gone(id, 11, at(2)).await.unwrap(), Presence::Replayed);
    assert_eq!(store.worker_hello(hello(10), at(3)).await.unwrap(), Greeting::Replayed);
    assert_eq!(store.worker_hello(given_out_again(), at(3)).await.unwrap(), Greeting::Replayed);
    assert!(store.workers().await.unwrap()[0].online);
    let stranger = Arrival { id: Uuid::now_v7(), enter: false, ..hello(1) };
    assert_eq!(store.worker_hello(stranger, at(4)).await.unwrap(), Greeting::Unknown);
}

pub(crate) async fn what_a_worker_says_stays_known_beside_what_is_set(store: &Store) {
    store.declare_queues(&[]).await.unwrap();
    let (id, _) = enter(store, "paris").await;
    let said = store.worker(id).await.unwrap().unwrap().declared.unwrap();
    assert_eq!(said.name.as_deref(), Some("paris"));
    let set = |site: Option<&str>| -> Edit {
        let site = site.map(str::to_owned);
        Box::new(move |overrides| overrides.site = site)
    };
    let worker = store.change_worker(id, set(Some("th2")), "user admin", at(1)).await.unwrap().unwrap();
    assert_eq!((worker.site.as_str(), worker.overrides.site.as_deref()), ("th2", Some("th2")));
    assert_eq!(worker.declared.as_ref(), Some(&said), "what it says is not touched");
    let worker = store.change_worker(id, set(None), "user admin", at(1)).await.unwrap().unwrap();
    assert_eq!((Some(worker.site), worker.overrides.site), (said.site, None));
}

pub(crate) async fn what_a_worker_finds_out_later_replaces_what_its_hello_said(store: &Store) {
    store.declare_queues(&[]).await.unwrap();
    let test = |passed| vec![SelfTest { what: "DNS".into(), passed, ..SelfTest::default() }];
    let id = Uuid::now_v7();
    let hello = Hello { self_test: test(false), ..hello("paris", &["netwark"]) };
    store.worker_hello(arrival(id, hello), at(0)).await.unwrap();
    let found = || async { store.worker(id).await.unwrap().unwrap().self_test };
    assert_eq!(found().await, test(false));
    store.worker_alive(id, Alive { self_test: test(true), ..Alive::default() }, 0, at(1)).await.unwrap();
    assert_eq!(found().await, test(true));
    store.worker_alive(id, Alive::default(), 0, at(2)).await.unwrap();
    assert_eq!(found().await, test(false), "nothing said means as the hello said");
}

pub(crate) async fn no_two_names_differ_in_case_alone(store: &Store) {
    enter(store, "paris").await;
    let error = store.worker_hello(arrival(Uuid::now_v7(), hello("paris", &[])), at(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "another worker is named 'paris'");
    let error = store.worker_hello(arrival(Uuid::now_v7(), hello("PARIS", &[])), at(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "another worker is named 'PARIS'");
    assert_eq!(store.workers().await.unwrap().len(), 1);
    assert_eq!(store.worker_named("Paris").await.unwrap().unwrap().name, "paris");
    enter(store, "pariš").await;
    enter(store, "PARIŠ").await;
}

pub(crate) async fn queues_are_declared_anew(store: &Store) {
    let queue = |name: &str, broadcast| QueueDefinition {
        name: name.into(),
        label: None,
        location: "here".into(),
        broadcast,
    };
    store.declare_queues(&[queue("paris", true), queue("netwark.lyon", false)]).await.unwrap();
    store.declare_queues(&[queue("lyon", true)]).await.unwrap();
    let queues = store.queues().await.unwrap();
    let names: Vec<_> = queues.iter().map(|q| (q.queue.as_str(), q.broadcast, q.builtin)).collect();
    assert_eq!(
        names,
        [("netwark", false, true), ("netwark.broadcast", true, true), ("netwark.lyon", true, false)]
    );
    assert_eq!(store.queue_kinds().await.unwrap().get("netwark.lyon"), Some(("netwark.lyon", true)));
    store.declare_queues(&[queue("LYON", false)]).await.unwrap();
    let lyon = store.queue("netwark.Lyon").await.unwrap().unwrap();
    assert_eq!((lyon.queue.as_str(), lyon.broadcast), ("netwark.lyon", false));
    assert!(store.declare_queues(&[queue("a,b", false)]).await.is_err());
}
