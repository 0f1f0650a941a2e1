//! Operations and previews by selector, through the API.

use axum::http::StatusCode;
use netwark_model::messages::News;
use serde_json::{Value, json};

use crate::support::{TestApp, TestWorker};

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn preview(app: &TestApp, from: &str) -> (StatusCode, Value) {
    let answer = app.get(&format!("/workers/select?from={}", encoded(from))).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn whom_a_selector_finds_runs_it() {
    let app = TestApp::new().await;
    let mut paris = TestWorker::new(&app, "paris").await;
    let lyon = TestWorker::new(&app, "lyon").await;
    TestWorker::new(&app, "nice").await.report(News::Goodbye).await.unwrap();
    let body = json!({"type": "echo", "target": "a", "from": "SITE:lab and not lyon"});
    let id = app.operation(body).await;
    let order = paris.take().await;
    assert_eq!((order.operation_id.to_string(), order.queue.as_str()), (id.clone(), ""));
    let operation = app.get(&format!("/operations/{id}")).await.json();
    assert_eq!(operation["from"], "site:lab and not lyon");
    assert_eq!(operation["skipped"], json!([{"worker": "nice", "queue": "", "reason": "offline"}]));
    assert_eq!(operation["results"].as_array().unwrap().len(), 1);
    let again = json!({"type": "echo", "target": "a", "from": "@last"});
    let again = app.operation(again).await;
    assert_eq!(paris.take().await.operation_id.to_string(), again);
    assert_eq!(app.get(&format!("/operations/{again}")).await.json()["from"], format!("@{id}"));
    drop(lyon);
}

#[tokio::test]
async fn mistakes_name_the_field_and_the_word() {
    let app = TestApp::new().await;
    TestWorker::new(&app, "paris").await;
    for (body, name, description) in [
        (json!({"from": "paris lyon"}), "from", "'lyon' at character 7 needs 'and' or 'or' before it"),
        (json!({"from": ""}), "from", "must not be empty; all stands for every worker"),
        (
            json!({"from": "paris and not tag:lab"}),
            "from",
            "'tag:lab' at character 15 finds nobody: no worker has the tag 'lab'",
        ),
        (
            json!({"from": "pariss"}),
            "from",
            "'pariss' at character 1 is no queue and no worker; did you mean 'paris'?",
        ),
        (json!({"from": "paris", "queues": ["netwark"]}), "queues", "must be left out when from is given"),
    ] {
        let mut request = json!({"type": "echo", "target": "a"});
        request.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let answer = app.post("/operations", request.to_string()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}: {}", answer.text);
        let error = &answer.json()["errors"][0];
        assert_eq!((&error["name"], &error["description"]), (&json!(name), &json!(description)), "{body}");
    }
    let nobody = json!({"type": "echo", "target": "a", "from": "paris and not all"});
    let answer = app.post("/operations", nobody.to_string()).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.json()["detail"], "no worker fits 'paris and not all'; nothing was started");
    assert_eq!(app.get("/operations").await.headers["x-total-count"], "0", "nothing of it was stored");
}

#[tokio::test]
async fn a_preview_runs_nothing() {
    let app = TestApp::new().await;
    let paris = TestWorker::new(&app, "paris").await;
    TestWorker::new(&app, "nice").await.report(News::Goodbye).await.unwrap();
    let (status, found) = preview(&app, "tag:test limit 1").await;
    assert_eq!(status, StatusCode::OK, "{found}");
    let expected = json!({
        "from": "tag:test limit 1",
        "workers": [{"id": paris.id, "name": "paris", "site": "lab"}],
        "direct": [],
        "skipped": [{"worker": "nice", "reason": "offline"}],
        "limit": 1,
    });
    assert_eq!(found, expected);
    assert_eq!(preview(&app, "netwark").await.1["direct"], json!(["netwark"]));
    let (status, problem) = preview(&app, "town:paris").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(problem["errors"][0]["location"], "querystring");
    assert_eq!(problem["errors"][0]["name"], "from");
    assert_eq!(app.get("/workers/select").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(app.get("/operations").await.headers["x-total-count"], "0");
}
