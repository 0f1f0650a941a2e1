//! Tools that return what a service says keep away from what trusts this machine, until the worker's list opens it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use netwark_lookup::dns::Resolver;
use netwark_model::messages::RunOrder;
use netwark_probe::engine::{Engine, EngineOptions};
use netwark_worker::{Context, Policy, Toolbox};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use uuid::Uuid;

/// Answers every connection as a server of HTTP that has nothing to say.
async fn service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            });
        }
    });
    place
}

fn context(policy: Policy) -> Context {
    let engine = Engine::start(EngineOptions::default()).unwrap();
    Context::new(engine, Resolver::with_servers(&[]), policy, "paris")
}

async fn run(context: &Context, tool: &str, target: String, options: Value) -> Result<Value, String> {
    let order = RunOrder {
        operation_id: Uuid::nil(),
        result_id: Uuid::nil(),
        queue: String::new(),
        tool: tool.into(),
        target,
        options,
        run_within_ms: 60_000,
    };
    let (snapshots, _latest) = watch::channel(None);
    let runner = Toolbox::standard().get(tool).unwrap();
    runner(context.clone(), order, snapshots).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn loopback_is_closed_until_the_list_opens_it() {
    let place = service().await;
    let quick = json!({"count": 1});
    for (tool, target, options) in [
        ("tcp", place.to_string(), quick.clone()),
        ("tls", place.to_string(), json!({"skip_versions": true})),
        ("http", format!("http://{place}/"), json!({})),
        ("http", format!("http://[::ffff:127.0.0.1]:{}/", place.port()), json!({})),
    ] {
        let closed =
            run(&context(Policy::default()), tool, target.clone(), options.clone()).await.unwrap_err();
        assert!(closed.contains("loopback") && closed.contains("content_allow"), "{tool} {target}: {closed}");
        let open = run(&context(Policy::of_its_user()), tool, target, options).await;
        assert!(open.is_ok(), "{tool}: {open:?}");
    }
    let open = run(&context(Policy::of_its_user()), "http", format!("http://{place}/"), json!({})).await;
    assert_eq!(open.unwrap()["reports"][0]["status"], 204);
}

#[tokio::test]
async fn a_new_list_counts_for_the_next_connection() {
    let place = service().await;
    let context = context(Policy::of_its_user());
    let quick = json!({"count": 1});
    assert!(run(&context, "tcp", place.to_string(), quick.clone()).await.is_ok());
    context.policy.send_replace(Policy::default());
    assert!(run(&context, "tcp", place.to_string(), quick).await.is_err());
}

#[tokio::test]
async fn what_a_run_sends_and_receives_is_counted() {
    let place = service().await;
    let context = context(Policy::of_its_user());
    run(&context, "http", format!("http://{place}/"), json!({})).await.unwrap();
    // A request with its headers, and an answer of 27 bytes, besides what carries them.
    assert!(context.traffic.sent() > 200, "{}", context.traffic.sent());
    assert!(context.traffic.received() > 27 + 3 * 40, "{}", context.traffic.received());
}
