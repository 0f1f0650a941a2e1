//! Enrolling and managing workers, queues and the timeline through the API.

use std::time::Duration;

use crate::support::{Answer, TestApp, TestWorker};
use axum::http::StatusCode;
use netwark_bus::BusError;
use netwark_model::messages::{Alive, Hello, News, Order};
use netwark_model::workers::{SelfTest, ToolUsage, Worker};
use netwark_store::notices::Channel;
use serde_json::{Value, json};
use uuid::Uuid;

/// A server and the token of an administrator.
struct Office {
    app: TestApp,
    admin: String,
}

impl Office {
    async fn open() -> Self {
        let app = TestApp::new().await;
        let admin = app.admin().await;
        Self { app, admin }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        self.app.ask(&self.admin, method, path, &body).await
    }

    async fn enrolled(&self, body: Value) -> (Worker, String) {
        let made = self.ask("POST", "/workers", body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let made = made.json();
        (worker_of(&made["worker"]), made["token"].as_str().unwrap().to_owned())
    }

    async fn worker(&self, id: Uuid) -> Worker {
        worker_of(&self.app.get(&format!("/workers/{id}")).await.json())
    }

    /// The kinds of all events, newest first.
    async fn told(&self) -> Vec<String> {
        let events = self.app.get("/events").await.json();
        events.as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap().to_owned()).collect()
    }
}

fn worker_of(value: &Value) -> Worker {
    serde_json::from_value(value.clone()).unwrap()
}

