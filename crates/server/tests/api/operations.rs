//! Operations over the API, with a worker played by the test.

use crate::support::{TestApp, TestWorker};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use netwark_bus::BusError;
use netwark_model::messages::News;
use serde_json::{Value, json};
use uuid::Uuid;

fn echo() -> Value {
    json!({"type": "echo", "target": "example.org", "options": {"repeat": 2}})
}

/// What differs from run to run is replaced by its kind.
fn settled(mut value: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(map) => map.values_mut().for_each(walk),
            Value::Array(items) => items.iter_mut().for_each(walk),
            Value::String(text) if Uuid::try_parse(text).is_ok() => *text = "[id]".into(),
            Value::String(text) if text.parse::<jiff::Timestamp>().is_ok() => *text = "[time]".into(),
            Value::String(text) if text.starts_with("token test-") => *text = "token test".into(),
            _ => {}
        }
    }
    walk(&mut value);
    value
}

#[tokio::test]
async fn an_operation_from_post_to_done() {
    let app = TestApp::new().await;
    let mut worker = TestWorker::new(&app, "paris").await;
    let made = app.post("/operations", echo().to_string()).await;
    assert_eq!(made.status, StatusCode::CREATED);
    insta::assert_json_snapshot!("created", settled(made.json()));
    let location = made.headers["location"].to_str().unwrap().strip_prefix("/api/v1").unwrap().to_owned();

    let order = worker.take().await;
    assert_eq!((order.tool.as_str(), order.target.as_str()), ("echo", "example.org"));
    assert_eq!(order.options, json!({"repeat": 2, "loud": false}));
    worker.started(&order).await;
    let (operation_id, result_id) = (order.operation_id, order.result_id);
    worker.report(News::Progress { operation_id, result_id, payload: json!({"said": 1}) }).await.unwrap();
    insta::assert_json_snapshot!("in_progress", settled(app.get(&location).await.json()));
    worker.done(&order, json!({"said": 2})).await;
    let detail = app.get(&location).await.json();
    assert_eq!(detail["status"], "done");
    assert_eq!(detail["results"][0]["payload"], json!({"said": 2}));
    assert_eq!(detail["options"], json!({"repeat": 2}));
    assert_eq!(detail["typed_options"], json!({"repeat": 2, "loud": false}));

    let list = app.get("/operations?status=done&type=echo&target=EXAMPLE&page=0&per_page=").await;
    assert_eq!(list.headers["x-total-count"], "1");
    assert_eq!(list.json()[0]["id"], detail["id"]);
    assert_eq!(app.get("/operations?status=error").await.json(), json!([]));
}

