//! What the documentation shows works.

use std::process::Command;

use serde_json::json;

use crate::receiver::Receiver;
use crate::setting::{config, notice, secrets, sender};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/channels.md");

/// The first block of a language behind a heading of the page.
fn block(heading: &str, language: &str) -> String {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (_, section) = page.split_once(heading).unwrap();
    let (_, block) = section.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

#[tokio::test]
async fn the_example_verifies_a_signature() {
    let receiver = Receiver::start([]).await;
    let config = config(json!({"kind": "webhook", "sign": true}));
    let key = netwark_notify::new_signing_key();
    let secrets = secrets(&[("url", &receiver.url()), ("signing_key", key.reveal())]);
    sender().deliver(&config, &secrets, &notice()).await.unwrap();
    let got = receiver.only();
    let directory = tempfile::tempdir().unwrap();
    let body = directory.path().join("body");
    std::fs::write(&body, &got.body).unwrap();
    let verified = |key: &str| {
        let headers: serde_json::Map<String, serde_json::Value> = got
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()))
            .collect();
        let call = "import json, sys\n\
            headers, body = json.loads(sys.argv[2]), open(sys.argv[3], 'rb').read()\n\
            sys.exit(0 if verify(sys.argv[1], headers, body) else 3)";
        let script = format!("{}\n{call}", block("## Webhook", "python"));
        let mut python = Command::new("/usr/bin/python3");
        python.args(["-c", &script, key]).arg(json!(headers).to_string()).arg(&body);
        python.status().unwrap().code()
    };
    assert_eq!(verified(key.reveal()), Some(0));
    assert_eq!(verified(netwark_notify::new_signing_key().reveal()), Some(3));
}

#[test]
fn the_templates_shown_are_taken() {
    let template = block("### Templates", "json");
    let hook = config(json!({"kind": "webhook", "template": template}));
    assert_eq!(netwark_notify::check(&hook, &secrets(&[("url", "https://example.org/")])), []);
}