fn fields(answer: &Answer) -> Vec<String> {
    let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_worker_is_enrolled_with_a_token_that_is_shown_once() {
    let office = Office::open().await;
    let body =
        json!({"name": "paris-1", "site": "paris", "country": "fr", "tags": ["dc"], "queues": ["broadcast"]});
    let made = office.ask("POST", "/workers", body).await;
    assert_eq!(made.headers["cache-control"], "no-store");
    let (made, worker) = (made.json(), worker_of(&made.json()["worker"]));
    assert_eq!((worker.state.as_str(), worker.country.as_str()), ("enrolled", "FR"));
    assert_eq!(worker.queues, ["netwark.broadcast"]);
    assert_eq!((worker.last_seen_at, worker.overrides.asn), (None, None));
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with(&format!("nww_{}_", worker.id.simple())), "{token}");
    for way in ["shell", "systemd", "docker", "compose"] {
        let command = made["commands"][way].as_str().unwrap();
        assert!(command.contains(token) && command.contains("http://127.0.0.1:6543"), "{command}");
    }
    assert!(!office.app.get("/workers").await.text.contains(token));
    assert_eq!(office.told().await, ["worker_enrolled"]);

    let twin = office.ask("POST", "/workers", json!({"name": " paris-1 "})).await;
    assert_eq!((twin.status, fields(&twin)), (StatusCode::CONFLICT, vec!["name".into()]));
    let skipped = office
        .app
        .post("/operations", json!({"type": "echo", "target": "x", "queues": ["broadcast"]}).to_string());
    assert_eq!(skipped.await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn bad_input_is_named_field_by_field() {
    let office = Office::open().await;
    let bad = json!({"name": "", "asn": -1, "country": "FRA", "coordinates": {"latitude": 91, "longitude": 0},
        "tags": [""], "queues": ["nowhere"], "public_key": "x"});
    for path in ["/workers", "/workers/pairings"] {
        let answer = office.ask("POST", path, bad.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        let expected =
            ["name", "coordinates.latitude", "country", "asn", "tags[0]", "queues[0]", "public_key"];
        assert_eq!(fields(&answer), expected, "{path}");
        for (body, field) in [
            (json!({}), "name"),
            (json!({"name": 1}), "name"),
            (json!({"name": "x", "nane": "x"}), "nane"),
            (json!({"name": "x", "tags": "y"}), "tags"),
        ] {
            let answer = office.ask("POST", path, body).await;
            assert_eq!((answer.status, fields(&answer)), (StatusCode::BAD_REQUEST, vec![field.into()]));
        }
    }
    let nobody = Uuid::now_v7();
    for (method, path, body) in [
        ("GET", format!("/workers/{nobody}"), Value::Null),
        ("PATCH", format!("/workers/{nobody}"), json!({"site": "x"})),
        ("DELETE", format!("/workers/{nobody}"), Value::Null),
        ("POST", format!("/workers/{nobody}/token"), Value::Null),
        ("POST", format!("/workers/{nobody}/revoke"), Value::Null),
        ("POST", format!("/workers/{nobody}/drain"), json!({"draining": true})),
    ] {
        assert_eq!(office.ask(method, &path, body).await.status, StatusCode::NOT_FOUND, "{method} {path}");
    }
    assert_eq!(fields(&office.ask("GET", "/workers/x", Value::Null).await), ["id"]);
    assert_eq!(office.told().await, Vec::<String>::new());
}

#[tokio::test]
async fn of_two_that_want_a_name_one_gets_it() {
    let office = Office::open().await;
    let make = || office.ask("POST", "/workers", json!({"name": "paris-1"}));
    let (one, two, three) = futures::join!(make(), make(), make());
    let mut statuses = [one.status, two.status, three.status].map(|status| status.as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409]);
    assert_eq!(office.app.get("/workers").await.json().as_array().unwrap().len(), 1);
    let both = office.ask("POST", "/workers", json!({"name": "PARIS-1", "country": "FRA"})).await;
    assert_eq!(fields(&both), ["name", "country"]);
}

#[tokio::test]
async fn a_code_is_exchanged_once() {
    let office = Office::open().await;
    let started = office.ask("POST", "/workers/pairings", json!({"name": "paris-1", "site": "paris"})).await;
    assert_eq!(started.status, StatusCode::CREATED, "{}", started.text);
    let started = started.json();
    let code = started["code"].as_str().unwrap().to_owned();
    assert!(started["command"].as_str().unwrap().ends_with(&code));
    assert_eq!(started["worker"]["state"], "enrolled");
    assert_eq!(office.told().await, Vec::<String>::new());

    let typed = code.to_lowercase().replace('-', " ");
    let exchange = || office.app.ask("", "POST", "/workers/pair", &Value::Null);
    assert_eq!(exchange().await.status, StatusCode::UNAUTHORIZED, "an empty token is no token");
    let pair = || pair(&office.app, &typed);
    let (one, two) = futures::join!(pair(), pair());
    let (right, wrong) = if one.status == StatusCode::OK { (one, two) } else { (two, one) };
    assert_eq!((right.status, wrong.status), (StatusCode::OK, StatusCode::FORBIDDEN), "{}", wrong.text);
    let paired = right.json();
    assert_eq!((&paired["worker_id"], &paired["name"]), (&started["worker"]["id"], &json!("paris-1")));
    assert_eq!(office.told().await, ["worker_enrolled"]);
    let token = paired["token"].as_str().unwrap();
    let refused = office.app.ask(token, "GET", "/workers", &Value::Null).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "a worker's token opens nothing else");
}

/// Exchanges a code as a worker does, without a token.
async fn pair(app: &TestApp, code: &str) -> Answer {
    use axum::body::Body;
    use axum::http::Request;
    let request = Request::post("/api/v1/workers/pair").header("content-type", "application/json");
    // Any other scheme than Bearer is none of ours.
    let request = request.header("authorization", "Basic eA==");
    app.answer(request.body(Body::from(json!({ "code": code }).to_string())).unwrap()).await
}

#[tokio::test]
async fn codes_cannot_be_guessed() {
    let office = Office::open().await;
    let statuses = async {
        let mut statuses = Vec::new();
        for code in ["AAAA-AAAA", "", "0000-0000", "BBBBBBBB", "CCCC-CCCC", "DDDD-DDDD"] {
            statuses.push(pair(&office.app, code).await);
        }
        statuses
    };
    let answers = statuses.await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [403, 403, 403, 403, 403, 429]);
    assert!(answers[5].headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() >= 1);
}

