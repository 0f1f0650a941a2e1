//! To whom MAC addresses are assigned, over the API.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::TestApp;

#[tokio::test]
async fn the_fields_of_the_older_api_are_there_when_somebody_is_known() {
    let app = TestApp::new().await;
    let cisco = app.get("/mac-oui/00:00:0c:12:34:56").await.json();
    assert_eq!(cisco["assignment"], "00000C");
    assert_eq!(cisco["orgname"], "Cisco Systems, Inc");
    assert!(cisco["orgaddr"].as_str().unwrap().contains("SAN JOSE"), "{cisco}");
    assert_eq!((&cisco["registry"], &cisco["local"]), (&json!("MA-L"), &json!(false)));
    assert_eq!(app.get("/mac-oui/00000C").await.json()["orgname"], "Cisco Systems, Inc");
    assert_eq!(app.get("/mac-oui/sony%20corporation").await.json()["orgname"], "Sony Corporation");

    let nobody = app.get("/mac-oui/92-00-00-00-00-01").await;
    assert_eq!(nobody.status, StatusCode::OK);
    for field in ["assignment", "orgname", "orgaddr"] {
        assert!(nobody.json().get(field).is_none(), "{}", nobody.text);
    }
    assert_eq!(nobody.json()["randomised"], true);
    assert_eq!(app.get("/mac-oui/00:00:5e:00:01:07").await.json()["known"]["detail"], "virtual router 7");
    // An assignment with its length is one segment of a path, too.
    assert_eq!(app.get("/mac-oui/00:50:c2:7d:50:00%2F36").await.json()["assignment"], "0050C27D5");
}

#[tokio::test]
async fn nonsense_is_told_with_the_field() {
    let app = TestApp::new().await;
    for (path, field, part) in [
        ("/mac-oui/zz:zz:zz", "resource", "no MAC address"),
        ("/mac-oui/zz:zz", "resource", "no MAC address such as 00:00:0c:12:34:56"),
        ("/mac-oui/00:1a", "resource", "at least 6 digits"),
        ("/mac-oui", "page", "is needed, or one of the filters"),
        ("/mac-oui?assignment=&orgname=", "page", "is needed"),
        ("/mac-oui?assignment=xyz", "assignment", "hexadecimal digits"),
        ("/mac-oui?registry=OUI", "registry", "MA-L, MA-M, MA-S, IAB, CID"),
        ("/mac-oui?q=,.", "q", "a letter or a digit"),
        ("/mac-oui?registry=MA-L", "page", "at most 10000 are listed"),
        ("/mac-oui?page=1&order=name", "order", "no parameter"),
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        let error = answer.json()["errors"][0].clone();
        assert_eq!(error["name"], field, "{path}");
        assert!(error["description"].as_str().unwrap().contains(part), "{path}: {error}");
    }
}

#[tokio::test]
async fn lists_come_whole_or_by_the_page() {
    let app = TestApp::new().await;
    let all = app.get("/mac-oui?orgname=cisco%20SYSTEMS").await;
    let rows = all.json();
    let rows = rows.as_array().unwrap();
    assert_eq!(all.headers["x-total-count"], rows.len().to_string().as_str());
    assert!(rows.len() > 1000 && all.headers.get("link").is_none());
    assert!(
        rows.iter().all(|row| row["orgname"].as_str().unwrap().to_lowercase().starts_with("cisco systems"))
    );

    let page = app.get("/mac-oui?orgname=cisco%20systems&page=2&per_page=10").await;
    assert_eq!(page.json().as_array().unwrap()[..], rows[10..20]);
    assert!(page.headers["link"].to_str().unwrap().contains("page=3"));
    assert_eq!(
        app.get("/mac-oui?page=1").await.json().as_array().unwrap().len(),
        50,
        "a page needs no filter"
    );
    assert_eq!(app.get("/mac-oui?page=9999999&per_page=1000").await.json(), json!([]));
    assert_eq!(app.get("/mac-oui?assignment=00:00:0C").await.json()[0]["assignment"], "00000C");
    let best = app.get("/mac-oui?q=raspberry%20pi&page=1&per_page=5").await.json();
    assert!(best[0]["orgname"].as_str().unwrap().starts_with("Raspberry Pi"), "{best}");
}

#[tokio::test]
async fn many_are_answered_at_once() {
    let app = TestApp::new().await;
    let text = "? (192.0.2.1) at 8:0:27:1:2:3 [ether] on eth0";
    let body = json!({ "resources": ["00000c", "00:1a", "Sony Corporation"], "text": text });
    let answers = app.post("/mac-oui", body.to_string()).await.json();
    let names: Vec<&Value> = answers.as_array().unwrap().iter().map(|answer| &answer["orgname"]).collect();
    assert_eq!(names[0], "Cisco Systems, Inc");
    assert!(answers[1]["error"].as_str().unwrap().contains("no MAC address"));
    assert_eq!(names[2], "Sony Corporation");
    assert_eq!(answers[3]["mac"], "08:00:27:01:02:03");
    assert_eq!(app.post("/mac-oui", "{}").await.json(), json!([]));

    let many: Vec<String> =
        (0..10_000).map(|at| format!("00:00:0c:00:{:02x}:{:02x}", at / 256, at % 256)).collect();
    let answers = app.post("/mac-oui", json!({ "resources": many }).to_string()).await.json();
    assert_eq!(answers.as_array().unwrap().len(), 10_000);
    let names = json!({ "resources": vec!["sony"; 101] }).to_string();
    let answers = app.post("/mac-oui", names).await.json();
    assert_eq!(answers[99]["kind"], "name");
    assert!(answers[100]["error"].as_str().unwrap().contains("at most 100 names"), "{}", answers[100]);
    // What has the shape of an address costs no search; what may be a name does, whether it is one or not.
    for (typed, expected) in [("00:00:0g:12:34:56", "no MAC address"), ("dbdbd", "at most 100 names")] {
        let asked = json!({ "resources": vec![typed; 101] }).to_string();
        let answers = app.post("/mac-oui", asked).await.json();
        assert!(answers[100]["error"].as_str().unwrap().contains(expected), "{}", answers[100]);
    }
    let too_many = json!({ "resources": vec!["a"; 10_001] }).to_string();
    let refused = app.post("/mac-oui", too_many).await;
    assert_eq!(refused.json()["errors"][0]["name"], "resources");
    let too_large = json!({ "text": "x".repeat(1 << 20) }).to_string();
    assert_eq!(app.post("/mac-oui", too_large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(app.post("/mac-oui", json!({ "macs": [] }).to_string()).await.status, StatusCode::BAD_REQUEST);
}
