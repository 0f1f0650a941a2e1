//! The tool `dns` under the worker's own list.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use netwark_lookup::dns::Resolver;
use netwark_model::messages::RunOrder;
use netwark_probe::engine::{Engine, EngineOptions};
use netwark_worker::{Context, Policy, RunError, Toolbox};
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

/// A name server that denies every name.
fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let place = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let end = 12 + buffer[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
            let head = [&buffer[..2], b"\x81\x83\x00\x01\x00\x00\x00\x00\x00\x00"].concat();
            socket.send_to(&[head.as_slice(), &buffer[12..end.min(length)]].concat(), from).unwrap();
        }
    });
    place
}

async fn ask(policy: Policy, resolver: Resolver, options: Value) -> (Result<Value, RunError>, u64) {
    let engine = Engine::start(EngineOptions::default()).unwrap();
    let context = Context::new(engine, resolver, policy, "paris");
    let traffic = Arc::clone(&context.traffic);
    let order = RunOrder {
        operation_id: Uuid::nil(),
        result_id: Uuid::nil(),
        queue: String::new(),
        tool: "dns".into(),
        target: "www.example".into(),
        options,
        run_within_ms: u64::MAX,
    };
    let run = Toolbox::standard().get("dns").unwrap();
    (run(context, order, watch::channel(None).0).await, traffic.sent())
}

#[tokio::test]
async fn a_chosen_server_is_held_to_the_list() {
    let place = name_server();
    let chosen = json!({ "nameserver": place.to_string() });
    let nobody = || Resolver::with_servers(&[]);
    let (refused, sent) = ask(Policy::default(), nobody(), chosen.clone()).await;
    let cause = refused.unwrap_err().to_string();
    assert!(cause.contains("loopback") && cause.contains("content_allow"), "{cause}");
    assert_eq!(sent, 0);

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("list.toml");
    std::fs::write(&file, "content_allow = ['127.0.0.0/8']").unwrap();
    let (answered, sent) = ask(Policy::from_file(&file), nobody(), chosen).await;
    assert_eq!(answered.unwrap()["status"], "NXDOMAIN");
    assert!(sent > 0, "what is sent counts");

    // The system's own servers are asked whatever the list says.
    let (answered, _) = ask(Policy::default(), Resolver::with_servers(&[place]), json!({})).await;
    assert_eq!(answered.unwrap()["status"], "NXDOMAIN");
    let (nobody, _) = ask(Policy::default(), nobody(), json!({})).await;
    assert!(nobody.unwrap_err().to_string().contains("no name server is configured"));
}

#[tokio::test]
async fn a_trace_does_not_lead_where_the_list_forbids() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("list.toml");
    std::fs::write(&file, "allow = ['192.0.2.0/24']").unwrap();
    let (outcome, sent) =
        ask(Policy::from_file(&file), Resolver::with_servers(&[]), json!({"trace": true})).await;
    let outcome = outcome.unwrap();
    assert_eq!((&outcome["status"], sent), (&json!(null), 0));
    let text = outcome["trace"][0]["text"].as_str().unwrap();
    assert!(text.contains("not allowed by this worker's list"), "{text}");
}