#[tokio::test]
async fn what_an_administrator_sets_wins_until_it_is_given_back() {
    let office = Office::open().await;
    let mut paris = TestWorker::new(&office.app, "paris").await;
    let path = format!("/workers/{}", paris.id);
    let change = json!({"name": "paris-1", "site": "TH2", "asn": 64500, "tags": [], "queues": ["netwark"]});
    let changed = office.ask("PATCH", &path, change).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
    assert_eq!(paris.order().await, Order::Introduce);
    let worker = office.worker(paris.id).await;
    assert_eq!((worker.name.as_str(), worker.site.as_str(), worker.asn), ("paris-1", "TH2", Some(64500)));
    assert_eq!((worker.location.as_str(), worker.tags.len()), ("Bench 3", 0));
    assert_eq!(worker.queues, ["netwark"]);
    assert_eq!(office.app.get("/management/backend/queues").await.json()[1]["workers"], 0);

    paris.report(News::Hello(Box::new(TestWorker::hello("paris", false)))).await.unwrap();
    let Order::Welcome(welcome) = paris.order().await else { unreachable!("hello is answered") };
    assert_eq!((welcome.name.as_str(), welcome.queues), ("paris-1", vec!["netwark".to_owned()]));
    assert_eq!(office.worker(paris.id).await.name, "paris-1");

    let back = office.ask("PATCH", &path, json!({"name": null, "site": null, "queues": null})).await;
    let worker = worker_of(&back.json());
    assert_eq!((worker.name.as_str(), worker.site.as_str()), ("paris", "lab"));
    assert_eq!((worker.asn, worker.overrides.tags, worker.queues.len()), (Some(64500), Some(Vec::new()), 2));

    let (lyon, _) = office.enrolled(json!({"name": "lyon"})).await;
    let path = format!("/workers/{}", lyon.id);
    for name in [json!("paris"), Value::Null] {
        let refused = office.ask("PATCH", &path, json!({ "name": name })).await;
        assert_eq!((refused.status, fields(&refused)), (StatusCode::CONFLICT, vec!["name".into()]));
    }
    let bad = office.ask("PATCH", &path, json!({"country": "F", "nothing": 1})).await;
    assert_eq!((bad.status, fields(&bad)), (StatusCode::BAD_REQUEST, vec!["nothing".into()]));
}

#[tokio::test]
async fn a_worker_that_drains_gets_nothing_new() {
    let office = Office::open().await;
    let mut paris = TestWorker::new(&office.app, "paris").await;
    let path = format!("/workers/{}/drain", paris.id);
    let drained = office.ask("POST", &path, json!({"draining": true})).await;
    assert_eq!(drained.json()["state"], "draining");
    assert_eq!(paris.order().await, Order::Drain { draining: true, revision: 1 });
    let echo = json!({"type": "echo", "target": "x", "queues": ["broadcast"]});
    assert_eq!(office.app.post("/operations", echo.to_string()).await.status, StatusCode::CONFLICT);
    office.ask("POST", &path, json!({"draining": false})).await;
    assert_eq!(paris.order().await, Order::Drain { draining: false, revision: 2 });

    // The worker says so itself as well; saying it again changes nothing.
    for draining in [true, true, false] {
        paris.report(News::Alive(wants_to_drain(draining, 2))).await.unwrap();
        let state = if draining { "draining" } else { "online" };
        assert_eq!(office.worker(paris.id).await.state.as_str(), state);
    }
    let told = office.told().await;
    let expected = ["worker_resumed", "worker_drained", "worker_resumed", "worker_drained", "worker_online"];
    assert_eq!(told, expected);
    let bad = office.ask("POST", &path, json!({"draining": "yes"})).await;
    assert_eq!(fields(&bad), ["draining"]);
}

/// What a worker says that follows the order of this revision.
fn wants_to_drain(draining: bool, followed: u64) -> Alive {
    Alive { draining: Some(draining), drain_revision: Some(followed), ..Alive::default() }
}

