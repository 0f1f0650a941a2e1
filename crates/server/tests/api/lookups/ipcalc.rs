//! The IP calculator.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::TestApp;

async fn told(app: &TestApp, path: &str) -> Value {
    let answer = app.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.json()
}

/// Place, name and description of what is wrong with a request.
fn errors(answer: &crate::support::Answer) -> Vec<(String, String, String)> {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    errors.iter().map(|e| (text(&e["location"]), text(&e["name"]), text(&e["description"]))).collect()
}

#[tokio::test]
async fn the_older_path_answers_with_its_fields() {
    let app = TestApp::new().await;
    for (path, fields) in [
        (
            "10.1.2.3/24",
            json!({"network": "10.1.2.0", "netmask": "255.255.255.0", "cidr": 24, "usable_ips": 254,
                   "first_ip": "10.1.2.1", "last_ip": "10.1.2.254", "broadcast": "10.1.2.255"}),
        ),
        (
            "10.1.2.3/31",
            json!({"network": "10.1.2.2", "usable_ips": 2, "first_ip": "10.1.2.2", "last_ip": "10.1.2.3", "broadcast": null}),
        ),
        ("10.1.2.3/255.255.0.0", json!({"network": "10.1.0.0", "cidr": 16, "read_as": "netmask"})),
        (
            "2001:db8::1/126",
            json!({"network": "2001:db8::", "cidr": 126, "usable_ips": 3, "first_ip": "2001:db8::1",
                   "last_ip": "2001:db8::3", "netmask": null, "broadcast": null}),
        ),
        ("2001:db8::1/127", json!({"usable_ips": 2, "first_ip": "2001:db8::", "last_ip": "2001:db8::1"})),
        (
            "2001%3Adb8%3A%3A1/128",
            json!({"usable_ips": 1, "first_ip": "2001:db8::1", "last_ip": "2001:db8::1"}),
        ),
        ("10/8", json!({"prefix": "10.0.0.0/8"})),
    ] {
        let answer = told(&app, &format!("/ip-calc/{path}")).await;
        for (field, value) in fields.as_object().unwrap() {
            assert_eq!(answer.get(field).unwrap_or(&Value::Null), value, "{path}: {field}");
        }
    }
    let all = app.get("/ip-calc/::/0").await.text;
    let count = "340282366920938463463374607431768211455";
    assert!(all.contains(&format!("\"usable_ips\":{count},\"usable_ips_text\":\"{count}\"")), "{all}");
}

#[tokio::test]
async fn wrong_paths_name_their_part() {
    let app = TestApp::new().await;
    for (path, name, part) in [
        ("nonsense/24", "resource", "got 'nonsense'"),
        ("%20/24", "resource", "it is empty"),
        ("%FF/24", "resource", "UTF-8"),
        ("10.0.0.1/33", "cidr", "from 0 to 32, got '33'"),
        ("10.0.0.1/x", "cidr", "got 'x'"),
        ("2001:db8::/129", "cidr", "from 0 to 128"),
        ("10.0.0.1/255.0.255.0", "cidr", "ones followed by zeros"),
    ] {
        let wrong = errors(&app.get(&format!("/ip-calc/{path}")).await);
        assert_eq!((wrong[0].0.as_str(), wrong[0].1.as_str()), ("path", name), "{path}");
        assert!(wrong[0].2.contains(part), "{path}: {wrong:?}");
    }
}

#[tokio::test]
async fn questions_of_any_form() {
    let app = TestApp::new().await;
    let answer = told(&app, "/ip-calc?q=192.0.2.77%200.0.0.255").await;
    assert_eq!((&answer["prefix"], &answer["read_as"]), (&json!("192.0.2.0/24"), &json!("wildcard")));
    let answer = told(&app, "/ip-calc?q=192.0.2.1-6").await;
    assert_eq!(answer["range"]["prefixes"].as_array().unwrap().len(), 4);
    let answer = told(&app, "/ip-calc?q=2001:db8::/64&mac=00-00-5e-00-53-01").await;
    assert_eq!(answer["ipv6"]["eui64"]["address"], "2001:db8::200:5eff:fe00:5301");
    for (query, name, part) in [
        ("", "q", "is missing"),
        ("q=", "q", "is missing"),
        ("q=x", "q", "got 'x'"),
        ("q=10.0.0.0/8&mac=00:00:5e:00:53:01", "mac", "needs an IPv6 network"),
        ("q=2001:db8::/64&mac=1", "mac", "must be a MAC address"),
        ("q=10.0.0.0/8&p=1", "p", "is no parameter"),
    ] {
        let wrong = errors(&app.get(&format!("/ip-calc?{query}")).await);
        assert_eq!((wrong[0].1.as_str(), wrong.len()), (name, 1), "{query}");
        assert!(wrong[0].2.contains(part), "{query}: {wrong:?}");
    }
}