#[tokio::test]
async fn work_for_a_queue_that_nobody_takes_from_comes_with_a_warning() {
    let app = TestApp::new().await;
    let direct =
        json!({"type": "echo", "target": "x", "queues": ["netwark"], "take_within_ms": 5000}).to_string();
    let made = app.post("/operations", direct.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let told = "nobody takes work from netwark now; the operation waits 5 s for a worker that does";
    assert_eq!(made.json()["warnings"], json!([told]));
    let worker = TestWorker::new(&app, "paris").await;
    assert_eq!(app.post("/operations", direct.clone()).await.json()["warnings"], Value::Null);
    worker.report(News::Goodbye).await.unwrap();
    assert_eq!(app.post("/operations", echo().to_string()).await.status, StatusCode::CONFLICT);
    app.app.directory.forget(worker.id).await;
    assert_eq!(app.post("/operations", direct).await.json()["warnings"], json!([told]));
}

#[tokio::test]
async fn bad_input_is_one_clear_problem() {
    let app = TestApp::new().await;
    TestWorker::new(&app, "paris").await;
    let mut told = Vec::new();
    let bodies = [
        r#"{"type": "nmap", "target": "example.org"}"#,
        r#"{"type": "echo", "target": ""}"#,
        r#"{"type": "echo", "target": "a\u0000b"}"#,
        r#"{"type": "echo", "target": "\ud800"}"#,
        r#"{"type": "echo", "target": "192.0.2.999"}"#,
        r#"{"type": "echo", "target": "x", "options": {"repeat": 10}}"#,
        r#"{"type": "echo", "target": "x", "options": {"repeat": 9, "loud": true}}"#,
        r#"{"type": "echo", "target": "x", "options": "-r many"}"#,
        r#"{"type": "echo", "target": "x", "options": 7}"#,
        r#"{"type": "ping", "target": "x", "options": "-f"}"#,
        r#"{"type": "ping", "target": "x", "options": "-c 99999"}"#,
        r#"{"type": "mtr", "target": "x", "options": "-F /etc/passwd"}"#,
        r#"{"type": "ping", "target": "https://example.org/"}"#,
        r#"{"type": "tcp", "target": "example.org"}"#,
        r#"{"type": "tcp", "target": "example.org:443", "options": {"port": 80}}"#,
        r#"{"type": "tls", "target": "example.org:0", "options": {"server_name": "a b"}}"#,
        r#"{"type": "http", "target": "ftp://example.org/"}"#,
        r#"{"type": "http", "target": "https://user:secret@example.org/", "options": {"headers": ["no colon"]}}"#,
        r#"{"type": "http", "target": "x", "options": {"headers": ["a: b", 7], "method": "POST"}}"#,
        r#"{"type": "http", "target": "x", "options": "-H Host:x --expect-status 2yy"}"#,
        r#"{"type": "echo", "target": "x", "queues": ["nowhere"]}"#,
        r#"{"type": "echo", "target": "x", "queues": ["a,b"]}"#,
        r#"{"type": "echo", "target": "x", "queues": "netwark"}"#,
        r#"{"type": "echo", "target": "x", "colour": "red"}"#,
        r#"{"type": "echo"}"#,
        r#"{"type": "echo", "target": "x", "take_within_ms": 5}"#,
        r#"{"type": "echo", "target": "x", "same_workers_as": "0190b7b0-0000-7000-8000-000000000000"}"#,
        r#"{"type": "nmap", "target": "a b", "queues": ["nowhere"]}"#,
        r#"[]"#,
        r#"{"#,
        "",
    ];
    for body in bodies {
        let answer = app.post("/operations", body).await;
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{body}: {}", answer.text);
        let problem = answer.json();
        let errors: Vec<String> = problem["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|e| {
                format!(
                    "{} {}: {}",
                    e["location"],
                    e["name"].as_str().unwrap(),
                    e["description"].as_str().unwrap()
                )
            })
            .collect();
        told.push(json!({"sent": body, "status": answer.status.as_u16(), "title": problem["title"], "errors": errors}));
    }
    let nothing = "0190b7b0-0000-7000-8000-000000000000";
    for path in [
        "/operations?per_page=100000".to_owned(),
        "/operations?page=-1".into(),
        "/operations?status=finished".into(),
        "/operations?type=nmap".into(),
        "/operations?created_after=yesterday".into(),
        "/operations?target=%00".into(),
        "/operations?staus=done".into(),
        "/operations/7".into(),
        format!("/operations/{nothing}"),
        format!("/operations/{nothing}/events"),
        format!("/operations/{nothing}/results.csv"),
        "/operations/events?id=7".into(),
        "/nothing".into(),
    ] {
        let answer = app.get(&path).await;
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{path}: {}", answer.text);
        let problem = answer.json();
        told.push(json!({"asked": path, "status": answer.status.as_u16(), "detail": problem["detail"]}));
    }
    insta::assert_json_snapshot!("problems", told);
    assert_eq!(app.get("/operations").await.headers["x-total-count"], "0", "nothing of it was stored");
}

#[tokio::test]
async fn too_large_a_body_is_refused() {
    let app = TestApp::new().await;
    let body = json!({"type": "echo", "target": "x".repeat(70_000)});
    let answer = app.post("/operations", body.to_string()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.json()["detail"], "a body has at most 65536 bytes");
}

#[tokio::test]
async fn nobody_online_is_said_and_nothing_stored() {
    let app = TestApp::new().await;
    let answer = app.post("/operations", echo().to_string()).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let worker = TestWorker::new(&app, "paris").await;
    worker.report(News::Goodbye).await.unwrap();
    let answer = app.post("/operations", echo().to_string()).await;
    assert_eq!(
        answer.json()["detail"],
        "no worker takes this work now: paris is offline; nothing was started"
    );
}