#[tokio::test]
async fn an_order_to_drain_that_was_not_heard_is_said_again() {
    let office = Office::open().await;
    let mut paris = TestWorker::new(&office.app, "paris").await;
    // As the command line does it: in the database alone.
    for (draining, revision) in [(true, 1), (false, 2)] {
        office
            .app
            .app
            .store
            .drain_worker(paris.id, draining, "the shell", jiff::Timestamp::now())
            .await
            .unwrap();
        office.app.app.store.notify(Channel::Workers, &paris.id.to_string()).await.unwrap();
        let told = Order::Drain { draining, revision };
        // A notice needs its time; the worker goes on to say what it follows.
        loop {
            paris.report(News::Alive(wants_to_drain(true, revision - 1))).await.unwrap();
            let waiting = tokio::time::timeout(Duration::from_millis(100), paris.order());
            if let Ok(order) = waiting.await {
                assert_eq!(order, told);
                break;
            }
        }
        let state = if draining { "draining" } else { "online" };
        assert_eq!(
            office.worker(paris.id).await.state.as_str(),
            state,
            "what it said is older than the order"
        );
    }
    paris.report(News::Alive(wants_to_drain(true, 2))).await.unwrap();
    assert_eq!(office.worker(paris.id).await.state.as_str(), "draining", "and this is not");
}

#[tokio::test]
async fn what_was_ordered_while_a_worker_was_away_is_in_its_welcome() {
    let office = Office::open().await;
    let mut paris = TestWorker::new(&office.app, "paris").await;
    paris.report(News::Alive(wants_to_drain(true, 0))).await.unwrap();
    paris.report(News::Goodbye).await.unwrap();
    let path = format!("/workers/{}/drain", paris.id);
    office.ask("POST", &path, json!({"draining": false})).await;
    let back = Hello { draining: true, drain_revision: Some(0), ..TestWorker::hello("paris", false) };
    paris.report(News::Hello(Box::new(back))).await.unwrap();
    match paris.order().await {
        Order::Welcome(welcome) => {
            assert_eq!((welcome.draining, welcome.drain_revision), (false, 1));
            assert_eq!(
                welcome.listen,
                Some(vec!["netwark".to_owned()]),
                "only direct queues have an address"
            );
        }
        other => unreachable!("{other:?}"),
    }
    assert_eq!(office.worker(paris.id).await.state.as_str(), "online");
}

