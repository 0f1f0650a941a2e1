//! The tool `whois`: registries of one's own, those that an update brings, and the worker's own list.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use netwark_lookup::dns::Resolver;
use netwark_lookup::fetch::Location;
use netwark_lookup::update::{Asked, directory, update};
use netwark_lookup::whois::{Iana, Registries, SOURCE, kept};
use netwark_model::messages::RunOrder;
use netwark_probe::engine::{Engine, EngineOptions};
use netwark_worker::{Context, Policy, Toolbox};
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

/// Answers every question of port 43 and every request with what it is given.
fn registry(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            let _ = stream.read_line(&mut line);
            let _ = stream.get_mut().write_all(answer.as_bytes());
        }
    });
    place
}

fn context(data_dir: &Path, rows: &str, policy: Policy) -> Context {
    let mut registries = Registries::built_in();
    registries.add(rows).unwrap();
    let kept = kept(Some(directory(data_dir, SOURCE)), registries);
    let engine = Engine::start(EngineOptions::default()).unwrap();
    Context::new(engine, Resolver::with_servers(&[]), policy, "paris")
        .with_registries(kept, &Registries::named_places(rows))
}

async fn ask(context: &Context, target: &str) -> Result<Value, String> {
    let order = RunOrder {
        operation_id: Uuid::nil(),
        result_id: Uuid::nil(),
        queue: String::new(),
        tool: "whois".into(),
        target: target.into(),
        options: json!({}),
        run_within_ms: u64::MAX,
    };
    let run = Toolbox::standard().get("whois").unwrap();
    run(context.clone(), order, watch::channel(None).0).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn registries_of_ones_own_are_asked_as_far_as_the_list_allows() {
    let data = tempfile::tempdir().unwrap();
    let place = registry("Domain Name: A.TLD\r\nRegistrar: Example Registrar\r\n");
    let rows = format!("whois {place} tld");
    let told = ask(&context(data.path(), &rows, Policy::default()), "a.tld").await.unwrap();
    assert_eq!(
        (&told["outcome"], &told["record"]["registrar"]),
        (&"found".into(), &"Example Registrar".into())
    );

    let file = data.path().join("list.toml");
    std::fs::write(&file, "deny = ['127.0.0.0/8']").unwrap();
    let refused = ask(&context(data.path(), &rows, Policy::from_file(&file)), "a.tld").await.unwrap_err();
    assert!(refused.contains("127.0.0.0/8 is denied"), "{refused}");
}

#[tokio::test]
async fn what_an_update_brings_counts_for_the_next_question() {
    let (data, mirror) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let answer = concat!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/rdap+json\r\nconnection: close\r\n\r\n",
        r#"{"objectClassName":"domain","ldhName":"a.newtld","nameservers":[{"ldhName":"ns1.a.newtld"}]}"#,
    );
    let place = registry(answer);
    let context = context(data.path(), &format!("rdap http://{place}/ other"), Policy::default());
    let services = format!(r#"[["newtld"],["http://{place}/"]]"#);
    let file = format!(r#"{{"publication":"2026-11-02T00:00:00Z","services":[{services}]}}"#);
    std::fs::write(mirror.path().join("dns.json"), file).unwrap();
    let asked = Asked { from: Some(Location::File(mirror.path().into())), dry_run: false };
    update(&Iana::source(None), data.path(), &asked).await.unwrap();
    let told = ask(&context, "a.newtld").await.unwrap();
    assert_eq!(
        (&told["outcome"], &told["steps"][0]["protocol"]),
        (&"found".into(), &"rdap".into()),
        "{told}"
    );
}