#[tokio::test]
async fn the_same_key_runs_once() {
    let app = TestApp::new().await;
    let mut worker = TestWorker::new(&app, "paris").await;
    let keyed = |body: Value| {
        let request = Request::post("/api/v1/operations").header("content-type", "application/json");
        request.header("idempotency-key", "k1").body(Body::from(body.to_string())).unwrap()
    };
    let first = app.answer(keyed(echo())).await;
    let second = app.answer(keyed(echo())).await;
    assert_eq!((first.status, second.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(first.json(), second.json());
    let other = app.answer(keyed(json!({"type": "echo", "target": "other.example"}))).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    worker.take().await;
    assert_eq!(app.get("/operations").await.headers["x-total-count"], "1");
}

#[tokio::test]
async fn cancelling_reaches_the_worker() {
    let app = TestApp::new().await;
    let mut worker = TestWorker::new(&app, "paris").await;
    let id = app.operation(echo()).await;
    let order = worker.take().await;
    worker.started(&order).await;
    let cancelled = app.post(&format!("/operations/{id}/cancel"), "").await;
    assert_eq!(cancelled.status, StatusCode::OK);
    assert_eq!(cancelled.json()["status"], "cancelled");
    assert_eq!(worker.cancelled().await.to_string(), id);
    worker.done(&order, json!({"said": 9})).await;
    assert_eq!(
        app.get(&format!("/operations/{id}")).await.json()["results"][0]["payload"],
        json!({"cause": "cancelled"})
    );
    let again = app.post(&format!("/operations/{id}/cancel"), "").await;
    assert_eq!(again.status, StatusCode::OK);
}

#[tokio::test]
async fn work_that_was_cancelled_is_not_begun() {
    let app = TestApp::new().await;
    let mut worker = TestWorker::new(&app, "paris").await;
    let id = app.operation(json!({"type": "echo", "target": "x", "queues": ["netwark"]})).await;
    app.post(&format!("/operations/{id}/cancel"), "").await;
    let order = worker.take().await;
    let (operation_id, result_id) = (order.operation_id, order.result_id);
    let refused = worker.report(News::Started { operation_id, result_id, redelivered: false }).await;
    assert!(matches!(refused, Err(BusError::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn events_tell_everything_and_resume() {
    let app = TestApp::new().await;
    let mut worker = TestWorker::new(&app, "paris").await;
    let mut other = TestWorker::new(&app, "lyon").await;
    let id = app.operation(echo()).await;
    let (of_worker, of_other) = (worker.take().await, other.take().await);
    worker.started(&of_worker).await;
    let path = format!("/api/v1/operations/{id}/events");
    let request = Request::get(&path).body(Body::empty()).unwrap();
    let before = app.events(request, |events| events.iter().any(|e| e.0 == "operation")).await;
    let names: Vec<&str> = before.iter().map(|e| e.0.as_str()).collect();
    assert_eq!(names, ["result", "result", "operation"]);
    let seen = before.last().unwrap().1.clone();

    worker.done(&of_worker, json!({"said": 1})).await;
    let request = Request::get(&path).header("last-event-id", &seen).body(Body::empty()).unwrap();
    let watching = app.events(request, |events| events.iter().any(|e| e.0 == "end"));
    let finishing = async {
        tokio::task::yield_now().await;
        other.done(&of_other, json!({"said": 2})).await;
    };
    let (after, ()) = tokio::join!(watching, finishing);
    let results: Vec<&Value> = after.iter().filter(|e| e.0 == "result").map(|e| &e.2["payload"]).collect();
    assert!(results.contains(&&json!({"said": 1})) && results.contains(&&json!({"said": 2})), "{after:?}");
    let last = &after[after.len() - 2];
    assert_eq!((last.0.as_str(), &last.2["status"]), ("operation", &json!("done")));
    assert!(last.1.parse::<i64>().unwrap() > seen.parse().unwrap());

    let wrong = Request::get(&path).header("last-event-id", "x").body(Body::empty()).unwrap();
    assert_eq!(app.answer(wrong).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn streams_end_with_the_server() {
    let app = TestApp::new().await;
    TestWorker::new(&app, "paris").await;
    let id = app.operation(echo()).await;
    let request = Request::get(format!("/api/v1/operations/{id}/events")).body(Body::empty()).unwrap();
    let watching = app.events(request, |_| false);
    let stopping = async {
        tokio::task::yield_now().await;
        app.app.live.close();
    };
    let (events, ()) = tokio::join!(watching, stopping);
    assert!(events.iter().all(|event| event.0 != "end"), "the operation has not ended: {events:?}");
}

#[tokio::test]
async fn one_stream_watches_many() {
    let app = TestApp::new().await;
    let mut worker = TestWorker::new(&app, "paris").await;
    let watched = app.operation(echo()).await;
    let order = worker.take().await;
    let request = Request::get(format!("/api/v1/operations/events?id={watched}&list=true"));
    let request = request.body(Body::empty()).unwrap();
    let watching = app.events(request, |events| {
        events.iter().any(|e| e.2["status"] == "done" && e.0 == "result")
            && events.iter().any(|e| e.0 == "operation" && e.2["target"] == "other.example")
    });
    let working = async {
        tokio::task::yield_now().await;
        app.operation(json!({"type": "echo", "target": "other.example"})).await;
        let other = worker.take().await;
        worker.started(&other).await;
        worker.done(&order, json!({"said": 2})).await;
    };
    let (events, ()) = tokio::join!(watching, working);
    let results: Vec<_> = events.iter().filter(|e| e.0 == "result").collect();
    assert!(
        results.iter().all(|e| e.2["operation_id"] == json!(watched)),
        "results of named operations only"
    );
}

#[tokio::test]
async fn a_made_up_tool_is_served_like_any_other() {
    let app = TestApp::new().await;
    let tools = app.get("/tools").await.json();
    let echo = tools.as_array().unwrap().iter().find(|tool| tool["name"] == "echo").unwrap().clone();
    insta::assert_json_snapshot!("made_up_tool", echo);

    let mut worker = TestWorker::new(&app, "paris").await;
    app.operation(json!({"type": "echo", "target": "x", "options": "-r 3 --loud"})).await;
    assert_eq!(worker.take().await.options, json!({"repeat": 3, "loud": true}));
}

#[tokio::test]
async fn a_restart_ends_what_had_begun_and_runs_what_waits() {
    let app = TestApp::new().await;
    let id = Uuid::now_v7();
    let mut worker = TestWorker::with_id(&app, "own", id, true).await;
    let begun = app.operation(echo()).await;
    let order = worker.take().await;
    worker.started(&order).await;
    let waiting = app.operation(json!({"type": "echo", "target": "waiting.example"})).await;

    let app = app.restarted(id).await;
    let detail = app.get(&format!("/operations/{begun}")).await.json();
    assert_eq!(detail["status"], "error");
    assert_eq!(detail["results"][0]["payload"]["cause"], "server restarted");
    let mut worker = TestWorker::with_id(&app, "own", id, true).await;
    let order = worker.take().await;
    assert_eq!(order.operation_id.to_string(), waiting);
    worker.done(&order, json!({})).await;
    assert_eq!(app.get(&format!("/operations/{waiting}")).await.json()["status"], "done");
}

#[tokio::test]
async fn results_are_exported() {
    let app = TestApp::new().await;
    let mut worker = TestWorker::new(&app, "paris").await;
    let id = app.operation(echo()).await;
    let order = worker.take().await;
    worker.done(&order, json!({"raw": ["first line", "second line"]})).await;
    let text = app.get(&format!("/operations/{id}/results.txt")).await;
    assert_eq!(text.text, "# echo from paris (netwark.broadcast): done\nfirst line\nsecond line\n\n");
    assert_eq!(text.headers["content-disposition"], "inline; filename=\"echo-example.org.txt\"");
    let csv = app.get(&format!("/operations/{id}/results.csv")).await;
    assert!(
        csv.text.starts_with("worker,queue,status,payload,cause\r\nparis,netwark.broadcast,done,"),
        "{}",
        csv.text
    );
    assert_eq!(app.get(&format!("/operations/{id}/results.json")).await.json()[0]["worker"], "paris");
}

#[tokio::test]
async fn the_server_shows_itself() {
    let app = TestApp::new().await;
    TestWorker::new(&app, "paris").await;
    insta::assert_json_snapshot!("workers", settled(app.get("/workers").await.json()));
    insta::assert_json_snapshot!("queues", settled(app.get("/management/backend/queues").await.json()));
    let status = app.get("/status").await.json();
    assert_eq!(status["broker"], "in-process");
    assert!(status["suggestions"].as_array().unwrap().iter().any(|s| s["target"] == "127.0.0.1"));
    for path in ["/healthz", "/readyz"] {
        let answer = app.answer(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    let metrics = app.answer(Request::get("/metrics").body(Body::empty()).unwrap()).await;
    assert!(
        metrics.text.contains("netwark_workers_online 1\n")
            && metrics.text.contains("# TYPE netwark_operations_open gauge"),
        "{}",
        metrics.text
    );
    let page = app.answer(Request::get("/operations/new").body(Body::empty()).unwrap()).await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
}

#[tokio::test]
async fn strangers_and_forged_workers_are_refused() {
    let app = TestApp::new().await;
    let worker = TestWorker::new(&app, "paris").await;
    let request = Request::get("/api/v1/workers").header("authorization", "Bearer wrong");
    assert_eq!(app.answer(request.body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED);
    let (operation_id, result_id) = (Uuid::now_v7(), Uuid::now_v7());
    let refused = worker.report(News::Started { operation_id, result_id, redelivered: false }).await;
    assert!(matches!(refused, Err(BusError::Refused(_))), "{refused:?}");
}