#[tokio::test]
async fn who_asks_is_told_the_time() {
    let office = Office::open().await;
    let mut paris = TestWorker::new(&office.app, "paris").await;
    paris.report(News::Alive(Alive { asks_time: true, ..Alive::default() })).await.unwrap();
    match paris.order().await {
        Order::Time { heard_at_ms, server_time_ms, .. } => assert!(heard_at_ms <= server_time_ms),
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refusal_waits_for_nobody_where_the_link_says_it() {
    let office = Office::open().await;
    let mut paris = TestWorker::silent(&office.app, Uuid::now_v7());
    let wrong = Hello { queues: vec!["nosuch".into()], ..TestWorker::hello("paris", false) };
    let refused = paris.report(News::Hello(Box::new(wrong))).await;
    assert!(
        matches!(&refused, Err(BusError::Refused(why)) if why.contains("'nosuch' is no queue")),
        "{refused:?}"
    );
    paris.report(News::Hello(Box::new(TestWorker::hello("paris", false)))).await.unwrap();
    assert!(
        matches!(paris.order().await, Order::Welcome(_)),
        "the first it hears is about the corrected hello"
    );
}

#[tokio::test]
async fn a_revoked_worker_is_heard_no_more() {
    let office = Office::open().await;
    let mut paris = TestWorker::new(&office.app, "paris").await;
    let body = json!({"type": "echo", "target": "x", "queues": ["broadcast", "netwark"]});
    let id = office.app.operation(body).await;
    let first = paris.take().await;
    paris.started(&first).await;

    let revoked = office.ask("POST", &format!("/workers/{}/revoke", paris.id), Value::Null).await;
    assert_eq!(revoked.json()["state"], "revoked");
    match paris.order().await {
        Order::Unwelcome(unwelcome) => assert!(unwelcome.revoked, "{unwelcome:?}"),
        other => unreachable!("{other:?}"),
    }
    let detail = office.app.get(&format!("/operations/{id}")).await.json();
    let results = detail["results"].as_array().unwrap();
    let own = results.iter().find(|result| result["queue"] == "netwark.broadcast").unwrap();
    assert_eq!(
        (&own["status"], &own["payload"]["cause"]),
        (&json!("error"), &json!("the worker was revoked"))
    );
    let direct = results.iter().find(|result| result["queue"] == "netwark").unwrap();
    assert!(["pending", "progress"].contains(&direct["status"].as_str().unwrap()), "{direct}");

    let hello = News::Hello(Box::new(TestWorker::hello("paris", false)));
    for news in [News::Alive(Alive::default()), News::Goodbye, hello] {
        let refused = paris.report(news).await;
        assert!(matches!(&refused, Err(BusError::Refused(why)) if why.contains("revoked")), "{refused:?}");
        assert!(matches!(paris.order().await, Order::Unwelcome(unwelcome) if unwelcome.revoked));
    }
    let result_id = first.result_id;
    let progress = News::Progress { operation_id: first.operation_id, result_id, payload: json!({}) };
    assert!(matches!(paris.report(progress).await, Err(BusError::Refused(_))));
    assert!(!office.worker(paris.id).await.online);

    let taken = office.ask("POST", "/workers", json!({"name": "paris"})).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert!(taken.json()["detail"].as_str().unwrap().contains("delete it"), "{}", taken.text);
    for (method, path) in [("POST", "token"), ("POST", "drain")] {
        let path = format!("/workers/{}/{path}", paris.id);
        let refused = office.ask(method, &path, json!({"draining": true})).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{path}");
    }
    let gone = office.ask("DELETE", &format!("/workers/{}", paris.id), Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    office.enrolled(json!({"name": "paris"})).await;
    let detail = office.app.get(&format!("/operations/{id}")).await.json();
    assert!(detail.to_string().contains("\"paris\""), "what it measured keeps its name");
}

#[tokio::test]
async fn what_a_worker_tested_and_used_is_shown_and_bounded() {
    let office = Office::open().await;
    let paris = TestWorker::new(&office.app, "paris").await;
    let test = |what: &str, passed| {
        let takes_away = vec!["x".repeat(1_000); 200];
        SelfTest { what: what.into(), passed, detail: "no\nanswer".into(), takes_away, ..SelfTest::default() }
    };
    let used = |tool: &str, bytes_sent| ToolUsage {
        tool: tool.into(),
        month: "2026-11".into(),
        bytes_sent,
        bytes_received: 0,
    };
    let alive = Alive {
        self_test: vec![test("DNS", false), test("DNS", true), test("ICMP", true)],
        usage: (0..500).map(|at| used(&format!("tool {}", at % 150), at)).collect(),
        ..Alive::default()
    };
    paris.report(News::Alive(alive)).await.unwrap();
    let worker = office.worker(paris.id).await;
    let tests: Vec<_> = worker.self_test.iter().map(|test| (test.what.as_str(), test.passed)).collect();
    assert_eq!(tests, [("DNS", false), ("ICMP", true)], "each thing is tried once");
    let SelfTest { detail, takes_away, .. } = &worker.self_test[0];
    assert_eq!((detail.as_str(), takes_away.len(), takes_away[0].len()), ("noanswer", 100, 500));
    assert_eq!((worker.usage.len(), &worker.usage[99]), (100, &used("tool 99", 99)));
}

#[tokio::test]
async fn only_who_is_not_here_is_deleted() {
    let office = Office::open().await;
    let paris = TestWorker::new(&office.app, "paris").await;
    let path = format!("/workers/{}", paris.id);
    let refused = office.ask("DELETE", &path, Value::Null).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    paris.report(News::Goodbye).await.unwrap();
    assert_eq!(office.ask("DELETE", &path, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(office.ask("DELETE", &path, Value::Null).await.status, StatusCode::NOT_FOUND);
    let embedded = TestWorker::with_id(&office.app, "here", Uuid::now_v7(), true).await;
    for way in ["revoke", "token"] {
        let refused = office.ask("POST", &format!("/workers/{}/{way}", embedded.id), Value::Null).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{way}");
    }
}

#[tokio::test]
async fn a_token_dies_when_another_takes_its_place() {
    let office = Office::open().await;
    let (worker, first) = office.enrolled(json!({"name": "paris-1"})).await;
    let key = json!({"public_key": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="});
    let set = async |token: &str| office.app.ask(token, "PUT", "/worker/key", &key).await.status;
    assert_eq!(set(&first).await, StatusCode::NO_CONTENT);
    assert!(office.worker(worker.id).await.has_key);

    let rotated = office.ask("POST", &format!("/workers/{}/token", worker.id), Value::Null).await;
    let second = rotated.json()["token"].as_str().unwrap().to_owned();
    assert_eq!((set(&first).await, set(&second).await), (StatusCode::UNAUTHORIZED, StatusCode::NO_CONTENT));
    let wrong = json!({"public_key": "AAAA"});
    assert_eq!(fields(&office.app.ask(&second, "PUT", "/worker/key", &wrong).await), ["public_key"]);

    office.ask("POST", &format!("/workers/{}/revoke", worker.id), Value::Null).await;
    let refused = office.app.ask(&second, "PUT", "/worker/key", &key).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json()["type"], "urn:netwark:problem:worker-revoked");
    assert_eq!(set("nww_x").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn queues_of_administrators_come_and_go() {
    let office = Office::open().await;
    let queues = "/management/backend/queues";
    let made = office.ask("POST", queues, json!({"queue": "paris", "name": "Paris"})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let expected = json!({"queue": "netwark.paris", "name": "Paris", "location": "", "broadcast": false,
        "builtin": false, "origin": "ui", "workers": 0, "online": 0});
    assert_eq!(made.json(), expected);
    for (body, field) in [
        (json!({"queue": "a b"}), "queue"),
        (json!({"queue": ""}), "queue"),
        (json!({"queue": "all"}), "queue"),
        (json!({"queue": "-paris"}), "queue"),
        (json!({"queue": "x".repeat(201)}), "queue"),
        (json!({"queue": "lyon", "location": "x".repeat(101)}), "location"),
        (json!({"queue": "lyon", "name": "a\u{7}"}), "name"),
    ] {
        let bad = office.ask("POST", queues, body).await;
        assert_eq!((bad.status, fields(&bad)), (StatusCode::BAD_REQUEST, vec![field.into()]));
    }
    for name in ["netwark.paris", "netwark", "broadcast"] {
        let taken = office.ask("POST", queues, json!({ "queue": name })).await;
        assert_eq!((taken.status, fields(&taken)), (StatusCode::CONFLICT, vec!["queue".into()]), "{name}");
    }

    let mut paris = TestWorker::new(&office.app, "paris").await;
    let path = format!("/workers/{}", paris.id);
    office.ask("PATCH", &path, json!({"queues": ["PARIS", "netwark"]})).await;
    assert_eq!(paris.order().await, Order::Introduce);
    let id = office.app.operation(json!({"type": "echo", "target": "x", "queues": ["Paris"]})).await;
    for (method, body) in [("PATCH", json!({"broadcast": true})), ("DELETE", Value::Null)] {
        let busy = office.ask(method, &format!("{queues}/paris"), body).await;
        assert_eq!(busy.status, StatusCode::CONFLICT, "{method} {}", busy.text);
    }
    let label =
        office.ask("PATCH", &format!("{queues}/paris"), json!({"name": "TH2", "location": "13e"})).await;
    assert_eq!((label.json()["name"].clone(), label.json()["workers"].clone()), (json!("TH2"), json!(1)));
    assert_eq!(office.app.post(&format!("/operations/{id}/cancel"), "").await.status, StatusCode::OK);
    let broadcast = office.ask("PATCH", &format!("{queues}/netwark.paris"), json!({"broadcast": true})).await;
    assert_eq!(broadcast.json()["broadcast"], true);
    assert_eq!(paris.order().await, Order::Introduce);

    let deleted = office.ask("DELETE", &format!("{queues}/netwark.PARIS"), Value::Null).await;
    assert_eq!(deleted.json(), json!({"queue": "netwark.paris", "workers": 1}));
    let worker = office.worker(paris.id).await;
    assert_eq!((worker.queues.len(), worker.overrides.queues), (1, Some(vec!["netwark".to_owned()])));
    for (name, status) in [("paris", 404), ("netwark", 409), ("a%20b", 400)] {
        let refused = office.ask("DELETE", &format!("{queues}/{name}"), Value::Null).await;
        assert_eq!(refused.status.as_u16(), status, "{name} {}", refused.text);
    }
}

#[tokio::test]
async fn a_queue_that_is_gone_does_not_turn_its_workers_away() {
    let office = Office::open().await;
    let queues = "/management/backend/queues";
    office.ask("POST", queues, json!({"queue": "paris", "broadcast": true})).await;
    let mut stranger = TestWorker::silent(&office.app, Uuid::now_v7());
    let hello = |queue: &str| {
        let mut hello = TestWorker::hello("paris", false);
        hello.queues.push(queue.into());
        News::Hello(Box::new(hello))
    };
    let refused = stranger.report(hello("netwark.lyon")).await;
    assert!(matches!(&refused, Err(BusError::Refused(why)) if why.contains("netwark.lyon")), "{refused:?}");

    stranger.report(hello("netwark.paris")).await.unwrap();
    assert!(matches!(stranger.order().await, Order::Welcome(welcome) if welcome.queues.len() == 3));
    office.ask("DELETE", &format!("{queues}/paris"), Value::Null).await;
    assert_eq!(stranger.order().await, Order::Introduce);
    stranger.report(hello("netwark.paris")).await.unwrap();
    let Order::Welcome(welcome) = stranger.order().await else { panic!("it is welcome without the queue") };
    assert_eq!((welcome.queues.len(), welcome.unknown_queues), (2, vec!["netwark.paris".to_owned()]));
    let path = format!("/workers/{}", stranger.id);
    office.ask("PATCH", &path, json!({"site": "th2"})).await;
    assert_eq!(stranger.order().await, Order::Introduce);
    assert_eq!(office.worker(stranger.id).await.unknown_queues, ["netwark.paris"], "a change keeps it");

    office.ask("POST", queues, json!({"queue": "Paris", "broadcast": true})).await;
    assert_eq!(stranger.order().await, Order::Introduce, "what it asked for is there now");
    stranger.report(hello("netwark.paris")).await.unwrap();
    assert!(matches!(stranger.order().await, Order::Welcome(welcome) if welcome.unknown_queues.is_empty()));
    let worker = office.worker(stranger.id).await;
    assert_eq!((worker.queues.len(), worker.unknown_queues.len()), (3, 0));
}

#[tokio::test]
async fn the_timeline_is_filtered_and_paged() {
    let office = Office::open().await;
    let mut ids = Vec::new();
    for name in ["paris", "lyon", "nice"] {
        let worker = TestWorker::new(&office.app, name).await;
        worker.report(News::Goodbye).await.unwrap();
        ids.push(worker.id);
    }
    let all = office.app.get("/events").await;
    assert!(!all.headers.contains_key("link"));
    let all = all.json();
    assert_eq!(all.as_array().unwrap().len(), 6);
    assert_eq!(all[0]["text"], "nice was stopped");
    assert_eq!((&all[0]["worker"], &all[0]["severity"]), (&json!("nice"), &json!("info")));

    let mut path = "/events?per_page=4&severity=".to_owned();
    let mut read = Vec::new();
    loop {
        let page = office.app.get(&path).await;
        read.extend(page.json().as_array().unwrap().clone());
        let Some(link) = page.headers.get("link") else { break };
        let link = link.to_str().unwrap();
        path = link.trim_start_matches("</api/v1").split('>').next().unwrap().to_owned();
    }
    assert_eq!(Value::from(read), all);
    let lyon = office.app.get(&format!("/events?worker={}&severity=ok", ids[1])).await.json();
    assert_eq!(
        lyon.as_array().unwrap().iter().map(|e| e["kind"].clone()).collect::<Vec<_>>(),
        ["worker_online"]
    );
    let both = office.app.get("/events?severity=ok,info&severity=alert").await.json();
    assert_eq!(both.as_array().unwrap().len(), 6);
    for (query, field) in [
        ("worker=x", "worker"),
        ("before=1", "before"),
        ("severity=bad", "severity"),
        ("per_page=0", "per_page"),
        ("page=1", "page"),
    ] {
        let bad = office.app.get(&format!("/events?{query}")).await;
        assert_eq!((bad.status, fields(&bad)), (StatusCode::BAD_REQUEST, vec![field.into()]), "{query}");
    }
}