#[tokio::test]
async fn networks_are_cut() {
    let app = TestApp::new().await;
    let parts = |answer: &Value| {
        let subnets = answer["subnets"].as_array().unwrap().clone();
        subnets.iter().map(|part| part["prefix"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let halves = told(&app, "/ip-calc/split?q=192.0.2.0/24&prefix=/25").await;
    assert_eq!(parts(&halves), ["192.0.2.0/25", "192.0.2.128/25"]);
    assert_eq!((&halves["total"], &halves["cidr"]), (&json!("2"), &json!(25)));
    let some = told(&app, "/ip-calc/split?q=::/0&prefix=128&offset=18446744073709551616&limit=2").await;
    assert_eq!(parts(&some), ["0:0:0:1::/128", "::1:0:0:0:1/128"]);
    let hosts = told(&app, "/ip-calc/split?q=192.0.2.0/24&hosts=10,100").await;
    assert_eq!(parts(&hosts), ["192.0.2.128/28", "192.0.2.0/25"]);
    for (query, name, part) in [
        ("q=192.0.2.0/24", "prefix", "say prefix, parts or hosts"),
        ("prefix=25", "q", "is missing"),
        ("q=192.0.2.0/24&prefix=23", "prefix", "from 24 to 32 for 192.0.2.0/24, got 23"),
        ("q=192.0.2.0/24&prefix=99", "prefix", "from 0 to 32"),
        ("q=192.0.2.0/24&prefix=25&parts=2", "parts", "must be left out when prefix is given"),
        ("q=192.0.2.0/24&parts=0", "parts", "from 1 to 256"),
        ("q=192.0.2.0/24&hosts=300", "hosts", "no room left for 300 hosts"),
        ("q=192.0.2.0/24&hosts=x", "hosts", "must be numbers of hosts"),
        ("q=192.0.2.0/24&prefix=32&limit=1001", "limit", "from 1 to 1000"),
        ("q=192.0.2.0/24&prefix=32&offset=-1", "offset", "from 0 on"),
        ("q=192.0.2.1-192.0.2.3&prefix=32", "q", "not a range"),
    ] {
        let wrong = errors(&app.get(&format!("/ip-calc/split?{query}")).await);
        assert_eq!((wrong[0].1.as_str(), wrong.len()), (name, 1), "{query}: {wrong:?}");
        assert!(wrong[0].2.contains(part), "{query}: {wrong:?}");
    }
}

#[tokio::test]
async fn lists_are_summarised() {
    let app = TestApp::new().await;
    let answer = told(&app, "/ip-calc/list?q=10.0.0.0/24,10.0.1.0/24&q=10.0.0.7").await;
    assert_eq!(answer["prefixes"], json!(["10.0.0.0/23"]));
    assert_eq!(answer["relations"][0]["relation"], "contains");
    let networks: Vec<String> = (0..4096).map(|n| format!("10.0.{}.{}", n / 256, n % 256)).collect();
    let answer = app.post("/ip-calc/list", json!({"networks": &networks[..4000]}).to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.json()["total"], 6);
    for (body, name, part) in [
        (json!({}), "networks", "is missing"),
        (json!({"networks": []}), "networks", "at least one"),
        (json!({"networks": ["10.0.0.0/8", "x"]}), "networks[1]", "got 'x'"),
        (json!({"networks": vec!["1"; 5001]}), "networks", "at most 5000 entries"),
        (json!({"networks": "x"}), "networks", "must be a list"),
    ] {
        let wrong = errors(&app.post("/ip-calc/list", body.to_string()).await);
        assert_eq!((wrong[0].0.as_str(), wrong[0].1.as_str()), ("body", name), "{wrong:?}");
        assert!(wrong[0].2.contains(part), "{wrong:?}");
    }
    let wrong = errors(&app.get("/ip-calc/list?q=10.0.0.0/8,x").await);
    assert_eq!((wrong[0].1.as_str(), wrong[0].2.starts_with("(entry 2) must be")), ("q", true), "{wrong:?}");
}
